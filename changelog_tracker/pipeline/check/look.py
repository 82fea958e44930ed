"""One look at a store, check by check."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreError
from changelog_tracker.pipeline.check.again import Again
from changelog_tracker.pipeline.check.finding import NOT_ALL, Finding
from changelog_tracker.pipeline.check.good import SCHEMA
from changelog_tracker.pipeline.check.key import CHECK as KEY
from changelog_tracker.pipeline.check.key import key_findings
from changelog_tracker.pipeline.check.rows import CHECK as ROWS
from changelog_tracker.pipeline.check.rows import row_findings
from changelog_tracker.pipeline.check.walk import Walk, uses
from changelog_tracker.store.content_check import Contents, content_names, read_contents
from changelog_tracker.store.integrity import (
    Damage,
    dictionary_damage,
    loose_rows,
    made_by,
    odd_names,
    own_check,
    revisions,
    said_plainly,
    schema_damage,
    wrong_cells,
    wrong_revision,
)
from changelog_tracker.store.schema import REVISION, refuse_other

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.scratch import Scratch

DATABASE, JOURNAL = "database", "journal"
REFERENCES, CONTENTS = "references", "contents"


@dataclass(slots=True)
class Look:
    """
    One look at a store.

    Args:
        connection: The store.
        scratch: A store in memory, made by the same migrations.
        place: The store's name.
        key_file: Where its key belongs.
        walk: What its journal says.
        contents: What was read of its contents; None where they were not.
    """

    connection: Connection
    scratch: Scratch
    place: str
    key_file: Path
    walk: Walk = field(default_factory=Walk)
    contents: Contents | None = None

    def run(self, *, read_data: bool) -> Iterator[Finding]:
        """
        Do every check; of each the damaged places come first, then the line about it all.

        Raises:
            StoreError: The store is of another schema.
        """
        again = Again(self.scratch) if read_data else None
        yield from self._schema()
        yield from self._guarded(DATABASE, self._database)
        yield from self._guarded(JOURNAL, lambda: self._journal(again))
        yield from self._guarded(KEY, lambda: key_findings(self.connection, self.key_file))
        yield from self._guarded(REFERENCES, self._references)
        if again is not None:
            yield from self._guarded(CONTENTS, self._contents)
            yield from self._guarded(ROWS, lambda: row_findings(self.connection, again))

    def _guarded(self, check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        """Let a check say what it cannot read."""
        try:
            with said_plainly(self.place):
                yield from look()
        except StoreError as error:
            yield Finding(check, "bad", f"{NOT_ALL}: {error.what}")

    def _schema(self) -> Iterator[Finding]:
        with said_plainly(self.place):
            found = revisions(self.connection)
            damage = list(schema_damage(self.connection, self.scratch.connection))
        wrong = wrong_revision(found)
        if wrong is not None and damage:
            refuse_other(found[0] if found and len(found) == 1 else None, self.place)
        damage = [wrong, *damage] if wrong else damage
        yield from _all(SCHEMA, f"{REVISION}, as this program makes it", damage)

    def _database(self) -> Iterator[Finding]:
        found = chain(
            own_check(self.connection),
            wrong_cells(self.connection),
            dictionary_damage(self.connection, self.scratch.connection),
        )
        yield from _all(DATABASE, made_by(self.connection), found)

    def _journal(self, again: Again | None) -> Iterator[Finding]:
        self.scratch.copy_servers(self.connection)
        self.walk.follow(self.connection, again)
        told = self.walk.chain
        for one in told.breaks:
            place = f"journal row {one.first}"
            if one.last > one.first:
                place = f"journal rows {one.first} to {one.last}"
            said = self.walk.said.get(one.first)
            yield Finding(JOURNAL, "bad", f"{one.what}: {said}" if said else one.what, place)
        if told.breaks:
            what = f"{told.rows:,} rows; the chain is broken at row {told.breaks[0].first}"
            yield Finding(JOURNAL, "bad", what)
            return
        head = f", head {told.head.hex()}, row {told.seq}" if told.head else ""
        yield Finding(JOURNAL, "ok", f"{told.rows:,} rows, the chain holds{head}")

    def _references(self) -> Iterator[Finding]:
        damage = list(loose_rows(self.connection))
        if not self.walk.breaks:
            damage += odd_names(self.connection, self.walk.accounts, self.walk.servers)
            damage += [
                Damage(_name(digest), "is there, but nothing in the journal names it")
                for digest in sorted(set(content_names(self.connection)) - self.walk.named)
            ]
        yield from _all(REFERENCES, "nothing is loose, nothing refers to nothing", damage)

    def _contents(self) -> Iterator[Finding]:
        self.contents = found = read_contents(self.connection)
        for digest in self.walk.needed - found.whole - found.lost.keys():
            found.lost[digest] = "is missing"
        needed = uses(self.connection, found.lost.keys()) if found.lost else {}
        for digest, why in sorted(found.lost.items()):
            by = "; ".join(needed.get(digest, ["nothing that the journal names"]))
            yield Finding(CONTENTS, "bad", f"{why}; needed by: {by}", _name(digest))
        for digest in found.odd:
            yield Finding(CONTENTS, "bad", "is whole, but is not packed as it says", _name(digest))
        if found.lost:
            total = len(found.lost) + len(found.whole)
            yield Finding(CONTENTS, "bad", f"{len(found.lost):,} of {total:,} cannot be read")
            return
        if found.odd:
            yield Finding(CONTENTS, "bad", f"{len(found.odd):,} are not packed as they say")
            return
        gone = len(self.walk.named - self.walk.needed)
        pruned = f"; {gone:,} pruned" if gone else ""
        what = f"{len(found.whole):,}, {found.size:,} bytes, each as it was written{pruned}"
        yield Finding(CONTENTS, "ok", what)


def _name(digest: bytes) -> str:
    return f"content {digest.hex()[:12]}"


def _all(check: str, fine: str, damage: Iterable[Damage]) -> Iterator[Finding]:
    """Give what is damaged, and the line about all of it."""
    count = 0
    for one in damage:
        yield Finding(check, "bad", one.what, one.place)
        count += 1
    if count:
        yield Finding(check, "bad", f"{count:,} damaged")
    else:
        yield Finding(check, "ok", fine)
