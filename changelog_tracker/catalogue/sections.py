"""The sections of IIS and ASP.NET: the facts of the schema, and whose order means something."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, cast

from changelog_tracker.catalogue.entry import read_entry
from changelog_tracker.catalogue.loader import HERE
from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from changelog_tracker.catalogue.shapes import SectionFacts

NEWEST = "10.0"
OLDER = ("7.0", "7.5", "8.0", "8.5")


def section(name: str, iis: str = NEWEST) -> SectionFacts | None:
    """
    Give what the schema says of a section, or None where it does not know it.

    Args:
        name: The path, `system.webServer/security/access`.
        iis: The version of IIS.

    Returns:
        `attributes` by name: type, default (as written), values, required, key, combined_key,
        case_sensitive, encrypted, expands, time_unit; `elements` by name: the same shape;
        `collections`: add (names, with commas between), remove, clear, defaults, merge_append,
        allow_duplicates, item (the same shape). What is not said is not there. Do not change it.

    Raises:
        CatalogueError: `iis` is none that the catalogue knows.
    """
    if iis == NEWEST:
        return sections().get(name)
    if iis not in OLDER:
        raise CatalogueError("IIS", f"{iis!r} is none of {', '.join((*OLDER, NEWEST))}")
    older = _older()[iis]
    if name in older["absent"]:
        return None
    changed: dict[str, SectionFacts] = older["changed"]
    return changed.get(name) or sections().get(name)


@functools.cache
def sections() -> dict[str, SectionFacts]:
    """Give every section of the newest IIS by its path, in the schema's order."""
    return cast("dict[str, SectionFacts]", _read("iis_sections.json"))


def versions_of(name: str) -> list[str]:
    """Name the versions of IIS that have a section, oldest first."""
    return [iis for iis in (*OLDER, NEWEST) if section(name, iis) is not None]


def is_section_group(path: str) -> bool:
    """Say whether sections of the schema lie below a path."""
    return path in _groups()


def is_ordered(section: str, collection_path: str) -> bool:
    """
    Say whether the order of a collection's elements means something.

    Args:
        section: The section's path.
        collection_path: The element that holds the collection, below the section, with dots
            between; `rule.conditions` and `[name='x'].conditions` too. Empty for the section's own.
    """
    holders = _sections_toml()[0].get(section, ())
    return re.sub(r"\[[^\]]*\]", "", collection_path).rpartition(".")[2] in holders


def setup_owned() -> tuple[str, ...]:
    """Name the sections that Setup writes."""
    return _sections_toml()[1]


def back_end() -> str:
    """Name the site that Setup keeps for itself."""
    return _sections_toml()[2]


@functools.cache
def _groups() -> frozenset[str]:
    parts = (name.split("/") for name in sections())
    return frozenset("/".join(part[:depth]) for part in parts for depth in range(1, len(part)))


@functools.cache
def _sections_toml() -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], str]:
    entry = read_entry(HERE / "sections.toml")
    entry.only(("back_end", "setup_owned", "ordered"))
    held = entry.values.get("ordered")
    if not isinstance(held, dict):
        raise entry.wrong("ordered", held, "a table")
    ordered = {name: tuple(paths) for name, paths in held.items()}
    return ordered, entry.texts("setup_owned"), entry.text("back_end")


@functools.cache
def _older() -> dict[str, SectionFacts]:
    return cast("dict[str, SectionFacts]", _read("iis_older.json"))


def _read(name: str) -> object:
    try:
        return json.loads((HERE / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(name, "cannot be read; expected JSON") from error
