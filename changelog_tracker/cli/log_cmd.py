"""`log`: the change log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from changelog_tracker.cli.session import local_zone, look, open_store, output

Format = Literal["text", "json", "md"]


def log(
    ctx: typer.Context,
    server: Annotated[str | None, typer.Argument(help="One server; else all.")] = None,
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
    unfold: Annotated[
        bool, typer.Option("--unfold", help="Also what is folded into one line.")
    ] = False,
    commands: Annotated[
        bool, typer.Option("--commands", help="Also each change's redo and undo (text).")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = "text",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    file: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE.")
    ] = None,
) -> None:
    """Show what changed, when, from what to what, and why; oldest first."""
    from changelog_tracker.errors import UsageError
    from changelog_tracker.model import CLASSES
    from changelog_tracker.pipeline.change_log import LogWish, log_lines
    from changelog_tracker.pipeline.heads import log_head
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.pipeline.moments import read_time
    from changelog_tracker.pipeline.state import unread_everywhere
    from changelog_tracker.report import json_lines, markdown, text

    for name in class_ or ():
        if name not in CLASSES:
            raise UsageError("--class", f"{name!r} is none; expected {', '.join(CLASSES)}")
    wish = LogWish(
        server,
        read_time(since, "--since") if since is not None else None,
        read_time(until, "--until") if until is not None else None,
        undocumented,
        tuple(class_ or ()),
        all_,
        unfold,
    )
    with open_store(ctx) as store, store.reading() as connection:
        lines = list(log_lines(connection, wish))
        unread = list(unread_everywhere(connection, server))
        head = log_head(connection, wish)
    with output(file) as out:
        if json or format_ == "json":
            json_lines.write(lines, out)
        elif format_ == "md":
            markdown.log(lines, out, zone=local_zone(), head=head, unread=unread)
        else:
            text.log(list(with_inside(lines)), unread, out, **look(out, commands=commands))
    sys.stdout.flush()
    if undocumented and lines:
        raise typer.Exit(3)
