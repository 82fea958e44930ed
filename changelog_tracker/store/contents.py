"""Contents by their hash: each is kept once, and never changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.packing import pack, unpack
from changelog_tracker.store.tables import content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

# SQLite's oldest limit on variables of one statement is 999.
_AT_ONCE = 900
# The statements that every snapshot runs are made once.
_IS_ONE = content.c.hash.in_(bindparam("digests", expanding=True))
_IDS = select(content.c.id, content.c.hash).where(_IS_ONE)
_DATA = select(content.c.hash, content.c.data).where(_IS_ONE)
_LAST_ID = select(func.max(content.c.id))


def digest_of(data: bytes) -> bytes:
    """Give the name of a content."""
    return hashlib.sha256(data).digest()


def add_contents(connection: Connection, datas: Iterable[bytes]) -> None:
    """Keep contents; those that are there already stay as they are."""
    new = {digest_of(data): data for data in datas}
    for digest in content_ids(connection, list(new)):
        del new[digest]
    if not new:
        return
    number = connection.execute(_LAST_ID).scalar() or 0
    rows = [
        {"id": number + n, "hash": digest, "data": pack(data)}
        for n, (digest, data) in enumerate(new.items(), 1)
    ]
    connection.execute(insert(content), rows)


def content_ids(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Give the numbers of the contents that are there."""
    return {
        row.hash: row.id
        for part in _parts(digests)
        for row in connection.execute(_IDS, {"digests": part})
    }


def load_contents(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """
    Give contents by their names.

    Raises:
        StoreDamagedError: One is missing.
    """
    found = {
        row.hash: unpack(row.data)
        for part in _parts(digests)
        for row in connection.execute(_DATA, {"digests": part})
    }
    missing = [digest for digest in digests if digest not in found]
    if missing:
        raise StoreDamagedError(
            "store",
            f"content {missing[0].hex()[:12]} is missing",
            "restore the store from its last copy",
        )
    return found


def _parts(digests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(digests), _AT_ONCE):
        yield digests[start : start + _AT_ONCE]
