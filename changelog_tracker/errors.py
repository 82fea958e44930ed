"""
The errors of changelog_tracker, and the exit code of each.

TrackerError                1  one line: PLACE: what, what was expected
├── UsageError              2  the command line asks for what cannot be
├── InputError              1  PATH as a whole cannot be taken; nothing is stored
│   └── FileError           1  one file cannot be read; inside a folder its kind becomes unread
├── CollectError            1  one server could not be collected; nothing of it is stored
│   ├── UnreachableError    1  nothing answers there, or not as a server of this kind does
│   ├── RefusedError        1  it answers and refuses: signing in, rights, quotas
│   ├── DeadlineError       1  it did not end in time
│   └── DamagedAnswerError  1  what it answered is not whole
├── IncompleteError         4  the snapshot is stored, but some kinds were not read
├── StoreError              1  the store cannot be used as it is (locked, other schema)
│   └── StoreDamagedError   5  the store is damaged, full or cannot be written
└── CatalogueError          1  a catalogue file is wrong
"""

from __future__ import annotations

from typing import ClassVar


class TrackerError(Exception):
    """
    What failed and where, with a hint of what to do.

    Args:
        place: What it is about: a file with its line, a server, an option.
        what: What is wrong and what was expected; one line, no secret.
        hint: What to do; one line, or nothing.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, place: str, what: str, hint: str | None = None) -> None:
        super().__init__(f"{place}: {what}")
        self.place = place
        self.what = what
        self.hint = hint


class UsageError(TrackerError):
    """The command line asks for what cannot be."""

    exit_code = 2


class InputError(TrackerError):
    """PATH as a whole cannot be taken; nothing was stored."""


class FileError(InputError):
    """One file cannot be read; inside a folder its kind becomes unread."""


class CollectError(TrackerError):
    """One server could not be collected; nothing of it was stored."""


class UnreachableError(CollectError):
    """Nothing answers there, or not as a server of this kind does."""


class RefusedError(CollectError):
    """It answers and refuses: signing in, rights, quotas."""


class DeadlineError(CollectError):
    """It did not end in time."""


class DamagedAnswerError(CollectError):
    """What it answered is not whole, so nothing of it is believed."""


class IncompleteError(TrackerError):
    """The snapshot is stored, but some kinds were not read."""

    exit_code = 4


class StoreError(TrackerError):
    """The store cannot be used as it is."""


class StoreDamagedError(StoreError):
    """The store is damaged, full or cannot be written."""

    exit_code = 5


class CatalogueError(TrackerError):
    """A catalogue file is wrong."""
