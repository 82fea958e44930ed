"""
The inventory's rows, by folded names; the journal holds each that came or went.

References to credentials lie here, never credentials.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from changelog_tracker.store.packing import canonical_json
from changelog_tracker.store.tables import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

ADD = "server-add"
REMOVE = "server-remove"


def bodies(connection: Connection) -> Iterator[tuple[str, Any]]:
    """Give each entry's folded name and its JSON, sorted; None for what is no JSON."""
    for row in connection.execute(select(inventory).order_by(inventory.c.folded)).all():
        try:
            yield row.folded, json.loads(row.body)
        except (TypeError, ValueError, RecursionError):
            yield str(row.folded), None


def put(connection: Connection, name: str, body: dict[str, Any]) -> None:
    """Keep an entry in place of the one of its name."""
    drop(connection, name)
    row = {"folded": name.casefold(), "body": canonical_json(body)}
    connection.execute(insert(inventory).values(row))


def drop(connection: Connection, name: str) -> None:
    """Keep an entry no longer."""
    connection.execute(delete(inventory).where(inventory.c.folded == name.casefold()))
