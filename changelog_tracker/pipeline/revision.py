"""
What a late snapshot makes of the changes that were recorded: one new journal entry.

It names the changes that are added, that are told more exactly, or that no longer hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from changelog_tracker.diff.compare import same
from changelog_tracker.store.changes import (
    Recorded,
    add_changes,
    change_json,
    moved,
    rewrite,
)
from changelog_tracker.store.journal import append
from changelog_tracker.store.packing import micros

if TYPE_CHECKING:
    from changelog_tracker.model import Change
    from changelog_tracker.store.database import Connection


class Expected(NamedTuple):
    """A change as the history shows it with the late snapshot in its place."""

    snapshot: int
    seen: int
    change: Change


@dataclass(slots=True)
class Revision:
    """What the journal must be told so that the log shows the history as it now is."""

    added: list[Expected] = field(default_factory=list)
    amended: list[tuple[Recorded, Expected]] = field(default_factory=list)
    superseded: list[Recorded] = field(default_factory=list)


def reconcile(live: list[Recorded], expected: list[Expected]) -> Revision:
    """Hold what is recorded against what should be; a change that ends the same keeps its id."""
    revision = Revision()
    open_ones = list(live)
    rest = []
    for one in expected:
        match = _match(open_ones, one, same_snapshot=True)
        if match is None:
            rest.append(one)
            continue
        open_ones.remove(match)
        same_places = _in_places_of(match, one)
        if match.change != same_places.change:
            revision.amended.append((match, same_places))
    for one in rest:
        match = _match(open_ones, one, same_snapshot=False)
        if match is None:
            revision.added.append(one)
        else:
            open_ones.remove(match)
            revision.amended.append((match, _in_places_of(match, one)))
    revision.superseded = open_ones
    return revision


def _match(live: list[Recorded], one: Expected, *, same_snapshot: bool) -> Recorded | None:
    for found in live:
        if same_snapshot and found.snapshot != one.snapshot:
            continue
        if _ends_the_same(found.change, one.change) and _keeps_folded(found, one):
            return found
    return None


def _ends_the_same(before: Change, after: Change) -> bool:
    return before.key == after.key and same(before.after, after.after)


def _keeps_folded(found: Recorded, one: Expected) -> bool:
    """Tell whether all that was folded into a change still is: what people said is by its place."""
    return all(
        any(_ends_the_same(old, new) for new in one.change.folded) for old in found.change.folded
    )


def _in_places_of(found: Recorded, one: Expected) -> Expected:
    """Put what is folded into a change in the places that it had; what is new comes last."""
    left = list(one.change.folded)
    kept = []
    for old in found.change.folded:
        new = next(new for new in left if _ends_the_same(old, new))
        left.remove(new)
        kept.append(new)
    return one._replace(change=replace(one.change, folded=(*kept, *left)))


def record(connection: Connection, server: tuple[int, str], late: int, revision: Revision) -> None:
    """Write a revision that a late snapshot made needed, where there is anything to say."""
    if not (revision.added or revision.amended or revision.superseded):
        return
    by_key = {one.change.key: n for n, one in enumerate(revision.added, 1)}
    numbers = [by_key.get(one.change.key) for one in revision.superseded]
    body: dict[str, Any] = {
        "because": late,
        "added": [_said(one) for one in revision.added],
        "amended": [{"id": old.id, **_said(one)} for old, one in revision.amended],
        "superseded": [
            {"id": one.id, "by_added": n, "why": f"snapshot {late} came in late"}
            for one, n in zip(revision.superseded, numbers, strict=True)
        ],
    }
    seq = append(
        connection,
        "revision",
        server=server,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body=body,
    )
    number, name = server
    added = [
        Recorded(seq, n, name, one.snapshot, one.seen, one.change)
        for n, one in enumerate(revision.added, 1)
    ]
    add_changes(connection, number, added)
    rows = [moved(old, one.snapshot, one.seen, one.change) for old, one in revision.amended]
    rows += [
        replace(one, superseded_by=f"{seq}.{n}" if n else str(seq))
        for one, n in zip(revision.superseded, numbers, strict=True)
    ]
    rewrite(connection, number, rows)


def _said(one: Expected) -> dict[str, Any]:
    return {"snapshot": one.snapshot, "seen": one.seen, "change": change_json(one.change)}
