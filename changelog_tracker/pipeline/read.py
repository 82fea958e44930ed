"""What the files of one import hold, as it is filled file by file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker.diff.timeline import CONFIG_FILE, IIS_CONFIG
from changelog_tracker.model import Reading, ReadingId
from changelog_tracker.normalise.secrets import redact
from changelog_tracker.parse.recognise import as_utf8
from changelog_tracker.parse.xml import read_xml

if TYPE_CHECKING:
    from changelog_tracker.collect.gathered import FoundFile
    from changelog_tracker.errors import FileError
    from changelog_tracker.model import Mode, ReadingKey, Record, ResourceKey, Settings, Value
    from changelog_tracker.normalise.secrets import Fingerprints

__all__ = [
    "CONFIG_FILE",
    "IIS_CONFIG",
    "NOT_USED",
    "Contents",
    "canonical_settings",
    "without_secrets",
]

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_BLOCKS = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))
NOT_USED = "NotUsed"


@dataclass(slots=True)
class Contents:
    """
    What the files of one import hold.

    Args:
        readings: Every answer, with its file's fingerprint.
        records: The resources of each reading that was parsed.
        unchanged: Readings whose bytes are known.
        raw: The redacted bytes of each file that was parsed, by its reading.
        touched: The resources that can differ, of a file that is compared in part.
        facts: What the exports say of the server itself, with the file's fingerprint.
        servers: Names of servers that the exports speak of, with how often.
        problems: What could not be read, each one line.
        not_used: Files that are no source, with why.
    """

    readings: dict[ReadingKey, Reading] = field(default_factory=dict)
    records: dict[ReadingKey, list[Record]] = field(default_factory=dict)
    unchanged: set[ReadingKey] = field(default_factory=set)
    raw: dict[ReadingKey, bytes] = field(default_factory=dict)
    touched: dict[ReadingKey, set[ResourceKey]] = field(default_factory=dict)
    facts: dict[str, tuple[Value, bytes | None]] = field(default_factory=dict)
    servers: Counter[str] = field(default_factory=Counter)
    problems: list[FileError] = field(default_factory=list)
    not_used: dict[str, str] = field(default_factory=dict)

    def set_read(self, reading: ReadingId, fingerprint: bytes, data: bytes, mode: Mode) -> None:
        """Take down that a file answered a reading."""
        self.readings[reading.key] = Reading(reading, "read", mode, None, fingerprint)
        self.raw[reading.key] = self.raw.get(reading.key, b"") + data

    def set_not_used(self, path: str, fingerprint: bytes, why: str) -> None:
        """Take down that a file is no source."""
        reading = ReadingId(NOT_USED, path)
        self.not_used[path] = why
        self.readings[reading.key] = Reading(reading, "read", "full", why, fingerprint)
        self.records[reading.key] = []


def without_secrets(
    file: FoundFile, fingerprints: Fingerprints, names: frozenset[str] = frozenset()
) -> bytes:
    """
    Give a file with fingerprints in the place of its secrets, in UTF-8 if it was UTF-16.

    Args:
        file: The file.
        fingerprints: Under the store's key.
        names: See `redact`.

    Raises:
        FileError: It is not well-formed, and searching it for secrets would not end.
    """
    data = as_utf8(file.data)
    if any(data.count(start) > data.count(end) for start, end in _BLOCKS):
        read_xml(data, file.path)
    return redact(data, fingerprints, names)


def canonical_settings(settings: Settings) -> bytes:
    """Give the bytes that stand for an object's settings."""
    return _ENCODER.encode(settings).encode()
