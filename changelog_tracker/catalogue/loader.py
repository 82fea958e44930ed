"""The Exchange nouns, read from resources/*.toml and others.toml and checked."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from changelog_tracker.catalogue.entry import Entry, read_entry
from changelog_tracker.catalogue.shapes import (
    KEPT_IN,
    KINDS,
    OWNERS,
    READ_BY,
    SCOPES,
    UNKNOWN,
    VERSIONS,
    Field,
    Noun,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent

_HEAD = (
    *("source", "scope", "versions", "read", "write", "identity", "application", "managed_by"),
    *("kept_in", "restart", "types", "unconfirmed", "secrets", "switches", "new_only"),
    *("read_by", "read_with"),
)
_FIELD = (
    *("kind", "versions", "kept_in", "accepted", "documented_default", "default", "unset"),
    *("back_end_default", "mirrors", "mirror_flag", "source"),
)


@functools.cache
def nouns() -> Mapping[str, Noun]:
    """
    Give every noun of this catalogue by its name.

    Raises:
        CatalogueError: A file of it is wrong.
    """
    return MappingProxyType(read_nouns(HERE))


def read_nouns(folder: Path) -> dict[str, Noun]:
    """
    Read the nouns of a folder of the catalogue's shape.

    Args:
        folder: Holds resources/NOUN.toml, and others.toml where there are nouns without fields.

    Raises:
        CatalogueError: A file of it is wrong.
    """
    found = {}
    for path in sorted((folder / "resources").glob("*.toml")):
        entry = read_entry(path)
        entry.only((*_HEAD, "fields", "read_only"))
        found[path.stem] = _noun(path.stem, entry)
    others = folder / "others.toml"
    if others.exists():
        entry = read_entry(others)
        entry.only(("source", "nouns"))
        source = entry.text("source")
        for name, values in entry.table("nouns").items():
            other = Entry(entry.place, f"noun {name}", {"source": source, **values})
            other.only(_HEAD)
            found[name] = _noun(name, other)
    return found


@functools.cache
def noun_of_type(type_name: str) -> str | None:
    """
    Tell the noun by the name of a .NET type, or None where it is of none.

    ClientAccessServer and ClientAccessService share a type; the export's name decides between
    them, and without one it is ClientAccessServer.

    Args:
        type_name: Also as remoting writes it, with `Deserialized.` in front.
    """
    last = type_name.split("[", 1)[0].split("`", 1)[0].rsplit(".", 1)[-1]
    return _types().get(last)


@functools.cache
def _types() -> dict[str, str]:
    named = {name: name for name in nouns()}
    return named | {ending: noun.name for noun in nouns().values() for ending in noun.types}


class _Shared(NamedTuple):
    """What a noun says once for all its fields."""

    versions: tuple[str, ...]
    kept_in: str
    source: str


def _noun(name: str, entry: Entry) -> Noun:
    shared = _Shared(
        versions=entry.choices("versions", VERSIONS, VERSIONS),
        kept_in=entry.choice("kept_in", KEPT_IN, "directory"),
        source=entry.text("source"),
    )
    writable, read_only = entry.table("fields"), entry.table("read_only")
    secrets = entry.texts("secrets")
    fields = {
        **{field: _field(entry, field, {"kind": "secret"}, shared) for field in secrets},
        **{field: _field(entry, field, values, shared) for field, values in read_only.items()},
        **{
            field: replace(_field(entry, field, values, shared), writable=True)
            for field, values in writable.items()
        },
    }
    return Noun(
        name=name,
        scope=entry.choice("scope", SCOPES),
        read=entry.text("read"),
        write=entry.text("write"),
        managed_by=entry.choice("managed_by", OWNERS, "shell"),
        restart=entry.texts("restart"),
        fields=MappingProxyType(dict(sorted(fields.items()))),
        read_only=tuple(read_only),
        secrets=secrets,
        switches=entry.texts("switches"),
        new_only=entry.texts("new_only"),
        source=shared.source,
        identity=entry.text("identity", "Identity"),
        versions=shared.versions,
        types=entry.texts("types"),
        application=entry.maybe("application"),
        unconfirmed=entry.texts("unconfirmed"),
        read_by=entry.choice("read_by", READ_BY, "none"),
        read_with=entry.texts("read_with"),
    )


def _field(entry: Entry, name: str, values: Mapping[str, Any], shared: _Shared) -> Field:
    one = Entry(entry.place, f"field {name}", values)
    one.only(_FIELD)
    mirrors = one.maybe("mirrors")
    if mirrors is not None and " : " not in mirrors:
        raise one.wrong("mirrors", mirrors, "'SECTION : ATTRIBUTE'")
    default = None if one.flag("unset") else values.get("default", UNKNOWN)
    return Field(
        name=name,
        kind=one.choice("kind", KINDS),
        versions=one.choices("versions", VERSIONS, shared.versions),
        writable=False,
        kept_in=one.choice("kept_in", KEPT_IN, shared.kept_in),
        accepted=one.texts("accepted"),
        documented_default=values.get("documented_default"),
        default=default,
        mirrors=mirrors,
        source=one.text("source", shared.source),
        back_end_default=values.get("back_end_default", UNKNOWN),
        mirror_flag=one.maybe("mirror_flag"),
    )
