"""The store: which one, how big, its schema, whether it can be read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.pipeline.health.check import Check, size
from changelog_tracker.store.schema import REVISION

if TYPE_CHECKING:
    from changelog_tracker.store.glance import Glance

FIRST = "make the first snapshot with: changelog-tracker import PATH"


def store_check(store: Glance) -> tuple[Check, int | None]:
    """
    Tell of the store.

    Returns:
        The line, and its size in bytes; None where there is no store to look into.

    Raises:
        StoreError: It cannot be used as it is.
    """
    if not store.is_made():
        return Check("store", "note", f"{where(store)}: there is no store yet", FIRST), None
    with store.reading():
        pass
    number = store.size_bytes()
    kind = "SQLite" if store.is_sqlite else store.url.get_backend_name()
    found = f"{where(store)}, {kind}, {size(number)}, schema {REVISION} as this program's"
    if not store.is_writable():
        do = "give this account write permission on the store and its folder"
        return Check("store", "bad", f"{found}; cannot be written", do), number
    return Check("store", "ok", found), number


def where(store: Glance) -> str:
    """Name the store so that it is found from any folder; a URL without its password."""
    return str(store.path.absolute()) if store.path is not None else store.place
