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
        self._timer: threading.Timer | None = None

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
        self._cut_all()

    def watch(self, cut: Callable[[], object]) -> int:
        """
        Have something cut off when time is over; at once where it is.

        Returns:
            What `forget` takes.
        """
        with self._lock:
            key = id(cut)
            self._cuts[key] = cut
            if self._timer is None and not self.is_over:
                self._timer = threading.Timer(max(0.0, self.left_s()), self._cut_all)
                self._timer.daemon = True
                self._timer.start()
        if self.is_over:
            self._cut_all()
        return key

    def forget(self, key: int) -> None:
        """Leave alone what has ended by itself."""
        with self._lock:
            self._cuts.pop(key, None)
            if not self._cuts and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _cut_all(self) -> None:
        with self._lock:
            cuts, self._cuts = list(self._cuts.values()), {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for cut in cuts:
            with suppress(OSError):
                cut()
