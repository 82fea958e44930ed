"""What is tracked, one row a setting, and how much of what is documented that covers."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, cast

from changelog_tracker.catalogue.loader import HERE, nouns
from changelog_tracker.catalogue.owners import owner
from changelog_tracker.catalogue.sections import sections, versions_of
from changelog_tracker.catalogue.shapes import UNKNOWN, VERSIONS, Field, Noun
from changelog_tracker.catalogue.windows import WINDOWS_OWNER, windows_kinds
from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.catalogue.shapes import SectionFacts
    from changelog_tracker.model import Value

    Row = dict[str, Value]

_IIS_SOURCE = "configuration schema of IIS and ASP.NET"


def rows(known: Mapping[str, Noun] | None = None) -> Iterator[Row]:
    """
    Give a row for each setting: kind, setting, writable, documented, tracked, managed_by, ...

    Exchange nouns come first, by name; then the attributes of the IIS and ASP.NET sections as
    `SECTION : ATTRIBUTE`, with `[key='*']` for the elements of a collection; last the kinds of
    Windows. `versions` are those of Exchange, or of IIS ("IIS 8.5"). A `default` that nobody knows
    is null.

    Args:
        known: The nouns; those of this catalogue where none are given.
    """
    for _, noun in sorted((nouns() if known is None else known).items()):
        yield from _noun_rows(noun)
    for name, facts in sections().items():
        yield from _section_rows(name, facts)
    yield from _windows_rows()


def coverage(known: Mapping[str, Noun] | None = None) -> list[tuple[str, str, int, int]]:
    """
    Count, for each version and noun, the documented parameters that are tracked.

    A secret is tracked by its fingerprint. A switch leaves no state of its own; that it is listed
    counts, for what it does shows in another field.

    Args:
        known: The nouns; those of this catalogue where none are given.

    Returns:
        (version, noun, tracked, documented), by noun and version; without those that a version
        does not have.

    Raises:
        CatalogueError: documented.json cannot be read.
    """
    found = nouns() if known is None else known
    return [
        (version, name, sum(_is_tracked(found.get(name), p, version) for p in listed), len(listed))
        for name, versions in documented().items()
        for version, listed in versions.items()
    ]


@functools.cache
def documented() -> dict[str, dict[str, list[str]]]:
    """Give the documented writable parameters by noun and version; kept apart from the fields."""
    try:
        found = json.loads((HERE / "documented.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError("documented.json", "cannot be read; expected JSON") from error
    return cast("dict[str, dict[str, list[str]]]", found)


def _is_tracked(noun: Noun | None, parameter: str, version: str) -> bool:
    if noun is None or version not in noun.versions:
        return False
    if parameter in noun.switches or parameter in noun.secrets:
        return True
    field = noun.fields.get(parameter)
    return field is not None and field.writable and version in field.versions


def _noun_rows(noun: Noun) -> Iterator[Row]:
    listed = documented().get(noun.name, {})
    for name, field in noun.fields.items():
        yield _field_row(noun, field, writable=field.writable or name in noun.secrets)
    for name in sorted({*noun.switches, *(p for ps in listed.values() for p in ps)}):
        if name not in noun.fields:
            versions = [version for version, ps in listed.items() if name in ps]
            yield {
                "kind": noun.name,
                "setting": name,
                "writable": True,
                "documented": True,
                "tracked": name in noun.switches,
                "managed_by": noun.managed_by,
                "kept_in": None,
                "versions": list(versions),
                "default": None,
                "source": noun.source,
            }


def _field_row(noun: Noun, field: Field, *, writable: bool) -> Row:
    default = None if field.default is UNKNOWN else field.default
    return {
        "kind": noun.name,
        "setting": field.name,
        "writable": writable,
        "documented": writable,
        "tracked": True,
        "managed_by": noun.managed_by if writable else owner(noun.name, "", field.name),
        "kept_in": field.kept_in,
        "versions": list(field.versions),
        "default": default,
        "source": field.source,
    }


def _section_rows(name: str, facts: SectionFacts) -> Iterator[Row]:
    managed_by = owner("IisSection", f"Default Web Site : {name}")
    kept_in = (
        "metabase" if name.startswith(("system.webServer", "system.applicationHost")) else "file"
    )
    versions: list[Value] = [f"IIS {version}" for version in versions_of(name)]
    # Two collections of one element may have elements of the same key: one row for both.
    for path, attribute in dict(_attributes(facts, "")).items():
        yield {
            "kind": "IisSection",
            "setting": f"{name} : {path}",
            "writable": True,
            "documented": True,
            "tracked": True,
            "managed_by": managed_by,
            "kept_in": kept_in,
            "versions": versions,
            "default": attribute.get("default"),
            "source": _IIS_SOURCE,
        }


def _windows_rows() -> Iterator[Row]:
    for kind in windows_kinds().values():
        for name in kind.fields:
            yield {
                "kind": kind.name,
                "setting": name,
                "writable": False,
                "documented": False,
                "tracked": True,
                "managed_by": WINDOWS_OWNER,
                "kept_in": kind.kept_in,
                "versions": list(VERSIONS),
                "default": None,
                "source": kind.source,
            }


def _attributes(facts: SectionFacts, path: str) -> Iterator[tuple[str, SectionFacts]]:
    """Walk to each attribute, with its path in appcmd's notation."""
    for name, attribute in facts.get("attributes", {}).items():
        yield path + name, attribute
    for name, element in facts.get("elements", {}).items():
        yield from _attributes(element, f"{path}{name}.")
    for collection in facts.get("collections", ()):
        item = collection.get("item", {})
        keys = [
            f"{name}='*'"
            for name, attribute in item.get("attributes", {}).items()
            if attribute.get("key") or attribute.get("combined_key")
        ]
        yield from _attributes(item, f"{path}[{','.join(keys) or '*'}].")
