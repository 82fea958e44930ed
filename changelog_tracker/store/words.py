"""What people said of changes: written beside the journal's entry, and read for the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import insert, select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.damage import lost
from changelog_tracker.store.packing import canonical_json
from changelog_tracker.store.tables import documentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

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
        except ValueError:
            what = f"what row {row.seq} says of change {row.change_seq}.{row.change_n}"
            lost(connection, StoreDamagedError("store", f"{what} cannot be read"))
            continue
        below[row.change_k] = (*below.get(row.change_k, ()), said)
    return found
