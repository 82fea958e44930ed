"""`show`: a server's settings at any moment."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.options import FormatOption, JsonOption, OneServer, OutputOption
from changelog_tracker.cli.session import local_zone, look, open_store, output


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
    format_: FormatOption = "text",
    json: JsonOption = False,
    file: OutputOption = None,
) -> None:
    """Show what is known of a server, and what could not be read."""
    from changelog_tracker.pipeline.heads import server_head
    from changelog_tracker.pipeline.moments import read_time
    from changelog_tracker.pipeline.state import show_lines
    from changelog_tracker.report import json_lines, markdown, text

    moment = read_time(at, "--at") if at is not None else None
    with open_store(ctx) as store, store.reading() as connection:
        lines = show_lines(connection, server, glob, moment, left_out=ignored)
        with output(file) as out:
            if json or format_ == "json":
                json_lines.write(lines, out)
            elif format_ == "md":
                head = server_head(connection, server)
                markdown.show(lines, out, zone=local_zone(), head=head)
            else:
                text.show(lines, out, **look(out))
    sys.stdout.flush()
