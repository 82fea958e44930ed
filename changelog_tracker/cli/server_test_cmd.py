"""`server test`: what works between this machine and a server, in one screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.options import OneServer
from changelog_tracker.cli.session import open_store

if TYPE_CHECKING:
    from changelog_tracker.pipeline.server_test import Check, Source

_SIGNS = {"ok": "ok  ", "note": "note", "fail": "FAIL"}


def server_test(
    ctx: typer.Context,
    server: OneServer,
    deadline: Annotated[
        int, typer.Option("--deadline", metavar="SECONDS", min=5, help="How long it may take.")
    ] = 60,
) -> None:
    """Tell what works between this machine and a server, and what to do about the rest."""
    from changelog_tracker.pipeline import inventory
    from changelog_tracker.pipeline.server_test import look_at
    from changelog_tracker.report.escape import terminal

    with open_store(ctx) as store, store.reading() as connection:
        entry = inventory.entry(connection, server)
    found = look_at(entry, deadline)
    for check in found.checks:
        _tell(check)
    _tell_sources(found.sources)
    name = terminal(found.server)
    if not found.works:
        typer.echo(f"{name}: not ready; what fails is above, with what to do")
        sys.stdout.flush()
        raise typer.Exit(1)
    typer.echo(f"{name}: ready; next: changelog-tracker take {name}")


def _tell(check: Check) -> None:
    from changelog_tracker.report.escape import terminal

    typer.echo(f"{_SIGNS[check.verdict]}  {terminal(check.name):<16} {terminal(check.told)}")
    if check.do:
        typer.echo(f"      {'':<16} do: {terminal(check.do)}")


def _tell_sources(sources: list[Source]) -> None:
    """Tell of each source whether it is on, how far back it goes, and how to turn it on."""
    from changelog_tracker.report.escape import terminal
    from changelog_tracker.report.tables import write_table

    if not sources:
        return
    state = {True: "on", False: "off", None: "not known"}
    rows = [
        {
            "WHO AND WHEN": terminal(one.name),
            "STATE": state[one.enabled],
            # A log that is off may hold old records; since when it is off, nobody says.
            "SINCE": terminal(one.oldest or "") if one.enabled else "",
        }
        for one in sources
    ]
    typer.echo("")
    write_table(rows, sys.stdout)
    for one in sources:
        if one.reason:
            typer.echo(f"{terminal(one.name)}: {terminal(one.reason)}")
        if one.turn_on and one.enabled is False:
            typer.echo(f"turn on {terminal(one.name)}: {terminal(one.turn_on)}")
    typer.echo("")
