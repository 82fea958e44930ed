"""`reject`: say that changes must not stay."""

from __future__ import annotations

from typing import Annotated

import typer

from changelog_tracker.cli.options import ChangeIds, Speaker
from changelog_tracker.cli.session import open_store


def reject(
    ctx: typer.Context,
    changes: ChangeIds,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why they must not stay.")
    ],
    by: Speaker = None,
) -> None:
    """Reject one or many changes: they are undocumented, and replay leaves them out."""
    from changelog_tracker.pipeline.people import reject_changes

    with open_store(ctx) as store, store.changing() as connection:
        done = reject_changes(connection, changes, reason, by)
    typer.echo(f"rejected: {', '.join(done)}")
