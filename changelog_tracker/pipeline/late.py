"""
A snapshot that is older than the newest: the history is told again, and nothing is rewritten.

The changes of all times are found again with the late snapshot in its place, and held against
those that were recorded. What differs becomes one new journal entry: changes that are added, that
are told more exactly, or that no longer hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from changelog_tracker.diff.compare import same
from changelog_tracker.diff.timeline import NOT_GIVEN, advance, step
from changelog_tracker.model import Known
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.outcome import Retold
from changelog_tracker.pipeline.surroundings import classified
from changelog_tracker.store.changes import (
    Recorded,
    add_changes,
    change_json,
    load_changes,
    moved,
    rewrite,
)
from changelog_tracker.store.history import Past, load_history, rewrite_states, taken_of
from changelog_tracker.store.journal import append
from changelog_tracker.store.packing import micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.model import Change, Step
    from changelog_tracker.store.database import Connection


class Expected(NamedTuple):
    """A change as the whole history shows it."""

    snapshot: int
    seen: int
    change: Change


@dataclass(slots=True)
class Revision:
    """What the journal must be told so that the log shows the history as it now is."""

    added: list[Expected] = field(default_factory=list)
    amended: list[tuple[Recorded, Expected]] = field(default_factory=list)
    superseded: list[Recorded] = field(default_factory=list)


def insert_late(
    connection: Connection,
    server_id: int,
    server: str,
    seq: int,
    load: Callable[[bytes], bytes],
) -> tuple[Retold, tuple[Recorded, ...]]:
    """
    Put a snapshot that is in the journal already into its place in time.

    Args:
        connection: The transaction that wrote it.
        server_id: The server's number.
        server: Its name.
        seq: The late snapshot.
        load: Gives a content by its digest.

    Returns:
        What that did to the log, and the changes that show at the late snapshot.
    """
    steps, expected = _told_again(load_history(connection, server), load)
    rewrite_states(connection, server_id, steps)
    revision = _reconcile(load_changes(connection, server_id), expected)
    _record(connection, server_id, server, seq, revision)
    own = tuple(one for one in load_changes(connection, server_id) if one.snapshot == seq)
    later = [one for one in revision.added if one.snapshot != seq]
    return Retold(len(later), len(revision.amended), len(revision.superseded)), own


def _told_again(
    pasts: list[Past], load: Callable[[bytes], bytes]
) -> tuple[list[tuple[Past, Step]], list[Expected]]:
    known = Known()
    steps: list[tuple[Past, Step]] = []
    expected: list[Expected] = []
    compare = differ(load)
    for past in pasts:
        taken = taken_of(past, NOT_GIVEN)
        done = step(known, taken, compare)
        changes = classified(known, done, load)
        steps.append((past, done))
        expected += [Expected(past.seq, past.at, change) for change in changes]
        known = advance(known, taken, done)
    return steps, expected


def _reconcile(live: list[Recorded], expected: list[Expected]) -> Revision:
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
        if match.change != one.change:
            revision.amended.append((match, one))
    for one in rest:
        match = _match(open_ones, one, same_snapshot=False)
        if match is None:
            revision.added.append(one)
        else:
            open_ones.remove(match)
            revision.amended.append((match, one))
    revision.superseded = open_ones
    return revision


def _match(live: list[Recorded], one: Expected, *, same_snapshot: bool) -> Recorded | None:
    for found in live:
        if same_snapshot and found.snapshot != one.snapshot:
            continue
        if found.change.key == one.change.key and same(found.change.after, one.change.after):
            return found
    return None


def _record(
    connection: Connection, server_id: int, server: str, late: int, revision: Revision
) -> None:
    if not (revision.added or revision.amended or revision.superseded):
        return
    by_key = {one.change.key: n for n, one in enumerate(revision.added, 1)}
    numbers = [by_key.get(one.change.key) for one in revision.superseded]
    body: dict[str, Any] = {
        "because": late,
        "added": [
            {"snapshot": one.snapshot, "seen": one.seen, "change": change_json(one.change)}
            for one in revision.added
        ],
        "amended": [
            {
                "id": old.id,
                "snapshot": one.snapshot,
                "seen": one.seen,
                "change": change_json(one.change),
            }
            for old, one in revision.amended
        ],
        "superseded": [
            {"id": one.id, "by_added": n, "why": f"snapshot {late} came in late"}
            for one, n in zip(revision.superseded, numbers, strict=True)
        ],
    }
    seq = append(
        connection,
        "revision",
        server=(server_id, server),
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body=body,
    )
    add_changes(
        connection,
        server_id,
        [
            Recorded(seq, n, server, one.snapshot, one.seen, one.change)
            for n, one in enumerate(revision.added, 1)
        ],
    )
    rows = [moved(old, one.snapshot, one.seen, one.change) for old, one in revision.amended]
    rows += [
        replace(one, superseded_by=f"{seq}.{n}" if n else str(seq))
        for one, n in zip(revision.superseded, numbers, strict=True)
    ]
    rewrite(connection, server_id, rows)
