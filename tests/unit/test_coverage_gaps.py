"""The arithmetic of coverage: intervals, holes, gaps, and how readings of a kind are joined."""

from __future__ import annotations

import pytest

from changelog_tracker.diff.coverage import NO_SNAPSHOT, WAITING, Stretch, Watch
from changelog_tracker.pipeline.coverage import NOT_READ_YET, joined_answers
from changelog_tracker.store.watched import Asked, NoAnswer

ALWAYS = [(0, None)]


def watch(*times: int, since=None, until=None, now=None) -> Watch:
    """Make a watch over all of the time, where nothing else is said."""
    now = times[-1] if now is None else now
    return Watch(times, times[0] if since is None else since, now if until is None else until, now)


def gaps(one: Watch, answers=ALWAYS) -> list[Stretch]:
    return one.gaps(answers, one.holes(one.usual_interval()))


@pytest.mark.parametrize(
    ("one", "interval"),
    [
        (watch(0), None),
        (watch(0, 10), None),
        (watch(0, 10, 20), 10),
        (watch(0, 10, 40), 10),
        (watch(0, 10, 40, 60), 20),
        (watch(0, 60, 120, 130, 140, 150, 160, since=125), 10),
        (watch(0, 60, 120, 180, 190, 200, until=150), 60),
        (watch(0, 60, 120, 130, 140, 150, since=120, until=120), 10),
        (watch(0, 10, 20, 120, since=50, until=60), 10),
        (watch(0, 10, 20, since=90, now=95), 10),
    ],
)
def test_the_usual_interval_is_the_median_around_the_period(one, interval):
    """Of two middle ones the shorter; of all snapshots where the period has too few."""
    assert one.usual_interval() == interval


@pytest.mark.parametrize(
    ("distance", "found"),
    [
        (14, []),
        (15, []),
        (16, [Stretch(20, 36, NO_SNAPSHOT, 1)]),
        (24, [Stretch(20, 44, NO_SNAPSHOT, 1)]),
        (25, [Stretch(20, 45, NO_SNAPSHOT, 2)]),
        (40, [Stretch(20, 60, NO_SNAPSHOT, 3)]),
    ],
)
def test_a_hole_begins_beyond_one_and_a_half_intervals(distance, found):
    """Between two snapshots as many are missing as would have made the distances usual."""
    end = 20 + distance
    assert gaps(watch(0, 10, 20, end, end + 10, end + 20)) == found


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (20, []),
        (35, [Stretch(20, 35, WAITING)]),
        (36, [Stretch(20, 36, NO_SNAPSHOT, 1)]),
        (40, [Stretch(20, 40, NO_SNAPSHOT, 2)]),
    ],
)
def test_the_time_since_the_newest_snapshot_is_not_watched(now, found):
    """First one waits, then a snapshot is missing."""
    assert gaps(watch(0, 10, 20, now=now)) == found


def test_missing_snapshots_are_counted_inside_the_period():
    """Of one hole each part counts its own."""
    times = (0, 10, 20, 60, 70, 80)
    parts = [gaps(watch(*times, since=since, until=until)) for since, until in ((0, 35), (35, 80))]
    assert parts == [[Stretch(20, 35, NO_SNAPSHOT, 1)], [Stretch(35, 60, NO_SNAPSHOT, 2)]]


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([(0, "a")], [Stretch(0, 35, "a")]),
        ([(0, "a"), (1, None)], [Stretch(0, 10, "a"), Stretch(30, 35, WAITING)]),
        ([(0, None), (1, "a"), (2, None)], [Stretch(0, 20, "a"), Stretch(30, 35, WAITING)]),
        ([(0, None), (1, "a"), (2, "b")], [Stretch(0, 20, "a"), Stretch(20, 35, "b")]),
        ([(0, None), (3, "a")], [Stretch(20, 35, "a")]),
    ],
)
def test_what_is_not_read_is_a_gap_from_reading_to_reading(answers, found):
    """The gap begins at the last snapshot that read it, and ends at the next one."""
    assert gaps(watch(0, 10, 20, 30, now=35), answers) == found


def test_a_hole_counts_where_one_side_read_it():
    """Where neither side did, that is the reason."""
    one = watch(0, 10, 20, 50, 60, 70, 80)
    assert gaps(one, [(0, "a"), (3, None)]) == [
        Stretch(0, 20, "a"),
        Stretch(20, 50, NO_SNAPSHOT, 2),
    ]
    assert gaps(one, [(0, None), (3, "a"), (4, None)]) == [
        Stretch(20, 50, NO_SNAPSHOT, 2),
        Stretch(50, 60, "a"),
    ]


def test_what_no_snapshot_read_is_one_gap():
    """Holes, and the time since the newest snapshot, add nothing to it."""
    one = watch(0, 10, 20, 50, 60, 70, 80, since=5, now=150)
    assert gaps(one, [(0, "a")]) == [Stretch(5, 150, "a")]


def test_snapshots_of_the_period_that_read_the_kind_are_counted():
    """Both ends of the period count."""
    one = watch(0, 10, 20, 30, 40, since=10, until=30)
    assert one.taken(ALWAYS) == 3
    assert one.taken([(0, "a")]) == 0
    assert one.taken([(0, None), (2, "a"), (3, None)]) == 2


TIMES = (0, 10, 20, 30, 40)


def unread(begin: int, end: int | None, reason: str | None = "cut off") -> NoAnswer:
    return NoAnswer(begin, end, "unread", reason)


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ([Asked("K", "", 0)], [(0, None)]),
        ([Asked("K", "", 20)], [(0, NOT_READ_YET), (2, None)]),
        ([Asked("K", "", 20, [unread(20, None, None)])],
         [(0, NOT_READ_YET), (2, "not read: no reason given")]),
        ([Asked("K", "", 0, [NoAnswer(10, 20, "absent", None)])], [(0, None)]),
        ([Asked("K", "", 0, [unread(20, 30), unread(10, 20)])],
         [(0, None), (1, "not read: cut off"), (3, None)]),
        ([Asked("K", "", 0, [unread(10, 20), NoAnswer(20, None, "absent", None)])],
         [(0, None), (1, "not read: cut off"), (2, None)]),
        ([Asked("K", "", 0, [unread(10, 30)]), Asked("K", "owa", 0, [unread(10, 20, "other")])],
         [(0, None), (1, "not read: cut off"), (3, None)]),
        ([Asked("K", "", 0, [NoAnswer(20, None, "absent", None)]),
          Asked("K", "owa", 0, [unread(10, None)])],
         [(0, None), (1, "not read: owa: cut off"), (2, None)]),
        ([Asked("K", "", 0), Asked("K", "a", 0, [unread(10, 30)]),
          Asked("K", "b", 0, [unread(20, 40, "in use")]), Asked("K", "c", 10)],
         [(0, None), (1, "not read: a: cut off"), (2, "not read: 2 of 3 objects"),
          (3, "not read: b: in use"), (4, None)]),
        ([Asked("ConfigFile", "a", 0, [unread(10, 20)]),
          Asked("ConfigFile", "b", 0, [unread(10, 20)]),
          Asked("ConfigFile", "c", 0, [NoAnswer(0, None, "absent", None)]),
          Asked("ConfigFile", "d", 20)],
         [(0, None), (1, "not read: 2 of 2 files: cut off"), (2, None)]),
    ],
)  # fmt: skip
def test_a_kind_is_read_where_all_its_readings_are(asked, answers):
    """A part that is not known yet costs nothing, and the kind as a whole speaks for its parts."""
    assert joined_answers(asked[0].kind, asked, TIMES) == answers
