"""
IIS and configuration files: a difference as operations on single elements and attributes.

A change speaks appcmd's notation. Here it becomes the way to an element, tag by tag, so that
nothing that was captured is ever part of an expression.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from changelog_tracker.replay.element_schema import (
    attributes_of,
    hop_of,
    kind_of,
    node_of,
    text_of,
)
from changelog_tracker.replay.notation import Element as Keyed
from changelog_tracker.replay.notation import steps as parted
from changelog_tracker.replay.plan import Element, Goal, Hop
from changelog_tracker.replay.powershell import UnwritableError
from changelog_tracker.replay.where import Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from changelog_tracker.model import Change, Settings, Value
    from changelog_tracker.replay.plan import Op

OBJECTS = ("IisSite", "IisApplication", "IisVirtualDirectory", "IisAppPool", "IisBinding")


@dataclass(frozen=True, slots=True)
class Operation:
    """One write: what to do where, and the values."""

    op: Op
    target: Element
    goals: tuple[Goal, ...]


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
        facts = attributes_of(target.section, target.hops[: depth + 1])
        short = tuple((n, v) for n, v in hop.keys if v != facts.get(n, {}).get("default"))
        sisters = {
            part.keys
            for way in ways
            for part in way[depth : depth + 1]
            if isinstance(part, Keyed)
            and _same_way(way[:depth], target.hops[:depth])
            and set(short) <= set(part.keys)
        }
        hops.append(Hop(hop.tag, short) if short and len(sisters) < 2 else hop)
    return Operation(operation.op, replace(target, hops=tuple(hops)), operation.goals)


def is_moved(front: str, wanted: Settings, found: Settings) -> bool:
    """
    Tell whether elements that are added at the end of a collection stand in another order then.

    Args:
        front: What stands before the elements' keys in the settings' names.
        wanted: All settings of the resource.
        found: The same as it is found.
    """
    order = wanted.get(f"{front}(order)")
    if not isinstance(order, list):
        return False
    labels = [str(label).casefold() for label in order]
    stands = found.get(f"{front}(order)")
    if not isinstance(stands, list):
        stands = [name[len(front) :] for name in found if name.startswith(f"{front}[")]
    kept = [
        label for label in labels if any(str(one).casefold().startswith(label) for one in stands)
    ]
    stood = [label for one in stands for label in labels if str(one).casefold().startswith(label)]
    after = [*dict.fromkeys(stood), *(label for label in labels if label not in kept)]
    return after != labels


def _same_way(way: Sequence[str | Keyed], hops: Sequence[Hop]) -> bool:
    told = [part.keys if isinstance(part, Keyed) else part for part in way]
    return told == [hop.keys or hop.tag for hop in hops]


def _goal(at: Where, hops: tuple[Hop, ...], name: str, values: tuple[Value, Value]) -> Goal:
    before, after = values
    facts = attributes_of(at.section, hops).get(name, {})
    expected = "" if before == [] else text_of(before, facts)
    return Goal(name, kind_of(facts, before, after), text_of(after, facts), expected)


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
        if name.endswith("(order)"):
            # That in which the elements are added.
            continue
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
    node = node_of(section, base)
    collection = next((c for c in (node or {}).get("collections", []) if "add" in c), None)
    for member in members if isinstance(members, list) else []:
        if collection is None or not isinstance(member, dict):
            raise _no("it holds nested elements that the schema does not know")
        facts = collection.get("item", {}).get("attributes", {})
        keys = [n for n, f in facts.items() if f.get("key") or f.get("combined_key")]
        found = tuple(
            (name, str(text_of(member[name], facts[name]))) for name in keys if name in member
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
        hops.append(hop_of(at.section, hops, part))
    if isinstance(parts[-1], Keyed):
        return (*hops, hop_of(at.section, hops, parts[-1])), None
    return tuple(hops), parts[-1]


def _no(why: str) -> UnwritableError:
    return UnwritableError("step", why)
