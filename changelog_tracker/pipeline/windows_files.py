"""`windows/KIND.jsonl` of one import -> readings and records of the kinds of Windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.product_update import FILE_ENTRY
from changelog_tracker.diff.unsaid import is_part
from changelog_tracker.errors import FileError
from changelog_tracker.model import Reading, ReadingId, Record, ResourceId
from changelog_tracker.normalise.secret_words import is_secret_pair, is_secret_value
from changelog_tracker.parse.windows_lines import windows_lines
from changelog_tracker.pipeline.names import on_server
from changelog_tracker.pipeline.read import IIS_CONFIG, canonical_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from changelog_tracker.collect.gathered import FoundFile, Gathered, ManifestReading
    from changelog_tracker.model import Known, Settings, Value
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.names import FileNames
    from changelog_tracker.pipeline.read import Contents

REGISTRY_VALUE, DATA = "RegistryValue", "Data"
_FOLDER, _ENDING = "windows", ".jsonl"
_APPLICATION_HOST = "applicationhost.config"


class WindowsFiles:
    """
    Reads the kinds of Windows. Their lines are kept whole, so their files are not kept besides.

    Args:
        contents: What is filled.
        fingerprints: Under the store's key.
        names: How files of the server are named.
        known: What is known of the server.
        gathered: All files of the import, and what bundle.json says of them.
    """

    def __init__(
        self,
        contents: Contents,
        fingerprints: Fingerprints,
        names: FileNames,
        known: Known,
        gathered: Gathered,
    ) -> None:
        self._contents = contents
        self._fingerprints = fingerprints
        self._names = names
        self._known = known
        self._single = gathered.single
        manifest = gathered.manifest
        self._listed = {one.file or one.kind: one for one in manifest.readings} if manifest else {}

    def kind_of(self, path: str) -> str | None:
        """Tell the kind that a file is of: bundle.json says it, else folder and name do."""
        kinds, listed = catalogue.windows_kinds(), self._listed.get(path)
        if listed is not None:
            return listed.kind if listed.kind in kinds else None
        folder, _, name = path.casefold().rpartition("/")
        is_there = self._single or folder.rpartition("/")[2] == _FOLDER
        if not name.endswith(_ENDING) or not is_there or on_server(path) != path:
            return None
        return next((kind for kind in kinds if f"{kind.casefold()}{_ENDING}" == name), None)

    def of_kind(self, kind: str, readings: Iterable[Reading]) -> list[Reading]:
        """
        Give those of some readings that a file of a kind told when its bytes were last read.

        Files of several kinds may have the same bytes: none.
        """
        if self._is_doubtful(kind):
            return []
        return [one for one in readings if one.id == ReadingId(kind)]

    def read(self, kind: str, file: FoundFile, fingerprint: bytes) -> None:
        """
        Read one file.

        Raises:
            FileError: It cannot be read, or another file tells the same kind.
        """
        self._refuse(kind, file)
        lines = windows_lines(kind, file.data, file.path)
        whole, place = ReadingId(kind), self._listed.get(file.path)
        mode = place.mode if place else "full"
        self._contents.readings[whole.key] = Reading(whole, "read", mode, None, fingerprint)
        self._contents.records[whole.key] = [
            Record(ResourceId(kind, name), canonical_settings(self._kept(kind, name, settings)))
            for name, settings in ((self._name(kind, n), one) for n, one in lines.settings.items())
        ]
        parts = [
            Reading(ReadingId(kind, self._name(kind, name)), "unread", "full", reason)
            for name, reason in lines.unread.items()
        ]
        self._contents.readings |= {one.id.key: one for one in parts}
        self._tell(kind, parts)

    def carry_over(self, readings: Iterable[Reading]) -> None:
        """With a file that says what it said, what was not read in it stays so."""
        kinds = {one.id.kind for one in readings} & catalogue.windows_kinds().keys()
        for kind in kinds:
            parts = [
                last.reading
                for last in self._known.readings.values()
                if last.reading.id.kind == kind
                and is_part(last.reading.id)
                and last.reading.status == "unread"
            ]
            self._contents.readings |= {one.id.key: one for one in parts}
            self._contents.unchanged |= {one.id.key for one in parts}
            self._tell(kind, parts)

    def _refuse(self, kind: str, file: FoundFile) -> None:
        if ReadingId(kind).key in self._contents.readings:
            what = f"a second file that tells {kind}; expected one"
            raise FileError(file.path, what, "import the files of one moment alone")
        if self._is_doubtful(kind):
            what = "applicationHost.config was not read, so nobody knows which folders it is about"
            raise FileError(file.path, what)

    def _is_doubtful(self, kind: str) -> bool:
        """Tell whether files may be missing that are there: those of folders that IIS knows."""
        return kind == FILE_ENTRY and any(map(_hides_folders, self._listed.values()))

    def _name(self, kind: str, name: str) -> str:
        return self._names.named(name.replace("\\", "/")) if kind == FILE_ENTRY else name

    def _kept(self, kind: str, name: str, settings: Settings) -> Settings:
        """Put fingerprints in the place of secrets; none should have been read at all."""
        if kind != REGISTRY_VALUE:
            return settings
        return {**settings, DATA: self._told(name.rpartition(" : ")[2], settings[DATA])}

    def _told(self, name: str, value: Value) -> Value:
        if isinstance(value, list):
            return [self._told(name, one) for one in value]
        if isinstance(value, str) and (is_secret_pair(name, value) or is_secret_value(value)):
            return self._fingerprints.of_text(value)
        return value

    def _tell(self, kind: str, parts: Iterable[Reading]) -> None:
        """Say what was not read: one line for all that has the same reason."""
        reasons: dict[str, list[str]] = {}
        for one in parts:
            reasons.setdefault(one.reason or "no reason given", []).append(one.id.scope)
        for reason, names in reasons.items():
            more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
            self._contents.problems.append(
                FileError(kind, f"not read: {min(names)}{more}: {reason}")
            )


def _hides_folders(listed: ManifestReading) -> bool:
    is_it = listed.file is None or listed.file.casefold().endswith(_APPLICATION_HOST)
    return listed.kind == IIS_CONFIG and listed.status == "unread" and is_it
