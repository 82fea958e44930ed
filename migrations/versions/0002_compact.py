"""Years of snapshots: those that found nothing new in blocks, what differs little as a delta."""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0002"
down_revision = "0001"

_DICTIONARY = Path(__file__).parent.parent / "dictionary-1.txt"
_STATE = "reading_id, from_at, until_at, status, mode, reason, raw_id, fingerprint"
_VERSION = "resource_id, from_at, until_at, content_id"


def upgrade() -> None:
    _sources()
    _unchanged()
    op.add_column("content", sa.Column("base_id", sa.Integer))
    _changes()
    _states()


def downgrade() -> None:
    msg = "A store is never taken back: what was recorded is never deleted."
    raise NotImplementedError(msg)


def _sources() -> None:
    """Where a snapshot came from is its own; who ran which program where is shared by many."""
    op.add_column("journal", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE journal SET source = (SELECT source FROM origin WHERE origin.id = origin_id)"
    )
    op.execute(
        "UPDATE journal SET origin_id = (SELECT MIN(one.id) FROM origin one JOIN origin same"
        " ON same.account = one.account AND same.host = one.host AND same.program = one.program"
        " WHERE same.id = origin_id)"
    )
    op.execute("DELETE FROM origin WHERE id NOT IN (SELECT origin_id FROM journal)")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_column("origin", "source")
        op.create_unique_constraint("origin_once", "origin", ["account", "host", "program"])
        return
    op.create_table(
        "origin_new",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("program", sa.Text, nullable=False),
        sa.UniqueConstraint("account", "host", "program"),
    )
    _replace("origin", "id, account, host, program")


def _unchanged() -> None:
    dictionary = op.create_table(
        "dictionary",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(dictionary, [{"id": 1, "data": _DICTIONARY.read_bytes()}])
    op.create_table(
        "unchanged",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("origin_id", sa.Integer, sa.ForeignKey("origin.id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("unchanged_by_server", "unchanged", ["server_id", "at"])
    op.create_table(
        "unchanged_block",
        sa.Column("first_seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("unchanged_block_by_server", "unchanged_block", ["server_id", "first_at"])


def _changes() -> None:
    """A change that is as its journal entry has it needs no copy; those that are here keep it."""
    new = op.create_table(
        "change_new",
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), primary_key=True),
        sa.Column("seen", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("snapshot", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("superseded_by", sa.Text),
        sqlite_with_rowid=False,
    )
    kept = ("seq", "n", "server_id", "snapshot", "seen", "superseded_by")
    rows = [
        {**{name: getattr(row, name) for name in kept}, "body": _whole_body(row)}
        for row in op.get_bind().execute(sa.text("SELECT * FROM change"))
    ]
    op.bulk_insert(new, rows)
    op.drop_table("change")
    op.rename_table("change_new", "change")


def _whole_body(row: sa.Row[Any]) -> bytes:
    packed = bytes(row.body)
    is_packed = packed.startswith(b"\x28\xb5\x2f\xfd")
    body = json.loads(zstandard.decompress(packed) if is_packed else packed)
    body |= {name: getattr(row, name) for name in ("kind", "resource", "setting", "not_before")}
    body["class"] = row.category
    data = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return zstandard.compress(data)


def _states() -> None:
    op.create_table(
        "reading_state_new",
        sa.Column("reading_id", sa.Integer, sa.ForeignKey("reading.id"), primary_key=True),
        sa.Column("from_at", sa.BigInteger, primary_key=True),
        sa.Column("until_at", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("raw_id", sa.Integer, sa.ForeignKey("content.id")),
        sqlite_with_rowid=False,
    )
    # Half of a fingerprint is as good as the whole.
    _replace("reading_state", _STATE, _STATE.replace("fingerprint", "SUBSTR(fingerprint, 1, 16)"))
    op.create_table(
        "version_new",
        sa.Column("resource_id", sa.Integer, sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("from_at", sa.BigInteger, primary_key=True),
        sa.Column("until_at", sa.BigInteger),
        sa.Column("content_id", sa.Integer, sa.ForeignKey("content.id"), nullable=False),
        sqlite_with_rowid=False,
    )
    _replace("version", _VERSION)


def _replace(table: str, columns: str, values: str | None = None) -> None:
    read = values or columns
    op.execute(f"INSERT INTO {table}_new ({columns}) SELECT {read} FROM {table}")  # noqa: S608
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
