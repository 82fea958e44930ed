"""One import inside its transaction: read what is new, hold it against what is known, write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.diff.timeline import step
from changelog_tracker.errors import InputError
from changelog_tracker.model import Held, Known, Reading, Taken
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.evidence import evidence_of
from changelog_tracker.pipeline.facts import Earlier, add_facts, told_facts
from changelog_tracker.pipeline.files import FileReader
from changelog_tracker.pipeline.identity import likely_server, server_of
from changelog_tracker.pipeline.noise_only import HeldBack, count_exports, drop_noise
from changelog_tracker.pipeline.outcome import Outcome
from changelog_tracker.pipeline.recording import Finding, Recording, load
from changelog_tracker.pipeline.stored import stored_objects
from changelog_tracker.pipeline.surroundings import kinds_around
from changelog_tracker.store.contents import add_contents, digest_of
from changelog_tracker.store.history import last_key_id
from changelog_tracker.store.journal import append, newest_snapshot, server_id
from changelog_tracker.store.lookups import raw_file
from changelog_tracker.store.packing import micros
from changelog_tracker.store.states import (
    COLLECTOR,
    Wanted,
    load_held,
    load_known,
    load_open_kind,
)

if TYPE_CHECKING:
    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.model import ReadingKey, Record, ResourceKey, Step
    from changelog_tracker.normalise.exchange import ExchangeObject
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.identity import Prior
    from changelog_tracker.pipeline.outcome import Wish
    from changelog_tracker.pipeline.read import Contents
    from changelog_tracker.store.database import Connection


@dataclass
class OneImport:
    """
    One import inside its transaction.

    Args:
        new: Contents that the store may not have yet.
        prior: What is known of the server, where that was looked up before and still holds.
        reader: What has held these very files against it, and read none yet.
    """

    connection: Connection
    fingerprints: Fingerprints
    gathered: Gathered
    at: datetime
    wish: Wish
    new: dict[bytes, bytes] = field(default_factory=dict)
    prior: Prior | None = None
    reader: FileReader | None = None

    def run(self) -> Outcome:
        """Write the snapshot and its changes, or find that they are known."""
        likely = likely_server(
            self.connection, self.gathered, self.fingerprints, self.wish.server, self.prior
        )
        is_prior = self.prior is not None and likely.known is self.prior.known
        reader = self._reader(likely.known, likely.number, None, self.reader if is_prior else None)
        contents = reader.read()
        name = server_of(self.gathered, contents, likely)
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
        other_key = not contents.unchanged and self._is_other_key(number)
        if at is None:
            load_open_kind(self.connection, number, known, SERVER)
        else:
            load_held(self.connection, number, known, at=at, only=[Wanted(SERVER)])
        build = self._add_facts(name, contents, reader, known)
        taken = self._taken(contents)
        load_held(
            self.connection, number, known, at=at, only=None if at is not None else _changed(taken)
        )
        held_back = self._held_back(number, at, contents, reader)
        drop_noise(known, taken, contents)
        done = step(known, taken, differ(self._load, held_back.add_trees))
        before = newest_snapshot(self.connection, number, at) if at is not None else None
        if before is not None and before[1] == at:
            return self._already(name, before[0], done, other_key=other_key)
        around = kinds_around(done)
        if around and at is None:
            load_held(self.connection, number, known, only=[Wanted(k) for k in around])
        found = Finding(
            server=(number, name),
            known=known,
            taken=taken,
            done=done,
            raw=contents.raw,
            source=self.gathered.place,
            said=self._said(held_back),
        )
        recording = Recording(self.connection, self.fingerprints.key_id, self.new)
        written = recording.newest(found) if at is None else recording.late(found)
        return Outcome(
            name,
            written.seq,
            self.at,
            first=first,
            changes=written.changes,
            retold=written.retold,
            build=build,
            other_key=other_key,
            problems=tuple(contents.problems),
            not_used=contents.not_used,
            others=tuple(sorted(n for n in contents.servers if n.casefold() != name.casefold())),
        )

    def _reader(
        self,
        known: Known,
        number: int | None,
        at: int | None,
        begun: FileReader | None = None,
    ) -> FileReader:
        def raw(key: ReadingKey) -> bytes | None:
            if number is None:
                return None
            return raw_file(self.connection, number, key, at)

        if begun is not None:
            begun.raw = raw
            return begun
        return FileReader(self.gathered, self.fingerprints, known, raw)

    def _nothing_new(self, contents: Contents, known: Known) -> bool:
        """Tell whether newer files say, byte for byte, what the last ones said."""
        if known.at is None or known.at >= self.at or self.wish.build:
            return False
        if self.gathered.manifest is not None or known.collector is not None:
            # What a bundle says besides its files is compared below.
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
        seq = append(
            self.connection,
            "snapshot",
            server=(number, name),
            at=micros(self.at),
            received=micros(datetime.now(tz=UTC)),
            source=self.gathered.place,
            body=None,
            nothing_new=True,
        )
        return Outcome(name, seq, self.at, unchanged=True, problems=tuple(contents.problems))

    def _is_other_key(self, number: int) -> bool:
        """Tell whether what is known was fingerprinted with another key."""
        return last_key_id(self.connection, number) not in {None, self.fingerprints.key_id}

    def _already(self, name: str, seq: int, done: Step, *, other_key: bool) -> Outcome:
        """
        Answer for a snapshot of a time that there is one of.

        Raises:
            InputError: That one has other content.
        """
        if not (done.readings or done.opened or done.closed or done.changes):
            return Outcome(name, seq, self.at, known=True)
        if other_key and not done.changes and not done.closed:
            # Under another key the same files have other marks; their settings are the same.
            return Outcome(name, seq, self.at, known=True, other_key=True)
        raise InputError(
            self.gathered.place,
            f"{name} already has a snapshot of {self.at:%Y-%m-%dT%H:%M:%SZ} with other content",
            "give the time at which this one was taken with --at",
        )

    def _add_facts(
        self, name: str, contents: Contents, reader: FileReader, known: Known
    ) -> str | None:
        reader.add_objects(name)
        manifest = self.gathered.manifest
        told = told_facts(contents, manifest, reader.install_path, self.wish.build)
        facts = {
            held.resource.aspect: held.digest
            for held in known.held.values()
            if held.resource.kind == SERVER and held.reading[1]
        }
        return add_facts(contents, told, Earlier(facts, told, self._load))

    def _taken(self, contents: Contents) -> Taken:
        held: dict[ReadingKey, dict[ResourceKey, Held]] = {}
        for key, records in contents.records.items():
            held[key] = {record.resource.key: self._held(record, key) for record in records}
        collector = None
        if self.gathered.manifest is not None:
            made_by = self.gathered.manifest.collector
            collector = f"{made_by.name or '?'} {made_by.version or '?'}"
            contents.readings[COLLECTOR.key] = Reading(COLLECTOR, reason=collector)
            contents.unchanged.add(COLLECTOR.key)
        return Taken(
            self.at, collector, contents.readings, held, contents.unchanged, contents.touched
        )

    def _held(self, record: Record, reading: ReadingKey) -> Held:
        digest = digest_of(record.content)
        self.new[digest] = record.content
        return Held(record.resource, reading, digest)

    def _held_back(
        self, number: int, at: int | None, contents: Contents, reader: FileReader
    ) -> HeldBack:
        """Count what noise rules held back in the exports that are not the same as the last."""

        def stored(key: ReadingKey) -> list[ExchangeObject]:
            data = raw_file(self.connection, number, key, at)
            return [] if data is None else stored_objects(data, key[0])

        found = HeldBack()
        count_exports(found, contents, reader.objects, stored)
        return found

    def _said(self, held_back: HeldBack) -> dict[str, object]:
        """Give what the journal keeps of a snapshot besides what it read."""
        found: dict[str, object] = {}
        if rows := held_back.rows():
            found["held_back"] = rows
        lines, kept = evidence_of(self.gathered, self.fingerprints)
        if lines:
            add_contents(self.connection, kept)
            found["evidence"] = lines
        clock = self._clock()
        if clock != [None, None]:
            found["clock"] = clock
        return found

    def _clock(self) -> list[int | None]:
        """Give the server's offset from UTC in minutes, and how far it runs ahead of ours in ms."""
        manifest = self.gathered.manifest
        if manifest is None:
            return [None, None]
        ahead = (manifest.taken_at - datetime.now(tz=UTC)) // timedelta(milliseconds=1)
        skew = manifest.skew_ms
        return [manifest.utc_offset_min, skew if skew is not None else ahead if ahead > 0 else None]

    def _load(self, digest: bytes) -> bytes:
        return load(self.connection, self.new, digest)


def _changed(taken: Taken) -> set[Wanted]:
    """Give what is compared: all of an Exchange noun, else one file or the changed part of it."""
    wanted = set()
    for key, reading in taken.readings.items():
        # Facts about the server are loaded with it.
        if key in taken.unchanged or reading.status == "unread" or key[0] == SERVER:
            continue
        touched = taken.touched.get(key)
        names = None if touched is None else frozenset(one[1] for one in touched)
        noun = reading.id.kind in catalogue.nouns()
        wanted.add(Wanted(reading.id.kind, None if noun else key[1], names))
    return wanted
