"""What scripts do to the configuration of the lab's IIS: set, clear, add, remove."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]

import iis  # noqa: E402
from iis import Config, Element, Hop, Missing, Refused  # noqa: E402


def levels(location: str) -> list[str]:
    """Give the levels whose settings reach a place, the server's first."""
    parts = location.split("/") if location else []
    return ["", *("/".join(parts[: n + 1]) for n in range(len(parts)))]


def check_lock(config: Config, section: str) -> None:
    web_config = config.file.name.casefold() == "web.config"
    if web_config and iis.SCHEMA[section]["locked"]:
        raise Refused(iis.LOCKED)
    if section.startswith("system.applicationHost") and config.location:
        raise Refused(f"The section '{section}' is not allowed at '{config.location}'.")


def set_attribute(config: Config, section: str, hops: list[Hop], name: str, value: str) -> None:
    check_lock(config, section)
    *inner, name = name.split(".")
    hops = [*hops, *((tag, {}) for tag in inner)]
    text = iis.written(iis.shape_of(section, hops), name, value)
    element = iis.walk(config.section(section, make=True), section, hops, make=True)
    if element is None:
        raise Missing(f"Target configuration object '{_words(section, hops)}' is not found.")
    element.setAttribute(name, text)
    config.save()


def clear(config: Config, section: str, hops: list[Hop], attribute: str | None) -> None:
    """Take an attribute, an element or the whole section out of the place."""
    check_lock(config, section)
    shape = iis.shape_of(section, hops)
    if attribute is not None and attribute not in shape.get("a", {}):
        raise Refused(f"Unrecognized attribute '{attribute}'.")
    element = iis.walk(config.section(section, make=False), section, hops, make=False)
    if element is None:
        return
    if attribute is not None:
        if element.hasAttribute(attribute):
            element.removeAttribute(attribute)
        if not _holds_something(element) and not (hops and hops[-1][1]):
            _drop(element)
    else:
        _drop(element)
    config.save()


def _holds_something(element: Element) -> bool:
    return bool(element.attributes.length or iis.elements(element))


def _drop(element: Element) -> None:
    """Take an element away, and what is empty above it up to its location."""
    parent = element.parentNode
    parent.removeChild(element)
    while parent.nodeType == parent.ELEMENT_NODE and parent.tagName != "configuration":
        above = parent.parentNode
        if iis.elements(parent) or parent.tagName in ("site", "application", "sites", "bindings"):
            return
        if parent.attributes.length and parent.tagName != "location":
            return
        above.removeChild(parent)
        parent = above


def collection(section: str, hops: list[Hop]) -> dict[str, Any]:
    found = iis.shape_of(section, hops).get("c")
    if not found:
        raise Refused(f"'{_words(section, hops)}' is no collection.")
    return found[0]


def effective(config: Config, section: str, hops: list[Hop]) -> list[dict[str, str]]:
    """Give the keys of what a collection holds at a place, with what it inherits."""
    item = collection(section, hops)
    held: list[dict[str, str]] = []
    for level in levels(config.location):
        top = config.top(level, make=False, section=section)
        start = iis.below(top, section, make=False) if top is not None else None
        parent = iis.walk(start, section, hops, make=False)
        for one in iis.elements(parent) if parent is not None else []:
            keys = {name: one.getAttribute(name) for name in item["keys"]}
            if one.tagName == item.get("clear"):
                held = []
            elif one.tagName == item.get("remove"):
                held = [other for other in held if not _same(other, keys)]
            elif one.tagName in item["add"]:
                held.append(keys)
    return held


def _same(one: dict[str, str], other: dict[str, str]) -> bool:
    return {k: v.casefold() for k, v in one.items()} == {k: v.casefold() for k, v in other.items()}


def add(
    config: Config, section: str, hops: list[Hop], values: dict[str, str], at: int | None = None
) -> None:
    check_lock(config, section)
    item = collection(section, hops)
    checked = {name: iis.written(item, name, value) for name, value in values.items()}
    texts = {name: checked[name] for name in item["a"] if name in checked}
    wanted = [name for name in item["required"] if name not in texts]
    if item["keys"] and not any(name in texts for name in item["keys"]):
        wanted = item["keys"]
    if wanted:
        raise Refused(f"Missing required attribute '{wanted[0]}'.")
    keys = {name: texts.get(name, "") for name in item["keys"]}
    if item["keys"] and any(_same(one, keys) for one in effective(config, section, hops)):
        shown = ", ".join(f"'{name}' set to '{value}'" for name, value in keys.items())
        kind = f"type '{item['add'][0]}' with unique key attribute {shown}"
        raise Refused(f"Cannot add duplicate collection entry of {kind}.")
    parent = iis.walk(config.section(section, make=True), section, hops, make=True)
    if parent is None:
        raise Missing(f"Target configuration object '{_words(section, hops)}' is not found.")
    iis.added(parent, item["add"][0], texts, at)
    config.save()


