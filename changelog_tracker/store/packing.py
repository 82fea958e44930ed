"""How bytes, times and JSON lie in the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import zstandard

from changelog_tracker.errors import StoreDamagedError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAGIC = b"\x28\xb5\x2f\xfd"
# Below this a frame's header costs more than it saves.
_WORTH_PACKING = 200
MOST_BYTES = 256 * 1024 * 1024


def micros(moment: datetime) -> int:
    """Give a moment as microseconds since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """Give the moment of microseconds since 1970, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def canonical_json(value: Any) -> bytes:  # noqa: ANN401  any JSON value
    """Give the one spelling of a JSON value that hashes are made of; ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@cache
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=3, write_content_size=True)


def pack(data: bytes) -> bytes:
    """Compress what is worth it. What looks packed already is packed again, so unpack is exact."""
    if len(data) < _WORTH_PACKING and not data.startswith(_MAGIC):
        return data
    return _compressor().compress(data)


def unpack(data: bytes) -> bytes:
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
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=MOST_BYTES)
    except zstandard.ZstdError as error:
        raise StoreDamagedError("store", f"a packed value cannot be read: {error}") from error
