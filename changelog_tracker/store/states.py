"""
What is known of a server at a moment: interval rows, loaded and written.

They are derived from the journal for speed; store/history.py builds them from it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, false, func, insert, or_, select, update

from changelog_tracker import catalogue
from changelog_tracker.model import Held, Known, KnownReading, Reading, ReadingId, ResourceId
from changelog_tracker.store.contents import content_ids
from changelog_tracker.store.journal import newest_snapshot
from changelog_tracker.store.numbers import reading_ids, resource_ids
from changelog_tracker.store.packing import moment
from changelog_tracker.store.tables import (
    content,
    reading,
    reading_state,
    resource,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import ColumnElement, Connection, Table

    from changelog_tracker.model import ReadingKey, Step

COLLECTOR = ReadingId("Collector")
# The same files lie on every server.
_reading_id = lru_cache(maxsize=8192)(ReadingId)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which resources to load: of a kind of reading, of one file, of some folded names."""

    kind: str
    scope: str | None = None
    names: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """What a snapshot's rows need besides the step itself: digests of its raw files."""

    server_id: int
    at: int
    raw: Mapping[ReadingKey, bytes]


# The statements that every snapshot runs are made once.
_READINGS = (
    select(reading.c.kind, reading.c.scope, reading_state)
    .join(reading_state, reading_state.c.reading_id == reading.c.id)
    .where(reading.c.server_id == bindparam("server"))
)
_HELD = (
    select(
        resource.c.kind,
        resource.c.name,
        resource.c.aspect,
        resource.c.folded,
        reading.c.kind,
        reading.c.folded,
        content.c.hash,
    )
    .join(version, version.c.resource_id == resource.c.id)
    .join(content, content.c.id == version.c.content_id)
    .join(reading, reading.c.id == resource.c.reading_id)
    .where(resource.c.server_id == bindparam("server"))
)
_OPEN_OF_KIND = _HELD.where(version.c.until_at.is_(None), reading.c.kind == bindparam("kind"))
_OPEN_READINGS = _READINGS.where(reading_state.c.until_at.is_(None))


def load_known(connection: Connection, server_id: int, at: int | None = None) -> Known:
    """
    Give what was known of a server, without its resources: `load_held` adds them.

    Args:
        connection: An open transaction.
        server_id: The server.
        at: At or before this time, microseconds; None for now.
    """
    last = newest_snapshot(connection, server_id, at)
    if last is None:
        return Known()
    known = Known(at=moment(last[1]))
    query = _OPEN_READINGS if at is None else _READINGS.where(holds(reading_state, at))
    rows = connection.execute(query, {"server": server_id}).all()
    add_readings(connection, server_id, known, rows)
    return known


def add_readings(connection: Connection, server_id: int, known: Known, rows: Iterable[Any]) -> None:
    """Add to what is known of a server its readings, by rows of kind, scope and state."""
    for row in rows:
        kind, scope, reading_id, from_at, _, status, mode, reason, fingerprint, _ = row
        found = Reading(_reading_id(kind, scope), status, mode, reason, fingerprint)
        read_at = known.at
        if status == "unread" and scope and kind in catalogue.windows_kinds():
            begin = _begin_of_unread(connection, reading_id, from_at)
            read_at = _last_told(connection, server_id, kind, begin)
        elif status == "unread":
            read_at = _last_read(connection, server_id, reading_id, from_at)
        known.readings[found.id.key] = KnownReading(found, read_at, moment(from_at))
    collector = known.readings.get(COLLECTOR.key)
    if collector is not None and collector.reading.status == "read":
        known.collector = collector.reading.reason


def load_held(
    connection: Connection,
    server_id: int,
    known: Known,
    *,
    at: int | None = None,
    only: Collection[Wanted] | None = None,
) -> None:
    """
    Add to what is known the resources.

    Args:
        connection: An open transaction.
        server_id: The server.
        known: What `load_known` gave; changed.
        at: The time that was given there.
        only: Of these only.
    """
    if only is not None and not only:
        return
    query = _HELD.where(holds(version, at))
    if only is not None:
        query = query.where(or_(false(), *(_is_of(wanted) for wanted in only)))
    _add_held(known, connection.execute(query, {"server": server_id}))


def load_open_kind(connection: Connection, server_id: int, known: Known, kind: str) -> None:
    """Add to what is known now the resources of one kind of reading."""
    named = {"server": server_id, "kind": kind}
    _add_held(known, connection.execute(_OPEN_OF_KIND, named))


def _add_held(known: Known, rows: Iterable[Any]) -> None:
    for row in rows:
        kind, name, aspect, folded, reading_kind, scope, digest = row
        known.held[kind, folded, aspect] = Held(
            ResourceId(kind, name, aspect), (reading_kind, scope), digest
        )


