"""The kinds of Windows: what a server keeps outside AD, IIS and .config files (windows.toml)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from changelog_tracker.catalogue.entry import Entry, read_entry
from changelog_tracker.catalogue.loader import HERE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# `any` is a number, a text or a list of texts; `content` is what Content of a file holds.
WINDOWS_KINDS = ("any", "bool", "content", "enum", "set", "text", "whole")
# Of these kinds no script writes anything; a person does, with the tools of Windows.
WINDOWS_OWNER = "windows"
_KEPT_IN = ("registry", "file")
_HEAD = ("about", "resource", "example", "origin", "kept_in", "source", "unconfirmed", "fields")


@dataclass(frozen=True, slots=True)
class WindowsField:
    """
    One setting of a kind.

    Args:
        name: As the collector writes it.
        kind: One of WINDOWS_KINDS.
        accepted: The words that an `enum` has.
    """

    name: str
    kind: str
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowsKind:
    """
    One kind of resource that a bundle tells in windows/KIND.jsonl.

    Args:
        name: The kind.
        about: What it tells, for people to read.
        resource: What its resources are named by.
        example: The name of one.
        origin: Where on the server it is read.
        kept_in: `registry` or `file`.
        source: Where the facts come from.
        fields: Its settings by name; others may stand beside them.
        unconfirmed: What of the above has no source but experience.
    """

    name: str
    about: str
    resource: str
    example: str
    origin: str
    kept_in: str
    source: str
    fields: Mapping[str, WindowsField]
    unconfirmed: tuple[str, ...] = ()


@functools.cache
def windows_kinds() -> Mapping[str, WindowsKind]:
    """
    Give every kind by its name, in the order of the file.

    Raises:
        CatalogueError: windows.toml is wrong.
    """
    return MappingProxyType(read_windows_kinds(HERE / "windows.toml"))


def read_windows_kinds(path: Path) -> dict[str, WindowsKind]:
    """
    Read a file of kinds.

    Raises:
        CatalogueError: It is wrong.
    """
    entry = read_entry(path)
    entry.only(("source", "kinds"))
    return {
        name: _kind(name, Entry(entry.place, f"kind {name}", values))
        for name, values in entry.table("kinds").items()
    }


def _kind(name: str, entry: Entry) -> WindowsKind:
    entry.only(_HEAD)
    fields = {
        one: _field(one, Entry(entry.place, f"field {name}.{one}", values))
        for one, values in entry.table("fields").items()
    }
    return WindowsKind(
        name=name,
        about=entry.text("about"),
        resource=entry.text("resource"),
        example=entry.text("example"),
        origin=entry.text("origin"),
        kept_in=entry.choice("kept_in", _KEPT_IN),
        source=entry.text("source"),
        fields=MappingProxyType(fields),
        unconfirmed=entry.texts("unconfirmed"),
    )


def _field(name: str, entry: Entry) -> WindowsField:
    entry.only(("kind", "accepted"))
    return WindowsField(name, entry.choice("kind", WINDOWS_KINDS), entry.texts("accepted"))
