"""
A snapshot that is older than the newest: the history is told again, and nothing is rewritten.

Only what the late snapshot bears on is told again: the next snapshot, and for what that one did not
read the first later one that did. The changes that are found so are held against those that were
recorded there; what differs becomes one new journal entry (revision.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.diff.timeline import CONFIG_FILE, FILES, NOT_GIVEN, advance, step
from changelog_tracker.model import Known, Taken
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.outcome import Retold
from changelog_tracker.pipeline.revision import Expected, reconcile, record
from changelog_tracker.pipeline.surroundings import AROUND, classified
from changelog_tracker.store.changes import (
    Recorded,
    load_changes,
    next_change,
)
from changelog_tracker.store.journal import newest_snapshot, next_snapshot
from changelog_tracker.store.packing import moment
from changelog_tracker.store.splice import Spans, next_told, splice
from changelog_tracker.store.states import COLLECTOR, load_held, load_known

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.diff.timeline import Differ
    from changelog_tracker.model import (
        Change,
        Held,
        KnownReading,
        Reading,
        ReadingKey,
        ResourceKey,
    )
    from changelog_tracker.model import Step as Done
    from changelog_tracker.store.database import Connection


@dataclass(slots=True)
class Told:
    """
    One moment of the history, told again.

    Args:
        snapshot: Its number; 0 for the late one, which has none yet.
        at: Its time, microseconds.
        changes: What changed there.
        readings: Of each reading that is other than the store says, or was read at another time,
            how it is.
        held: The same of each resource; None where there is none.
        as_recorded: The readings of which only the time is another.
    """

    snapshot: int
    at: int
    changes: list[Change]
    readings: dict[ReadingKey, KnownReading]
    held: dict[ResourceKey, Held | None]
    as_recorded: set[ReadingKey]


@dataclass(frozen=True, slots=True)
class Late:
    """
    A snapshot that comes in late, before it is written.

    Args:
        server_id: The server's number.
        at: Its time, microseconds.
        known: All that was known before it.
        taken: What it read.
        done: What it did to what was known.
    """

    server_id: int
    at: int
    known: Known
    taken: Taken
    done: Done


def tell_again(
    connection: Connection,
    late: Late,
    load: Callable[[bytes], bytes],
    compare: Differ | None = None,
) -> list[Told]:
    """
    Tell the history from a late snapshot on, as far as it bears on it; nothing is written.

    Args:
        connection: An open transaction.
        late: The snapshot.
        load: Gives a content by its digest.
        compare: Tells what differs between two of them, where that is not asked of their bytes.
    """
    compare = compare or differ(load)
    state = advance(late.known, late.taken, late.done)
    changes = classified(late.known, late.done, load)
    told = [Told(0, late.at, changes, *_other(late.known, state))]
    following = next_snapshot(connection, late.server_id, late.at)
    # Whether a file is new at a later snapshot depends on whether any was looked for before.
    files_are_new = not _has_file(late.known) and _has_file(state)
    while following is not None:
        snapshot, at = following
        before = _before(connection, late.server_id, at, told[-1]) if told[1:] else state
        recorded = _whole(connection, late.server_id, at)
        taken = _taken_of(recorded)
        done = step(before, taken, compare)
        state = advance(before, taken, done)
        other = _other(recorded, state)
        told.append(Told(snapshot, at, classified(before, done, load), *other))
        files_are_new = files_are_new and not _has_file(recorded)
        following = _next(connection, late.server_id, told[-1], with_files=files_are_new)
    return told


def _has_file(known: Known) -> bool:
    """Tell whether a configuration file was ever read."""
    return any(key[0] == CONFIG_FILE and last.read_at for key, last in known.readings.items())


def insert_late(
    connection: Connection,
    server: tuple[int, str],
    seq: int,
    told: list[Told],
    raw: dict[ReadingKey, bytes],
) -> tuple[Retold, tuple[Recorded, ...]]:
    """
    Put a snapshot that is in the journal by now into its place in time.

    Args:
        connection: The transaction that wrote it.
        server: Number and name.
        seq: The late snapshot.
        told: What `tell_again` gave.
        raw: Digests of its raw files.

    Returns:
        What that did to the log, and the changes that show at the late snapshot.
    """
    told[0].snapshot = seq
    splice(connection, server[0], _spans(told, raw))
    live = [
        one
        for moment in told
        for one in load_changes(connection, server[0], since=moment.at, until=moment.at)
    ]
    expected = [Expected(one.snapshot, one.at, change) for one in told for change in one.changes]
    revision = reconcile(live, expected)
    record(connection, server, seq, revision)
    own = load_changes(connection, server[0], since=told[0].at, until=told[0].at)
    later = [one for one in revision.added if one.snapshot != seq]
    return Retold(len(later), len(revision.amended), len(revision.superseded)), tuple(own)


def lay_again(
    connection: Connection, server_id: int, at: int, done: Done, raw: dict[ReadingKey, bytes]
) -> None:
    """
    Lay the rows of a late snapshot as its import did, out of what the journal says of it.

    Args:
        connection: The transaction that writes.
        server_id: The server.
        at: The snapshot's time, microseconds.
        done: What it did to what was known, without its changes, which lay no rows of states.
        raw: Digests of its raw files.
    """
    known = _whole(connection, server_id, at)
    nothing = Taken(moment(at), None, {}, {}, set())
    taken = _taken_of(advance(known, nothing, done))
    late = Late(server_id, at, known, taken, done)
    told = tell_again(connection, late, lambda digest: digest, lambda *_: [])
    splice(connection, server_id, _spans(told, raw))


def _taken_of(known: Known) -> Taken:
    """Give what the snapshot read of whose moment something is known."""
    readings = {
        key: last.reading for key, last in known.readings.items() if not _is_carried(last.reading)
    }
    held: dict[ReadingKey, dict[ResourceKey, Held]] = {key: {} for key in readings}
    for key, one in known.held.items():
        if one.reading in held:
            held[one.reading][key] = one
    collector = readings.get(COLLECTOR.key)
    name = collector.reason if collector and collector.status == "read" else None
    return Taken(known.at or moment(0), name, readings, held, set())


def _is_carried(reading: Reading) -> bool:
    """Tell whether a reading follows from others: not given, or of an object that went."""
    gone = reading.status == "absent" and bool(reading.id.scope) and reading.id.kind not in FILES
    return gone or reading.reason == NOT_GIVEN


def _whole(connection: Connection, server_id: int, at: int) -> Known:
    known = load_known(connection, server_id, at)
    load_held(connection, server_id, known, at=at)
    return known


def _before(connection: Connection, server_id: int, at: int, last: Told) -> Known:
    """Give what is known before a later snapshot: as recorded, but for what is told otherwise."""
    known = _whole(connection, server_id, at - 1)
    known.readings |= last.readings
    for key, held in last.held.items():
        if held is None:
            known.held.pop(key, None)
        else:
            known.held[key] = held
    return known


def _other(
    recorded: Known, state: Known
) -> tuple[dict[ReadingKey, KnownReading], dict[ResourceKey, Held | None], set[ReadingKey]]:
    """Give what a state says other than the store has it at that time, as `Told` holds it."""
    readings = {
        key: last
        for key, last in state.readings.items()
        if key not in recorded.readings
        or (last.reading, last.read_at)
        != (recorded.readings[key].reading, recorded.readings[key].read_at)
    }
    held: dict[ResourceKey, Held | None] = {
        key: one
        for key, one in state.held.items()
        if key not in recorded.held or one.digest != recorded.held[key].digest
    }
    held |= {key: None for key in recorded.held if key not in state.held}
    same = {
        key
        for key, last in readings.items()
        if key in recorded.readings and recorded.readings[key].reading == last.reading
    }
    return readings, held, same


def _next(
    connection: Connection, server_id: int, last: Told, *, with_files: bool
) -> tuple[int, int] | None:
    """
    Give the next snapshot that bears on what is told otherwise; None where there is none.

    Args:
        connection: An open transaction.
        server_id: The server.
        last: What was told last.
        with_files: Whether each that read a configuration file does.
    """
    if not (last.readings or last.held):
        return None
    kind = CONFIG_FILE if with_files else None
    times = [next_told(connection, server_id, last.at, last.readings, last.held, kind)]
    if any(key[0] in AROUND for key in last.held):
        # The classes of other changes depend on these kinds.
        times.append(next_change(connection, server_id, last.at))
    found = min((at for at in times if at is not None), default=None)
    return None if found is None else newest_snapshot(connection, server_id, found)


def _spans(told: list[Told], raw: dict[ReadingKey, bytes]) -> Spans:
    """Give from when until when which reading and which resource is other than recorded."""
    spans = Spans()
    ends = [*(one.at for one in told[1:]), None]
    for one, end in zip(told, ends, strict=True):
        for key, last in one.readings.items():
            if key in one.as_recorded:
                continue
            file = raw.get(key) if one is told[0] else None
            spans.readings.setdefault(key, []).append((one.at, end, last.reading, file))
        for resource, held in one.held.items():
            spans.held.setdefault(resource, []).append((one.at, end, held))
    return spans
