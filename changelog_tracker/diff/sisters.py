"""Two servers' states of one resource -> trees that differ only in what is not each one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from changelog_tracker.diff.compare import same
from changelog_tracker.diff.flatten import element_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from changelog_tracker.diff.templates import Templates
    from changelog_tracker.model import Tree, Value


@dataclass(frozen=True, slots=True)
class Sisters:
    """
    Makes trees of two servers comparable.

    Args:
        wanted: The templates of the server that is the pattern.
        found: Those of the other.
        sets: The settings whose lists have no order.
    """

    wanted: Templates
    found: Templates
    sets: frozenset[str] = frozenset()

    def comparable(self, wanted: Tree, found: Tree) -> tuple[Tree, Tree]:
        """Give both trees with the values that they had, compared by what is not their own."""
        old, new = self._values(wanted, found)
        parts = {
            name: self.comparable(wanted.parts[name], found.parts[name])
            for name in wanted.parts
            if name in found.parts
        }
        keys = self._keys(wanted.items, found.items)
        items = {
            keys[key]: self.comparable(item, found.items[keys[key]])
            for key, item in wanted.items.items()
            if keys[key] in found.items
        }
        rekeyed = {keys[key]: item for key, item in wanted.items.items()}
        return (
            replace(
                wanted,
                compared=old,
                parts=wanted.parts | {name: pair[0] for name, pair in parts.items()},
                items=rekeyed | {key: pair[0] for key, pair in items.items()},
                sequence=self._sequence(wanted.sequence, found.sequence),
            ),
            replace(
                found,
                compared=new,
                parts=found.parts | {name: pair[1] for name, pair in parts.items()},
                items=found.items | {key: pair[1] for key, pair in items.items()},
            ),
        )

    def _values(self, wanted: Tree, found: Tree) -> tuple[dict[str, Value], dict[str, Value]]:
        old, new = dict(wanted.compared), dict(found.compared)
        for name in wanted.values:
            if name not in found.values:
                continue
            one = old.get(name, wanted.values[name])
            other = new.get(name, found.values[name])
            if not same(one, other):
                old[name] = self._in_order(name, self.wanted.comparable(one))
                new[name] = self._in_order(name, self.found.comparable(other))
        return old, new

    def _in_order(self, name: str, value: Value) -> Value:
        if name in self.sets and isinstance(value, list):
            return sorted(value, key=json.dumps)
        return value

    def _keys(self, wanted: Iterable[str], found: Iterable[str]) -> dict[str, str]:
        """Give for the key of each wanted item the found one that is the same to a farm."""
        there = set(found)
        by_template = {_text(self.found.comparable(key)): key for key in there}
        keys: dict[str, str] = {}
        for key in wanted:
            like = by_template.get(_text(self.wanted.comparable(key)), key)
            keys[key] = key if key in there or like in keys.values() else like
        return keys

    def _sequence(self, wanted: list[Tree], found: list[Tree]) -> list[Tree]:
        """Put the found element in the place of each that is the same to a farm."""
        by_template = {_text(self.found.comparable(element_value(one))): one for one in found}
        exact = {_text(element_value(one)) for one in found}
        return [
            one
            if _text(element_value(one)) in exact
            else by_template.get(_text(self.wanted.comparable(element_value(one))), one)
            for one in wanted
        ]


def _text(value: Value) -> str:
    return json.dumps(value, sort_keys=True)
