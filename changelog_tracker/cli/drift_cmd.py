"""`drift`: what differs now from what is wanted."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.options import (
    FormatOption,
    JsonOption,
    OneServer,
    OutputOption,
    UnfoldOption,
)
from changelog_tracker.cli.session import local_zone, look, open_store, output


def drift(
    ctx: typer.Context,
    server: OneServer,
    against: Annotated[
        str | None,
        typer.Option("--against", help="baseline, previous, a snapshot id or TIME."),
    ] = None,
    commands: Annotated[
        bool, typer.Option("--commands", help="Also the command that sets the wanted value.")
    ] = False,
    unfold: UnfoldOption = False,
    format_: FormatOption = "text",
    json: JsonOption = False,
    file: OutputOption = None,
) -> None:
    """Compare the newest snapshot with the baseline, else the previous one; exit 3 on drift."""
    from changelog_tracker.pipeline.drift import drift_lines
    from changelog_tracker.pipeline.heads import server_head
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.pipeline.state import unread_everywhere
    from changelog_tracker.report import json_lines, markdown, text

    with open_store(ctx) as store, store.reading() as connection:
        words, lines = drift_lines(connection, server, against, unfold=unfold)
        unread = list(unread_everywhere(connection, server))
        head = server_head(connection, server)
    with output(file) as out:
        if json or format_ == "json":
            json_lines.write(lines, out)
            typer.echo(f"compared with {words}", err=True)
        elif format_ == "md":
            markdown.drift(lines, out, against=words, zone=local_zone(), head=head, unread=unread)
        else:
            text.drift(
                with_inside(lines),
                out,
                against=words,
                unread=unread,
                **look(out, commands=commands),
            )
    sys.stdout.flush()
    if lines:
        raise typer.Exit(3)