def remove(config: Config, section: str, hops: list[Hop], keys: dict[str, str]) -> None:
    """Take an element out of a collection; one that is inherited gets a `<remove>`."""
    check_lock(config, section)
    item = collection(section, hops)
    parent = iis.walk(config.section(section, make=False), section, hops, make=False)
    own = iis.elements(parent) if parent is not None else []
    found = [one for one in own if one.tagName in item["add"] and iis.has(one, keys)]
    if found:
        _drop(found[0])
    else:
        inherited = [one for one in effective(config, section, hops) if _held(one, keys)]
        if not inherited or not item.get("remove"):
            raise Refused("Cannot find requested collection element.")
        parent = iis.walk(config.section(section, make=True), section, hops, make=True)
        iis.added(parent, item["remove"], inherited[0])  # type: ignore[arg-type]
    config.save()


def _held(one: dict[str, str], keys: dict[str, str]) -> bool:
    return all(one.get(name, value).casefold() == value.casefold() for name, value in keys.items())


def _words(section: str, hops: list[Hop]) -> str:
    return "/".join([section, *(tag + (str(keys) if keys else "") for tag, keys in hops)])


def place_of(ps_path: str, location: str | None) -> Config:
    """Open what -PSPath and -Location of WebAdministration mean."""
    if location:
        return iis.config_at(f"{ps_path.rstrip('/')}/{location}", commit="apphost")
    return iis.config_at(ps_path, commit="web.config")


def by_filter(step: dict[str, Any]) -> tuple[Config, str, list[Hop], str | None]:
    section, rest = iis.section_of(step["filter"])
    attribute = rest.pop()[1:] if rest and rest[-1].startswith("@") else None
    config = place_of(step["psPath"], step.get("location"))
    return config, section, [iis.hop(part) for part in rest], attribute


def drop_locations(place: str) -> None:
    """Take away what stands at a place and below it, as deleting its metabase key does."""
    config = iis.config_at("", commit="apphost")
    root = config.document.documentElement
    for one in iis.elements(root, "location"):
        own = one.getAttribute("path").casefold()
        if f"{own}/".startswith(f"{place.casefold()}/"):
            root.removeChild(one)
    config.save()


def web_administration(step: dict[str, Any]) -> None:
    """Do what one cmdlet of WebAdministration asks for."""
    if step["op"] == "drop-locations":
        drop_locations(step["location"])
        return
    config, section, hops, attribute = by_filter(step)
    name, value = step.get("name") or ".", step.get("value")
    named = [(part, {}) for part in name.split(".") if part]
    if step["op"] == "set":
        values = value if isinstance(value, dict) else {name: value}
        for one, text in values.items():
            set_attribute(config, section, hops, one, _text(text))
    elif step["op"] == "clear":
        clear(config, section, hops, attribute)
    elif step["op"] == "add":
        for one in value if isinstance(value, list) else [value]:
            texts = {key: _text(text) for key, text in one.items()}
            add(config, section, [*hops, *named], texts, step.get("at"))
    elif step["op"] == "remove":
        keys = {key: _text(text) for key, text in (step.get("element") or {}).items()}
        remove(config, section, [*hops, *named], keys)


def get(step: dict[str, Any]) -> list[str]:
    """Give the value that applies at a place; nothing where only the schema's default does."""
    config, section, hops, _ = by_filter(step)
    *inner, name = step["name"].split(".")
    hops = [*hops, *((tag, {}) for tag in inner)]
    for level in reversed(levels(config.location)):
        top = config.top(level, make=False, section=section)
        start = iis.below(top, section, make=False) if top is not None else None
        element = iis.walk(start, section, hops, make=False)
        if element is not None and element.hasAttribute(name):
            return [element.getAttribute(name)]
    return []


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def main(request: str) -> None:
    """Answer one request of the PowerShell side; the answer is JSON on standard output."""
    asked = json.loads(request)
    answer: dict[str, Any] = {}
    try:
        for step in asked["do"]:
            if step["op"] == "get":
                answer["found"] = get(step)
            else:
                web_administration(step)
        if asked.get("log"):
            iis.log(asked["log"], asked["identity"], asked["parameters"])
    except Missing as error:
        answer["warning"] = str(error)
    except Refused as error:
        answer["error"] = str(error)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
