"""
IIS and configuration files: a difference as operations on single elements and attributes.

A change speaks appcmd's notation. Here it becomes the way to an element, tag by tag, so that
nothing that was captured is ever part of an expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from changelog_tracker import catalogue
from changelog_tracker.replay.notation import SERVER_LEVEL, place_and_section
from changelog_tracker.replay.notation import Element as Keyed
from changelog_tracker.replay.notation import steps as parted
from changelog_tracker.replay.plan import Element, Goal, Hop
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from changelog_tracker.model import Change, Settings, Value
    from changelog_tracker.replay.plan import Op

SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"
OBJECTS = ("IisSite", "IisApplication", "IisVirtualDirectory", "IisAppPool", "IisBinding")
_FILE_PLACE = re.compile(r"(.*\.config) \((.*)\)", re.IGNORECASE | re.DOTALL)
_WRITTEN = ("add", "binding", "site", "application", "virtualDirectory")


@dataclass(frozen=True, slots=True)
class Operation:
    """One write: what to do where, and the values."""

    op: Op
    target: Element
    goals: tuple[Goal, ...]


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


def operations(change: Change, at: Where) -> list[Operation]:
    """
    Give the writes that make `after` stand where `before` does.

    Raises:
        UnwritableError: There is none for one of them.
    """
    if change.setting is not None:
        return _of_setting(change, at)
    if change.after == {} and not at.hops:
        raise _no("an empty section says nothing, and no command writes one")
    if isinstance(change.after, dict):
        return _all_of(at, change.after, new=bool(at.hops))
    if isinstance(change.before, dict):
        return _none_of(at, change.before)
    raise _no("the resource holds nothing that one command could set")


def _of_setting(change: Change, at: Where) -> list[Operation]:
    hops, name = _way(at, change.setting or "")
    if name is None:
        element = Where(at.file, at.location, at.section, hops)
        if isinstance(change.after, dict) and change.before is None:
            return _all_of(element, change.after, new=True)
        if change.after is None and isinstance(change.before, dict):
            return _none_of(element, change.before)
        raise _no("an element that changes as a whole is put back by hand")
    goal = _goal(at, hops, name, (change.before, change.after))
    return [_operation("clear" if change.after is None else "attribute", at, hops, [goal])]


def without_defaults(operation: Operation, names: Iterable[str]) -> Operation:
    """
    Leave out of the way the keys that an element has by the schema, and seldom in the file.

    Args:
        operation: On something that stands there.
        names: The settings of the resource as it is found. Where a sister differs in such a key
            alone, it stays.
    """
    target = operation.target
    ways = [parted(name) or () for name in names]
    hops: list[Hop] = []
    for depth, hop in enumerate(target.hops):
        facts = _attributes(target.section, target.hops[: depth + 1])
        short = tuple((n, v) for n, v in hop.keys if v != facts.get(n, {}).get("default"))
        sisters = {
            way[depth].keys
            for way in ways
            if len(way) > depth
            and isinstance(way[depth], Keyed)
            and _same_way(way[:depth], target.hops[:depth])
            and set(short) <= set(way[depth].keys)
        }
        hops.append(Hop(hop.tag, short) if short and len(sisters) < 2 else hop)
    return Operation(operation.op, replace(target, hops=tuple(hops)), operation.goals)


def _same_way(way: Sequence[str | Keyed], hops: Sequence[Hop]) -> bool:
    told = [part.keys if isinstance(part, Keyed) else part for part in way]
    return told == [hop.keys or hop.tag for hop in hops]


def _goal(at: Where, hops: tuple[Hop, ...], name: str, values: tuple[Value, Value]) -> Goal:
    before, after = values
    facts = _attributes(at.section, hops).get(name, {})
    return Goal(name, _kind(facts, before, after), _text(after, facts), _text(before, facts))


def _all_of(at: Where, settings: Settings, *, new: bool) -> list[Operation]:
    """Write an element or section that is not there: each element added, then loose attributes."""
    leaves = list(_leaves(at.section, at.hops, settings))
    own: dict[tuple[Hop, ...], list[Goal]] = {at.hops: []} if new else {}
    loose: dict[tuple[Hop, ...], list[Goal]] = {}
    for hops, name, value in leaves:
        for depth in range(len(at.hops) + 1, len(hops) + 1):
            if hops[depth - 1].keys:
                own.setdefault(hops[:depth], [])
        if not name:
            continue
        goal = _goal(at, hops, name, (None, value))
        if hops not in own:
            loose.setdefault(hops, []).append(goal)
        elif all(name != key for key, _ in hops[-1].keys):
            own[hops].append(goal)
    return [
        *(_operation("add", at, hops, goals) for hops, goals in own.items()),
        *(_operation("attribute", at, hops, goals) for hops, goals in loose.items()),
    ]


def _operation(op: Op, at: Where, hops: tuple[Hop, ...], goals: list[Goal]) -> Operation:
    # What turns a thing on comes when the rest of it stands.
    in_order = sorted(goals, key=lambda goal: goal.name == "enabled")
    return Operation(op, Element(at.file, at.location, at.section, hops), tuple(in_order))


def _none_of(at: Where, settings: Settings) -> list[Operation]:
    """Take away what is not wanted, inner elements first, so that each step can be undone."""
    taken: list[Operation] = []
    for one in reversed(_all_of(at, settings, new=bool(at.hops))):
        expected = tuple(Goal(g.name, g.kind, None, g.wanted) for g in one.goals)
        if one.op == "add":
            taken.append(Operation("remove", one.target, expected))
        else:
            taken.append(Operation("clear", one.target, expected))
    if not at.hops:
        direct = [one for one in taken if one.op == "clear" and not one.target.hops]
        goals = tuple(goal for one in direct for goal in one.goals)
        rest = [one for one in taken if one not in direct]
        section = Element(at.file, at.location, at.section)
        return [*rest, Operation("remove", section, goals)]
    return taken


def _leaves(
    section: str, base: tuple[Hop, ...], value: Value
) -> Iterator[tuple[tuple[Hop, ...], str, Value]]:
    """Give each attribute with the way to its element; an element without one has no name."""
    if not isinstance(value, dict):
        raise _no("it holds elements without a key")
    if not value:
        yield base, "", None
    for name, inner in value.items():
        if name == "(items)" or (
            isinstance(inner, list) and any(isinstance(i, dict) for i in inner)
        ):
            element = base if name == "(items)" else (*base, Hop(name.strip("()")))
            yield from _members(section, element, inner)
            continue
        hops, last = _way(
            Where(None, "", section, base),
            name.strip("()") if isinstance(inner, dict) and name[:1] == "(" else name,
        )
        if isinstance(inner, dict) and "secret" in inner:
            raise _no("a secret is never kept, so it is put back by hand")
        if last is not None and isinstance(inner, dict):
            yield from _leaves(section, (*hops, Hop(last)), inner)
        elif last is None:
            yield from _leaves(section, hops, inner)
            yield hops, "", None
        else:
            yield hops, last, inner


def _members(
    section: str, base: tuple[Hop, ...], members: Value
) -> Iterator[tuple[tuple[Hop, ...], str, Value]]:
    node = _node(section, base)
    collection = next((c for c in (node or {}).get("collections", []) if "add" in c), None)
    for member in members if isinstance(members, list) else []:
        if collection is None or not isinstance(member, dict):
            raise _no("it holds nested elements that the schema does not know")
        facts = collection.get("item", {}).get("attributes", {})
        keys = [n for n, f in facts.items() if f.get("key") or f.get("combined_key")]
        found = tuple(
            (name, str(_text(member[name], facts[name]))) for name in keys if name in member
        )
        if not found:
            raise _no("it holds elements without a key")
        hop = Hop(collection["add"].split(",")[0].strip(), found)
        rest = {name: value for name, value in member.items() if name not in keys}
        yield from _leaves(section, (*base, hop), rest)


def _way(at: Where, setting: str) -> tuple[tuple[Hop, ...], str | None]:
    """Part a setting's name into the way to its element, and the attribute; None for an element."""
    parts = parted(setting)
    if parts is None:
        raise _no(f"no command is confirmed for {setting.rpartition('.')[2] or setting}")
    hops = list(at.hops)
    for part in parts[:-1]:
        hops.append(_hop(at.section, hops, part))
    if isinstance(parts[-1], Keyed):
        return (*hops, _hop(at.section, hops, parts[-1])), None
    return tuple(hops), parts[-1]


