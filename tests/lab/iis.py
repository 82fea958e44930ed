"""
The IIS of the lab: edits a real applicationHost.config (or web.config) by the rules of its schema.

Standard library alone, as appcmd.exe of the lab runs it without the test environment. Every edit
that a script asks for is one line of the lab's log.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.dom import minidom

LAB = Path(os.environ.get("LAB_FOLDER", "."))
SERVER_LEVEL = "MACHINE/WEBROOT/APPHOST"
APPHOST = "Windows/System32/inetsrv/config/applicationHost.config"
REWRITE = "Windows/System32/inetsrv/config/schema/rewrite_schema.xml"
SCHEMA = json.loads((Path(__file__).parent / "iis_schema.json").read_text("utf-8"))
LOCKED = (
    "This configuration section cannot be used at this path. This happens when the section is "
    'locked at a parent level. Locking is either by default (overrideModeDefault="Deny"), or set '
    'explicitly by a location tag with overrideMode="Deny".'
)
Element = minidom.Element
Hop = tuple[str, dict[str, str]]


class Refused(Exception):  # noqa: N818 - what IIS says no to
    """What IIS would not do, as it would say it."""


class Missing(Refused):
    """Nothing there to set: WebAdministration only warns of it."""


def log(cmdlet: str, identity: str, parameters: dict[str, Any]) -> None:
    line = {"cmdlet": cmdlet, "identity": identity, "parameters": parameters}
    with (LAB / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def windows_file(path: str) -> Path:
    """Find a file of the lab's C: by its Windows path, letters of either case."""
    variables = {"SystemDrive": "C:", "windir": r"C:\Windows", "SystemRoot": r"C:\Windows"}
    for name, value in variables.items():
        path = re.sub(f"%{name}%", value.replace("\\", r"\\"), path, flags=re.IGNORECASE)
    found = LAB / "C"
    for part in path.replace("\\", "/").split("/")[1:]:
        names = {p.name.casefold(): p for p in found.iterdir()} if found.is_dir() else {}
        found = names.get(part.casefold(), found / part)
    return found


class Config:
    """One configuration file, and the place in it that is edited."""

    def __init__(self, file: Path, location: str) -> None:
        self.file, self.location = file, location
        text = file.read_bytes() if file.exists() else b"<configuration />"
        self.document = minidom.parseString(text)

    def save(self) -> None:
        root = self.document.documentElement.toxml()
        before = [n.toxml() for n in self.document.childNodes if n.nodeType == n.COMMENT_NODE]
        text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *before, root, ""])
        fresh = self.file.with_name(f"{self.file.name}.new")
        fresh.write_text(text, "utf-8", newline="")
        fresh.replace(self.file)

    def top(self, location: str, *, make: bool, section: str = "") -> Element | None:
        root = self.document.documentElement
        if not location:
            return root
        same = [
            one
            for one in elements(root, "location")
            if one.getAttribute("path").strip("/").casefold() == location.casefold()
        ]
        holding = [one for one in same if section and below(one, section, make=False)]
        free = [one for one in same if one.getAttribute("overrideMode") in ("", "Inherit")]
        if holding or free or not make:
            return next(iter([*holding, *free, *same]), None)
        return added(root, "location", {"path": location})

    def section(self, name: str, *, make: bool) -> Element | None:
        top = self.top(self.location, make=make, section=name)
        return None if top is None else below(top, name, make=make)


def elements(parent: Element, tag: str | None = None) -> list[Element]:
    found = [n for n in parent.childNodes if n.nodeType == n.ELEMENT_NODE]
    return [n for n in found if tag is None or n.tagName == tag]


def below(parent: Element, path: str, *, make: bool) -> Element | None:
    for tag in path.split("/"):
        found = elements(parent, tag)
        if not found and not make:
            return None
        parent = found[0] if found else added(parent, tag, {})
    return parent


def added(parent: Element, tag: str, attributes: dict[str, str], at: int | None = None) -> Element:
    one = parent.ownerDocument.createElement(tag)
    for name, value in attributes.items():
        one.setAttribute(name, value)
    here = elements(parent)
    parent.insertBefore(one, here[at] if at is not None and at < len(here) else None)
    return one


def config_at(place: str, *, commit: str) -> Config:
    """Open the file in which a place's settings are committed: `apphost` or its own web.config."""
    place = re.sub(rf"^(iis:[\\/]*(sites)?|{SERVER_LEVEL})", "", place, flags=re.IGNORECASE)
    place = place.replace("\\", "/").strip("/")
    main = LAB / "C" / APPHOST
    if not place or commit == "apphost":
        return Config(main, place)
    return Config(folder_of(place) / "web.config", "")


