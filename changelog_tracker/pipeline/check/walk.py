"""The journal walked from its first row: the chain, what it names, and what derives from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from changelog_tracker.store.chain import Chain, about_row, links
from changelog_tracker.store.history import step_in
from changelog_tracker.store.inventory import ADD, REMOVE
from changelog_tracker.store.pruning import PRUNE
from changelog_tracker.store.replays import REPLAY, REPLAYED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from changelog_tracker.model import Step
    from changelog_tracker.pipeline.check.again import Again
    from changelog_tracker.store.chain import Break, Link
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.journal import Entry

_ALTERED = "what it says may not be what was recorded"
_LOST_WORD = "what it said is lost"
# What a row that cannot be read costs, by its action.
_LOST = {
    "snapshot": "log cannot show the changes that it brought",
    "revision": "log cannot show the changes that it brought",
    "document": "log still shows the reason, from a derived row",
    "approve": "log still shows the approval, from a derived row",
    "reject": "log still shows the rejection, from a derived row",
    REPLAY: "later snapshots cannot be tied to its steps",
    REPLAYED: "log still shows the steps, from a derived row",
    "baseline": "drift still knows it, from a derived row",
    ADD: "server list still knows it, from a derived row",
    REMOVE: "server list still does without it",
    "quiet": "snapshots cannot list them; they brought no change",
}
_WRONG = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Walk:
    """
    What the journal says of all else.

    Args:
        chain: Its numbers and hashes.
        named: The contents that it names.
        needed: Those of them that must be there: what was pruned need not.
        servers: The servers that rows are about, each with the number of its rows.
        accounts: Who wrote rows, as account, host and program.
        said: What rows that are broken are about, by the number of the first.
    """

    chain: Chain = field(default_factory=Chain)
    named: set[bytes] = field(default_factory=set)
    needed: set[bytes] = field(default_factory=set)
    servers: dict[int, int] = field(default_factory=dict)
    accounts: set[tuple[str, str, str]] = field(default_factory=set)
    said: dict[int, str] = field(default_factory=dict)

    @property
    def breaks(self) -> list[Break]:
        """What is not as it was written."""
        return self.chain.breaks

    def follow(self, connection: Connection, again: Again | None = None) -> None:
        """Walk it; `again` makes the derived rows on the way."""
        for link in links(connection):
            before = len(self.breaks)
            sound = self.chain.add(link)
            if link.server_id is not None:
                self.servers[link.server_id] = self.servers.get(link.server_id, 0) + 1
            if link.entry is not None:
                self._note(link.entry)
            for one in self.breaks[before:]:
                if not one.missing:
                    self.said[one.first] = _said(link)
            if again is not None:
                if any(one.missing for one in self.breaks[before:]):
                    again.give_up(link.seq)
                again.add(link, sound=sound)

    def _note(self, entry: Entry) -> None:
        who = entry.origin
        self.accounts.add((who["account"], who["host"], who["program"]))
        if entry.action == PRUNE:
            for digest in _pruned(entry.body):
                self.needed.discard(digest)
            return
        for digest in named_in(entry.body):
            self.named.add(digest)
            self.needed.add(digest)


def named_in(body: Any) -> Iterator[bytes]:  # noqa: ANN401  any JSON value
    """Give the contents that a snapshot's body names."""
    step = _step(body)
    if step is not None:
        done, raw = step
        yield from (one.digest for one in done.opened.values())
        yield from raw.values()
    if isinstance(body, dict):
        yield from _evidence(body)


def _evidence(body: dict[str, Any]) -> Iterator[bytes]:
    try:
        for source in body.get("evidence", ()):
            yield from (bytes.fromhex(digest) for digest in source["files"].values())
    except _WRONG:
        return


def _step(body: Any) -> tuple[Step, dict[Any, bytes]] | None:  # noqa: ANN401  any JSON value
    """Give what a snapshot did; None where it did nothing, or where that cannot be told."""
    if not isinstance(body, dict) or "readings" not in body:
        return None
    try:
        return step_in(body)
    except _WRONG:
        return None


def _pruned(body: Any) -> Iterator[bytes]:  # noqa: ANN401  any JSON value
    try:
        yield from (bytes.fromhex(one) for one in body["digests"])
    except _WRONG:
        return


def _said(link: Link) -> str:
    """Say what a row of the journal that is not sound is about, and what it no longer tells."""
    entry = link.entry
    if entry is None:
        action, about = link.about
        return f"{about}; {_LOST.get(action, _LOST_WORD)}"
    return f"{about_row(entry.action, entry.server, entry.at)}; {_ALTERED}"


def uses(connection: Connection, wanted: Collection[bytes]) -> dict[bytes, list[str]]:
    """Tell what some contents are needed for: which resource or raw file, in which snapshots."""
    found: dict[bytes, list[list[Any]]] = {}
    current: dict[tuple[Any, ...], list[Any]] = {}
    for link in links(connection):
        if link.entry is None:
            continue
        server, body = link.entry.server, link.entry.body
        for named in _evidence(body) if isinstance(body, dict) else ():
            if named in wanted:
                found.setdefault(named, []).append([f"evidence of {server}", link.seq, link.seq])
        step = _step(body)
        if step is None:
            continue
        done, raw = step
        told: dict[tuple[Any, ...], tuple[str, bytes | None]] = {
            (server, *key): (f"{server} {one.resource}", one.digest)
            for key, one in done.opened.items()
        }
        told |= {(server, *key): ("", None) for key in done.closed}
        told |= {
            (server, *key): (f"raw file of {server} {one.id}", raw.get(key))
            for key, one in done.readings.items()
        }
        for key, (words, digest) in told.items():
            if key in current:
                current.pop(key)[2] = link.seq
            if digest is not None and digest in wanted:
                current[key] = [words, link.seq, None]
                found.setdefault(digest, []).append(current[key])
    return {digest: [_use(*one) for one in many] for digest, many in found.items()}


def _use(words: str, first: int, until: int | None) -> str:
    return f"{words}, from snapshot {first} " + ("on" if until is None else f"until {until}")
