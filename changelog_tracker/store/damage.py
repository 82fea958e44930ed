"""
What cannot be read of a store: said at once, or noted while the rest is read.

A command that only reads asks for the latter, gives what is whole, and ends with what is not. What
writes must not go on without what it cannot read, so there the first damage ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreDamagedError

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIND_ALL = "find all that is damaged with: changelog-tracker check --read-data"
_NOTED = "damage"


def note_damage(connection: Connection) -> list[str]:
    """
    Let what is read from now on go on without what cannot be read.

    Returns:
        The list that each of it is noted in.
    """
    noted: list[str] = []
    connection.info[_NOTED] = noted
    return noted


def lost(connection: Connection, error: StoreDamagedError) -> None:
    """
    Note what cannot be read, once.

    Raises:
        StoreDamagedError: Nobody asked to go on without it.
    """
    noted = connection.info.get(_NOTED)
    if noted is None:
        raise StoreDamagedError(error.place, error.what, error.hint or FIND_ALL) from error
    if error.what not in noted:
        noted.append(error.what)


def refuse_damage(noted: list[str], place: str) -> None:
    """
    End a command that gave what is whole.

    Raises:
        StoreDamagedError: Something was not.
    """
    if noted:
        more = f", and {len(noted) - 1} more" if noted[1:] else ""
        raise StoreDamagedError(place, f"{noted[0]}{more}; what is not named is whole", FIND_ALL)
