"""`db`: the schema of the store."""

from __future__ import annotations

import typer

from changelog_tracker.cli.session import open_store

app = typer.Typer(help="The schema of the store.")


@app.command("upgrade")
def upgrade(ctx: typer.Context) -> None:
    """Make the store, or bring it to this program's schema."""
    with open_store(ctx) as store:
        before, after = store.database.upgrade()
        place = store.place
    if before == after:
        typer.echo(f"{place}: schema {after}, nothing to do")
    else:
        typer.echo(f"{place}: schema {before or 'none'} -> {after}")


@app.command("current")
def current(ctx: typer.Context) -> None:
    """Print the store's schema and the one that this program knows."""
    from changelog_tracker.store.schema import REVISION

    with open_store(ctx) as store:
        found = store.database.revision()
        place = store.place
    typer.echo(f"{place}: schema {found or 'none'}; this program knows {REVISION}")