def folder_of(place: str) -> Path:
    """Find the folder that IIS serves a place from."""
    site, _, path = place.partition("/")
    root = Config(LAB / "C" / APPHOST, "").document.documentElement
    best: tuple[int, str, str] | None = None
    for one in root.getElementsByTagName("site"):
        if one.getAttribute("name").casefold() != site.casefold():
            continue
        for application in elements(one, "application"):
            for directory in elements(application, "virtualDirectory"):
                own = application.getAttribute("path").rstrip("/")
                own = (own + directory.getAttribute("path")).strip("/")
                if f"{path}/".casefold().startswith(f"{own}/".casefold()) or not own:
                    rest = path[len(own) :].strip("/")
                    found = (len(own), directory.getAttribute("physicalPath"), rest)
                    best = max(best, found) if best else found
    if best is None:
        raise Refused(f'Cannot find SITE object with identifier "{site}".')
    return windows_file(best[1]) / best[2]


def section_of(path: str, *, short: bool = False) -> tuple[str, list[str]]:
    """Part a path into the name of the section and what lies below it."""
    known = {name.casefold(): name for name in SCHEMA}
    if not (LAB / "C" / REWRITE).exists():
        known = {key: name for key, name in known.items() if "/rewrite/" not in key}
    parts = split(path.strip("/"), "/")
    for count in range(len(parts), 0, -1):
        name = known.get("/".join(parts[:count]).casefold())
        if name is not None:
            return name, parts[count:]
    ends = [name for key, name in known.items() if key.endswith("/" + path.casefold())]
    if short and len(ends) == 1:
        return ends[0], []
    raise Refused(f'Unknown config section "{path}". Replace with ? for help.')


def split(text: str, mark: str) -> list[str]:
    """Split outside brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"" and depth:
            quote = c
        elif c in "[]":
            depth += 1 if c == "[" else -1
        if c == mark and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += c
    return [part for part in parts if part]


_KEY = re.compile(r"@?([\w.]+)\s*=\s*('[^']*'|\"[^\"]*\")")


def hop(text: str) -> Hop:
    """Read `add[@name='X' and @b='Y']` or `[name='X',b='Y']`."""
    tag, _, keys = text.partition("[")
    found = {name: value[1:-1] for name, value in _KEY.findall(keys)}
    rest = re.sub(r"\band\b|[\[\],\s]", "", _KEY.sub("", keys))
    if rest:
        raise Refused(f"The filter '{text}' is not valid.")
    return tag, found


def shape_of(section: str, hops: list[Hop]) -> dict[str, Any]:
    """Follow hops through the schema."""
    shape = SCHEMA[section]
    for tag, keys in hops:
        inner = shape.get("e", {}).get(tag) if not keys else None
        items = [c for c in shape.get("c", []) if tag in ("", "*", *c["add"])]
        if inner is None and not items:
            raise Refused(f"Unrecognized element '{tag}' in section '{section}'.")
        shape = inner if inner is not None else items[0]
        if keys.keys() - shape.get("a", {}).keys():
            raise Refused(f"Unrecognized attribute '{', '.join(keys)}' of '{tag}'.")
    return shape


def walk(start: Element | None, section: str, hops: list[Hop], *, make: bool) -> Element | None:
    """Follow hops through the file; elements of the schema are made, those of collections not."""
    shape = SCHEMA[section]
    for tag, keys in hops:
        inner = shape.get("e", {}).get(tag) if not keys else None
        if start is not None and inner is not None:
            start = below(start, tag, make=make)
        elif start is not None:
            tags = [a for c in shape.get("c", []) for a in c["add"] if tag in ("", "*", a)]
            start = next((e for t in tags for e in elements(start, t) if has(e, keys)), None)
        shape = (
            inner if inner is not None else shape_of(section, hops[: hops.index((tag, keys)) + 1])
        )
    return start


def has(element: Element, keys: dict[str, str]) -> bool:
    loose = ("name", "path", "fileExtension", "protocol")
    return all(
        element.getAttribute(k) == v
        or (k in loose and element.getAttribute(k).casefold() == v.casefold())
        for k, v in keys.items()
    )


def written(shape: dict[str, Any], name: str, value: str) -> str:
    """
    Give a value as IIS writes it.

    Raises:
        Refused: No such attribute, or a value that its type does not take.
    """
    if name not in shape.get("a", {}):
        raise Refused(f"Unrecognized attribute '{name}'.")
    kind, *values = shape["a"][name]
    bad = Refused(f"The '{name}' attribute is invalid. '{value}' is not a valid {kind}.")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", value):
        raise bad
    if kind == "bool":
        if value.casefold() not in ("true", "false"):
            raise bad
        return value.casefold()
    if kind in ("int", "uint"):
        if not re.fullmatch(r"-?\d+" if kind == "int" else r"\d+", value):
            raise bad
        return value
    if kind == "timeSpan" and not re.fullmatch(r"(\d+\.)?\d{1,2}:\d\d:\d\d(\.\d+)?", value):
        raise bad
    if kind in ("enum", "flags"):
        return _of_a_set(kind, values[0], value, bad)
    return value


def _of_a_set(kind: str, values: list[str], value: str, bad: Refused) -> str:
    known = {one.casefold(): one for one in values}
    parts = (
        [p.strip().casefold() for p in value.split(",")] if kind == "flags" else [value.casefold()]
    )
    if kind == "flags" and value == "":
        return "None" if "none" in known else ""
    if set(parts) - known.keys():
        raise bad
    chosen = {known[part] for part in parts}
    return ", ".join(one for one in values if one in chosen)
