"""The store: its schema, its transactions, its key, and how bytes lie in it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, select, text

from changelog_tracker.errors import StoreDamagedError, StoreError
from changelog_tracker.store import KEY_BYTES, Store
from changelog_tracker.store.contents import add_contents, digest_of, load_contents
from changelog_tracker.store.database import Database, journal_mode
from changelog_tracker.store.journal import append, entries, find_server, server_id
from changelog_tracker.store.packing import MOST_BYTES, micros, moment, pack, unpack
from changelog_tracker.store.schema import REVISION, refuse_other
from changelog_tracker.store.tables import content, metadata


@pytest.fixture
def store(tmp_path):
    found = Store(str(tmp_path / "changelog.db"), tmp_path / "changelog.key")
    yield found
    found.close()


def add_row(connection, **other):
    server = (server_id(connection, "EX01"), "EX01")
    row = {"server": server, "at": 1, "received": 2, "source": "b", "body": {"a": [1]}}
    return append(connection, "snapshot", **(row | other))


def shape(table_columns):
    return {column["name"]: (str(column["type"]), column["nullable"]) for column in table_columns}


def test_the_migrations_make_the_tables(store):
    """What the migrations make is what the program thinks: columns, types, keys, indexes."""
    with store.writing() as connection:
        made = inspect(connection)
        assert sorted(made.get_table_names()) == sorted([*metadata.tables, "alembic_version"])
        for name, table in metadata.tables.items():
            assert shape(made.get_columns(name)) == {
                column.name: (
                    column.type.compile(connection.dialect),
                    bool(column.nullable),
                )
                for column in table.columns
            }
            key = made.get_pk_constraint(name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key.columns]
            assert {
                (tuple(one["constrained_columns"]), one["referred_table"])
                for one in made.get_foreign_keys(name)
            } == {
                (tuple(c.name for c in one.columns), one.referred_table.name)
                for one in table.foreign_key_constraints
            }
            assert {
                (one["name"], tuple(one["column_names"]))
                for one in made.get_indexes(name)
                if not one["name"].startswith("sqlite_autoindex")
            } == {(one.name, tuple(c.name for c in one.columns)) for one in table.indexes}


def test_alembic_finds_nothing_to_migrate(store):
    """alembic itself sees no difference between the tables and what the migrations make."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    with store.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_is_made_by_what_writes(store, tmp_path):
    """Reading and changing need a store; writing makes it, once."""
    for opens in (store.reading, store.changing):
        with pytest.raises(StoreError, match="there is no store yet"), opens():
            pass
    assert list(tmp_path.iterdir()) == []
    assert store.database.revision() is None
    with store.writing():
        pass
    assert store.database.revision() == REVISION
    assert store.database.upgrade() == (REVISION, REVISION)


def test_a_transaction_is_all_or_nothing(store):
    """What an error interrupts was never there."""

    def broken_off():
        with store.writing() as connection:
            add_row(connection)
            add_contents(connection, {digest_of(b"lost"): b"lost"})
            raise ZeroDivisionError

    with store.writing() as connection:
        add_row(connection)
    with pytest.raises(ZeroDivisionError):
        broken_off()
    with store.reading() as connection:
        assert [entry.seq for entry in entries(connection)] == [1]
        assert connection.execute(select(content)).all() == []


def test_the_journal_mode_fits_this_sqlite(store):
    """A SQLite that may reset its WAL too early keeps the store in journal DELETE with EXTRA."""
    wanted = {"DELETE": ("delete", 3), "WAL": ("wal", 2)}[journal_mode()]
    with store.writing() as connection:
        modes = [
            connection.execute(text(f"PRAGMA {p}")).scalar()
            for p in ("journal_mode", "synchronous")
        ]
    assert tuple(modes) == wanted


def test_a_row_comes_back_as_it_was_written(store):
    """The journal gives back what it was given, with who wrote it."""
    with store.writing() as connection:
        assert add_row(connection, body=None) == 1
        assert add_row(connection, server=None, at=None, body={"é": None}) == 2
    with store.reading() as connection:
        one, two = entries(connection)
    assert (one.seq, one.action, one.server, one.at, one.received, one.body) == (
        1,
        "snapshot",
        "EX01",
        1,
        2,
        None,
    )
    assert (two.seq, two.server, two.at, two.body) == (2, None, None, {"é": None})
    assert sorted(one.origin) == ["account", "host", "program", "source"]


