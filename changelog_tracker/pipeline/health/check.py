"""One line of `doctor`, and how ages and sizes are worded there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from changelog_tracker.report import words

if TYPE_CHECKING:
    from datetime import timedelta

State = Literal["ok", "note", "bad"]
SERVER = "server "
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_SIZES = ((10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


@dataclass(frozen=True, slots=True)
class Check:
    """
    What was looked at and what was found; a line of `doctor --json`.

    Args:
        check: What was looked at; of one server `server NAME`.
        state: How it is.
        what: What was found; it may hold names that others chose.
        do: What to do, where something is.
    """

    check: str
    state: State
    what: str
    do: str | None = None


def age(passed: timedelta) -> str:
    """Word how long ago: `3 days`, `5 hours`, `1 minute`."""
    seconds = passed.total_seconds()
    for unit, name in _UNITS:
        if seconds >= unit:
            return words.count(int(seconds // unit), name)
    return "less than a minute"


def size(number: int) -> str:
    """Word a number of bytes: `1.2 MB`."""
    for unit, name in _SIZES:
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return words.count(number, "byte")
