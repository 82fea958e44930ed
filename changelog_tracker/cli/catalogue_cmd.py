"""`catalogue`: what is tracked, and how much of what is documented that is."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from changelog_tracker.cli.options import JsonOption
from changelog_tracker.cli.session import write_json


def catalogue(
    json: JsonOption = False,
    full: Annotated[
        bool, typer.Option("--full", help="Every setting, not the count alone.")
    ] = False,
) -> None:
    """Print what is tracked, with the count of documented parameters covered."""
    from changelog_tracker import catalogue as facts
    from changelog_tracker.report import text

    if json:
        write_json(facts.rows())
        return
    if full:
        text.catalogue(facts.rows(), sys.stdout)
    typer.echo(f"catalogue {facts.CATALOGUE_VERSION}, rules {facts.RULE_VERSION}")
    typer.echo(f"{'noun':<34}" + "".join(f"{version:>12}" for version in facts.VERSIONS))
    counted = {(version, noun): (t, d) for version, noun, t, d in facts.coverage()}
    for noun in dict.fromkeys(noun for _, noun in counted):
        cells = [counted.get((version, noun)) for version in facts.VERSIONS]
        shown = "".join(f"{f'{c[0]}/{c[1]}' if c else '-':>12}" for c in cells)
        typer.echo(f"{noun:<34}{shown}")
    tracked = sum(t for t, _ in counted.values())
    documented = sum(d for _, d in counted.values())
    share = 100 * tracked / documented if documented else 0
    counts = f"{tracked} tracked / {documented} documented"
    typer.echo(f"documented writable parameters: {counts} = {share:.0f} %")
    sys.stdout.flush()
