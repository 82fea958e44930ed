"""
The rows that are derived from the journal, by names instead of numbers.

So the rows of two stores can be held against each other: those of a store, and those that its
journal makes when they are derived again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Select, select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.changes import change_json
from changelog_tracker.store.packing import canonical_json, unpack_body
from changelog_tracker.store.tables import (
    baseline,
    change,
    content,
    documentation,
    inventory,
    reading,
    reading_state,
    resource,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from changelog_tracker.store.changes import Recorded

# What names a row -> what it holds, by column.
Rows: TypeAlias = "dict[tuple[Any, ...], dict[str, Any]]"

_TOLD_BY = (reading.c.kind.label("told_by"), reading.c.folded.label("told_in"))
# Of one server: how many columns name a row, and the query.
_STATES: dict[str, tuple[int, Select[Any]]] = {
    "reading": (2, select(reading.c.kind, reading.c.folded, reading.c.scope, reading.c.server_id)),
    "reading_state": (
        3,
        select(
            reading.c.kind, reading.c.folded, reading_state.c.from_at, reading_state.c.until_at,
            reading_state.c.status, reading_state.c.mode, reading_state.c.reason,
            reading_state.c.fingerprint, content.c.hash.label("raw file"),
        )
        .join(reading_state, reading_state.c.reading_id == reading.c.id)
        .outerjoin(content, content.c.id == reading_state.c.raw_id),
    ),
    "resource": (
        3,
        select(
            resource.c.kind, resource.c.folded, resource.c.aspect, resource.c.name, *_TOLD_BY
        ).outerjoin(reading, reading.c.id == resource.c.reading_id),
    ),
    "version": (
        4,
        select(
            resource.c.kind, resource.c.folded, resource.c.aspect, version.c.from_at,
            version.c.until_at, content.c.hash.label("content"),
        )
        .join(version, version.c.resource_id == resource.c.id)
        .outerjoin(content, content.c.id == version.c.content_id),
    ),
}  # fmt: skip


def state_rows(connection: Connection, server_id: int) -> dict[str, Rows]:
    """Give a server's readings and resources, and from when until when what holds of them."""
    found: dict[str, Rows] = {}
    for table, (names, query) in _STATES.items():
        owner = reading if table.startswith("reading") else resource
        rows = connection.execute(query.where(owner.c.server_id == server_id))
        columns = list(rows.keys())
        found[table] = {
            tuple(row[:names]): dict(zip(columns[names:], row[names:], strict=True)) for row in rows
        }
    return found


def change_rows(connection: Connection) -> Rows:
    """Give the rows of changes by id; a body that is a copy of the journal's words is one."""
    return {
        (row.seq, row.n): {
            "server_id": row.server_id,
            "snapshot": row.snapshot,
            "seen": row.seen,
            "superseded_by": row.superseded_by,
            "body": _body(connection, row.body),
        }
        for row in connection.execute(select(change))
    }


def _body(connection: Connection, packed: bytes | None) -> bytes | None:
    """Give a change's body as it is spelled; what cannot be unpacked as it lies there."""
    try:
        return None if packed is None else unpack_body(connection, packed)
    except StoreDamagedError:
        return packed


def expected_changes(
    recorded: Mapping[tuple[int, int], Recorded], server_id: int, found: Rows
) -> Rows:
    """
    Give the rows that changes of a server should have.

    Args:
        recorded: Them as the journal has it.
        server_id: The server.
        found: The rows that there are: one may keep a copy of what the journal says.
    """
    rows: Rows = {}
    for key, one in recorded.items():
        row: dict[str, Any] = {
            "server_id": server_id,
            "snapshot": one.snapshot,
            "seen": one.seen,
            "superseded_by": one.superseded_by,
            "body": None,
        }
        if one.earlier:
            said = {**change_json(one.change), "earlier": list(one.earlier)}
            row["body"] = canonical_json(said)
        elif found.get(key, row)["body"] is not None:
            row["body"] = canonical_json(change_json(one.change))
        rows[key] = row
    return rows


def word_rows(connection: Connection) -> Rows:
    """Give what people said of changes."""
    table = documentation
    return {
        (row.change_seq, row.change_n, row.change_k, row.seq): {"body": bytes(row.body)}
        for row in connection.execute(select(table))
    }


def baseline_rows(connection: Connection) -> Rows:
    """Give the baselines that were set."""
    return {
        (row.seq,): {"server_id": row.server_id, "snapshot": row.snapshot}
        for row in connection.execute(select(baseline))
    }


def inventory_rows(connection: Connection) -> Rows:
    """Give the servers of the inventory."""
    return {(row.folded,): {"body": row.body} for row in connection.execute(select(inventory))}
