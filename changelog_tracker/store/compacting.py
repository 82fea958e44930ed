"""The room that a store's file takes, and giving back to the disk what is free in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreDamagedError, StoreError
from changelog_tracker.store.database import LOCK_WAIT_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from changelog_tracker.store.database import Database


def is_file(database: Database) -> bool:
    """Tell whether a store is a file that can be compacted."""
    return database.engine.dialect.name == "sqlite"


def room(connection: Connection) -> tuple[int, int] | None:
    """Give how many bytes a store's file has, and how many of them are free; None: it is none."""
    if connection.dialect.name != "sqlite":
        return None
    page, pages, free = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
        for name in ("page_size", "page_count", "freelist_count")
    )
    return page * pages, page * free


def compact(database: Database) -> None:
    """
    Write a store's file anew without what is free in it.

    Raises:
        StoreError: It cannot be; the file is as it was.
    """
    try:
        # VACUUM runs in no transaction, and SQLAlchemy would begin one.
        with (
            closing(database.engine.raw_connection()) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute("VACUUM")
    except sqlite3.Error as error:
        raise _translated(error, database.place) from error


def _translated(error: sqlite3.Error, place: str) -> StoreError:
    said = " ".join(str(error).split())
    if "locked" in said:
        what = f"not compacted: another process held the store for more than {LOCK_WAIT_S} s"
        return StoreError(place, what, "wait until it has ended, then run the command again")
    room_needed = "it needs up to twice the file's size of free room, for a while"
    hint = f"{room_needed}; make some, then run the command again"
    if "malformed" in said:
        hint = "find all that is damaged with: changelog-tracker check --read-data"
    return StoreDamagedError(place, f"not compacted: {said}; the file is as it was", hint)
