"""Laws of coverage, held against a reckoning that looks at each pair of snapshots by itself."""

from __future__ import annotations

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker.diff.coverage import NO_SNAPSHOT, WAITING, Watch
from changelog_tracker.pipeline.coverage import joined_answers
from changelog_tracker.store.watched import Asked, NoAnswer

REASONS = st.sampled_from([None, None, "cut off", "in use"])
DISTANCES = st.sampled_from([1, 9, 10, 10, 10, 11, 15, 16, 40]) | st.integers(1, 60)


@st.composite
def watches(draw):
    """Make snapshots, a period, and for each snapshot why a kind was not read in it."""
    times = [draw(st.integers(0, 50))]
    for distance in draw(st.lists(DISTANCES, max_size=12)):
        times.append(times[-1] + distance)
    now = times[-1] + draw(st.integers(0, 60))
    since, until = sorted(draw(st.integers(times[0], now)) for _ in range(2))
    reasons = [draw(REASONS) for _ in times]
    return Watch(times, since, until, now), reasons


def answers_of(reasons: list[str | None]) -> list[tuple[int, str | None]]:
    """Give where the reason turns."""
    found: list[tuple[int, str | None]] = []
    for place, reason in enumerate(reasons):
        if not found or found[-1][1] != reason:
            found.append((place, reason))
    return found


def why_not(watch: Watch, reasons: list[str | None], place: int, interval: int | None):
    """Give why the time after a snapshot was not watched, None where it was."""
    last = place + 1 == len(watch.times)
    end = watch.now if last else watch.times[place + 1]
    before, after = reasons[place], None if last else reasons[place + 1]
    far = interval is not None and end - watch.times[place] > 1.5 * interval
    if before and (after or set(reasons) == {before}):
        return before
    if far or (last and interval is None):
        return NO_SNAPSHOT
    return before or after or (WAITING if last else None)


@given(watches())
def test_gaps_are_those_of_each_pair(drawn):
    """The gaps are what each pair of snapshots says by itself, cut to the period and joined."""
    watch, reasons = drawn
    interval = watch.usual_interval()
    parts = []
    for place, (begin, end) in enumerate(pairwise([*watch.times, watch.now])):
        begin, end = max(begin, watch.since), min(end, watch.until)  # noqa: PLW2901
        if begin < end:
            parts.append((begin, end, why_not(watch, reasons, place, interval)))
    wanted = []
    for reason, group in groupby(parts, key=lambda part: part[2]):
        together = list(group)
        if reason is not None:
            wanted.append((together[0][0], together[-1][1], reason))
    found = watch.gaps(answers_of(reasons), watch.holes(interval))
    assert [(gap.from_at, gap.until_at, gap.reason) for gap in found] == wanted
    watched = sum(end - begin for begin, end, reason in parts if reason is None)
    gaps = sum(gap.until_at - gap.from_at for gap in found)
    assert watched + gaps == watch.until - watch.since


@given(watches())
def test_snapshots_are_counted_one_by_one(drawn):
    """What was taken is what lies in the period and read the kind."""
    watch, reasons = drawn
    inside = [
        reason
        for time, reason in zip(watch.times, reasons, strict=True)
        if watch.since <= time <= watch.until
    ]
    assert watch.taken(answers_of(reasons)) == inside.count(None)
    assert watch.taken([(0, None)]) == len(inside)


@given(watches(), st.data())
def test_missing_snapshots_of_two_parts_are_those_of_the_whole(drawn, data):
    """Wherever a period is cut between two moments, no missing snapshot is lost or told twice."""
    watch, _ = drawn
    interval = watch.usual_interval()
    if watch.since == watch.until:
        return
    cut = data.draw(st.integers(watch.since, watch.until - 1))
    parts = (
        Watch(watch.times, watch.since, cut, watch.now),
        Watch(watch.times, cut + 1, watch.until, watch.now),
    )
    counts = [sum(hole.missing for hole in one.holes(interval)) for one in (watch, *parts)]
    assert counts[0] == counts[1] + counts[2]
    assert min(counts) >= 0


STATES = st.sampled_from(["read", "absent", "unread"])


@given(
    st.dictionaries(
        st.sampled_from(["", "a", "b", "c"]),
        st.lists(st.none() | STATES, min_size=6, max_size=6),
        min_size=1,
    )
)
def test_a_kind_is_read_in_the_snapshots_that_read_all_of_it(histories):
    """At each snapshot alone: nothing unread among what is known by then, and something known."""
    times = [10 * place for place in range(6)]
    asked, known = [], {}
    for scope, states in histories.items():
        # What is known once stays known.
        filled, last = [], None
        for state in states:
            last = state or last
            filled.append(last)
        known[scope] = filled
        if last is not None:
            asked.append(asked_of(scope, filled, times))
    if not asked:
        return
    answers = joined_answers("K", asked, times)
    assert answers[0][0] == 0
    assert all(one[0] < two[0] and one[1] != two[1] for one, two in pairwise(answers))
    starts = dict(answers)
    reason = None
    for place, time in enumerate(times):
        reason = starts.get(place, reason)
        now = {scope: filled[place] for scope, filled in known.items() if filled[place]}
        read = bool(now) and (now.get("") == "absent" or "unread" not in now.values())
        assert (reason is None) == read, (time, now, answers)


def asked_of(scope: str, states: list[str | None], times: list[int]) -> Asked:
    """Make of a reading's states, snapshot by snapshot, what the store tells of it."""
    first = next(place for place, state in enumerate(states) if state is not None)
    one = Asked("K", scope, times[first])
    for state, group in groupby(range(first, len(times)), key=lambda place: states[place]):
        places = list(group)
        end = times[places[-1] + 1] if places[-1] + 1 < len(times) else None
        if state != "read":
            one.otherwise.append(NoAnswer(times[places[0]], end, state, f"{scope} failed"))
    return one
