"""
What breaks its kind and must never be put back: the traces that attacks leave in configurations.

Real servers hold a script in ExternalUrl (CVE-2021-27065). To write such a value again would
finish the attack on the rebuilt server, so it is named for a person to look at.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote

from changelog_tracker.replay.notation import Element, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value

# The attributes by which a section loads code into IIS; the first two mean nothing else anywhere.
NATIVE = ("image", "scriptProcessor")
NATIVE_OF = {
    "system.webServer/isapiFilters": "path",
    "system.webServer/security/isapiCgiRestriction": "path",
    "system.webServer/fastCgi": "fullPath",
}
MANAGED_IN = ("system.webServer/modules", "system.webServer/handlers")
# Kinds of fields whose text is one word or name, and attributes that are one.
ONE_LINE = ("uri", "enum", "size", "duration", "whole", "bool")
NAMES = ("name", "path", "key", "protocol", "bindingInformation", "applicationPool", "physicalPath")

_SYSTEM = r"(?:%windir%|%systemroot%|[a-z]:\\windows)\\(?:system32|syswow64|microsoft\.net)\\"
_EXCHANGE = r"(?:%exchangeinstallpath%\\?|[a-z]:\\[^|]*\\microsoft\\exchange server\\v1[45]\\)"
_PROGRAMS = r"%programfiles(?:\(x86\))?%\\(?:iis|microsoft\\exchange server)\\"
_KNOWN_CODE = re.compile(rf"(?:{_SYSTEM}|{_EXCHANGE}|{_PROGRAMS})[^|<>?*]+", re.IGNORECASE)
_KNOWN_TYPE = re.compile(r"(?:System|Microsoft)\.[\w.`+]+(?:,.*)?", re.ASCII)
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):(?!\d)", re.IGNORECASE)
_SCRIPT = re.compile(r"<\s*script|<%|javascript:|vbscript:|runat\s*=", re.IGNORECASE)
_NOT_IN_URL = re.compile("[<>\"'`\u2018-\u201f\\\\\\s\\x00-\\x1f\\x7f-\\x9f]")
_NOT_SEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def breaks_kind(
    kind: str,
    setting: str | None,
    value: Value,
    field_kind: str | None = None,
    section: str | None = None,
) -> str | None:
    """
    Say why a value must never be put back.

    Args:
        kind: The resource kind.
        setting: The setting's name; None for a whole resource.
        value: What would be put back.
        field_kind: What the catalogue says the field is, where it knows it.
        section: Of an IisSection its section; without it, code is known by its attribute alone.

    Returns:
        One sentence without the value, that says "possible compromise"; or None.
    """
    if _has_unseen(setting or ""):
        return _sentence("a control character in a name")
    for name, text in (*_keys(setting or ""), *_texts(setting or "", value)):
        last = name.rpartition(".")[2]
        if kind.startswith("Iis") or kind == "ConfigFile":
            why = _iis_text(last, text, section)
        else:
            why = _exchange_text(last, text, field_kind)
        if why:
            return _sentence(why)
    return None


def name_breaks(name: str) -> str | None:
    """Say why a resource's or server's name must never be written into a command."""
    if _has_unseen(name) or "<" in name or ">" in name:
        return _sentence("a control character or a tag in a name")
    return None


def _keys(setting: str) -> Iterator[tuple[str, str]]:
    for step in steps(setting) or ():
        if isinstance(step, Element):
            yield from step.keys


def _texts(name: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(name, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _keys(key)
            yield from _texts(f"{name}.{key}", item)


def _exchange_text(name: str, text: str, field_kind: str | None) -> str | None:
    if field_kind == "uri" or name.endswith(("Url", "Uri")):
        return _url(text)
    if field_kind in ONE_LINE and _has_unseen(text):
        return "a control character in a name"
    return "a script in a text" if _SCRIPT.search(text) else None


def _iis_text(name: str, text: str, section: str | None) -> str | None:
    if name == "destination":
        return _url(text)
    if name == "physicalPath" and text.lstrip().replace("/", "\\").startswith("\\\\"):
        return "a physical path on another machine"
    if name in NAMES and _has_unseen(text):
        return "a control character in a name"
    if name in NATIVE or NATIVE_OF.get(section or "") == name:
        return _native(text)
    if section in MANAGED_IN and name == "type" and text and not _KNOWN_TYPE.fullmatch(text):
        return "a handler or module that is neither Windows' nor Exchange's"
    return None


def _url(text: str) -> str | None:
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].casefold() not in ("http", "https"):
        return "a URL with another scheme than http and https"
    if _NOT_IN_URL.search(text) or _SCRIPT.search(unquote(text)):
        return "a URL with a script or with characters that no URL has"
    return None


def _native(text: str) -> str | None:
    # A scriptProcessor may carry arguments behind a bar.
    path = text.partition("|")[0].strip().strip('"').replace("/", "\\")
    if path and (".." in path or not _KNOWN_CODE.fullmatch(path)):
        return "native code from a folder that is neither Windows' nor Exchange's"
    return None


def _has_unseen(text: str) -> bool:
    return not text.isprintable() and any(unicodedata.category(char) in _NOT_SEEN for char in text)


def _sentence(what: str) -> str:
    return f"possible compromise: {what}; it is never put back by a command"
