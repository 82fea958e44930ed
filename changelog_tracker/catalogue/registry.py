"""Which values of the registry are read on a server, and why: registry.toml."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.catalogue.entry import Entry, read_entry
from changelog_tracker.catalogue.loader import HERE
from changelog_tracker.catalogue.shapes import VERSIONS
from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from pathlib import Path

ROOT = "HKLM\\"
DEFAULT_VALUE = "(Default)"
ALL_VALUES = "*"
_HIVES = ("SOFTWARE", "SYSTEM")
_KEYS = ("keys", "names", "tree", "purpose", "source", "unconfirmed", "versions")


@dataclass(frozen=True, slots=True)
class RegistryValueSpec:
    """
    One value, or all of a key.

    Args:
        key: Below HKEY_LOCAL_MACHINE, without a backslash at its ends.
        name: Of the value; `*` for every value of the key.
        purpose: What it does, one sentence.
        tree: Whether the values of every key below are meant too.
        versions: Of Exchange, where it means something.
        source: Where that is written; None where it is known from experience alone.
        unconfirmed: Whether the source was not seen to say so.
    """

    key: str
    name: str
    purpose: str
    tree: bool = False
    versions: tuple[str, ...] = VERSIONS
    source: str | None = None
    unconfirmed: bool = False

    def is_about(self, resource: str) -> bool:
        """Tell whether a resource of the kind RegistryValue is this value, or one of these."""
        place, _, name = resource.casefold().rpartition(" : ")
        key = (ROOT + self.key).casefold()
        there = place == key or (self.tree and place.startswith(key + "\\"))
        return there and (self.name == ALL_VALUES or self.name.casefold() == name)


class RegistryRow(NamedTuple):
    """
    What the collector has to know of one key.

    Args:
        key: Below HKEY_LOCAL_MACHINE.
        names: Of its values; `*` alone for all.
        tree: Whether the values of every key below are meant too.
        versions: Of Exchange.
    """

    key: str
    names: tuple[str, ...]
    tree: bool
    versions: tuple[str, ...]


@functools.cache
def registry_values() -> tuple[RegistryValueSpec, ...]:
    """
    Give every value, by key and name without case.

    Raises:
        CatalogueError: registry.toml is wrong.
    """
    return read_values(HERE / "registry.toml")


def registry_rows() -> tuple[RegistryRow, ...]:
    """Give what the collector reads: one row for the values of a key in the same versions."""
    rows: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
    for value in registry_values():
        rows.setdefault((value.key, value.tree, value.versions), []).append(value.name)
    return tuple(
        RegistryRow(key, tuple(names), tree, versions)
        for (key, tree, versions), names in rows.items()
    )


def registry_value(resource: str) -> RegistryValueSpec | None:
    """Find what the catalogue says of a resource of RegistryValue; None where it says nothing."""
    return next((value for value in registry_values() if value.is_about(resource)), None)


def read_values(path: Path) -> tuple[RegistryValueSpec, ...]:
    """
    Read a file of values.

    Raises:
        CatalogueError: It is wrong, or names a value twice.
    """
    entry = read_entry(path)
    entry.only(("value",))
    tables = entry.values.get("value")
    if not isinstance(tables, list):
        raise entry.wrong("value", tables, "[[value]] tables")
    values = [
        value
        for number, table in enumerate(tables, 1)
        for value in _specs(Entry(path.name, f"value {number}", table))
    ]
    values.sort(key=_place)
    for one, other in itertools.pairwise(values):
        if _place(one) == _place(other):
            raise CatalogueError(path.name, f"{other.key} : {other.name} is there twice")
    return tuple(values)


def _place(value: RegistryValueSpec) -> tuple[str, str]:
    return value.key.casefold(), value.name.casefold()


def _specs(table: Entry) -> list[RegistryValueSpec]:
    table.only(_KEYS)
    names = table.texts("names")
    keys = table.texts("keys")
    if not names or (ALL_VALUES in names and len(names) > 1) or not all(names):
        raise table.wrong("names", names, 'names of values, or "*" alone')
    if not keys or not all(_is_key(key) for key in keys):
        raise table.wrong("keys", keys, f"keys below {' or '.join(_HIVES)}")
    tree = table.flag("tree")
    if tree and names != (ALL_VALUES,):
        raise table.wrong("names", names, '"*", as tree is true')
    source, unconfirmed = table.maybe("source"), table.flag("unconfirmed")
    if source is None and not unconfirmed:
        raise table.wrong("source", None, "where it is written, or unconfirmed = true")
    purpose = table.text("purpose")
    versions = table.choices("versions", VERSIONS, VERSIONS)
    return [
        RegistryValueSpec(key, name, purpose, tree, versions, source, unconfirmed)
        for key in keys
        for name in names
    ]


def _is_key(key: str) -> bool:
    hive, _, rest = key.partition("\\")
    return hive in _HIVES and bool(rest) and all(rest.split("\\")) and key.isascii()
