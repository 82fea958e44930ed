"""
A server's snapshots in the order of their time -> what changed at each.

`Known` is what the last readings said. A step holds it against one snapshot: what was not read
stays as it was known, a first reading makes no changes, and a change carries the time of the last
reading before it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from changelog_tracker.diff.unsaid import Unsaid, is_part, whole_of
from changelog_tracker.model import Change, Held, Known, KnownReading, ReadingId, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.diff.compare import Difference
    from changelog_tracker.model import Reading, ReadingKey, ResourceId, ResourceKey, Taken

NOT_GIVEN = "not in this import"
CONFIG_FILE = "ConfigFile"
IIS_CONFIG = "IisConfig"
FILES = frozenset({CONFIG_FILE, IIS_CONFIG})


# Tells what differs between two contents of one resource; either may be missing.
Differ: TypeAlias = "Callable[[ResourceId, bytes | None, bytes | None], list[Difference]]"


def step(known: Known, taken: Taken, differ: Differ) -> Step:
    """Hold one snapshot against what is known."""
    result = Step()
    last_answers = _Before(known, Unsaid.of_known(known.readings))
    unsaid = Unsaid(taken.readings.values())
    by_reading: dict[ReadingKey, dict[ResourceKey, Held]] = defaultdict(dict)
    for key, held in known.held.items():
        by_reading[held.reading][key] = held
    for reading_key, reading in taken.readings.items():
        before = known.readings.get(reading_key)
        if before is None or before.reading != reading:
            result.readings[reading_key] = reading
        if reading.status == "unread" or reading_key in taken.unchanged:
            continue
        new, old = (
            {key: held for key, held in side.items() if key not in unsaid}
            for side in (taken.held.get(reading_key, {}), by_reading[reading_key])
        )
        if reading_key in taken.touched:
            touched = taken.touched[reading_key]
            old = {key: held for key, held in old.items() if key in touched}
        _compare_reading(last_answers, taken, old, new, result, differ)
    _close_aspects(last_answers, result, differ)
    _add_unanswered(known, taken, result)
    return result


def _add_unanswered(known: Known, taken: Taken, result: Step) -> None:
    """Take down of what nothing was said, and what is no longer unread by itself."""
    for reading_key, last in known.readings.items():
        if reading_key in taken.readings or reading_key in result.readings:
            continue
        if is_part(last.reading.id):
            if last.reading.status == "unread" and _is_told(taken, last.reading.id):
                result.readings[reading_key] = replace(last.reading, status="absent", reason=None)
        elif last.reading.status == "read" or _is_gone_file(last.reading):
            result.readings[reading_key] = replace(
                last.reading, status="unread", reason=NOT_GIVEN, fingerprint=None
            )


def _is_told(taken: Taken, part: ReadingId) -> bool:
    """Tell whether the reading of its kind speaks of a part again, be it that it is not there."""
    whole = taken.readings.get(whole_of(part))
    return whole is not None and whole.status != "unread"


def _is_gone_file(reading: Reading) -> bool:
    """Tell whether a file or kind was answered to be absent; an object that went stays gone."""
    return reading.status == "absent" and (not reading.id.scope or reading.id.kind in FILES)


def advance(known: Known, taken: Taken, done: Step) -> Known:
    """Give what is known after a snapshot."""
    readings = dict(known.readings)
    for key, reading in done.readings.items():
        last = readings.get(key)
        read_at = last.read_at if last else None
        if is_part(reading.id) and (last is None or last.reading.status != "unread"):
            # Until now the reading of its kind spoke of it.
            whole = readings.get(whole_of(reading.id))
            read_at = whole.read_at if whole else None
        readings[key] = KnownReading(reading, read_at, taken.at)
    for key, reading in taken.readings.items():
        if reading.status != "unread":
            last = readings.get(key, KnownReading(reading, since=taken.at))
            readings[key] = KnownReading(last.reading, taken.at, last.since)
    for key, last in readings.items():
        if last.reading.status == "absent" and is_part(last.reading.id):
            readings[key] = replace(last, read_at=taken.at)
    held = {key: value for key, value in known.held.items() if key not in done.closed}
    held.update(done.opened)
    return Known(taken.at, taken.collector, readings, held)


@dataclass(frozen=True, slots=True)
class _Before:
    """What was known before a snapshot, and which resources were not read with their kind."""

    known: Known
    unsaid: Unsaid

    def last_of(self, held: Held) -> KnownReading | None:
        """Give the last answer about a resource; of one that was not read it is its own."""
        part = self.unsaid.part_of(held.resource.key)
        return self.known.readings.get(part or held.reading)


def _compare_reading(
    last_answers: _Before,
    taken: Taken,
    old: dict[ResourceKey, Held],
    new: dict[ResourceKey, Held],
    result: Step,
    differ: Differ,
) -> None:
    # In the order of the files, whatever order a database gives: what has gone comes last.
    for key in (*new, *sorted(key for key in old if key not in new)):
        before, after = old.get(key), new.get(key)
        if before and after and before.digest == after.digest:
            continue
        some = after or before
        if some is None:
            continue
        # First readings are not compared: nobody knows how it was before.
        first = _is_first(last_answers, taken, some)
        differences = [] if first else _differences(differ, before, after)
        result.changes += [_change(last_answers, some, difference) for difference in differences]
        if after:
            result.opened[key] = after
        elif before:
            result.closed[key] = before


def _differences(differ: Differ, before: Held | None, after: Held | None) -> list[Difference]:
    some = after or before
    if some is None:
        return []
    return differ(some.resource, before.digest if before else None, after.digest if after else None)


def _is_first(before: _Before, taken: Taken, held: Held) -> bool:
    """Tell whether what a resource's reading says was never answered before."""
    known, last = before.known, before.last_of(held)
    if last is not None and last.read_at is not None:
        return False
    if held.resource.aspect:
        # What only a full reading tells of an object that is new itself is part of it.
        if (held.resource.kind, held.resource.name.casefold(), "") in known.held:
            return True
        kind = known.readings.get(ReadingId(held.resource.kind).key)
        return kind is None or kind.read_at is None
    return last is not None or not _was_looked_for(known, taken, held.reading[0])


