"""`diff`: what differs between two snapshots or times of one server."""

from __future__ import annotations

import sys
from operator import itemgetter
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

if TYPE_CHECKING:
    from changelog_tracker.pipeline.heads import Asked
    from changelog_tracker.store.database import Connection


def diff(
    ctx: typer.Context,
    server: OneServer,
    a: Annotated[str, typer.Argument(metavar="A", help="Snapshot id, TIME, latest or previous.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other; shown on the right.")],
    commands: Annotated[
        bool, typer.Option("--commands", help="Also each difference's redo and undo.")
    ] = False,
    format_: FormatOption = None,
    json: JsonOption = False,
    file: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Show what differs between two snapshots: A on the left, B on the right."""
    from changelog_tracker.pipeline.drift import diff_lines
    from changelog_tracker.pipeline.heads import about
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.report import compose, json_lines, text

    to = target(format_, json, file, force)
    with reading(ctx) as (connection, say_lost):
        lines = list(diff_lines(connection, server, a, b))
        told = None
        if to.is_document:
            told = about(connection, _asked(connection, server, a, b), reader(), commands=commands)
    if told:
        write_document(compose.diff(list(with_inside(lines)), told), to)
    else:
        with output(to.file, force=to.force) as out:
            if to.form == "json":
                json_lines.write(lines, out)
            else:
                options = look(out, commands=commands)
                text.diff(with_inside(lines), out, between=(a, b), **options)
    sys.stdout.flush()
    say_lost()


def _asked(connection: Connection, server: str, a: str, b: str) -> Asked:
    """Say which snapshots are compared; the period is what lies between them."""
    from changelog_tracker.pipeline.heads import Asked
    from changelog_tracker.pipeline.lines import known_server
    from changelog_tracker.pipeline.moments import find_snapshot
    from changelog_tracker.store.packing import moment

    number, name = known_server(connection, server)
    found = [(side, find_snapshot(connection, number, name, side)) for side in (a, b)]
    since, until = sorted(((side, moment(one.at)) for side, one in found), key=itemgetter(1))
    labels = ("Before", "After")
    named = {
        label: f"snapshot {one.seq}, asked as {side}"
        for label, (side, one) in zip(labels, found, strict=True)
    }
    return Asked(f"differences between two snapshots of {name}", server, since, until, named)
