"""The stored files behind a server's settings: where each stands, and what rules left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.errors import FileError, StoreDamagedError
from changelog_tracker.normalise.exchange import exchange_objects
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.normalise.secrets import SECRET_TOKEN
from changelog_tracker.parse.clixml import parse_clixml
from changelog_tracker.parse.iis_config import application_host, web_config
from changelog_tracker.parse.xml import local_name, node, read_xml
from changelog_tracker.pipeline.read import CONFIG_FILE, IIS_CONFIG
from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.damage import lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Held, Node, ReadingKey, ResourceKey, Tree, Value
    from changelog_tracker.normalise.exchange import ExchangeObject
    from changelog_tracker.parse.iis_config import Found
    from changelog_tracker.store.database import Connection


class StoredFiles:
    """
    Reads stored files again when a line number or what was left out is asked for.

    Args:
        connection: An open transaction.
        digests: The raw file behind each reading; one that is gone is no error.
    """

    def __init__(self, connection: Connection, digests: dict[ReadingKey, bytes]) -> None:
        self._connection = connection
        self._digests = digests
        self._found: dict[ReadingKey, dict[ResourceKey, Found]] = {}
        self._objects: dict[ReadingKey, list[ExchangeObject]] = {}

    def tree(self, held: Held) -> Tree | None:
        """Give a resource's settings with their lines; None where its file is not stored."""
        found = self.node(held)
        return iis_tree(held.resource.kind, held.resource.name, found) if found else None

    def node(self, held: Held) -> Node | None:
        """Give a resource's element with its lines; None where its file is not stored."""
        if held.reading[0] not in {CONFIG_FILE, IIS_CONFIG}:
            return None
        if held.reading not in self._found:
            self._found[held.reading] = self._read(held.reading)
        found = self._found[held.reading].get(held.resource.key)
        return node(found.element) if found is not None else None

    def left_out(self, held: Held) -> Iterator[tuple[str, Value, str]]:
        """Give name, value and rule of what was left out of an Exchange object."""
        if held.resource.aspect:
            return
        if held.reading not in self._objects:
            self._objects[held.reading] = self._read_objects(held.reading)
        for one in self._objects[held.reading]:
            if one.name.casefold() == held.resource.name.casefold():
                for setting, (value, rule) in one.ignored.items():
                    yield setting, value, rule

    def _read(self, reading: ReadingKey) -> dict[ResourceKey, Found]:
        data = self._data(reading)
        if data is None:
            return {}
        root = read_xml(data, reading[1])
        if any(local_name(child) == "system.applicationHost" for child in root):
            found = application_host(root)
        else:
            found = web_config(root, reading[1])
        return {one.resource.key: one for one in found}

    def _read_objects(self, reading: ReadingKey) -> list[ExchangeObject]:
        data = self._data(reading)
        return [] if data is None else stored_objects(data, reading[0])

    def _data(self, reading: ReadingKey) -> bytes | None:
        digest = self._digests.get(reading)
        try:
            return load_contents(self._connection, [digest])[digest] if digest else None
        except StoreDamagedError as error:
            lost(self._connection, error)
            return None


def stored_objects(data: bytes, place: str) -> list[ExchangeObject]:
    """Give the Exchange objects of a stored export."""
    try:
        return exchange_objects(parse_clixml(read_xml(data, place), place), place, _secret)
    except FileError:
        # Two exports of one kind are stored one behind the other.
        return []


def _secret(text: str) -> dict[str, Value]:
    token = SECRET_TOKEN.fullmatch(text)
    return {"secret": token[1] if token else "unknown"}
