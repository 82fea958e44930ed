"""What people said of changes: written beside the journal's entry, and read for the log."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import insert, select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.damage import lost
from changelog_tracker.store.packing import canonical_json, micros
from changelog_tracker.store.tables import documentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from changelog_tracker.model import Change
    from changelog_tracker.store.changes import Recorded

# By seq and n of the change, then by the number of a folded one; the newest last.
Words: TypeAlias = "dict[tuple[int, int], dict[int, tuple[dict[str, Any], ...]]]"


def add_words(
    connection: Connection,
    seq: int,
    changes: Sequence[tuple[Recorded, int]],
    body: dict[str, Any],
) -> None:
    """
    Put a journal entry's words to the changes that it is about.

    Args:
        connection: The transaction that wrote the entry.
        seq: The entry.
        changes: Each with the number of the one folded into it, or 0 for itself.
        body: What was said.
    """
    packed = canonical_json(body)
    connection.execute(
        insert(documentation),
        [
            {"change_seq": one.seq, "change_n": one.n, "change_k": k, "seq": seq, "body": packed}
            for one, k in changes
        ],
    )


def words_of(connection: Connection) -> Words:
    """Give all that people said."""
    found: Words = {}
    for row in connection.execute(select(documentation).order_by(documentation.c.seq)):
        below = found.setdefault((row.change_seq, row.change_n), {})
        try:
            said = json.loads(row.body)
            if "replay" in said:
                _set_at(said)
        except (ValueError, TypeError, LookupError):
            what = f"what row {row.seq} says of change {row.change_seq}.{row.change_n}"
            lost(connection, StoreDamagedError("store", f"{what} cannot be read"))
            continue
        below[row.change_k] = (*below.get(row.change_k, ()), said)
    return found


def that_count(
    said: tuple[dict[str, Any], ...], change: Change, seen: int
) -> tuple[dict[str, Any], ...]:
    """
    Put what was said of a change in the order in which it counts, the last the most.

    What a run of a replay script says counts less than any person's words, and only while the
    change lies around the step: a late snapshot may show that something else made it.

    Args:
        said: What was said, newest last.
        change: The change as it is told now.
        seen: The time of the snapshot that shows it, microseconds.
    """
    runs = tuple(one for one in said if "replay" in one)
    if not runs:
        return said
    begin = micros(change.not_before) if change.not_before else seen
    near = (one for one in runs if begin <= _set_at(one) <= seen)
    return (*near, *(one for one in said if "replay" not in one))


def _set_at(said: dict[str, Any]) -> int:
    """Give the time of the step that a run speaks of, microseconds."""
    return micros(datetime.fromisoformat(said["replay"]["at"]))
