"""`document`: say why changes were made."""

from __future__ import annotations

from typing import Annotated

import typer

from changelog_tracker.cli.options import ChangeIds, Speaker
from changelog_tracker.cli.session import open_store


def document(
    ctx: typer.Context,
    changes: ChangeIds,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="ID", help="The ticket it belongs to.")
    ] = None,
    by: Speaker = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="Undocumented again from then on."),
    ] = None,
) -> None:
    """Document one or many changes with one reason. What was said before stays in the journal."""
    from changelog_tracker.config import load_config
    from changelog_tracker.pipeline.moments import read_time
    from changelog_tracker.pipeline.people import Reason, document_changes

    until = read_time(expires, "--expires") if expires else None
    required = load_config(ctx.obj.store, ctx.obj.config).require
    with open_store(ctx) as store, store.changing() as connection:
        done = document_changes(connection, changes, Reason(reason, ticket, by, until), required)
    typer.echo(f"documented: {', '.join(done)}")
