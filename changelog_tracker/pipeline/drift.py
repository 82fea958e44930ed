"""`diff` and `drift`: two states of one server held against each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker.diff.classify import without_identity
from changelog_tracker.diff.compare import same
from changelog_tracker.diff.timeline import step
from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.lines import change_line, context_of, known_server, utc
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.pipeline.surroundings import classified
from changelog_tracker.store.changes import Recorded, load_changes
from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.history import taken_of_known
from changelog_tracker.store.snapshots import baseline_of, snapshots_of
from changelog_tracker.store.states import load_held, load_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Change, Known, Value
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.replay.commands import Context
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot


def between(
    connection: Connection, server: str, before: Snapshot, after: Snapshot
) -> Iterator[Recorded]:
    """Give what differs between two snapshots of a server, as changes without a record."""
    number, name = known_server(connection, server)
    old, new = (_whole_state(connection, number, one.at) for one in (before, after))
    cache: dict[bytes, bytes] = {}

    def load(digest: bytes) -> bytes:
        if digest not in cache:
            cache.update(load_contents(connection, [digest]))
        return cache[digest]

    done = step(old, taken_of_known(new), differ(load))
    for n, change in enumerate(classified(old, done, load), 1):
        yield Recorded(after.seq, n, name, after.seq, after.at, change)


def _whole_state(connection: Connection, number: int, at: int) -> Known:
    known = load_known(connection, number, at)
    load_held(connection, number, known, at=at)
    return known


def diff_lines(connection: Connection, server: str, a: str, b: str) -> Iterator[Line]:
    """Give what differs between two snapshots or times."""
    number, name = known_server(connection, server)
    before = find_snapshot(connection, number, name, a)
    after = find_snapshot(connection, number, name, b)
    context = context_of(connection, name)
    logged = _Logged(connection, number, before.at, after.at)
    for one in between(connection, name, before, after):
        yield logged.line(one, one.change, context)


def drift_lines(
    connection: Connection, server: str, against: str | None, *, unfold: bool = False
) -> tuple[str, list[Line]]:
    """
    Give what differs between what is wanted and the newest snapshot.

    Returns:
        What it was held against, in words, and the lines; `redo` sets the wanted value.
    """
    number, name = known_server(connection, server)
    wanted, words = _wanted(connection, number, name, against)
    newest = find_snapshot(connection, number, name, "latest")
    context = context_of(connection, name)
    logged = _Logged(connection, number, wanted.at, newest.at)
    lines = []
    for one in between(connection, name, wanted, newest):
        rebuilt = one.change.category == "recovery"
        changes = without_identity(one.change) if rebuilt else [one.change]
        if unfold:
            changes[1:1] = changes[0].folded
        lines += [_turned(logged.line(one, change, context)) for change in changes]
    return words, lines


def _turned(line: Line) -> Line:
    """Make a line of drift: redo sets what is wanted."""
    line["redo"], line["undo"] = line["undo"], line["redo"]
    names = {"before": "wanted", "after": "found"}
    return {names.get(name, name): value for name, value in line.items()}


class _Logged:
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


def _wanted(
    connection: Connection, number: int, name: str, against: str | None
) -> tuple[Snapshot, str]:
    chosen = against
    if against in {None, "baseline"}:
        seq = baseline_of(connection, number)
        if seq is not None:
            found = next(s for s in snapshots_of(connection, number) if s.seq == seq)
            return found, f"baseline, snapshot {seq} of {utc(found.at)}"
        if against == "baseline":
            raise UsageError(
                name, "has no baseline", f"set one with: changelog-tracker baseline set {name}"
            )
        chosen = "previous"
    if chosen == "defaults" or str(chosen).startswith("server:"):
        raise UsageError(
            "--against", f"{chosen} is not supported yet; expected baseline, previous or TIME"
        )
    found = find_snapshot(connection, number, name, str(chosen))
    how = "previous snapshot" if chosen == "previous" else "snapshot"
    return found, f"{how} {found.seq} of {utc(found.at)}"
