"""
Reads a zip: nothing is unpacked to disk, nothing it declares is believed.

Stored and deflated entries only: Windows and .NET write no others, and LZMA may ask for gigabytes
before the first byte comes out.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.collect.folder import reason_of
from changelog_tracker.collect.gathered import Contents, FoundFile
from changelog_tracker.collect.limits import in_words
from changelog_tracker.collect.names import refuse_doubles, relative_path, shown
from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from changelog_tracker.collect.limits import Limits

_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
# The end record, its comment, and what zip64 puts before it.
_LONGEST_END_BYTES = 22 + 0xFFFF + 20 + 56
_CHUNK_BYTES = 1024 * 1024
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_REPARSE_POINT = 0x400
_FOLDER_HINT = "unpack it yourself, look at what is in it, and import the folder"
_DAMAGED_HINT = "copy it again from the server, or make the bundle again"
# What zipfile raises on damaged input, beside its own error.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
    IndexError,
    KeyError,
)


class _BoundedFile(io.FileIO):
    """A file that gives no more than a limit at once: zipfile reads the list of entries whole."""

    def __init__(self, path: str, most_bytes: int) -> None:
        super().__init__(path, "rb")
        self.most_bytes = most_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        asked = self.most_bytes + 1 if size is None or size < 0 else size
        data = super().read(min(asked, self.most_bytes + 1)) or b""
        if len(data) > self.most_bytes:
            raise zipfile.BadZipFile(f"its list of files is over {in_words(self.most_bytes)}")
        return data


@dataclass(slots=True)
class _Budget:
    """How much has come out of a zip so far, and how much may."""

    place: str
    limits: Limits
    packed_bytes: int
    unpacked_bytes: int = 0

    def spend(self, size_bytes: int) -> None:
        """Count what came out; the whole zip's ratio also finds entries that share their bytes."""
        self.unpacked_bytes += size_bytes
        if self.unpacked_bytes > self.limits.zip_total_bytes:
            what = f"more than {in_words(self.limits.zip_total_bytes)} unpacked"
            raise InputError(self.place, what, _FOLDER_HINT)
        self.check_ratio(self.unpacked_bytes, self.packed_bytes)

    def check_ratio(self, unpacked_bytes: int, packed_bytes: int) -> None:
        limits = self.limits
        if (
            unpacked_bytes > limits.zip_ratio_from_bytes
            and unpacked_bytes > limits.zip_ratio * packed_bytes
        ):
            what = f"unpacks to more than {limits.zip_ratio} times its size, as a zip bomb does"
            raise InputError(self.place, what, _FOLDER_HINT)


def is_archive(path: str) -> bool:
    """
    Tell a zip by its first bytes, whatever its name.

    Raises:
        OSError: It cannot be read.
    """
    with io.FileIO(path, "rb") as file:
        return file.read(4) in _SIGNATURES


def read_archive(path: str, place: str, limits: Limits) -> Contents:
    """
    Read every entry of a zip into memory.

    Returns:
        Sorted by path; a zip has no unread files: one bad entry and none is taken.

    Raises:
        InputError: Damaged, hostile or too large.
    """
    try:
        with (
            _BoundedFile(path, limits.zip_directory_bytes) as file,
            zipfile.ZipFile(file) as archive,
        ):
            size_bytes = os.fstat(file.fileno()).st_size
            if len(archive.infolist()) != _declared_entries(file, size_bytes):
                raise zipfile.BadZipFile("its list of files is not as long as its end says")
            budget = _Budget(place, limits, size_bytes)
            files = [
                _entry(archive, info, path, budget)
                for path, info in _checked(archive.infolist(), place, limits)
            ]
    except OSError as error:
        raise InputError(place, f"cannot be read: {reason_of(error)}", _DAMAGED_HINT) from error
    except NotImplementedError as error:
        raise InputError(place, f"not a zip that is read here: {error}", _FOLDER_HINT) from error
    except _DAMAGE as error:
        what = f"a damaged zip: {shown(str(error)) or type(error).__name__}"
        raise InputError(place, what, _DAMAGED_HINT) from error
    return Contents(tuple(sorted(files, key=lambda found: found.path)))


def _declared_entries(file: io.FileIO, size_bytes: int) -> int:
    """
    Read how many entries a zip says it has; one wrong byte can hide some from zipfile.

    Source:
        APPNOTE.TXT 4.3.16 and, for more than 65,534 entries, 4.3.14.
    """
    file.seek(max(0, size_bytes - _LONGEST_END_BYTES))
    tail = file.read(_LONGEST_END_BYTES)
    end = len(tail) - 22
    if tail[end : end + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        end = tail.rindex(b"PK\x05\x06")
    (count,) = struct.unpack_from("<H", tail, end + 10)
    if count == 0xFFFF:
        (count,) = struct.unpack_from("<Q", tail, tail.rindex(b"PK\x06\x06", 0, end) + 32)
    return int(count)


def _checked(
    infos: list[zipfile.ZipInfo], place: str, limits: Limits
) -> list[tuple[str, zipfile.ZipInfo]]:
    """Refuse a zip by its list of entries; give back its files with their paths."""
    if len(infos) > limits.zip_entries:
        raise InputError(place, f"more than {limits.zip_entries} entries", _FOLDER_HINT)
    named = []
    for info in infos:
        # zipfile cuts `filename` at a NUL; `orig_filename` is what stands there.
        name = info.orig_filename
        try:
            path = relative_path(name)
            _check_entry(info)
        except ValueError as error:
            raise InputError(place, f"{shown(name)}: {error}", _FOLDER_HINT) from error
        if name.endswith(("/", "\\")):
            continue
        if not path:
            raise InputError(place, "an entry without a name", _FOLDER_HINT)
        named.append((path, info))
    refuse_doubles(place, [path for path, _ in named])
    if sum(info.file_size for _, info in named) > limits.zip_total_bytes:
        what = f"more than {in_words(limits.zip_total_bytes)} unpacked"
        raise InputError(place, what, _FOLDER_HINT)
    return named


def _check_entry(info: zipfile.ZipInfo) -> None:
    unix_mode = info.external_attr >> 16
    kind = stat.S_IFMT(unix_mode)
    if stat.S_ISLNK(unix_mode) or info.external_attr & _REPARSE_POINT:
        raise ValueError("a link")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ValueError("neither a file nor a folder")
    if info.flag_bits & _ENCRYPTED:
        raise ValueError("encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError(f"packed with method {info.compress_type}, expected stored or deflated")


def _entry(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, budget: _Budget
) -> FoundFile:
    digest = hashlib.sha256()
    unpacked = io.BytesIO()
    with archive.open(info) as file:
        while chunk := file.read(_CHUNK_BYTES):
            budget.spend(len(chunk))
            unpacked.write(chunk)
            budget.check_ratio(unpacked.tell(), info.compress_size)
            digest.update(chunk)
    if unpacked.tell() != info.file_size:
        raise zipfile.BadZipFile(f"{path}: shorter than its entry says")
    return FoundFile(path, unpacked.getvalue(), digest.digest())
