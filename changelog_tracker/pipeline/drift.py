"""`diff` and `drift`: two states held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.diff.classify import without_identity
from changelog_tracker.diff.timeline import step
from changelog_tracker.errors import StoreDamagedError, UsageError
from changelog_tracker.model import Step
from changelog_tracker.pipeline.against_defaults import against_defaults
from changelog_tracker.pipeline.against_server import against_server
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.drift_lines import Logged, turned
from changelog_tracker.pipeline.lines import context_of, known_server, utc
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.pipeline.server_state import server_state
from changelog_tracker.pipeline.sister import SISTER, sister_state
from changelog_tracker.pipeline.surroundings import classified
from changelog_tracker.store.changes import Recorded
from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.damage import FIND_ALL, lost
from changelog_tracker.store.history import taken_of_known
from changelog_tracker.store.snapshots import baseline_of, snapshots_of
from changelog_tracker.store.states import load_held, load_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.diff.compare import Difference
    from changelog_tracker.model import Change, Known, ResourceId
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.pipeline.server_state import ServerState
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot

DEFAULTS = "defaults"


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

    compare = differ(load)

    def whole(resource: ResourceId, one: bytes | None, other: bytes | None) -> list[Difference]:
        try:
            return compare(resource, one, other)
        except StoreDamagedError as error:
            lost(connection, StoreDamagedError(name, f"{resource}: {error.what}"))
            return []

    done = step(old, taken_of_known(new), whole)
    yield from _recorded(name, after, classified(old, done, load))


def _recorded(name: str, snapshot: Snapshot, changes: Iterable[Change]) -> Iterator[Recorded]:
    for n, change in enumerate(changes, 1):
        yield Recorded(snapshot.seq, n, name, snapshot.seq, snapshot.at, change)


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
    logged = Logged(connection, number, before.at, after.at)
    for one in between(connection, name, before, after):
        yield logged.line(one, one.change, context)


def drift_lines(
    connection: Connection, server: str, against: str | None, *, unfold: bool = False
) -> tuple[str, list[Line]]:
    """
    Give what differs between what is wanted and the newest snapshot.

    Args:
        connection: An open transaction.
        server: The server.
        against: `baseline`, `previous`, `defaults`, `server:NAME`, a snapshot's id or a TIME; None
            for the baseline, else the previous snapshot.
        unfold: Also what is folded into one line.

    Returns:
        What it was held against, in words, and the lines; `redo` sets the wanted value.
    """
    number, name = known_server(connection, server)
    if against == DEFAULTS:
        return _from_defaults(connection, number, name)
    if against is not None and against.startswith(SISTER):
        return _from_sister(connection, number, name, against, unfold=unfold)
    wanted, words = _wanted(connection, number, name, against)
    newest = find_snapshot(connection, number, name, "latest")
    context = context_of(connection, name)
    logged = Logged(connection, number, wanted.at, newest.at)
    lines = []
    for one in between(connection, name, wanted, newest):
        rebuilt = one.change.category == "recovery"
        changes = without_identity(one.change) if rebuilt else [one.change]
        if unfold:
            changes[1:1] = changes[0].folded
        lines += [turned(logged.line(one, change, context)) for change in changes]
    return words, lines


def _from_defaults(connection: Connection, number: int, name: str) -> tuple[str, list[Line]]:
    newest = find_snapshot(connection, number, name, "latest")
    state = server_state(connection, number, name, newest)
    found = against_defaults(state)
    words = (
        f"factory defaults of Exchange {state.version} build {state.build}: "
        f"{found.compared:,} settings compared, "
        f"{found.unknown:,} with unknown default not compared"
    )
    return words, [line for _, line in _lines(connection, number, state, found.changes)]


def _from_sister(
    connection: Connection, number: int, name: str, against: str, *, unfold: bool
) -> tuple[str, list[Line]]:
    newest = find_snapshot(connection, number, name, "latest")
    sister = sister_state(connection, name, against)
    state = server_state(connection, number, name, newest)
    beside = against_server(sister, state)
    words = f"server {sister.name}, snapshot {sister.snapshot.seq} of {utc(sister.snapshot.at)}"
    if sister.version != state.version:
        versions = [one.version or "of an unknown version" for one in (sister, state)]
        words += f", Exchange {versions[0]} beside {versions[1]}"
        words += f" (settings of one version only, not compared: {beside.skipped:,})"
    lines = []
    for change, line in _lines(connection, number, state, beside.changes, unfold=unfold):
        if change.key in beside.real:
            line["wanted"] = beside.real[change.key]
        if change.key in beside.why_not:
            line |= {"redo": None, "why_not": beside.why_not[change.key]}
        lines.append(line)
    return words, lines


def _lines(
    connection: Connection,
    number: int,
    state: ServerState,
    changes: list[Change],
    *,
    unfold: bool = False,
) -> Iterator[tuple[Change, Line]]:
    """Give differences that no two snapshots of the server made, each with its line."""
    context = context_of(connection, state.name)
    logged = Logged(connection, number, -1, state.snapshot.at)
    changes = classified(state.known, Step(changes=changes), state.load)
    for one in _recorded(state.name, state.snapshot, changes):
        for change in (one.change, *(one.change.folded if unfold else ())):
            yield change, turned(logged.line(one, change, context))


def _wanted(
    connection: Connection, number: int, name: str, against: str | None
) -> tuple[Snapshot, str]:
    chosen = against
    if against in {None, "baseline"}:
        seq = baseline_of(connection, number)
        if seq is not None:
            found = next((s for s in snapshots_of(connection, number) if s.seq == seq), None)
            if found is None:
                what = f"its baseline, snapshot {seq}, cannot be read"
                raise StoreDamagedError(name, what, FIND_ALL)
            return found, f"baseline, snapshot {seq} of {utc(found.at)}"
        if against == "baseline":
            raise UsageError(
                name, "has no baseline", f"set one with: changelog-tracker baseline set {name}"
            )
        chosen = "previous"
    found = find_snapshot(connection, number, name, str(chosen))
    how = "previous snapshot" if chosen == "previous" else "snapshot"
    return found, f"{how} {found.seq} of {utc(found.at)}"
