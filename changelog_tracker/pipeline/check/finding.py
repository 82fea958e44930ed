"""One line of `check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# How a line begins that says what kept a check from looking at everything.
NOT_ALL = "not all of it could be looked at"
State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What was looked at and what was found; a line of `check --json`.

    Args:
        check: What was looked at; `still good` and `do` for what is said at the end.
        state: How it is.
        what: What was found, and what that means; it may hold names that others chose.
        place: Where in the store; None where the line is about all that the check looked at.
    """

    check: str
    state: State
    what: str
    place: str | None = None
