"""Look-ups beside what is known: whose files these are, what lies behind a reading, since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select

from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.states import holds
from changelog_tracker.store.tables import (
    content,
    reading,
    reading_state,
    server,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from changelog_tracker.model import ReadingKey

_SERVERS_WITH = (
    select(server.c.id, server.c.name)
    .distinct()
    .join(reading, reading.c.server_id == server.c.id)
    .join(reading_state, reading_state.c.reading_id == reading.c.id)
    .where(
        reading_state.c.until_at.is_(None),
        reading_state.c.fingerprint.in_(bindparam("marks", expanding=True)),
        reading.c.kind.in_(bindparam("kinds", expanding=True)),
    )
)


def servers_with(
    connection: Connection, fingerprints: Collection[bytes], kinds: Collection[str]
) -> list[tuple[int, str]]:
    """Give number and name of the servers whose newest exports of some kinds have such a mark."""
    marks = {"marks": list(fingerprints)[:900], "kinds": list(kinds)}
    rows = connection.execute(_SERVERS_WITH, marks)
    return [(row.id, row.name) for row in rows]


_RAW_FILE = (
    select(content.c.hash)
    .join(reading_state, reading_state.c.raw_id == content.c.id)
    .join(reading, reading.c.id == reading_state.c.reading_id)
    .where(
        reading.c.server_id == bindparam("server"),
        reading.c.kind == bindparam("kind"),
        reading.c.folded == bindparam("folded"),
    )
)


def raw_file(
    connection: Connection, server_id: int, key: ReadingKey, at: int | None
) -> bytes | None:
    """Give the raw file behind what a reading said at a time; None where it is not kept."""
    digest = connection.execute(
        _RAW_FILE.where(holds(reading_state, at)),
        {"server": server_id, "kind": key[0], "folded": key[1]},
    ).scalar()
    return None if digest is None else load_contents(connection, [digest])[digest]


def raw_files(connection: Connection, server_id: int, at: int | None) -> dict[ReadingKey, bytes]:
    """Give the digests of the raw files behind what was known at a time."""
    rows = connection.execute(
        select(reading.c.kind, reading.c.folded, content.c.hash)
        .join(reading_state, reading_state.c.reading_id == reading.c.id)
        .join(content, content.c.id == reading_state.c.raw_id)
        .where(reading.c.server_id == server_id, holds(reading_state, at))
    )
    return {(row.kind, row.folded): row.hash for row in rows}


class ReadingRow(NamedTuple):
    """How a reading was answered from one time until another (None: still), microseconds."""

    kind: str
    scope: str
    from_at: int
    until_at: int | None
    status: str


def reading_rows(connection: Connection, server_id: int) -> list[ReadingRow]:
    """Give how each reading of a server was answered at all times."""
    rows = connection.execute(
        select(
            reading.c.kind,
            reading.c.scope,
            reading_state.c.from_at,
            reading_state.c.until_at,
            reading_state.c.status,
        )
        .join(reading_state, reading_state.c.reading_id == reading.c.id)
        .where(reading.c.server_id == server_id)
    )
    return [ReadingRow(*row) for row in rows]
