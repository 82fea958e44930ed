"""What is known of several servers now: in few statements, however many they are."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, select

from changelog_tracker.model import Known
from changelog_tracker.store.packing import moment
from changelog_tracker.store.states import add_readings
from changelog_tracker.store.tables import journal, reading, reading_state, server, unchanged

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

# SQLite's oldest limit on variables of one statement is 999.
MOST = 900
_IN_JOURNAL = (
    select(journal.c.at)
    .where(journal.c.server_id == server.c.id, journal.c.action == "snapshot")
    .order_by(journal.c.at.desc())
    .limit(1)
)
_APART = (
    select(unchanged.c.at)
    .where(unchanged.c.server_id == server.c.id)
    .order_by(unchanged.c.at.desc())
    .limit(1)
)
_SERVERS = select(
    server.c.id,
    server.c.name,
    server.c.folded,
    _IN_JOURNAL.scalar_subquery(),
    _APART.scalar_subquery(),
).where(server.c.folded.in_(bindparam("folded", expanding=True)))
_READINGS = (
    select(reading.c.server_id, reading.c.kind, reading.c.scope, reading_state)
    .join(reading_state, reading_state.c.reading_id == reading.c.id)
    .where(
        reading.c.server_id.in_(bindparam("servers", expanding=True)),
        reading_state.c.until_at.is_(None),
    )
    .order_by(reading.c.server_id)
)


class KnownServer(NamedTuple):
    """A server's number and name, and what is known of it, without its resources."""

    number: int
    name: str
    known: Known


def known_servers(connection: Connection, names: Collection[str]) -> dict[str, KnownServer]:
    """
    Give by their folded names the servers of some names, at most `MOST`, that are in the store.

    What is known of each is what `load_known` gives.
    """
    found: dict[str, KnownServer] = {}
    folded = [name.casefold() for name in names]
    for number, name, key, *times in connection.execute(_SERVERS, {"folded": folded}).all():
        last = max((at for at in times if at is not None), default=None)
        known = Known() if last is None else Known(at=moment(last))
        found[key] = KnownServer(number, name, known)
    of_number = {one.number: one.known for one in found.values() if one.known.at is not None}
    rows = connection.execute(_READINGS, {"servers": list(of_number)}).all()
    for number, of_one in groupby(rows, key=lambda row: row[0]):
        add_readings(connection, number, of_number[number], (row[1:] for row in of_one))
    return found
