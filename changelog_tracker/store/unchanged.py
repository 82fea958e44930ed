"""
Snapshots that found nothing new, which most are: rows of the journal that are kept in little room.

The newest of each server lie as rows in `unchanged`. As soon as there are more than `LOOSE`, the
oldest of them become one block: their numbers and times as differences, packed together. Their
hashes are not kept one by one: each can be computed, and that of the last one stands at the block.
Within a server the times of blocks never overlap; a late snapshot is a row of `journal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.damage import lost
from changelog_tracker.store.packing import pack_body, read_body
from changelog_tracker.store.tables import unchanged, unchanged_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Row

# So many rows of one server lie loose at most, beside the newest.
LOOSE = 128

_ADD = insert(unchanged)
_COUNT = (
    select(func.count()).select_from(unchanged).where(unchanged.c.server_id == bindparam("server"))
)
_NEWEST = (
    select(unchanged.c.seq, unchanged.c.at)
    .where(unchanged.c.server_id == bindparam("server"))
    .order_by(unchanged.c.at.desc())
    .limit(1)
)
_BLOCK_AT = (
    select(unchanged_block)
    .where(
        unchanged_block.c.server_id == bindparam("server"),
        unchanged_block.c.first_at <= bindparam("at"),
    )
    .order_by(unchanged_block.c.first_at.desc())
    .limit(1)
)


class Unchanged(NamedTuple):
    """One snapshot that found nothing new; `hash` is None inside a block."""

    seq: int
    server_id: int
    at: int
    received: int
    origin_id: int
    source: str
    body: Any
    hash: bytes | None


def add_unchanged(connection: Connection, one: Unchanged) -> None:
    """Keep the newest snapshot of its server, which found nothing new."""
    row = {**one._asdict(), "body": pack_body(connection, one.body)}
    connection.execute(_ADD, row)
    if (connection.execute(_COUNT, {"server": one.server_id}).scalar() or 0) > LOOSE:
        _make_block(connection, one.server_id)


def newest_unchanged(
    connection: Connection, server_id: int, at: int | None = None
) -> tuple[int, int] | None:
    """Give number and time of a server's newest of them, or of its newest at or before a time."""
    query = _NEWEST if at is None else _NEWEST.where(unchanged.c.at <= at)
    loose = connection.execute(query, {"server": server_id}).first()
    if loose is not None:
        return loose.seq, loose.at
    if at is None:
        return None
    block = connection.execute(_BLOCK_AT, {"server": server_id, "at": at}).first()
    if block is None:
        return None
    try:
        return max((one.seq, one.at) for one in read_block(connection, block) if one.at <= at)
    except StoreDamagedError as error:
        lost(connection, error)
        return block.first_seq, block.first_at


def first_unchanged(connection: Connection, server_id: int, after: int) -> tuple[int, int] | None:
    """Give number and time of a server's first of them after a time."""
    block = connection.execute(
        select(unchanged_block)
        .where(unchanged_block.c.server_id == server_id, unchanged_block.c.last_at > after)
        .order_by(unchanged_block.c.first_at)
        .limit(1)
    ).first()
    if block is not None:
        return min((one.seq, one.at) for one in read_block(connection, block) if one.at > after)
    loose = connection.execute(
        select(unchanged.c.seq, unchanged.c.at)
        .where(unchanged.c.server_id == server_id, unchanged.c.at > after)
        .order_by(unchanged.c.at)
        .limit(1)
    ).first()
    return None if loose is None else (loose.seq, loose.at)


def all_unchanged(connection: Connection, server_id: int | None = None) -> Iterator[Unchanged]:
    """Give them all, of one server or of every one; in no order."""
    blocks, rows = select(unchanged_block), select(unchanged)
    if server_id is not None:
        blocks = blocks.where(unchanged_block.c.server_id == server_id)
        rows = rows.where(unchanged.c.server_id == server_id)
    for block in connection.execute(blocks):
        try:
            yield from read_block(connection, block)
        except StoreDamagedError as error:
            lost(connection, error)
    for row in connection.execute(rows):
        try:
            yield _of(connection, row)
        except StoreDamagedError as error:
            what = f"row {row.seq} of unchanged: {error.what}"
            lost(connection, StoreDamagedError("store", what))


def read_block(connection: Connection, block: Row[Any]) -> list[Unchanged]:
    """
    Give the snapshots of a block, in the order of their times.

    Raises:
        StoreDamagedError: It is not what was written.
    """
    place = f"block {block.first_seq}-{block.last_seq}"
    found: list[Unchanged] = []
    seq = at = received = 0
    try:
        for step in read_body(connection, block.data):
            seq, at, received = seq + step[0], at + step[1], received + step[2]
            one = Unchanged(seq, block.server_id, at, received, step[3], step[4], step[5], None)
            found.append(one)
    except (StoreDamagedError, TypeError, IndexError, KeyError) as error:
        raise StoreDamagedError("store", f"{place} cannot be read") from error
    ends = [(block.first_seq, block.first_at), (block.last_seq, block.last_at)]
    if not found or [(one.seq, one.at) for one in (found[0], found[-1])] != ends:
        raise StoreDamagedError("store", f"{place} does not hold what it says")
    found[-1] = found[-1]._replace(hash=block.hash)
    return found


def _make_block(connection: Connection, server_id: int) -> None:
    """Pack all of a server but the newest."""
    rows = connection.execute(
        select(unchanged).where(unchanged.c.server_id == server_id).order_by(unchanged.c.at)
    ).all()[:-1]
    found = [_of(connection, row) for row in rows]
    first, last = found[0], found[-1]
    connection.execute(
        insert(unchanged_block).values(
            first_seq=first.seq,
            last_seq=last.seq,
            server_id=server_id,
            first_at=first.at,
            last_at=last.at,
            data=pack_body(connection, list(_steps(found))),
            hash=last.hash,
        )
    )
    connection.execute(delete(unchanged).where(unchanged.c.seq.in_([one.seq for one in found])))


def _of(connection: Connection, row: Row[Any]) -> Unchanged:
    return Unchanged(**{**row._mapping, "body": read_body(connection, row.body)})  # noqa: SLF001


def _steps(found: Iterable[Unchanged]) -> Iterator[list[Any]]:
    seq = at = received = 0
    for one in found:
        yield [
            one.seq - seq,
            one.at - at,
            one.received - received,
            one.origin_id,
            one.source,
            one.body,
        ]
        seq, at, received = one.seq, one.at, one.received
