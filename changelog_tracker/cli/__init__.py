"""
The command line: one file a command, and here what they share.

Commands import what is heavy when they run, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from changelog_tracker import __version__
from changelog_tracker.cli import (
    approve_cmd,
    baseline_cmd,
    catalogue_cmd,
    check_cmd,
    collector_cmd,
    db_cmd,
    demo_cmd,
    diff_cmd,
    doctor_cmd,
    document_cmd,
    drift_cmd,
    import_cmd,
    key_cmd,
    log_cmd,
    prune_cmd,
    reject_cmd,
    replay_cmd,
    server_cmd,
    show_cmd,
    snapshots_cmd,
    take_cmd,
    verify_cmd,
)
from changelog_tracker.cli.session import Globals
from changelog_tracker.errors import TrackerError

_INTERRUPTED = 130

app = typer.Typer(
    name="changelog-tracker",
    help="Keeps the change log of an Exchange Client Access server by itself. "
    "It reads configuration, compares and stores it, and never writes to a server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"changelog-tracker {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    ctx: typer.Context,
    store: str = typer.Option(
        None, "--store", metavar="PATH|URL", help="The store. [env: CHANGELOG_TRACKER_STORE]"
    ),
    config: str = typer.Option(
        None,
        "--config",
        metavar="FILE",
        help="The configuration file. [env: CHANGELOG_TRACKER_CONFIG]",
    ),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Hold what stands before the command."""
    del version
    ctx.obj = Globals(store, config)


app.command("demo")(demo_cmd.demo)
app.add_typer(server_cmd.app, name="server")
app.command("take")(take_cmd.take)
app.command("collector")(collector_cmd.collector)
app.command("import")(import_cmd.import_)
app.command("snapshots")(snapshots_cmd.snapshots)
app.command("show")(show_cmd.show)
app.command("log")(log_cmd.log)
app.command("diff")(diff_cmd.diff)
app.command("drift")(drift_cmd.drift)
app.command("verify")(verify_cmd.verify)
app.command("replay")(replay_cmd.replay)
app.add_typer(baseline_cmd.app, name="baseline")
app.command("document")(document_cmd.document)
app.command("approve")(approve_cmd.approve)
app.command("reject")(reject_cmd.reject)
app.command("catalogue")(catalogue_cmd.catalogue)
app.command("check")(check_cmd.check)
app.command("doctor")(doctor_cmd.doctor)
app.add_typer(key_cmd.app, name="key")
app.command("prune")(prune_cmd.prune)
app.add_typer(db_cmd.app, name="db")


def run(arguments: list[str]) -> int:
    """
    Run one command line.

    Returns:
        The exit code: 0 done, 1 failed, 2 usage, 3 found, 4 incomplete, 5 store damaged or full,
        130 interrupted.
    """
    if sys.stdout is None:
        # Closed by the caller (>&-).
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    try:
        code = int(app(arguments, prog_name="changelog-tracker", standalone_mode=False) or 0)
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except typer.TyperException as error:
        return _say_usage(error)
    except TrackerError as error:
        return _say(error.place, error.what, error.hint, error.exit_code)
    except (SystemExit, OSError) as error:
        return _ended(error)
    if code == _INTERRUPTED:
        # typer makes an exit code of Ctrl-C.
        return _say("interrupted", "everything of this command was rolled back", None, code)
    return code


def _ended(error: SystemExit | OSError) -> int:
    """Leave quietly when the reader of standard output has gone; typer ends the program then."""
    if isinstance(error.__context__, BrokenPipeError) or isinstance(error, BrokenPipeError):
        return _leave_quietly()
    if isinstance(error, SystemExit):
        raise error
    return _say(str(error.filename or "output"), f"failed: {error.strerror or error}", None, 1)


def _leave_quietly() -> int:
    """Let go of standard output: what Python still holds back must not fail at its exit."""
    sys.stdout = sys.__stdout__
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _say_usage(error: typer.TyperException) -> int:
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context else "changelog-tracker"
    message = error.format_message()
    if message.startswith("Usage:"):
        typer.echo(message, err=True)
        return 2
    return _say(command, " ".join(message.split()), f"{command} --help", 2)


def _say(place: str, what: str, hint: str | None, code: int) -> int:
    from changelog_tracker.report.escape import terminal

    sys.stdout.flush()
    typer.echo(f"error: {terminal(place)}: {terminal(what)}", err=True)
    if hint:
        typer.echo(f"hint: {terminal(hint)}", err=True)
    return code
