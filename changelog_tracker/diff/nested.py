"""What differs inside one value that holds others: DeepDiff's part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.diff.compare import is_secret

if TYPE_CHECKING:
    from changelog_tracker.model import Value

_STEP = re.compile(r"\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]|\[(\d+)\]")


class Inside(NamedTuple):
    """One place inside a value: `LocalStates.[1].State`, and what stood and stands there."""

    place: str
    before: Value
    after: Value


def inside(before: Value, after: Value) -> list[Inside]:
    """
    Give what differs inside two values that hold others, by place.

    Lists of plain values say it themselves and give nothing, and so do secrets.
    """
    if not (_holds_others(before) and _holds_others(after)):
        return []
    from deepdiff import DeepDiff  # noqa: PLC0415  slow to import, and seldom needed

    found = DeepDiff(
        before,
        after,
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
        verbose_level=2,
    )
    places = [
        Inside(_place(path), pair["old_value"], pair["new_value"])
        for kind in ("values_changed", "type_changes")
        for path, pair in found.get(kind, {}).items()
    ]
    for name in ("dictionary_item", "iterable_item"):
        places += [Inside(_place(p), None, v) for p, v in found.get(f"{name}_added", {}).items()]
        places += [Inside(_place(p), v, None) for p, v in found.get(f"{name}_removed", {}).items()]
    return sorted(places, key=lambda one: one.place)


def _holds_others(value: Value) -> bool:
    if isinstance(value, dict):
        return not is_secret(value)
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _place(path: str) -> str:
    """Write DeepDiff's root['a'][0] as a.[1], counting from 1 as everywhere."""
    steps = []
    for single, double, number in _STEP.findall(path):
        steps.append(f"[{int(number) + 1}]" if number else single or double)
    return ".".join(steps)
