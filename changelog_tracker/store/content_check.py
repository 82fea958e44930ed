"""Every content read and compared with its name, which is the SHA-256 of its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text

from changelog_tracker.store.contents import load_what_is_whole
from changelog_tracker.store.packing import pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_ALL = text("SELECT hash, base_id, length(data) AS n FROM content ORDER BY id")
# So many, and so many packed bytes, are unpacked at once.
_AT_ONCE = 200
_BYTES_AT_ONCE = 1024 * 1024
_WRONG = (TypeError, ValueError, ArithmeticError, MemoryError)


@dataclass(slots=True)
class Contents:
    """
    What was found.

    Args:
        whole: The names of those that are what was written.
        lost: What is wrong with each of the others.
        odd: Those of the whole ones that name a base without being packed against it.
        size: How many bytes the whole ones hold.
    """

    whole: set[bytes] = field(default_factory=set)
    lost: dict[bytes, str] = field(default_factory=dict)
    odd: list[bytes] = field(default_factory=list)
    size: int = 0


def read_contents(connection: Connection) -> Contents:
    """Read every content."""
    found = Contents()
    for part in _parts(connection):
        try:
            whole, lost = load_what_is_whole(connection, list(part))
        except _WRONG:
            # One of them is of a type that nobody wrote there; the others are read one by one.
            for digest, against in part.items():
                _read_one(connection, digest, against, found)
            continue
        _add(found, part, whole, lost)
    return found


def _read_one(connection: Connection, digest: bytes, against: int, found: Contents) -> None:
    try:
        _add(found, {digest: against}, *load_what_is_whole(connection, [digest]))
    except _WRONG:
        found.lost[digest] = "is not what was written"


def _add(
    found: Contents, part: dict[bytes, int], whole: dict[bytes, bytes], lost: dict[bytes, str]
) -> None:
    found.whole.update(whole)
    # The message begins with the name.
    found.lost |= {one: why.partition(one.hex()[:12])[2].lstrip(": ") for one, why in lost.items()}
    found.size += sum(map(len, whole.values()))
    # Only what becomes half as large is packed against a base; zstd's versions differ by less.
    found.odd += [
        digest
        for digest, data in whole.items()
        if part[digest] and 4 * part[digest] > 3 * len(pack(data))
    ]


def content_names(connection: Connection) -> Iterator[bytes]:
    """Give the name of each content that is there."""
    for row in connection.execute(_ALL):
        if isinstance(row.hash, bytes):
            yield row.hash


def _parts(connection: Connection) -> Iterator[dict[bytes, int]]:
    """Give names, each with the packed size of what is packed against a base, else 0."""
    part: dict[bytes, int] = {}
    size = 0
    for row in connection.execute(_ALL).all():
        if not isinstance(row.hash, bytes):
            continue
        part[row.hash] = row.n or 0 if row.base_id is not None else 0
        size += row.n or 0
        if len(part) == _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield part
            part, size = {}, 0
    if part:
        yield part
