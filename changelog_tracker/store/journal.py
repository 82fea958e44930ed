"""
The append-only journal: what was recorded, each row bound to the one before by its hash.

A row's hash is SHA-256 over the hash of the row before and the row's canonical JSON: `seq`,
`action`, `server`, `at`, `received`, `origin` and `body`. A snapshot whose body is null read just
what the server's newest earlier snapshot had read.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import platform
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from changelog_tracker import __version__
from changelog_tracker.store.packing import canonical_json, pack, unpack
from changelog_tracker.store.tables import journal, origin
from changelog_tracker.store.tables import server as server_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, CursorResult

PROGRAM = f"changelog-tracker {__version__}"


_LAST = select(journal.c.seq, journal.c.hash).order_by(journal.c.seq.desc()).limit(1)
_ADD = insert(journal)
_ORIGIN = select(origin.c.id).where(
    *(origin.c[name] == bindparam(name) for name in ("account", "host", "program", "source"))
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
    """

    seq: int
    action: str
    server: str | None
    at: int | None
    received: int
    origin: dict[str, str]
    body: Any
    hash: bytes

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
) -> int:
    """
    Write the next row.

    Returns:
        Its number.
    """
    last = connection.execute(_LAST).first()
    seq, before = (last.seq + 1, last.hash) if last else (1, b"")
    who = {**who_runs(), "source": source}
    packed = None if body is None else canonical_json(body)
    number, name = server or (None, None)
    covered = _canonical((seq, action, name, at, received), who, body)
    row = {
        "seq": seq,
        "action": action,
        "server_id": number,
        "at": at,
        "received": received,
        "origin_id": _origin_id(connection, who),
        "body": None if packed is None else pack(packed),
        "hash": hashlib.sha256(before + covered).digest(),
    }
    connection.execute(_ADD, row)
    return seq


def entries(connection: Connection, *actions: str) -> Iterator[Entry]:
    """Give the journal's rows in order; of some actions only, where any are named."""
    query = (
        select(
            journal,
            server_table.c.name.label("server_name"),
            origin.c.account,
            origin.c.host,
            origin.c.program,
            origin.c.source,
        )
        .join(origin, origin.c.id == journal.c.origin_id)
        .outerjoin(server_table, server_table.c.id == journal.c.server_id)
        .order_by(journal.c.seq)
    )
    if actions:
        query = query.where(journal.c.action.in_(actions))
    for row in connection.execute(query):
        who = {n: getattr(row, n) for n in ("account", "host", "program", "source")}
        body = None if row.body is None else json.loads(unpack(row.body))
        yield Entry(row.seq, row.action, row.server_name, row.at, row.received, who, body, row.hash)


def server_id(connection: Connection, name: str) -> int:
    """Give a server's number; a new server gets one."""
    found = find_server(connection, name)
    if found is not None:
        return found[0]
    done = connection.execute(insert(server_table).values(name=name, folded=name.casefold()))
    return _new_id(done)


def find_server(connection: Connection, name: str) -> tuple[int, str] | None:
    """Give a server's number and its name as recorded; None where it is not known."""
    row = connection.execute(
        select(server_table.c.id, server_table.c.name).where(
            server_table.c.folded == name.casefold()
        )
    ).first()
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
