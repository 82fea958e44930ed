"""A look at a store that changes nothing, makes nothing, and does not wait for long."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from changelog_tracker.errors import StoreError
from changelog_tracker.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_WAIT_S = 2
_CONNECT_S = 5
_LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})


class Glance(Database):
    """
    A store, opened so that nothing in it can be changed.

    Args:
        location: A file's path, or a database URL.
    """

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.url = self.engine.url
        self.path = self.file
        if self.is_sqlite and self.file is None and self.url.database:
            self.path = Path(self.url.database)
        self.engine.dispose()
        self.engine = _sqlite(self.path) if self.path else _other(location)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def host(self) -> str | None:
        """The machine that holds the database; None where it is this one."""
        host = str(self.url.host or self.url.query.get("host") or "")
        return None if host in _LOCAL or host.startswith("/") else host

    def exists(self) -> bool:
        """Tell whether there is a store; a URL of a server is taken at its word."""
        return self.path is None or self.path.exists()

    def is_made(self) -> bool:
        """
        Tell whether there is anything: a killed process may leave a file without a table.

        Raises:
            StoreError: It cannot be looked at.
        """
        if not self.exists():
            return False
        with self._translated(), self.engine.connect() as connection:
            return bool(inspect(connection).get_table_names())

    def size_bytes(self) -> int:
        """
        Give the size of the store.

        Raises:
            StoreError: The database does not tell.
        """
        if self.path is not None:
            beside = (self.path, self.path.with_name(f"{self.path.name}-wal"))
            return sum(file.stat().st_size for file in beside if file.is_file())
        with self.reading() as connection:
            found = connection.execute(text("SELECT pg_database_size(current_database())"))
            return int(found.scalar_one())

    def is_writable(self) -> bool:
        """
        Tell whether this account may write to it.

        Raises:
            StoreError: The database does not tell.
        """
        if self.path is not None:
            # SQLite makes a file of its own beside the store while it writes.
            return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        with self.reading() as connection:
            found = connection.execute(text("SELECT has_table_privilege('journal', 'INSERT')"))
            return bool(found.scalar_one())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say of a lock that it was not waited for."""
        try:
            with super()._translated():
                yield
        except StoreError as error:
            said = str(error.__cause__) if isinstance(error.__cause__, DBAPIError) else ""
            if "locked" in said or "lock timeout" in said:
                raise StoreError(
                    self.place, "another process is writing to it", "wait until it has ended"
                ) from error
            raise


def _sqlite(path: Path) -> Engine:
    # mode=rw makes no file. With mode=ro SQLite would leave files beside a store in WAL.
    uri = f"{path.absolute().as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None)
        connection.execute("PRAGMA query_only=1")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _other(location: str) -> Engine:
    named = make_url(location).drivername.endswith(("+psycopg", "+psycopg2"))
    options = {"connect_timeout": _CONNECT_S} if named else {}
    engine = create_engine(location, poolclass=NullPool, connect_args=options)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_S}s'")

    return engine
