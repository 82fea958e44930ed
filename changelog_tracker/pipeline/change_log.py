"""`log`: the change log, oldest first, in the lines of `--json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.pipeline.lines import change_line, class_of, context_of, known_server
from changelog_tracker.store.changes import earlier_forms, load_changes
from changelog_tracker.store.packing import micros

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.replay.commands import Context
    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which changes of the log are asked for."""

    server: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    undocumented: bool = False
    classes: tuple[str, ...] = ()
    all: bool = False
    unfold: bool = False


def log_lines(connection: Connection, wish: LogWish, *, commands: bool = True) -> Iterator[Line]:
    """Give the change log, oldest first; without `commands` no redo, undo and why not."""
    number = known_server(connection, wish.server)[0] if wish.server else None
    recorded = load_changes(
        connection,
        number,
        since=micros(wish.since) if wish.since else None,
        until=micros(wish.until) if wish.until else None,
        superseded=wish.all,
    )
    if wish.all:
        forms = [form for one in recorded for form in (*earlier_forms(one), one)]
        recorded = sorted(forms, key=lambda one: (one.seen, one.server.casefold(), one.seq, one.n))
    contexts: dict[str, Context | None] = {}
    for one in recorded:
        parts = _parts(one, wish)
        if not parts:
            continue
        if one.server not in contexts:
            contexts[one.server] = context_of(connection, one.server) if commands else None
        lines = [{**change_line(part, contexts[one.server]), "id": id_} for id_, part in parts]
        if wish.undocumented and (lines[0]["documented"] or one.superseded_by):
            continue
        yield from lines


def _parts(one: Recorded, wish: LogWish) -> list[tuple[str, Recorded]]:
    """Give the lines of a change that are asked for, with their ids."""
    below = [(f"{one.id}.{k}", one.folded(k)) for k in range(1, len(one.change.folded) + 1)]
    if not wish.classes or class_of(one) in wish.classes:
        return [(one.id, one), *(below if wish.unfold else ())]
    # What a run of a replay script made may be folded into what happened to the server.
    asked = "replay" in wish.classes
    return [part for part in below if asked and class_of(part[1]) == "replay"]
