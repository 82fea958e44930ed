"""
Reads the frame that the script writes: all of it, or nothing is believed.

Between the marks lies base64 of gzip, and in that one entry after another: a JSON line with path,
size and SHA-256, then so many bytes. What stands before and after the frame does not matter.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import zlib
from typing import TYPE_CHECKING

from changelog_tracker.collect.limits import in_words
from changelog_tracker.collect.names import refuse_doubles, relative_path
from changelog_tracker.errors import DamagedAnswerError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.collect.limits import Limits

_HINT = "take it again; if it stays so, look at what is between here and the server"
_LONGEST_HEADER = 64 * 1024
# The marker is not part of them: what differs each time would be compiled each time.
_BEGIN = re.compile(rb"^\[changelog-frame \S+ begin\]\r?$", re.MULTILINE)
_END = re.compile(rb"^\[changelog-frame \S+ end (\d{1,12}) ([0-9A-Fa-f]{64})\]\r?$", re.MULTILINE)
_GZIP = 16 + zlib.MAX_WBITS


def read_frame(output: bytes, marker: str, place: str, limits: Limits) -> dict[str, bytes]:
    """
    Give the entries of the one frame in what a script printed.

    Args:
        output: Its standard output.
        marker: What stands in both marks: 32 hexadecimal digits that were given to the script.
        place: The server, for messages.
        limits: How much may come out of it.

    Returns:
        Bytes by path, as the script listed them.

    Raises:
        DamagedAnswerError: There is no frame, or it is not whole, doubled, or not what it says.
    """
    packed = _packed(output, marker, place)
    if len(packed) * limits.zip_ratio < limits.zip_ratio_from_bytes:
        most = limits.zip_ratio_from_bytes
    else:
        most = len(packed) * limits.zip_ratio
    most = min(limits.zip_total_bytes, most)
    return _entries(_unpacked(packed, most, place), place, limits.zip_entries)


def has_ended(output: bytes | bytearray, marker: str) -> bool:
    """Tell whether a frame came to its end, whatever is in it."""
    return b"[changelog-frame %b end " % marker.encode("ascii") in output


def _marks(pattern: re.Pattern[bytes], marker: str, output: bytes) -> Iterator[re.Match[bytes]]:
    start = b"[changelog-frame %b " % marker.encode("ascii")
    at = output.find(start)
    while at >= 0:
        found = pattern.match(output, at)
        if found is not None:
            yield found
        at = output.find(start, at + 1)


def _packed(output: bytes, marker: str, place: str) -> bytes:
    begins, ends = [*_marks(_BEGIN, marker, output)], [*_marks(_END, marker, output)]
    if not begins:
        raise _damaged(place, "it gave no answer that begins as one")
    if len(begins) != 1 or len(ends) != 1:
        what = f"its answer has {len(begins)} beginnings and {len(ends)} ends; expected one of each"
        raise _damaged(place, what)
    begin, end = begins[0], ends[0]
    if end.start() < begin.end():
        raise _damaged(place, "its answer ends before it begins")
    try:
        lines = output[begin.end() : end.start()].split()
        packed = base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error as error:
        raise _damaged(place, "its answer is not base64") from error
    if len(packed) != int(end[1]):
        raise _damaged(place, f"its answer has {len(packed):,} bytes; it says {int(end[1]):,}")
    digest = hashlib.sha256(packed).digest()
    if not hmac.compare_digest(digest, bytes.fromhex(end[2].decode("ascii"))):
        raise _damaged(place, "its answer was changed on the way: the SHA-256 is another")
    return packed


def _unpacked(packed: bytes, most_bytes: int, place: str) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        data = unpacker.decompress(packed, most_bytes + 1)
    except zlib.error as error:
        raise _damaged(place, "its answer is no gzip") from error
    if len(data) > most_bytes:
        what = f"its answer unpacks to more than {in_words(most_bytes)}"
        raise DamagedAnswerError(place, what, "make a bundle on the server, and import that")
    if not unpacker.eof or unpacker.unused_data:
        raise _damaged(place, "its answer is not one whole gzip")
    return data


def _entries(data: bytes, place: str, most: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        end = data.find(b"\n", at, at + _LONGEST_HEADER)
        if end < 0:
            raise _damaged(place, "its answer has an entry without a header")
        path, size, digest = _header(data[at:end], place)
        body = data[end + 1 : end + 1 + size]
        if len(body) != size:
            raise _damaged(place, "its answer ends inside an entry")
        if not hmac.compare_digest(hashlib.sha256(body).digest(), digest):
            raise _damaged(place, "its answer has an entry with another SHA-256")
        if path in found:
            raise _damaged(place, "its answer has an entry twice")
        if len(found) == most:
            raise _damaged(place, f"its answer has more than {most:,} entries")
        found[path] = body
        at = end + 1 + size
    if not found:
        raise _damaged(place, "its answer is empty")
    try:
        refuse_doubles(place, found)
    except InputError as error:
        raise _damaged(place, f"its answer has an entry twice: {error.what}") from error
    return found


def _header(line: bytes, place: str) -> tuple[str, int, bytes]:
    try:
        told = json.loads(line)
        size, digest = told["size"], bytes.fromhex(told["sha256"])
        path = relative_path(told["path"])
        whole = type(size) is int and size >= 0 and len(digest) == 32 and path
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        raise _damaged(place, "its answer has an entry whose header cannot be read") from error
    if not whole:
        raise _damaged(place, "its answer has an entry whose header cannot be read")
    return path, size, digest


def _damaged(place: str, what: str) -> DamagedAnswerError:
    return DamagedAnswerError(place, f"{what}; nothing of it was taken", _HINT)
