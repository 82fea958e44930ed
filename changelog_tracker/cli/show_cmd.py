"""`show`: a server's settings at any moment."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.options import (
    ForceOption,
    FormatOption,
    JsonOption,
    OneServer,
    OutputOption,
)
from changelog_tracker.cli.session import look, output, reading
from changelog_tracker.cli.target import reader, target, write_document
from changelog_tracker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from changelog_tracker.pipeline.heads import Asked
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.report.document import Document
    from changelog_tracker.store.database import Connection


def show(
    ctx: typer.Context,
    server: OneServer,
    glob: Annotated[
        str | None,
        typer.Argument(
            help="Only these: 'OwaVirtualDirectory[*].ExternalUrl'; * and ? are special."
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="As known at that time; else now.")
    ] = None,
    ignored: Annotated[
        bool, typer.Option("--ignored", help="What rules leave out of every comparison instead.")
    ] = False,
    effective: Annotated[
        bool,
        typer.Option("--effective", help="What applies at places of IIS in the end, and whence."),
    ] = False,
    format_: FormatOption = None,
    json: JsonOption = False,
    file: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Show what is known of a server, and what could not be read."""
    from changelog_tracker.pipeline.effective import effective_lines
    from changelog_tracker.pipeline.heads import Asked
    from changelog_tracker.pipeline.moments import read_time
    from changelog_tracker.pipeline.state import show_lines
    from changelog_tracker.report import json_lines, text

    if effective and ignored:
        raise UsageError("--effective", "cannot go with --ignored: no rule leaves out what applies")
    to = target(format_, json, file, force)
    moment = read_time(at, "--at") if at is not None else None
    with reading(ctx) as (connection, say_lost):
        if effective:
            lines = effective_lines(connection, server, glob, moment)
        else:
            lines = show_lines(connection, server, glob, moment, left_out=ignored)
        if glob is not None:
            first = next(lines, None)
            if first is None:
                say_lost()
                known = show_lines(connection, server, glob, moment) if ignored else iter(())
                _refuse_unknown(glob, server, known)
            lines = chain(filter(None, [first]), lines)
        if to.is_document:
            what = "what rules leave out" if ignored else "settings"
            what = "what applies in IIS" if effective else what
            query = f"{what} of {server}" + (f" matching {glob}" if glob else "")
            until = (at, moment) if at is not None and moment is not None else None
            asked = Asked(query, server, None, until)
            document = _document(connection, asked, list(lines))
        else:
            document = None
            with output(to.file, force=to.force) as out:
                if to.form == "json":
                    json_lines.write(lines, out)
                else:
                    text.show(lines, out, **look(out))
        if ignored and moment is not None:
            _note_pruned(connection, server, moment)
    if document:
        write_document(document, to)
    sys.stdout.flush()
    say_lost()


def _document(connection: Connection, asked: Asked, lines: list[Line]) -> Document:
    from changelog_tracker.pipeline.heads import about
    from changelog_tracker.report import compose
    from changelog_tracker.report.times import both

    for_whom = reader()
    unread = [line for line in lines if "unread" in line]
    settings = [line for line in lines if "unread" not in line]
    if settings:
        known = {"As known at": both(str(settings[0]["at"]), for_whom.zone)}
        asked = replace(asked, also=known)
    return compose.show(settings, about(connection, asked, for_whom, unread=unread))


def _note_pruned(connection: Connection, server: str, at: datetime) -> None:
    """Say that what is shown may not be all, since raw files of that time are gone."""
    from changelog_tracker.pipeline.pruning import tombstones_of

    rows = ", ".join(map(str, tombstones_of(connection, server, at)))
    if rows:
        what = f"raw files of that time were pruned (row {rows} of the journal)"
        typer.echo(f"note: {what}; what rules left out of them is not known any more", err=True)


def _refuse_unknown(glob: str, server: str, known: Iterator[Line]) -> None:
    """Say that a pattern names nothing, unless it names something that is shown otherwise."""
    if next(known, None) is None:
        what = f"matches nothing that is known of {server}"
        raise UsageError(glob, what, f"list it all with: changelog-tracker show {server}")
