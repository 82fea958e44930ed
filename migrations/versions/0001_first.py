"""The journal, what it refers to, and what is derived from it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _recorded()
    _derived_states()
    _derived_changes()


def downgrade() -> None:
    msg = "A store is never taken back: what was recorded is never deleted."
    raise NotImplementedError(msg)


def _recorded() -> None:
    op.create_table(
        "origin",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("program", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.UniqueConstraint("account", "host", "program", "source"),
    )
    op.create_table(
        "server",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id")),
        sa.Column("at", sa.BigInteger),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("origin_id", sa.Integer, sa.ForeignKey("origin.id"), nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("journal_by_server", "journal", ["server_id", "at"])
    op.create_table(
        "content",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _derived_states() -> None:
    op.create_table(
        "reading",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.UniqueConstraint("server_id", "kind", "folded"),
    )
    op.create_table(
        "reading_state",
        sa.Column("reading_id", sa.Integer, sa.ForeignKey("reading.id"), primary_key=True),
        sa.Column("from_at", sa.BigInteger, primary_key=True),
        sa.Column("until_at", sa.BigInteger),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("raw_id", sa.Integer, sa.ForeignKey("content.id")),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), nullable=False),
        sa.Column("reading_id", sa.Integer, sa.ForeignKey("reading.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("aspect", sa.Text, nullable=False),
        sa.UniqueConstraint("server_id", "kind", "folded", "aspect"),
    )
    op.create_index("resource_by_reading", "resource", ["reading_id"])
    op.create_table(
        "version",
        sa.Column("resource_id", sa.Integer, sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("from_at", sa.BigInteger, primary_key=True),
        sa.Column("until_at", sa.BigInteger),
        sa.Column("content_id", sa.Integer, sa.ForeignKey("content.id"), nullable=False),
    )


def _derived_changes() -> None:
    op.create_table(
        "change",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), nullable=False),
        sa.Column("snapshot", sa.Integer, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("setting", sa.Text),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("superseded_by", sa.Text),
    )
    op.create_index("change_by_server", "change", ["server_id", "seen"])
    op.create_table(
        "documentation",
        sa.Column("change_seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("change_n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("change_k", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, sa.ForeignKey("journal.seq"), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "baseline",
        sa.Column("seq", sa.Integer, sa.ForeignKey("journal.seq"), primary_key=True),
        sa.Column("server_id", sa.Integer, sa.ForeignKey("server.id"), nullable=False),
        sa.Column("snapshot", sa.Integer, nullable=False),
    )
