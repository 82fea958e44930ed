"""The steps that put back one difference of IIS or of a configuration file."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from changelog_tracker.replay import elements, protection
from changelog_tracker.replay.plan import PlanStep
from changelog_tracker.replay.powershell import UnwritableError
from changelog_tracker.replay.where import where

if TYPE_CHECKING:
    from changelog_tracker.model import Change, Value
    from changelog_tracker.replay.elements import Operation
    from changelog_tracker.replay.plan import Element, Goal, Group, Hop
    from changelog_tracker.replay.scene import Drifted, Scene

EXTENDED_PROTECTION = "extendedProtection"


def element_steps(one: Drifted, scene: Scene) -> list[PlanStep]:
    """
    Give the steps of one difference, what is made before what stands in it.

    Raises:
        UnwritableError: There is no confirmed way to write it.
    """
    change = one.change
    at = where(change, scene.install_path, scene.applications)
    whole_server = at.file is None and at.location == "" and not at.hops
    if whole_server and change.setting is None and change.after is None:
        raise UnwritableError("step", "a section of the whole server is not taken away")
    names = scene.found_of(change.kind, change.resource) or {}
    made = [
        one if one.op == "add" else elements.without_defaults(one, names)
        for one in elements.operations(change, at)
    ]
    steps: list[PlanStep] = []
    previous: tuple[str, ...] = ()
    for number, operation in enumerate(made):
        step = _step(one, operation, str(number) if len(made) > 1 else "", len(at.hops))
        steps.append(step if operation.op == "add" else dataclasses.replace(step, needs=previous))
        if operation.op == "add":
            previous = (step.id,)
    return steps


def _step(one: Drifted, operation: Operation, part: str, base: int) -> PlanStep:
    change, target = one.change, operation.target
    return PlanStep(
        id=f"{change.kind}/{change.resource}/{change.setting or ''}/{part}",
        group=_group(change, target),
        op=operation.op,
        owner="file" if target.file else "iis",
        kind=change.kind,
        resource=change.resource,
        setting=_setting(change, operation, base),
        target=target,
        goals=operation.goals,
        by_itself=target.file is not None or change.kind == "IisAppPool",
        weaker=_weaker(operation),
        documented=one.documented,
        undo=_undo(operation),
        log=one.log,
    )


def _weaker(operation: Operation) -> str | None:
    target = operation.target
    path = tuple(hop.tag for hop in target.hops)
    found = {
        protection.weaker_attribute(target.section, (*path, goal.name), *_typed(goal))
        for goal in operation.goals
    }
    if operation.op in {"add", "remove"} and target.hops:
        held = {goal.name: str(goal.wanted or goal.expected) for goal in operation.goals}
        keys = {**dict(target.hops[-1].keys), **held}
        comes = operation.op == "add"
        found.add(protection.weaker_element(target.section, keys, comes=comes))
    return ", ".join(sorted(filter(None, found))) or None


def _typed(goal: Goal) -> tuple[Value, Value]:
    """Give wanted and expected as the log has them."""
    values: list[Value] = []
    for side in (goal.wanted, goal.expected):
        if goal.kind == "bool" and isinstance(side, str):
            values.append(side == "true")
        elif goal.kind == "flags" and isinstance(side, str):
            flags = (flag.strip() for flag in side.split(","))
            values.append([flag for flag in flags if flag not in {"", "None"}])
        else:
            values.append(side)
    return values[0], values[1]


def _setting(change: Change, operation: Operation, base: int) -> str | None:
    """Name what a step is about as the log does; `base` hops are the resource itself."""
    if change.setting is not None:
        return change.setting
    front = ".".join(map(_notation, operation.target.hops[base:]))
    if operation.op in {"add", "remove"}:
        return front or None
    return ", ".join(f"{front}.{goal.name}" if front else goal.name for goal in operation.goals)


def _notation(hop: Hop) -> str:
    if not hop.keys:
        return hop.tag
    doubled = (f"{name}='{value.replace(chr(39), chr(39) * 2)}'" for name, value in hop.keys)
    return f"[{','.join(doubled)}]"


def _group(change: Change, target: Element) -> Group:
    if change.kind in elements.OBJECTS:
        whole = change.setting is None
        return "remove" if whole and change.after is None else "iis-objects"
    if target.file is not None:
        return "files"
    if "/" not in target.location:
        return "root"
    if any(hop.tag == EXTENDED_PROTECTION for hop in target.hops):
        return "extended-protection"
    return "iis"


def _undo(operation: Operation) -> str:
    return {
        "attribute": "the value that was found",
        "clear": "the value that was found",
        "add": "the element goes again",
        "remove": "the element comes again, with what it held",
    }[operation.op]
