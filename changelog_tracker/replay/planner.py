"""
Drift -> plan: which steps, in which order, and what no step does.

Everything that differs ends in a step or in what is done by hand; nothing is left unsaid.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay import by_hand, follow_ups, objects, owners, protection
from changelog_tracker.replay.commands import why_no_parameter, why_no_value
from changelog_tracker.replay.element_steps import EXTENDED_PROTECTION, element_steps
from changelog_tracker.replay.order import in_order
from changelog_tracker.replay.plan import Goal, PlanStep
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.model import Settings
    from changelog_tracker.replay.plan import ByHand, Group
    from changelog_tracker.replay.scene import Drifted, Scene


HALF_A_COLLECTION = (
    "no command sets <clear/>, <remove/> or the order of its collection, and half of it is worse"
)


def plan_steps(
    drifted: Iterable[Drifted], scene: Scene
) -> tuple[tuple[PlanStep, ...], tuple[ByHand, ...]]:
    """Give the steps in their order, and what is done by hand."""
    planner = _Planner(scene)
    for one in drifted:
        planner.take(one)
    planner.finish()
    planner.steps += follow_ups.relinked(planner.steps, scene)
    planner.left += follow_ups.folders(planner.steps, scene)
    return in_order(planner.steps), tuple(planner.left)


@dataclass(slots=True)
class _Object:
    """What differs of one Exchange object."""

    noun: Noun
    resource: str
    changes: dict[str, Drifted] = field(default_factory=dict)
    whole: Drifted | None = None


class _Planner:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._objects: dict[tuple[str, str], _Object] = {}
        self._iis: list[Drifted] = []
        self._anew: list[Drifted] = []
        self.steps: list[PlanStep] = []
        self.left: list[ByHand] = []

    def take(self, one: Drifted) -> None:
        """Sort one difference in."""
        why = by_hand.reason(one, self._scene)
        if why is not None:
            self.left.append(why)
        elif one.change.kind.startswith("Iis") or one.change.kind == "ConfigFile":
            self._iis.append(one)
        else:
            self._take_of_exchange(one)

    def finish(self) -> None:
        """Make the steps."""
        parts = [part for one in self._iis for part in self._by_owner(one)]
        left = [one for one in self._whole_collections(parts) if not self._is_an_objects(one)]
        for held in self._objects.values():
            self._plan_object(held)
        for one in left:
            why = self._owned(one)
            if why:
                self.left.append(by_hand.because(one, why, "owned"))
            else:
                self.steps += self._element_steps(one)
        for one in self._anew:
            # After New-, which comes behind the other objects of IIS.
            steps = self._element_steps(one)
            self.steps += (dataclasses.replace(step, group="iis") for step in steps)

    def _element_steps(self, one: Drifted) -> list[PlanStep]:
        try:
            return element_steps(one, self._scene)
        except UnwritableError as error:
            self.left.append(by_hand.because(one, error.what, "form"))
            return []

    def _whole_collections(self, parts: list[Drifted]) -> Iterable[Drifted]:
        """Leave a collection by hand whose <clear/>, <remove/> or order no command sets."""
        unsaid = {
            (*one.change.key[:2], prefix)
            for one in parts
            for prefix in [_collection(one.change.setting)]
            if prefix is not None
        }
        for one in parts:
            setting = one.change.setting or ""
            front = setting.partition("[")[0]
            if (*one.change.key[:2], front) in unsaid and setting != front:
                self.left.append(by_hand.because(one, HALF_A_COLLECTION, "form"))
            else:
                yield one

    def _owned(self, one: Drifted) -> str | None:
        """Say which cmdlet owns it; Extended Protection is put back in IIS where IIS has it."""
        if EXTENDED_PROTECTION in (one.change.setting or ""):
            return None
        why = owners.why_not_iis(one.change, self._scene.version)
        return None if why == owners.SETUP else why

    def _by_owner(self, one: Drifted) -> Iterable[Drifted]:
        """Part a whole section where a cmdlet owns some of it."""
        change = one.change
        whole = change.kind == "IisSection" and change.setting is None
        if not whole or not self._owned(one):
            yield one
            return
        yield from _parts(one)

    # --- Exchange ---

    def _take_of_exchange(self, one: Drifted) -> None:
        noun = catalogue.nouns()[one.change.kind]
        held = self._object(noun, one.change.resource)
        if one.change.setting is None:
            held.whole = one
            return
        why = why_no_parameter(noun, one.change.setting, self._scene.version)
        if not why:
            why = why_no_value(noun.fields[one.change.setting].kind, one.change.after)
        if why:
            self.left.append(by_hand.because(one, why, "form"))
        else:
            held.changes[one.change.setting] = one

    def _object(self, noun: Noun, resource: str) -> _Object:
        key = (noun.name, resource.casefold())
        return self._objects.setdefault(key, _Object(noun, resource))

    def _is_an_objects(self, one: Drifted) -> bool:
        """Tell whether an Exchange object's step says what a difference of IIS is about."""
        change = one.change
        place = change.resource.partition(" : ")[0].rstrip("/")
        noun = objects.noun_at(place)
        if noun is None or place.casefold().startswith("exchange back end"):
            return False
        site, _, path = place.partition("/")
        resource = f"{path} ({site})"
        if change.kind in {"IisApplication", "IisVirtualDirectory"} and change.setting is None:
            return change.after is not None and self._made_anew(noun, resource, one)
        if change.kind != "IisSection":
            return False
        section = change.resource.rpartition(" : ")[2]
        if change.setting is None:
            return False
        owned = objects.owner_of(
            noun, section, change.setting, self._scene.version, (change.after, change.before)
        )
        if owned is None or EXTENDED_PROTECTION in change.setting:
            return False
        name, (wanted, found) = owned
        shown = self._scene.found_of(noun.name, resource) or {}
        why = objects.why_not_set(noun, name, wanted, shown)
        if why:
            self.left.append(by_hand.because(one, why, "owned"))
            return True
        found = shown.get(name, found)
        self._object(noun, resource).changes.setdefault(
            name,
            dataclasses.replace(
                one,
                change=dataclasses.replace(
                    change, kind=noun.name, resource=resource, setting=name,
                    before=found, after=wanted,
                ),
            ),
        )  # fmt: skip
        return True

    def _made_anew(self, noun: Noun, resource: str, one: Drifted) -> bool:
        """Tell whether New- makes an application; an object left in the directory goes before."""
        if not objects.can_be_made(noun) or self._scene.wanted_of(noun.name, resource) is None:
            return False
        self._anew += _parts(one)
        held = self._object(noun, resource)
        if held.whole is None:
            wanted = self._scene.wanted_of(noun.name, resource)
            orphan = self._scene.found_of(noun.name, resource)
            held.whole = dataclasses.replace(
                one,
                change=dataclasses.replace(
                    one.change, kind=noun.name, resource=resource, before=orphan, after=wanted
                ),
            )
        return True

    def _plan_object(self, held: _Object) -> None:
        before: tuple[str, ...] = ()
        wanted = self._scene.wanted_of(held.noun.name, held.resource) or {}
        found = self._scene.found_of(held.noun.name, held.resource) or {}
        changes = held.changes
        if held.whole is not None:
            before = self._plan_whole(held, held.whole)
            if held.whole.change.after is None:
                return
            found = {}
            changes = dict.fromkeys(self._settable(held.noun, wanted), held.whole) | changes
        if not changes:
            return
        values = {name: one.change.after for name, one in changes.items() if one is not held.whole}
        wanted = {**wanted, **values}
        found = {
            **found,
            **({n: c.change.before for n, c in changes.items()} if not before else {}),
        }
        made: dict[str, str] = {}
        for call in objects.calls(held.noun, list(changes), wanted):
            first = changes.get(call.names[0]) or next(iter(changes.values()))
            needs = (*before, *(made[name] for name in call.after if name in made))
            goals = objects.goals(held.noun, call.names, wanted, found)
            step = self._cmdlet_step(held, "set", goals, first)
            logs = dict.fromkeys(i for n in call.names if n in changes for i in changes[n].log)
            told = [changes[n] for n in call.names if n in changes]
            self.steps.append(
                dataclasses.replace(
                    step,
                    needs=needs,
                    log=tuple(logs),
                    documented=all(one.documented for one in told),
                )
            )
            made |= dict.fromkeys(call.names, step.id)

    def _settable(self, noun: Noun, wanted: Settings) -> list[str]:
        names = []
        for name, value in wanted.items():
            if why_no_parameter(noun, name, self._scene.version):
                continue
            if not why_no_value(noun.fields[name].kind, value):
                names.append(name)
        return [name for name in names if name != objects.ALONE]

    def _plan_whole(self, held: _Object, one: Drifted) -> tuple[str, ...]:
        drop: tuple[str, ...] = ()
        if one.change.before is not None:
            step = self._cmdlet_step(held, "drop", (), one)
            self.steps.append(step)
            drop = (step.id,)
        if one.change.after is None:
            return drop
        wanted = self._scene.wanted_of(held.noun.name, held.resource) or {}
        goals = tuple(objects.new_parameters(held.noun, held.resource, wanted, self._scene.version))
        step = self._cmdlet_step(held, "new", goals, one)
        self.steps.append(dataclasses.replace(step, needs=drop))
        return (step.id,)

    def _cmdlet_step(
        self, held: _Object, op: str, goals: tuple[Goal, ...], one: Drifted
    ) -> PlanStep:
        name = goals[0].name if goals and op == "set" else None
        group: Group = objects.group_of(held.noun, name or "")
        if op != "set":
            group = "create" if op == "new" else "remove"
        weaker = {protection.weaker_parameter(g.name, g.wanted, g.expected) for g in goals} - {None}
        undo = {
            "set": f"{held.noun.write} with the values that were found",
            "new": f"Remove-{held.noun.name}, with -AllowRemove",
            "drop": f"New-{held.noun.name} with the values of the export",
        }[op]
        return PlanStep(
            id=f"{held.noun.name}/{held.resource}/{op}/{name or ''}",
            group=group,
            op=op,  # type: ignore[arg-type]
            owner="shell",
            kind=held.noun.name,
            resource=held.resource,
            setting=", ".join(goal.name for goal in goals) if op == "set" else None,
            target=objects.cmdlet(held.noun, held.resource, self._scene.server),
            goals=goals,
            recycles=held.noun.restart,
            weaker=", ".join(sorted(filter(None, weaker))) or None if op == "set" else None,
            documented=one.documented,
            undo=undo,
            log=one.log,
        )


def _parts(one: Drifted) -> Iterator[Drifted]:
    """Part a whole resource into its settings."""
    change = one.change
    comes = isinstance(change.after, dict)
    held = change.after if comes else change.before
    for name, value in held.items() if isinstance(held, dict) else ():
        before, after = (None, value) if comes else (value, None)
        part = dataclasses.replace(change, setting=name, before=before, after=after)
        yield dataclasses.replace(one, change=part)


def _collection(setting: str | None) -> str | None:
    """Give what stands before `(clear)`, `(remove)` or `(order)`; None for other settings."""
    for word in ("(clear)", "(remove)", "(order)"):
        if setting is not None and setting.endswith(word):
            return setting.removesuffix(word)
    return None
