"""CLIXML exports of one import -> readings and records of the Exchange objects in them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.model import Reading, ReadingId, Record, ResourceId
from changelog_tracker.normalise.exchange import exchange_objects, unused_types
from changelog_tracker.normalise.secrets import SECRET_TOKEN
from changelog_tracker.parse.clixml import clixml_types, parse_clixml
from changelog_tracker.parse.xml import read_xml
from changelog_tracker.pipeline.read import canonical_settings, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.collect.gathered import FoundFile, ManifestReading
    from changelog_tracker.model import Mode, Settings, Value
    from changelog_tracker.normalise.exchange import ExchangeObject
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.read import Contents

AD_ONLY = "exported with -ADPropertiesOnly, which does not tell what IIS holds"
# Get-ClientAccessServer and -Service give objects of one .NET type.
_SERVER, _SERVICE = "ClientAccessServer", "ClientAccessService"
_GET_WEB = ("System.Collections.Hashtable", "System.Management.Automation.PSCustomObject")


class Exports:
    """
    Reads exports; which server is asked for is known only when all files have been read.

    Args:
        contents: What is filled.
        fingerprints: Under the store's key.
        listed: What bundle.json says of a file, by path.
    """

    def __init__(
        self,
        contents: Contents,
        fingerprints: Fingerprints,
        listed: Mapping[str, ManifestReading],
    ) -> None:
        self._contents = contents
        self._fingerprints = fingerprints
        self._listed = listed
        self._objects: list[tuple[ExchangeObject, str, bytes]] = []

    def read(self, file: FoundFile, fingerprint: bytes) -> None:
        """
        Read one export.

        Raises:
            FileError: It is no CLIXML that can be read.
        """
        types = clixml_types(file.data)
        if types and not any(catalogue.noun_of_type(one) for one in types):
            self._contents.set_not_used(file.path, fingerprint, _why_not_used(types))
            return
        data = without_secrets(file, self._fingerprints, _secret_names())
        objects = parse_clixml(read_xml(data, file.path), file.path)
        found = exchange_objects(objects, file.path, self._secret)
        others = unused_types(objects)
        listed = self._listed.get(file.path)
        if not found and (others or listed is None):
            why = _why_not_used(others) if others else "an export without objects"
            self._contents.set_not_used(file.path, fingerprint, why)
            return
        for one in found:
            self._objects.append((one, file.path, fingerprint))
            if one.server is not None and catalogue.nouns()[one.noun].scope != "org":
                self._contents.servers[one.server] += 1
        kinds = {self._kind(one, file.path) for one in found}
        for kind in kinds or ({listed.kind} if listed else set()):
            self._set_read(ReadingId(kind), fingerprint, data, listed.mode if listed else "full")

    def of_kind(self, kind: str) -> list[ExchangeObject]:
        """Give the objects of one resource kind."""
        return [found for found, path, _ in self._objects if self._kind(found, path) == kind]

    def _set_read(self, reading: ReadingId, fingerprint: bytes, data: bytes, mode: Mode) -> None:
        before = self._contents.readings.get(reading.key)
        if before is not None and before.fingerprint is not None:
            # Two files tell one kind: together they have a fingerprint that neither has.
            fingerprint = self._fingerprints.of_file(before.fingerprint + fingerprint)
        self._contents.set_read(reading, fingerprint, data, mode)

    def add_objects(self, server: str) -> None:
        """Turn the objects of one server into records; those of others are left out."""
        others: dict[str, set[str]] = {}
        for found, path, fingerprint in self._objects:
            scope = catalogue.nouns()[found.noun].scope
            if found.server and scope != "org" and found.server.casefold() != server.casefold():
                others.setdefault(self._kind(found, path), set()).add(found.server)
                continue
            self._add_object(found, self._kind(found, path), fingerprint)
            if found.build:
                self._contents.facts.setdefault("AdminDisplayBuild", (found.build, fingerprint))
        for key, reading in list(self._contents.readings.items()):
            if reading.id.kind not in catalogue.nouns() or reading.id.scope:
                continue
            if reading.id.kind in others and key not in self._contents.records:
                self._set_unread(reading, others[reading.id.kind])
            else:
                self._contents.records.setdefault(key, [])

    def _set_unread(self, reading: Reading, others: set[str]) -> None:
        """An export of other servers' objects says nothing of this one's."""
        reason = f"its export holds objects of {', '.join(sorted(others))} only"
        self._contents.readings[reading.id.key] = replace(reading, status="unread", reason=reason)

    def _add_object(self, found: ExchangeObject, kind: str, fingerprint: bytes) -> None:
        fields = catalogue.nouns()[found.noun].fields
        directory: Settings = {}
        metabase: Settings = {}
        for name, value in found.settings.items():
            kept = fields[name].kept_in if name in fields else "directory"
            (metabase if kept == "metabase" else directory)[name] = value
        whole = ReadingId(kind)
        self._contents.records.setdefault(whole.key, []).append(
            Record(ResourceId(kind, found.name), canonical_settings(directory))
        )
        if not metabase:
            return
        below = ReadingId(kind, found.name)
        listed = self._contents.readings.get(whole.key)
        if found.mode == "ad-only" or (listed is not None and listed.mode == "ad-only"):
            unread = Reading(below, "unread", "ad-only", AD_ONLY, fingerprint)
            self._contents.readings[below.key] = unread
            return
        self._contents.readings[below.key] = Reading(below, "read", "full", None, fingerprint)
        self._contents.records[below.key] = [
            Record(ResourceId(kind, found.name, "metabase"), canonical_settings(metabase))
        ]

    def _kind(self, found: ExchangeObject, path: str) -> str:
        """Give the resource kind, which for one .NET type is told by bundle.json or the name."""
        listed = self._listed.get(path)
        if found.noun == _SERVER and _SERVICE in (listed.kind if listed else path):
            return _SERVICE
        return found.noun

    def _secret(self, text: str) -> dict[str, Value]:
        token = SECRET_TOKEN.fullmatch(text)
        return {"secret": token[1]} if token else self._fingerprints.of_text(text)


@cache
def _secret_names() -> frozenset[str]:
    """Give the properties that the catalogue names as secrets, in lower case."""
    return frozenset(
        name.casefold()
        for noun in catalogue.nouns().values()
        for name in (*noun.secrets, *(f.name for f in noun.fields.values() if f.kind == "secret"))
    )


def _why_not_used(types: tuple[str, ...]) -> str:
    first = types[0].removeprefix("Deserialized.")
    if first.startswith("Microsoft.IIs.") or first in _GET_WEB:
        return f"not used: {first}; IIS facts come from applicationHost.config"
    return f"not used: {first} is not a kind that is tracked"
