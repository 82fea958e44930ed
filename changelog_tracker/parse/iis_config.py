"""
applicationHost.config and web.config: one file -> the resources that it holds.

Both have the same shape: sections below <configuration>, or below <location> for a place. A
section's content is kept as canonical XML; what it means is normalise/iis.py's business.
"""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker import catalogue
from changelog_tracker.model import Record, ResourceId
from changelog_tracker.parse.xml import (
    attributes_of,
    canonical,
    line_of,
    local_name,
    new_element,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from changelog_tracker.parse.xml import Element

SERVER_LEVEL = "MACHINE/WEBROOT/APPHOST"
SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"
# What is not in the schema is named by its first element; of these by the first two.
TWO_DEEP = frozenset({"system.serviceModel", "system.web"})
_BUILD_FOLDER = re.compile(r"/(?:owa|ecp)/(\d+\.\d+\.\d+\.\d+)$")


class Found(NamedTuple):
    """One resource and its element, without what is a resource of its own."""

    resource: ResourceId
    element: Element


class Section(NamedTuple):
    """One section where it stands: path of its location, name, element, location attributes."""

    place: str
    name: str
    element: Element
    location: dict[str, str]


def application_host(blocks: Iterable[Element]) -> list[Found]:
    """
    Give the resources of (some blocks of) applicationHost.config.

    Args:
        blocks: Children of <configuration>; each can be read without the others.

    Returns:
        Sites, applications, virtual directories, bindings and pools as appcmd lists them, and
        every other section by its place.
    """
    found: list[Found] = []
    for section in _sections(blocks):
        if section.name == SITES:
            found += _sites(section)
        elif section.name == POOLS:
            found += _pools(section)
        else:
            found.append(_found("IisSection", section.place or SERVER_LEVEL, section))
    return _told_apart(found)


def web_config(blocks: Iterable[Element], file: str) -> list[Found]:
    """
    Give the resources of (some blocks of) a web.config or any other .NET configuration file.

    Args:
        blocks: Children of <configuration>.
        file: The file's name as users see it: `%ExchangeInstallPath%/ClientAccess/owa/web.config`.
    """
    return _told_apart(
        _found("ConfigFile", f"{file} ({section.place})" if section.place else file, section)
        for section in _sections(blocks)
    )


def application_host_records(blocks: Iterable[Element]) -> list[Record]:
    """Give what is kept of applicationHost.config: the canonical bytes of its resources."""
    return _records(application_host(blocks))


def web_config_records(blocks: Iterable[Element], file: str) -> list[Record]:
    """Give what is kept of a web.config: the canonical bytes of its resources."""
    return _records(web_config(blocks, file))


def _records(found: Iterable[Found]) -> list[Record]:
    return [Record(one.resource, canonical(one.element)) for one in found]


def _sections(blocks: Iterable[Element]) -> Iterator[Section]:
    for block in blocks:
        if local_name(block) != "location":
            yield from _sections_below(block, "", {})
            continue
        place = _place(block)
        location = {name: value for name, value in attributes_of(block).items() if name != "path"}
        sections = [one for child in block for one in _sections_below(child, place, location)]
        yield from sections
        if location and not sections:
            yield Section(place, "location", new_element("location", {}), location)


def _place(location: Element) -> str:
    place = (location.get("path") or "").strip()
    return "" if place == "." else place


def _sections_below(element: Element, place: str, location: dict[str, str]) -> Iterator[Section]:
    """Give the sections of one element below <configuration> or <location>."""
    name = local_name(element)
    if not catalogue.is_section_group(name) and name not in TWO_DEEP:
        yield Section(place, name, element, location)
        return
    known: list[tuple[str, Element]] = []
    rest = _without_sections(element, name, known)
    for path, section in known:
        yield Section(place, path, section, location)
    if rest is None:
        return
    if name in TWO_DEEP:
        for child in rest:
            yield Section(place, f"{name}/{local_name(child)}", child, location)
        rest[:] = []
    if _says_something(rest):
        yield Section(place, name, rest, location)


def _without_sections(
    group: Element, path: str, known: list[tuple[str, Element]]
) -> Element | None:
    """
    Collect the sections of the schema below a group.

    Returns:
        The group with what the schema does not know, or None where that is nothing.
    """
    rest = new_element(local_name(group), attributes_of(group))
    rest.text = text_of(group)
    for child in group:
        child_path = f"{path}/{local_name(child)}"
        if catalogue.section(child_path) is not None:
            known.append((child_path, child))
        elif catalogue.is_section_group(child_path):
            below = _without_sections(child, child_path, known)
            if below is not None:
                rest.append(below)
        else:
            rest.append(_copied(child))
    return rest if _says_something(rest) else None


def _says_something(element: Element) -> bool:
    return bool(len(element) or element.keys() or element.text)


def _below(element: Element, name: str) -> Iterator[Element]:
    """Give the children of a name, in whatever namespace."""
    return (child for child in element if local_name(child) == name)


def _copied(element: Element) -> Element:
    copied = deepcopy(element)
    copied.tail = None
    return copied


def _found(kind: str, place: str, section: Section) -> Found:
    element = section.element
    if section.location:
        element = new_element("location", section.location, line_of(section.element))
        element.append(deepcopy(section.element))
    return Found(ResourceId(kind, f"{place} : {section.name}"), element)


def _sites(section: Section) -> Iterator[Found]:
    rest = _copy(section.element, lambda child: local_name(child) == "site")
    yield from _rest(rest, section)
    for site in _below(section.element, "site"):
        name = site.get("name", "")
        yield Found(ResourceId("IisSite", name), _bare_site(site))
        bindings = [one for group in _below(site, "bindings") for one in _below(group, "binding")]
        for binding in bindings:
            label = (
                f"{name} : {binding.get('protocol', '')}/{binding.get('bindingInformation', '')}"
            )
            yield Found(ResourceId("IisBinding", label), binding)
        for application in _below(site, "application"):
            path = name + application.get("path", "/")
            bare = _copy(application, lambda child: local_name(child) == "virtualDirectory")
            yield Found(ResourceId("IisApplication", path), bare)
            for directory in _below(application, "virtualDirectory"):
                below = path.rstrip("/") + directory.get("path", "/")
                yield Found(ResourceId("IisVirtualDirectory", below), directory)


def _bare_site(site: Element) -> Element:
    """Copy a site without its applications and bindings, which are resources of their own."""
    bare = _copy(site, lambda child: local_name(child) in {"application", "bindings"})
    for bindings in _below(site, "bindings"):
        rest = _copy(bindings, lambda child: local_name(child) == "binding")
        if _says_something(rest):
            bare.append(rest)
    return bare


def _pools(section: Section) -> Iterator[Found]:
    rest = _copy(section.element, lambda child: local_name(child) == "add")
    yield from _rest(rest, section)
    for pool in _below(section.element, "add"):
        yield Found(ResourceId("IisAppPool", pool.get("name", "")), pool)


def _rest(rest: Element, section: Section) -> Iterator[Found]:
    if _says_something(rest) or section.location:
        place = section.place or SERVER_LEVEL
        yield _found("IisSection", place, section._replace(element=rest))


def _copy(element: Element, leave_out: Callable[[Element], bool]) -> Element:
    copied = new_element(local_name(element), attributes_of(element), line_of(element))
    copied.text = text_of(element)
    copied.extend([_copied(child) for child in element if not leave_out(child)])
    return copied


def _told_apart(found: Iterable[Found]) -> list[Found]:
    """Give a second resource of the same name a name of its own, so that nothing is lost."""
    seen: Counter[tuple[str, str, str]] = Counter()
    told = []
    for one in found:
        seen[one.resource.key] += 1
        count = seen[one.resource.key]
        if count > 1:
            name = f"{one.resource.name} ({count})"
            told.append(Found(ResourceId(one.resource.kind, name), one.element))
        else:
            told.append(one)
    return told


def changed_blocks(before: Element, after: Element) -> tuple[list[Element], list[Element]]:
    """
    Leave out the places of two applicationHost.config that are equal, byte for byte.

    Returns:
        The blocks of each that are left. All blocks of one place stay together, so that two
        sections of one name are told apart as in the whole file.
    """
    old, new = _by_place(before), _by_place(after)
    differ = [place for place in {**old, **new} if _bytes(old.get(place)) != _bytes(new.get(place))]
    return (
        [block for place in differ for block in old.get(place, ())],
        [block for place in differ for block in new.get(place, ())],
    )


def _by_place(root: Element) -> dict[str, list[Element]]:
    places: dict[str, list[Element]] = {}
    for block in root:
        place = _place(block) if local_name(block) == "location" else ""
        places.setdefault(place.casefold(), []).append(block)
    return places


def _bytes(blocks: list[Element] | None) -> list[bytes]:
    return [canonical(block) for block in blocks or ()]


def build_folders(root: Element) -> set[str]:
    """Give the builds in the names of version folders: `Exchange Back End/owa/15.2.1118.7`."""
    return {
        found[1]
        for location in _below(root, "location")
        if (found := _BUILD_FOLDER.search(location.get("path") or ""))
    }
