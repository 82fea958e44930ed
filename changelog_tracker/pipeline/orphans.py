"""Directories in IIS without an object in Active Directory, and objects without a directory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.pipeline.read import IIS_CONFIG
from changelog_tracker.pipeline.sign import AGAIN, Sign
from changelog_tracker.pipeline.sister import answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.pipeline.server_state import ServerState

BACK_END = "Exchange Back End"
_NAME = re.compile(r"(?P<path>.+) \((?P<site>.+)\)")
_METABASE = re.compile(r"IIS://[^/]+/W3SVC/(?P<id>\d+)/ROOT/(?P<path>.+)", re.IGNORECASE)
# Before 2013 the Windows feature makes /Rpc, and Enable-OutlookAnywhere the object.
_RPC_BY_WINDOWS = {("OutlookAnywhere", version) for version in ("2007", "2010")}


def orphans(state: ServerState) -> Iterator[Sign]:
    """
    Give what IIS and Active Directory do not both have.

    Of the Exchange Back End a Get- cmdlet tells nothing unless it is asked to, so it is not judged.
    """
    if not _is_read(state):
        return
    places = _places(state)
    for noun in catalogue.nouns().values():
        read = state.known.readings.get((noun.name, ""))
        if noun.application is None or read is None or read.reading.status == "unread":
            continue
        objects = _objects(state, noun)
        told = {place for several in objects.values() for place in several}
        for place, name in places.items():
            _, _, path = place.partition("/")
            if path != noun.application.casefold() or place in told:
                continue
            if (noun.name, state.version) not in _RPC_BY_WINDOWS:
                yield Sign("an application in IIS without an object in AD", name, _create(noun))
        for resource, several in objects.items():
            if several and not several & places.keys():
                yield Sign("an object in AD without an application in IIS", resource, _anew(noun))


def _is_read(state: ServerState) -> bool:
    return any(
        key[0] == "IisSite" and answered(state.known, held.reading)
        for key, held in state.known.held.items()
    )


def _places(state: ServerState) -> dict[str, str]:
    """Give each application and directory of IIS: `site/path`, folded, and its path for people."""
    found: dict[str, str] = {}
    for (kind, name, _), held in sorted(state.known.held.items(), key=lambda item: item[0]):
        is_kind = kind in {"IisApplication", "IisVirtualDirectory"}
        if not is_kind or held.reading[0] != IIS_CONFIG or not answered(state.known, held.reading):
            continue
        place = name.rstrip("/")
        if not place.startswith(f"{BACK_END.casefold()}/"):
            found.setdefault(place, str(held.resource))
    return dict(sorted(found.items()))


def _objects(state: ServerState, noun: Noun) -> dict[str, set[str]]:
    """Give where the objects of a noun say that they stand: `site/path`, folded."""
    sites = {
        str((state.flat(key) or {}).get("id")): key[1]
        for key in state.known.held
        if key[0] == "IisSite"
    }
    found: dict[str, set[str]] = {}
    for key, held in sorted(state.known.held.items(), key=lambda item: item[0]):
        if key[0] != noun.name or key[2]:
            continue
        places = set()
        if named := _NAME.fullmatch(key[1]):
            places.add(f"{named['site']}/{named['path']}")
        told = _METABASE.match(str((state.flat(key) or {}).get("MetabasePath") or ""))
        if told and told["id"] in sites:
            places.add(f"{sites[told['id']]}/{told['path'].rstrip('/').casefold()}")
        back_end = f"{BACK_END.casefold()}/"
        if not any(place.startswith(back_end) for place in places):
            found[str(held.resource)] = places
    return found


def _create(noun: Noun) -> str:
    if noun.name == "PowerShellVirtualDirectory":
        return f"{AGAIN}; never remove this one by hand"
    if noun.name == "OutlookAnywhere":
        return AGAIN
    return f"do not patch it: remove it from IIS, then New-{noun.name}, then all its settings"


def _anew(noun: Noun) -> str:
    if noun.name in {"PowerShellVirtualDirectory", "OutlookAnywhere"}:
        return AGAIN
    return (
        f"New-{noun.name} alone says that it exists: Remove-{noun.name}, then New-{noun.name}, "
        "then all its settings"
    )
