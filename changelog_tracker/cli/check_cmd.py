"""`check`: whether the store is what was written to it; exit 5 where it is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.options import JsonOption
from changelog_tracker.cli.session import Globals, look, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from changelog_tracker.pipeline.check import Finding

_SIGNS = {"ok": "ok", "note": "note", "bad": "BAD"}
_COLOURS = {"ok": 32, "note": 33, "bad": 31}
_DAMAGED = 5
# So many damaged places of one check are listed; --json lists all.
_MOST = 20


def check(
    ctx: typer.Context,
    read_data: Annotated[
        bool,
        typer.Option("--read-data", help="Also read every value and compare it with its hash."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check that the store is whole; exit 5 where it is not. Changes nothing."""
    from dataclasses import asdict

    from changelog_tracker.config import load_config
    from changelog_tracker.pipeline.check import check_store

    said = ctx.obj or Globals()
    found = list(check_store(load_config(said.store, said.config), read_data=read_data))
    if json:
        write_json(asdict(one) for one in found)
    else:
        _tell(found, read_data=read_data)
    sys.stdout.flush()
    if any(one.state == "bad" for one in found):
        raise typer.Exit(_DAMAGED)


def _tell(found: Sequence[Finding], *, read_data: bool) -> None:
    from changelog_tracker.pipeline.check import DO, GOOD

    looked = [one for one in found if one.check not in {DO, GOOD}]
    for one in looked:
        if one.place is None or one.state != "bad":
            _tell_one(one)
    if not any(one.state == "bad" for one in found):
        more = "" if read_data else "; contents were not read: check --read-data"
        if any("not compared" in one.what for one in looked):
            more = ", but for what was not compared"
        typer.echo(f"sound{more}")
        return
    for name in dict.fromkeys(one.check for one in looked):
        of_check = [one for one in looked if one.check == name and one.state == "bad"]
        _list(name, [one for one in of_check if one.place])
    for title in (GOOD, DO):
        lines = [one.what for one in found if one.check == title]
        if lines:
            typer.echo(f"{title}:")
            for line in lines:
                typer.echo(f"  {_safe(line)}")


def _tell_one(one: Finding) -> None:
    sign = f"{_SIGNS[one.state]:<4}"
    if look(sys.stdout)["colour"]:
        sign = f"\x1b[{_COLOURS[one.state]}m{sign}\x1b[0m"
    place = f"{one.place}: " if one.place else ""
    typer.echo(f"{sign}  {_safe(f'{one.check}: {place}{one.what}')}")


def _list(name: str, damaged: Sequence[Finding]) -> None:
    if damaged:
        typer.echo(f"damaged, {name}:")
    for one in damaged[:_MOST]:
        typer.echo(f"  {_safe(f'{one.place}: {one.what}')}")
    if len(damaged) > _MOST:
        typer.echo(f"  and {len(damaged) - _MOST:,} more: --json lists them")


def _safe(text: str) -> str:
    from changelog_tracker.report.escape import terminal

    return terminal(text)
