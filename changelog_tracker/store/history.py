"""
A server's whole history out of the journal, and its derived rows built from it again.

Each snapshot's entry holds what it read as the difference to the server's newest earlier snapshot
that was recorded before it; that state never changes, whatever comes in later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from changelog_tracker import catalogue
from changelog_tracker.model import Held, Known, KnownReading, Reading, ReadingId, ResourceId, Taken
from changelog_tracker.store.changes import change_json
from changelog_tracker.store.journal import entries
from changelog_tracker.store.packing import moment, unpack
from changelog_tracker.store.states import COLLECTOR, Writing, save_step
from changelog_tracker.store.tables import journal, reading, reading_state, resource, version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from changelog_tracker.model import Change, ReadingKey, Step


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
) -> dict[str, object] | None:
    """
    Give the journal's body of a snapshot: what it says besides what was known.

    Args:
        done: What it opened and closed.
        raw: Digests of the raw files behind its readings.
        changes: What changed.
        key_id: The key that its fingerprints were made with.

    Returns:
        None where nothing is other than before.
    """
    if not (done.readings or done.opened or done.closed or changes):
        return None
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
            [*_parts(held), *held.reading, held.digest.hex()] for held in done.opened.values()
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
    return None if body is None else str(json.loads(unpack(body))["key"])


def taken_of(past: Past, not_given: str) -> Taken:
    """Give what a snapshot read, to be held against another state than when it was recorded."""
    readings = {
        key: last.reading
        for key, last in past.known.readings.items()
        if last.reading.reason != not_given
    }
    held: dict[ReadingKey, dict[tuple[str, str, str], Held]] = {key: {} for key in readings}
    for key, one in past.known.held.items():
        if one.reading in held:
            held[one.reading][key] = one
    collector = readings.get(COLLECTOR.key)
    name = collector.reason if collector and collector.status == "read" else None
    return Taken(moment(past.at), name, readings, held, set())


def rewrite_states(
    connection: Connection, server_id: int, steps: Iterable[tuple[Past, Step]]
) -> None:
    """Build a server's interval rows again."""
    readings = select(reading.c.id).where(reading.c.server_id == server_id)
    resources = select(resource.c.id).where(resource.c.server_id == server_id)
    connection.execute(delete(reading_state).where(reading_state.c.reading_id.in_(readings)))
    connection.execute(delete(version).where(version.c.resource_id.in_(resources)))
    for past, step in steps:
        raw = {key: digest for key, digest in past.raw.items() if key in step.readings}
        save_step(connection, step, Writing(server_id, past.at, raw))


def _applied(base: Past | None, seq: int, at: int, body: Any) -> Past:  # noqa: ANN401  any JSON value
    """Put a journal entry's differences on the state that it was held against."""
    before = base.known if base else Known()
    if body is None:
        return Past(seq, at, before, base.raw if base else {})
    known = Known(moment(at), None, dict(before.readings), dict(before.held))
    raw = dict(base.raw) if base else {}
    for kind, scope, status, mode, reason, fingerprint, raw_digest in body["readings"]:
        one = Reading(
            ReadingId(kind, scope),
            status,
            mode,
            reason,
            bytes.fromhex(fingerprint) if fingerprint else None,
        )
        known.readings[one.id.key] = KnownReading(one)
        raw.pop(one.id.key, None)
        if raw_digest:
            raw[one.id.key] = bytes.fromhex(raw_digest)
    for kind, name, aspect in body["closed"]:
        known.held.pop(ResourceId(kind, name, aspect).key, None)
    for kind, name, aspect, reading_kind, scope, digest in body["opened"]:
        one_resource = ResourceId(kind, name, aspect)
        known.held[one_resource.key] = Held(
            one_resource, (reading_kind, scope), bytes.fromhex(digest)
        )
    return Past(seq, at, known, raw)


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
