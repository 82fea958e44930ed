"""
Changes of the log tied to the steps of a replay script that made them.

That is done when a run is imported, and when a snapshot is: whichever comes second finds the other.
What was changed in that time and is in no journal stays undocumented.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from changelog_tracker.pipeline.replayed.steps import DoneStep, done_steps, maker
from changelog_tracker.store.changes import Recorded, load_changes
from changelog_tracker.store.journal import append
from changelog_tracker.store.packing import micros
from changelog_tracker.store.replays import REPLAYED, run_bodies
from changelog_tracker.store.words import add_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.store.database import Connection


def tie_changes(connection: Connection, server_id: int, since: int | None = None) -> list[str]:
    """
    Document the changes that steps of a replay script made.

    Args:
        connection: The transaction that wrote the snapshot or the run.
        server_id: The server.
        since: Only changes seen at this time or later, microseconds.

    Returns:
        The ids of the changes that were not documented so before.
    """
    done = done_steps(run_bodies(connection, server_id))
    if not done:
        return []
    first = done[0].when if since is None else max(since, done[0].when)
    found: list[tuple[Recorded, int, dict[str, Any]]] = []
    for one in load_changes(connection, server_id, since=first):
        for k, part in _parts(one):
            step = maker(part.change, one.seen, done)
            words = _words(step) if step is not None else None
            if words is not None and words not in part.words:
                found.append((one, k, words))
    if found:
        _write(connection, found)
    return [_id(one, k) for one, k, _ in found]


def _parts(one: Recorded) -> Iterator[tuple[int, Recorded]]:
    yield 0, one
    for k in range(1, len(one.change.folded) + 1):
        yield k, one.folded(k)


def _words(step: DoneStep) -> dict[str, Any]:
    plan, mode, host, _ = step.run
    undo = "undo of " if mode == "undo" else ""
    return {
        "reason": f"{undo}replay step {step.id} of plan {plan}",
        "ticket": None,
        "by": step.operator,
        "replay": {"plan": plan, "step": step.id, "host": host, "at": step.at},
    }


def _write(connection: Connection, found: list[tuple[Recorded, int, dict[str, Any]]]) -> None:
    said = [{"change": _id(one, k), **words} for one, k, words in found]
    seq = append(
        connection,
        REPLAYED,
        # As with what people say: it is looked at together, whatever the server.
        server=None,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body={"said": said},
    )
    for one, k, words in found:
        add_words(connection, seq, [(one, k)], words)


def _id(one: Recorded, k: int) -> str:
    return f"{one.id}.{k}" if k else one.id
