"""`log --coverage`: of each server and kind what was watched, when, and what was not."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.coverage import Watch
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.diff.timeline import FILES
from changelog_tracker.pipeline.lines import context_of, known_server, utc
from changelog_tracker.pipeline.read import IIS_CONFIG
from changelog_tracker.pipeline.state import HIDDEN, IIS_KINDS, NO_EXPORT, tracked_kinds
from changelog_tracker.store import history
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import server_names, snapshots_of
from changelog_tracker.store.watched import asked_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from changelog_tracker.diff.coverage import Answers, Stretch
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.watched import Asked

NOT_READ_YET = "not read yet"
_SECOND = 1_000_000


def coverage_lines(
    connection: Connection,
    server: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    now: datetime | None = None,
) -> list[Line]:
    """
    Give what was watched in a period, a line for each server and kind.

    Args:
        connection: An open transaction.
        server: One server; None for all.
        since: Begin of the period; the server's first snapshot, if that is later.
        until: Its end; now, if that is earlier.
        now: The time of this report; else the clock says it. A snapshot after it counts too.

    Raises:
        UsageError: The server is not known.
    """
    names = [known_server(connection, server)[1]] if server else server_names(connection)
    at = micros(now or datetime.now(tz=UTC).replace(microsecond=0))
    asked = (micros(since) if since else None, micros(until) if until else None)
    return [
        line
        for name in sorted(names, key=str.casefold)
        for line in _server_lines(connection, name, asked, at)
    ]


def _server_lines(
    connection: Connection, name: str, asked: tuple[int | None, int | None], now: int
) -> Iterator[Line]:
    number, _ = known_server(connection, name)
    times = sorted({one.at for one in snapshots_of(connection, number)})
    if not times:
        return
    now = max(now, times[-1])
    since = times[0] if asked[0] is None else max(asked[0], times[0])
    until = now if asked[1] is None else min(asked[1], now)
    if until < since:
        return
    watch = Watch(times, since, until, now)
    answers = _answers_of_kinds(connection, name, number, times)
    held_back = history.held_back(connection, number, *asked)
    interval = watch.usual_interval()
    holes = watch.holes(interval)
    expected = None
    if interval is not None:
        expected = watch.taken([(0, None)]) + sum(hole.missing for hole in holes)
    for kind in sorted(answers):
        gaps = watch.gaps(answers[kind], holes)
        yield {
            "server": name,
            "kind": kind,
            **_share(watch, gaps),
            "interval_s": None if interval is None else round(interval / _SECOND),
            "snapshots": watch.taken(answers[kind]),
            "expected": expected,
            "gaps": [_gap(gap) for gap in gaps],
            "held_back": held_back.get(kind, {}),
        }


def _share(watch: Watch, gaps: Iterable[Stretch]) -> Line:
    """Give the period and how much of it was watched; cut, not rounded: 1.0 means all of it."""
    whole = watch.until - watch.since
    watched = whole - sum(gap.until_at - gap.from_at for gap in gaps)
    return {
        "from": utc(watch.since),
        "until": utc(watch.until),
        "watched_s": watched // _SECOND,
        "share": watched * 10_000 // whole / 10_000 if whole else 0.0,
    }


def _gap(gap: Stretch) -> Line:
    line: Line = {"from": utc(gap.from_at), "until": utc(gap.until_at), "reason": gap.reason}
    return {**line, "expected": gap.missing} if gap.missing else line


def _answers_of_kinds(
    connection: Connection, name: str, number: int, times: Sequence[int]
) -> dict[str, Answers]:
    """Give the answers for every kind that was ever asked for, or should have been."""
    by_kind: defaultdict[str, list[Asked]] = defaultdict(list)
    for one in asked_of(connection, number, HIDDEN):
        if one.kind != SERVER or not one.scope:
            # What files say of the server itself is no export of it.
            by_kind[one.kind].append(one)
    answers = {kind: joined_answers(kind, asked, times) for kind, asked in by_kind.items()}
    if IIS_CONFIG in answers:
        answers |= dict.fromkeys(IIS_KINDS, answers.pop(IIS_CONFIG))
    version = context_of(connection, name).version
    for kind in tracked_kinds(version, set(answers)):
        answers.setdefault(kind, [(0, NO_EXPORT)])
    return answers


def joined_answers(kind: str, asked: Iterable[Asked], times: Sequence[int]) -> Answers:
    """
    Join the readings of a kind: it is read where all that are known by then are.

    Args:
        kind: The kind.
        asked: Its readings, one or more.
        times: Of the server's snapshots, oldest first.
    """
    answers: list[tuple[int, str | None]] = []
    statuses: dict[str, str] = {}
    unread: dict[str, str] = {}
    for at, events in groupby(_events(asked), key=lambda event: event[0]):
        for _, _, scope, status, reason in events:
            statuses[scope] = status
            unread.pop(scope, None)
            if status == "unread":
                unread[scope] = reason or "no reason given"
        why = _why_unread(kind, unread, statuses)
        place = bisect_left(times, at)
        if not answers and place:
            answers.append((0, NOT_READ_YET))
        if not answers or answers[-1][1] != why:
            answers.append((place, why))
    return answers


def _events(asked: Iterable[Asked]) -> list[tuple[int, int, str, str, str | None]]:
    """Give time, rank, scope, status and reason of each turn; where one state ends is read."""
    events: list[tuple[int, int, str, str, str | None]] = []
    for one in asked:
        events.append((one.first_at, 0, one.scope, "read", None))
        for state in one.otherwise:
            events.append((state.from_at, 1, one.scope, state.status, state.reason))
            if state.until_at is not None:
                events.append((state.until_at, 0, one.scope, "read", None))
    return sorted(events, key=lambda event: event[:2])


def _why_unread(kind: str, unread: Mapping[str, str], statuses: Mapping[str, str]) -> str | None:
    """Give why a kind is not, or not wholly, read; the kind as a whole speaks for its parts."""
    if not unread or statuses.get("") == "absent":
        return None
    if "" in unread:
        return f"not read: {unread['']}"
    if len(unread) == 1:
        ((scope, reason),) = unread.items()
        return f"not read: {scope}: {reason}"
    known = sum(1 for scope, status in statuses.items() if scope and status != "absent")
    parts = f"{len(unread)} of {known} {'files' if kind in FILES else 'objects'}"
    if kind in catalogue.windows_kinds():
        # Those that were read have no reading of their own.
        parts = f"{len(unread)} resources"
    reasons = set(unread.values())
    return f"not read: {parts}: {reasons.pop()}" if len(reasons) == 1 else f"not read: {parts}"
