"""How `import` and `take` tell what became of a snapshot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from changelog_tracker.cli.session import local_zone

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.pipeline.outcome import Outcome


def tell_lost(file: Path, lost: list[str]) -> None:
    """Tell that earlier snapshots were fingerprinted with a key that is gone."""
    from changelog_tracker.pipeline.keys import BRING_BACK
    from changelog_tracker.report.escape import terminal

    ids = ", ".join(lost)
    typer.echo(
        f"note: {terminal(str(file))}: the key was lost, and a new one was made; snapshots have "
        f"{ids}, bring it back with: {BRING_BACK} --force",
        err=True,
    )


def tell(outcome: Outcome) -> None:
    """Tell what became of one snapshot."""
    from changelog_tracker.report import words

    notes(outcome)
    when = words.moment(outcome.at.isoformat(), local_zone())
    if outcome.known:
        typer.echo(f"{outcome.server}: snapshot {outcome.snapshot} of {when} is already known")
        return
    build = f", build {outcome.build}" if outcome.build else ""
    typer.echo(f"{outcome.server}: snapshot {outcome.snapshot} of {when}{build}")
    if outcome.first:
        typer.echo("first snapshot: there is nothing to compare it with yet")
    else:
        typer.echo(words.count(len(outcome.changes), "change") + " since the snapshot before it")
    if outcome.retold is not None:
        retold = outcome.retold
        typer.echo(
            "it is older than others, so the log was told again: of later changes "
            f"{retold.added} came, {retold.amended} are told more exactly, "
            f"{retold.superseded} no longer hold; log --all shows what was recorded first"
        )
    if outcome.problems:
        count = len(outcome.problems)
        if count == 1:
            what = "1 file or kind could not be read, and stays as it was known"
        else:
            what = f"{count} files or kinds could not be read, and stay as they were known"
        typer.echo(f"incomplete: {what}")
    sys.stdout.flush()


def notes(outcome: Outcome, place: str = "") -> None:
    """
    Tell beside the answer what was not read, not used, or cannot be known.

    Args:
        outcome: What became of a snapshot.
        place: What stands before each problem; which server it is, where there are several.
    """
    from changelog_tracker.report.escape import terminal

    _problems(outcome, place)
    said = [f"{file}: {why}" for file, why in outcome.not_used.items()]
    if outcome.others:
        said.append(f"objects of other servers were left out: {', '.join(outcome.others)}")
    if outcome.build is None and not outcome.unchanged and not outcome.known:
        said.append(
            f"{outcome.server}: no build was found, so its defaults are unknown; "
            "give it with --build"
        )
    if outcome.other_key:
        said.append(
            f"{outcome.server}: earlier snapshots were fingerprinted with another key, so secrets "
            "are not comparable with theirs; if you have it: changelog-tracker key import FILE"
            " --force"
        )
    for note in said:
        typer.echo(f"note: {terminal(note)}", err=True)


def _problems(outcome: Outcome, place: str) -> None:
    """Tell what was not read; an endpoint that refuses costs every kind, for one reason."""
    from changelog_tracker.report.escape import terminal

    by_reason: dict[tuple[str, str | None], list[str]] = {}
    for problem in outcome.problems:
        by_reason.setdefault((problem.what, problem.hint), []).append(problem.place)
    for (what, hint), places in by_reason.items():
        said = f"{place}{', '.join(places)}: {what}"
        typer.echo(f"error: {terminal(said)}", err=True)
        if hint:
            typer.echo(f"hint: {terminal(hint)}", err=True)
