"""`drift`: what differs now from what is wanted."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.options import (
    ForceOption,
    FormatOption,
    JsonOption,
    OneServer,
    OutputOption,
    UnfoldOption,
)
from changelog_tracker.cli.session import local_zone, look, output, reading
from changelog_tracker.cli.target import reader, target, write_document


def drift(
    ctx: typer.Context,
    server: OneServer,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            help="baseline, previous, defaults, server:NAME, a snapshot id or TIME.",
        ),
    ] = None,
    commands: Annotated[
        bool, typer.Option("--commands", help="Also the command that sets the wanted value.")
    ] = False,
    unfold: UnfoldOption = False,
    format_: FormatOption = None,
    json: JsonOption = False,
    file: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Compare the newest snapshot with the baseline, else the previous one; exit 3 on drift."""
    from changelog_tracker.pipeline.drift import drift_lines
    from changelog_tracker.pipeline.heads import Asked, about
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.pipeline.sister import unread_against
    from changelog_tracker.report import compose, json_lines, text
    from changelog_tracker.report.times import both_inside

    to = target(format_, json, file, force)
    with reading(ctx) as (connection, say_lost):
        words, lines = drift_lines(connection, server, against, unfold=unfold)
        unread = unread_against(connection, server, against)
        told = None
        if to.is_document:
            words = both_inside(words, local_zone())
            asked = Asked(f"newest snapshot of {server} against {words}", server)
            told = about(connection, asked, reader(), unread=unread, commands=commands)
    if told:
        write_document(compose.drift(list(with_inside(lines)), told, words), to)
    else:
        with output(to.file, force=to.force) as out:
            if to.form == "json":
                json_lines.write(lines, out)
                typer.echo(f"compared with {words}", err=True)
            else:
                options = look(out, commands=commands)
                text.drift(with_inside(lines), out, against=words, unread=unread, **options)
    sys.stdout.flush()
    say_lost()
    if lines:
        raise typer.Exit(3)
