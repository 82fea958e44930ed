"""`key export` and `key import`: a copy of the key under a passphrase; and a key that was lost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker.errors import InputError, StoreError, TrackerError
from changelog_tracker.normalise.secrets import Fingerprints
from changelog_tracker.store.history import last_key_id
from changelog_tracker.store.journal import append, entries, find_server
from changelog_tracker.store.key import keep_aside, key_of, put_key, read_key, write_private
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import server_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection

EXPORTED = "key-export"
BRING_BACK = "changelog-tracker key import FILE"
_MOST_BYTES = 16 * 1024
_PLAIN = re.compile(r"\s*(?:[0-9a-fA-F]{2}){32,512}\s*")


@dataclass(frozen=True, slots=True)
class Exported:
    """The key that was exported, and why the store could not take note of it, if so."""

    key_id: str
    not_noted: TrackerError | None


@dataclass(frozen=True, slots=True)
class Imported:
    """
    What `key import` did.

    Args:
        key_id: The key's.
        already: Whether it was there already.
        kept: Where the key is kept that was there before.
    """

    key_id: str
    already: bool = False
    kept: Path | None = None


def key_id_of(key: bytes) -> str:
    """Give the id by which fingerprints name their key."""
    return Fingerprints(key).key_id


def key_ids(connection: Connection) -> dict[str, str]:
    """Give of each server the key that its newest snapshot was fingerprinted with."""
    found = {}
    for name in server_names(connection):
        server = find_server(connection, name)
        key_id = last_key_id(connection, server[0]) if server else None
        if key_id is not None:
            found[name] = key_id
    return found


def key_ids_of(store: Store) -> dict[str, str]:
    """
    Give the same of a store; nothing where there is no store yet.

    Raises:
        StoreError: The store cannot be read.
    """
    if not _is_made(store):
        return {}
    with store.reading() as connection:
        return key_ids(connection)


def lost_key(store: Store) -> list[str]:
    """
    Give the ids of the keys that snapshots were made with, where no key is there.

    Returns:
        Nothing where the key is there, and where nothing was fingerprinted yet.
    """
    if store.key_file.exists():
        return []
    found = sorted(set(key_ids_of(store).values()))
    # A process that makes the store at this moment has made the key before it.
    return [] if store.key_file.exists() else found


def last_export(connection: Connection, key_id: str) -> datetime | None:
    """Tell when a key was last exported."""
    times = [e.received for e in entries(connection, EXPORTED) if e.body.get("key") == key_id]
    return datetime.fromtimestamp(max(times) / 1_000_000, tz=UTC) if times else None


def key_to_export(store: Store, file: Path, *, force: bool) -> bytes:
    """
    Give the store's key, once it is sure that a file may take it.

    Raises:
        StoreError: There is no key; none is made.
        TrackerError: Something else is there; nothing but an older export is written over.
    """
    try:
        key = read_key(store.key_file)
    except FileNotFoundError as error:
        what = "there is no key; the first import makes one"
        raise StoreError(
            str(store.key_file), what, f"bring a lost one back with: {BRING_BACK}"
        ) from error
    if file.is_dir():
        raise TrackerError(str(file), "is a folder; expected the name of a new file")
    if file.exists() and not (force and _is_export(file)):
        hint = "give another name, or --force to write over it"
        if not _is_export(file):
            hint = "give another name; nothing but an older export is ever written over"
        raise TrackerError(str(file), "is there already; nothing was written", hint)
    return key


def export_key(store: Store, key: bytes, file: Path, passphrase: str, *, force: bool) -> Exported:
    """
    Write the key under a passphrase, and take note of it in the journal.

    Raises:
        TrackerError: The file cannot be written.
    """
    from changelog_tracker.store.sealed_key import seal  # noqa: PLC0415  slow to import

    key_id, now = key_id_of(key), datetime.now(tz=UTC)
    text = seal(key, key_id, passphrase, now.isoformat(timespec="seconds").replace("+00:00", "Z"))
    try:
        if not write_private(file, text, over=force):
            raise TrackerError(str(file), "is there already; nothing was written")
    except OSError as error:
        raise TrackerError(str(file), f"cannot be written: {error.strerror}") from error
    try:
        _take_note(store, key_id, now)
    except StoreError as error:
        return Exported(key_id, error)
    return Exported(key_id, None)


def import_key(store: Store, file: Path, passphrase: Callable[[], str], *, force: bool) -> Imported:
    """
    Put a key in the place where the store's belongs.

    Args:
        store: Whose key it is; neither store nor snapshots need to be there.
        file: What `key export` wrote, or a plain copy of a key's file.
        passphrase: Called where one is needed.
        force: Whether it may take the place of another, which is kept beside it.

    Raises:
        InputError: The file is no key, or cannot be opened; nothing was written.
        StoreError: Another key is there; nothing was written.
    """
    key = _read(file, passphrase)
    place, key_id = store.key_file, key_id_of(key)
    try:
        there = key_id_of(found := read_key(place))
    except FileNotFoundError:
        if put_key(place, key, over=False):
            return Imported(key_id)
        there, found = "new", b""
    except StoreError:
        if place.is_dir() or not force:
            raise
        there, found = "broken", b""
    if found == key:
        return Imported(key_id, already=True)
    if not force:
        raise StoreError(
            str(place),
            f"another key is there ({there}, not {key_id}); nothing was written",
            "--force puts this one in its place, and keeps the other beside it",
        )
    kept = keep_aside(place, there)
    put_key(place, key, over=True)
    return Imported(key_id, kept=kept)


def _read(file: Path, passphrase: Callable[[], str]) -> bytes:
    """Read a key, sealed or plain."""
    text = _text(file)
    if _PLAIN.fullmatch(text):
        return key_of(text, str(file))
    from changelog_tracker.store.sealed_key import is_sealed, unseal  # noqa: PLC0415

    if not is_sealed(text):
        raise InputError(
            str(file), "is no exported key", "give a file that `key export` wrote, or a plain copy"
        )
    key, named = unseal(text, str(file), passphrase())
    if key_id_of(key) != named:
        raise InputError(str(file), "holds another key than it names")
    return key


def _text(file: Path) -> str:
    try:
        if not file.exists():
            raise InputError(str(file), "there is no such file")
        if not file.is_file():
            raise InputError(str(file), "is no file; expected what `key export` wrote")
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise InputError(str(file), f"is no exported key: longer than {_MOST_BYTES:,} bytes")
    return data.decode("utf-8-sig", "replace")


def _is_export(file: Path) -> bool:
    from changelog_tracker.store.sealed_key import is_sealed  # noqa: PLC0415  slow to import

    try:
        return is_sealed(_text(file))
    except InputError:
        return False


def _take_note(store: Store, key_id: str, now: datetime) -> None:
    if not _is_made(store):
        return
    with store.changing() as connection:
        body = {"key": key_id}
        append(
            connection,
            EXPORTED,
            server=None,
            at=None,
            received=micros(now),
            source="",
            body=body,
        )


def _is_made(store: Store) -> bool:
    return store.database.exists() and store.database.revision() is not None
