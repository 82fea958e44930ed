"""The store: an append-only journal, contents by their hash, and rows derived from them."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreDamagedError, StoreError
from changelog_tracker.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

KEY_BYTES = 32


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
            key = bytes.fromhex(self.key_file.read_text("ascii").strip())
        except FileNotFoundError:
            return self._new_key()
        except (OSError, ValueError) as error:
            raise StoreError(
                str(self.key_file), f"is no key that can be read: {error}", "restore it from a copy"
            ) from error
        if len(key) < KEY_BYTES:
            raise StoreError(str(self.key_file), f"is shorter than {KEY_BYTES} bytes")
        return key

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
            raise StoreError(
                self.place,
                "there is no store yet",
                "make the first snapshot with: changelog-tracker import PATH",
            )

    def _is_new(self) -> bool:
        file = self.database.file
        return file is None or file.stat().st_size == 0

    def _new_key(self) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        try:
            self.key_file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(key.hex() + "\n")
        except FileExistsError:
            # Another process made it just now.
            return bytes.fromhex(self.key_file.read_text("ascii").strip())
        except OSError as error:
            raise StoreDamagedError(
                str(self.key_file), f"the key cannot be written: {error.strerror}"
            ) from error
        return key
