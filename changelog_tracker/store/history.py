"""
A server's whole history out of the journal, and its derived rows built from it again.

Each snapshot's entry holds what it read as the difference to the server's newest earlier snapshot
that was recorded before it; that state never changes, whatever comes in later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from changelog_tracker import catalogue
from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.model import (
    Held,
    Known,
    KnownReading,
    Reading,
    ReadingId,
    ResourceId,
    Step,
    Taken,
)
from changelog_tracker.store.changes import change_json
from changelog_tracker.store.damage import lost
from changelog_tracker.store.journal import entries
from changelog_tracker.store.packing import moment, read_body
from changelog_tracker.store.tables import journal
from changelog_tracker.store.unchanged import all_unchanged

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from changelog_tracker.model import Change, ReadingKey

# The first stores kept the whole of a file's fingerprint.
_MARK_BYTES = 16


@dataclass(slots=True)
class Past:
    """
    One snapshot as it was recorded.

    Args:
        seq: Its journal number.
        at: Its time, microseconds.
        known: What it read, on top of what was known when it was recorded.
        raw: Digests of the raw files behind its readings.
    """

    seq: int
    at: int
    known: Known
    raw: dict[ReadingKey, bytes] = field(default_factory=dict)


def snapshot_body(
    done: Step, raw: dict[ReadingKey, bytes], changes: list[Change], key_id: str
) -> dict[str, object]:
    """
    Give the journal's body of a snapshot: what it says besides what was known.

    Args:
        done: What it opened and closed.
        raw: Digests of the raw files behind its readings.
        changes: What changed.
        key_id: The key that its fingerprints were made with.

    Returns:
        Nothing where nothing is other than before.
    """
    if not (done.readings or done.opened or done.closed or changes):
        return {}
    # A reading is named by its place in the list below; one that is not in it, by its key.
    places = {key: n for n, key in enumerate(done.readings)}
    return {
        "key": key_id,
        "rules": catalogue.RULE_VERSION,
        "catalogue": catalogue.CATALOGUE_VERSION,
        "readings": [
            [
                one.id.kind,
                one.id.scope,
                one.status,
                one.mode,
                one.reason,
                one.fingerprint.hex() if one.fingerprint else None,
                raw[key].hex() if key in raw else None,
            ]
            for key, one in done.readings.items()
        ],
        "opened": [
            [*_parts(held), places.get(held.reading, list(held.reading)), held.digest.hex()]
            for held in done.opened.values()
        ],
        "closed": [_parts(held) for held in done.closed.values()],
        "changes": [change_json(change) for change in changes],
    }


def _parts(held: Held) -> list[str]:
    return [held.resource.kind, held.resource.name, held.resource.aspect]


def load_history(connection: Connection, server_name: str) -> list[Past]:
    """Give every snapshot of a server, in the order of their times."""
    pasts: list[Past] = []
    for entry in entries(connection, "snapshot"):
        if entry.server is None or entry.server.casefold() != server_name.casefold():
            continue
        at = entry.at or 0
        base = max((p for p in pasts if p.at < at), key=lambda p: p.at, default=None)
        pasts.append(_applied(base, entry.seq, at, entry.body))
    return sorted(pasts, key=lambda past: past.at)


def held_back(
    connection: Connection, server_id: int, since: int | None = None, until: int | None = None
) -> dict[str, dict[str, int]]:
    """Give how many differences each noise rule held back in a time, by kind and rule."""
    counts: dict[str, dict[str, int]] = {}
    for body in snapshot_bodies(connection, server_id, since, until).values():
        for kind, rule, n in body.get("held_back", ()):
            rules = counts.setdefault(kind, {})
            rules[rule] = rules.get(rule, 0) + n
    return counts


def clocks(
    connection: Connection, server_id: int, since: int | None = None, until: int | None = None
) -> dict[int, tuple[int | None, int | None]]:
    """Give, by snapshot, the server's offset from UTC in minutes and its clock's lead in ms."""
    return {
        seq: tuple(body["clock"])
        for seq, body in snapshot_bodies(connection, server_id, since, until).items()
        if "clock" in body
    }


def snapshot_bodies(
    connection: Connection, server_id: int, since: int | None = None, until: int | None = None
) -> dict[int, dict[str, Any]]:
    """Give what the journal says of a server's snapshots in a time, by their numbers."""
    query = select(journal.c.seq, journal.c.body).where(
        journal.c.server_id == server_id,
        journal.c.action == "snapshot",
        journal.c.body.is_not(None),
    )
    if since is not None:
        query = query.where(journal.c.at >= since)
    if until is not None:
        query = query.where(journal.c.at <= until)
    found = {}
    for row in connection.execute(query):
        try:
            found[row.seq] = read_body(connection, row.body)
        except StoreDamagedError as error:
            what = f"row {row.seq} of the journal: {error.what}"
            lost(connection, StoreDamagedError("store", what))
    for one in all_unchanged(connection, server_id):
        inside = (since is None or one.at >= since) and (until is None or one.at <= until)
        if inside and one.body is not None:
            found[one.seq] = one.body
    return found


