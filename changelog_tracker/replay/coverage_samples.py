"""One value before and one after for each kind of setting, to plan a change of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from changelog_tracker import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.catalogue import SectionFacts
    from changelog_tracker.model import Value

Pair: TypeAlias = "tuple[Value, Value]"

_OF_KIND: dict[str, Pair] = {
    "bool": (True, False),
    "whole": (10, 20),
    "text": ("a", "b"),
    "enum": ("A", "B"),
    "uri": ("https://a.contoso.com/a", "https://b.contoso.com/b"),
    "set": (["a"], ["b"]),
    "list": (["a"], ["b"]),
    "size": (10, 20),
    "duration": ("01:00:00", "02:00:00"),
    "object": ("a", "b"),
    "secret": ({"secret": "k:a"}, {"secret": "k:b"}),
}
# What these attributes hold is looked at before it is put back.
_CODE: Pair = ("%windir%\\System32\\inetsrv\\a.dll", "%windir%\\System32\\inetsrv\\b.dll")
_OF_NAME: dict[str, Pair] = {
    "destination": _OF_KIND["uri"],
    "type": ("System.A", "System.B"),
    "image": _CODE,
    "scriptProcessor": _CODE,
    "fullPath": _CODE,
    "path": _CODE,
}
# A kind, one of it, a setting of it, and what it holds as a whole.
OBJECTS: tuple[tuple[str, str, str, dict[str, Value]], ...] = (
    ("IisSite", "X", "serverAutoStart", {"id": 3}),
    ("IisApplication", "Default Web Site/x", "applicationPool", {"applicationPool": "A"}),
    ("IisVirtualDirectory", "Default Web Site/x/", "physicalPath", {"physicalPath": "C:\\x"}),
    ("IisAppPool", "A", "queueLength", {"queueLength": 10}),
    ("IisBinding", "X : https/*:443:x", "sslFlags", {"sslFlags": 1}),
    ("IisSection", "Default Web Site/x : system.webServer/httpRedirect", "enabled",
     {"enabled": True}),
    ("IisSection", "Default Web Site : system.webServer/httpRedirect", "enabled",
     {"enabled": True}),
    ("IisSection", "MACHINE/WEBROOT/APPHOST : system.webServer/httpRedirect", "enabled",
     {"enabled": True}),
    ("ConfigFile", "%ExchangeInstallPath%/ClientAccess/x/web.config : appSettings",
     "[key='a'].value", {"[key='a']": {"value": "b"}}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """
    A change of one setting of a section.

    Args:
        shown: The setting with `*` for the keys of elements.
        setting: The same with a key that could be one.
        before: A value of its type; None of an element, which comes.
        after: Another.
    """

    shown: str
    setting: str
    before: Value
    after: Value


def of_kind(kind: str) -> Pair:
    """Give a value before and one after, of a kind of field."""
    return _OF_KIND[kind]


def of_section(section: str) -> list[Sample]:
    """Give a change of each attribute, of each kind of element and of each order that counts."""
    found = _of(section, catalogue.section(section) or {}, "", "")
    # Two collections of one element may have elements of the same key: one for both.
    return list({sample.shown: sample for sample in found}.values())


def _of(section: str, facts: SectionFacts, shown: str, setting: str) -> Iterator[Sample]:
    for name, attribute in facts.get("attributes", {}).items():
        yield Sample(shown + name, setting + name, *_pair(name, attribute))
    for name, element in facts.get("elements", {}).items():
        yield from _of(section, element, f"{shown}{name}.", f"{setting}{name}.")
    for collection in facts.get("collections", ()):
        item = collection.get("item", {})
        keys = [
            name
            for name, attribute in item.get("attributes", {}).items()
            if attribute.get("key") or attribute.get("combined_key")
        ]
        told = [f"{name}='{_OF_NAME.get(name, _OF_KIND['text'])[0]}'" for name in keys]
        star = shown + "[" + (",".join(f"{name}='*'" for name in keys) or "*") + "]"
        element = f"{setting}[{','.join(told) or '1'}]"
        yield Sample(star, element, None, {})
        if keys:
            yield from _of(section, item, f"{star}.", f"{element}.")
    if facts.get("collections") and catalogue.is_ordered(section, setting.rstrip(".")):
        yield Sample(f"{shown}(order)", f"{setting}(order)", ["a", "b"], ["b", "a"])


def _pair(name: str, facts: SectionFacts) -> Pair:
    if facts.get("encrypted"):
        return _OF_KIND["secret"]
    match facts.get("type"):
        case "bool":
            return _OF_KIND["bool"]
        case "flags":
            flags: list[Value] = [flag for flag in facts["values"] if flag != "None"]
            return [] if "None" in facts["values"] else flags[:1], flags
        case "timeSpan":
            return _OF_KIND["duration"]
        case "int" | "uint" | "int64":
            return _OF_KIND["whole"]
    return _OF_NAME.get(name, _OF_KIND["text"])
