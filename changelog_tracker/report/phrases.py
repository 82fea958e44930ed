"""What is said of one line of the log beside its values: path, sign, who did it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from changelog_tracker.report import escape, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

# One line of `--json`, with the keys of the contract.
Line: TypeAlias = Mapping[str, Any]

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_CONFIDENCE = {"exact": "by", "likely": "likely by", "possible": "possibly by"}
_SHOWN_PEOPLE = 3


def sign(line: Line) -> str:
    """Return + - or ~ of a line."""
    return SIGNS.get(str(line.get("action")), "~")


def path(line: Line) -> str:
    """Return the name that globs and policies use, as it is: not yet escaped."""
    place = str(line.get("kind"))
    if line.get("resource") is not None:
        place += f"[{line['resource']}]"
    return place if line.get("setting") is None else f"{place}.{line['setting']}"


def folded(line: Line) -> str:
    """Word how many settings one line stands for; empty where it stands for itself."""
    number = line.get("folded")
    return f"({words.count(number, 'setting')} folded; --unfold lists them)" if number else ""


def is_undocumented(line: Line) -> bool:
    """Tell whether a change still waits for a reason; what no longer holds does not."""
    return line.get("documented") is False and line.get("superseded_by") is None


def who(line: Line, zone: tzinfo, most: int | None = _SHOWN_PEOPLE) -> str:
    """
    Word who changed it, as sure as the evidence is; empty where nothing is known.

    Args:
        line: One change.
        zone: Where the reader sits.
        most: How many people are named; None for all.
    """
    people = line.get("who") or []
    named = [_person(person, str(line.get("seen")), zone) for person in people[:most]]
    if len(people) > len(named):
        named.append(f"{len(people) - len(named)} more")
    return "; ".join(named)


def _person(person: Line, seen: str, zone: tzinfo) -> str:
    lead = _CONFIDENCE.get(str(person.get("confidence")), "possibly by")
    text = f"{lead} {escape.terminal(str(person.get('name')))}"
    if not person.get("when"):
        return text
    when = words.moment(str(person["when"]), zone)
    same_day = when[:10] == words.moment(seen, zone)[:10]
    return f"{text} at {when[11:16] if same_day else when}"


def why(line: Line, zone: tzinfo) -> str:
    """
    Word what people said of a change.

    Returns:
        `CHG0042 New public name (anna, approved by bert)`, or `undocumented` with what became of
        the reason; empty for a line that cannot be documented (`diff`).
    """
    if "documented" not in line:
        return ""
    parts = [escape.terminal(str(line[key])) for key in ("ticket", "reason") if line.get(key)]
    people = _people(line, zone)
    said = " ".join([*parts, f"({people})"] if people else parts)
    if line["documented"]:
        return said or "documented"
    if not is_undocumented(line):
        return said
    return f"{state(line)}: {said}" if said else state(line)


def state(line: Line) -> str:
    """Word whether a reason stands; empty where none is asked for."""
    if "documented" not in line:
        return ""
    if line["documented"]:
        return "documented"
    if not is_undocumented(line):
        return "superseded"
    if line.get("rejected"):
        return "undocumented, reason rejected"
    return "undocumented, exception expired" if line.get("expires") else "undocumented"


def superseded_by(line: Line) -> str:
    """Give the id of what took its place; empty where nothing did."""
    later = line.get("superseded_by")
    name = later.get("id") if isinstance(later, Mapping) else later
    return "" if name is None else str(name)


def _people(line: Line, zone: tzinfo) -> str:
    parts = []
    if line.get("by"):
        parts.append(escape.terminal(str(line["by"])))
    if line.get("approved_by"):
        lead = "self-approved by" if line.get("self_approved") else "approved by"
        parts.append(f"{lead} {escape.terminal(str(line['approved_by']))}")
    if line.get("expires"):
        parts.append(f"until {words.moment(str(line['expires']), zone)}")
    return ", ".join(parts)


def marks(line: Line) -> list[str]:
    """Word what is special about a line: its class, that it no longer holds or was read again."""
    found = []
    category = line.get("class")
    if category not in (None, "customisation") and not line.get("folded"):
        found.append(escape.terminal(str(category)))
    if line.get("superseded_by") is not None:
        found.append(f"superseded by {escape.terminal(superseded_by(line))}")
    if line.get("reparsed"):
        found.append("reparsed")
    return found


def unread(line: Line, zone: tzinfo) -> str:
    """Word a kind that was not read, since when, and why."""
    since = line.get("since")
    lead = f"not read since {words.moment(str(since), zone)}" if since else "never read"
    reason = line.get("unread") or line.get("reason")
    return f"{lead}: {escape.terminal(str(reason))}" if reason else lead


def commands(line: Line) -> Iterator[tuple[str, str]]:
    """Give what makes a change again and takes it back, or why nothing does, with labels."""
    for key, label in (("redo", "redo"), ("undo", "undo"), ("why_not", "why not")):
        if line.get(key):
            yield label, str(line[key])