def test_names_of_servers_have_no_case(store):
    """ex01 is EX01; the name stays as it was first written."""
    with store.writing() as connection:
        number = server_id(connection, "EX01")
        assert server_id(connection, "ex01") == number
        assert find_server(connection, "Ex01") == (number, "EX01")
        assert find_server(connection, "EX02") is None


def test_a_content_is_kept_once(store):
    """The same bytes are one content, however often they come."""
    datas = [b"", b"a", b"a" * 10_000, b"\x28\xb5\x2f\xfd looks packed"]
    with store.writing() as connection:
        add_contents(connection, {digest_of(data): data for data in datas})
        add_contents(connection, {digest_of(data): data for data in [*datas, b"new"]})
    with store.reading() as connection:
        assert len(connection.execute(select(content)).all()) == len(datas) + 1
        found = load_contents(connection, [digest_of(data) for data in datas])
        assert sorted(found.values()) == sorted(datas)
        with pytest.raises(StoreDamagedError, match="is missing"):
            load_contents(connection, [digest_of(b"never")])


def test_a_packed_value_that_is_damaged_is_said(store):
    """Bytes that only look packed, or claim to unpack to more than there may be, are an error."""
    whole = pack(b"x" * 5000)
    for damaged in (whole[:-3], whole[:4], b"\x28\xb5\x2f\xfd" + b"\xff" * 20):
        with pytest.raises(StoreDamagedError):
            unpack(damaged)
    claims = b"\x28\xb5\x2f\xfd\xe0" + (MOST_BYTES + 1).to_bytes(8, "little") + b"\0" * 8
    with pytest.raises(StoreDamagedError, match="claims"):
        unpack(claims)


def test_times_are_exact_to_the_microsecond():
    """A time goes into the store and comes back the same, before 1970 too."""
    for one in (
        datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ):
        assert moment(micros(one)) == one
    assert moment(0) + timedelta(microseconds=1) == moment(1)


def test_a_schema_is_known_or_refused():
    """Older, newer and none are each said with what to do; this one passes."""
    refuse_other(REVISION, "a.db")
    for found, what in ((None, "not a store"), ("0000", "db upgrade"), ("9999", "newer")):
        with pytest.raises(StoreError) as caught:
            refuse_other(found, "a.db")
        assert what in f"{caught.value} {caught.value.hint}"


def test_a_location_that_cannot_be_is_said(tmp_path):
    """A folder, a database of no known kind; and no message tells a password."""
    for location in (str(tmp_path), "nosuch://user:S3cret@host/db", "://"):
        with pytest.raises(StoreError) as caught:
            Database(location)
        assert "S3cret" not in str(caught.value)


def test_every_store_has_a_key_of_its_own(tmp_path):
    """The key is made once, with 256 bits, and is another one in each store."""
    keys = {Store(str(tmp_path / n), tmp_path / f"{n}.key").key for n in "abc"}
    assert ({len(key) for key in keys}, len(keys)) == ({KEY_BYTES}, 3)
    assert Store(str(tmp_path / "a"), tmp_path / "a.key").key in keys


def test_a_store_that_is_not_ours_stays_as_it_is(tmp_path):
    """Another program's database is refused by writing and by upgrading, and not changed."""
    file = tmp_path / "letters.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE letters (text)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="not a store"):
        Database(str(file)).upgrade()
    with pytest.raises(StoreError, match="not a store"), Store(str(file), tmp_path / "k").writing():
        pass
    assert file.read_bytes() == before


def test_a_store_that_was_never_finished_is_made(tmp_path):
    """A process killed while it made a store leaves a file without tables: nothing to read yet."""
    file = tmp_path / "changelog.db"
    for leftover in (b"", None):
        if leftover is None:
            with sqlite3.connect(file) as connection:
                connection.execute("CREATE TABLE a (a)")
                connection.execute("DROP TABLE a")
            connection.close()
        else:
            file.write_bytes(leftover)
        store = Store(str(file), tmp_path / "changelog.key")
        with pytest.raises(StoreError, match="there is no store yet"), store.reading():
            pass
        with store.writing() as connection:
            assert add_row(connection) == 1
        store.close()
        file.unlink()
