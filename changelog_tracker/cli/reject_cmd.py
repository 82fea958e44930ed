"""`reject`: say that changes must not stay."""

from __future__ import annotations

from typing import Annotated

import typer

from changelog_tracker.cli.session import open_store


def reject(
    ctx: typer.Context,
    changes: Annotated[list[str], typer.Argument(metavar="CHANGE...", help="Ids, as log shows.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why they must not stay.")
    ],
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who rejects; else the account.")
    ] = None,
) -> None:
    """Reject one or many changes: they are undocumented, and replay leaves them out."""
    from changelog_tracker.pipeline.people import reject_changes

    with open_store(ctx) as store, store.changing() as connection:
        done = reject_changes(connection, changes, reason, by)
    typer.echo(f"rejected: {', '.join(done)}")
