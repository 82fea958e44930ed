"""
Runs of replay scripts, as the journal holds them.

A row `replay` is a run as its own journal told it. A row `replayed` says which changes of the log
such runs made; what it says lies in `documentation` too, beside what people said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from changelog_tracker.store.packing import read_body
from changelog_tracker.store.tables import journal

if TYPE_CHECKING:
    from sqlalchemy import Connection

REPLAY = "replay"
REPLAYED = "replayed"


def run_bodies(connection: Connection, server_id: int) -> list[dict[str, Any]]:
    """
    Give the runs on a server in the order in which they were imported.

    Raises:
        StoreDamagedError: One of them cannot be read.
    """
    query = (
        select(journal.c.body)
        .where(journal.c.server_id == server_id, journal.c.action == REPLAY)
        .order_by(journal.c.seq)
    )
    return [read_body(connection, packed) for packed in connection.execute(query).scalars()]
