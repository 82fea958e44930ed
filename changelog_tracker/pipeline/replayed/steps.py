"""The steps of runs as the store's journal has them, and which of them made a change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from changelog_tracker.pipeline.replayed.told import is_exchange, says
from changelog_tracker.replay.notation import Element, steps
from changelog_tracker.store.packing import micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.model import Change, Value


class Place(NamedTuple):
    """What a step is about; the resource without case, the setting None for all of it."""

    kind: str
    resource: str
    setting: str | None


@dataclass(frozen=True, slots=True)
class DoneStep:
    """
    A step that was set.

    Args:
        run: Plan, mode (`replay` or `undo`), host and start of its run, which name it.
        operator: Who ran it.
        id: The step in its plan.
        at: When it was set, as the journal writes times.
        op: How it was written.
        place: What it is about.
        values: What it made stand there, by the name of the parameter or attribute.
    """

    run: tuple[str, str, str, str]
    operator: str
    id: str
    at: str
    op: str | None
    place: Place
    values: tuple[tuple[str, Value], ...]

    @property
    def when(self) -> int:
        """When it was set, microseconds."""
        return micros(datetime.fromisoformat(self.at))

    def claim(self, name: str) -> tuple[str, bool]:
        """Give the setting that a value of it is, and whether elements may stand in between."""
        if self.place.setting is None or is_exchange(self.place.kind):
            return name, False
        if self.place.setting.endswith("]"):
            return f"{self.place.setting}.{name}", True
        if len(self.values) > 1:
            # Attributes of one element are one step: `limits.a, limits.b`.
            of_name = (one for one in self.place.setting.split(", ") if _is_named(one, name))
            return next(of_name, name), False
        return self.place.setting, False

    def is_about(self, setting: str) -> bool:
        """Tell whether it is about a setting of its resource."""
        by_value = any(self.claim(name)[0] == setting for name, _ in self.values)
        return by_value or self.place.setting == setting

    @property
    def clears(self) -> bool:
        """Tell whether nothing was to stand there."""
        if self.op in {"add", "new"}:
            return False
        return self.op in {"remove", "drop"} or all(told is None for _, told in self.values)


def _is_named(setting: str, name: str) -> bool:
    return setting.rpartition(".")[2] == name


class _Leaf(NamedTuple):
    """One value inside a change's: where it stands, and its own name."""

    setting: str
    name: str
    value: Value


def done_steps(bodies: Iterable[dict[str, Any]]) -> list[DoneStep]:
    """Give the steps that were set, in the order of their times; of a run its last telling."""
    runs = {(one["plan"], one["mode"], one["host"], one["started"]): one for one in bodies}
    found = [step for run, body in runs.items() for step in _of_run(run, body)]
    return sorted(found, key=lambda step: step.when)


def _of_run(run: tuple[str, str, str, str], body: dict[str, Any]) -> Iterator[DoneStep]:
    about: dict[str, dict[str, Any]] = {}
    last: dict[str, dict[str, Any]] = {}
    for line in body["steps"]:
        last[line["id"]] = line
        if "kind" in line:
            about.setdefault(line["id"], {}).update(line)
    for name, line in last.items():
        if line["state"] != "set":
            continue
        said = about[name]
        place = Place(said["kind"], said["resource"].casefold(), said["setting"])
        values = tuple((one["name"], one["wanted"]) for one in said.get("values", ()))
        yield DoneStep(run, body["operator"], name, line["at"], said.get("op"), place, values)


def maker(change: Change, seen: int, done: Iterable[DoneStep]) -> DoneStep | None:
    """
    Find the step that made a change.

    Args:
        change: The change.
        seen: The time of the snapshot that shows it, microseconds.
        done: The steps that were set, in the order of their times.

    Returns:
        The last that was set between the readings before and after the change, where what it set
        is what stands there; None where another value does.
    """
    if change.not_before is None:
        return None
    place = (change.kind, change.resource.casefold())
    near = [
        step
        for step in done
        if step.place[:2] == place
        and micros(change.not_before) <= step.when <= seen
        and (change.setting is None or step.is_about(change.setting))
    ]
    if not near:
        return None
    own = [step for step in near if step.run == near[-1].run]
    return own[-1] if _made(change, own) else None


