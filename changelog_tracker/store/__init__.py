"""The store: an append-only journal, contents by their hash, and rows derived from them."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreDamagedError, StoreError
from changelog_tracker.store.database import Database, no_store_yet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

KEY_BYTES = 32
_KEY_HINT = "restore it from its last copy; without it, secrets cannot be compared with new ones"


@dataclass
class Store:
    """
    A store and its key.

    Args:
        location: A file's path, or a database URL.
        key_file: Where the key lies; made when a new store is.
    """

    location: str
    key_file: Path

    def __post_init__(self) -> None:
        self.database = Database(self.location)

    @property
    def place(self) -> str:
        """The store as messages name it."""
        return self.database.place

    @cached_property
    def key(self) -> bytes:
        """
        The key of all fingerprints; a new one where there is none.

        Raises:
            StoreError: The file is there, but no key, or cannot be read.
        """
        try:
            return self._read_key()
        except FileNotFoundError:
            return self._new_key()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open the transaction that writes; a missing store is made first."""
        if not self.database.exists() or self._is_new():
            self.database.create()
        with self.database.writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """
        Open a transaction that only reads.

        Raises:
            StoreError: There is no store.
        """
        self._must_exist()
        with self.database.reading() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """
        Open the transaction that writes to a store that must be there.

        Raises:
            StoreError: There is no store.
        """
        self._must_exist()
        with self.database.writing() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def _must_exist(self) -> None:
        if not self.database.exists():
            raise no_store_yet(self.place)

    def _is_new(self) -> bool:
        file = self.database.file
        return file is None or file.stat().st_size == 0

    def _read_key(self) -> bytes:
        try:
            key = bytes.fromhex(self.key_file.read_text("ascii").strip())
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(
                str(self.key_file), f"the key cannot be read: {error.strerror}"
            ) from error
        except ValueError as error:
            raise StoreError(
                str(self.key_file), "is no key: expected hexadecimal digits", _KEY_HINT
            ) from error
        if len(key) < KEY_BYTES:
            raise StoreError(str(self.key_file), f"is shorter than {KEY_BYTES} bytes", _KEY_HINT)
        return key

    def _new_key(self) -> bytes:
        """Make the key, whole or not at all; another process may make it at the same time."""
        key = secrets.token_bytes(KEY_BYTES)
        part = self.key_file.with_name(f"{self.key_file.name}.{os.getpid()}")
        try:
            self.key_file.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(key.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            _name_once(part, self.key_file)
        except OSError as error:
            raise StoreDamagedError(
                str(self.key_file), f"the key cannot be written: {error.strerror}"
            ) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return self._read_key()


def _name_once(part: Path, file: Path) -> None:
    """Give a file its name, unless another has it by now."""
    try:
        os.link(part, file)
    except FileExistsError:
        return
    except OSError:
        # Not every file system has hard links.
        if not file.exists():
            part.replace(file)
