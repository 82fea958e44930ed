"""`log`: the change log."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.options import (
    AnyServer,
    FormatOption,
    JsonOption,
    OutputOption,
    UnfoldOption,
)
from changelog_tracker.cli.session import local_zone, look, open_store, output


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
    commands: Annotated[
        bool, typer.Option("--commands", help="Also each change's redo and undo (text).")
    ] = False,
    format_: FormatOption = "text",
    json: JsonOption = False,
    file: OutputOption = None,
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
