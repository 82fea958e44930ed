"""Which of the resources that Setup makes a server should have, and which places are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.catalogue.sections import back_end

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from changelog_tracker.catalogue.factory_facts import Factory, FactoryResource
    from changelog_tracker.model import Known

_PLACES = ("IisSite", "IisApplication", "IisVirtualDirectory")
_FRONT_END = "default web site"
# Client Access and Mailbox could be installed apart from one another.
_PARTED_ROLES = "2013"


def place_of(resource: str) -> str:
    """Give the place of an IIS resource without case: `Default Web Site/owa` of its application."""
    return resource.partition(" : ")[0].rstrip("/").casefold()


def missing_places(factory: Factory, found: Collection[FactoryResource]) -> frozenset[str]:
    """Give the sites, applications and directories of Setup that are not there."""
    return frozenset(
        place_of(name)
        for kind, name in factory.named
        if kind in _PLACES and (kind, name) not in found and not _is_root(kind, name)
    )


def is_below(place: str, missing: Collection[str]) -> bool:
    """Tell whether a place is missing, or lies below one that is."""
    return any(place == one or place.startswith(f"{one}/") for one in missing)


def not_there(
    factory: Factory, found: Collection[FactoryResource], known: Known, version: str
) -> Iterator[FactoryResource]:
    """
    Give the resources that Setup makes and that were looked for and not found.

    Of what is missing as a whole (a site, an application) the rest is not told again. Where the
    roles may be installed apart, what belongs to one that is not there is not missing.
    """
    missing = missing_places(factory, found)
    applications = {name for kind, name in found if kind == "IisApplication"}
    front = any(name.startswith(f"{_FRONT_END}/") and name[-1] != "/" for name in applications)
    back = ("IisSite", back_end().casefold()) in found
    whole = version != _PARTED_ROLES or (front and back)
    for kind, name in factory.made:
        if (kind, name) in found:
            continue
        if not kind.startswith("Iis"):
            reading = known.readings.get((kind, ""))
            if whole and reading is not None and reading.reading.status == "read":
                yield kind, name
            continue
        if not any(one == "IisSite" for one, _ in found):
            continue
        site = name.partition(" : ")[0].partition("/")[0]
        here = whole or (kind != "IisAppPool" and (front if site == _FRONT_END else back))
        if here and not is_below(_above(kind, name), missing):
            yield kind, name


def _above(kind: str, name: str) -> str:
    """Give the place that a resource stands in; of what stands in none, nothing."""
    place = place_of(name)
    if kind in ("IisAppPool", "IisSite"):
        return ""
    if kind == "IisBinding" or _is_root(kind, name):
        return place
    return place.rpartition("/")[0] or place


def _is_root(kind: str, name: str) -> bool:
    """Tell whether a virtual directory is the root of an application, and goes with it."""
    return kind == "IisVirtualDirectory" and name.endswith("/")
