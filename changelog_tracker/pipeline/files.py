"""
The files of one import -> readings, resources and facts about the server.

What each file is, its content says. A file whose bytes are known is not parsed again; a file that
cannot be read becomes an unread reading with its reason, and nothing else is lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.errors import FileError, InputError
from changelog_tracker.model import Reading, ReadingId
from changelog_tracker.parse.clixml import clixml_types
from changelog_tracker.parse.iis_config import (
    application_host_records,
    build_folders,
    changed_blocks,
    web_config_records,
)
from changelog_tracker.parse.recognise import as_utf8, kind_of
from changelog_tracker.parse.xml import local_name, read_xml
from changelog_tracker.pipeline.exports import Exports
from changelog_tracker.pipeline.names import FileNames
from changelog_tracker.pipeline.read import (
    CONFIG_FILE,
    IIS_CONFIG,
    NOT_USED,
    Contents,
    without_secrets,
)
from changelog_tracker.pipeline.windows_files import WindowsFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from changelog_tracker.collect.gathered import FoundFile, Gathered, ManifestReading
    from changelog_tracker.model import Known, ReadingKey
    from changelog_tracker.normalise.exchange import ExchangeObject
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.parse.xml import Element


# The largest of Exchange itself, SharedWebConfig.config, has 40,000.
MOST_TAGS = 400_000
_METABASE = frozenset({"MBProperty", "MBConfig"})


class FileReader:
    """
    Reads the files of one import, one after the other.

    Args:
        gathered: The files.
        fingerprints: Under the store's key.
        known: What is known of the server, to leave out what is not new.
        raw: Gives the stored file behind a reading, where there is one.
    """

    def __init__(
        self,
        gathered: Gathered,
        fingerprints: Fingerprints,
        known: Known,
        raw: Callable[[ReadingKey], bytes | None],
    ) -> None:
        self._gathered = gathered
        self._fingerprints = fingerprints
        self.raw = raw
        self._matched: dict[str, tuple[bytes, list[Reading]]] = {}
        self._names = FileNames.of(gathered)
        self._manifest: Mapping[str, ManifestReading] = {
            reading.file: reading
            for reading in (gathered.manifest.readings if gathered.manifest else ())
            if reading.file is not None
        }
        self._known: dict[bytes, list[Reading]] = {}
        for last in known.readings.values():
            if last.reading.fingerprint is not None:
                self._known.setdefault(last.reading.fingerprint, []).append(last.reading)
        self.contents = Contents()
        self._exports = Exports(self.contents, fingerprints, self._manifest)
        self._windows = WindowsFiles(self.contents, fingerprints, self._names, known, gathered)

    def add_objects(self, server: str) -> None:
        """Turn the Exchange objects of one server into records."""
        self._exports.add_objects(server)

    def objects(self, key: ReadingKey) -> list[ExchangeObject]:
        """Give the Exchange objects of a kind, of every server that was in the files."""
        return self._exports.of_kind(key[0])

    @property
    def install_path(self) -> str | None:
        """Where Exchange is installed, as far as the files tell."""
        return self._names.install_path

    def unknown(self) -> tuple[str, ...]:
        """Give the files whose bytes are not there, and are not known: they are to be fetched."""
        return tuple(
            file.path
            for file in self._gathered.files
            if not file.fetched and not self._match(file)[1]
        )

    def read(self) -> Contents:
        """
        Read every file.

        Raises:
            InputError: Nothing was recognised, or PATH itself is one bad file.
        """
        found: list[tuple[FoundFile, bytes, list[Reading]]] = []
        for file in self._gathered.files:
            if self._gathered.manifest and file.path not in self._manifest:
                # bundle.json itself, evidence, and what no hash covers.
                continue
            found.append((file, *self._match(file)))
        # A noun of which one file is new is read whole: what its other files tell goes with it.
        new = {noun for file, _, known in found if not known for noun in _nouns_of(file)}
        for file, fingerprint, known in found:
            if not known or not new.isdisjoint(r.id.kind for r in known):
                self._read_one(file, fingerprint)
            elif any(r.id.key in self.contents.readings for r in known):
                # Which objects of a noun came from which of two files is not kept.
                self._read_one(file, fingerprint)
            else:
                self.contents.readings |= {r.id.key: r for r in known}
                self.contents.unchanged |= {r.id.key for r in known}
                self._windows.carry_over(known)
        self._read_manifest()
        for unread in self._gathered.unread:
            self._set_unread(unread.path, FileError(unread.path, unread.reason), None)
        if all(reading.id.kind == NOT_USED for reading in self.contents.readings.values()):
            raise InputError(
                self._gathered.place,
                "nothing in it was recognised; expected a bundle, a backup with files/C/..., "
                "CLIXML exports, applicationHost.config or web.config",
                "docs/how-to.md says what to copy and export on the server",
            )
        return self.contents

    def _match(self, file: FoundFile) -> tuple[bytes, list[Reading]]:
        if file.path not in self._matched:
            fingerprint = self._fingerprints.of_file(file.sha256)
            self._matched[file.path] = fingerprint, self._known_readings(file, fingerprint)
        return self._matched[file.path]

    def _known_readings(self, file: FoundFile, fingerprint: bytes) -> list[Reading]:
        """Give what a file told when its bytes were last read; nothing where it must be read."""
        name = self._names.shown(file.path)
        same = [
            reading
            for reading in self._known.get(fingerprint, [])
            if reading.id.kind not in {CONFIG_FILE, IIS_CONFIG, NOT_USED}
            or reading.id.scope in {name, file.path}
        ]
        windows = self._windows.kind_of(file.path)
        if windows is not None:
            same = self._windows.of_kind(windows, same)
        # A noun that was not given since, so that only a part of it kept its mark, is read again.
        parts = {r.id.kind for r in same if r.id.scope and r.id.kind in catalogue.nouns()} - {
            SERVER
        }
        if not parts <= {r.id.kind for r in same if not r.id.scope}:
            return []
        # What could not be read is tried again: the program may have learnt to.
        if any(r.status == "unread" and r.mode != "ad-only" for r in same):
            return []
        return same

    def _read_one(self, file: FoundFile, fingerprint: bytes) -> None:
        try:
            if not file.fetched:
                raise FileError(file.path, "its bytes were not fetched", "take the snapshot again")
            self._dispatch(file, fingerprint)
        except FileError as error:
            if self._gathered.single:
                raise
            self._set_unread(file.path, error, fingerprint)

    def _dispatch(self, file: FoundFile, fingerprint: bytes) -> None:
        what, windows = kind_of(file.data), self._windows.kind_of(file.path)
        if windows is not None:
            self._windows.read(windows, file, fingerprint)
        elif what == "clixml":
            self._exports.read(file, fingerprint)
        elif what == "configuration":
            self._read_configuration(file, fingerprint)
        elif what == "xml" and file.path.lower().endswith(".config"):
            read_xml(as_utf8(file.data), file.path)
            raise FileError(file.path, "its root is not <configuration>")
        elif self._gathered.single:
            raise FileError(
                file.path,
                "is neither CLIXML, nor a configuration file, nor a bundle",
                "give an Export-Clixml file, applicationHost.config, web.config or a bundle",
            )
        elif what == "xml" or file.path.lower().endswith((".config", ".clixml", ".xml")):
            root = read_xml(as_utf8(file.data), file.path)
            raise FileError(
                file.path, f"its root is <{root.tag}>; expected <Objs> (CLIXML) or <configuration>"
            )
        else:
            self.contents.set_not_used(file.path, fingerprint, "not a kind of file that is read")

    # --- configuration files --------------------------------------------------------------------

    def _read_configuration(self, file: FoundFile, fingerprint: bytes) -> None:
        tags = file.data.count(b"<")
        if tags > MOST_TAGS:
            raise FileError(file.path, f"has {tags:,} tags; at most {MOST_TAGS:,} are read")
        data = without_secrets(file, self._fingerprints)
        root = read_xml(data, file.path)
        if any(local_name(child) in _METABASE for child in root):
            raise FileError(file.path, "is an IIS 6 metabase, which is not read yet")
        name = self._names.shown(file.path)
        if any(local_name(child) == "system.applicationHost" for child in root):
            reading = ReadingId(IIS_CONFIG, name)
            self._read_application_host(reading, root)
            builds = build_folders(root)
            if builds:
                newest = max(builds, key=lambda text: [int(part) for part in text.split(".")])
                self.contents.facts["FolderBuild"] = (newest, fingerprint)
        else:
            redirection = any(local_name(child) == "configurationRedirection" for child in root)
            reading = ReadingId(IIS_CONFIG if redirection else CONFIG_FILE, name)
            self.contents.records[reading.key] = web_config_records(root, name)
        listed = self._manifest.get(file.path)
        self.contents.set_read(reading, fingerprint, data, listed.mode if listed else "full")

    def _read_application_host(self, reading: ReadingId, root: Element) -> None:
        """Read the places that differ from the file that is known; the first time, all."""
        stored = self.raw(reading.key)
        if stored is None:
            self.contents.records[reading.key] = application_host_records(root)
            return
        old, new = changed_blocks(read_xml(stored, reading.scope), root)
        records = application_host_records(new)
        self.contents.records[reading.key] = records
        touched = {record.resource.key for record in (*application_host_records(old), *records)}
        self.contents.touched[reading.key] = touched

    # --- what was not read ----------------------------------------------------------------------

    def _read_manifest(self) -> None:
        """Take over what bundle.json says was not read, or is not there."""
        for listed in self._gathered.manifest.readings if self._gathered.manifest else ():
            reading = self._reading_of(listed.kind, listed.file)
            if listed.status == "read" or reading.key in self.contents.readings:
                continue
            self.contents.readings[reading.key] = Reading(
                reading, listed.status, listed.mode, listed.reason
            )
            if listed.status == "unread":
                reason = listed.reason or "no reason given"
                self.contents.problems.append(FileError(str(reading), f"not read: {reason}"))

    def _reading_of(self, kind: str, path: str | None) -> ReadingId:
        if kind in {CONFIG_FILE, IIS_CONFIG} and path is not None:
            return ReadingId(kind, self._names.shown(path))
        return ReadingId(kind)

    def _set_unread(self, path: str, error: FileError, fingerprint: bytes | None) -> None:
        self.contents.problems.append(error)
        line = error.place.removeprefix(path).lstrip(", ")
        reason = f"{line}: {error.what}" if line else error.what
        for reading in self._readings_at(path):
            self.contents.readings[reading.key] = Reading(
                reading, "unread", "full", reason, fingerprint
            )

    def _readings_at(self, path: str) -> list[ReadingId]:
        """Tell what a file that cannot be read would have told, by bundle.json or its name."""
        listed = self._manifest.get(path)
        if listed is not None:
            return [self._reading_of(listed.kind, path)]
        windows = self._windows.kind_of(path)
        if windows is not None:
            return [ReadingId(windows)]
        name = path.rpartition("/")[2].casefold()
        if name in {"applicationhost.config", "redirection.config"}:
            return [ReadingId(IIS_CONFIG, self._names.shown(path))]
        if name.endswith(".config"):
            return [ReadingId(CONFIG_FILE, self._names.shown(path))]
        bare = re.sub(r"^get-?|\.(clixml|xml)$", "", name)
        nouns = [noun for noun in catalogue.nouns() if noun.casefold() == bare]
        return [ReadingId(noun) for noun in nouns] or [ReadingId(NOT_USED, path)]


def _nouns_of(file: FoundFile) -> set[str]:
    """Give the kinds that an export may tell; two of them share one .NET type."""
    if kind_of(file.data) != "clixml":
        return set()
    nouns = {catalogue.noun_of_type(one) for one in clixml_types(file.data)} - {None}
    both = {"ClientAccessServer", "ClientAccessService"}
    return {str(noun) for noun in nouns} | (both if nouns & both else set())
