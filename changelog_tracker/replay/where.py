"""Where a resource of IIS or of a configuration file lies: its file, section and own element."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.replay.notation import SERVER_LEVEL, place_and_section
from changelog_tracker.replay.plan import Hop
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Change

SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"
_FILE_PLACE = re.compile(r"(.*\.config) \((.*)\)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a resource lies: its section and the way to its own element."""

    file: str | None
    location: str
    section: str
    hops: tuple[Hop, ...] = ()


def where(change: Change, install_path: str, applications: frozenset[str]) -> Where:
    """
    Find the section and element that a resource is.

    Args:
        change: Of an IIS kind or of ConfigFile.
        install_path: What stands for %ExchangeInstallPath%, with a backslash at the end.
        applications: Every application, as IisApplication names it, in lower case.

    Raises:
        UnwritableError: Its name says no place.
    """
    if change.kind == "IisSection":
        named = place_and_section(change.resource)
        if named is None:
            raise _no("the name is not PLACE : SECTION")
        return Where(None, _location(named[0]), named[1])
    if change.kind == "ConfigFile":
        return _in_file(change.resource, install_path)
    if change.kind == "IisAppPool":
        return Where(None, "", POOLS, (Hop("add", (("name", change.resource),)),))
    return Where(None, "", SITES, tuple(_in_site(change, applications)))


def _in_file(resource: str, install_path: str) -> Where:
    file, colon, section = resource.rpartition(" : ")
    if not colon:
        raise _no("the name is not FILE : SECTION")
    placed = _FILE_PLACE.fullmatch(file)
    file, location = (placed[1], placed[2]) if placed else (file, "")
    path = re.sub("%ExchangeInstallPath%/?", lambda _: install_path, file, flags=re.IGNORECASE)
    return Where(path.replace("/", "\\"), location, section)


def _in_site(change: Change, applications: frozenset[str]) -> Iterator[Hop]:
    if change.kind == "IisBinding":
        site, _, binding = change.resource.rpartition(" : ")
        protocol, _, information = binding.partition("/")
        yield Hop("site", (("name", site),))
        yield Hop("bindings")
        yield Hop("binding", (("protocol", protocol), ("bindingInformation", information)))
        return
    site, _, path = change.resource.partition("/")
    yield Hop("site", (("name", site),))
    if change.kind == "IisSite":
        return
    if change.kind == "IisApplication":
        yield Hop("application", (("path", f"/{path}"),))
        return
    application = path.rstrip("/") if path.endswith("/") else path.rpartition("/")[0]
    while application and f"{site}/{application}".casefold() not in applications:
        application = application.rpartition("/")[0]
    yield Hop("application", (("path", f"/{application}"),))
    yield Hop("virtualDirectory", (("path", f"/{path[len(application) :].strip('/')}"),))


def _location(place: str) -> str:
    if place == SERVER_LEVEL:
        return ""
    if place.startswith("MACHINE/"):
        raise _no("it lies above applicationHost.config")
    return place


def _no(why: str) -> UnwritableError:
    return UnwritableError("step", why)
