"""
One line of appcmd for one change of IIS.

Every form here is one that Microsoft prints (https://learn.microsoft.com/iis/configuration/);
where there is none that is confirmed, there is no line but the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay import powershell
from changelog_tracker.replay.notation import (
    SERVER_LEVEL,
    Element,
    Step,
    place_and_section,
    steps,
)
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from changelog_tracker.model import Change, Value

# The object of `appcmd set`, by resource kind; a binding is an element of its site.
OBJECTS = {
    "IisSite": "site",
    "IisApplication": "app",
    "IisVirtualDirectory": "vdir",
    "IisAppPool": "apppool",
}
KINDS = ("IisSection", "IisBinding", *OBJECTS)


def line(change: Change) -> str:
    """
    Write the command that makes `after` stand there.

    Args:
        change: Of one of KINDS. What appcmd does not own is not seen here.

    Raises:
        UnwritableError: There is no confirmed form, or appcmd cannot take the value.
    """
    if change.kind == "IisSection":
        return _section_line(change)
    if change.kind == "IisBinding":
        return _binding_line(change)
    if change.setting is None:
        raise _no(f"no one appcmd line gives or takes a whole {change.kind}")
    thing = OBJECTS[change.kind]
    target = f"/{thing}.name:{change.resource}"
    option = _option(change.setting, change.after, None)
    return powershell.appcmd(f"set {thing}", [target, option])


def _section_line(change: Change) -> str:
    parted = place_and_section(change.resource)
    if parted is None:
        raise _no("the name is not PLACE : SECTION")
    place, section = parted
    where = [*_place(place), f"/section:{section}"]
    commit = "/commit:apphost"
    if change.setting is not None:
        option = _option(change.setting, change.after, section)
        return powershell.appcmd("set config", [*where, option, commit])
    if change.after is None:
        if place == SERVER_LEVEL:
            raise _no("to clear a section of the whole server takes away more than came")
        return powershell.appcmd("clear config", [*where, commit])
    if not isinstance(change.after, dict) or not change.after:
        raise _no("the section holds no attribute that one command could set")
    return powershell.appcmd("set config", [*where, *_options(change.after, section), commit])


def _options(settings: dict[str, Value], section: str) -> list[str]:
    """Write a section that comes as a whole: its attributes, then its elements, each added."""
    attributes: list[str] = []
    elements: dict[str, tuple[tuple[Step, ...], Element, dict[str, Value]]] = {}
    for name, value in _flat(settings):
        parts = steps(name)
        at = next((n for n, part in enumerate(parts or ()) if isinstance(part, Element)), None)
        if parts is None or at is None:
            attributes.append(_attribute(name, value, section))
            continue
        element = parts[at]
        below = parts[at + 1 :]
        if not isinstance(element, Element) or len(below) > 1:
            raise _no("it holds nested elements, which one appcmd line cannot give back")
        path = "".join(f"{_step(step)}." for step in parts[: at + 1])
        own = elements.setdefault(path, (parts[:at], element, {}))[2]
        if below:
            own[str(below[0])] = value
        elif isinstance(value, dict):
            own |= value
    added = [_element(front, element, None, own) for front, element, own in elements.values()]
    return [*attributes, *added]


def _binding_line(change: Change) -> str:
    site, colon, binding = change.resource.rpartition(" : ")
    protocol, slash, information = binding.partition("/")
    if not (colon and slash):
        raise _no("the name is not SITE : PROTOCOL/INFORMATION")
    keys = (("protocol", protocol), ("bindingInformation", information))
    target = f"/site.name:{site}"
    if change.setting is None:
        option = _element(["bindings"], Element(keys), change.before, change.after)
    elif change.setting.startswith("certificate"):
        raise _no("the certificate of a binding is put back by Enable-ExchangeCertificate")
    else:
        option = _attribute(f"bindings.{_brackets(keys)}.{change.setting}", change.after, None)
    return powershell.appcmd("set site", [target, option])


def _place(place: str) -> list[str]:
    if place == SERVER_LEVEL:
        return []
    if place.startswith("MACHINE/"):
        raise _no("appcmd commits to applicationHost.config, and this lies above it")
    if place[0] in "/-":
        raise _no("appcmd would take the place's name for an option")
    return [place]


def _option(setting: str, after: Value, section: str | None) -> str:
    parts = steps(setting)
    if parts is None:
        raise _no(f"appcmd has no confirmed form for {setting.rpartition('.')[2]}")
    if isinstance(parts[-1], Element):
        return _element(parts[:-1], parts[-1], None, after)
    return _attribute(setting, after, section)


def _element(front: Sequence[Step], element: Element, before: Value, after: Value) -> str:
    if before is not None and after is not None:
        raise _no("an element that changes as a whole has no one appcmd line")
    path = "".join(f"{_step(step)}." for step in front)
    if after is None:
        return f"/-{path}{_brackets(element.keys)}"
    if not isinstance(after, dict):
        raise _no("the element is no object of attributes")
    own = {name for name, _ in element.keys}
    rest = [(name, _scalar(value, None, ())) for name, value in after.items() if name not in own]
    return f"/+{path}{_brackets([*element.keys, *rest])}"


def _attribute(setting: str, after: Value, section: str | None) -> str:
    parts = steps(setting)
    if parts is None or isinstance(parts[-1], Element):
        raise _no(f"appcmd cannot set {setting.rpartition('.')[2]} together with attributes")
    if after is None:
        raise _no(_cannot_clear(parts, section))
    path = ".".join(_step(step) for step in parts)
    return f"/{path}:{_scalar(after, section, parts)}"


def _cannot_clear(parts: Sequence[Step], section: str | None) -> str:
    names = [step for step in parts if isinstance(step, str)]
    if section is None or len(names) != len(parts):
        return "appcmd cannot clear one attribute; Clear-WebConfiguration -Filter '.../@attr' does"
    path = "/".join([section, *names[:-1], f"@{names[-1]}"])
    return f"appcmd cannot clear one attribute; Clear-WebConfiguration -Filter '{path}' does"


def _flat(values: dict[str, Value], front: str = "") -> list[tuple[str, Value]]:
    # Nested elements as objects: {"extendedProtection": {"tokenChecking": ...}}.
    pairs: list[tuple[str, Value]] = []
    for name, value in values.items():
        nested = isinstance(value, dict) and "secret" not in value and not name.endswith("]")
        if nested and isinstance(value, dict):
            pairs.extend(_flat(value, f"{front}{name}."))
        else:
            pairs.append((front + name, value))
    return pairs


def _step(step: Step) -> str:
    return step if isinstance(step, str) else _brackets(step.keys)


def _brackets(keys: Sequence[tuple[str, str]]) -> str:
    if any("'" in value for _, value in keys):
        raise _no("how appcmd takes a quote inside a key is not confirmed")
    return "[" + ",".join(f"{name}='{value}'" for name, value in keys) + "]"


def _scalar(value: Value, section: str | None, path: Sequence[Step]) -> str:
    match value:
        case bool():
            return "True" if value else "False"
        case str():
            return value
        case int():
            return str(value)
        case []:
            return _no_flag(section, path)
        case list() if all(isinstance(flag, str) for flag in value):
            return ",".join(str(flag) for flag in value)
    raise _no("it holds nested elements, which one appcmd line cannot give back")


def _no_flag(section: str | None, path: Sequence[Step]) -> str:
    node = catalogue.section(section) if section else None
    for step in path[:-1]:
        node = (node or {}).get("elements", {}).get(step) if isinstance(step, str) else None
    attribute = (node or {}).get("attributes", {}).get(path[-1]) if path else None
    if attribute and "None" in attribute.get("values", {}):
        return "None"
    raise _no("the schema has no name for no flag at all")


def _no(why: str) -> UnwritableError:
    return UnwritableError("appcmd", why)
