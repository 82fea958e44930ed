"""`diff`: what differs between two snapshots or times of one server."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.options import JsonOption, OneServer
from changelog_tracker.cli.session import look, open_store, write_json


def diff(
    ctx: typer.Context,
    server: OneServer,
    a: Annotated[str, typer.Argument(metavar="A", help="Snapshot id, TIME, latest or previous.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other; shown on the right.")],
    commands: Annotated[
        bool, typer.Option("--commands", help="Also each difference's redo and undo.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what differs between two snapshots: A on the left, B on the right."""
    from changelog_tracker.pipeline.drift import diff_lines
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.report import text

    with open_store(ctx) as store, store.reading() as connection:
        lines = list(diff_lines(connection, server, a, b))
    if json:
        write_json(lines)
    else:
        text.diff(
            with_inside(lines), sys.stdout, between=(a, b), **look(sys.stdout, commands=commands)
        )
    sys.stdout.flush()
