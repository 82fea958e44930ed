"""`snapshots`: what was taken when, how the server's clock stood, and which kinds were read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.pipeline.lines import context_of, known_server, utc
from changelog_tracker.pipeline.read import IIS_CONFIG
from changelog_tracker.pipeline.state import HIDDEN, IIS_KINDS, tracked_kinds
from changelog_tracker.store.history import clocks
from changelog_tracker.store.lookups import reading_rows
from changelog_tracker.store.snapshots import snapshots_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.lookups import ReadingRow


def snapshot_lines(connection: Connection, server: str | None) -> Iterator[Line]:
    """Give the snapshots, oldest first."""
    number = known_server(connection, server)[0] if server else None
    found = snapshots_of(connection, number)
    kinds: dict[str, _Kinds] = {}
    clock: dict[int, tuple[int | None, int | None]] = {}
    for name, _ in groupby(sorted(one.server for one in found)):
        of_server = known_server(connection, name)[0]
        version = context_of(connection, name).version
        kinds[name] = _Kinds(reading_rows(connection, of_server), version)
        clock |= clocks(connection, of_server)
    for one in found:
        read, unread = kinds[one.server].at(one.at)
        offset_min, skew_ms = clock.get(one.seq, (None, None))
        yield {
            "id": str(one.seq),
            "server": one.server,
            "at": utc(one.at),
            "received": utc(one.received),
            "utc_offset_min": offset_min,
            "skew_ms": skew_ms,
            "source": one.source,
            "kinds_read": read,
            "kinds_unread": unread,
            "changes": one.changes,
        }


class _Kinds:
    """
    Tells which kinds a server answered at a time; asked in the order of times.

    Args:
        rows: How its readings were answered.
        version: Of Exchange, which says what it could have answered.
    """

    def __init__(self, rows: Sequence[ReadingRow], version: str | None) -> None:
        self._rows = [
            row
            for row in rows
            if row.kind not in HIDDEN and not (row.scope and row.kind in catalogue.nouns())
        ]
        self._version = version
        self._turns = sorted({at for row in rows for at in (row.from_at, row.until_at) if at})
        self._place = -1
        self._found: tuple[list[str], list[str]] = ([], [])

    def at(self, at: int) -> tuple[list[str], list[str]]:
        """Give the kinds that were read, and those that were not, or not whole."""
        place = self._place
        while place + 1 < len(self._turns) and self._turns[place + 1] <= at:
            place += 1
        if place != self._place or place < 0:
            self._place = place
            self._found = self._count(at)
        return self._found

    def _count(self, at: int) -> tuple[list[str], list[str]]:
        read: set[str] = set()
        failed: set[str] = set()
        for row in self._rows:
            if row.from_at <= at and (row.until_at is None or row.until_at > at):
                kinds = set(IIS_KINDS) if row.kind == IIS_CONFIG else {row.kind}
                (failed if row.status == "unread" else read).update(kinds)
        unread = (set(tracked_kinds(self._version, read)) - read) | failed
        return sorted(read), sorted(unread)