def _hop(section: str, hops: Sequence[Hop], part: str | Keyed) -> Hop:
    if isinstance(part, str):
        return Hop(part)
    names = {name for name, _ in part.keys}
    tags = [
        tag.strip()
        for each in (_node(section, hops) or {}).get("collections", [])
        for tag in each.get("add", "").split(",")
        if tag.strip() and names <= set(each.get("item", {}).get("attributes", names))
    ]
    return Hop(tags[0] if len(tags) == 1 else "*", part.keys)


def _node(section: str, hops: Sequence[Hop]) -> Any:  # noqa: ANN401
    """Give the schema of an element, or None where it does not know it."""
    node: Any = catalogue.section(section)
    for hop in hops:
        if node is None:
            return None
        if not hop.keys:
            inner = node.get("elements", {}).get(hop.tag)
            node = inner
            continue
        node = next(
            (
                each.get("item")
                for each in node.get("collections", [])
                if hop.tag in {"*", *(tag.strip() for tag in each.get("add", "").split(","))}
            ),
            None,
        )
    return node


def _attributes(section: str, hops: Sequence[Hop]) -> dict[str, Any]:
    found: dict[str, Any] = (_node(section, hops) or {}).get("attributes", {})
    return found


def _kind(facts: dict[str, Any], *values: Value) -> str:
    told: str | None = facts.get("type")
    if told is None:
        return "bool" if any(isinstance(value, bool) for value in values) else "text"
    return (
        told
        if told in {"bool", "flags", "enum", "timeSpan"}
        else "int"
        if "int" in told
        else "text"
    )


def _text(value: Value, facts: dict[str, Any]) -> str | None:
    """Write a value as IIS does."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case []:
            if facts and "None" not in facts.get("values", {}):
                raise _no("the schema has no name for no flag at all")
            return "None" if facts else ""
        case list() if all(isinstance(flag, str) for flag in value):
            return ", ".join(map(str, value))
    raise _no("it holds nested elements")


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
