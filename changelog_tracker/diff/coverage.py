"""
Which part of a period was watched, and which was not.

A kind is watched between two consecutive snapshots that both read it and lie no further apart
than usual. Everything else of the period is a gap. Times are microseconds since 1970; answers are
told by the number of the snapshot, so a year in which little changed is a short list.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, TypeAlias

from changelog_tracker.model import WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_SNAPSHOT = "no snapshot was taken"

# From which snapshot on, by its place among the times, and why it was not read; None where it was.
# The first stands at 0, and neighbours differ.
Answers: TypeAlias = "Sequence[tuple[int, str | None]]"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a period, why it was not watched, and how many snapshots are missing in it."""

    from_at: int
    until_at: int
    reason: str
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """
    The snapshots of one server, and the period that is asked about.

    Args:
        times: Of all its snapshots, oldest first, no two the same; at least one.
        since: Begin of the period; not before the first snapshot.
        until: Its end; not after `now`.
        now: Not before the last snapshot.
    """

    times: Sequence[int]
    since: int
    until: int
    now: int

    def usual_interval(self) -> int | None:
        """
        Give the median distance of the snapshots around and in the period.

        Where they are too few, that of all snapshots; None with fewer than three.
        """
        first = max(bisect_right(self.times, self.since) - 1, 0)
        last = bisect_left(self.times, self.until) + 1
        for times in (self.times[first:last], self.times):
            if len(times) > 2:
                return median_low(after - before for before, after in pairwise(times))
        return None

    def holes(self, interval: int | None) -> list[Stretch]:
        """Give what lies between snapshots that are too far apart, and the time since the last."""
        last = self.times[-1]
        if interval is None:
            return [Stretch(last, self.now, NO_SNAPSHOT)]
        found = [
            Stretch(
                before, after, NO_SNAPSHOT, self._missing(before, after - interval // 2, interval)
            )
            for before, after in pairwise(self.times)
            if before < self.until and after > self.since and _is_too_far(before, after, interval)
        ]
        if _is_too_far(last, self.now, interval):
            missing = self._missing(last, self.now, interval)
            return [*found, Stretch(last, self.now, NO_SNAPSHOT, missing)]
        return [*found, Stretch(last, self.now, WAITING)]

    def _missing(self, before: int, latest: int, interval: int) -> int:
        """Count the snapshots that should have followed one, those inside the period."""
        first = max(1, -((before - self.since) // interval))
        last = (min(latest, self.until) - before) // interval
        return max(0, last - first + 1)

    def taken(self, answers: Answers) -> int:
        """Count the snapshots of the period that read the kind."""
        begin, end = bisect_left(self.times, self.since), bisect_right(self.times, self.until)
        ends = [*(start for start, _ in answers[1:]), len(self.times)]
        return sum(
            max(0, min(stop, end) - max(start, begin))
            for (start, reason), stop in zip(answers, ends, strict=True)
            if reason is None
        )

    def gaps(self, answers: Answers, holes: Sequence[Stretch]) -> list[Stretch]:
        """
        Give what was not watched of a kind, in order; what adjoins with one reason is one.

        Args:
            answers: Of the kind.
            holes: What `holes` gave. Between two snapshots that both did not read the kind, that
                is the reason, and not the distance; so it is where no snapshot ever read it.
        """
        if len(answers) == 1 and answers[0][1] is not None:
            return self._inside([Stretch(self.times[0], self.now, answers[0][1])])
        inner, edges = self._not_read(answers)
        between = {hole.from_at: hole for hole in holes if hole.reason == WAITING}
        between |= {edge.from_at: edge for edge in edges}
        between |= {hole.from_at: hole for hole in holes if hole.reason != WAITING}
        starts = [one.from_at for one in inner]
        outer = (
            one
            for one in between.values()
            if (n := bisect_right(starts, one.from_at)) == 0 or inner[n - 1].until_at <= one.from_at
        )
        return _joined(self._inside([*inner, *outer]))

    def _not_read(self, answers: Answers) -> tuple[list[Stretch], list[Stretch]]:
        """Give what lies between snapshots that did not read it; and from and to those that did."""
        inner: list[Stretch] = []
        edges: list[Stretch] = []
        times = [*self.times, self.now]
        read = (len(self.times), None)
        for before, (start, reason), (stop, then) in zip(
            [None, *answers], answers, [*answers[1:], read], strict=False
        ):
            if reason is None:
                continue
            if before is not None and before[1] is None:
                edges.append(Stretch(times[start - 1], times[start], reason))
            last = stop if then is not None else stop - 1
            inner.append(Stretch(times[start], times[last], reason))
            if then is None:
                edges.append(Stretch(times[last], times[stop], reason))
        return inner, edges

    def _inside(self, stretches: Iterable[Stretch]) -> list[Stretch]:
        """Cut off what lies outside the period."""
        cut = (
            replace(
                one, from_at=max(one.from_at, self.since), until_at=min(one.until_at, self.until)
            )
            for one in stretches
            if one.from_at < self.until and one.until_at > self.since
        )
        return [one for one in cut if one.from_at < one.until_at]


def _is_too_far(before: int, after: int, interval: int) -> bool:
    """Tell whether two snapshots lie further apart than one and a half times the usual."""
    return (after - before) * 2 > interval * 3


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for one in sorted(stretches, key=lambda one: one.from_at):
        last = joined[-1] if joined else None
        if last is not None and last.until_at == one.from_at and last.reason == one.reason:
            missing = last.missing + one.missing
            joined[-1] = replace(last, until_at=one.until_at, missing=missing)
        else:
            joined.append(one)
    return joined
