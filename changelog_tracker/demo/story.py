"""
The story that `changelog-tracker demo` tells: nine days of EX01, from its installation to the
morning after it was lost and rebuilt.

Each chapter is a file of `chapters/`, which says what happened since the one before; what Setup
left is in `base/`. All of it is made up, and all times lie in the past.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from changelog_tracker.demo.sample import Sample, installed, scripts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

_MANIFEST = "bundle.json"
_FILE_KINDS = {"applicationHost.config": "IisConfig", "redirection.config": "IisConfig"}


@dataclass(frozen=True, slots=True)
class Words:
    """
    What the administrator says of changes after a snapshot.

    Args:
        changes: Which ones: a pattern of their paths, as `log` takes it.
        reason: Why.
        ticket: The number of the request for change.
        by: Who.
    """

    changes: str
    reason: str
    ticket: str
    by: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """
    One snapshot of the story.

    Args:
        name: Of its file and its bundle: `2026-09-07-install`.
        title: What happened, in one line.
        taken_at: When the bundle was made; aware, UTC.
        files: Bytes by path in the bundle, without bundle.json.
        manifest: What bundle.json holds.
        document: What the administrator documents after this snapshot.
    """

    name: str
    title: str
    taken_at: datetime
    files: Mapping[str, bytes]
    manifest: dict[str, Any]
    document: tuple[Words, ...]


def chapters() -> list[Chapter]:
    """Tell the story, oldest chapter first; each time to the same bytes."""
    told = []
    sample = installed()
    for name, script in scripts():
        if script.get("installed_again"):
            sample = installed()
        sample.edit(script)
        told.append(_chapter(name, script, sample))
    return told


def write_bundle(chapter: Chapter, folder: Path) -> Path:
    """
    Write a chapter as a bundle.

    Args:
        chapter: Which one.
        folder: Where the bundle's own folder goes; it is made where it is missing.

    Returns:
        The bundle: `folder/<name of the chapter>`.
    """
    bundle = folder / chapter.name
    for path, data in chapter.files.items():
        file = bundle / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (bundle / _MANIFEST).write_bytes(json.dumps(chapter.manifest, indent=2).encode("utf-8"))
    return bundle


def _chapter(name: str, script: Mapping[str, Any], sample: Sample) -> Chapter:
    taken_at: datetime = script["taken_at"].astimezone(UTC)
    files = sample.bundle_files(name, taken_at)
    return Chapter(
        name=name,
        title=script["title"],
        taken_at=taken_at,
        files=files,
        manifest=_manifest(sample.server, taken_at, files),
        document=tuple(Words(**words) for words in script.get("document", [])),
    )


def _manifest(
    server: Mapping[str, Any], taken_at: datetime, files: Mapping[str, bytes]
) -> dict[str, Any]:
    readings = [
        _reading(path, "read", hashlib.sha256(data).hexdigest()) for path, data in files.items()
    ]
    readings += [_reading(path, "absent", None) for path in server["absent"]]
    return {
        "format": 1,
        "server": server["server"],
        "taken_at": taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "utc_offset_min": server["utc_offset_min"],
        "time_zone": server["time_zone"],
        "collector": dict(server["collector"]),
        "exchange": dict(server["exchange"]),
        "windows": dict(server["windows"]),
        "readings": readings,
        "evidence": [],
    }


def _reading(path: str, status: str, sha256: str | None) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    kind = _FILE_KINDS.get(name, "ConfigFile")
    if path.startswith("exchange/"):
        kind = name.removesuffix(".clixml")
    return {
        "kind": kind,
        "file": path,
        "mode": "full",
        "status": status,
        "reason": None,
        "sha256": sha256,
    }
