"""The store: an append-only journal, contents by their hash, and rows derived from them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from changelog_tracker.store.database import Database, no_store_yet
from changelog_tracker.store.key import KEY_BYTES, make_key, read_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

__all__ = ["KEY_BYTES", "Store"]


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
            return read_key(self.key_file)
        except FileNotFoundError:
            return make_key(self.key_file)

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
