"""The order of a replay: what must stand before what, and the numbers by which steps are named."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from changelog_tracker.replay.objects import ADFS
from changelog_tracker.replay.plan import GROUPS, Element, PlanStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REDIRECT = "system.webServer/httpRedirect"
_OBJECTS = ("IisAppPool", "IisSite", "IisBinding", "IisApplication", "IisVirtualDirectory")


def in_order(steps: Iterable[PlanStep]) -> tuple[PlanStep, ...]:
    """Sort the steps, tie what depends on each other, and number them `s001`, `s002.1`."""
    given = list(steps)
    needed = {need for step in given for need in step.needs}
    tied = _with_needs(sorted(given, key=lambda step: _key(step, step.id in needed)))
    parts = _redirects(tied)
    names: dict[str, str] = {}
    number = 0
    family: dict[str, tuple[int, int]] = {}
    for step in tied:
        site = parts.get(step.id)
        if site is None:
            number += 1
            names[step.id] = f"s{number:03}"
            continue
        if site not in family:
            number += 1
            family[site] = (number, 0)
        first, part = family[site]
        family[site] = (first, part + 1)
        names[step.id] = f"s{first:03}.{part + 1}"
    return tuple(
        dataclasses.replace(
            step,
            id=names[step.id],
            needs=tuple(names[need] for need in step.needs if need in names),
            group=step.group if step.documented else "undocumented",
        )
        for step in tied
    )


def _key(step: PlanStep, is_needed: bool) -> tuple[object, ...]:
    group = GROUPS.index(step.group)
    if step.op == "drop" and is_needed:
        # What is made anew goes away first; without a New- behind it, it is the last of all.
        group = GROUPS.index("create")
    return (group, _within(step), step.kind, step.resource.casefold(), _made_first(step))


def _within(step: PlanStep) -> int:
    if step.group == "iis-objects" and step.kind in _OBJECTS:
        return _OBJECTS.index(step.kind)
    if step.group == "remove" and step.kind in _OBJECTS:
        # What lies inside goes before what holds it; what Remove- takes along goes with it.
        return len(_OBJECTS) - _OBJECTS.index(step.kind)
    if step.group in {"iis", "root"} and isinstance(step.target, Element):
        # Children of a redirect come before the root, whose redirect they would inherit.
        if step.target.section == REDIRECT:
            return 1 if "/" in step.target.location else 9
        return 0
    for goal in step.goals:
        if goal.name == ADFS:
            enables = goal.wanted is True
            return 0 if (step.kind == "EcpVirtualDirectory") is enables else 1
    return 0


def _made_first(step: PlanStep) -> int:
    return {"drop": 0, "new": 1, "add": 2}.get(step.op, 3)


def _with_needs(steps: Sequence[PlanStep]) -> list[PlanStep]:
    found = []
    for step in steps:
        needs = [*step.needs, *_needs_of(step, steps)]
        found.append(dataclasses.replace(step, needs=tuple(dict.fromkeys(needs))))
    return found


def _needs_of(step: PlanStep, steps: Sequence[PlanStep]) -> Iterable[str]:
    for other in steps:
        if other.id != step.id and _stands_on(step, other):
            yield other.id


def _stands_on(step: PlanStep, other: PlanStep) -> bool:
    """Tell whether a step needs another: its site, its application, its pool, its children."""
    if other.op == "add" and other.kind in _OBJECTS:
        return _lies_in(step, other)
    if other.op == "new" and isinstance(step.target, Element):
        place = _place(other.resource).casefold()
        own = step.kind in _OBJECTS and step.resource.rstrip("/").casefold() == place
        return own or f"{step.target.location}/".casefold().startswith(f"{place}/")
    adfs = (ADFS in {g.name for g in one.goals} for one in (step, other))
    if all(adfs) and step.kind != other.kind:
        return _within(other) < _within(step)
    if isinstance(step.target, Element) and isinstance(other.target, Element):
        both = step.target.section == other.target.section == REDIRECT
        if both and step.target.file is None and other.target.file is None:
            return other.target.location.startswith(f"{step.target.location}/")
    return False


def _lies_in(step: PlanStep, made: PlanStep) -> bool:
    site = made.resource.partition("/")[0]
    if made.kind == "IisSite":
        inside = step.kind in {"IisApplication", "IisVirtualDirectory", "IisBinding"}
        held = step.resource.partition("/")[0].partition(" : ")[0]
        if inside or isinstance(step.target, Element):
            location = getattr(step.target, "location", "")
            return site.casefold() in {held.casefold(), location.partition("/")[0].casefold()}
        return any(goal.name == "WebSiteName" and goal.wanted == site for goal in step.goals)
    if made.kind == "IisAppPool":
        return any(goal.wanted == made.resource for goal in step.goals)
    if made.kind == "IisApplication":
        if step.kind == "IisVirtualDirectory":
            return step.resource.casefold().startswith(made.resource.casefold())
        location = getattr(step.target, "location", "")
        return f"{location}/".casefold().startswith(
            made.resource.rstrip("/").casefold() + "/"
        ) and ("/" in made.resource.rstrip("/"))
    return False


def _place(resource: str) -> str:
    path, _, site = resource.rpartition(" (")
    return f"{site.rstrip(')')}/{path}"


def _redirects(steps: Sequence[PlanStep]) -> dict[str, str]:
    """Find the steps that are parts of one: a root's redirect and what its children say of it."""
    roots = {
        step.target.location
        for step in steps
        if isinstance(step.target, Element)
        and step.target.section == REDIRECT
        and step.target.file is None
        and step.target.location
        and "/" not in step.target.location
    }
    found = {}
    for step in steps:
        target = step.target
        if isinstance(target, Element) and target.section == REDIRECT and target.file is None:
            site = target.location.partition("/")[0]
            if site in roots:
                found[step.id] = site
    return found
