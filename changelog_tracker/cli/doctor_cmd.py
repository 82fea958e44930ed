"""`doctor`: one screen of what is there, and what to do where something is wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from changelog_tracker.cli.options import JsonOption
from changelog_tracker.cli.session import Globals, look, write_json

if TYPE_CHECKING:
    from changelog_tracker.pipeline.health import Check

_SIGNS = {"ok": "ok", "note": "note", "bad": "BAD"}
_COLOURS = {"ok": 32, "note": 33, "bad": 31}
# So that many servers leave the rest of the screen.
_MOST_SERVERS = 6


def doctor(ctx: typer.Context, json: JsonOption = False) -> None:
    """Look at program, store, key and servers; exit 1 if something is BAD. Changes nothing."""
    from dataclasses import asdict

    from changelog_tracker.config import load_config
    from changelog_tracker.pipeline.health import checks

    said = ctx.obj or Globals()
    found = list(checks(load_config(said.store, said.config)))
    if json:
        write_json(asdict(one) for one in found)
    else:
        _tell(found)
    sys.stdout.flush()
    if any(one.state == "bad" for one in found):
        raise typer.Exit(1)


def _tell(found: list[Check]) -> None:
    from changelog_tracker.pipeline.health import SERVER
    from changelog_tracker.report.words import count

    servers = [one for one in found if one.check.startswith(SERVER)]
    shown = servers
    if len(servers) > _MOST_SERVERS:
        shown = [one for one in servers if one.state != "ok"][:_MOST_SERVERS]
    for one in found:
        if one in shown or not one.check.startswith(SERVER):
            _tell_one(one)
        if servers and one is servers[-1] and len(shown) < len(servers):
            left = count(len(servers) - len(shown), "more server")
            typer.echo(f"      {left}: doctor --json lists them")
    bad = sum(one.state == "bad" for one in found)
    notes = count(sum(one.state == "note" for one in found), "note")
    typer.echo(f"{bad} BAD, {notes}" if bad else f"nothing is BAD, {notes}")


def _tell_one(one: Check) -> None:
    from changelog_tracker.report.escape import terminal

    sign = f"{_SIGNS[one.state]:<4}"
    if look(sys.stdout)["colour"]:
        sign = f"\x1b[{_COLOURS[one.state]}m{sign}\x1b[0m"
    typer.echo(f"{sign}  {terminal(f'{one.check}: {one.what}')}")
    if one.do:
        typer.echo(f"      do: {terminal(one.do)}")
