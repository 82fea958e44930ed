"""How a ratio is measured: the least of several runs, taken in turns with the peer."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Result:
    """
    One measured ratio.

    Args:
        name: As in results.json.
        ratio: Of times; which way round, `what` says.
        target: What it shall be.
        at_most: Whether the target is an upper bound.
        what: In words, with the times.
    """

    name: str
    ratio: float
    target: float
    at_most: bool
    what: str

    @property
    def holds(self) -> bool:
        """Tell whether the ratio is as it shall be."""
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def in_turns(ours: Callable[[], None], peer: Callable[[], None], runs: int) -> tuple[float, float]:
    """Give the least time of each, in milliseconds."""
    best = [float("inf"), float("inf")]
    for _ in range(runs):
        for n, run in enumerate((ours, peer)):
            gc.collect()
            started = time.perf_counter()
            run()
            best[n] = min(best[n], (time.perf_counter() - started) * 1000)
    return best[0], best[1]


def at_most(name: str, target: float, times: tuple[float, float], words: str) -> Result:
    """Make the result of what may take so many times as long as its peer."""
    ours, peer = times
    return Result(name, ours / peer, target, True, f"{words}: {ours:.1f} ms to {peer:.1f} ms")


def faster(name: str, target: float, times: tuple[float, float], words: str) -> Result:
    """Make the result of what shall be so many times faster than its peer."""
    ours, peer = times
    return Result(name, peer / ours, target, False, f"{words}: {ours:.1f} ms to {peer:.1f} ms")
