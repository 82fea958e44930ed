"""Which snapshot is the state that a recovered server is to have again: `verify` and `replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.errors import StoreDamagedError, UsageError
from changelog_tracker.pipeline.lines import utc
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.store.changes import load_changes
from changelog_tracker.store.damage import FIND_ALL
from changelog_tracker.store.snapshots import baseline_of, snapshots_of

if TYPE_CHECKING:
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot

BASELINE = "baseline"


class Wanted(NamedTuple):
    """The snapshot that holds the wanted state, and in words which one was taken and why."""

    snapshot: Snapshot
    words: str


def wanted_state(
    connection: Connection,
    number: int,
    name: str,
    against: str | None,
    option: str = "--against",
) -> Wanted:
    """
    Find the snapshot whose state a server is to have again.

    Args:
        connection: An open transaction.
        number: The server.
        name: Its name.
        against: `baseline`, a snapshot's id or a TIME; None for the baseline, else the last
            snapshot before the newest rebuild that was seen.
        option: How the command calls `against`, for its hint.

    Raises:
        UsageError: There is none.
        StoreDamagedError: The baseline's snapshot cannot be read.
    """
    if against is not None and against != BASELINE:
        found = find_snapshot(connection, number, name, against)
        return Wanted(found, f"snapshot {found.seq} of {utc(found.at)}")
    found_ = _baseline(connection, number, name)
    if found_ is not None:
        return found_
    set_one = f"set one with: changelog-tracker baseline set {name}"
    if against == BASELINE:
        raise UsageError(name, "has no baseline", set_one)
    before = _before_rebuild(connection, number)
    if before is None:
        what = "has no baseline, and no rebuild of it was seen, so nothing says what is wanted"
        raise UsageError(name, what, f"say it with {option} TIME, or {set_one}")
    return before


def _baseline(connection: Connection, number: int, name: str) -> Wanted | None:
    seq = baseline_of(connection, number)
    if seq is None:
        return None
    found = next((one for one in snapshots_of(connection, number) if one.seq == seq), None)
    if found is None:
        what = f"its baseline, snapshot {seq}, cannot be read"
        raise StoreDamagedError(name, what, FIND_ALL)
    return Wanted(found, f"baseline, snapshot {found.seq} of {utc(found.at)}")


def _before_rebuild(connection: Connection, number: int) -> Wanted | None:
    """Give the last snapshot before the newest rebuild."""
    rebuilt = {
        one.snapshot
        for one in load_changes(connection, number)
        if one.change.category == "recovery"
    }
    before: Snapshot | None = None
    found: Wanted | None = None
    for one in snapshots_of(connection, number):
        # Windows and then Setup may show as two in a row: what stands between is no wanted state.
        if one.seq in rebuilt and before is not None and before.seq not in rebuilt:
            words = f"snapshot {before.seq} of {utc(before.at)}, the last before the rebuild seen"
            found = Wanted(before, f"{words} {utc(one.at)}")
        before = one
    return found
