"""`show`: a server's settings at any moment."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.session import look, open_store, write_json


def show(
    ctx: typer.Context,
    server: Annotated[str, typer.Argument(help="The server.")],
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
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what is known of a server, and what could not be read."""
    from changelog_tracker.pipeline.moments import read_time
    from changelog_tracker.pipeline.state import show_lines
    from changelog_tracker.report import text

    moment = read_time(at, "--at") if at is not None else None
    with open_store(ctx) as store, store.reading() as connection:
        lines = show_lines(connection, server, glob, moment, left_out=ignored)
        if json:
            write_json(lines)
        else:
            text.show(lines, sys.stdout, **look(sys.stdout))
    sys.stdout.flush()
