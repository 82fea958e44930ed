"""Holds a bundle against its own list: what bundle.json does not cover is not trusted."""

from __future__ import annotations

import hmac
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker.collect.gathered import Contents, UnreadFile
from changelog_tracker.collect.manifest import NAME
from changelog_tracker.collect.names import shown
from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.collect.gathered import FoundFile, Manifest, ManifestReading

_BY_READINGS = ("exchange", "files", "windows")
_BY_EVIDENCE = "evidence"
_CHANGED_HINT = "it was changed or damaged after it was made; make the bundle again on the server"
_UNLISTED_HINT = "take the file out, or make the bundle again on the server"


def held_against(manifest: Manifest, contents: Contents, place: str) -> tuple[Manifest, Contents]:
    """
    Check that list and files of a bundle fit each other, both ways.

    Returns:
        The list, its files named as they were found; and the contents, where a file that the
        list calls unread is unread, and a file that cannot be read here too.

    Raises:
        InputError: A hash that does not fit, a file missing, too many, or there though absent.
    """
    found = {file.path.casefold(): file for file in contents.files}
    unread = {left.path.casefold(): left for left in contents.unread}
    readings = []
    for reading in manifest.readings:
        reading, left = _checked(reading, found, unread, place)  # noqa: PLW2901
        readings.append(reading)
        if left is not None:
            unread[left.path.casefold()] = left
    manifest = replace(manifest, readings=tuple(readings))
    _refuse_unlisted(manifest, contents, place)
    _refuse_lost_evidence(manifest, contents, place)
    files = tuple(file for key, file in found.items() if key not in unread)
    return manifest, Contents(files, tuple(sorted(unread.values(), key=lambda left: left.path)))


def _checked(
    reading: ManifestReading,
    files: Mapping[str, FoundFile],
    unread: Mapping[str, UnreadFile],
    place: str,
) -> tuple[ManifestReading, UnreadFile | None]:
    """Check one reading; give it back with its file as found, and that file if it is unread."""
    if reading.file is None:
        return reading, None
    path = reading.file
    found = files.get(path.casefold())
    if reading.status == "read" and found is None:
        reason = _why_unread(path, unread)
        if reason is None:
            what = f"{shown(path)}: {NAME} lists it, but it is not there"
            raise InputError(place, what, _CHANGED_HINT)
        return reading, UnreadFile(path, reason)
    if found is None:
        return reading, None
    if reading.status == "absent":
        what = f"{shown(path)}: it is there, but {NAME} says that it is absent"
        raise InputError(place, what, _CHANGED_HINT)
    reading = replace(reading, file=found.path)
    if reading.status == "unread":
        return reading, UnreadFile(found.path, reading.reason or f"{NAME} says that it is unread")
    if not hmac.compare_digest(reading.sha256 or b"", found.sha256):
        what = f"{shown(path)}: its SHA-256 is not the one {NAME} gives"
        raise InputError(place, what, _CHANGED_HINT)
    return reading, None


def _why_unread(path: str, unread: Mapping[str, UnreadFile]) -> str | None:
    """Find why a file could not be read here: it, or a folder above it."""
    return next((unread[key].reason for key in _upwards(path) if key in unread), None)


def _upwards(path: str) -> Iterator[str]:
    """Yield a path and each folder above it, without case."""
    key = path.casefold()
    while key:
        yield key
        key = key.rpartition("/")[0]


def _refuse_unlisted(manifest: Manifest, contents: Contents, place: str) -> None:
    listed = {reading.file.casefold() for reading in manifest.readings if reading.file}
    evidence = {source.file.casefold() for source in manifest.evidence if source.file}
    for file in contents.files:
        key = file.path.casefold()
        top = key.partition("/")[0]
        if top == _BY_EVIDENCE:
            covered = any(above in evidence for above in _upwards(key))
        else:
            covered = top not in _BY_READINGS or key in listed
        if not covered:
            what = f"{shown(file.path)}: {NAME} does not list it"
            raise InputError(place, what, _UNLISTED_HINT)


def _refuse_lost_evidence(manifest: Manifest, contents: Contents, place: str) -> None:
    """Refuse a source that says how many records it gave, and is not there."""
    there = sorted(path.casefold() for path in contents.paths)
    for source in manifest.evidence:
        if source.file and source.records and not _holds(there, source.file.casefold()):
            what = f"{shown(source.file)}: {NAME} lists it, but it is not there"
            raise InputError(place, what, _CHANGED_HINT)


def _holds(there: list[str], path: str) -> bool:
    """Tell whether a file, or one in the folder of that name, is among sorted paths."""
    for start in (path, path + "/"):
        at = bisect_left(there, start)
        if at < len(there) and (there[at] == path or there[at].startswith(path + "/")):
            return True
    return False
