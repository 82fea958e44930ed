"""
What a year of hourly snapshots costs, against one manifest row for each snapshot.

Snapshots are written as an import writes them, but for the reading of files, which other benchmarks
measure: 600 resources, a change in every tenth. Snapshots that found nothing new are chained in
blocks of 128 (docs/architecture.md): each has its entry in the chain, but not its hash on disk.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.made_server import MadeServer, Manifests, hour, write
from benchmarks.measure import Result, at_most, faster, in_turns
from changelog_tracker.diff.compare import compare
from changelog_tracker.pipeline.change_log import LogWish, log_lines
from changelog_tracker.pipeline.contents import tree_of
from changelog_tracker.store import Store
from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.packing import micros
from changelog_tracker.store.states import Wanted, load_held, load_known

if TYPE_CHECKING:
    from datetime import datetime

_SNAPSHOTS, _YEAR, _EVERY = 10_000, 8_760, 10
_MOST_BYTES = 60
_TIMES = 40


def measure() -> list[Result]:
    """Give the four figures of a year."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        year = _Year(Path(folder))
        size = year.write()
        print(f"  raw files: {_raw_bytes(Path(folder)):.0f} bytes a snapshot besides")
        return [
            _bytes(year, size),
            *_states(year),
            _log(year),
            _late(year),
        ]


def _raw_bytes(folder: Path) -> float:
    """Give what the stored files add to each of a thousand snapshots."""
    sizes = []
    for with_files in (False, True):
        server = MadeServer()
        place = folder / f"files-{with_files}"
        store = Store(str(place / "changelog.db"), folder / "changelog.key")
        first = 0
        with store.writing() as connection:
            for number in range(1001):
                changed = {server.change()} if number % _EVERY == _EVERY - 1 else set()
                taken = server.taken(hour(number), changed if number else None)
                write(connection, server, taken, with_files=with_files)
                if number == 0:
                    first = _pages(connection)
            sizes.append((_pages(connection) - first) / 1000)
        store.close()
    return sizes[1] - sizes[0]


def _pages(connection) -> int:
    (pages,) = connection.exec_driver_sql("PRAGMA page_count").fetchone()
    (size,) = connection.exec_driver_sql("PRAGMA page_size").fetchone()
    return pages * size


class _Year:
    """The store, and the peer's manifests of the same snapshots."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(str(folder / "year" / "changelog.db"), folder / "changelog.key")
        self.manifests = Manifests(folder / "manifests.db")
        self.server = MadeServer()
        self.earlier = self.server
        self.hours = itertools.count(_SNAPSHOTS)

    def write(self) -> int:
        """Write the snapshots, a hundred to a transaction; give the size after the first."""
        first = 0
        for start in range(0, _SNAPSHOTS, 100):
            with self.store.writing() as connection:
                for number in range(start, start + 100):
                    changed = {self.server.change()} if number % _EVERY == _EVERY - 1 else set()
                    at = hour(number)
                    write(
                        connection, self.server, self.server.taken(at, changed if number else None)
                    )
                    if number < _YEAR:
                        self.manifests.add(at, self.server)
                    if number == _YEAR // 2:
                        self.earlier = self.server.copy()
                    # What was written is in the store by now.
                    self.server.contents.clear()
                    if number == 0:
                        first = _pages(connection)
        self.manifests.connection.commit()
        self.store.close()
        return first

    def size(self) -> int:
        """Give the size of the store now."""
        return self.store.database.file.stat().st_size


def _bytes(year: _Year, first: int) -> Result:
    each = (year.size() - first) / (_SNAPSHOTS - 1)
    words = (
        f"bytes a snapshot: {first:,} after the first, {year.size():,} after {_SNAPSHOTS:,}; "
        "unchanged ones chained in blocks of 128; raw files not in it"
    )
    return Result("bytes_per_snapshot", each, _MOST_BYTES, True, words)


def _states(year: _Year) -> list[Result]:
    chance = random.Random(2)
    moments = [hour(chance.randrange(_YEAR)) for _ in range(_TIMES)]

    def ours(only: list[Wanted] | None) -> None:
        with year.store.reading() as connection:
            for at in moments:
                known = load_known(connection, 1, micros(at))
                load_held(connection, 1, known, at=micros(at), only=only)
                load_contents(connection, [held.digest for held in known.held.values()])

    def peer(kind: str) -> None:
        for at in moments:
            listed = year.manifests.at(at)
            year.manifests.contents([d for name, d in listed.items() if name.startswith(kind)])

    whole = in_turns(lambda: ours(None), lambda: peer(""), 3)
    one = in_turns(lambda: ours([Wanted("OwaVirtualDirectory")]), lambda: peer("Owa"), 3)
    words = f"the whole state at {_TIMES} moments to one manifest row a snapshot"
    print(f"  one kind: {one[1] / one[0]:.2f} times as fast")
    return [faster("state_at_vs_manifests", 8, whole, words)]


def _log(year: _Year) -> Result:
    end = hour(_YEAR - 1)

    def ours() -> None:
        with year.store.reading() as connection:
            found = list(log_lines(connection, LogWish(until=end), commands=False))
        assert len(found) == _YEAR // _EVERY, len(found)

    def peer() -> None:
        assert sum(1 for _ in _differences(year.manifests)) == _YEAR // _EVERY

    return faster("year_log_vs_manifests", 50, in_turns(ours, peer, 2), "a year's log to comparing")


def _differences(manifests: Manifests):
    before: dict[str, str] = {}
    for _, listed in manifests.all():
        other = [name for name in listed if before.get(name, listed[name]) != listed[name]]
        for name in other:
            pair = [before[name], listed[name]]
            found = manifests.contents(pair)
            kind = name.partition("[")[0]
            yield from compare(*(tree_of(_Named(kind, name), found[digest]) for digest in pair))
        before = listed


class _Named:
    """What `tree_of` asks of a resource."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name


def _late(year: _Year) -> Result:
    halves = (hour(_YEAR // 2) + timedelta(minutes=n) for n in itertools.count(1))

    def one(server: MadeServer, at: datetime, *, late: bool) -> None:
        changed = {server.change()}
        with year.store.writing() as connection:
            write(connection, server, server.taken(at, changed), late=late)

    def append() -> None:
        one(year.server, hour(next(year.hours)), late=False)

    def late() -> None:
        # Half an hour after a snapshot in the middle of the year, and one change beside it.
        one(year.earlier.copy(), next(halves), late=True)

    return at_most("late_import_vs_append", 3, in_turns(late, append, 9), "late snapshot to append")