def _was_looked_for(known: Known, taken: Taken, kind: str) -> bool:
    """
    Tell whether a file that is new was not there last time.

    A collector looks for every configuration file, so what the same one did not list then, it
    did not find.
    """
    same_collector = taken.collector is not None and taken.collector == known.collector
    return (
        kind == CONFIG_FILE
        and same_collector
        and any(key[0] == kind and last.read_at for key, last in known.readings.items())
    )


def _change(before: _Before, held: Held, difference: Difference) -> Change:
    last = before.last_of(held)
    return Change(
        kind=held.resource.kind,
        resource=held.resource.name,
        setting=difference.setting,
        action=difference.action,
        before=difference.before,
        after=difference.after,
        not_before=last.read_at if last and last.read_at else before.known.at,
    )


def _close_aspects(before: _Before, result: Step, differ: Differ) -> None:
    """With an object goes what only a full reading told of it, and that this was not read."""
    known = before.known
    gone = {key[:2] for key in result.closed if key[2] == ""}
    if not gone:
        return
    for key, held in known.held.items():
        if key[:2] not in gone or not key[2] or key in result.closed:
            continue
        result.closed[key] = held
        differences = _differences(differ, held, None)
        result.changes += [_change(before, held, difference) for difference in differences]
    told_by = {held.reading for key, held in result.closed.items() if key[2]}
    for reading_key in (told_by | gone) & known.readings.keys():
        if not known.readings[reading_key].reading.id.scope or reading_key in result.readings:
            continue
        last = known.readings[reading_key].reading
        result.readings[reading_key] = replace(last, status="absent", reason=None, fingerprint=None)
