"""What stands over an exported report: question, period, servers, coverage, versions, journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from changelog_tracker import __version__, catalogue
from changelog_tracker.pipeline.coverage import coverage_lines
from changelog_tracker.pipeline.lines import known_server, utc
from changelog_tracker.report import times, words
from changelog_tracker.report.document import About
from changelog_tracker.store.history import clocks
from changelog_tracker.store.journal import last_row
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import server_names, snapshots_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from changelog_tracker.pipeline.change_log import LogWish
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.store.database import Connection


@dataclass(frozen=True, slots=True)
class Reader:
    """Where the reader of a report sits, and when it is made for him; aware."""

    zone: tzinfo
    now: datetime

    def time(self, moment: datetime) -> str:
        """Word a moment, local and in UTC."""
        return times.both(moment.isoformat(), self.zone)

    @property
    def zone_words(self) -> str:
        """The zone's name and offset now: `CEST, UTC +02:00`."""
        offset = words.moment(self.now.isoformat(), self.zone)[17:]
        return f"{self.now.astimezone(self.zone).tzname()}, UTC {offset}"


def log_query(wish: LogWish) -> str:
    """Word what was asked of the change log: `changes of EX01; only: undocumented`."""
    only = ["undocumented"] if wish.undocumented else []
    only += [f"class {name}" for name in wish.classes]
    also = ["superseded"] if wish.all else []
    also += ["folded"] if wish.unfold else []
    parts = [f"changes of {wish.server or 'all servers'}"]
    parts += [f"only: {', '.join(only)}"] if only else []
    parts += [f"also: {', '.join(also)}"] if also else []
    return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a report was asked for.

    Args:
        query: In words.
        server: The server that it is about; None for all.
        since: Begin of its period, as it was said and the moment that it means; None: the first.
        until: Its end; None: when the report is made.
        also: What else is to be told of it, label to words.
    """

    query: str
    server: str | None
    since: tuple[str, datetime] | None = None
    until: tuple[str, datetime] | None = None
    also: Mapping[str, str] = field(default_factory=dict)


def about(
    connection: Connection,
    asked: Asked,
    reader: Reader,
    *,
    unread: Sequence[Line] = (),
    commands: bool = False,
) -> About:
    """
    Give what every report says beside its lines: its head, and the coverage of its period.

    Args:
        connection: An open transaction.
        asked: What it was asked for.
        reader: For whom it is made.
        unread: The kinds that are not read.
        commands: Also redo and undo.
    """
    since, until = (end[1] if end else None for end in (asked.since, asked.until))
    coverage = coverage_lines(connection, asked.server, since, until, now=reader.now)
    told = head(connection, asked, coverage, reader)
    return About(told, reader.zone, reader.now, coverage, unread, commands)


def head(
    connection: Connection, asked: Asked, coverage: Sequence[Line], reader: Reader
) -> dict[str, str]:
    """Give the head of a report, label to words, in this order."""
    name = asked.server
    names = [known_server(connection, name)[1]] if name else server_names(connection)
    found = {
        "Query": asked.query,
        **asked.also,
        "Since": _end(asked.since, reader, "the first snapshot"),
        "Until": _end(asked.until, reader, f"{reader.time(reader.now)}, when this was made"),
        "Servers": ", ".join(names) or "none",
    }
    for name in names:
        found[f"Coverage of {name}"] = _snapshots(connection, name, asked, reader)
        found[f"Gaps of {name}"] = gap_words([one for one in coverage if one["server"] == name])
        if clock := _clock(connection, name, asked):
            found[f"Clock of {name}"] = clock
    return {
        **found,
        "Made": reader.time(reader.now),
        "Time zone": reader.zone_words,
        "Program": f"changelog-tracker {__version__}",
        "Catalogue": f"{catalogue.CATALOGUE_VERSION}, rules {catalogue.RULE_VERSION}",
        "Journal head": _journal_head(connection),
    }


def _end(said: tuple[str, datetime] | None, reader: Reader, otherwise: str) -> str:
    return otherwise if said is None else f"{reader.time(said[1])}, asked as {said[0]}"


def _snapshots(connection: Connection, name: str, asked: Asked, reader: Reader) -> str:
    """Word how many snapshots lie in the period, from when to when."""
    times_of_all = [one.at for one in snapshots_of(connection, known_server(connection, name)[0])]
    first = micros(asked.since[1]) if asked.since else None
    last = micros(asked.until[1]) if asked.until else None
    found = [
        at for at in times_of_all if (first is None or at >= first) and (last is None or at <= last)
    ]
    if not found:
        return f"no snapshot in this period, of {len(times_of_all)} in all"
    number = words.count(len(found), "snapshot")
    if len(found) < len(times_of_all):
        number += f" of {len(times_of_all)} in all"
    ends = (times.both(str(utc(at)), reader.zone) for at in (found[0], found[-1]))
    return f"{number}, {' to '.join(ends)}"


def _clock(connection: Connection, name: str, asked: Asked) -> str:
    """Word how a server's clock stood in the period: its offsets, and the most that it was off."""
    since, until = (micros(end[1]) if end else None for end in (asked.since, asked.until))
    found = clocks(connection, known_server(connection, name)[0], since, until).values()
    offsets = sorted({offset for offset, _ in found if offset is not None})
    if not offsets:
        return ""
    zones = " and ".join(f"UTC {times.offset(one)}" for one in offsets)
    skews = [skew for _, skew in found if skew is not None]
    most = max(skews, key=abs, default=0)
    measured = f"at most {times.skew(most)}" if most else "never off"
    return f"{zones}; {measured} in {words.count(len(skews), 'measurement')}" if skews else zones


def gap_words(lines: Sequence[Line]) -> str:
    """Word when nothing of a server was watched, and how many kinds were not at other times."""
    if not lines:
        return "nothing was watched in this period"
    stretches = _when_nothing(lines)
    lost = sum(stretches)
    others = sum(
        1
        for line in lines
        if sum(times.seconds_between(gap["from"], gap["until"]) for gap in line["gaps"]) > lost
    )
    said = f"{words.count(len(stretches), 'gap')}, {times.length(lost)} in all"
    parts = [said if stretches else "none"]
    if others:
        parts.append(f"{others} of {words.count(len(lines), 'kind')} have more")
    return "; ".join(parts)


def _when_nothing(lines: Sequence[Line]) -> list[int]:
    """Give the lengths, in seconds, of the stretches that are a gap of every kind."""
    turns: Counter[datetime] = Counter()
    for line in lines:
        for gap in line["gaps"]:
            start, end = times.parsed(gap["from"]), times.parsed(gap["until"])
            if start and end:
                turns[start] += 1
                turns[end] -= 1
    found: list[int] = []
    kinds, before = 0, 0
    for start, end in pairwise(sorted(turns)):
        before, kinds = kinds, kinds + turns[start]
        if kinds == len(lines):
            longer = found.pop() if before == kinds else 0
            found.append(longer + round((end - start).total_seconds()))
    return found


def _journal_head(connection: Connection) -> str:
    """Give the hash of the journal's newest row, which stands for all of it, and its number."""
    seq, digest = last_row(connection)
    return f"{digest.hex()}, row {seq}" if seq else "none"
