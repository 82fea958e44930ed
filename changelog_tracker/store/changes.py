"""Changes: as they stand in the journal, and the rows that the log is read from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.model import Change
from changelog_tracker.store.damage import lost
from changelog_tracker.store.packing import (
    micros,
    moment,
    pack_body,
    read_body,
)
from changelog_tracker.store.tables import change as change_table
from changelog_tracker.store.tables import journal, server
from changelog_tracker.store.words import that_count, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection


# SQLite's oldest limit on variables of one statement is 999.
_AT_ONCE = 900


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    A change as the log holds it.

    Args:
        seq: The journal entry that brought it.
        n: Its number there; `seq.n` is its id.
        server: The server's name.
        snapshot: The snapshot at which it shows.
        seen: That snapshot's time, microseconds.
        change: What changed.
        superseded_by: What took its place when an older snapshot came in late.
        earlier: How it was recorded before late snapshots told more.
        words: What people and replay scripts said of it; the last counts.
        below: What they said of those that are folded into it, by their number.
    """

    seq: int
    n: int
    server: str
    snapshot: int
    seen: int
    change: Change
    superseded_by: str | None = None
    earlier: tuple[dict[str, Any], ...] = ()
    words: tuple[dict[str, Any], ...] = ()
    below: dict[int, tuple[dict[str, Any], ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id that people write."""
        return f"{self.seq}.{self.n}"

    def folded(self, k: int) -> Recorded:
        """Give one of the changes that are folded into it; a reason for the whole covers it."""
        return replace(
            self, change=self.change.folded[k - 1], words=self.below.get(k) or self.words, below={}
        )


def change_json(change: Change) -> dict[str, Any]:
    """Give a change as it stands in the journal."""
    found: dict[str, Any] = {
        "kind": change.kind,
        "resource": change.resource,
        "setting": change.setting,
        "action": change.action,
        "before": change.before,
        "after": change.after,
        "class": change.category,
        "not_before": micros(change.not_before) if change.not_before else None,
    }
    if change.also:
        found["also"] = list(change.also)
    if change.folded:
        found["folded"] = [change_json(one) for one in change.folded]
    return found


def change_of(found: dict[str, Any]) -> Change:
    """Give back what `change_json` was given."""
    not_before = found["not_before"]
    return Change(
        kind=found["kind"],
        resource=found["resource"],
        setting=found["setting"],
        action=found["action"],
        before=found["before"],
        after=found["after"],
        category=found["class"],
        also=tuple(found.get("also", ())),
        folded=tuple(change_of(one) for one in found.get("folded", ())),
        not_before=None if not_before is None else moment(not_before),
    )


def add_changes(connection: Connection, server_id: int, rows: Iterable[Recorded]) -> None:
    """Write the rows of new changes."""
    values = [_row(connection, server_id, one) for one in rows]
    if values:
        connection.execute(insert(change_table), values)


def load_changes(
    connection: Connection,
    server_id: int | None = None,
    *,
    since: int | None = None,
    until: int | None = None,
    superseded: bool = False,
) -> list[Recorded]:
    """
    Give changes, oldest first.

    Args:
        connection: An open transaction.
        server_id: Of one server only.
        since: Seen at or after, microseconds.
        until: Seen at or before.
        superseded: Also those that no longer hold.
    """
    table = change_table
    query = (
        select(table, server.c.name.label("server_name"))
        .join(server, server.c.id == table.c.server_id)
        .order_by(table.c.seen, server.c.folded, table.c.seq, table.c.n)
    )
    if server_id is not None:
        query = query.where(table.c.server_id == server_id)
    if since is not None:
        query = query.where(table.c.seen >= since)
    if until is not None:
        query = query.where(table.c.seen <= until)
    if not superseded:
        query = query.where(table.c.superseded_by.is_(None))
    return _recorded(connection, connection.execute(query).all())


def find_change(connection: Connection, seq: int, n: int) -> Recorded | None:
    """Give one change by its id."""
    row = connection.execute(
        select(change_table, server.c.name.label("server_name"))
        .join(server, server.c.id == change_table.c.server_id)
        .where(change_table.c.seq == seq, change_table.c.n == n)
    ).first()
    return _recorded(connection, [row])[0] if row else None


def next_change(connection: Connection, server_id: int, after: int) -> int | None:
    """Give the time of a server's first change after a time, microseconds."""
    table = change_table
    return connection.execute(
        select(func.min(table.c.seen)).where(table.c.server_id == server_id, table.c.seen > after)
    ).scalar()


def rewrite(connection: Connection, server_id: int, rows: Iterable[Recorded]) -> None:
    """Bring derived rows to what the journal says now."""
    for one in rows:
        connection.execute(
            update(change_table)
            .where(
                change_table.c.server_id == server_id,
                change_table.c.seq == one.seq,
                change_table.c.n == one.n,
            )
            .values(**_row(connection, server_id, one))
        )


def moved(one: Recorded, snapshot: int, seen: int, change: Change) -> Recorded:
    """Give a change as a late snapshot shows it, keeping its id and how it was recorded."""
    before = {"snapshot": one.snapshot, "seen": one.seen, "change": change_json(one.change)}
    return replace(one, snapshot=snapshot, seen=seen, change=change, earlier=(*one.earlier, before))


def change_in(action: str, body: Any, n: int) -> Change:  # noqa: ANN401  any JSON value
    """Give the n-th change that a journal entry brought."""
    if action == "revision":
        return change_of(body["added"][n - 1]["change"])
    return change_of(body["changes"][n - 1])


def _row(connection: Connection, server_id: int, one: Recorded) -> dict[str, Any]:
    # What was never told otherwise stands in the journal, and needs no copy.
    said = {**change_json(one.change), "earlier": list(one.earlier)} if one.earlier else None
    return {
        "seq": one.seq,
        "n": one.n,
        "server_id": server_id,
        "snapshot": one.snapshot,
        "seen": one.seen,
        "body": pack_body(connection, said),
        "superseded_by": one.superseded_by,
    }


def _recorded(connection: Connection, rows: Sequence[Any]) -> list[Recorded]:
    words = words_of(connection)
    brought = _brought(connection, sorted({row.seq for row in rows if row.body is None}))
    found = []
    for row in rows:
        try:
            change, earlier = _change_of(connection, row, brought)
        except StoreDamagedError as error:
            lost(connection, error)
            continue
        said = words.get((row.seq, row.n), {})
        one = Recorded(
            seq=row.seq,
            n=row.n,
            server=row.server_name,
            snapshot=row.snapshot,
            seen=row.seen,
            change=change,
            superseded_by=row.superseded_by,
            earlier=tuple(earlier),
            words=that_count(said.get(0, ()), change, row.seen),
            below={
                k: that_count(said.get(k, ()), part, row.seen)
                for k, part in enumerate(change.folded, 1)
            },
        )
        found.append(one)
    return found


def _change_of(
    connection: Connection,
    row: Any,  # noqa: ANN401  a row
    brought: dict[int, tuple[str, Any]],
) -> tuple[Change, list[Any]]:
    """
    Give the change that a row is about, and how it was recorded before.

    Raises:
        StoreDamagedError: Neither the row nor the journal says it any more.
    """
    try:
        if row.body is None:
            return change_in(*brought[row.seq], row.n), []
        body = read_body(connection, row.body)
        return change_of(body), body.get("earlier", [])
    except (StoreDamagedError, LookupError, TypeError, AttributeError) as error:
        raise StoreDamagedError("store", f"change {row.seq}.{row.n} cannot be read") from error


def _brought(connection: Connection, seqs: Sequence[int]) -> dict[int, tuple[str, Any]]:
    """Give action and body of journal entries; of those that can be read."""
    found: dict[int, tuple[str, Any]] = {}
    for start in range(0, len(seqs), _AT_ONCE):
        for row in connection.execute(
            select(journal.c.seq, journal.c.action, journal.c.body).where(
                journal.c.seq.in_(seqs[start : start + _AT_ONCE])
            )
        ):
            with suppress(StoreDamagedError):
                found[row.seq] = row.action, read_body(connection, row.body)
    return found


def earlier_forms(one: Recorded) -> Iterator[Recorded]:
    """Give how a change was recorded before late snapshots told more."""
    for before in one.earlier:
        yield replace(
            one,
            snapshot=before["snapshot"],
            seen=before["seen"],
            change=change_of(before["change"]),
            superseded_by=one.id,
            earlier=(),
        )
