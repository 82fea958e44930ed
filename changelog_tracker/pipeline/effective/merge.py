"""One section, step after step: what applies in the end, what it overrode, what was refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker.diff.flatten import element_value, flatten_lines
from changelog_tracker.model import Tree
from changelog_tracker.normalise.iis_values import typed
from changelog_tracker.pipeline.effective.locks import LOCKS, Lock, bare, is_true, locks_of
from changelog_tracker.pipeline.effective.told import DEFAULT, Item, Said, Step, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.catalogue import SectionFacts
    from changelog_tracker.model import Value

# Directives of a collection; what they do is no setting of its own.
_DIRECTIVES = frozenset({"(clear)", "(remove)"})
_SECOND = re.compile(r"(?<=\])\[\d+\]$")
FAILS = "IIS answers 500.19"


class Applied:
    """
    An element as it has become so far.

    Args:
        facts: What the schema says of it; None where it says nothing.
        native: Whether IIS itself reads it, which takes no key twice.
    """

    def __init__(self, facts: SectionFacts | None, *, native: bool) -> None:
        self._facts = facts or {}
        self._native = native
        self._values: dict[str, list[Said]] = {}
        self._parts: dict[str, Applied] = {}
        self._items: dict[str, Item] = {}
        self._sequence: list[Item] = []
        self._gone: dict[str, Item] = {}
        self._locks: list[Lock] = []
        self._order: Said | None = None
        self._refused: list[Told] = []

    # --- what a step says -----------------------------------------------------------------------

    def take(self, tree: Tree, step: Step) -> None:
        """Let a step say what it says: clear and remove first, then what it adds."""
        for name, value in tree.values.items():
            if name not in LOCKS | _DIRECTIVES | tree.ignored.keys():
                self._take_value(name, Said(value, step, tree.line))
        for name, part in tree.parts.items():
            why = self._lock("elements", name, step)
            if why is None:
                self._part(name).take(part, step)
            else:
                self.refuse(Tree(parts={name: part}), step, why)
        self._take_clear(tree, step)
        self._take_removes(tree, step)
        self._take_items(tree, step)
        origin = Said(None, step, tree.line).origin
        self._locks += locks_of(tree, step.level, origin)

    def refuse(self, tree: Tree, step: Step, why: str) -> None:
        """Note what a step says and what does not count."""
        self._refused += [
            Told(name, Said(value, step, line), refused=why)
            for name, value, line in flatten_lines(bare(tree))
            if not name.endswith("(order)")
        ]

    def _take_value(self, name: str, said: Said) -> None:
        why = self._lock("attributes", name, said.step)
        if why is None:
            self._values.setdefault(name, []).append(said)
        else:
            self._refused.append(Told(name, said, refused=why))

    def _part(self, name: str) -> Applied:
        if name not in self._parts:
            self._parts[name] = Applied(self._element_facts(name), native=self._native)
        return self._parts[name]

    def _take_clear(self, tree: Tree, step: Step) -> None:
        if not tree.values.get("(clear)"):
            return
        said = Said(True, step, tree.line)
        locked = (self._item_lock(item, step) for item in self._items.values())
        why = self._lock("elements", "clear", step) or next(filter(None, locked), None)
        if why is not None:
            self._refused.append(Told("(clear)", said, refused=why))
            return
        for key in list(self._items):
            self._remove(key, said)
        self._sequence.clear()

    def _take_removes(self, tree: Tree, step: Step) -> None:
        removed = tree.values.get("(remove)")
        for label in removed if isinstance(removed, list) else ():
            said = Said(None, step, tree.line)
            item = self._items.get(str(label).casefold())
            why = self._lock("elements", "remove", step)
            if why is None and item is not None:
                why = self._item_lock(item, step)
            if why is not None:
                self._refused.append(Told(str(label), said, refused=why))
            elif item is not None:
                self._remove(str(label).casefold(), said)
            else:
                self._sequence = [one for one in self._sequence if not self._is_called(one, label)]

    def _is_called(self, item: Item, label: Value) -> bool:
        """Tell whether a key names an element of a collection that takes a key twice."""
        values = item.tree.values if item.tree else {}
        keys = [
            f"{name}='{values.get(name)}'"
            for collection in self._collections()
            for name, facts in collection["item"].get("attributes", {}).items()
            if facts.get("key") or facts.get("combined_key")
        ]
        return bool(keys) and f"[{','.join(keys)}]".casefold() == str(label).casefold()

    def _remove(self, key: str, said: Said) -> None:
        item = self._items.pop(key)
        step = replace(said.step, words=f"removed by {said.step.words}")
        at = Said(None, step, said.line)
        self._gone[key] = Item(None, item.label, at, (*item.before, item))
        self._touch(said)

    def _take_items(self, tree: Tree, step: Step) -> None:
        fresh: dict[str, Item] = {}
        for item in tree.items.values():
            key = item.label.casefold()
            why = self._stands_back(key, fresh, step)
            if why is not None:
                self.refuse(Tree(items={key: item}), step, why)
                continue
            before = self._items.pop(key, None) or self._gone.pop(key, None)
            history = (*before.before, before) if before else ()
            fresh[key] = Item(item, item.label, _element(item, step), history)
        sequence = [
            Item(one, "", _element(one, step))
            for one in tree.sequence
            if self._facts or not self._has_alike(one)
        ]
        if self._local_first():
            own = {key: one for key, one in self._items.items() if one.at.step == step}
            self._items = {**own, **fresh, **{k: v for k, v in self._items.items() if k not in own}}
            own_sequence = [one for one in self._sequence if one.at.step == step]
            rest = [one for one in self._sequence if one.at.step != step]
            self._sequence = [*own_sequence, *sequence, *rest]
        else:
            self._items = {**self._items, **fresh}
            self._sequence += sequence
        if tree.ordered:
            self._order = Said(None, step, tree.line)

    def _has_alike(self, one: Tree) -> bool:
        """Tell whether the same element is there: without a schema it is taken for one."""
        value = element_value(one)
        return any(item.tree and element_value(item.tree) == value for item in self._sequence)

    def _touch(self, said: Said) -> None:
        if self._order is not None:
            self._order = said

    # --- what holds it back ---------------------------------------------------------------------

    def _lock(self, what: str, name: str, step: Step) -> str | None:
        for lock in self._locks:
            if lock.level != step.level and lock.holds(what, name):
                return locked(lock.origin)
        return None

    def _item_lock(self, item: Item, step: Step) -> str | None:
        if item.tree is None or item.at.step.level == step.level:
            return None
        return locked(item.at.origin) if is_true(item.tree.values.get("lockItem")) else None

    def _stands_back(self, key: str, fresh: dict[str, Item], step: Step) -> str | None:
        """Say why an element may not be added, or None."""
        names = {"add"} | {n for c in self._collections() for n in c["add"].split(",")}
        why = next(
            filter(None, (self._lock("elements", name, step) for name in sorted(names))), None
        )
        same = _SECOND.sub("", key)
        there = self._items.get(same) or fresh.get(same)
        if why is None and there is not None:
            why = self._item_lock(there, step)
            if why is None and self._native:
                why = f"its key stands already at {there.at.origin}; {FAILS}"
        return why

    def _collections(self) -> list[SectionFacts]:
        found: list[SectionFacts] = self._facts.get("collections", [])
        return found

    def _element_facts(self, name: str) -> SectionFacts | None:
        found: SectionFacts | None = self._facts.get("elements", {}).get(name)
        return found

    def _local_first(self) -> bool:
        return any(one.get("merge_append") is False for one in self._collections())

    # --- what applies ---------------------------------------------------------------------------

    def told(self, prefix: str = "", *, defaults: bool = False) -> Iterator[Told]:
        """
        Give every setting in the end, under its name; then what was taken away or refused.

        Args:
            prefix: Of the names.
            defaults: Also what the schema says of attributes that nobody sets.
        """
        for name, said in self._values.items():
            yield Told(prefix + name, said[-1], tuple(said[:-1]))
        if defaults:
            yield from self._defaults(prefix)
        parts = dict.fromkeys(
            (*self._parts, *(self._facts.get("elements", {}) if defaults else ()))
        )
        for name in parts:
            yield from self._part(name).told(f"{prefix}{name}.", defaults=defaults)
        for item in self._items.values():
            yield from item.told(prefix)
        if self._order is not None and len(self._items) > 1:
            labels: list[Value] = [item.label for item in self._items.values()]
            yield Told(f"{prefix}(order)", replace(self._order, value=labels))
        for number, item in enumerate(self._sequence, 1):
            yield from replace(item, label=f"[{number}]").told(prefix)
        for item in self._gone.values():
            yield from item.told(prefix)
        yield from (one._replace(setting=prefix + one.setting) for one in self._refused)

    def _defaults(self, prefix: str) -> Iterator[Told]:
        attributes: SectionFacts = self._facts.get("attributes", {})
        for name, facts in attributes.items():
            if name not in self._values and "default" in facts and not facts.get("encrypted"):
                yield Told(prefix + name, Said(typed(facts, facts["default"]), DEFAULT, 0))


def _element(tree: Tree, step: Step) -> Said:
    return Said(element_value(bare(tree)), step, tree.line)


def locked(origin: str) -> str:
    """Word that a lock holds something back."""
    return f"locked by {origin}; {FAILS}"