def last_key_id(connection: Connection, server_id: int) -> str | None:
    """Give the key that a server's newest snapshot with a body was fingerprinted with."""
    body = connection.execute(
        select(journal.c.body)
        .where(
            journal.c.server_id == server_id,
            journal.c.action == "snapshot",
            journal.c.body.is_not(None),
        )
        .order_by(journal.c.at.desc(), journal.c.seq.desc())
        .limit(1)
    ).scalar()
    # A late snapshot that found nothing new has a body without one.
    return read_body(connection, body).get("key") if body is not None else None


def _applied(base: Past | None, seq: int, at: int, body: Any) -> Past:  # noqa: ANN401  any JSON value
    """Put a journal entry's differences on the state that it was held against."""
    before = base.known if base else Known()
    if body is None or "readings" not in body:
        return Past(seq, at, before, base.raw if base else {})
    known = Known(moment(at), None, dict(before.readings), dict(before.held))
    raw = dict(base.raw) if base else {}
    for kind, scope, status, mode, reason, fingerprint, raw_digest in body["readings"]:
        one = Reading(
            ReadingId(kind, scope),
            status,
            mode,
            reason,
            bytes.fromhex(fingerprint)[:_MARK_BYTES] if fingerprint else None,
        )
        known.readings[one.id.key] = KnownReading(one)
        raw.pop(one.id.key, None)
        if raw_digest:
            raw[one.id.key] = bytes.fromhex(raw_digest)
    for kind, name, aspect in body["closed"]:
        known.held.pop(ResourceId(kind, name, aspect).key, None)
    for kind, name, aspect, *told_by, digest in body["opened"]:
        one_resource = ResourceId(kind, name, aspect)
        key = _reading_key(body, told_by)
        known.held[one_resource.key] = Held(one_resource, key, bytes.fromhex(digest))
    return Past(seq, at, known, raw)


def _reading_key(body: Any, told_by: list[Any]) -> ReadingKey:  # noqa: ANN401  any JSON value
    """Give the reading that told a resource: by its place, by its key, or by its two parts."""
    if len(told_by) == 2:
        return (told_by[0], told_by[1])
    if isinstance(told_by[0], int):
        kind, scope = body["readings"][told_by[0]][:2]
        return ReadingId(kind, scope).key
    return (told_by[0][0], told_by[0][1])


def taken_of_known(known: Known) -> Taken:
    """Give all that is known as if one snapshot had read it: the last answer of each reading."""
    readings = {
        key: replace(last.reading, status="read", reason=None)
        if last.reading.status == "unread"
        else last.reading
        for key, last in sorted(known.readings.items(), key=lambda item: item[0])
        if last.read_at is not None
    }
    held: dict[ReadingKey, dict[tuple[str, str, str], Held]] = {key: {} for key in readings}
    for key, one in sorted(known.held.items(), key=lambda item: item[0]):
        held.setdefault(one.reading, {})[key] = one
    return Taken(known.at or moment(0), known.collector, readings, held, set())


def step_in(body: Any) -> tuple[Step, dict[ReadingKey, bytes]]:  # noqa: ANN401  any JSON value
    """Give back what `snapshot_body` was given: the step without its changes, and the raw files."""
    past = _applied(None, 0, 0, body)
    gone = [ResourceId(*parts) for parts in body["closed"]]
    done = Step(
        opened=past.known.held,
        closed={one.key: Held(one, ("", ""), b"") for one in gone},
        readings={key: last.reading for key, last in past.known.readings.items()},
    )
    return done, past.raw
