"""What the database itself tells of a store: its own check, its tables, cells, references."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Integer, LargeBinary, inspect, text
from sqlalchemy.exc import DBAPIError

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.store.database import translated
from changelog_tracker.store.schema import REVISION
from changelog_tracker.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Column, Connection, Inspector

_ALEMBIC = "alembic_version"
_MOST = 100


class Damage(NamedTuple):
    """What is damaged: where it is in the store, and what is wrong with it."""

    place: str
    what: str


@contextmanager
def said_plainly(place: str) -> Iterator[None]:
    """
    Say what is met in a damaged store in one line.

    Raises:
        StoreError: The database cannot read it, or a row is not what this program writes.
    """
    try:
        yield
    except DBAPIError as error:
        raise translated(error, place) from error
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        what = "a row is not what this program writes"
        raise StoreDamagedError(place, what) from error


def take_as_it_is(connection: Connection) -> None:
    """Let all of a store be read as of one moment, and text that is no UTF-8 too."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    elif connection.dialect.name == "sqlite":
        found: Any = connection.connection.dbapi_connection
        found.text_factory = lambda data: data.decode("utf-8", "surrogateescape")


def made_by(connection: Connection) -> str:
    """Name the database, and say that nothing is wrong with it."""
    if connection.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version} finds nothing wrong"
    return f"{connection.dialect.name}, which looks after itself"


def own_check(connection: Connection) -> Iterator[Damage]:
    """Give what the database finds wrong with itself; PostgreSQL is not asked."""
    if connection.dialect.name != "sqlite":
        return
    for (found,) in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})"):
        if found != "ok":
            yield Damage("database", f"SQLite finds: {' '.join(str(found).split())}")
    yield from _dangling(connection)


def _dangling(connection: Connection) -> Iterator[Damage]:
    """Give the rows that refer to what is not there."""
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check").all()[:_MOST]:
        table, rowid, parent = row[:3]
        where = f"{table} row {rowid}" if rowid is not None else f"table {table}, a row"
        yield Damage(where, f"refers to a row of {parent} that is not there")


def schema_damage(connection: Connection, fresh: Connection) -> Iterator[Damage]:
    """
    Give how a store's tables differ from those that the migrations make.

    Args:
        connection: The store.
        fresh: A store that was made just now, in SQLite.
    """
    found, made = inspect(connection), inspect(fresh)
    types = connection.dialect.name == "sqlite"
    for table in sorted(set(made.get_table_names()) - {_ALEMBIC}):
        if not found.has_table(table):
            yield Damage(f"table {table}", "is missing")
            continue
        there, wanted = (_shape(one, table, types=types) for one in (found, made))
        for part in sorted(wanted.keys() | there.keys()):
            if part not in there:
                yield Damage(f"table {table}", f"{part} is missing")
            elif wanted.get(part) != there[part] and (part in wanted or types):
                yield Damage(f"table {table}", f"{part} is not as this program makes it")


def _shape(inspector: Inspector, table: str, *, types: bool) -> dict[str, Any]:
    """Give columns, keys and indexes by their names; types where both sides spell them alike."""
    shape: dict[str, Any] = {
        f"column {one['name']}": (str(one["type"]) if types else None, bool(one["nullable"]))
        for one in inspector.get_columns(table)
    }
    shape["its primary key"] = inspector.get_pk_constraint(table)["constrained_columns"]
    for one in inspector.get_indexes(table):
        if not one.get("duplicates_constraint"):
            shape[f"index {one['name']}"] = (one["column_names"], bool(one["unique"]))
    uniques = [one["column_names"] for one in inspector.get_unique_constraints(table)]
    shape["what must be unique"] = sorted(uniques)
    keys = inspector.get_foreign_keys(table)
    shape["what it refers to"] = sorted(
        (one["constrained_columns"], one["referred_table"]) for one in keys
    )
    return shape


def revisions(connection: Connection) -> list[str] | None:
    """Give what stands where the schema's number belongs; None where that table is missing."""
    if not inspect(connection).has_table(_ALEMBIC):
        return None
    return [str(row[0]) for row in connection.execute(text(f"SELECT version_num FROM {_ALEMBIC}"))]  # noqa: S608  a constant


