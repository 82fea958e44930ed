"""`import`: a snapshot from a bundle, a backup, or loose exports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.outcome import tell, tell_lost
from changelog_tracker.cli.session import local_zone, open_store

if TYPE_CHECKING:
    from changelog_tracker.pipeline.replayed.runs import RunOutcome


def import_(
    ctx: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="Bundle, zip, backup folder, file or replay journal.",
            readable=False,
        ),
    ],
    server: Annotated[
        str | None, typer.Option("--server", help="The server, where the files do not say.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it was taken; else now.")
    ] = None,
    build: Annotated[
        str | None, typer.Option("--build", help="The Exchange build, where the files do not say.")
    ] = None,
) -> None:
    """
    Make a snapshot of the files at PATH and log what changed since the last one.

    The journal of a replay script is taken back: the changes that it made become documented.
    """
    from changelog_tracker.errors import IncompleteError
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.importing import Wish, import_path
    from changelog_tracker.pipeline.keys import lost_key
    from changelog_tracker.pipeline.moments import read_build, read_time
    from changelog_tracker.pipeline.outcome import Outcome

    moment = read_time(at, "--at") if at is not None else None
    wish = Wish(server, moment, read_build(build) if build is not None else None)
    with open_store(ctx) as store:
        lost = lost_key(store)
        fingerprints = Fingerprints(store.key)
        if lost:
            tell_lost(store.key_file, lost)
        outcome = import_path(store, fingerprints, path, wish)
    if not isinstance(outcome, Outcome):
        for run in outcome:
            _tell_run(run)
        return
    tell(outcome)
    if outcome.problems and not outcome.known:
        raise typer.Exit(IncompleteError.exit_code)


def _tell_run(outcome: RunOutcome) -> None:
    from changelog_tracker.report import words
    from changelog_tracker.report.escape import terminal

    run = outcome.run
    if run.cut_off:
        note = "note: the last line of the run is cut off, as by a kill; it was left out"
        typer.echo(note, err=True)
    elif run.ended is None:
        note = "note: the run has no end: it was killed, or goes on; import its journal again then"
        typer.echo(note, err=True)
    what = "undo of plan" if run.mode == "undo" else "replay of plan"
    when = words.moment(run.started.isoformat(), local_zone())
    by = terminal(f"{run.operator} on {run.host}")
    head = f"{outcome.server}: {what} {run.plan} of {when} by {by}"
    if outcome.known:
        typer.echo(f"{head} is already known")
        return
    states = ", ".join(f"{count} {state}" for state, count in sorted(outcome.states.items()))
    typer.echo(f"{head}: {words.count(outcome.states.total(), 'step')} ({states or 'none'})")
    count = words.count(len(outcome.documented), "change")
    typer.echo(f"{count} of the log documented by it")
    sys.stdout.flush()
