"""Writes what an import found: the newest snapshot of its server, or one that comes in late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker.pipeline.late import Late, insert_late, tell_again
from changelog_tracker.pipeline.replayed.ties import tie_changes
from changelog_tracker.pipeline.surroundings import classified
from changelog_tracker.store.changes import Recorded, add_changes
from changelog_tracker.store.contents import add_contents, digest_of, load_contents
from changelog_tracker.store.history import snapshot_body
from changelog_tracker.store.journal import append
from changelog_tracker.store.lookups import raw_files
from changelog_tracker.store.packing import micros
from changelog_tracker.store.states import Writing, save_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.model import Known, ReadingKey, Step, Taken
    from changelog_tracker.pipeline.outcome import Retold
    from changelog_tracker.store.database import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What an import found.

    Args:
        server: Number and name.
        known: What was known before it; of a late one with every resource.
        taken: What it read.
        done: What that did to what was known.
        raw: The redacted bytes of each file that was parsed, by its reading.
        source: Where the files came from.
        said: What the journal keeps of it besides.
    """

    server: tuple[int, str]
    known: Known
    taken: Taken
    done: Step
    raw: Mapping[ReadingKey, bytes]
    source: str
    said: dict[str, object]

    @property
    def at(self) -> int:
        """Its time, microseconds."""
        return micros(self.taken.at)


@dataclass(frozen=True, slots=True)
class Written:
    """A snapshot that was written: its number, its changes, and what it did to later ones."""

    seq: int
    changes: tuple[Recorded, ...]
    retold: Retold | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """
    The transaction of one import.

    Args:
        connection: The transaction.
        key_id: The key of its fingerprints.
        new: Contents that the store may not have yet, by their digests.
    """

    connection: Connection
    key_id: str
    new: dict[bytes, bytes]

    def newest(self, found: Finding) -> Written:
        """Write the newest snapshot of its server."""
        changes = classified(found.known, found.done, self._load)
        raw = self._add_contents(found, None)
        body = snapshot_body(found.done, raw, changes, self.key_id)
        seq = self._append(found, body, nothing_new=not body)
        number, name = found.server
        recorded = tuple(
            Recorded(seq, n, name, seq, found.at, change) for n, change in enumerate(changes, 1)
        )
        save_step(self.connection, found.done, Writing(number, found.at, raw))
        add_changes(self.connection, number, recorded)
        if recorded:
            tie_changes(self.connection, number, found.at)
        return Written(seq, recorded)

    def late(self, found: Finding) -> Written:
        """Write a snapshot that is older than others, and tell the history again."""
        late = Late(found.server[0], found.at, found.known, found.taken, found.done)
        told = tell_again(self.connection, late, self._load)
        raw = self._add_contents(found, found.at)
        # Which changes it makes is told by the entry that tells the history again.
        seq = self._append(found, snapshot_body(found.done, raw, [], self.key_id))
        retold, changes = insert_late(self.connection, found.server, seq, told, raw)
        tie_changes(self.connection, found.server[0], found.at)
        return Written(seq, changes, retold)

    def _append(self, found: Finding, body: dict[str, object], *, nothing_new: bool = False) -> int:
        return append(
            self.connection,
            "snapshot",
            server=found.server,
            at=found.at,
            received=micros(datetime.now(tz=UTC)),
            source=found.source,
            body={**body, **found.said} or None,
            nothing_new=nothing_new,
        )

    def _add_contents(self, found: Finding, at: int | None) -> dict[ReadingKey, bytes]:
        """Keep the contents that are new, and the raw files; give the digests of these."""
        done, held = found.done, found.known.held
        raw = {key: digest_of(data) for key, data in found.raw.items() if key in done.readings}
        datas = {
            one.digest: self.new[one.digest]
            for one in done.opened.values()
            if one.digest in self.new
        }
        datas |= {digest: found.raw[key] for key, digest in raw.items()}
        earlier = {one.digest: held[key].digest for key, one in done.opened.items() if key in held}
        before = raw_files(self.connection, found.server[0], at) if raw else {}
        earlier |= {digest: before[key] for key, digest in raw.items() if key in before}
        add_contents(self.connection, datas, earlier)
        return raw

    def _load(self, digest: bytes) -> bytes:
        return load(self.connection, self.new, digest)


def load(connection: Connection, new: dict[bytes, bytes], digest: bytes) -> bytes:
    """Give a content that was just read, or is in the store."""
    if digest not in new:
        new |= load_contents(connection, [digest])
    return new[digest]
