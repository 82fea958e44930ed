"""
Exports that differ from the last ones by noise alone, and what each noise rule held back.

Every export names the session that read it, so no two are the same byte for byte. One that says
what was known is not stored again: its reading stays as it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.model import ReadingId
from changelog_tracker.pipeline.read import NOT_USED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from changelog_tracker.model import Known, ReadingKey, Taken, Tree
    from changelog_tracker.normalise.exchange import ExchangeObject
    from changelog_tracker.pipeline.read import Contents


# The one fact that comes out of a configuration file, and goes with it.
_FOLDERS = "FolderBuild"


class HeldBack:
    """Counts the differences that noise rules held back, by kind and rule."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def rows(self) -> list[list[str | int]]:
        """Give kind, rule and count, as the journal has them."""
        return [[kind, rule, n] for (kind, rule), n in sorted(self._counts.items())]

    def add_trees(self, kind: str, before: Tree, after: Tree) -> None:
        """Count what differs in two states of one resource and is not compared."""
        for name, rule in {**before.ignored, **after.ignored}.items():
            if before.values.get(name) != after.values.get(name):
                self._counts[kind, rule] += 1
        for name in before.parts.keys() & after.parts.keys():
            self.add_trees(kind, before.parts[name], after.parts[name])
        for key in before.items.keys() & after.items.keys():
            self.add_trees(kind, before.items[key], after.items[key])

    def add_objects(
        self, kind: str, before: Iterable[ExchangeObject], after: Iterable[ExchangeObject]
    ) -> None:
        """Count what differs in two exports of one kind and was left out of both."""
        old = {one.name.casefold(): one.ignored for one in before}
        for one in after:
            known = old.get(one.name.casefold(), one.ignored)
            for name, (value, rule) in one.ignored.items():
                if name in known and known[name][0] != value:
                    self._counts[kind, rule] += 1


def drop_noise(known: Known, taken: Taken, contents: Contents) -> None:
    """
    Let each export that says what is known stay as it is known.

    Args:
        known: What is known, with the resources of what was read.
        taken: What was read; changed.
        contents: What the files hold; changed.
    """
    groups: dict[bytes, list[ReadingKey]] = {}
    for key, reading in taken.readings.items():
        if reading.fingerprint is not None and key not in taken.unchanged:
            groups.setdefault(reading.fingerprint, []).append(key)
    for keys in groups.values():
        if all(_says_the_same(key, known, taken) for key in keys):
            for key in keys:
                taken.readings[key] = known.readings[key].reading
                taken.unchanged.add(key)
                contents.raw.pop(key, None)


def _says_the_same(key: ReadingKey, known: Known, taken: Taken) -> bool:
    last, now = known.readings.get(key), taken.readings[key]
    exported = now.id.kind in {*catalogue.nouns(), NOT_USED}
    if not exported or (now.id.kind == SERVER and now.id.scope == _FOLDERS):
        return False
    if last is None or replace(last.reading, fingerprint=now.fingerprint) != now:
        return False
    before = {name: held.digest for name, held in known.held.items() if held.reading == key}
    return before == {name: held.digest for name, held in taken.held.get(key, {}).items()}


def count_exports(
    held_back: HeldBack,
    contents: Contents,
    objects: Callable[[ReadingKey], list[ExchangeObject]],
    stored: Callable[[ReadingKey], list[ExchangeObject]],
) -> None:
    """
    Count what noise rules held back in the exports that are other than the last ones.

    Args:
        held_back: Where to.
        contents: What the files hold.
        objects: Gives the objects of a kind now.
        stored: Gives those of the last export that is kept.
    """
    for key in contents.raw:
        if key[0] in catalogue.nouns() and ReadingId(key[0]).key == key:
            held_back.add_objects(key[0], stored(key), objects(key))
