"""The list of snapshots, baselines, and the state of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, select

from changelog_tracker.store.tables import baseline, change, journal, origin, server

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
    counts = (
        select(change.c.snapshot, func.count().label("changes"))
        .where(change.c.superseded_by.is_(None))
        .group_by(change.c.snapshot)
        .subquery()
    )
    query = (
        select(
            journal.c.seq,
            server.c.name,
            journal.c.at,
            journal.c.received,
            origin.c.source,
            func.coalesce(counts.c.changes, 0),
        )
        .join(server, server.c.id == journal.c.server_id)
        .join(origin, origin.c.id == journal.c.origin_id)
        .outerjoin(counts, counts.c.snapshot == journal.c.seq)
        .where(journal.c.action == "snapshot")
        .order_by(journal.c.at, journal.c.seq)
    )
    if server_id is not None:
        query = query.where(journal.c.server_id == server_id)
    return [Snapshot(*row) for row in connection.execute(query)]


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


def head_hash(connection: Connection) -> str | None:
    """Give the hash of the journal's newest row, which stands for all of it."""
    found = connection.execute(
        select(journal.c.hash).order_by(journal.c.seq.desc()).limit(1)
    ).scalar()
    return None if found is None else found.hex()
