"""The list of snapshots, baselines, and the state of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select

from changelog_tracker.store.tables import baseline, change, journal, server
from changelog_tracker.store.unchanged import all_unchanged

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Snapshot(NamedTuple):
    """One snapshot: id, server, time, when it was received, where from, and how much changed."""

    seq: int
    server: str
    at: int
    received: int
    source: str
    changes: int


def snapshots_of(connection: Connection, server_id: int | None = None) -> list[Snapshot]:
    """Give the snapshots of one server or of all, oldest first."""
    names = {row.id: row.name for row in connection.execute(select(server.c.id, server.c.name))}
    counts = _counts(connection)
    query = select(
        journal.c.seq, journal.c.server_id, journal.c.at, journal.c.received, journal.c.source
    ).where(journal.c.action == "snapshot")
    if server_id is not None:
        query = query.where(journal.c.server_id == server_id)
    rows = [tuple(row) for row in connection.execute(query)]
    rows += [
        (one.seq, one.server_id, one.at, one.received, one.source)
        for one in all_unchanged(connection, server_id)
    ]
    return [
        Snapshot(seq, names[number], at, received, source, counts.get(seq, 0))
        for seq, number, at, received, source in sorted(rows, key=lambda row: (row[2], row[0]))
    ]


def _counts(connection: Connection) -> dict[int, int]:
    """Give the number of changes that show at each snapshot."""
    rows = connection.execute(
        select(change.c.snapshot, func.count())
        .where(change.c.superseded_by.is_(None))
        .group_by(change.c.snapshot)
    )
    return {row[0]: row[1] for row in rows}


def server_names(connection: Connection) -> list[str]:
    """Give the names of all servers."""
    return list(connection.execute(select(server.c.name).order_by(server.c.folded)).scalars())


def set_baseline(connection: Connection, seq: int, server_id: int, snapshot: int) -> None:
    """Put the derived row of a baseline that the journal holds."""
    connection.execute(insert(baseline).values(seq=seq, server_id=server_id, snapshot=snapshot))


def baseline_of(connection: Connection, server_id: int) -> int | None:
    """Give the snapshot that is a server's baseline now."""
    found = connection.execute(
        select(baseline.c.snapshot)
        .where(baseline.c.server_id == server_id)
        .order_by(baseline.c.seq.desc())
        .limit(1)
    ).scalar()
    return None if found is None else int(found)