def wrong_revision(found: list[str] | None) -> Damage | None:
    """Say what is wrong with the schema's number, where the tables are this program's."""
    if found == [REVISION]:
        return None
    said = "is missing" if not found else f"is {', '.join(found)}"
    what = f"the schema's number {said}, but the tables are those of {REVISION}"
    if found and found[0] > REVISION:
        what += "; unless a newer changelog_tracker wrote it, it is damaged"
    return Damage(f"table {_ALEMBIC}", what)


def wrong_cells(connection: Connection) -> Iterator[Damage]:
    """Give the cells that hold another type than their column; SQLite takes any."""
    if connection.dialect.name != "sqlite":
        return
    for table in metadata.sorted_tables:
        keys = ", ".join(column.name for column in table.primary_key)
        for column in table.columns:
            query = text(
                f"SELECT {keys}, typeof({column.name}) FROM {table.name}"  # noqa: S608  our own names
                f" WHERE typeof({column.name}) NOT IN ({_types(column)}) LIMIT {_MOST}"
            )
            for *key, kind in connection.execute(query):
                where = " ".join(map(str, key))
                what = f"{column.name} holds {kind}, which is not what this program writes there"
                yield Damage(f"{table.name} {where}", what)


def _types(column: Column[Any]) -> str:
    kind = "'text'"
    if isinstance(column.type, LargeBinary):
        kind = "'blob'"
    elif isinstance(column.type, Integer | BigInteger):
        kind = "'integer'"
    return f"{kind}, 'null'" if column.nullable else kind


_NO_BASE = """t.base_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM content b WHERE b.id = t.base_id AND b.base_id IS NULL)"""
_NO_ENTRY = """NOT EXISTS (
    SELECT 1 FROM journal j
    WHERE j.seq = t.seq AND j.server_id = t.server_id AND j.action IN ('snapshot', 'revision'))"""
_NO_CHANGE = """NOT EXISTS (
    SELECT 1 FROM change c WHERE c.seq = t.change_seq AND c.n = t.change_n)"""
_OTHER_SERVER = """NOT EXISTS (
    SELECT 1 FROM reading r WHERE r.id = t.reading_id AND r.server_id = t.server_id)"""
# What no foreign key holds together: a table, what names its rows, what is wrong, and where.
_LOOSE = (
    ("content", "id", "is packed against a content that is not there", _NO_BASE),
    ("change", "seq || '.' || n", "was brought by no row of the journal", _NO_ENTRY),
    ("documentation", "change_seq || '.' || change_n", "is about no change", _NO_CHANGE),
    ("resource", "id", "is of another server than the reading that tells it", _OTHER_SERVER),
)


def loose_rows(connection: Connection) -> Iterator[Damage]:
    """Give the derived rows whose counterpart is not there."""
    for table, name, what, condition in _LOOSE:
        query = text(f"SELECT {name} FROM {table} t WHERE {condition} LIMIT {_MOST}")  # noqa: S608  our own names
        for (found,) in connection.execute(query):
            yield Damage(f"{table} {found}", what)


def odd_names(
    connection: Connection, accounts: Collection[tuple[str, str, str]], servers: Collection[int]
) -> Iterator[Damage]:
    """
    Give the origins and servers that no row of the journal is about.

    Args:
        connection: The store.
        accounts: Account, host and program of those that rows name.
        servers: The numbers of those that rows name.
    """
    for row in connection.execute(text("SELECT id, account, host, program FROM origin")):
        if tuple(row[1:]) not in accounts:
            yield Damage(f"origin {row.id}", "is there, but no row of the journal names it")
    for row in connection.execute(text("SELECT id, name, folded FROM server")):
        if row.id not in servers:
            yield Damage(f"server {row.name}", "is there, but no row of the journal is about it")
        if row.folded != row.name.casefold():
            what = f"is looked up as {row.folded}; so commands do not find it"
            yield Damage(f"server {row.name}", what)


def dictionary_damage(connection: Connection, fresh: Connection) -> Iterator[Damage]:
    """Tell whether the bytes that bodies are packed against are those that the migrations wrote."""
    query = text("SELECT id, data FROM dictionary ORDER BY id")
    found, made = (list(map(tuple, one.execute(query))) for one in (connection, fresh))
    if found != made:
        what = "is not the one that this program makes; what is packed against it may not be read"
        yield Damage("table dictionary", what)
