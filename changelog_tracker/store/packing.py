"""How bytes, times and JSON lie in the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import zstandard
from sqlalchemy import select

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.tables import dictionary

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAGIC = b"\x28\xb5\x2f\xfd"
# Below this a frame's header costs more than it saves; against other bytes much sooner.
_WORTH_PACKING = 200
_WORTH_PACKING_AGAINST = 24
_BODY_LEVEL = 9
MOST_BYTES = 256 * 1024 * 1024


def micros(moment: datetime) -> int:
    """Give a moment as microseconds since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """Give the moment of microseconds since 1970, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def canonical_json(value: Any) -> bytes:  # noqa: ANN401  any JSON value
    """Give the one spelling of a JSON value that hashes are made of; ASCII."""
    return _ENCODER.encode(value).encode()


def pack(data: bytes, against: bytes | None = None, level: int = 3) -> bytes:
    """
    Compress what is worth it. What looks packed already is packed again, so unpack is exact.

    Args:
        data: What to pack.
        against: Bytes like these, which unpack must be given too.
        level: Of zstd; what is small and kept for years is worth a higher one.
    """
    least = _WORTH_PACKING if against is None else _WORTH_PACKING_AGAINST
    if len(data) < least and not data.startswith(_MAGIC):
        return data
    return _compressor(against, level).compress(data)


def unpack(data: bytes, against: bytes | None = None) -> bytes:
    """
    Give back what `pack` was given.

    Raises:
        StoreDamagedError: The bytes are not what pack wrote.
    """
    if not data.startswith(_MAGIC):
        return data
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= MOST_BYTES:
            raise StoreDamagedError("store", f"a packed value claims {size:,} bytes")
        return _decompressor(against).decompress(data, max_output_size=MOST_BYTES)
    except zstandard.ZstdError as error:
        raise StoreDamagedError("store", f"a packed value cannot be read: {error}") from error


def pack_body(connection: Connection, body: Any) -> bytes | None:  # noqa: ANN401  any JSON value
    """Pack a JSON value against the store's dictionary; None is no body."""
    return (
        None if body is None else pack(canonical_json(body), _dictionary(connection), _BODY_LEVEL)
    )


def read_body(connection: Connection, packed: bytes | None) -> Any:  # noqa: ANN401  any JSON value
    """
    Give back what `pack_body` was given.

    Raises:
        StoreDamagedError: The bytes are not what it wrote.
    """
    if packed is None:
        return None
    try:
        return json.loads(unpack_body(connection, packed))
    except ValueError as error:
        raise StoreDamagedError("store", f"a body is no JSON: {error}") from error


def unpack_body(connection: Connection, packed: bytes) -> bytes:
    """
    Give the JSON that `pack_body` wrote, as it was spelled.

    Raises:
        StoreDamagedError: The bytes are not what it wrote.
    """
    return unpack(packed, _dictionary(connection))


def _dictionary(connection: Connection) -> bytes:
    """Give the store's dictionary, read once a connection."""
    found = connection.info.get("dictionary")
    if found is None:
        found = connection.execute(select(dictionary.c.data)).scalar() or b""
        connection.info["dictionary"] = found
    return bytes(found)


@lru_cache(maxsize=8)
def _compressor(against: bytes | None, level: int) -> zstandard.ZstdCompressor:
    if against is None:
        return zstandard.ZstdCompressor(level=level, write_content_size=True)
    return zstandard.ZstdCompressor(level=level, write_content_size=True, dict_data=_raw(against))


@lru_cache(maxsize=8)
def _decompressor(against: bytes | None) -> zstandard.ZstdDecompressor:
    if against is None:
        return zstandard.ZstdDecompressor()
    return zstandard.ZstdDecompressor(dict_data=_raw(against))


def _raw(against: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(against, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
