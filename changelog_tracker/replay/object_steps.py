"""The steps that put back one Exchange object."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker.replay import objects, protection
from changelog_tracker.replay.commands import why_no_parameter, why_no_value
from changelog_tracker.replay.plan import PlanStep

if TYPE_CHECKING:
    from changelog_tracker.catalogue import Noun
    from changelog_tracker.model import Settings
    from changelog_tracker.replay.plan import Goal, Group, Op
    from changelog_tracker.replay.scene import Drifted, Scene


@dataclass(slots=True)
class Differing:
    """
    What differs of one Exchange object.

    Args:
        noun: Its noun.
        resource: Its name.
        changes: What differs, by parameter.
        whole: The difference that the object comes or goes.
    """

    noun: Noun
    resource: str
    changes: dict[str, Drifted] = field(default_factory=dict)
    whole: Drifted | None = None


def object_steps(held: Differing, scene: Scene) -> list[PlanStep]:
    """Give the steps of one object: it goes, it is made, each call of Set-."""
    steps = [] if held.whole is None else _whole(held, held.whole, scene)
    if held.whole is not None and held.whole.change.after is None:
        return steps
    wanted = scene.wanted_of(held.noun.name, held.resource) or {}
    found = scene.found_of(held.noun.name, held.resource) or {}
    changes = held.changes
    if held.whole is not None:
        # What New- makes nobody knows; so all of it is set.
        found = {}
        changes = dict.fromkeys(_settable(held.noun, wanted, scene), held.whole) | changes
    told = {name: one.change for name, one in changes.items() if one is not held.whole}
    wanted |= {name: change.after for name, change in told.items()}
    if held.whole is None:
        found |= {name: change.before for name, change in told.items()}
    before = tuple(step.id for step in steps if step.op == "new")
    made: dict[str, str] = {}
    for call in objects.calls(held.noun, list(changes), wanted) if changes else ():
        goals = objects.goals(held.noun, call.names, wanted, found)
        ones = [changes[name] for name in call.names if name in changes]
        step = _step(held, "set", goals, ones, scene)
        needs = (*before, *(made[name] for name in call.after if name in made))
        steps.append(dataclasses.replace(step, needs=needs))
        made |= dict.fromkeys(call.names, step.id)
    return steps


def _whole(held: Differing, one: Drifted, scene: Scene) -> list[PlanStep]:
    steps = []
    if one.change.before is not None:
        steps.append(_step(held, "drop", (), [one], scene))
    if one.change.after is None:
        return steps
    wanted = scene.wanted_of(held.noun.name, held.resource) or {}
    place = objects.application_of(held.resource)
    application = scene.wanted_of("IisApplication", place) or {}
    goals = objects.new_parameters(held.noun, held.resource, wanted, application, scene.version)
    step = _step(held, "new", tuple(goals), [one], scene)
    return [*steps, dataclasses.replace(step, needs=tuple(each.id for each in steps))]


def _settable(noun: Noun, wanted: Settings, scene: Scene) -> list[str]:
    return [
        name
        for name, value in wanted.items()
        if name != objects.ALONE
        and not why_no_parameter(noun, name, scene.version)
        and not why_no_value(noun.fields[name].kind, None if value == "" else value)
    ]


def _step(
    held: Differing, op: Op, goals: tuple[Goal, ...], ones: list[Drifted], scene: Scene
) -> PlanStep:
    name = goals[0].name if goals and op == "set" else ""
    groups: dict[Op, Group] = {"new": "create", "drop": "remove"}
    weaker = {protection.weaker_parameter(g.name, g.wanted, g.expected) for g in goals}
    undo = {
        "set": f"{held.noun.write} with the values that were found",
        "new": f"Remove-{held.noun.name}, with -AllowRemove",
        "drop": f"New-{held.noun.name} with the values of the export",
    }
    return PlanStep(
        id=f"{held.noun.name}/{held.resource}/{op}/{name}",
        group=groups.get(op) or objects.group_of(held.noun, name),
        op=op,
        owner="shell",
        kind=held.noun.name,
        resource=held.resource,
        setting=", ".join(goal.name for goal in goals) if op == "set" else None,
        target=objects.cmdlet(held.noun, held.resource, scene.server),
        goals=goals,
        recycles=held.noun.restart,
        weaker=", ".join(sorted(filter(None, weaker))) or None if op == "set" else None,
        documented=all(one.documented for one in ones),
        undo=undo[op],
        log=tuple(dict.fromkeys(name for one in ones for name in one.log)),
    )
