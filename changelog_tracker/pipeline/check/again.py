"""
The derived rows made again from the journal, in a store of their own in memory.

Each entry does to them what it did when it was written, by the same code. So rows that are as they
were come out the same, those of late snapshots too: what a late snapshot laid depended on what
was known when it came in, which is what lies here by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from changelog_tracker.model import Step
from changelog_tracker.pipeline.late import lay_again
from changelog_tracker.store.changes import (
    Recorded,
    add_changes,
    change_of,
    moved,
    rewrite,
)
from changelog_tracker.store.history import step_in
from changelog_tracker.store.inventory import ADD, REMOVE
from changelog_tracker.store.packing import canonical_json
from changelog_tracker.store.pruning import PRUNE, RAW_FILES
from changelog_tracker.store.replays import REPLAYED
from changelog_tracker.store.scratch import Scratch
from changelog_tracker.store.states import Writing, save_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.store.chain import Link
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.derived import Rows
    from changelog_tracker.store.journal import Entry

_WRONG = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


@dataclass(slots=True)
class Again:
    """
    Follows the journal and makes the derived rows.

    Args:
        scratch: The store in memory.
        changes: The changes of each server, by seq and n.
        words: The rows of what people said.
        baselines: The rows of baselines.
        inventory: The rows of the inventory.
        given_up: The servers whose rows cannot be told, and why not; None for what is of no server.
    """

    scratch: Scratch
    changes: dict[int, dict[tuple[int, int], Recorded]] = field(default_factory=dict)
    words: Rows = field(default_factory=dict)
    baselines: Rows = field(default_factory=dict)
    inventory: Rows = field(default_factory=dict)
    given_up: dict[int | None, str] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        """The store in memory."""
        return self.scratch.connection

    def add(self, link: Link, *, sound: bool) -> None:
        """Take the next row of the journal; from one that is not sound on, nothing is certain."""
        server = link.server_id
        if server in self.given_up:
            return
        if link.entry is None or not sound:
            self.given_up[server] = f"the journal is damaged from row {link.seq} on"
            return
        act = _ACTS.get(link.entry.action)
        try:
            if act is not None:
                act(self, link.entry, server)
        except _WRONG:
            self.given_up[server] = f"row {link.seq} of the journal is not understood"

    def give_up(self, seq: int) -> None:
        """Take note that rows are missing before one, and nobody knows whose."""
        for server in (None, *self.scratch.servers):
            self.given_up.setdefault(server, f"rows of the journal are missing before row {seq}")

    def snapshot(self, entry: Entry, server: int | None) -> None:
        """Do what a snapshot did."""
        if server is None or entry.at is None:
            raise ValueError(entry.action)
        body = entry.body or {}
        done, raw = step_in(body) if "readings" in body else (Step(), {})
        self.scratch.add_contents([*(one.digest for one in done.opened.values()), *raw.values()])
        if entry.at <= self.scratch.newest.get(server, entry.at - 1):
            self.scratch.flush()
            lay_again(self.connection, server, entry.at, done, raw)
        elif "readings" in body:
            save_step(self.connection, done, Writing(server, entry.at, raw))
        self.scratch.add_snapshot(server, entry.seq, entry.at)
        self._bring(
            server,
            [
                Recorded(entry.seq, n, str(entry.server), entry.seq, entry.at, change_of(one))
                for n, one in enumerate(body.get("changes", ()), 1)
            ],
        )

    def _bring(self, server: int, brought: list[Recorded]) -> None:
        if brought:
            add_changes(self.connection, server, brought)
            self.changes.setdefault(server, {}).update(((one.seq, one.n), one) for one in brought)

    def revision(self, entry: Entry, server: int | None) -> None:
        """Do what telling the history again did to the changes."""
        if server is None:
            raise ValueError(entry.action)
        known = self.changes.setdefault(server, {})
        added = [
            Recorded(
                entry.seq,
                n,
                str(entry.server),
                one["snapshot"],
                one["seen"],
                change_of(one["change"]),
            )
            for n, one in enumerate(entry.body["added"], 1)
        ]
        told = [
            moved(known[_key(one["id"])], one["snapshot"], one["seen"], change_of(one["change"]))
            for one in entry.body["amended"]
        ]
        for one in entry.body["superseded"]:
            by = one["by_added"]
            name = f"{entry.seq}.{by}" if by else str(entry.seq)
            told.append(replace(known[_key(one["id"])], superseded_by=name))
        self._bring(server, added)
        rewrite(self.connection, server, told)
        known.update(((one.seq, one.n), one) for one in told)

    def document(self, entry: Entry, _server: int | None) -> None:
        """Do what documenting, approving and rejecting did."""
        said = {key: what for key, what in entry.body.items() if key != "changes"}
        for name in entry.body["changes"]:
            seq, n, k = (*map(int, name.split(".")), 0)[:3]
            self.words[seq, n, k, entry.seq] = {"body": canonical_json(said)}

    def replayed(self, entry: Entry, _server: int | None) -> None:
        """Do what tying changes to the steps of a replay script did."""
        for one in entry.body["said"]:
            said = {key: what for key, what in one.items() if key != "change"}
            seq, n, k = (*map(int, one["change"].split(".")), 0)[:3]
            self.words[seq, n, k, entry.seq] = {"body": canonical_json(said)}

    def baseline(self, entry: Entry, server: int | None) -> None:
        """Do what setting a baseline did."""
        row = {"server_id": server, "snapshot": entry.body["snapshot"]}
        self.baselines[entry.seq,] = row

    def server_add(self, entry: Entry, _server: int | None) -> None:
        """Do what taking a server into the inventory did."""
        row = {"body": canonical_json(entry.body["entry"])}
        self.inventory[entry.body["name"].casefold(),] = row

    def server_remove(self, entry: Entry, _server: int | None) -> None:
        """Do what taking a server out of it did."""
        del self.inventory[entry.body["name"].casefold(),]

    def prune(self, entry: Entry, _server: int | None) -> None:
        """Do what taking raw files away did."""
        if entry.body["what"] == RAW_FILES:
            self.scratch.forget_raw([bytes.fromhex(digest) for digest in entry.body["digests"]])


def _key(name: str) -> tuple[int, int]:
    seq, n = map(int, name.split("."))
    return seq, n


_ACTS: dict[str, Callable[[Again, Entry, int | None], None]] = {
    "snapshot": Again.snapshot,
    "revision": Again.revision,
    "document": Again.document,
    "approve": Again.document,
    "reject": Again.document,
    # A row `replay` is all there is of its run: nothing is derived from it but these.
    REPLAYED: Again.replayed,
    "baseline": Again.baseline,
    PRUNE: Again.prune,
    ADD: Again.server_add,
    REMOVE: Again.server_remove,
}
