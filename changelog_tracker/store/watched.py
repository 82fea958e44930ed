"""Since when each kind and file of a server is read, and when it was not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from changelog_tracker.store.tables import reading, reading_state

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """From when to when (None: still) a reading was `absent` or `unread`; microseconds."""

    from_at: int
    until_at: int | None
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One reading: first asked for when, microseconds, and when it was anything else than read."""

    kind: str
    scope: str
    first_at: int
    otherwise: list[NoAnswer] = field(default_factory=list)


# The bytes of an export often differ from hour to hour: so only what is not `read` is fetched.
_ASKED = (
    select(reading.c.id, reading.c.kind, reading.c.scope, func.min(reading_state.c.from_at))
    .join(reading_state, reading_state.c.reading_id == reading.c.id)
    .where(
        reading.c.server_id == bindparam("server"),
        reading.c.kind.not_in(bindparam("without", expanding=True)),
    )
    .group_by(reading.c.id, reading.c.kind, reading.c.scope)
)
_OTHERWISE = (
    select(
        reading_state.c.reading_id,
        reading_state.c.from_at,
        reading_state.c.until_at,
        reading_state.c.status,
        reading_state.c.reason,
    )
    .join(reading, reading.c.id == reading_state.c.reading_id)
    .where(
        reading.c.server_id == bindparam("server"),
        reading.c.kind.not_in(bindparam("without", expanding=True)),
        reading_state.c.status != "read",
    )
)


def asked_of(connection: Connection, server_id: int, without: Collection[str]) -> list[Asked]:
    """
    Give a server's readings.

    Args:
        connection: An open transaction.
        server_id: The server.
        without: Kinds that are left out.
    """
    of_server = {"server": server_id, "without": sorted(without)}
    found = {
        number: Asked(kind, scope, first_at)
        for number, kind, scope, first_at in connection.execute(_ASKED, of_server)
    }
    for number, *parts in connection.execute(_OTHERWISE, of_server):
        found[number].otherwise.append(NoAnswer(*parts))
    return list(found.values())
