"""
The journal as it lies in its three tables, row by row, and whether its chain of hashes holds.

Nothing here trusts a row: each is read as the database has it, and what is wrong with it is said.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import text

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.journal import Entry
from changelog_tracker.store.packing import canonical_json, moment, unpack_body
from changelog_tracker.store.unchanged import read_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row

# Read as they lie there: a value of another type must not become one of the right type.
_ROWS = {
    "journal": text(
        "SELECT seq, action, server_id, at, received, origin_id, source, body, hash"
        " FROM journal ORDER BY seq"
    ),
    "unchanged": text(
        "SELECT seq, 'snapshot' AS action, server_id, at, received, origin_id, source, body, hash"
        " FROM unchanged ORDER BY seq"
    ),
}
_BLOCKS = text(
    "SELECT first_seq, last_seq, server_id, first_at, last_at, data, hash FROM unchanged_block"
    " ORDER BY server_id, first_at"
)
_WHO = ("account", "host", "program")
_WRONG = (StoreDamagedError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class Link(NamedTuple):
    """
    One row of the journal.

    Args:
        seq: Its number.
        last: The last number of a block that cannot be read; else `seq`.
        server_id: The server's number in the store.
        entry: What it says; None where it cannot be told.
        wrong: Why not.
        about: Where it cannot be told: its action (`quiet` is a block's), and words for people.
    """

    seq: int
    last: int
    server_id: int | None
    entry: Entry | None
    wrong: str | None = None
    about: tuple[str, str] = ("", "")


class Break(NamedTuple):
    """
    Rows that are not as they were written.

    Args:
        first: The first of them.
        last: The last.
        server_id: Whose they are; None: of no server, or nobody knows.
        what: What is wrong.
        missing: Whether they are not there.
    """

    first: int
    last: int
    server_id: int | None
    what: str
    missing: bool = False


def links(connection: Connection) -> Iterator[Link]:
    """Give every row of the journal in the order of their numbers."""
    names = Names.of(connection)
    blocks: dict[Any, list[Row[Any]]] = {}
    for block in connection.execute(_BLOCKS):
        blocks.setdefault(block.server_id, []).append(block)
    return heapq.merge(
        *(_links_of(connection, names, query) for query in _ROWS.values()),
        *(_links_in(connection, names, many) for many in blocks.values()),
        key=lambda link: link.seq,
    )


@dataclass(frozen=True, slots=True)
class Names:
    """Who wrote, and which servers there are, by their numbers."""

    origins: dict[int, dict[str, str]]
    servers: dict[int, str]

    @classmethod
    def of(cls, connection: Connection) -> Names:
        """Read them as they lie there."""
        origins = connection.execute(text("SELECT id, account, host, program FROM origin"))
        servers = connection.execute(text("SELECT id, name FROM server"))
        return cls(
            {row.id: {name: getattr(row, name) for name in _WHO} for row in origins},
            {row.id: row.name for row in servers},
        )

    def entry(self, row: Any, action: str, body: Any) -> Entry:  # noqa: ANN401  a row, any JSON
        """
        Make an entry.

        Raises:
            StoreDamagedError: It refers to what is not there, or holds what no row holds.
        """
        if row.origin_id not in self.origins:
            raise StoreDamagedError(
                "store", f"refers to origin {row.origin_id}, which is not there"
            )
        if row.server_id is not None and row.server_id not in self.servers:
            raise StoreDamagedError(
                "store", f"refers to server {row.server_id}, which is not there"
            )
        who = {**self.origins[row.origin_id], "source": row.source}
        name = None if row.server_id is None else self.servers[row.server_id]
        return Entry(row.seq, action, name, row.at, row.received, who, body, row.hash)


def _links_of(connection: Connection, names: Names, query: Any) -> Iterator[Link]:  # noqa: ANN401  a query
    for row in connection.execute(query):
        try:
            body = _body(connection, row.body)
            yield Link(row.seq, row.seq, row.server_id, names.entry(row, row.action, body))
        except _WRONG as error:
            about = str(row.action), about_row(row.action, names.servers.get(row.server_id), row.at)
            yield Link(row.seq, row.seq, row.server_id, None, _words(error), about)


def _links_in(connection: Connection, names: Names, blocks: list[Row[Any]]) -> Iterator[Link]:
    before: Row[Any] | None = None
    for block in blocks:
        ends: tuple[Any, Any] = block.first_seq, block.last_seq
        try:
            _body(connection, block.data)
            found = read_block(connection, block)
            times = [one.at for one in found]
            if times != sorted(set(times)) or (before and before.last_at >= times[0]):
                raise StoreDamagedError(
                    "store", "its snapshots are not in the order of their times"
                )
            entries = [names.entry(one, "snapshot", one.body) for one in found]
        except _WRONG as error:
            last = max(ends) if isinstance(ends[1], int) else ends[0]
            whose = names.servers.get(block.server_id)
            about = "quiet", about_row("quiet snapshots", whose, block.first_at, block.last_at)
            yield Link(ends[0], last, block.server_id, None, _words(error), about)
        else:
            for one in entries:
                yield Link(one.seq, one.seq, block.server_id, one)
        before = block


def _body(connection: Connection, packed: Any) -> Any:  # noqa: ANN401  a cell, any JSON value
    """Give a body that stands there as it was written, to the byte."""
    if packed is None:
        return None
    if not isinstance(packed, bytes):
        raise StoreDamagedError("store", "what lies there is of another type")
    data = unpack_body(connection, packed)
    try:
        body = json.loads(data)
    except ValueError as error:
        raise StoreDamagedError("store", "what lies there cannot be read") from error
    if canonical_json(body) != data:
        raise StoreDamagedError("store", "what lies there is not spelled as it was written")
    return body


def about_row(action: object, server: object, *times: object) -> str:
    """Say what a row of the journal is about, whatever lies there."""
    found = str(action) + (f" of {server}" if server is not None else "")
    said = []
    for at in times:
        try:
            said += [f"{moment(at):%Y-%m-%dT%H:%M:%SZ}"] if isinstance(at, int) else []
        except ArithmeticError:
            said += ["no time that there is"]
    return ", ".join([found, *([" to ".join(said)] if said else [])])


def _words(error: Exception) -> str:
    return error.what if isinstance(error, StoreDamagedError) else "holds what no row holds"


@dataclass(slots=True)
class Chain:
    """
    Follows the journal from its first row.

    Args:
        rows: How many rows there are.
        seq: The number of the last one.
        head: Its hash; None where it cannot be told.
        breaks: What is not as it was written.
    """

    rows: int = 0
    seq: int = 0
    head: bytes | None = b""
    breaks: list[Break] = field(default_factory=list)
    # What the row before should have as its hash, where it has another.
    _other: bytes | None = None
    # The first row since the last hash that is kept.
    _since: int = 1
    _unread: list[tuple[int, int]] = field(default_factory=list)

    def add(self, link: Link) -> bool:
        """Take the next row; tell whether it is as it was written, as far as can be told yet."""
        if link.last > link.seq:
            self._unread.append((link.seq, link.last))
            self._break(link.seq, link.last, link, link.wrong or "cannot be read")
            self.head = self._other = None
            return False
        self._follow(link)
        self.rows += 1
        self.seq = max(link.seq, self.seq)
        if link.entry is None:
            self._break(link.seq, link.seq, link, link.wrong or "cannot be read")
            self.head = self._other = None
            return False
        return self._hashed(link, link.entry)

    def _follow(self, link: Link) -> None:
        """See whether it is the next number."""
        if link.seq <= self.seq:
            self._break(link.seq, link.seq, link, "is there twice")
            return
        missing = [
            number
            for number in range(self.seq + 1, min(link.seq, self.seq + 1001))
            if not any(first <= number <= last for first, last in self._unread)
        ]
        if missing:
            what = "missing: lost, or taken out"
            self.breaks.append(Break(missing[0], link.seq - 1, None, what, missing=True))
        if link.seq > self.seq + 1:
            self.head = self._other = None
            self._since = link.seq

    def _hashed(self, link: Link, entry: Entry) -> bool:
        made = [
            hashlib.sha256(before + entry.canonical()).digest()
            for before in (self.head, self._other)
            if before is not None
        ]
        first, self._other = self._since, None
        if entry.hash is None:
            self.head = made[0] if made else None
            return True
        self.head, self._since = entry.hash, link.seq + 1
        if not made or entry.hash in made:
            return True
        self._other = made[0]
        self._break(first, link.seq, link, "not what was written")
        return False

    def _break(self, first: int, last: int, link: Link, what: str) -> None:
        self.breaks.append(Break(first, last, link.server_id, what))
