"""A store in memory, made by the migrations, in which derived rows are made again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, text, update

from changelog_tracker.store.database import Database
from changelog_tracker.store.tables import content, reading_state, unchanged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection

_FORGET = (
    update(reading_state).where(reading_state.c.raw_id == bindparam("raw")).values(raw_id=None)
)


@dataclass(slots=True)
class Scratch:
    """
    The store in memory: snapshots without their words, contents without their bytes.

    Args:
        connection: Its one transaction.
        servers: The servers, by the numbers that they have in the store that is looked at.
        newest: The time of each one's newest snapshot, microseconds.
    """

    connection: Connection
    servers: dict[int, str] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    _contents: dict[bytes, int] = field(default_factory=dict)
    _waiting: list[dict[str, object]] = field(default_factory=list)

    def copy_servers(self, store: Connection) -> None:
        """Take over a store's servers."""
        for row in store.execute(text("SELECT id, name FROM server")):
            self.servers[row.id] = row.name

    def add_snapshot(self, server_id: int, seq: int, at: int) -> None:
        """Take note of a snapshot."""
        self.newest[server_id] = max(at, self.newest.get(server_id, at))
        self._waiting.append(
            {
                "seq": seq, "server_id": server_id, "at": at, "received": 0, "origin_id": 0,
                "source": "", "body": None, "hash": b"",
            }
        )  # fmt: skip

    def flush(self) -> None:
        """Write what was noted, before it is read."""
        if self._waiting:
            self.connection.execute(insert(unchanged), self._waiting)
            self._waiting.clear()

    def add_contents(self, digests: Collection[bytes]) -> None:
        """Give contents a number."""
        new = [digest for digest in dict.fromkeys(digests) if digest not in self._contents]
        rows = []
        for number, digest in enumerate(new, len(self._contents) + 1):
            self._contents[digest] = number
            rows.append({"id": number, "hash": digest, "base_id": None, "data": b""})
        if rows:
            self.connection.execute(insert(content), rows)

    def forget_raw(self, digests: Sequence[bytes]) -> None:
        """Take raw files from the readings that have them."""
        numbers = [self._contents[digest] for digest in digests if digest in self._contents]
        if numbers:
            self.connection.execute(_FORGET, [{"raw": number} for number in numbers])


@contextmanager
def scratch_store() -> Iterator[Scratch]:
    """Make a store in memory, and let it go."""
    database = Database("sqlite://")
    try:
        with database.writing() as connection:
            yield Scratch(connection)
    finally:
        database.close()
