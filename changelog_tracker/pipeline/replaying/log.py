"""Which changes of the log made what is wanted, and what people said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.diff.compare import same
from changelog_tracker.diff.product_update import FILE_ENTRY
from changelog_tracker.pipeline.lines import is_documented
from changelog_tracker.pipeline.replaying.differences import turned
from changelog_tracker.replay.scene import Drifted
from changelog_tracker.store.changes import load_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Change
    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection


class _Logged(NamedTuple):
    id: str
    one: Recorded


class Reasons:
    """
    Finds for each difference the changes that made its wanted value.

    Args:
        connection: An open transaction.
        number: The server.
        until: The time of the wanted state, microseconds.
    """

    def __init__(self, connection: Connection, number: int, until: int) -> None:
        self._of: dict[tuple[str, str], dict[str | None, _Logged]] = {}
        for one in load_changes(connection, number, until=until):
            below = [(f"{one.id}.{k}", one.folded(k)) for k in range(1, len(one.change.folded) + 1)]
            for name, each in ((one.id, one), *below):
                key = (each.change.kind, each.change.resource.casefold())
                self._of.setdefault(key, {})[each.change.setting] = _Logged(name, each)

    def drifted(self, change: Change) -> Drifted:
        """Tie a difference to the log; what was so from the first snapshot needs no reason."""
        made = self._made(change)
        words = [each.one.words[-1] if each.one.words else {} for each in made]
        classes = {each.one.change.category for each in made}
        if "mitigation" in classes:
            change = replace(change, category="mitigation")
        return Drifted(
            change,
            documented=all(is_documented(one) for one in words),
            rejected=any(one.get("rejected") for one in words),
            log=tuple(each.id for each in made),
        )

    def customised_files(self, change: Change) -> Iterator[Change]:
        """
        Give the files that a product update would hide, though somebody had customised them.

        Args:
            change: A difference; `before` is what stands there, `after` what is wanted.
        """
        for one in change.folded if change.category == "product-update" else ():
            if one.kind != FILE_ENTRY:
                continue
            # What is folded into a difference is not turned with it.
            wanted = turned(replace(one, category="customisation"))
            if any(_is_by_somebody(each) for each in self._made(wanted)):
                yield wanted

    def _made(self, change: Change) -> list[_Logged]:
        found = self._of.get((change.kind, change.resource.casefold()), {})
        exact = found.get(change.setting)
        if exact is not None and same(exact.one.change.after, change.after):
            return [exact]
        return [each for setting, each in found.items() if _is_part(setting, change.setting)]


def _is_by_somebody(logged: _Logged) -> bool:
    """Tell whether a line of the log is a customisation, and no part of a larger event."""
    return logged.one.change.category == "customisation" and logged.id.count(".") == 1


def _is_part(one: str | None, other: str | None) -> bool:
    """Tell whether one setting is the other, or lies within it."""
    if one is None or other is None or one == other:
        return True
    return one.startswith(f"{other}.") or other.startswith(f"{one}.")
