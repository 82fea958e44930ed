"""Each server of the store: how old its newest snapshot is, what is unread and undocumented."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from changelog_tracker.pipeline.health.check import SERVER, Check, age
from changelog_tracker.pipeline.lines import is_documented, known_server
from changelog_tracker.pipeline.state import unread_lines
from changelog_tracker.report import words
from changelog_tracker.store.changes import load_changes
from changelog_tracker.store.packing import moment
from changelog_tracker.store.snapshots import server_names, snapshots_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from changelog_tracker.store.database import Connection

_OLD = timedelta(days=2)
_SOON = timedelta(hours=1)
_LOOK_BACK = 10


def server_checks(connection: Connection, now: datetime) -> Iterator[Check]:
    """Tell of each server."""
    for name in server_names(connection):
        yield _server(connection, name, now)


def _server(connection: Connection, name: str, now: datetime) -> Check:
    number, _ = known_server(connection, name)
    times = [moment(one.at) for one in snapshots_of(connection, number)]
    if not times:
        return Check(f"{SERVER}{name}", "note", "no snapshot", "changelog-tracker import PATH")
    passed = max(now - times[-1], timedelta())
    found, do = [f"newest snapshot {age(passed)} old"], []
    if passed > longest_wait(times):
        found[0] += f", usual is {age(usual(times))}" if len(times) > 2 else ""
        do.append("changelog-tracker import PATH")
    unread = len({line["kind"] for line in unread_lines(connection, name)})
    if unread:
        found.append(f"{words.count(unread, 'kind')} not read")
        do.append(f"why: changelog-tracker show {name}")
    changes = load_changes(connection, number)
    open_ = sum(not is_documented(one.words[-1] if one.words else {}) for one in changes)
    if open_:
        found.append(f"{words.count(open_, 'undocumented change')}")
        do.append(f"changelog-tracker log {name} --undocumented")
    what = "; ".join(found)
    return Check(f"{SERVER}{name}", "note" if do else "ok", what, "; ".join(do) or None)


def longest_wait(times: list[datetime]) -> timedelta:
    """
    Give how old a newest snapshot may be: three times its usual interval.

    Args:
        times: Of a server's snapshots, oldest first. Of two or fewer nothing is usual: two days.
    """
    return max(3 * usual(times), _SOON) if len(times) > 2 else _OLD


def usual(times: list[datetime]) -> timedelta:
    """Give the usual interval of the last snapshots."""
    last = times[-_LOOK_BACK:]
    return timedelta(seconds=median((b - a).total_seconds() for a, b in pairwise(last)))
