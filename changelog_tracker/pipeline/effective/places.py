"""The places of a server's IIS: sites, applications, directories, and the folder behind each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker.parse.iis_config import SERVER_LEVEL
from changelog_tracker.pipeline.names import FileNames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Node

_DEEPEST = 100
_VARIABLE = re.compile(r"^%(systemdrive|windir|systemroot|programfiles)%", re.IGNORECASE)
_INSTALL = re.compile(r"^%ExchangeInstallPath%/?", re.IGNORECASE)
_BELOW_INSTALL = re.compile(r"^[A-Z]:/.*?/(?=(?:ClientAccess|FrontEnd)(?:/|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Directory:
    """A virtual directory: its folder as applicationHost.config says it, and whose files count."""

    physical: str
    allow_sub: bool


@dataclass(slots=True)
class Places:
    """
    What stands in <sites>, by place; places are folded as keys.

    Args:
        sites: Their names.
        applications: Places that are an application's root.
        directories: Places that are a virtual directory's root.
        shown: How each place that has something of its own is spelt.
    """

    sites: list[str] = field(default_factory=list)
    applications: set[str] = field(default_factory=set)
    directories: dict[str, Directory] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, name: str, node: Node, defaults: list[Node]) -> None:
        """
        Put in a site, an application or a virtual directory.

        Args:
            kind: `IisSite`, `IisApplication` or `IisVirtualDirectory`.
            name: As appcmd lists it: `Default Web Site/owa/`.
            node: Its element.
            defaults: The elements that may hold <virtualDirectoryDefaults>, nearest first.
        """
        place = name.rstrip("/")
        self.shown.setdefault(place.casefold(), place)
        if kind == "IisSite":
            self.sites.append(name)
        elif kind == "IisApplication":
            self.applications.add(place.casefold())
        else:
            allow = _allow_sub(node, defaults)
            self.directories[place.casefold()] = Directory(
                node.attributes.get("physicalPath", ""), allow
            )

    def application_of(self, place: str) -> str:
        """Give the application that a place belongs to, folded; "" above every application."""
        found = [node for node in nodes(place.casefold()) if node in self.applications]
        return found[-1] if found else ""

    def folder(self, place: str) -> str | None:
        """Give the folder behind a place as applicationHost.config says it; None: none counts."""
        found = [node for node in nodes(place) if node.casefold() in self.directories]
        if not found:
            return None
        directory = self.directories[found[-1].casefold()]
        rest = place[len(found[-1]) :]
        if not directory.physical or (rest and not directory.allow_sub):
            return None
        return directory.physical.replace("\\", "/").rstrip("/") + rest


def _allow_sub(node: Node, defaults: list[Node]) -> bool:
    said = node.attributes.get("allowSubDirConfig")
    for element in defaults:
        for child in element.children:
            if said is None and child.tag == "virtualDirectoryDefaults":
                said = child.attributes.get("allowSubDirConfig")
    return said is None or said.casefold() != "false"


def nodes(place: str) -> list[str]:
    """Give the places that a place inherits from, from the site down, itself last."""
    if place.casefold() == SERVER_LEVEL.casefold() or not place:
        return []
    # Deeper than any address that IIS takes: what is left of a longer path is one step.
    parts = place.split("/", _DEEPEST)
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def file_names(path: str, install_path: str | None, drives: list[str]) -> Iterator[str]:
    """
    Give the names that a file on the server may have here, the likeliest first.

    Args:
        path: With forward slashes; may begin with a variable.
        install_path: Where Exchange is installed.
        drives: The letters that are known, `C`.
    """
    install = _INSTALL.match(path)
    if install:
        yield "%ExchangeInstallPath%/" + path[install.end() :]
        return
    for drive in dict.fromkeys(("C", *drives)):
        name = FileNames(install_path, f"{drive}:/Windows").named(_expanded(path, drive))
        if install_path is None:
            name = _BELOW_INSTALL.sub("%ExchangeInstallPath%/", name)
        yield name


def _expanded(path: str, drive: str) -> str:
    folders = {
        "systemdrive": f"{drive}:",
        "windir": f"{drive}:/Windows",
        "systemroot": f"{drive}:/Windows",
        "programfiles": f"{drive}:/Program Files",
    }
    return _VARIABLE.sub(lambda found: folders[found[1].casefold()], path)
