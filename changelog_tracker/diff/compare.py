"""
Two states of one resource -> what differs, setting by setting.

Comparing never writes text. An element of a collection that came or went is one difference, with
the whole element as its value; what has no key is compared as a sequence.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.diff.flatten import element_value, flatten, shown_order
from changelog_tracker.model import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from changelog_tracker.model import Action, Value


# Above this many pairs the best way from one list to the other takes too long to find.
_MOST_PAIRS = 1_000_000


class Difference(NamedTuple):
    """One setting that differs; `setting` as in model.Change."""

    setting: str | None
    action: Action
    before: Value
    after: Value


def compare(before: Tree, after: Tree) -> list[Difference]:
    """Give what differs between two states of one resource, in the order of its settings."""
    return list(_trees(before, after, ""))


def whole(before: Tree | None, after: Tree | None) -> list[Difference]:
    """Give the one difference of a resource that came or went."""
    if after is not None:
        return [Difference(None, "added", None, dict(flatten(after)))]
    if before is not None:
        return [Difference(None, "removed", dict(flatten(before)), None)]
    return []


def comparable_secrets(before: Value, after: Value) -> bool:
    """Tell whether two secrets were fingerprinted under one key."""
    if not (is_secret(before) and is_secret(after)):
        return True
    return _key_id(before) == _key_id(after)


def is_secret(value: Value) -> bool:
    """Tell whether a value is the fingerprint of a secret."""
    return isinstance(value, dict) and value.keys() == {"secret"}


def same(before: Value, after: Value) -> bool:
    """Compare typed: True is not 1, null is not the empty string."""
    if type(before) is not type(after):
        return False
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        if not comparable_secrets(before, after):
            return True
        return before.keys() == after.keys() and all(same(before[k], after[k]) for k in before)
    return before == after


def _trees(before: Tree, after: Tree, prefix: str) -> Iterator[Difference]:
    yield from _values(before, after, prefix)
    for name in _both(before.parts, after.parts):
        old, new = before.parts.get(name), after.parts.get(name)
        if old is not None and new is not None:
            yield from _trees(old, new, f"{prefix}{name}.")
        else:
            yield from _one_sided(old, new, f"{prefix}{name}.")
    for key in _both(before.items, after.items):
        old, new = before.items.get(key), after.items.get(key)
        label = prefix + (new or old or before).label
        if old is not None and new is not None:
            yield from _trees(old, new, f"{label}.")
        elif new is not None:
            yield Difference(label, "added", None, element_value(new))
        elif old is not None:
            yield Difference(label, "removed", element_value(old), None)
    if _moved(before, after):
        yield Difference(
            f"{prefix}(order)", "changed", list(shown_order(before)), list(shown_order(after))
        )
    yield from _sequences(before.sequence, after.sequence, prefix)


def _values(before: Tree, after: Tree, prefix: str) -> Iterator[Difference]:
    for name in _both(before.values, after.values):
        if name in before.ignored or name in after.ignored:
            continue
        if name in before.values and name in after.values:
            old, new = before.values[name], after.values[name]
            if not same(before.compared.get(name, old), after.compared.get(name, new)):
                yield Difference(prefix + name, "changed", old, new)
        elif name in after.values:
            yield Difference(prefix + name, "added", None, after.values[name])
        else:
            yield Difference(prefix + name, "removed", before.values[name], None)


def _one_sided(before: Tree | None, after: Tree | None, prefix: str) -> Iterator[Difference]:
    """Give the settings of a part that came or went, one by one: a part has no line of its own."""
    yield from _trees(before or Tree(), after or Tree(), prefix)


def _moved(before: Tree, after: Tree) -> bool:
    """Tell whether the order is another than that of what stayed, with the new ones at its end."""
    if not (before.ordered or after.ordered):
        return False
    stayed = [key for key in before.items if key in after.items]
    return [*stayed, *(key for key in after.items if key not in before.items)] != [*after.items]


def _sequences(before: Sequence[Tree], after: Sequence[Tree], prefix: str) -> Iterator[Difference]:
    olds, news = [repr(element_value(t)) for t in before], [repr(element_value(t)) for t in after]
    if olds == news:
        return
    for what, i1, i2, j1, j2 in _steps(olds, news):
        if what == "equal":
            continue
        paired = min(i2 - i1, j2 - j1) if what == "replace" else 0
        for step in range(paired):
            yield from _trees(before[i1 + step], after[j1 + step], f"{prefix}[{j1 + step + 1}].")
        for i in range(i1 + paired, i2):
            yield Difference(f"{prefix}[{i + 1}]", "removed", element_value(before[i]), None)
        for j in range(j1 + paired, j2):
            yield Difference(f"{prefix}[{j + 1}]", "added", None, element_value(after[j]))


def _steps(olds: list[str], news: list[str]) -> list[tuple[str, int, int, int, int]]:
    """Give difflib's steps from one list to the other; of very long ones, by position."""
    most = min(len(olds), len(news))
    start = next((n for n in range(most) if olds[n] != news[n]), most)
    stop = next((n for n in range(most - start) if olds[-1 - n] != news[-1 - n]), most - start)
    ends = (len(olds) - stop, len(news) - stop)
    if (ends[0] - start) * (ends[1] - start) > _MOST_PAIRS:
        return [("replace", start, ends[0], start, ends[1])]
    matcher = SequenceMatcher(None, olds[start : ends[0]], news[start : ends[1]], autojunk=False)
    return [
        (what, i1 + start, i2 + start, j1 + start, j2 + start)
        for what, i1, i2, j1, j2 in matcher.get_opcodes()
    ]


def _both(
    before: dict[str, Tree] | dict[str, Value], after: dict[str, Tree] | dict[str, Value]
) -> list[str]:
    return list({**before, **after})


def _key_id(value: Value) -> str:
    return str(value["secret"]).partition(":")[0] if isinstance(value, dict) else ""
