"""
Raw files that no reading needs any more: which they are, and taking them away.

A raw file is the stored, redacted copy of a file behind a reading. What was recorded of it stays:
its resources and changes, and its name in the journal, which is the SHA-256 of its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, bindparam, delete, func, literal, select, update

from changelog_tracker.store.contents import Repacked, content_ids, load_contents, pack_anew
from changelog_tracker.store.journal import entries
from changelog_tracker.store.packing import read_body
from changelog_tracker.store.tables import (
    content,
    journal,
    reading,
    reading_state,
    server,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection

    from changelog_tracker.store.journal import Entry

PRUNE = "prune"
RAW_FILES = "raw-files"
_STILL = 2**63 - 1
# SQLite's oldest limit on variables of one statement is 999; raw files may be large.
_AT_ONCE, _UNPACKED_AT_ONCE = 900, 20

_HAS_RAW = reading_state.c.raw_id.is_not(None)
_USES = (
    select(
        reading_state.c.raw_id,
        content.c.hash,
        func.min(reading_state.c.from_at).label("from_at"),
        func.max(func.coalesce(reading_state.c.until_at, literal(_STILL))).label("until_at"),
    )
    .join(content, content.c.id == reading_state.c.raw_id)
    .group_by(reading_state.c.raw_id, content.c.hash)
)
_LAST = (
    select(reading_state.c.reading_id, func.max(reading_state.c.from_at).label("from_at"))
    .where(_HAS_RAW)
    .group_by(reading_state.c.reading_id)
    .subquery()
)
# The newest raw file of each reading, also where it is not read now.
_NEWEST = select(reading_state.c.raw_id).join(
    _LAST,
    and_(
        reading_state.c.reading_id == _LAST.c.reading_id,
        reading_state.c.from_at == _LAST.c.from_at,
    ),
)
_RESOURCES = select(version.c.content_id).where(
    version.c.content_id.in_(select(reading_state.c.raw_id).where(_HAS_RAW))
)
_SERVERS = (
    select(reading_state.c.raw_id, server.c.name)
    .distinct()
    .join(reading, reading.c.id == reading_state.c.reading_id)
    .join(server, server.c.id == reading.c.server_id)
    .where(_HAS_RAW)
)
_SNAPSHOTS = (
    select(server.c.name, journal.c.at, journal.c.body)
    .join(server, server.c.id == journal.c.server_id)
    .where(journal.c.action == "snapshot", journal.c.body.is_not(None))
)
_SIZES = select(content.c.id, content.c.hash, func.length(content.c.data).label("n")).where(
    content.c.id.in_(bindparam("ids", expanding=True))
)
_FORGET = (
    update(reading_state)
    .where(reading_state.c.raw_id.in_(bindparam("ids", expanding=True)))
    .values(raw_id=None)
)
_DELETE = delete(content).where(content.c.id.in_(bindparam("ids", expanding=True)))
_REPACK = update(content).where(content.c.id == bindparam("number"))


class RawFile(NamedTuple):
    """
    A stored file that no reading needs any more.

    Args:
        id: The number of its content.
        digest: The SHA-256 of its bytes.
        from_at: Since when readings needed it, microseconds.
        until_at: Until when.
        servers: Whose it is.
    """

    id: int
    digest: bytes
    from_at: int
    until_at: int
    servers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Removal:
    """
    What it takes to remove raw files.

    Args:
        files: Which ones, by their digests.
        repacked: Contents that stay and were packed against them.
        plain: How many bytes the files hold.
        freed: How many bytes fewer lie in the store without them.
    """

    files: tuple[RawFile, ...]
    repacked: tuple[Repacked, ...]
    plain: int
    freed: int


@dataclass(slots=True)
class _Named:
    """
    What snapshots name in the journal.

    Args:
        raw: Of each raw file the times of its first and last snapshot, and the servers.
        resources: The contents of resources.
    """

    raw: dict[bytes, tuple[int, int, frozenset[str]]]
    resources: set[bytes]


def tombstones(connection: Connection) -> Iterator[Entry]:
    """Give, in their order, the journal's rows that say that raw files were pruned."""
    for entry in entries(connection, PRUNE):
        if entry.body and entry.body.get("what") == RAW_FILES:
            yield entry


