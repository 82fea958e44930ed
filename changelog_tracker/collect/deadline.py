"""
The moment at which the collection of one server has to be over, whatever it waits for.

No call of a WinRM library has a deadline in all: each has one for a single read, which a server
that sends a byte a second never reaches. So who opens a socket has it watched here, and cut off.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from changelog_tracker.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable


_IDLE_S = 5.0


class Deadline:
    """
    Counts down from its making.

    Args:
        seconds: How long from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._cuts: dict[int, Callable[[], object]] = {}

    def left_s(self) -> float:
        """Give how many seconds are left; below zero where it is over."""
        return self._ends - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Tell whether it is over."""
        return self.left_s() <= 0

    def check(self, place: str) -> None:
        """
        Go on only while there is time.

        Raises:
            DeadlineError: There is none left.
        """
        if self.is_over:
            raise self.error(place)

    def error(self, place: str, doing: str | None = None) -> DeadlineError:
        """Make the error of a server that did not end in time."""
        during = f" ({doing})" if doing else ""
        what = f"did not end within {self.seconds:g} s{during}"
        return DeadlineError(place, what, "give it more with --deadline, or see server test")

    def expire(self) -> None:
        """End it now: somebody gave up."""
        self._ends = min(self._ends, time.monotonic())
        self.strike()

    def watch(self, cut: Callable[[], object]) -> int:
        """
        Have something cut off when time is over; at once where it is.

        Returns:
            What `forget` takes.
        """
        key = id(cut)
        with self._lock:
            self._cuts[key] = cut
        if self.is_over:
            self.strike()
        else:
            _CLOCK.wake_at(self._ends, self)
        return key

    def forget(self, key: int) -> None:
        """Leave alone what has ended by itself."""
        with self._lock:
            self._cuts.pop(key, None)
            if self._cuts:
                return
        _CLOCK.leave(self)

    def strike(self) -> None:
        """Cut off now what is watched."""
        with self._lock:
            cuts, self._cuts = list(self._cuts.values()), {}
        _CLOCK.leave(self)
        for cut in cuts:
            with suppress(OSError):
                cut()


class _Clock:
    """One thread for all deadlines; it ends when there has been none for a while."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Deadline, float] = {}
        self._wakes = 0.0
        self._runs = False

    def wake_at(self, moment: float, deadline: Deadline) -> None:
        """Strike at a moment, by the monotonic clock."""
        with self._changed:
            self._waiting[deadline] = moment
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif moment < self._wakes:
                self._changed.notify()

    def leave(self, deadline: Deadline) -> None:
        """Strike no more for one."""
        with self._changed:
            self._waiting.pop(deadline, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                due = [one for one, moment in self._waiting.items() if moment <= now]
                for one in due:
                    del self._waiting[one]
                if not due:
                    idle = not self._waiting
                    self._wakes = now + _IDLE_S if idle else min(self._waiting.values())
                    self._changed.wait(self._wakes - now)
                    if idle and not self._waiting:
                        self._runs = False
                        return
            for one in due:
                one.strike()


_CLOCK = _Clock()
