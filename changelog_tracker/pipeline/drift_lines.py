"""The lines of `diff` and `drift`: each difference, with the change of the log that made it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker.diff.compare import same
from changelog_tracker.pipeline.lines import change_line
from changelog_tracker.store.changes import load_changes

if TYPE_CHECKING:
    from changelog_tracker.model import Change, Value
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.replay.commands import Context
    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection


class Logged:
    """
    Finds the change of the log that a difference comes from: its id, and what people said of it.

    Args:
        connection: An open transaction.
        number: The server.
        since: Changes seen after this time, microseconds.
        until: And not after this one.
    """

    def __init__(self, connection: Connection, number: int, since: int, until: int) -> None:
        self._found: dict[tuple[str, str, str | None], tuple[str, Recorded, Value]] = {}
        for one in load_changes(connection, number, since=since + 1, until=until):
            for k, below in enumerate(one.change.folded, 1):
                self._found[below.key] = (f"{one.id}.{k}", one.folded(k), below.after)
            self._found[one.change.key] = (one.id, one, one.change.after)

    def line(self, one: Recorded, change: Change, context: Context) -> Line:
        """Give the line of a difference, with the id and words of the change that made it."""
        found = self._found.get(change.key)
        if found is None or not same(found[2], change.after):
            line = change_line(replace(one, change=change, words=()), context)
            line["id"] = None
            return line
        line = change_line(replace(one, change=change, words=found[1].words), context)
        line["id"] = found[0]
        return line


def turned(line: Line) -> Line:
    """Make a line of drift: redo sets what is wanted."""
    line["redo"], line["undo"] = line["undo"], line["redo"]
    names = {"before": "wanted", "after": "found"}
    return {names.get(name, name): value for name, value in line.items()}
