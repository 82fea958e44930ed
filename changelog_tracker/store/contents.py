"""Contents by their hash: each is kept once, and never changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import bindparam, func, insert, select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.packing import pack, unpack
from changelog_tracker.store.tables import content

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

_T = TypeVar("_T")
# SQLite's oldest limit on variables of one statement is 999.
_AT_ONCE = 900
# Packing against larger ones takes longer than it saves.
_LARGEST_BASE = 64 * 1024
# The statements that every snapshot runs are made once.
_IS_ONE = content.c.hash.in_(bindparam("digests", expanding=True))
_IDS = select(content.c.id, content.c.hash).where(_IS_ONE)
_DATA = select(content.c.id, content.c.hash, content.c.base_id, content.c.data).where(_IS_ONE)
_BASES = select(content.c.id, content.c.data).where(
    content.c.id.in_(bindparam("ids", expanding=True))
)
_LAST_ID = select(func.max(content.c.id))
_PACKED_AGAINST = (
    select(content.c.id, content.c.hash, content.c.base_id, func.length(content.c.data).label("n"))
    .where(content.c.base_id.in_(bindparam("ids", expanding=True)))
    .order_by(content.c.id)
)
# So many contents are unpacked at once where all of them need not be held.
_FEW = 50


class _Base(NamedTuple):
    """What a content is packed against: its number and its bytes."""

    id: int
    data: bytes


class _Packed(NamedTuple):
    """How a content lies in the store."""

    base_id: int | None
    data: bytes


class Repacked(NamedTuple):
    """A content packed anew: its number, base and bytes, and how many bytes it was before."""

    id: int
    base_id: int | None
    data: bytes
    before: int


def digest_of(data: bytes) -> bytes:
    """Give the name of a content."""
    return hashlib.sha256(data).digest()


def add_contents(
    connection: Connection,
    datas: Mapping[bytes, bytes],
    earlier: Mapping[bytes, bytes] | None = None,
) -> None:
    """
    Keep contents; those that are there already stay as they are.

    Args:
        connection: The transaction that writes.
        datas: Contents by their digests.
        earlier: For a digest that of a content that it may be like.
    """
    new = dict(datas)
    for digest in content_ids(connection, list(new)):
        del new[digest]
    if not new:
        return
    like = {one: other for one, other in (earlier or {}).items() if one in new}
    bases = _bases_for(connection, like)
    number = connection.execute(_LAST_ID).scalar() or 0
    rows = [
        {
            "id": number + n,
            "hash": digest,
            **_packed(data, bases.get(like.get(digest, b"")))._asdict(),
        }
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
        StoreDamagedError: One is missing or damaged.
    """
    found, lost = load_what_is_whole(connection, digests)
    for why in lost.values():
        raise StoreDamagedError("store", why, "find all that is damaged with: check --read-data")
    return found


def load_what_is_whole(
    connection: Connection, digests: Sequence[bytes]
) -> tuple[dict[bytes, bytes], dict[bytes, str]]:
    """
    Give contents by their names.

    Returns:
        Those that are as they were written, and for each of the others what is wrong with it.
    """
    rows = [row for part in _parts(digests) for row in connection.execute(_DATA, {"digests": part})]
    bases = _load_bases(connection, rows)
    found: dict[bytes, bytes] = {}
    lost = {digest: f"content {digest.hex()[:12]} is missing" for digest in digests}
    for row in rows:
        try:
            data = unpack(row.data, bases.get(row.base_id))
        except StoreDamagedError as error:
            lost[row.hash] = f"content {row.hash.hex()[:12]}: {error.what}"
            continue
        if digest_of(data) == row.hash:
            found[row.hash] = data
            del lost[row.hash]
        else:
            lost[row.hash] = f"content {row.hash.hex()[:12]} is not what was written"
    return found, lost


def pack_anew(connection: Connection, going: Collection[int]) -> Iterator[Repacked]:
    """
    Pack what is packed against contents that go: of each the first whole, the others against it.

    Args:
        connection: An open transaction; nothing is written.
        going: Numbers of contents.

    Raises:
        StoreDamagedError: One that stays is damaged.
    """
    groups: dict[int, list[Any]] = {}
    for part in _parts(sorted(going)):
        for row in connection.execute(_PACKED_AGAINST, {"ids": part}):
            if row.id not in going:
                groups.setdefault(row.base_id, []).append(row)
    for rows in groups.values():
        base: _Base | None = None
        for some in _parts(rows, _FEW):
            datas = load_contents(connection, [row.hash for row in some])
            for row in some:
                base_id, data = _packed(datas[row.hash], base)
                base = base or _Base(row.id, datas[row.hash])
                yield Repacked(row.id, base_id, data, row.n)


def _packed(data: bytes, base: _Base | None) -> _Packed:
    """Pack a content against its base where that makes it much smaller."""
    whole = pack(data)
    if base is not None and len(data) <= _LARGEST_BASE:
        delta = pack(data, base.data)
        if 2 * len(delta) < len(whole):
            return _Packed(base.id, delta)
    return _Packed(None, whole)


def _bases_for(connection: Connection, like: Mapping[bytes, bytes]) -> dict[bytes, _Base]:
    """Give the bases of contents that others are like: their own where they have one."""
    rows: list[Any] = [
        row
        for part in _parts(list(set(like.values())))
        for row in connection.execute(_DATA, {"digests": part})
    ]
    bases = _load_bases(connection, rows)
    found: dict[bytes, _Base] = {}
    for row in rows:
        if row.base_id is None:
            base = _Base(row.id, unpack(row.data))
        else:
            base = _Base(row.base_id, bases.get(row.base_id, b""))
        if 0 < len(base.data) <= _LARGEST_BASE:
            found[row.hash] = base
    return found


def _load_bases(connection: Connection, rows: Sequence[Any]) -> dict[int, bytes]:
    ids = [row.base_id for row in rows if row.base_id is not None]
    found: dict[int, bytes] = {}
    for part in _parts(sorted(set(ids))):
        for row in connection.execute(_BASES, {"ids": part}):
            try:
                found[row.id] = unpack(row.data)
            except StoreDamagedError:
                # What is packed against it is damaged with it, and says so itself.
                continue
    return found


def _parts(many: Sequence[_T], size: int = _AT_ONCE) -> Iterator[Sequence[_T]]:
    for start in range(0, len(many), size):
        yield many[start : start + size]
