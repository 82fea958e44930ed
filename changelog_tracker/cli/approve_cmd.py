"""`approve`: let the reasons of changes stand, by a second person."""

from __future__ import annotations

from typing import Annotated

import typer

from changelog_tracker.cli.options import ChangeIds, Speaker
from changelog_tracker.cli.session import open_store


def approve(
    ctx: typer.Context,
    changes: ChangeIds,
    by: Speaker = None,
    own: Annotated[
        bool, typer.Option("--self", help="Also what is your own; the log shows it.")
    ] = False,
) -> None:
    """Approve the reason of one or many changes, which somebody else gave."""
    from changelog_tracker.pipeline.people import approve_changes

    with open_store(ctx) as store, store.changing() as connection:
        done = approve_changes(connection, changes, by, own=own)
    typer.echo(f"approved: {', '.join(done)}")
