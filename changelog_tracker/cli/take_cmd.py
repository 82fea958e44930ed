"""`take`: snapshots over the network, or of this machine."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.outcome import notes, tell, tell_lost
from changelog_tracker.cli.session import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from changelog_tracker.pipeline.inventory import ServerEntry
    from changelog_tracker.pipeline.take import Took
    from changelog_tracker.store import Store


_ADD = "add one with: changelog-tracker server add EX01 --host ex01.contoso.com"


def take(
    ctx: typer.Context,
    servers: Annotated[
        list[str] | None, typer.Argument(metavar="SERVER...", help="Servers of the inventory.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every server of the inventory.")] = False,
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Every server of a group.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="How many at once. [8]")
    ] = None,
    deadline: Annotated[
        int | None,
        typer.Option("--deadline", metavar="SECONDS", min=5, help="How long one may take. [300]"),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Fetch every file, also those that are known.")
    ] = False,
) -> None:
    """Take a snapshot of each server, and log what changed since its last one."""
    from changelog_tracker.errors import IncompleteError
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.keys import lost_key
    from changelog_tracker.pipeline.take import Options
    from changelog_tracker.pipeline.take import take as taken

    settings = _settings(ctx, workers, deadline)
    done: list[Took] = []
    with open_store(ctx) as store:
        entries = _entries(store, servers or [], every=every, group=group)
        lost = lost_key(store)
        fingerprints = Fingerprints(store.key)
        if lost:
            tell_lost(store.key_file, lost)
        options = Options(min(settings[0], len(entries)), settings[1], full=full)
        with _progress(len(entries)) as ended:
            for one in taken(store, fingerprints, entries, options):
                done.append(one)
                ended(one)
    if len(entries) == 1:
        _tell_one(done[0])
    else:
        _tell_all(sorted(done, key=lambda one: one.server.casefold()))
    failed = [one for one in done if one.error is not None]
    if len(failed) == len(done):
        raise typer.Exit(1)
    if failed or any(one.outcome and one.outcome.problems for one in done):
        raise typer.Exit(IncompleteError.exit_code)


def _settings(ctx: typer.Context, workers: int | None, deadline: int | None) -> tuple[int, int]:
    """Give how many at once, and how many seconds for one: option, else configuration."""
    from changelog_tracker.config import load_config

    config = load_config(ctx.obj.store, ctx.obj.config)
    return workers or config.workers, deadline or config.deadline_s


def _entries(
    store: Store, names: list[str], *, every: bool, group: str | None
) -> tuple[ServerEntry, ...]:
    """
    Find the servers that are asked for.

    Raises:
        UsageError: None is, both ways are mixed, or one is not in the inventory.
    """
    from changelog_tracker.errors import UsageError
    from changelog_tracker.pipeline import inventory

    if bool(names) + every + (group is not None) != 1:
        raise UsageError("take", "expected names of servers, or --all, or --group", "server list")
    if not store.database.exists():
        raise UsageError("take", "the inventory has no server", _ADD)
    with store.reading() as connection:
        if names:
            found = {one.name: one for one in (inventory.entry(connection, n) for n in names)}
            return tuple(found.values())
        entries = inventory.entries(connection, group)
    if entries:
        return entries
    what = f"group {group} has no server" if group is not None else "the inventory has no server"
    raise UsageError("take", what, _ADD)


def _progress(count: int) -> AbstractContextManager[Callable[[Took], None]]:
    """Show a bar while several servers are collected, on a terminal only."""
    if count == 1 or not sys.stderr.isatty():
        return nullcontext(lambda _: None)
    return _bar(count)


@contextmanager
def _bar(count: int) -> Iterator[Callable[[Took], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from changelog_tracker.report.escape import terminal

    last = TextColumn("{task.fields[last]}", markup=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), last)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=count, last="")

        def ended(one: Took) -> None:
            progress.update(task, advance=1, last=terminal(one.server))

        yield ended


def _tell_one(one: Took) -> None:
    """Tell of the one server that was asked for, as `import` tells of a bundle."""
    if one.error is not None:
        raise one.error
    if one.outcome is not None:
        tell(one.outcome)
        _hint(one)


def _hint(one: Took) -> None:
    """Say where it stands what an account lacks, after what it could not read."""
    from changelog_tracker.report.escape import terminal

    if one.outcome is not None and one.outcome.problems:
        typer.echo(f"hint: see changelog-tracker server test {terminal(one.server)}", err=True)


def _tell_all(done: list[Took]) -> None:
    """Tell what went wrong with each, then all of them in one table."""
    from changelog_tracker.report.escape import terminal
    from changelog_tracker.report.tables import write_table

    rows = []
    for one in done:
        if one.error is not None:
            place = "" if one.error.place.startswith(one.server) else f"{one.server}: "
            typer.echo(f"error: {terminal(f'{place}{one.error}')}", err=True)
            if one.error.hint:
                typer.echo(f"hint: {terminal(one.error.hint)}", err=True)
        elif one.outcome is not None:
            notes(one.outcome, f"{one.server}: ")
            _hint(one)
        rows.append(_row(one))
    write_table(rows, sys.stdout)
    failed = sum(one.error is not None for one in done)
    incomplete = sum(bool(one.outcome and one.outcome.problems) for one in done)
    typer.echo(
        f"{len(done) - failed} of {len(done)} servers taken, {incomplete} of them incomplete"
    )


def _row(one: Took) -> dict[str, str]:
    from changelog_tracker.report import words

    found = one.outcome
    if found is None:
        result = "not taken"
    elif found.problems:
        result = f"incomplete: {words.count(len(found.problems), 'kind')} not read"
    else:
        result = "first snapshot" if found.first else "complete"
    return {
        "SERVER": one.server,
        "SNAPSHOT": str(found.snapshot) if found else "",
        "CHANGES": str(len(found.changes)) if found else "",
        "SECONDS": f"{one.seconds:.1f}",
        "RESULT": result,
    }
