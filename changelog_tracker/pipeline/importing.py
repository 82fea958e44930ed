"""
`import`: the files at PATH become one snapshot of one server.

The paragraph: gather the files, read what is new in them, hold it against what is known, and
write snapshot and changes in one transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.collect.bundle import gather
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.diff.timeline import step
from changelog_tracker.errors import InputError
from changelog_tracker.model import Held, Known, Reading, Taken
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.facts import add_facts
from changelog_tracker.pipeline.files import FileReader
from changelog_tracker.pipeline.identity import likely_server, server_of
from changelog_tracker.pipeline.late import insert_late
from changelog_tracker.pipeline.outcome import Outcome, Retold, Wish
from changelog_tracker.pipeline.surroundings import classified, kinds_around
from changelog_tracker.store.changes import Recorded, add_changes
from changelog_tracker.store.contents import add_contents, digest_of, load_contents
from changelog_tracker.store.history import last_key_id, snapshot_body
from changelog_tracker.store.journal import append, server_id
from changelog_tracker.store.lookups import raw_file
from changelog_tracker.store.packing import micros
from changelog_tracker.store.states import (
    COLLECTOR,
    Wanted,
    Writing,
    load_held,
    load_known,
    save_step,
    snapshot_before,
)

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.model import ReadingKey, Record, ResourceKey, Step
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.read import Contents
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection

__all__ = ["Outcome", "Wish", "import_path"]

AHEAD = timedelta(minutes=5)


def import_path(store: Store, fingerprints: Fingerprints, path: Path, wish: Wish) -> Outcome:
    """
    Make a snapshot of what lies at PATH.

    Raises:
        InputError: Nothing was stored.
        StoreError: Nothing was stored.
    """
    gathered = gather(path)
    at = wish.at or (gathered.manifest.taken_at if gathered.manifest else datetime.now(tz=UTC))
    _refuse_future(gathered, at)
    with store.writing() as connection:
        return _Import(connection, fingerprints, gathered, at, wish).run()


def _refuse_future(gathered: Gathered, at: datetime) -> None:
    now = datetime.now(tz=UTC)
    if at > now + AHEAD:
        raise InputError(
            gathered.place,
            f"its time {at:%Y-%m-%dT%H:%M:%SZ} lies ahead of this machine's clock "
            f"({now:%Y-%m-%dT%H:%M:%SZ})",
            "set the clock right, or give the time with --at",
        )


@dataclass
class _Import:
    """One import inside its transaction; `new` holds contents that the store may not have yet."""

    connection: Connection
    fingerprints: Fingerprints
    gathered: Gathered
    at: datetime
    wish: Wish
    new: dict[bytes, bytes] = field(default_factory=dict)

    def run(self) -> Outcome:
        likely = likely_server(self.connection, self.gathered, self.fingerprints, self.wish.server)
        reader = self._reader(likely.known, likely.number, None)
        contents = reader.read()
        name = server_of(self.connection, self.gathered, contents, likely)
        number, known = likely.number, likely.known
        if number is None or likely.found != name:
            number = server_id(self.connection, name)
            known = load_known(self.connection, number)
        first = known.at is None
        if self._nothing_new(contents, known):
            return self._unchanged(name, number, contents)
        at: int | None = None
        if known.at is not None and known.at >= self.at:
            at = micros(self.at)
            known = load_known(self.connection, number, at)
            reader = self._reader(known, number, at)
            contents = reader.read()
            already = self._already(name, number, contents, known)
            if already is not None:
                return already
        other_key = not contents.unchanged and self._is_other_key(number)
        load_held(self.connection, number, known, at=at, only=[Wanted(SERVER)])
        build = self._add_facts(name, contents, reader, known)
        taken = self._taken(contents)
        load_held(self.connection, number, known, at=at, only=_changed(taken))
        done = step(known, taken, differ(self._load))
        around = kinds_around(done)
        if around:
            load_held(self.connection, number, known, at=at, only=[Wanted(k) for k in around])
        late = at is not None
        seq, changes = self._write(name, number, known, contents, done, late=late)
        retold: Retold | None = None
        if late:
            retold, changes = insert_late(self.connection, number, name, seq, self._load)
        return Outcome(
            name,
            seq,
            self.at,
            first=first,
            changes=changes,
            retold=retold,
            build=build,
            other_key=other_key,
            problems=tuple(contents.problems),
            not_used=contents.not_used,
            others=tuple(sorted(n for n in contents.servers if n.casefold() != name.casefold())),
        )

    def _reader(self, known: Known, number: int | None, at: int | None) -> FileReader:
        def raw(key: ReadingKey) -> bytes | None:
            if number is None:
                return None
            return raw_file(self.connection, number, key, at)

        return FileReader(self.gathered, self.fingerprints, known, raw)

    def _nothing_new(self, contents: Contents, known: Known) -> bool:
        """Tell whether newer files say, byte for byte, what the last ones said."""
        if known.at is None or known.at >= self.at or self.gathered.manifest or self.wish.build:
            return False
        if len(contents.unchanged) < len(contents.readings):
            return False
        return all(
            key in contents.unchanged
            or last.reading.status == "unread"
            or not last.reading.fingerprint
            for key, last in known.readings.items()
        )

    def _unchanged(self, name: str, number: int, contents: Contents) -> Outcome:
        """Write the one row of a snapshot that brought nothing new."""
        seq = self._append(name, number, None)
        return Outcome(name, seq, self.at, unchanged=True, problems=tuple(contents.problems))

    def _append(self, name: str, number: int, body: dict[str, object] | None) -> int:
        return append(
            self.connection,
            "snapshot",
            server=(number, name),
            at=micros(self.at),
            received=micros(datetime.now(tz=UTC)),
            source=self.gathered.place,
            body=body,
        )

    def _bundle_mark(self) -> bytes | None:
        """Give the fingerprint of bundle.json, which holds facts that no file holds."""
        for file in self.gathered.files:
            if self.gathered.manifest is not None and file.path == "bundle.json":
                return self.fingerprints.of_file(file.sha256)
        return None

    def _is_other_key(self, number: int) -> bool:
        """Tell whether what is known was fingerprinted with another key."""
        return last_key_id(self.connection, number) not in {None, self.fingerprints.key_id}

    def _already(self, name: str, number: int, contents: Contents, known: Known) -> Outcome | None:
        """
        Find the snapshot of this very time.

        Raises:
            InputError: There is one with other content.
        """
        before = snapshot_before(self.connection, number, micros(self.at))
        if before is None or before.at != micros(self.at):
            return None
        if _is_same(contents, known, self._bundle_mark()):
            return Outcome(name, before.seq, self.at, known=True)
        raise InputError(
            self.gathered.place,
            f"{name} already has a snapshot of {self.at:%Y-%m-%dT%H:%M:%SZ} with other content",
            "give the time at which this one was taken with --at",
        )

    def _add_facts(
        self, name: str, contents: Contents, reader: FileReader, known: Known
    ) -> str | None:
        reader.add_objects(name)
        facts = [h for h in known.held.values() if h.resource.kind == SERVER and h.reading[1]]
        self.new |= load_contents(self.connection, [held.digest for held in facts])
        earlier = {
            held.resource.aspect: str(json.loads(self._load(held.digest))[held.resource.aspect])
            for held in facts
        }
        manifest = self.gathered.manifest
        return add_facts(contents, manifest, reader.install_path, self.wish.build, earlier)

    def _taken(self, contents: Contents) -> Taken:
        held: dict[ReadingKey, dict[ResourceKey, Held]] = {}
        for key, records in contents.records.items():
            held[key] = {record.resource.key: self._held(record, key) for record in records}
        collector = None
        if self.gathered.manifest is not None:
            made_by = self.gathered.manifest.collector
            collector = f"{made_by.name or '?'} {made_by.version or '?'}"
            contents.readings[COLLECTOR.key] = Reading(
                COLLECTOR, reason=collector, fingerprint=self._bundle_mark()
            )
            contents.unchanged.add(COLLECTOR.key)
        return Taken(
            self.at, collector, contents.readings, held, contents.unchanged, contents.touched
        )

    def _held(self, record: Record, reading: ReadingKey) -> Held:
        digest = digest_of(record.content)
        self.new[digest] = record.content
        return Held(record.resource, reading, digest)

    def _write(
        self,
        name: str,
        number: int,
        known: Known,
        contents: Contents,
        done: Step,
        *,
        late: bool,
    ) -> tuple[int, tuple[Recorded, ...]]:
        """Write the snapshot; of a late one only what was recorded, the rest is told again."""
        at = micros(self.at)
        # Which changes a late snapshot makes is told by the entry that tells the history again.
        changes = [] if late else classified(known, done, self._load)
        raw = {key: digest_of(data) for key, data in contents.raw.items() if key in done.readings}
        datas = [self.new[held.digest] for held in done.opened.values() if held.digest in self.new]
        add_contents(self.connection, [*datas, *(contents.raw[key] for key in raw)])
        body = snapshot_body(done, raw, changes, self.fingerprints.key_id)
        seq = self._append(name, number, body)
        recorded = [Recorded(seq, n, name, seq, at, change) for n, change in enumerate(changes, 1)]
        if not late:
            save_step(self.connection, done, Writing(number, at, raw))
            add_changes(self.connection, number, recorded)
        return seq, tuple(recorded)

    def _load(self, digest: bytes) -> bytes:
        if digest not in self.new:
            self.new |= load_contents(self.connection, [digest])
        return self.new[digest]


def _changed(taken: Taken) -> set[Wanted]:
    """Give what is compared: all of an Exchange noun, else one file or the changed part of it."""
    wanted = set()
    for key, reading in taken.readings.items():
        if key in taken.unchanged or reading.status == "unread":
            continue
        touched = taken.touched.get(key)
        names = None if touched is None else frozenset(one[1] for one in touched)
        noun = reading.id.kind in catalogue.nouns()
        wanted.add(Wanted(reading.id.kind, None if noun else key[1], names))
    return wanted


def _is_same(contents: Contents, known: Known, bundle: bytes | None) -> bool:
    """Tell whether an import's files are those that a snapshot was made of."""
    for key, reading in contents.readings.items():
        last = known.readings.get(key)
        if last is None or last.reading != reading:
            return False
    collector = known.readings.get(COLLECTOR.key)
    if bundle != (collector.reading.fingerprint if collector else None):
        return False
    told = {last.reading.fingerprint for last in known.readings.values()}
    return told | {None} == {None, bundle, *(one.fingerprint for one in contents.readings.values())}
