"""The derived rows of a store held against those that its journal makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from changelog_tracker.pipeline.check.finding import Finding
from changelog_tracker.store.derived import (
    baseline_rows,
    change_rows,
    expected_changes,
    inventory_rows,
    state_rows,
    word_rows,
)
from changelog_tracker.store.packing import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.pipeline.check.again import Again
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.derived import Rows

CHECK = "derived rows"
_TIMES = frozenset({"from_at", "until_at", "seen"})
# What a command tells wrong by such a row.
_MEANS = {
    "reading": "show and snapshots",
    "reading_state": "show, snapshots and log --coverage",
    "resource": "show, diff and drift",
    "version": "show, diff and drift",
    "change": "log",
    "documentation": "log",
    "baseline": "drift",
    "inventory": "server list and take",
}


@dataclass(slots=True)
class Compared:
    """How many rows were compared, and how many of them are not what the journal says."""

    rows: int = 0
    wrong: int = 0

    def of(self, table: str, found: Rows, expected: Rows, whose: str) -> Iterator[Finding]:
        """Hold rows of one table against what they should be."""
        self.rows += len(expected.keys() | found.keys())
        # The keys of damaged rows may be of several types.
        for key in sorted(expected.keys() | found.keys(), key=repr):
            if found.get(key) == expected.get(key) and _types(found, key) == _types(expected, key):
                continue
            self.wrong += 1
            what = _difference(found.get(key), expected.get(key))
            means = f"{_MEANS[table]} of {whose}" if whose else _MEANS[table]
            yield Finding(
                CHECK, "bad", f"{what}; {means} may tell it wrong", _place(table, key, whose)
            )


def row_findings(connection: Connection, again: Again) -> Iterator[Finding]:
    """Compare every derived row that the journal still tells."""
    compared = Compared()
    changes = change_rows(connection)
    again.scratch.flush()
    for server, name in again.scratch.servers.items():
        own = {key: row for key, row in changes.items() if row["server_id"] == server}
        if server in again.given_up:
            continue
        expected = state_rows(again.connection, server)
        for table, found in state_rows(connection, server).items():
            yield from compared.of(table, found, expected[table], name)
        said = expected_changes(again.changes.get(server, {}), server, own)
        yield from compared.of("change", own, said, name)
    strange = {
        k: row for k, row in changes.items() if row["server_id"] not in again.scratch.servers
    }
    yield from compared.of("change", strange, {}, "")
    if None not in again.given_up:
        yield from compared.of("documentation", word_rows(connection), again.words, "")
        yield from compared.of("inventory", inventory_rows(connection), again.inventory, "")
    baselines = baseline_rows(connection)
    yield from compared.of("baseline", *_told(baselines, again.baselines, again), "")
    yield from _not_compared(again)
    yield _sum(compared, again)


def _told(found: Rows, expected: Rows, again: Again) -> tuple[Rows, Rows]:
    """Leave out the rows of servers whose journal does not tell any more."""
    left, right = (
        {key: row for key, row in rows.items() if row["server_id"] not in again.given_up}
        for rows in (found, expected)
    )
    return left, right


def _not_compared(again: Again) -> Iterator[Finding]:
    for server, why in again.given_up.items():
        whose = "what people said" if server is None else again.scratch.servers.get(server, "?")
        yield Finding(CHECK, "note", f"not compared: {why}", f"rows of {whose}")


def _sum(compared: Compared, again: Again) -> Finding:
    if compared.wrong:
        what = f"{compared.wrong:,} of {compared.rows:,} are not what the journal says"
        return Finding(CHECK, "bad", what)
    if again.given_up:
        return Finding(CHECK, "note", f"{compared.rows:,} compared, as the journal makes them")
    return Finding(CHECK, "ok", f"{compared.rows:,}, as the journal makes them")


def _types(rows: Rows, key: tuple[Any, ...]) -> list[type]:
    return [type(one) for one in rows.get(key, {}).values()]


def _difference(found: dict[str, Any] | None, expected: dict[str, Any] | None) -> str:
    if found is None:
        return "is missing; the journal has it"
    if expected is None:
        return "is there, but nothing in the journal makes it"
    parts = [
        f"{name} is {_value(name, found[name])}, by the journal {_value(name, expected[name])}"
        for name in expected
        if found[name] != expected[name] or type(found[name]) is not type(expected[name])
    ]
    return "; ".join(parts)


def _place(table: str, key: tuple[Any, ...], whose: str) -> str:
    parts = list(key)
    named = f"{table} of {whose}" if whose else table
    if table in {"reading_state", "version"}:
        at = _value("from_at", parts.pop())
        return f"{named}: {_name(parts)} from {at}"
    if table in {"reading", "resource"}:
        return f"{named}: {_name(parts)}"
    return f"{named} {'.'.join(map(str, parts))}"


def _name(parts: list[Any]) -> str:
    return " ".join(str(part) for part in parts if part not in {"", None})


def _value(name: str, value: Any) -> str:  # noqa: ANN401  a cell
    if isinstance(value, bytes):
        return f"{value[:6].hex()}..." if name != "body" else f"{len(value)} bytes"
    if name in _TIMES and isinstance(value, int):
        try:
            return f"{moment(value):%Y-%m-%dT%H:%M:%S.%fZ}".replace(".000000Z", "Z")
        except ArithmeticError:
            return str(value)
    return "nothing" if value is None else str(value)
