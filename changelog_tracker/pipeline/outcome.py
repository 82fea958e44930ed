"""What an import was asked for, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from changelog_tracker.errors import FileError
    from changelog_tracker.store.changes import Recorded


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user said besides PATH."""

    server: str | None = None
    at: datetime | None = None
    build: str | None = None


@dataclass(frozen=True, slots=True)
class Retold:
    """How many changes of later snapshots were added, told more exactly, or no longer hold."""

    added: int
    amended: int
    superseded: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What an import did.

    Args:
        server: The server's name.
        snapshot: Its id; of a snapshot that is already known, that one's.
        at: Its time, UTC.
        known: Whether the very same was there already, and nothing was stored.
        unchanged: Whether the files say, byte for byte, what the last ones said.
        first: Whether it is the server's first.
        changes: What was found, with ids.
        retold: What it did to changes of later snapshots, where it is older than others.
        build: The build, or None where nothing tells.
        other_key: Whether what was known was fingerprinted with another key.
        problems: What was not read.
        not_used: Files that are no source, with why.
        others: Servers whose objects were left out.
    """

    server: str
    snapshot: int
    at: datetime
    known: bool = False
    unchanged: bool = False
    first: bool = False
    changes: tuple[Recorded, ...] = ()
    retold: Retold | None = None
    build: str | None = None
    other_key: bool = False
    problems: tuple[FileError, ...] = ()
    not_used: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
