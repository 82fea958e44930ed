"""`import`: a snapshot from a bundle, a backup, or loose exports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.session import local_zone, open_store

if TYPE_CHECKING:
    from changelog_tracker.pipeline.importing import Outcome
    from changelog_tracker.pipeline.replayed.runs import RunOutcome


def import_(
    ctx: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="Bundle, zip, backup folder, file or replay journal.",
            readable=False,
        ),
    ],
    server: Annotated[
        str | None, typer.Option("--server", help="The server, where the files do not say.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it was taken; else now.")
    ] = None,
    build: Annotated[
        str | None, typer.Option("--build", help="The Exchange build, where the files do not say.")
    ] = None,
) -> None:
    """
    Make a snapshot of the files at PATH and log what changed since the last one.

    The journal of a replay script is taken back: the changes that it made become documented.
    """
    from changelog_tracker.errors import IncompleteError
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.importing import Wish, import_path
    from changelog_tracker.pipeline.keys import lost_key
    from changelog_tracker.pipeline.moments import read_build, read_time
    from changelog_tracker.pipeline.outcome import Outcome

    moment = read_time(at, "--at") if at is not None else None
    wish = Wish(server, moment, read_build(build) if build is not None else None)
    with open_store(ctx) as store:
        lost = lost_key(store)
        fingerprints = Fingerprints(store.key)
        if lost:
            _tell_lost(store.key_file, lost)
        outcome = import_path(store, fingerprints, path, wish)
    if not isinstance(outcome, Outcome):
        for run in outcome:
            _tell_run(run)
        return
    _tell(outcome)
    if outcome.problems and not outcome.known:
        raise typer.Exit(IncompleteError.exit_code)


def _tell_lost(file: Path, lost: list[str]) -> None:
    from changelog_tracker.pipeline.keys import BRING_BACK
    from changelog_tracker.report.escape import terminal

    ids = ", ".join(lost)
    typer.echo(
        f"note: {terminal(str(file))}: the key was lost, and a new one was made; snapshots have "
        f"{ids}, bring it back with: {BRING_BACK} --force",
        err=True,
    )


def _tell(outcome: Outcome) -> None:
    from changelog_tracker.report import words

    _notes(outcome)
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
        count = words.count(len(outcome.problems), "file or kind")
        typer.echo(f"incomplete: {count} could not be read, and stays as it was known")
    sys.stdout.flush()


def _notes(outcome: Outcome) -> None:
    """Tell beside the answer what was not read, not used, or cannot be known."""
    from changelog_tracker.report.escape import terminal

    for problem in outcome.problems:
        typer.echo(f"error: {terminal(str(problem))}", err=True)
        if problem.hint:
            typer.echo(f"hint: {terminal(problem.hint)}", err=True)
    notes = [f"{file}: {why}" for file, why in outcome.not_used.items()]
    if outcome.others:
        notes.append(f"objects of other servers were left out: {', '.join(outcome.others)}")
    if outcome.build is None and not outcome.unchanged and not outcome.known:
        notes.append(
            f"{outcome.server}: no build was found, so its defaults are unknown; "
            "give it with --build"
        )
    if outcome.other_key:
        notes.append(
            f"{outcome.server}: earlier snapshots were fingerprinted with another key, so secrets "
            "are not comparable with theirs; if you have it: changelog-tracker key import FILE"
            " --force"
        )
    for note in notes:
        typer.echo(f"note: {terminal(note)}", err=True)


def _tell_run(outcome: RunOutcome) -> None:
    from changelog_tracker.report import words
    from changelog_tracker.report.escape import terminal

    run = outcome.run
    if run.cut_off:
        note = "note: the last line of the run is cut off, as by a kill; it was left out"
        typer.echo(note, err=True)
    elif run.ended is None:
        note = "note: the run has no end: it was killed, or goes on; import its journal again then"
        typer.echo(note, err=True)
    what = "undo of plan" if run.mode == "undo" else "replay of plan"
    when = words.moment(run.started.isoformat(), local_zone())
    by = terminal(f"{run.operator} on {run.host}")
    head = f"{outcome.server}: {what} {run.plan} of {when} by {by}"
    if outcome.known:
        typer.echo(f"{head} is already known")
        return
    states = ", ".join(f"{count} {state}" for state, count in sorted(outcome.states.items()))
    typer.echo(f"{head}: {words.count(outcome.states.total(), 'step')} ({states or 'none'})")
    count = words.count(len(outcome.documented), "change")
    typer.echo(f"{count} of the log documented by it")
    sys.stdout.flush()
