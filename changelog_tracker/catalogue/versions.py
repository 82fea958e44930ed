"""The versions of Exchange, read from versions/*.toml."""

from __future__ import annotations

import functools
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from changelog_tracker.catalogue.entry import Entry, read_entry
from changelog_tracker.catalogue.loader import HERE
from changelog_tracker.catalogue.shapes import VERSIONS, Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEYS = (
    *("name", "first", "before", "inherits", "root", "powershell", "factory_defaults"),
    *("source", "unconfirmed"),
)
# Higher than any part of a build.
_ANY = 10**9
# 15.2.1118.7, 15.02.1118.007 and "Version 15.2 (Build 1118.7)", as AdminDisplayVersion prints it.
_BUILD = re.compile(r"(?:Version )?(\d+)\.(\d+)(?:(?: \(Build |\.)(\d+)(?:\.(\d+))?\)?)?")


@functools.cache
def versions() -> Mapping[str, Version]:
    """
    Give the versions by name, oldest first.

    Raises:
        CatalogueError: A file is wrong.
    """
    found = [_read(path) for path in (HERE / "versions").glob("*.toml")]
    return MappingProxyType({v.name: v for v in sorted(found, key=lambda v: v.first)})


def version_of_build(build: str) -> str | None:
    """
    Tell the version by a build, or None where the build does not tell it.

    Args:
        build: `15.2.1118.7`, with zeros in front or as AdminDisplayVersion prints it. Two numbers
            are enough where they tell it; 15.2 is Exchange 2019 and SE.
    """
    match = _BUILD.fullmatch(build.strip())
    if match is None:
        return None
    numbers = [int(number) for number in match.groups() if number is not None]
    lowest = (*numbers, *[0] * (4 - len(numbers)))
    highest = (*numbers, *[_ANY] * (4 - len(numbers)))
    for version in versions().values():
        if version.first <= lowest and highest < version.before:
            return version.name
    return None


def _read(path: Path) -> Version:
    entry = _inherited(path)
    return Version(
        name=entry.choice("name", VERSIONS),
        first=_numbers(entry, "first"),
        before=_numbers(entry, "before"),
        inherits=entry.maybe("inherits"),
        root=entry.text("root"),
        powershell=entry.text("powershell"),
        factory_defaults=entry.flag("factory_defaults", default=True),
        source=entry.text("source"),
        unconfirmed=entry.texts("unconfirmed"),
    )


def _inherited(path: Path) -> Entry:
    """Read a version's file, and its parent's for what it does not say."""
    entry = read_entry(path)
    entry.only(_KEYS)
    parent = entry.maybe("inherits")
    if parent is None:
        return entry
    # A version follows an older one, so this ends.
    if parent not in VERSIONS[: VERSIONS.index(entry.choice("name", VERSIONS))]:
        raise entry.wrong("inherits", parent, "an older version")
    above = _inherited(path.with_name(f"exchange-{parent.lower()}.toml")).values
    kept = {key: above[key] for key in ("root", "powershell", "factory_defaults") if key in above}
    return Entry(entry.place, "", {**kept, **entry.values})


def _numbers(entry: Entry, key: str) -> tuple[int, ...]:
    text = entry.text(key)
    if not re.fullmatch(r"\d+(\.\d+)*", text):
        raise entry.wrong(key, text, "numbers with dots between")
    return tuple(int(number) for number in text.split("."))
