"""What every line of `--json` needs: servers by name, times, and redo and undo of a change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from changelog_tracker import catalogue
from changelog_tracker.diff.nested import inside
from changelog_tracker.diff.product_update import FILE_ENTRY
from changelog_tracker.errors import StoreDamagedError, UsageError
from changelog_tracker.replay.commands import Context, redo, undo
from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.damage import lost
from changelog_tracker.store.journal import find_server
from changelog_tracker.store.packing import moment
from changelog_tracker.store.states import Wanted, load_held, load_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.model import Change, Class
    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection

Line = dict[str, Any]


def known_server(connection: Connection, name: str) -> tuple[int, str]:
    """
    Find a server by its name.

    Raises:
        UsageError: It is not known.
    """
    found = find_server(connection, name)
    if found is None:
        raise UsageError(
            name,
            "is no server of this store",
            "list what it knows with: changelog-tracker snapshots",
        )
    return found


def utc(micros_: int | None) -> str | None:
    """Give a time as JSON has it."""
    if micros_ is None:
        return None
    return _iso(moment(micros_))


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def change_line(one: Recorded, context: Context | None) -> Line:
    """Give one line of `log --json`; its commands only where their context is given."""
    change = one.change
    words = one.words[-1] if one.words else {}
    run = run_words(one)
    line: Line = {
        "id": one.id,
        "server": one.server,
        "seen": utc(one.seen),
        "not_before": _iso(change.not_before) if change.not_before else None,
        "action": change.action,
        "kind": change.kind,
        "resource": change.resource,
        "setting": change.setting,
        "before": change.before,
        "after": change.after,
        "class": class_of(one),
        "who": who_made(one),
        "documented": is_documented(words),
        "reason": words.get("reason"),
        "ticket": words.get("ticket"),
        "by": words.get("by"),
        "approved_by": words.get("approved_by"),
        "rejected": bool(words.get("rejected", False)),
        "expires": words.get("expires"),
        "superseded_by": one.superseded_by,
        **(_commands(change, context) if context else {}),
    }
    if words.get("self_approved"):
        line["self_approved"] = True
    if run:
        line["replay"] = run["replay"]
    if change.also:
        line["also"] = list(change.also)
    if change.folded:
        line["folded"] = len(change.folded)
    return line


def run_words(one: Recorded) -> Line | None:
    """Give what the run of a replay script that made a change said of it; None where none did."""
    return next((words for words in reversed(one.words) if "replay" in words), None)


def class_of(one: Recorded) -> Class:
    """Give the class of a change: its own, but for what a run of a replay script made."""
    return "replay" if run_words(one) else one.change.category


def who_made(one: Recorded) -> list[Line]:
    """Give whom the evidence names."""
    run = run_words(one)
    if run is None:
        return []
    when = run["replay"]["at"]
    return [{"name": run["by"], "when": when, "source": "replay-journal", "confidence": "exact"}]


def with_inside(lines: Iterable[Line]) -> Iterator[Line]:
    """Add to each line, for a person to read, what differs inside its values."""
    for line in lines:
        sides = ("wanted", "found") if "wanted" in line else ("before", "after")
        if line["setting"] is None or line["kind"] == FILE_ENTRY:
            # A whole resource says it itself, and so does the hash of a file.
            yield line
            continue
        found = inside(line[sides[0]], line[sides[1]])
        yield {**line, "inside": [one._asdict() for one in found]} if found else line


def is_documented(words: Line) -> bool:
    """Tell whether a reason stands: given, not rejected, not expired."""
    if not words.get("reason") or words.get("rejected"):
        return False
    expires = words.get("expires")
    return expires is None or datetime.fromisoformat(expires) > datetime.now(tz=UTC)


def _commands(change: Change, context: Context) -> Line:
    if change.category in {"product-update", "recovery"}:
        why = f"a {change.category} is done by Setup, not by a command"
        return {"redo": None, "undo": None, "why_not": why}
    again, back = redo(change, context), undo(change, context)
    found: Line = {"redo": again.text, "undo": back.text}
    if again.why_not or back.why_not:
        found["why_not"] = again.why_not or back.why_not
    return found


def context_of(connection: Connection, server: str) -> Context:
    """Give what redo and undo lines need to know of a server."""
    number, name = known_server(connection, server)
    known = load_known(connection, number)
    load_held(connection, number, known, only=[Wanted("ExchangeServer")])
    held = known.held.get(("ExchangeServer", "(server)", "Build"))
    build = None
    if held is not None:
        try:
            data = load_contents(connection, [held.digest])[held.digest]
            build = json.loads(data).get("Build")
        except StoreDamagedError as error:
            lost(connection, error)
    return Context(name, catalogue.version_of_build(build) if build else None)
