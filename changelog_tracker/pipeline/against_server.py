"""
`drift --against server:NAME`: a server held against a sister, without what is each one's own.

Both sides keep their real values; what compares them are their templates. `redo` is written with
what is the server's own in the place of the sister's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.catalogue.own import is_own, is_own_kind
from changelog_tracker.diff.compare import Difference, compare, same, whole
from changelog_tracker.diff.product_update import FILE_ENTRY, SERVER
from changelog_tracker.diff.sisters import Sisters
from changelog_tracker.diff.templates import Templates
from changelog_tracker.diff.unsaid import Unsaid
from changelog_tracker.model import Change
from changelog_tracker.pipeline.own_names import own_of_both
from changelog_tracker.pipeline.sister import answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Held, ResourceKey, Tree, Value
    from changelog_tracker.pipeline.server_state import ServerState


@dataclass(slots=True)
class Beside:
    """
    What a server differs in from its sister.

    Args:
        skipped: How many settings only one of the two versions has.
        changes: What differs; `before` is the sister's value with what is the server's own.
        real: The sister's real value, by the key of the change.
        why_not: Why its value cannot be set on this server, by the key of the change.
    """

    skipped: int = 0
    changes: list[Change] = field(default_factory=list)
    real: dict[tuple[str, str, str | None], Value] = field(default_factory=dict)
    why_not: dict[tuple[str, str, str | None], str] = field(default_factory=dict)


def against_server(wanted: ServerState, found: ServerState) -> Beside:
    """
    Hold a server against its sister.

    Args:
        wanted: The sister.
        found: The server.
    """
    return _Comparison(wanted, found).beside()


class _Comparison:
    """Two servers, and the templates of both."""

    def __init__(self, wanted: ServerState, found: ServerState) -> None:
        self._wanted, self._found = wanted, found
        old, new = own_of_both(wanted, found)
        self._old, self._new = Templates(old), Templates(new)
        # The build of the server itself is what differs, not a part of another value.
        self._bare = (Templates(replace(old, build=None)), Templates(replace(new, build=None)))
        self._beside = Beside()
        self._skipped: set[tuple[str, str]] = set()
        self._unsaid = [Unsaid.of_known(side.known.readings) for side in (wanted, found)]

    def beside(self) -> Beside:
        """Compare every resource that both servers answered for."""
        for old, new in self._pairs():
            some = new or old
            if old is not None and new is not None and old.digest == new.digest and _is_file(old):
                # There are many thousands of them.
                continue
            if some is not None and self._is_compared(some):
                for one in self._differences(some.resource.kind, old, new):
                    self._add(some, one, gone=new is None)
        self._beside.skipped = len(self._skipped)
        return self._beside

    def _pairs(self) -> Iterator[tuple[Held | None, Held | None]]:
        """Give what is the same resource to a farm: of one name, else of one templated name."""
        mine, theirs = self._found.known.held, self._wanted.known.held
        left = {
            self._like(self._old, key, old): old for key, old in theirs.items() if key not in mine
        }
        for key, new in mine.items():
            yield theirs.get(key) or left.pop(self._like(self._new, key, new), None), new
        for old in left.values():
            yield old, None

    def _like(self, templates: Templates, key: ResourceKey, held: Held) -> tuple[str, str, str]:
        name = templates.comparable(held.resource.name)
        return (key[0], json.dumps(name).casefold(), key[2])

    def _is_compared(self, some: Held) -> bool:
        """Tell whether both were asked, and whether it is a server's at all."""
        noun = catalogue.nouns().get(some.resource.kind)
        if (noun is not None and noun.scope == "org") or is_own_kind(some.resource.kind):
            return False
        if any(some.resource.key in unsaid for unsaid in self._unsaid):
            return False
        return all(answered(side.known, some.reading) for side in (self._wanted, self._found))

    def _differences(self, kind: str, old: Held | None, new: Held | None) -> list[Difference]:
        before = self._tree(self._wanted, old) if old else None
        after = self._tree(self._found, new) if new else None
        if before is None or after is None:
            return whole(before, after)
        noun = catalogue.nouns().get(kind)
        sets = [name for name, one in noun.fields.items() if one.kind == "set"] if noun else []
        templates = self._bare if kind == SERVER else (self._old, self._new)
        return compare(*Sisters(*templates, frozenset(sets)).comparable(before, after))

    def _tree(self, state: ServerState, held: Held) -> Tree:
        """Give the settings of a resource without what is its server's own."""
        tree = state.tree(held)
        kind = held.resource.kind
        values = {
            name: value
            for name, value in tree.values.items()
            if not is_own(kind, name) and self._is_of_both(kind, name)
        }
        return replace(tree, values=values)

    def _is_of_both(self, kind: str, setting: str) -> bool:
        """Tell whether both versions have a setting; where the catalogue does not say, they do."""
        noun = catalogue.nouns().get(kind)
        field_ = noun.fields.get(setting) if noun else None
        one, other = self._wanted.version, self._found.version
        if field_ is None or one is None or other is None:
            return True
        if (one in field_.versions) == (other in field_.versions):
            return True
        self._skipped.add((kind, setting))
        return False

    def _add(self, held: Held, one: Difference, *, gone: bool) -> None:
        """Take a difference down, with what the sister has as this server would have it."""
        mine = self._new.own
        name, setting = held.resource.name, one.setting
        if gone:
            name = str(self._old.translated(name, mine))
        if setting is not None and one.after is None:
            setting = str(self._old.translated(setting, mine))
        before = self._old.translated(one.before, mine)
        kind = held.resource.kind
        change = Change(kind, name, setting, one.action, before, one.after)
        if not same(before, one.before):
            self._beside.real[change.key] = one.before
        why = self._old.untranslatable([held.resource.name if gone else "", one.before], mine)
        if why is not None:
            self._beside.why_not[change.key] = why
        self._beside.changes.append(change)


def _is_file(held: Held) -> bool:
    return held.resource.kind == FILE_ENTRY
