"""What people say: reasons for changes, and the baseline. Each is a new entry of the journal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.lines import known_server, utc
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.store.changes import find_change
from changelog_tracker.store.journal import append, who_runs
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import (
    baseline_of,
    server_names,
    set_baseline,
    snapshots_of,
)
from changelog_tracker.store.words import add_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection


def document_changes(
    connection: Connection,
    ids: list[str],
    reason: str,
    ticket: str | None,
    by: str | None,
) -> list[str]:
    """
    Give changes a reason.

    Returns:
        The ids that were documented, each once.

    Raises:
        UsageError: An id is none, or the reason is empty; nothing was documented.
    """
    if not reason.strip():
        raise UsageError("--reason", "is empty; say why the change was made")
    found = {
        f"{one.id}.{k}" if k else one.id: (one, k)
        for one, k in (_change(connection, text) for text in ids)
    }
    body = {
        "changes": list(found),
        "reason": reason.strip(),
        "ticket": ticket,
        "by": by or who_runs()["account"],
    }
    seq = _append(connection, "document", None, body)
    add_words(
        connection, seq, list(found.values()), {k: v for k, v in body.items() if k != "changes"}
    )
    return list(found)


def accept_baseline(
    connection: Connection, server: str, snapshot: str, by: str | None
) -> tuple[str, int, str | None]:
    """
    Accept a snapshot as what is wanted.

    Returns:
        The server, the snapshot and its time.
    """
    number, name = known_server(connection, server)
    found = find_snapshot(connection, number, name, snapshot)
    body = {"snapshot": found.seq, "by": by or who_runs()["account"]}
    set_baseline(
        connection, _append(connection, "baseline", (number, name), body), number, found.seq
    )
    return name, found.seq, utc(found.at)


def baseline_lines(connection: Connection, server: str | None) -> Iterator[dict[str, Any]]:
    """Give the baseline of one server or of all."""
    names = [server] if server else server_names(connection)
    for one in names:
        number, name = known_server(connection, one)
        seq = baseline_of(connection, number)
        at = next((s.at for s in snapshots_of(connection, number) if s.seq == seq), None)
        yield {"server": name, "snapshot": str(seq) if seq else None, "at": utc(at)}


def _change(connection: Connection, text: str) -> tuple[Recorded, int]:
    """Find a change by its id; `14.1.5` is the fifth of those folded into 14.1."""
    numbers = re.fullmatch(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", text.strip())
    found = find_change(connection, int(numbers[1]), int(numbers[2])) if numbers else None
    k = int(numbers[3]) if numbers and numbers[3] else 0
    if found is None or k > len(found.change.folded):
        raise UsageError(
            text,
            "is the id of no change; nothing was documented",
            "find it with: changelog-tracker log",
        )
    return found, k


def _append(
    connection: Connection, action: str, server: tuple[int, str] | None, body: dict[str, Any]
) -> int:
    return append(
        connection,
        action,
        server=server,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body=body,
    )