def _is_of(wanted: Wanted) -> ColumnElement[bool]:
    conditions = [reading.c.kind == wanted.kind]
    if wanted.scope is not None:
        conditions.append(reading.c.folded == wanted.scope)
    if wanted.names is not None:
        conditions.append(resource.c.folded.in_(wanted.names))
    return and_(*conditions)


def save_step(connection: Connection, step: Step, writing: Writing) -> None:
    """Write the interval rows of one snapshot that is the newest of its server."""
    if not (step.readings or step.opened or step.closed):
        return
    keys = {r.id.key: r.id for r in step.readings.values()}
    keys |= {
        h.reading: ReadingId(*h.reading) for h in step.opened.values() if h.reading not in keys
    }
    readings = reading_ids(connection, writing.server_id, keys)
    digests = [*(held.digest for held in step.opened.values()), *writing.raw.values()]
    contents = content_ids(connection, digests)
    _save_readings(connection, step, writing, readings, contents)
    keys_of = {*step.opened, *step.closed}
    resources = resource_ids(connection, writing.server_id, keys_of, step.opened, readings)
    changed = [resources[key] for key in (*step.opened, *step.closed)]
    _close(connection, version, version.c.resource_id, changed, writing.at)
    rows = [
        {
            "resource_id": resources[key],
            "from_at": writing.at,
            "until_at": None,
            "content_id": contents[held.digest],
        }
        for key, held in step.opened.items()
    ]
    if rows:
        connection.execute(insert(version), rows)


def _save_readings(
    connection: Connection,
    step: Step,
    writing: Writing,
    ids: Mapping[ReadingKey, int],
    contents: Mapping[bytes, int],
) -> None:
    changed = [ids[key] for key in step.readings]
    _close(connection, reading_state, reading_state.c.reading_id, changed, writing.at)
    rows = [
        {
            "reading_id": ids[key],
            "from_at": writing.at,
            "until_at": None,
            "status": one.status,
            "mode": one.mode,
            "reason": one.reason,
            "fingerprint": one.fingerprint,
            "raw_id": contents[writing.raw[key]] if key in writing.raw else None,
        }
        for key, one in step.readings.items()
    ]
    if rows:
        connection.execute(insert(reading_state), rows)


def _close(connection: Connection, table: Table, column: Any, ids: list[int], at: int) -> None:  # noqa: ANN401  a column
    """End the open rows; a row that began at this very moment is replaced, not ended."""
    if not ids:
        return
    connection.execute(
        update(table)
        .where(column == bindparam("one"), table.c.until_at.is_(None))
        .values(until_at=at),
        [{"one": one} for one in ids],
    )


def holds(table: Table, at: int | None) -> Any:  # noqa: ANN401  a condition
    """Make the condition that an interval row holds at a time, or now."""
    if at is None:
        return table.c.until_at.is_(None)
    return and_(table.c.from_at <= at, or_(table.c.until_at.is_(None), table.c.until_at > at))


def _last_read(connection: Connection, server_id: int, reading_id: int, before: int) -> Any:  # noqa: ANN401  a time or None
    """Give the time of the last snapshot in which a reading that is unread now was read."""
    ended = connection.execute(
        select(func.max(reading_state.c.until_at)).where(
            reading_state.c.reading_id == reading_id,
            reading_state.c.status != "unread",
            reading_state.c.until_at <= before,
        )
    ).scalar()
    if ended is None:
        return None
    last = newest_snapshot(connection, server_id, ended - 1)
    return moment(last[1]) if last is not None else None


def _begin_of_unread(connection: Connection, reading_id: int, at: int) -> int:
    """Give since when a reading that is unread at a time is so, whatever the reason."""
    of_it = reading_state.c.reading_id == reading_id
    ended = select(func.max(reading_state.c.until_at)).where(
        of_it, reading_state.c.status != "unread", reading_state.c.until_at <= at
    )
    first = select(func.min(reading_state.c.from_at)).where(of_it)
    return int(connection.execute(ended).scalar() or connection.execute(first).scalar() or at)


def _last_told(connection: Connection, server_id: int, kind: str, before: int) -> Any:  # noqa: ANN401  a time or None
    """Give the time of the last snapshot before a time that read a kind as a whole."""
    row = connection.execute(
        select(reading_state.c.until_at)
        .join(reading, reading.c.id == reading_state.c.reading_id)
        .where(
            reading.c.server_id == server_id,
            reading.c.kind == kind,
            reading.c.folded == "",
            reading_state.c.status != "unread",
            reading_state.c.from_at < before,
        )
        .order_by(reading_state.c.from_at.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    end = before if row.until_at is None else min(row.until_at, before)
    last = newest_snapshot(connection, server_id, end - 1)
    return moment(last[1]) if last is not None else None
