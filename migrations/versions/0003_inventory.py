"""The inventory: which servers there are, and how each is reached."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "inventory",
        sa.Column("folded", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    msg = "A store is never taken back: what was recorded is never deleted."
    raise NotImplementedError(msg)
