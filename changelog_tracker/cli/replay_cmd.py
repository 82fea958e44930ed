"""`replay`: the plan, the script, its undo, and the runbook."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.options import OneServer
from changelog_tracker.cli.session import local_zone, reading

if TYPE_CHECKING:
    from changelog_tracker.pipeline.replaying.files import Written
    from changelog_tracker.replay.plan import Plan


def replay(
    ctx: typer.Context,
    server: OneServer,
    folder: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Write the files to DIR.")
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", help="The wanted state: baseline, a snapshot id or TIME."),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="The found state: latest, defaults, a snapshot id or TIME."),
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="SERVER", help="Make another server like it."),
    ] = None,
    documented_only: Annotated[
        bool, typer.Option("--documented-only", help="Leave out what nobody documented.")
    ] = False,
    include_setup: Annotated[
        bool, typer.Option("--include-setup", help="Also what Setup owns.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over files that exist.")] = False,
) -> None:
    """Write the script that puts a recovered server back, its undo, and the runbook."""
    from changelog_tracker.pipeline.replaying.files import write_plan
    from changelog_tracker.pipeline.replaying.make import Wish, make_plan
    from changelog_tracker.report.times import both_inside

    wish = Wish(server, to, from_, as_, documented_only, include_setup)
    with reading(ctx) as (connection, say_lost):
        plan, state = make_plan(connection, wish)
        written = write_plan(plan, state, folder, force=force)
    for line in _told(plan, written):
        typer.echo(both_inside(line, local_zone()))
    _warn(plan)
    say_lost()


def _told(plan: Plan, written: list[Written]) -> list[str]:
    of = plan.target if plan.target == plan.server else f"{plan.target} like {plan.server}"
    lines = [
        f"plan for {of}: Exchange {plan.version} build {plan.build}",
        f"  wanted: {plan.wanted}",
        f"  found:  {plan.found}",
    ]
    groups = Counter(step.group for step in plan.steps)
    counted = ", ".join(f"{group} {count}" for group, count in groups.items())
    lines.append(f"  steps:  {len(plan.steps)}" + (f" ({counted})" if counted else ""))
    weaker = sum(step.weaker is not None for step in plan.steps)
    if weaker:
        lines.append(f"          {weaker} of them would lower protection: they need -AllowWeaker")
    reasons = Counter(one.reason for one in plan.by_hand)
    told = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
    lines.append(f"  by hand: {len(plan.by_hand)}" + (f" ({told}), see manual.md" if told else ""))
    if plan.unread:
        kinds = sorted({str(one["kind"]) for one in plan.unread})
        lines.append(f"  not read, so not in the plan: {', '.join(kinds)}")
    lines += [f"{one.sha256}  {one.path}" for one in written]
    if plan.steps:
        lines.append(f"next: copy {written[0].path} to {plan.target} and run it with -WhatIf first")
    return lines


def _warn(plan: Plan) -> None:
    bad = [one for one in plan.by_hand if one.reason == "compromise"]
    for one in bad:
        from changelog_tracker.report.escape import terminal

        typer.echo(f"warning: {terminal(one.title)}: {one.why}", err=True)
