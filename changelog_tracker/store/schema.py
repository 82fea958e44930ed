"""
The schema of a store: made, upgraded and checked by alembic's migrations.

This is the one place that knows where the migrations lie: at the root of the repository, and
inside the package in a wheel.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVISION = "0003"
_PACKAGE = Path(__file__).resolve().parent.parent


def migrations_folder() -> Path:
    """Give the folder of the migrations."""
    inside = _PACKAGE / "migrations"
    return inside if inside.is_dir() else _PACKAGE.parent / "migrations"


def upgrade(connection: Connection, place: str) -> None:
    """
    Bring a store to this program's schema, in the connection's transaction.

    Raises:
        StoreError: No migration leads there from the schema that it has.
    """
    from alembic import command  # noqa: PLC0415  slow to import, needed when a store is made
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(place, f"cannot be brought to schema {REVISION}: {error}") from error


def refuse_other(found: str | None, place: str) -> None:
    """
    Refuse a store whose schema is not this program's.

    Raises:
        StoreError: Older or newer; nothing was touched.
    """
    if found == REVISION:
        return
    if found is None:
        raise StoreError(place, "is a database, but not a store of changelog_tracker")
    if found < REVISION:
        raise StoreError(
            place,
            f"has schema {found}; this program needs {REVISION}",
            "run: changelog-tracker db upgrade",
        )
    raise StoreError(
        place,
        f"has schema {found}, written by a newer changelog_tracker; this one knows {REVISION}",
        "update changelog_tracker; nothing was touched",
    )
