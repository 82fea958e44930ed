"""
The tables. `journal` and `content` are what was recorded and never change; the rest is derived.

Times are microseconds since 1970 in UTC. An interval row is open while `until_at` is null.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# --- what was recorded ---------------------------------------------------------------------

# Who ran which program where, and what it read: one row for many journal rows.
origin = Table(
    "origin",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("account", "host", "program", "source"),
)

server = Table(
    "server",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),
)

# Gapless; each row's hash covers its canonical JSON and the hash of the row before.
journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("server_id", ForeignKey("server.id")),
    Column("at", BigInteger),
    Column("received", BigInteger, nullable=False),
    Column("origin_id", ForeignKey("origin.id"), nullable=False),
    Column("body", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    Index("journal_by_server", "server_id", "at"),
)

# Resource contents and raw files, by the SHA-256 of what they hold uncompressed.
content = Table(
    "content",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
)

# --- derived from the journal, for speed ----------------------------------------------------

reading = Table(
    "reading",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server_id", ForeignKey("server.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("folded", Text, nullable=False),
    UniqueConstraint("server_id", "kind", "folded"),
)

reading_state = Table(
    "reading_state",
    metadata,
    Column("reading_id", ForeignKey("reading.id"), primary_key=True),
    Column("from_at", BigInteger, primary_key=True),
    Column("until_at", BigInteger),
    Column("status", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("reason", Text),
    Column("fingerprint", LargeBinary),
    Column("raw_id", ForeignKey("content.id")),
)

resource = Table(
    "resource",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server_id", ForeignKey("server.id"), nullable=False),
    Column("reading_id", ForeignKey("reading.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("aspect", Text, nullable=False),
    UniqueConstraint("server_id", "kind", "folded", "aspect"),
    Index("resource_by_reading", "reading_id"),
)

version = Table(
    "version",
    metadata,
    Column("resource_id", ForeignKey("resource.id"), primary_key=True),
    Column("from_at", BigInteger, primary_key=True),
    Column("until_at", BigInteger),
    Column("content_id", ForeignKey("content.id"), nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("server_id", ForeignKey("server.id"), nullable=False),
    Column("snapshot", Integer, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("not_before", BigInteger),
    Column("kind", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("setting", Text),
    Column("category", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("superseded_by", Text),
    Index("change_by_server", "server_id", "seen"),
)

# People's words on a change: the newest entry holds.
documentation = Table(
    "documentation",
    metadata,
    Column("change_seq", Integer, primary_key=True, autoincrement=False),
    Column("change_n", Integer, primary_key=True, autoincrement=False),
    # Which of the changes that are folded into it; 0 for the change itself.
    Column("change_k", Integer, primary_key=True, autoincrement=False),
    Column("seq", ForeignKey("journal.seq"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

baseline = Table(
    "baseline",
    metadata,
    Column("seq", ForeignKey("journal.seq"), primary_key=True),
    Column("server_id", ForeignKey("server.id"), nullable=False),
    Column("snapshot", Integer, nullable=False),
)

RECORDED = (origin, server, journal, content)
