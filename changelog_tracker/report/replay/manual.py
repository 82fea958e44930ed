"""manual.md: everything that the script does not do, by reason, with what a person does instead."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from changelog_tracker.report import times, words
from changelog_tracker.report.replay.content import (
    Item,
    Page,
    Paragraph,
    Section,
    code,
    plain,
    said,
)
from changelog_tracker.report.replay.form_markdown import markdown
from changelog_tracker.report.replay.machine import text_of
from changelog_tracker.report.replay.reasons import OTHER, REASONS, reason_of
from changelog_tracker.report.replay.steps import value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block, Text
    from changelog_tracker.report.replay.planned import ByHand, Plan, Step
    from changelog_tracker.report.replay.steps import value_text
from changelog_tracker.report.replay.reasons import Reason

# How much is shown of a value that must not be copied, and of a name that holds one.
SHOWN_CHARS = 24
NAMED_CHARS = 160


def manual(plan: Plan, about: Mapping[str, Value]) -> str:
    """
    Write manual.md.

    Args:
        plan: What is to be put back.
        about: `plan`, the plan's id, and `program`, who made it; each may be missing.
    """
    head = (
        ("Server", code(plan.server)),
        *((("On", code(plan.target)),) if plan.target != plan.server else ()),
        ("Wanted state", plain(plan.wanted)),
        ("Its time", plain(times.utc(plan.wanted_at.isoformat()))),
        ("Found state", plain(plan.found)),
        *made_by(about),
    )
    sections = tuple(_sections(plan))
    total = words.count(len(plan.by_hand), "thing")
    told = f"{total} that the script does not do. Tick what is done."
    lead = Paragraph(plain(told if plan.by_hand else "Nothing: the script does all that differs."))
    page = Page(f"By hand: {plan.target}", head, (lead,), sections)
    return markdown(page)


def made_by(about: Mapping[str, Value]) -> Iterator[tuple[str, Text]]:
    """Give the rows of a head that tell one plan from another."""
    for label, fact in (("Plan", "plan"), ("Made by", "program")):
        told = text_of(about, fact)
        if told:
            yield label, code(told)


def compromises(plan: Plan) -> list[ByHand]:
    """Give what looks like the trace of an attack."""
    return [one for one in plan.by_hand if one.reason == "compromise"]


def place_of(one: ByHand) -> Text:
    """Name a place; cut where a name was made to hold what a value holds."""
    return code(words.cut(one.title, NAMED_CHARS))


def by_reason(plan: Plan) -> Iterator[tuple[Reason, list[ByHand]]]:
    """Give what is left to hands under its reason, the worst first."""
    found: dict[Reason, list[ByHand]] = defaultdict(list)
    for one in plan.by_hand:
        found[reason_of(one.reason)].append(one)
    for reason in (*REASONS, OTHER):
        if reason in found:
            yield reason, found[reason]


def _sections(plan: Plan) -> Iterator[Section]:
    folders = tuple(_folders(plan))
    for reason, many in by_reason(plan):
        blocks: list[Block] = []
        if reason.lead:
            blocks.append(Paragraph(said(reason.lead), loud=reason.loud))
        alike: dict[tuple[str, str], list[ByHand]] = defaultdict(list)
        for one in many:
            alike[one.why, one.how].append(one)
        for (why, how), several in alike.items():
            blocks.append(Paragraph(plain(" ".join(_sentence(one) for one in (why, how) if one))))
            blocks += [_item(one) for one in several]
        yield Section(f"{reason.title} ({len(many)})", tuple(blocks))
    if folders:
        yield Section(f"Folders of new or moved IIS objects ({len(folders)})", _with_lead(folders))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else words.sentence(text)


def _item(one: ByHand) -> Item:
    log = ("log", plain(", ".join(one.log)))
    if one.reason == "compromise":
        values = [(label, _harmless(value)) for label, value in _sides(one) if value]
        return Item(place_of(one), notes=(*values, *((log,) if one.log else ())))
    notes = [(label, value_text(value)) for label, value in _sides(one) if value]
    return Item(code(one.title), notes=(*notes, *((log,) if one.log else ())))


def _sides(one: ByHand) -> Sequence[tuple[str, str]]:
    if one.wanted is None and one.found is None:
        return ()
    wanted, found = words.sides(one.wanted, one.found)
    return ("wanted", wanted), ("found", found)


def _harmless(value: str) -> Text:
    """Show that a value is there and how it begins, so that nobody can run or follow it."""
    if value == words.NOTHING:
        return plain(value)
    begin = value[: min(SHOWN_CHARS, len(value) // 2)].replace("://", "[:]//")
    return plain(f"{begin}... ({len(value)} characters, shortened; not to be copied)")


def _folders(plan: Plan) -> Iterator[Item]:
    """Give the folders that must lie there with their content and rights before a step runs."""
    told = [one.wanted for one in plan.by_hand if one.reason == "file"]
    for step in plan.steps:
        for path in _paths(step):
            if path not in told and not _is_exchanges(path, plan.install_path):
                yield Item(
                    said("`{path}`", path=path),
                    notes=(("step", said("`{id}` `{title}`", id=step.id, title=step.title)),),
                )


def _paths(step: Step) -> Iterator[str]:
    for goal in step.goals if step.op not in ("drop", "remove") else ():
        last = goal.name.rpartition(".")[2].casefold()
        is_path = last == "physicalpath" or (step.op == "new" and last == "path")
        if is_path and isinstance(goal.wanted, str):
            yield goal.wanted


def _is_exchanges(path: str, install_path: str) -> bool:
    """Tell whether Setup makes a folder."""
    return bool(install_path) and path.casefold().startswith(install_path.casefold())


def _with_lead(folders: tuple[Item, ...]) -> tuple[Block, ...]:
    lead = (
        "No snapshot holds the content of a folder, nor its rights. Before the script runs: make"
        " the folder, copy its content from the file-level backup, and set the rights as they"
        " were (`icacls` shows them on another member)."
    )
    return (Paragraph(said(lead)), *folders)
