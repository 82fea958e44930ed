"""The numbers that readings and resources of a server have in the store; new ones get the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select

from changelog_tracker.store.tables import reading, resource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection, Table

    from changelog_tracker.model import Held, ReadingId, ReadingKey, ResourceKey

# Up to so many names a look-up by name beats reading them all.
_FEW = 200
# The statements that every snapshot runs are made once.
_READING_IDS = select(reading.c.id, reading.c.kind, reading.c.folded).where(
    reading.c.server_id == bindparam("server")
)
_RESOURCE_IDS = select(resource.c.id, resource.c.kind, resource.c.folded, resource.c.aspect).where(
    resource.c.server_id == bindparam("server")
)


def reading_ids(
    connection: Connection, server_id: int, keys: Mapping[ReadingKey, ReadingId]
) -> dict[ReadingKey, int]:
    """Give the numbers of a server's readings; new ones get one."""
    rows = connection.execute(_READING_IDS, {"server": server_id})
    known = {(row.kind, row.folded): row.id for row in rows}
    new = [
        {"server_id": server_id, "kind": one.kind, "scope": one.scope, "folded": key[1]}
        for key, one in keys.items()
        if key not in known
    ]
    for row in _numbered(connection, reading, new):
        known[row["kind"], row["folded"]] = row["id"]
    return known


def resource_ids(
    connection: Connection,
    server_id: int,
    keys: Collection[ResourceKey],
    new: Mapping[ResourceKey, Held],
    readings: Mapping[ReadingKey, int],
) -> dict[ResourceKey, int]:
    """
    Give the numbers of some resources.

    Args:
        connection: The transaction that writes.
        server_id: Their server.
        keys: Which ones.
        new: Those among them that may be new, and then get one.
        readings: What `reading_ids` gave.
    """
    names = {key[1] for key in keys}
    query = _RESOURCE_IDS
    if len(names) <= _FEW:
        query = query.where(resource.c.folded.in_(names))
    rows = connection.execute(query, {"server": server_id})
    known = {(row.kind, row.folded, row.aspect): row.id for row in rows}
    added = [
        {
            "server_id": server_id,
            "reading_id": readings[held.reading],
            "kind": key[0],
            "name": held.resource.name,
            "folded": key[1],
            "aspect": key[2],
        }
        for key, held in new.items()
        if key not in known
    ]
    for row in _numbered(connection, resource, added):
        known[row["kind"], row["folded"], row["aspect"]] = row["id"]
    return known


def _numbered(
    connection: Connection, table: Table, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Write new rows under the next numbers."""
    if not rows:
        return []
    last = connection.execute(select(func.max(table.c.id))).scalar() or 0
    numbered = [{"id": last + n, **row} for n, row in enumerate(rows, 1)]
    connection.execute(insert(table), numbered)
    return numbered