def _made(change: Change, own: list[DoneStep]) -> bool:
    last = own[-1]
    if change.setting is None:
        return _made_whole(change, own) if change.after is not None else _took_whole(change, own)
    if isinstance(change.after, dict) and not is_exchange(change.kind):
        came = any(one.place.setting == change.setting and not one.clears for one in own)
        return came and _covered(change.kind, list(_leaves_of(change)), own)
    told = [told for name, told in last.values if last.claim(name)[0] == change.setting]
    if not told:
        return change.after is None and last.clears
    return says(told[0], change.after, change.kind, change.setting)


def _took_whole(change: Change, own: list[DoneStep]) -> bool:
    """Tell whether steps took a resource away, at once or setting by setting."""
    if not all(step.clears for step in own):
        return False
    settings = change.before if isinstance(change.before, dict) else {}
    told = {step.claim(name)[0] for step in own for name, _ in step.values}
    return own[-1].place.setting is None or (settings.keys() <= told and settings != {})


def _made_whole(change: Change, own: list[DoneStep]) -> bool:
    """Tell whether steps made a resource that came."""
    if not is_exchange(change.kind):
        return _covered(change.kind, list(_leaves_of(change)), own)
    # New- makes many settings that nobody named; what was named must be so.
    settings = change.after if isinstance(change.after, dict) else {}
    told = {name: value for step in own for name, value in step.values if name in settings}
    made = any(step.place.setting is None and not step.clears for step in own)
    return made and all(
        says(value, settings[name], change.kind, name) for name, value in told.items()
    )


def _covered(kind: str, leaves: list[_Leaf], own: list[DoneStep]) -> bool:
    """Tell whether steps set all that stands there, and nothing besides."""
    for step in own:
        for name, told in step.values:
            setting, inside = step.claim(name)
            found = next(
                (
                    leaf
                    for leaf in leaves
                    if (leaf.setting == setting or (inside and _is_inside(leaf, step, name)))
                    and says(told, leaf.value, kind, leaf.setting)
                ),
                None,
            )
            if found is None:
                return False
            leaves.remove(found)
    # What is left is an element with no more than its key.
    bare = {step.place.setting for step in own}
    return all(leaf.value == {} and leaf.setting in bare for leaf in leaves)


def _is_inside(leaf: _Leaf, step: DoneStep, name: str) -> bool:
    return leaf.name == name and leaf.setting.startswith(f"{step.place.setting}.")


def _leaves_of(change: Change) -> Iterator[_Leaf]:
    """Give the values inside what came: of an element, or of a resource setting by setting."""
    value = change.after if isinstance(change.after, dict) else {}
    if change.setting is not None:
        yield from _inside(change.setting, _without_keys(change.setting, value))
        return
    for name, one in value.items():
        if name.rpartition(".")[2] == "(order)":
            continue
        if isinstance(one, dict):
            yield _Leaf(name, name, {})
            yield from _inside(name, _without_keys(name, one))
        else:
            yield _Leaf(name, name.rpartition(".")[2], one)


def _inside(setting: str, value: dict[str, Value]) -> Iterator[_Leaf]:
    for name, one in value.items():
        if isinstance(one, dict) and one.keys() != {"secret"}:
            yield from _inside(f"{setting}.{name}", one)
        else:
            yield _Leaf(f"{setting}.{name}", name, one)


def _without_keys(setting: str, value: dict[str, Value]) -> dict[str, Value]:
    """Leave out what an element's name says already."""
    parts = steps(setting)
    keys = dict(parts[-1].keys) if parts and isinstance(parts[-1], Element) else {}
    return {name: one for name, one in value.items() if name not in keys or str(one) != keys[name]}
