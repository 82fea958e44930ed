"""Opening a store: SQLite or PostgreSQL; transactions, locks, and their errors."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from changelog_tracker.errors import StoreDamagedError, StoreError
from changelog_tracker.store.journal import HEAD
from changelog_tracker.store.schema import REVISION, refuse_other, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

__all__ = ["Connection", "Database", "apart", "journal_mode"]

_REVISION = text("SELECT version_num FROM alembic_version")
LOCK_WAIT_S = 30
_FULL = ("disk is full", "disk i/o error", "readonly database", "unable to open database")
_DAMAGED = (
    "malformed", "not a database", "no such table", "no such column", "could not decode",
    "file is encrypted", "unsupported file format",
)  # fmt: skip


class Database:
    """
    A store's database.

    Args:
        location: A file's path, or a database URL.
    """

    def __init__(self, location: str) -> None:
        self.place = location if "://" not in location else _without_password(location)
        self.file = None if "://" in location else Path(location)
        if self.file is not None and self.file.is_dir():
            raise StoreError(self.place, "is a folder; expected the store's file")
        try:
            url = location if "://" in location else f"sqlite:///{location}"
            self.engine = _engine(url)
        except (ArgumentError, ModuleNotFoundError) as error:
            raise StoreError(self.place, f"is no database that can be opened: {error}") from error

    def exists(self) -> bool:
        """Tell whether there is a store; a URL is taken at its word."""
        return self.file is None or self.file.exists()

    def create(self) -> None:
        """Make the schema where there is none; all of it or nothing."""
        if self.revision() is None:
            self.upgrade()

    def revision(self) -> str | None:
        """Give the schema that the store has; None where there is none yet."""
        if not self.exists():
            return None
        with self._translated(), self.engine.connect() as connection, connection.begin():
            return _revision(connection)

    def upgrade(self) -> tuple[str | None, str]:
        """
        Bring the store to this program's schema.

        Returns:
            The schema before and after.

        Raises:
            StoreError: It was written by a newer program.
        """
        try:
            if self.file is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreDamagedError(self.place, f"cannot be made: {error.strerror}") from error
        with self.writing(checked=False) as connection:
            before = _revision(connection)
            if before is None and not _is_blank(connection):
                refuse_other(None, self.place)
            if before is not None and before > REVISION:
                refuse_other(before, self.place)
            if before != REVISION:
                upgrade(connection, self.place)
        return before, REVISION

    @contextmanager
    def reading(self, *, checked: bool = True) -> Iterator[Connection]:
        """Open a transaction that only reads; not `checked`, of whatever schema the store is."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            if not checked:
                yield connection
                return
            found = _revision(connection)
            if found is None and _is_blank(connection):
                raise no_store_yet(self.place)
            refuse_other(found, self.place)
            yield connection

    @contextmanager
    def writing(self, *, checked: bool = True) -> Iterator[Connection]:
        """Open the one transaction that writes; it waits for another's to end."""
        with self._translated(), self.engine.connect() as plain:
            connection = plain.execution_options(writes=True)
            with connection.begin():
                found = _revision(connection) if checked else REVISION
                if found is None and _is_blank(connection):
                    # A process that was killed while it made the store left it so.
                    upgrade(connection, self.place)
                elif checked:
                    refuse_other(found, self.place)
                yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say in one line what a database error means for the user."""
        try:
            yield
        except DBAPIError as error:
            raise translated(error, self.place) from error


@contextmanager
def apart(connection: Connection, place: str) -> Iterator[None]:
    """
    Open a part of a transaction: when it fails, it is undone, and the rest is not.

    Raises:
        StoreError: The database failed; then the whole transaction may be gone.
    """
    try:
        with connection.begin_nested():
            yield
    except DBAPIError as error:
        raise translated(error, place) from error
    except BaseException:
        connection.info.pop(HEAD, None)
        raise


def translated(error: DBAPIError, place: str) -> StoreError:
    """Say in one line what a database error means for the user."""
    said = " ".join(str(error.orig).split())
    low = said.casefold()
    if "locked" in low or "lock timeout" in low:
        return StoreError(
            place,
            f"another process held the store for more than {LOCK_WAIT_S} s; nothing was stored",
            "wait until it has ended, then run the command again",
        )
    if any(sign in low for sign in _FULL):
        how = "opened or written" if "unable to open" in low else "written"
        return StoreDamagedError(
            place,
            f"cannot be {how}: {said}; the store is as it was before",
            "free some space or give write permission, then run the command again",
        )
    if any(sign in low for sign in _DAMAGED):
        return StoreDamagedError(
            place, f"is damaged or not a store: {said}", "restore it from its last copy"
        )
    return StoreError(place, f"the database answered: {said}")


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        other = create_engine(url, poolclass=NullPool)
        event.listen(other, "begin", _one_writer)
        return other
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_WAIT_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        # SQLAlchemy sends BEGIN itself, so that a writer takes its lock before it reads.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _one_writer(connection: Connection) -> None:
    """Let PostgreSQL hold one writer at a time, as SQLite does; numbers are given in order."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(720707)")


def journal_mode() -> str:
    """
    Give the journal mode that this SQLite keeps a store safe in.

    Before 3.51.3 (but for 3.44.6 and 3.50.7) a WAL may be reset while another process reads it.
    """
    version = sqlite3.sqlite_version_info
    fixed = version >= (3, 51, 3) or version in {(3, 44, 6), (3, 50, 7)}
    return "WAL" if fixed else "DELETE"


_PRAGMAS = (
    f"PRAGMA journal_mode={journal_mode()}",
    f"PRAGMA synchronous={'FULL' if journal_mode() == 'WAL' else 'EXTRA'}",
)


def _revision(connection: Connection) -> str | None:
    try:
        # Elsewhere than in SQLite a failed query would end the whole transaction.
        with nullcontext() if connection.dialect.name == "sqlite" else connection.begin_nested():
            return connection.execute(_REVISION).scalar()
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            return None
        raise


def _is_blank(connection: Connection) -> bool:
    """Tell whether there is no table at all."""
    return not inspect(connection).get_table_names()


def no_store_yet(place: str) -> StoreError:
    """Make the error that there is none."""
    return StoreError(
        place,
        "there is no store yet",
        "make the first snapshot with: changelog-tracker import PATH",
    )


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the store"
