"""Reads a folder, or a single file: every byte below it and nothing outside it."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker.collect.gathered import Contents, FoundFile, UnreadFile
from changelog_tracker.collect.limits import in_words
from changelog_tracker.collect.names import broken_name, refuse_doubles, shown
from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from changelog_tracker.collect.limits import Limits

# Not through a link, and not waiting on a pipe, should the file be swapped after it was listed.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
# Below this, handing a file over costs more than hashing it.
_LARGE_BYTES = 256 * 1024
_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT; the stat module has it on Windows only
_LINK_HINT = "a link may lead out of the folder; put the file itself there"
_SMALLER_HINT = "give only the folder with the exports and the configuration files, or a bundle"


@dataclass(slots=True)
class _Listing:
    """A folder being listed: what is to be read, and what has been counted so far."""

    place: str
    limits: Limits
    to_read: list[tuple[str, str, int]] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)
    entries: int = 0
    total_bytes: int = 0

    def refuse(self, path: str, what: str, hint: str | None = None) -> InputError:
        return InputError(self.place, f"{shown(path)}: {what}", hint)

    def leave(self, path: str, error: OSError) -> None:
        self.unread.append(UnreadFile(path, reason_of(error)))

    def add_file(self, path: str, entry: os.DirEntry[str]) -> None:
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise self.refuse(path, "neither a file nor a folder", "take it out of the folder")
        if status.st_size > self.limits.file_bytes:
            reason = f"larger than {in_words(self.limits.file_bytes)}"
            self.unread.append(UnreadFile(path, reason))
            return
        self.total_bytes += status.st_size
        if self.total_bytes > self.limits.total_bytes:
            what = f"more than {in_words(self.limits.total_bytes)} of files"
            raise InputError(self.place, what, _SMALLER_HINT)
        self.to_read.append((path, entry.path, status.st_size))


def read_folder(root: str, place: str, limits: Limits) -> Contents:
    """
    Read every file below a folder.

    Args:
        root: The folder; it may be a link itself, as the user named it.
        place: How messages name it.
        limits: What is too much.

    Returns:
        Sorted by path. A file or folder that may not be read is among the unread.

    Raises:
        InputError: A link, a pipe or device, a name that cannot be kept, too much.
    """
    listing = _list(root, place, limits)
    # Hashing a large file leaves Python free to read the next one.
    with ThreadPoolExecutor(1) as beside:
        hashed: list[tuple[str, bytes, Future[bytes] | None]] = []
        for path, full_path, size_bytes in listing.to_read:
            try:
                data = _read(full_path, size_bytes)
            except OSError as error:
                listing.leave(path, error)
                continue
            if len(data) != size_bytes:
                listing.unread.append(UnreadFile(path, "it changed while it was read"))
                continue
            large = size_bytes > _LARGE_BYTES
            hashed.append((path, data, beside.submit(_hash, data) if large else None))
        files = [
            FoundFile(path, data, job.result() if job else _hash(data))
            for path, data, job in hashed
        ]
    files.sort(key=lambda found: found.path)
    refuse_doubles(place, [found.path for found in files])
    return Contents(tuple(files), tuple(sorted(listing.unread, key=lambda left: left.path)))


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def read_single(path: str, place: str, limits: Limits) -> FoundFile:
    """
    Read PATH when it is one file.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    try:
        size_bytes = os.stat(path).st_size  # noqa: PTH116 - paths are text in this module
        if size_bytes > limits.file_bytes:
            raise InputError(place, f"larger than {in_words(limits.file_bytes)}", _SMALLER_HINT)
        data = _read(os.path.realpath(path), size_bytes)
    except OSError as error:
        raise InputError(place, f"cannot be read: {reason_of(error)}") from error
    if len(data) != size_bytes:
        raise InputError(place, "it changed while it was read", "import a copy of it")
    name = os.path.basename(path)  # noqa: PTH119
    if broken := broken_name(name):
        raise InputError(place, broken, "give the file another name")
    return FoundFile(name, data, _hash(data))


def reason_of(error: OSError) -> str:
    """Say why the system refused, in one line."""
    return " ".join((error.strerror or type(error).__name__).split())


def _list(root: str, place: str, limits: Limits) -> _Listing:
    listing = _Listing(place, limits)
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    _check_entry(listing, path, entry)
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append((path + "/", entry.path))
                        else:
                            listing.add_file(path, entry)
                    except OSError as error:
                        listing.leave(path, error)
        except OSError as error:
            if not prefix:
                raise InputError(place, f"cannot be read: {reason_of(error)}") from error
            listing.leave(prefix[:-1], error)
    return listing


def _check_entry(listing: _Listing, path: str, entry: os.DirEntry[str]) -> None:
    listing.entries += 1
    if listing.entries > listing.limits.files:
        what = f"more than {listing.limits.files} files and folders"
        raise InputError(listing.place, what, _SMALLER_HINT)
    if broken := broken_name(entry.name):
        raise listing.refuse(path, broken, "rename it or take it out of the folder")
    if "\\" in entry.name:
        hint = "a zip from Windows was unpacked badly; import the zip itself"
        raise listing.refuse(path, "the name holds a backslash", hint)
    if entry.is_symlink() or (os.name == "nt" and _is_junction(entry)):
        raise listing.refuse(path, "a symbolic link", _LINK_HINT)


def _is_junction(entry: os.DirEntry[str]) -> bool:
    tag: int = getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0)
    return tag == _JUNCTION


def _read(path: str, size_bytes: int) -> bytes:
    """Read a file, and one byte more than it had, to see whether it grew."""
    handle = os.open(path, _OPEN_FLAGS)
    try:
        data = os.read(handle, size_bytes + 1)
        while len(data) < size_bytes and (more := os.read(handle, size_bytes + 1 - len(data))):
            data += more
    finally:
        os.close(handle)
    return data
