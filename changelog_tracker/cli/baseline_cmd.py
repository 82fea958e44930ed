"""`baseline`: accept a snapshot as what is wanted."""

from __future__ import annotations

from typing import Annotated

import typer

from changelog_tracker.cli.options import AnyServer, JsonOption, OneServer
from changelog_tracker.cli.session import open_store, write_json

app = typer.Typer(help="Accept a snapshot as what is wanted, or show which one is.")


@app.command("set")
def set_(
    ctx: typer.Context,
    server: OneServer,
    snapshot: Annotated[
        str, typer.Argument(help="Snapshot id, TIME, latest or previous.")
    ] = "latest",
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who accepts it.")] = None,
) -> None:
    """Accept a snapshot as the baseline."""
    from changelog_tracker.pipeline.people import accept_baseline

    with open_store(ctx) as store, store.changing() as connection:
        name, found, at = accept_baseline(connection, server, snapshot, by)
    typer.echo(f"{name}: baseline is snapshot {found} of {at}")


@app.command("show")
def show(
    ctx: typer.Context,
    server: AnyServer = None,
    json: JsonOption = False,
) -> None:
    """Show which snapshot is the baseline."""
    from changelog_tracker.pipeline.people import baseline_lines

    with open_store(ctx) as store, store.reading() as connection:
        lines = list(baseline_lines(connection, server))
    if json:
        write_json(lines)
        return
    for line in lines:
        said = f"snapshot {line['snapshot']} of {line['at']}" if line["snapshot"] else "none"
        typer.echo(f"{line['server']}: baseline is {said}")
