"""What `import PATH` found: bytes with their paths, and what the bundle says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from changelog_tracker.model import Mode, Status, Value


@dataclass(frozen=True, slots=True)
class FoundFile:
    """
    One file as it was found.

    Args:
        path: Relative to the root, forward slashes, in the case it was found in.
        data: Its bytes as on disk.
        sha256: Their digest (32 bytes), taken while reading.
        fetched: Whether the bytes are there. Over the network only those are fetched that the
            store does not know; of the others the server gave the digest alone.
    """

    path: str
    data: bytes
    sha256: bytes
    fetched: bool = True


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file or folder that is there and could not be read, with the reason in one line."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder, a zip or a file holds, before anything is made of it."""

    files: tuple[FoundFile, ...]
    unread: tuple[UnreadFile, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Every path, those of the files first."""
        return [file.path for file in self.files] + [left.path for left in self.unread]


@dataclass(frozen=True, slots=True)
class ManifestCollector:
    """The program that made the bundle."""

    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestExchange:
    """What the server said of its Exchange; `shell` is how the collector reached its cmdlets."""

    version: str | None = None
    build: str | None = None
    exsetup: str | None = None
    admin_display_version: str | None = None
    install_path: str | None = None
    shell: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestWindows:
    """
    What the server said of its Windows; `install_date` as it was written.

    `features` are the components of IIS, `iis_schema` names of schema files, both sorted.
    """

    build: str | None = None
    system_root: str | None = None
    install_date: str | None = None
    machine_sid: str | None = None
    features: tuple[str, ...] | None = None
    url_rewrite: str | None = None
    iis_schema: tuple[str, ...] | None = None
    powershell: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestReading:
    """
    One line of the list of what was looked for on the server.

    Args:
        kind: The noun, `ConfigFile`, `IisConfig` or a kind of Windows.
        file: As `FoundFile.path` or `UnreadFile.path` where the file is there; None where
            the collector named no file.
        mode: What the answer can tell at all.
        status: `absent` is an answer that there is none; `unread` is no answer.
        reason: Why it was not read, in one line.
        sha256: Digest (32 bytes); always there, and checked, when the status is `read`.
    """

    kind: str
    file: str | None
    mode: Mode
    status: Status
    reason: str | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class ManifestEvidence:
    """
    One source of who and when; `starts`, `ends` and `oldest` are aware and UTC.

    `file` is one file of the bundle or a folder that holds several; `starts` and `ends` are the
    `from` and `to` of bundle.json.
    """

    source: str
    file: str | None = None
    enabled: bool | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    records: int | None = None
    truncated: bool | None = None
    oldest: datetime | None = None
    settings: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    The bundle.json of a bundle, checked.

    Args:
        server: Short name, in the case it was written in.
        taken_at: Aware, UTC.
        utc_offset_min: Minutes that the server's clock was ahead of UTC.
        time_zone: The Windows name of its time zone.
        skew_ms: Milliseconds that its clock ran ahead of the clock of who collected over the
            network; None where the server itself made the bundle.
    """

    server: str
    taken_at: datetime
    utc_offset_min: int | None
    time_zone: str | None
    skew_ms: int | None
    collector: ManifestCollector
    exchange: ManifestExchange
    windows: ManifestWindows
    readings: tuple[ManifestReading, ...]
    evidence: tuple[ManifestEvidence, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """
    Everything that PATH holds.

    Args:
        place: PATH as given, for messages.
        files: Sorted by path; bundle.json is among them.
        unread: Sorted by path; also what bundle.json says was not read, though bytes lie there.
        manifest: bundle.json, when there is one; the files then fit its hashes.
        single: Whether PATH itself is one file, and no zip.
    """

    place: str
    files: tuple[FoundFile, ...]
    unread: tuple[UnreadFile, ...]
    manifest: Manifest | None
    single: bool
