"""
The tables. `journal`, `unchanged` and `content` are what was recorded; the rest is derived.

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

# What bodies are packed against; it belongs to the store, so that they can be read without us.
dictionary = Table(
    "dictionary",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Who ran which program where: one row for many journal rows.
origin = Table(
    "origin",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("program", Text, nullable=False),
    UniqueConstraint("account", "host", "program"),
)

server = Table(
    "server",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),
)

# Each row's hash covers its canonical JSON and the hash of the row before. Its numbers have no gap
# together with those of the snapshots that found nothing new, which lie in the next two tables.
journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("server_id", ForeignKey("server.id")),
    Column("at", BigInteger),
    Column("received", BigInteger, nullable=False),
    Column("origin_id", ForeignKey("origin.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("body", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    Index("journal_by_server", "server_id", "at"),
)

# The newest snapshots that found nothing new: rows of the journal, apart because they are many.
unchanged = Table(
    "unchanged",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("server_id", ForeignKey("server.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("origin_id", ForeignKey("origin.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("body", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    Index("unchanged_by_server", "server_id", "at"),
)

# Older ones of one server, in the order of their times, packed; `hash` is that of the last.
unchanged_block = Table(
    "unchanged_block",
    metadata,
    Column("first_seq", Integer, primary_key=True, autoincrement=False),
    Column("last_seq", Integer, nullable=False),
    Column("server_id", ForeignKey("server.id"), nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("unchanged_block_by_server", "server_id", "first_at"),
)

# Resource contents and raw files, by the SHA-256 of what they hold unpacked. What differs little
# from an earlier one is packed against that, its base; a base has none itself.
content = Table(
    "content",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("base_id", Integer),
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
    sqlite_with_rowid=False,
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
    sqlite_with_rowid=False,
)

# In the order in which it is read. `body` is null while the change is as the journal's entry `seq`
# has it, as its number `n`.
change = Table(
    "change",
    metadata,
    Column("server_id", ForeignKey("server.id"), primary_key=True),
    Column("seen", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("snapshot", Integer, nullable=False),
    Column("body", LargeBinary),
    Column("superseded_by", Text),
    sqlite_with_rowid=False,
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

# Servers that can be collected; one may have no snapshot yet, so it need not be in `server`.
inventory = Table(
    "inventory",
    metadata,
    Column("folded", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
