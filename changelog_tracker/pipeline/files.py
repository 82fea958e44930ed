"""
The files of one import -> readings, resources and facts about the server.

What each file is, its content says. A file whose bytes are known is not parsed again; a file that
cannot be read becomes an unread reading with its reason, and nothing else is lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.timeline import NOT_GIVEN
from changelog_tracker.errors import FileError, InputError
from changelog_tracker.model import Reading, ReadingId, Record, ResourceId
from changelog_tracker.normalise.exchange import exchange_objects, unused_types
from changelog_tracker.normalise.secrets import SECRET_TOKEN, redact
from changelog_tracker.parse.clixml import clixml_types, parse_clixml
from changelog_tracker.parse.iis_config import (
    application_host_records,
    build_folders,
    changed_blocks,
    web_config_records,
)
from changelog_tracker.parse.recognise import as_utf8, kind_of
from changelog_tracker.parse.xml import read_xml
from changelog_tracker.pipeline.names import FileNames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from changelog_tracker.collect.gathered import FoundFile, Gathered, ManifestReading
    from changelog_tracker.model import (
        Known,
        Mode,
        ReadingKey,
        ResourceKey,
        Settings,
        Status,
        Value,
    )
    from changelog_tracker.normalise.exchange import ExchangeObject
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.parse.xml import Element

NOT_USED = "NotUsed"
IIS_CONFIG = "IisConfig"
CONFIG_FILE = "ConfigFile"
AD_ONLY = "exported with -ADPropertiesOnly, which does not tell what IIS holds"


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
    facts: dict[str, tuple[Value, bytes | None]] = field(default_factory=dict)
    servers: Counter[str] = field(default_factory=Counter)
    problems: list[FileError] = field(default_factory=list)
    not_used: dict[str, str] = field(default_factory=dict)
    touched: dict[ReadingKey, set[ResourceKey]] = field(default_factory=dict)
    objects: list[tuple[ExchangeObject, str, bytes]] = field(default_factory=list)


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
        self._raw = raw
        self._names = FileNames.of(gathered, known)
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

    @property
    def install_path(self) -> str | None:
        """Where Exchange is installed, as far as the files tell."""
        return self._names.install_path

    def read(self) -> Contents:
        """
        Read every file.

        Raises:
            InputError: Nothing was recognised, or PATH itself is one bad file.
        """
        for file in self._gathered.files:
            if file.path == "bundle.json" or file.path.startswith("evidence/"):
                continue
            fingerprint = self._fingerprints.of_file(file.sha256)
            if not self._is_known(file, fingerprint):
                self._read_one(file, fingerprint)
        self._read_manifest()
        for unread in self._gathered.unread:
            self._set_unread(unread.path, FileError(unread.path, unread.reason), None)
        if not self.contents.readings:
            raise InputError(
                self._gathered.place,
                "nothing in it was recognised; expected a bundle, a backup with files/C/..., "
                "CLIXML exports, applicationHost.config or web.config",
                "make one with: changelog-tracker collector -o collect.ps1",
            )
        return self.contents

    def _is_known(self, file: FoundFile, fingerprint: bytes) -> bool:
        found = self._known.get(fingerprint, [])
        name = self._names.shown(file.path)
        same = [
            reading
            for reading in found
            if reading.id.kind not in {CONFIG_FILE, IIS_CONFIG, NOT_USED}
            or reading.id.scope in {name, file.path}
        ]
        # A noun that two files tell is read again: which objects came from which is not kept.
        if not same or any(r.id.key in self.contents.readings for r in same):
            return False
        for reading in same:
            self.contents.readings[reading.id.key] = reading
            self.contents.unchanged.add(reading.id.key)
            if reading.status == "unread":
                self.contents.problems.append(FileError(file.path, reading.reason or "not read"))
        return True

    def _read_one(self, file: FoundFile, fingerprint: bytes) -> None:
        try:
            self._dispatch(file, fingerprint)
        except FileError as error:
            if self._gathered.single:
                raise
            self._set_unread(file.path, error, fingerprint)

    def _dispatch(self, file: FoundFile, fingerprint: bytes) -> None:
        what = kind_of(file.data)
        if what == "clixml":
            self._read_clixml(file, fingerprint)
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
            self._read_broken(file)
        else:
            self._set_not_used(file.path, fingerprint, "not a kind of file that is read")

    def _read_broken(self, file: FoundFile) -> None:
        """Say what is wrong with a file that should be XML of a known kind."""
        root = read_xml(as_utf8(file.data), file.path)
        raise FileError(
            file.path, f"its root is <{root.tag}>; expected <Objs> (CLIXML) or <configuration>"
        )

    # --- CLIXML ------------------------------------------------------------------------------

    def _read_clixml(self, file: FoundFile, fingerprint: bytes) -> None:
        types = clixml_types(file.data)
        if types and not any(catalogue.noun_of_type(one) for one in types):
            self._set_not_used(file.path, fingerprint, _why_not_used(types))
            return
        data = redact(as_utf8(file.data), self._fingerprints)
        objects = parse_clixml(read_xml(data, file.path), file.path)
        listed = self._manifest.get(file.path)
        if not objects and listed is None:
            self._set_not_used(file.path, fingerprint, "an export without objects")
            return
        found = exchange_objects(objects, file.path, self._secret)
        for one in found:
            self.contents.objects.append((one, file.path, fingerprint))
            if one.server is not None and catalogue.nouns()[one.noun].scope != "org":
                self.contents.servers[one.server] += 1
        others = unused_types(objects)
        if others and not found:
            self._set_not_used(file.path, fingerprint, _why_not_used(others))
            return
        kinds = {self._kind(one, file.path) for one in found} or {listed.kind if listed else ""}
        for kind in kinds:
            self._set(ReadingId(kind), fingerprint, data, listed.mode if listed else "full")

    def _kind(self, found: ExchangeObject, path: str) -> str:
        """Give the resource kind; ClientAccessServer and -Service share a .NET type."""
        listed = self._manifest.get(path)
        if found.noun == "ClientAccessServer":
            said = listed.kind if listed else path
            return "ClientAccessService" if "ClientAccessService" in said else found.noun
        return found.noun

    def _secret(self, text: str) -> dict[str, Value]:
        token = SECRET_TOKEN.fullmatch(text)
        return {"secret": token[1]} if token else self._fingerprints.of_text(text)

    def add_objects(self, server: str) -> None:
        """
        Turn the Exchange objects of one server into records.

        Objects of other servers are left out; which server is asked for is known only when all
        files have been read.
        """
        for found, path, fingerprint in self.contents.objects:
            kind = self._kind(found, path)
            scope = catalogue.nouns()[found.noun].scope
            if found.server and scope != "org" and found.server.casefold() != server.casefold():
                continue
            self._add_object(found, kind, fingerprint)
            if found.build and "AdminDisplayBuild" not in self.contents.facts:
                self.contents.facts["AdminDisplayBuild"] = (found.build, fingerprint)
        for key, reading in list(self.contents.readings.items()):
            if reading.id.kind in catalogue.nouns() and not reading.id.scope:
                self.contents.records.setdefault(key, [])

    def _add_object(self, found: ExchangeObject, kind: str, fingerprint: bytes) -> None:
        fields = catalogue.nouns()[found.noun].fields
        directory: Settings = {}
        metabase: Settings = {}
        for name, value in found.settings.items():
            kept = fields[name].kept_in if name in fields else "directory"
            (metabase if kept == "metabase" else directory)[name] = value
        whole = ReadingId(kind)
        self.contents.records.setdefault(whole.key, []).append(
            Record(ResourceId(kind, found.name), canonical_settings(directory))
        )
        if not metabase:
            return
        below = ReadingId(kind, found.name)
        if self._mode(found, kind) == "ad-only":
            self.contents.readings[below.key] = Reading(
                below, "unread", "ad-only", AD_ONLY, fingerprint
            )
            return
        self.contents.readings[below.key] = Reading(below, "read", "full", None, fingerprint)
        self.contents.records[below.key] = [
            Record(ResourceId(kind, found.name, "metabase"), canonical_settings(metabase))
        ]

    def _mode(self, found: ExchangeObject, kind: str) -> Mode:
        listed = self.contents.readings.get(ReadingId(kind).key)
        return "ad-only" if listed and listed.mode == "ad-only" else found.mode

    # --- configuration files --------------------------------------------------------------------

    def _read_configuration(self, file: FoundFile, fingerprint: bytes) -> None:
        data = redact(as_utf8(file.data), self._fingerprints)
        root = read_xml(data, file.path)
        name = self._names.shown(file.path)
        if any(child.tag == "system.applicationHost" for child in root):
            reading = ReadingId(IIS_CONFIG, name)
            self._read_application_host(reading, root)
            builds = build_folders(root)
            if builds:
                newest = max(builds, key=lambda text: [int(part) for part in text.split(".")])
                self.contents.facts["FolderBuild"] = (newest, fingerprint)
        else:
            redirection = any(child.tag == "configurationRedirection" for child in root)
            reading = ReadingId(IIS_CONFIG if redirection else CONFIG_FILE, name)
            self.contents.records[reading.key] = web_config_records(root, name)
        listed = self._manifest.get(file.path)
        self._set(reading, fingerprint, data, listed.mode if listed else "full")

    def _read_application_host(self, reading: ReadingId, root: Element) -> None:
        """Read the places that differ from the file that is known; the first time, all."""
        stored = self._raw(reading.key)
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
        name = path.rpartition("/")[2].casefold()
        if name in {"applicationhost.config", "redirection.config"}:
            return [ReadingId(IIS_CONFIG, self._names.shown(path))]
        if name.endswith(".config"):
            return [ReadingId(CONFIG_FILE, self._names.shown(path))]
        bare = re.sub(r"^get-?|\.(clixml|xml)$", "", name)
        nouns = [noun for noun in catalogue.nouns() if noun.casefold() == bare]
        return [ReadingId(noun) for noun in nouns] or [ReadingId(NOT_USED, path)]

    def _set_not_used(self, path: str, fingerprint: bytes, why: str) -> None:
        reading = ReadingId(NOT_USED, path)
        self.contents.not_used[path] = why
        self.contents.readings[reading.key] = Reading(reading, "read", "full", why, fingerprint)
        self.contents.records[reading.key] = []

    def _set(
        self,
        reading: ReadingId,
        fingerprint: bytes,
        data: bytes,
        mode: Mode,
        status: Status = "read",
    ) -> None:
        before = self.contents.readings.get(reading.key)
        if before is not None and before.fingerprint is not None:
            # Two files tell one kind: together they have a fingerprint that neither has.
            fingerprint = self._fingerprints.of_file(before.fingerprint + fingerprint)
        self.contents.readings[reading.key] = Reading(reading, status, mode, None, fingerprint)
        self.contents.raw[reading.key] = self.contents.raw.get(reading.key, b"") + data


def canonical_settings(settings: Settings) -> bytes:
    """Give the bytes that stand for an object's settings."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":")).encode()


def _why_not_used(types: tuple[str, ...]) -> str:
    first = types[0].removeprefix("Deserialized.")
    if first.startswith("Microsoft.IIs.") or first in {
        "System.Collections.Hashtable",
        "System.Management.Automation.PSCustomObject",
    }:
        return f"not used: {first}; IIS facts come from applicationHost.config"
    return f"not used: {first} is not a kind that is tracked"


__all__ = ["NOT_GIVEN", "Contents", "FileReader"]
