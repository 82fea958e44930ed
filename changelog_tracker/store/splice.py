"""
Interval rows with a stretch of time told otherwise, as a late snapshot does.

The rows of one reading or resource are a line of points: from each on a value holds, until the
next; None where nothing does. A span lays another value over a part of the line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, func, insert, select

from changelog_tracker.model import ReadingId
from changelog_tracker.store.contents import content_ids
from changelog_tracker.store.numbers import reading_ids, resource_ids
from changelog_tracker.store.tables import reading, reading_state, resource, version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Table

    from changelog_tracker.model import Held, Reading, ReadingKey, ResourceKey

# From when, until when (None: for good), and what holds there.
ReadingSpan: TypeAlias = "tuple[int, int | None, Reading, bytes | None]"
HeldSpan: TypeAlias = "tuple[int, int | None, Held | None]"
# From when which values hold: the columns of a row besides its key and times.
_Line: TypeAlias = "list[tuple[int, tuple[Any, ...] | None]]"
_READING = ("status", "mode", "reason", "fingerprint", "raw_id")
_VERSION = ("content_id",)


@dataclass(slots=True)
class Spans:
    """What is other than the rows say: of readings, with their raw files, and of resources."""

    readings: dict[ReadingKey, list[ReadingSpan]] = field(default_factory=dict)
    held: dict[ResourceKey, list[HeldSpan]] = field(default_factory=dict)


def splice(connection: Connection, server_id: int, spans: Spans) -> None:
    """Bring a server's interval rows to what the spans say."""
    held = {key: one for key, many in spans.held.items() for *_, one in many if one is not None}
    told = {key: many[0][2].id for key, many in spans.readings.items()}
    of_held = {one.reading: ReadingId(*one.reading) for one in held.values()}
    readings = reading_ids(connection, server_id, {**of_held, **told})
    digests = [one.digest for many in spans.held.values() for *_, one in many if one is not None]
    digests += [raw for many in spans.readings.values() for *_, raw in many if raw is not None]
    contents = content_ids(connection, digests)
    for key, reading_spans in spans.readings.items():
        line = _line(connection, reading_state, _READING, readings[key])
        for start, end, one, raw in reading_spans:
            number = contents[raw] if raw is not None else None
            row = (one.status, one.mode, one.reason, one.fingerprint, number)
            if raw is None:
                row = _with_raw_of(line, start, row)
            line = laid_over(line, start, end, row)
        _rewrite(connection, reading_state, _READING, readings[key], line)
    resources = resource_ids(connection, server_id, spans.held, held, readings)
    for resource_key, held_spans in spans.held.items():
        line = _line(connection, version, _VERSION, resources[resource_key])
        for start, end, some in held_spans:
            line = laid_over(line, start, end, (contents[some.digest],) if some else None)
        _rewrite(connection, version, _VERSION, resources[resource_key], line)


def next_told(
    connection: Connection,
    server_id: int,
    after: int,
    readings: Iterable[ReadingKey],
    held: Mapping[ResourceKey, Held | None],
    kind: str | None = None,
) -> int | None:
    """
    Give the first time after one at which rows of some readings or resources begin or end.

    Args:
        connection: An open transaction.
        server_id: The server.
        after: The time, microseconds.
        readings: Of these.
        held: Of these.
        kind: Of every reading of this kind too.
    """
    wanted = set(readings)
    states = connection.execute(
        select(reading.c.kind, reading.c.folded, func.min(reading_state.c.from_at).label("at"))
        .join(reading_state, reading_state.c.reading_id == reading.c.id)
        .where(reading.c.server_id == server_id, reading_state.c.from_at > after)
        .group_by(reading.c.kind, reading.c.folded)
    ).all()
    versions = connection.execute(
        select(
            resource.c.kind, resource.c.folded, resource.c.aspect,
            reading.c.kind.label("told_by"), reading.c.folded.label("scope"),
        )
        .join(reading, reading.c.id == resource.c.reading_id)
        .where(resource.c.server_id == server_id)
    ).all() if held else []  # fmt: skip
    wanted |= {
        (row.told_by, row.scope) for row in versions if (row.kind, row.folded, row.aspect) in held
    }
    wanted |= {one.reading for one in held.values() if one is not None}
    times = [row.at for row in states if (row.kind, row.folded) in wanted or row.kind == kind]
    return min(times, default=None)


def laid_over(line: _Line, start: int, end: int | None, value: tuple[Any, ...] | None) -> _Line:
    """Lay a value over a line from `start` to `end`; neighbours that are the same become one."""
    after = _value_at(line, end) if end is not None else None
    found = [point for point in line if point[0] < start or (end is not None and point[0] > end)]
    found.append((start, value))
    if end is not None:
        found.append((end, after))
    found.sort(key=lambda point: point[0])
    return [point for n, point in enumerate(found) if point[1] != (found[n - 1][1] if n else None)]


def _value_at(line: _Line, at: int) -> tuple[Any, ...] | None:
    return next((value for start, value in reversed(line) if start <= at), None)


def _with_raw_of(line: _Line, start: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Keep the raw file of a reading that says the same as recorded."""
    recorded = _value_at(line, start)
    return recorded if recorded is not None and recorded[:-1] == row[:-1] else row


def _key_of(table: Table) -> Any:  # noqa: ANN401  a column
    return table.c.reading_id if table is reading_state else table.c.resource_id


def _line(connection: Connection, table: Table, names: tuple[str, ...], number: int) -> _Line:
    rows = connection.execute(
        select(table).where(_key_of(table) == number).order_by(table.c.from_at)
    ).all()
    line: _Line = []
    for row in rows:
        if line and line[-1] == (row.from_at, None):
            line.pop()
        line.append((row.from_at, tuple(getattr(row, name) for name in names)))
        if row.until_at is not None:
            line.append((row.until_at, None))
    return line


def _rewrite(
    connection: Connection, table: Table, names: tuple[str, ...], number: int, line: _Line
) -> None:
    connection.execute(delete(table).where(_key_of(table) == number))
    ends = [*(start for start, _ in line[1:]), None]
    rows = [
        {
            _key_of(table).name: number,
            "from_at": start,
            "until_at": end,
            **dict(zip(names, value, strict=True)),
        }
        for (start, value), end in zip(line, ends, strict=True)
        if value is not None
    ]
    if rows:
        connection.execute(insert(table), rows)
