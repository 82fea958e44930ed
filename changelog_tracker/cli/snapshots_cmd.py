"""`snapshots`: what was taken, and when."""

from __future__ import annotations

import sys

import typer

from changelog_tracker.cli.options import AnyServer, JsonOption
from changelog_tracker.cli.session import look, reading, write_json


def snapshots(
    ctx: typer.Context,
    server: AnyServer = None,
    json: JsonOption = False,
) -> None:
    """List the snapshots, oldest first."""
    from changelog_tracker.pipeline.taken import snapshot_lines
    from changelog_tracker.report import text

    with reading(ctx) as (connection, say_lost):
        lines = list(snapshot_lines(connection, server))
    if json:
        write_json(lines)
    else:
        text.snapshots(lines, sys.stdout, **look(sys.stdout))
    sys.stdout.flush()
    say_lost()
