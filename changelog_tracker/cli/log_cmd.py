"""`log`: the change log, and what it covers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.options import (
    AnyServer,
    ForceOption,
    FormatOption,
    JsonOption,
    OutputOption,
    UnfoldOption,
)
from changelog_tracker.cli.session import look, open_store, output, reading
from changelog_tracker.cli.target import Target, reader, target, write_document

if TYPE_CHECKING:
    from datetime import datetime

    from changelog_tracker.pipeline.heads import Asked


def log(
    ctx: typer.Context,
    server: AnyServer = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Seen at or after.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Seen at or before.")] = None,
    undocumented: Annotated[
        bool, typer.Option("--undocumented", help="Only what nobody documented; exit 3 if any.")
    ] = False,
    class_: Annotated[
        list[str] | None, typer.Option("--class", help="Only this class; may be repeated.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Also changes that a late snapshot took the place of.")
    ] = False,
    unfold: UnfoldOption = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="What was watched instead, and every gap.")
    ] = False,
    commands: Annotated[
        bool, typer.Option("--commands", help="Also each change's redo and undo.")
    ] = False,
    format_: FormatOption = None,
    json: JsonOption = False,
    file: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Show what changed, when, from what to what, and why; oldest first."""
    from changelog_tracker.pipeline.change_log import LogWish, log_lines
    from changelog_tracker.pipeline.heads import Asked, about, log_query
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.pipeline.state import unread_everywhere
    from changelog_tracker.report import compose, json_lines, text

    to = target(format_, json, file, force)
    start, end = _period(since, until)
    wish = LogWish(
        server,
        start[1] if start else None,
        end[1] if end else None,
        undocumented,
        _classes(class_ or []),
        all_,
        unfold,
    )
    if coverage:
        if wish != LogWish(server, wish.since, wish.until) or commands:
            _refuse_coverage()
        query = f"coverage of {server or 'all servers'}"
        _write_coverage(ctx, Asked(query, server, start, end), to)
        return
    asked = Asked(log_query(wish), server, start, end)
    with reading(ctx) as (connection, say_lost):
        written = commands or to.form == "json"
        lines = list(log_lines(connection, wish, commands=written))
        unread = list(unread_everywhere(connection, server))
        told = None
        if to.is_document:
            told = about(connection, asked, reader(), unread=unread, commands=commands)
    if told:
        write_document(compose.log(list(with_inside(lines)), told), to)
    else:
        with output(to.file, force=to.force) as out:
            if to.form == "json":
                json_lines.write(lines, out)
            else:
                text.log(list(with_inside(lines)), unread, out, **look(out, commands=commands))
    sys.stdout.flush()
    say_lost()
    if undocumented and lines:
        raise typer.Exit(3)


def _write_coverage(ctx: typer.Context, asked: Asked, to: Target) -> None:
    from changelog_tracker.pipeline.heads import about
    from changelog_tracker.report import compose, json_lines, text

    with open_store(ctx) as store, store.reading() as connection:
        told = about(connection, asked, reader())
    if to.is_document:
        write_document(compose.watched(told), to)
    else:
        with output(to.file, force=to.force) as out:
            if to.form == "json":
                json_lines.write(told.coverage, out)
            else:
                text.coverage(compose.watched(told), out, **look(out))
    sys.stdout.flush()


def _refuse_coverage() -> None:
    from changelog_tracker.errors import UsageError

    what = "shows no changes; expected besides only SERVER, --since, --until and where it goes"
    raise UsageError("--coverage", what)


def _period(
    since: str | None, until: str | None
) -> tuple[tuple[str, datetime] | None, tuple[str, datetime] | None]:
    """
    Read the period that is asked for.

    Raises:
        UsageError: One end is no time, or the first lies after the last.
    """
    from changelog_tracker.errors import UsageError
    from changelog_tracker.pipeline.moments import read_time

    start = (since, read_time(since, "--since")) if since is not None else None
    end = (until, read_time(until, "--until")) if until is not None else None
    if start and end and start[1] > end[1]:
        what = f"{start[0]} lies after --until {end[0]}; expected the earlier time first"
        raise UsageError("--since", what)
    return start, end


def _classes(names: list[str]) -> tuple[str, ...]:
    from changelog_tracker.errors import UsageError
    from changelog_tracker.model import CLASSES

    for name in names:
        if name not in CLASSES:
            raise UsageError("--class", f"{name!r} is none; expected {', '.join(CLASSES)}")
    return tuple(names)
