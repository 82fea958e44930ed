"""
Drift -> plan: which steps, in which order, and what no step does.

Everything that differs ends in a step or in what is done by hand; nothing is left unsaid.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay import by_hand, elements, follow_ups, objects, owners
from changelog_tracker.replay.commands import why_no_parameter, why_no_value
from changelog_tracker.replay.element_steps import EXTENDED_PROTECTION, element_steps
from changelog_tracker.replay.object_steps import Differing, object_steps
from changelog_tracker.replay.order import in_order
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.model import Change
    from changelog_tracker.replay.plan import ByHand, PlanStep
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


class _Planner:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._objects: dict[tuple[str, str], Differing] = {}
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
            self.steps += object_steps(held, self._scene)
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
            for prefix in [_collection(one.change.setting) or self._not_last(one.change)]
            if prefix is not None
        }
        for one in parts:
            setting = one.change.setting or ""
            front = setting.partition("[")[0]
            if (*one.change.key[:2], front) in unsaid and setting != front:
                self.left.append(by_hand.because(one, HALF_A_COLLECTION, "form"))
            else:
                yield one

    def _not_last(self, change: Change) -> str | None:
        """Give what holds a new element that is not wanted at the end, where order matters."""
        setting = change.setting or ""
        front = setting.partition("[")[0]
        if change.after is None or not setting.endswith("]"):
            return None
        sides = (self._scene.wanted_of, self._scene.found_of)
        states = [side(change.kind, change.resource) or {} for side in sides]
        return front if elements.is_moved(front, states[0], states[1]) else None

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
            wanted = None if one.change.after == "" else one.change.after
            why = why_no_value(noun.fields[one.change.setting].kind, wanted)
        if why:
            self.left.append(by_hand.because(one, why, "form"))
        else:
            held.changes[one.change.setting] = one

    def _object(self, noun: Noun, resource: str) -> Differing:
        key = (noun.name, resource.casefold())
        return self._objects.setdefault(key, Differing(noun, resource))

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
        section = change.resource.rpartition(" : ")[2]
        if change.kind != "IisSection" or change.setting is None:
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


def _parts(one: Drifted) -> Iterator[Drifted]:
    """Part a whole resource into its settings."""
    change = one.change
    comes = isinstance(change.after, dict)
    held = change.after if comes else change.before
    for name, value in held.items() if isinstance(held, dict) else ():
        if name.endswith("(order)"):
            # That in which its elements are added.
            continue
        before, after = (None, value) if comes else (value, None)
        part = dataclasses.replace(change, setting=name, before=before, after=after)
        yield dataclasses.replace(one, change=part)


def _collection(setting: str | None) -> str | None:
    """Give what stands before `(clear)`, `(remove)` or `(order)`; None for other settings."""
    for word in ("(clear)", "(remove)", "(order)"):
        if setting is not None and setting.endswith(word):
            return setting.removesuffix(word)
    return None
