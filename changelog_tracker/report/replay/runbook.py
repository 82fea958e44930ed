"""
The runbook: one page, printable, for the day on which this program's own machine is down too.

Part 1 before the replay, part 2 the script and its steps with values, part 3 the checks that no
tool makes. What a snapshot does not tell is never made up: the page says where to look it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.report import times, words
from changelog_tracker.report.replay.before import before
from changelog_tracker.report.replay.checks import checks
from changelog_tracker.report.replay.content import Page, Paragraph, code, plain, said
from changelog_tracker.report.replay.form_markdown import markdown
from changelog_tracker.report.replay.form_page import written
from changelog_tracker.report.replay.machine import text_of
from changelog_tracker.report.replay.manual import compromises, made_by, place_of
from changelog_tracker.report.replay.running import running
from changelog_tracker.report.replay.setup_line import windows_path
from changelog_tracker.report.replay.steps import by_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block, Text
    from changelog_tracker.report.replay.planned import Plan


def runbook_markdown(plan: Plan, facts: Mapping[str, Value]) -> str:
    """
    Write runbook.md.

    Args:
        plan: What is to be put back.
        facts: What the last snapshot knows of the server: `Build`, `InstallPath`, `Fqdn`,
            `WindowsBuild`, `TimeZone`, `Dag` (None where it is known to be in none),
            `Certificates`, `Rewrite`, `addresses`; `script_sha256`, `undo_sha256`, and as
            `manual` takes them `plan` and `program`. Each may be missing.
    """
    return markdown(_page(plan, facts))


def runbook_html(plan: Plan, facts: Mapping[str, Value]) -> str:
    """
    Write runbook.html: one file, without scripts, for A4.

    Args:
        plan: What is to be put back.
        facts: As `runbook_markdown` takes them.
    """
    return written(_page(plan, facts))


def _page(plan: Plan, facts: Mapping[str, Value]) -> Page:
    title = f"Runbook: {plan.server}"
    if plan.target != plan.server:
        title = f"Runbook: {plan.target} like {plan.server}"
    sections = (*before(plan, facts), *running(plan, facts), *checks(plan, facts))
    return Page(title, tuple(_about(plan, facts)), tuple(_lead(plan)), sections)


def _about(plan: Plan, facts: Mapping[str, Value]) -> Iterator[tuple[str, Text]]:
    build = text_of(facts, "Build") or plan.build
    path = windows_path(text_of(facts, "InstallPath") or plan.install_path)
    yield "Server", code(text_of(facts, "Fqdn") or plan.server)
    if plan.target != plan.server:
        yield "On", code(plan.target)
    yield "Exchange", plain(f"{plan.version}, build {build or 'not recorded'}")
    yield "Installed in", code(path) if path else plain("not recorded")
    yield "Wanted state", plain(plan.wanted)
    yield "Its time", plain(times.utc(plan.wanted_at.isoformat()))
    assumed = " (nobody looked)" if plan.assumed else ""
    yield "Found state", plain(f"{plan.found}{assumed}")
    yield "Steps", by_group(plan)
    yield "By hand", plain(f"{len(plan.by_hand)}, see manual.md")
    for file, fact in (("replay.ps1", "script_sha256"), ("undo.ps1", "undo_sha256")):
        sha256 = text_of(facts, fact)
        yield f"SHA-256 of {file}", code(sha256) if sha256 else plain("not recorded")
    yield from made_by(facts)


def _lead(plan: Plan) -> Iterator[Block]:
    places = compromises(plan)
    if places:
        spans = said(
            "**POSSIBLE COMPROMISE**: {many} in the wanted state. The script leaves them out. Read"
            " manual.md first, and call whoever handles security incidents. ",
            many=words.count(len(places), "value"),
        )
        for number, one in enumerate(places):
            spans += (*(plain(", ") if number else ()), *place_of(one))
        yield Paragraph(spans, loud=True)
    yield Paragraph(plain("Print it before you need it. Go from top to bottom; tick what is done."))
