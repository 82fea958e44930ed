"""The steps of a plan as one table: what, found, wanted, and what there is to mind."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from changelog_tracker.report import words
from changelog_tracker.report.replay.content import Row, Span, Table, code, listed, plain, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Text
    from changelog_tracker.report.replay.planned import Goal, Plan, Step

GROUPS = {
    "autodiscover-url": "Autodiscover URL",
    "iis-objects": "Sites, applications, pools and bindings",
    "create": "New Exchange objects",
    "exchange": "Exchange",
    "outlook-anywhere": "Outlook Anywhere",
    "iis": "IIS",
    "extended-protection": "Extended Protection",
    "files": "Configuration files",
    "services": "POP and IMAP",
    "powershell": "PowerShell virtual directory, last: the shell runs through it",
    "root": "Root of the site and global modules",
    "remove": "Removals: only with -AllowRemove",
    "undocumented": "Undocumented: asked for, or with -IncludeUndocumented",
}
_DOES = {
    "new": "make the object",
    "drop": "remove the object",
    "clear": "clear the attribute",
    "add": "add the element",
    "remove": "remove the element",
}


def steps_table(plan: Plan) -> Table:
    """Give every step with its values, under its group, in the order in which they run."""
    rows = []
    for group, steps in groupby(plan.steps, key=lambda step: step.group):
        heading = f"{GROUPS.get(group, group)} ({group})"
        for step in steps:
            rows.append(_row(step, heading))
            heading = ""
    return Table(
        heads=("Step", "What", "Found", "Wanted"),
        rows=tuple(rows),
        note_heads=("Through", "Needs", "Recycles", "Mind", "Undo", "Log"),
        widths=(9, 36, 26, 29),
        boxes=True,
    )


def by_group(plan: Plan) -> Text:
    """Word how many steps each group has."""
    parts = [
        f"{group} {sum(1 for _ in steps)}"
        for group, steps in groupby(plan.steps, key=lambda step: step.group)
    ]
    return plain(f"{len(plan.steps)}: {', '.join(parts)}" if parts else "0")


def _row(step: Step, heading: str) -> Row:
    does = _DOES.get(step.op)
    what = said("`{title}`: {does}", title=step.title, does=does) if does else code(step.title)
    notes = (
        _through(step),
        listed(step.needs),
        listed(step.recycles),
        plain("; ".join(_mind(step))),
        plain(step.undo),
        plain(", ".join(step.log)),
    )
    # A removal wants nothing, whatever its goals hold.
    wanted = plain(words.NOTHING) if step.op in ("drop", "remove") else _values(step, "wanted")
    cells = (code(step.id), what, _values(step, "expected"), wanted)
    return Row(cells, notes, heading)


def _mind(step: Step) -> Iterator[str]:
    if step.weaker is not None:
        yield f"lowers protection, only with -AllowWeaker: {step.weaker}"
    if step.op == "drop":
        yield "only with -AllowRemove, after a full export"
    if not step.documented:
        yield "nobody gave a reason for it"
    if step.by_itself:
        yield "the write itself recycles; the script asks first"


def _through(step: Step) -> Text:
    if step.owner == "shell":
        identity = str(getattr(step.target, "identity", ""))
        return said("Exchange shell, `{identity}`", identity=identity)
    file = getattr(step.target, "file", None) or "applicationHost.config"
    whole = "the whole server" if step.owner == "iis" else "the whole file"
    location = str(getattr(step.target, "location", "") or whole)
    section = str(getattr(step.target, "section", ""))
    way = "/".join((section, *map(_hop, getattr(step.target, "hops", ()))))
    return said("`{file}`, {at}, `{way}`", file=str(file), at=location, way=way)


def _hop(hop: object) -> str:
    """Write one element on the way, and what tells it from its sisters: `add[key='x']`."""
    keys = ",".join(f"{name}='{value}'" for name, value in getattr(hop, "keys", ()))
    tag = getattr(hop, "tag", "*")
    return f"{tag}[{keys}]" if keys else f"{tag}"


def value_text(value: str) -> Text:
    """Make text of a value in words."""
    return plain(value) if value == words.NOTHING else code(value)


def _values(step: Step, side: str) -> Text:
    goals = step.goals
    told = [(goal.name, words.value(_held(goal, side))) for goal in goals]
    if len(told) == 1 and step.setting is not None and step.op not in ("new", "add"):
        return value_text(told[0][1])
    spans: list[Span] = []
    for name, value in told:
        if value != words.NOTHING:
            spans += plain(f"{'; ' if spans else ''}{name} = ")
            spans += code(value)
    return tuple(spans) or plain(words.NOTHING)


def _held(goal: Goal, side: str) -> Value:
    return goal.wanted if side == "wanted" else goal.expected
