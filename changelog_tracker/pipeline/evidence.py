"""What a snapshot brought of who and when: kept as it came, for whoever asks later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.errors import FileError
from changelog_tracker.pipeline.read import without_secrets
from changelog_tracker.store.contents import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from changelog_tracker.collect.gathered import FoundFile, Gathered, ManifestEvidence
    from changelog_tracker.model import Value
    from changelog_tracker.normalise.secrets import Fingerprints


def evidence_of(
    gathered: Gathered, fingerprints: Fingerprints
) -> tuple[list[dict[str, Value]], dict[bytes, bytes]]:
    """
    Give what the journal keeps of a bundle's evidence, and the bytes behind it.

    Returns:
        A line a source: what it covers, and the digest of each file without its secrets; and these
        files by their digests. A file that cannot be freed of secrets is named with why, not kept.
    """
    kept: dict[bytes, bytes] = {}
    lines: list[dict[str, Value]] = []
    for source in gathered.manifest.evidence if gathered.manifest else ():
        files: dict[str, Value] = {}
        not_kept: dict[str, Value] = {}
        for file in _files(gathered, source):
            try:
                data = without_secrets(file, fingerprints)
            except FileError as error:
                not_kept[file.path] = error.what
                continue
            digest = digest_of(data)
            kept[digest] = data
            files[file.path] = digest.hex()
        lines.append({**_coverage(source), "files": files, "not_kept": not_kept})
    return lines, kept


def _files(gathered: Gathered, source: ManifestEvidence) -> Iterator[FoundFile]:
    if source.file is None:
        return
    path = source.file.casefold()
    for file in gathered.files:
        if file.path.casefold() == path or file.path.casefold().startswith(path + "/"):
            yield file


def _coverage(source: ManifestEvidence) -> dict[str, Value]:
    return {
        "source": source.source,
        "enabled": source.enabled,
        "from": _text(source.starts),
        "to": _text(source.ends),
        "records": source.records,
        "truncated": source.truncated,
        "oldest": _text(source.oldest),
        "settings": dict(source.settings or {}),
    }


def _text(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat().replace("+00:00", "Z")
