"""
The append-only journal: what was recorded, each row bound to the one before by its hash.

A row's hash is SHA-256 over the hash of the row before and the row's canonical JSON: `seq`,
`action`, `server`, `at`, `received`, `origin` and `body`. A snapshot whose body is null read just
what the server's newest earlier snapshot had read; such rows lie apart (store/unchanged.py).
"""

from __future__ import annotations

import getpass
import hashlib
import heapq
import platform
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from changelog_tracker import __version__
from changelog_tracker.store.packing import canonical_json, pack_body, read_body
from changelog_tracker.store.tables import journal, origin, unchanged
from changelog_tracker.store.tables import server as server_table
from changelog_tracker.store.unchanged import (
    Unchanged,
    add_unchanged,
    all_unchanged,
    first_unchanged,
    newest_unchanged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, CursorResult

# What a connection keeps of the newest row; gone where a part of a transaction is undone.
HEAD = "journal head"
PROGRAM = f"changelog-tracker {__version__}"


_LAST = tuple(
    select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)
    for table in (journal, unchanged)
)
_SINCE = tuple(
    select(table.c.server_id).distinct().where(table.c.seq > bindparam("after"))
    for table in (journal, unchanged)
)
_ADD = insert(journal)
_SERVER = select(server_table.c.id, server_table.c.name).where(
    server_table.c.folded == bindparam("folded")
)
_ORIGIN = select(origin.c.id).where(
    *(origin.c[name] == bindparam(name) for name in ("account", "host", "program"))
)
_NEWEST = (
    select(journal.c.seq, journal.c.at)
    .where(journal.c.server_id == bindparam("server"), journal.c.action == "snapshot")
    .order_by(journal.c.at.desc(), journal.c.seq.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One row of the journal.

    Args:
        seq: Its number, gapless from 1.
        action: `snapshot`, `document`, `baseline`, ...
        server: The server's name, where it is about one.
        at: The snapshot's time, microseconds.
        received: When it was written, microseconds.
        origin: account, host, program, source.
        body: Its JSON, or None.
        hash: As stored; None where it is not, and can be computed.
    """

    seq: int
    action: str
    server: str | None
    at: int | None
    received: int
    origin: dict[str, str]
    body: Any
    hash: bytes | None

    def canonical(self) -> bytes:
        """Give the bytes that the row's hash covers, without the hash of the row before."""
        return _canonical(
            (self.seq, self.action, self.server, self.at, self.received), self.origin, self.body
        )


def append(  # noqa: PLR0913  a row of the journal has these parts
    connection: Connection,
    action: str,
    *,
    server: tuple[int, str] | None,
    at: int | None,
    received: int,
    source: str,
    body: Any,  # noqa: ANN401  any JSON value
    nothing_new: bool = False,
) -> int:
    """
    Write the next row.

    Args:
        connection: The transaction that writes.
        action: What it is.
        server: Number and name.
        at: The snapshot's time, microseconds.
        received: Now, microseconds.
        source: Where the snapshot came from.
        body: What it says besides.
        nothing_new: Whether it is the newest snapshot of its server, and found nothing new.

    Returns:
        Its number.
    """
    who = who_runs()
    seq, before, origin_id = _head(connection, who)
    seq += 1
    number, name = server or (None, None)
    covered = _canonical((seq, action, name, at, received), {**who, "source": source}, body)
    digest = hashlib.sha256(before + covered).digest()
    connection.info[HEAD] = (connection.get_transaction(), seq, digest, origin_id)
    if nothing_new and number is not None and at is not None:
        one = Unchanged(seq, number, at, received, origin_id, source, body, digest)
        add_unchanged(connection, one)
        return seq
    row = {
        "seq": seq,
        "action": action,
        "server_id": number,
        "at": at,
        "received": received,
        "origin_id": origin_id,
        "source": source,
        "body": pack_body(connection, body),
        "hash": digest,
    }
    connection.execute(_ADD, row)
    return seq


def _head(connection: Connection, who: dict[str, str]) -> tuple[int, bytes, int]:
    """Give number and hash of the newest row, and who writes; within a transaction as it was."""
    transaction, *found = connection.info.get(HEAD, (None,))
    if found and transaction is connection.get_transaction():
        seq, digest, origin_id = found
        return seq, digest, origin_id
    return (*last_row(connection), _origin_id(connection, who))


def last_row(connection: Connection) -> tuple[int, bytes]:
    """Give number and hash of the newest row; 0 and nothing where there is none."""
    rows = [connection.execute(query).first() for query in _LAST]
    return max(((row.seq, row.hash) for row in rows if row), default=(0, b""))


def servers_since(connection: Connection, seq: int) -> set[int | None]:
    """Give the numbers of the servers that rows after one are about; None for all of them."""
    return {
        number for query in _SINCE for number in connection.execute(query, {"after": seq}).scalars()
    }


def newest_snapshot(
    connection: Connection, server_id: int, at: int | None = None
) -> tuple[int, int] | None:
    """Give number and time of a server's newest snapshot, or of its newest at or before a time."""
    query = _NEWEST if at is None else _NEWEST.where(journal.c.at <= at)
    row = connection.execute(query, {"server": server_id}).first()
    found = [(row.seq, row.at)] if row else []
    apart = newest_unchanged(connection, server_id, at)
    found += [apart] if apart else []
    return max(found, key=lambda one: (one[1], one[0]), default=None)


def next_snapshot(connection: Connection, server_id: int, after: int) -> tuple[int, int] | None:
    """Give number and time of a server's first snapshot after a time."""
    row = connection.execute(
        select(journal.c.seq, journal.c.at)
        .where(
            journal.c.server_id == server_id, journal.c.action == "snapshot", journal.c.at > after
        )
        .order_by(journal.c.at, journal.c.seq)
        .limit(1)
    ).first()
    found = [(row.seq, row.at)] if row else []
    apart = first_unchanged(connection, server_id, after)
    found += [apart] if apart else []
    return min(found, key=lambda one: (one[1], one[0]), default=None)


def entries(connection: Connection, *actions: str) -> Iterator[Entry]:
    """Give the journal's rows in order; of some actions only, where any are named."""
    origins = {row.id: row for row in connection.execute(select(origin))}
    names = {row.id: row.name for row in connection.execute(select(server_table))}

    def entry(action: str, row: Any, body: Any) -> Entry:  # noqa: ANN401  a row, any JSON value
        one = origins[row.origin_id]
        who = {"account": one.account, "host": one.host, "program": one.program}
        who["source"] = row.source
        name = None if row.server_id is None else names[row.server_id]
        return Entry(row.seq, action, name, row.at, row.received, who, body, row.hash)

    query = select(journal).order_by(journal.c.seq)
    if actions:
        query = query.where(journal.c.action.in_(actions))
    rows = (
        entry(row.action, row, read_body(connection, row.body)) for row in connection.execute(query)
    )
    if actions and "snapshot" not in actions:
        return rows
    apart = sorted(all_unchanged(connection), key=lambda one: one.seq)
    quiet = (entry("snapshot", one, one.body) for one in apart)
    return heapq.merge(rows, quiet, key=lambda one: one.seq)


def server_id(connection: Connection, name: str) -> int:
    """Give a server's number; a new server gets one."""
    found = find_server(connection, name)
    if found is not None:
        return found[0]
    done = connection.execute(insert(server_table).values(name=name, folded=name.casefold()))
    return _new_id(done)


def find_server(connection: Connection, name: str) -> tuple[int, str] | None:
    """Give a server's number and its name as recorded; None where it is not known."""
    row = connection.execute(_SERVER, {"folded": name.casefold()}).first()
    return (row.id, row.name) if row else None


@cache
def who_runs() -> dict[str, str]:
    """Give the account, host and program that write now."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError):
        account = "unknown"
    return {"account": account, "host": platform.node() or "unknown", "program": PROGRAM}


def _origin_id(connection: Connection, who: dict[str, str]) -> int:
    found = connection.execute(_ORIGIN, who).scalar()
    if found is not None:
        return int(found)
    done = connection.execute(insert(origin).values(**who))
    return _new_id(done)


def _canonical(row: tuple[Any, ...], who: dict[str, str], body: Any) -> bytes:  # noqa: ANN401
    seq, action, server_name, at, received = row
    return canonical_json(
        {
            "seq": seq,
            "action": action,
            "server": server_name,
            "at": at,
            "received": received,
            "origin": who,
            "body": body,
        }
    )


def _new_id(done: CursorResult[Any]) -> int:
    key = done.inserted_primary_key
    return int(key[0]) if key else 0