def pruned_digests(connection: Connection) -> frozenset[bytes]:
    """
    Give the raw files that were pruned: one that is missing is then not lost.

    With each, `raw_id` became null wherever it stood. A late snapshot may have brought it again
    since; then it is there, and only readings written since refer to it.
    """
    return frozenset(
        bytes.fromhex(digest) for one in tombstones(connection) for digest in one.body["digests"]
    )


def unneeded(connection: Connection, before: int, only: str | None = None) -> list[RawFile]:
    """
    Find the raw files that no reading needs at a time or after it.

    The newest of each reading is needed: the next file of that name is held against it.

    Args:
        connection: An open transaction.
        before: The time, microseconds.
        only: Those of this server, and of no other; its name as recorded.

    Returns:
        Them by their digests.
    """
    named = _named(connection)
    kept = set(connection.execute(_NEWEST).scalars()) | set(
        connection.execute(_RESOURCES).scalars()
    )
    whose = _servers(connection)
    found = [
        RawFile(*row, frozenset(whose[row.raw_id]))
        for row in connection.execute(_USES)
        if row.until_at <= before and row.raw_id not in kept
    ]
    found += [one for one in _replaced(connection, named, whose) if one.until_at < before]
    return sorted(
        (
            one
            for one in found
            if one.digest not in named.resources and (only is None or one.servers == {only})
        ),
        key=lambda one: one.digest,
    )


def weigh(connection: Connection, files: Sequence[RawFile]) -> Removal:
    """
    Tell what removing raw files takes and gives; nothing is written.

    Raises:
        StoreDamagedError: One of them, or what is packed against it, is damaged.
    """
    going = {one.id for one in files}
    plain = freed = 0
    for ids in _parts([one.id for one in files], _UNPACKED_AT_ONCE):
        rows = connection.execute(_SIZES, {"ids": ids}).all()
        found = load_contents(connection, [row.hash for row in rows])
        plain += sum(map(len, found.values()))
        freed += sum(row.n for row in rows)
    repacked = tuple(pack_anew(connection, going))
    freed -= sum(len(one.data) - one.before for one in repacked)
    return Removal(tuple(files), repacked, plain, freed)


def remove(connection: Connection, removal: Removal) -> None:
    """Take raw files out of the store; what was packed against them is packed anew before."""
    if removal.repacked:
        connection.execute(
            _REPACK.values(base_id=bindparam("base"), data=bindparam("bytes")),
            [
                {"number": one.id, "base": one.base_id, "bytes": one.data}
                for one in removal.repacked
            ],
        )
    for ids in _parts([one.id for one in removal.files], _AT_ONCE):
        connection.execute(_FORGET, {"ids": ids})
        connection.execute(_DELETE, {"ids": ids})


def _named(connection: Connection) -> _Named:
    named = _Named({}, set())
    for name, at, packed in connection.execute(_SNAPSHOTS):
        body = read_body(connection, packed)
        named.resources.update(bytes.fromhex(one[-1]) for one in body.get("opened", ()))
        for digest in {bytes.fromhex(one[-1]) for one in body.get("readings", ()) if one[-1]}:
            first, last, servers = named.raw.get(digest, (at, at, frozenset[str]()))
            named.raw[digest] = min(first, at), max(last, at), servers | {name}
    return named


def _servers(connection: Connection) -> dict[int, set[str]]:
    """Give the servers whose readings have a raw file, by the number of its content."""
    found: dict[int, set[str]] = {}
    for raw_id, name in connection.execute(_SERVERS):
        found.setdefault(raw_id, set()).add(name)
    return found


def _replaced(connection: Connection, named: _Named, whose: Collection[int]) -> Iterator[RawFile]:
    """Give what no reading has any more since a late snapshot told the history again."""
    for digest, number in content_ids(connection, list(named.raw)).items():
        if number not in whose:
            yield RawFile(number, digest, *named.raw[digest])


def _parts(numbers: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
