"""A made-up server of 600 resources, its hourly snapshots, and the manifests of a peer."""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import zstandard

from changelog_tracker.diff.timeline import step
from changelog_tracker.model import Held, Reading, ReadingId, ResourceId, Taken
from changelog_tracker.normalise.secrets import FINGERPRINT_BYTES
from changelog_tracker.pipeline.contents import differ
from changelog_tracker.pipeline.recording import Finding, Recording, Written, load
from changelog_tracker.store.contents import digest_of
from changelog_tracker.store.journal import server_id
from changelog_tracker.store.packing import micros
from changelog_tracker.store.states import Wanted, load_held, load_known

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.model import ReadingKey, ResourceKey
    from changelog_tracker.store.database import Connection

BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
_FILES, _SECTIONS, _PLACES, _DIRECTORIES = 30, 8, 330, 30
_IIS = ReadingId("IisConfig", "%windir%/System32/inetsrv/config/applicationHost.config")
_NOUNS = ("OwaVirtualDirectory", "EcpVirtualDirectory", "WebServicesVirtualDirectory")
# What a collector's exports differ by each time, and what the journal keeps of it.
_SAID = {
    "clock": [60, None],
    "held_back": [[noun, "remoting", 10] for noun in sorted(_NOUNS)],
}


def hour(number: int) -> datetime:
    """Give the time of a snapshot."""
    return BEGIN + timedelta(hours=number)


@dataclass
class MadeServer:
    """
    The server as it stands, and what its snapshots read.

    240 sections of web.config, 330 of applicationHost.config, 30 objects of Exchange.
    """

    chance: random.Random = field(default_factory=lambda: random.Random(1))
    held: dict[ReadingKey, dict[ResourceKey, Held]] = field(default_factory=dict)
    readings: dict[ReadingKey, Reading] = field(default_factory=dict)
    contents: dict[bytes, bytes] = field(default_factory=dict)
    texts: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for file in range(_FILES):
            reading = ReadingId(
                "ConfigFile", f"%ExchangeInstallPath%/ClientAccess/v{file}/web.config"
            )
            for n in range(_SECTIONS):
                self._put(reading, ResourceId("ConfigFile", f"{reading.scope} : section{n}"))
        for n in range(_PLACES):
            name = f"Default Web Site/place{n} : system.webServer/security/access"
            self._put(_IIS, ResourceId("IisSection", name))
        for n in range(_DIRECTORIES):
            noun = _NOUNS[n % len(_NOUNS)]
            self._put(ReadingId(noun), ResourceId(noun, f"owa{n} (Default Web Site)"))

    def change(self) -> ReadingKey:
        """Change one setting of one resource; give the reading that tells it."""
        key = self.chance.choice([key for key, many in self.held.items() for _ in many])
        one = self.chance.choice(list(self.held[key].values()))
        self._put(self.readings[key].id, one.resource)
        return key

    def taken(self, at: datetime, changed: set[ReadingKey] | None = None) -> Taken:
        """Give what a snapshot reads; None: everything for the first time."""
        new = set(self.readings) if changed is None else changed
        return Taken(
            at,
            None,
            dict(self.readings),
            {key: dict(self.held[key]) for key in new},
            set(self.readings) - new,
        )

    def file(self, key: ReadingKey) -> bytes:
        """Give the file behind a reading: what its resources hold, one after the other."""
        return b"\n".join(self.texts[held.digest] for held in self.held[key].values())

    def copy(self) -> MadeServer:
        """Give the server as it stands, to be changed apart."""
        held = {key: dict(many) for key, many in self.held.items()}
        found = object.__new__(MadeServer)
        found.chance, found.held = random.Random(3), held
        found.readings, found.contents, found.texts = dict(self.readings), {}, self.texts
        return found

    def _put(self, reading: ReadingId, resource: ResourceId) -> None:
        content = self._content(resource)
        digest = digest_of(content)
        self.contents[digest] = self.texts[digest] = content
        held = Held(resource, reading.key, digest)
        self.held.setdefault(reading.key, {})[resource.key] = held
        mark = self.chance.randbytes(FINGERPRINT_BYTES)
        self.readings[reading.key] = Reading(reading, fingerprint=mark)

    def _content(self, resource: ResourceId) -> bytes:
        """Make one value of a resource another, as a person would."""
        value = self.chance.randrange(10**6)
        if resource.kind == "ConfigFile":
            keys = "".join(f'<add key="Setting{n}" value="true"/>' for n in range(6))
            keys = f'<add key="Limit" value="{value}"/>{keys}'
            return f"<appSettings>{keys}</appSettings>".encode()
        if resource.kind == "IisSection":
            return f'<requestLimits maxAllowedContentLength="{value}"/>'.encode()
        fields = {f"Property{n}": f"value {n} of {resource.name}" for n in range(40)}
        url = {"ExternalUrl": f"https://mail{value}.contoso.com/owa"}
        return json.dumps({**fields, **url}, sort_keys=True, separators=(",", ":")).encode()


def write(
    connection: Connection,
    server: MadeServer,
    taken: Taken,
    *,
    late: bool = False,
    with_files: bool = False,
) -> Written:
    """Write one snapshot as an import does; with files that grow by what lies in them."""
    number = server_id(connection, "EX01")
    at = micros(taken.at) if late else None
    known = load_known(connection, number, at)
    kinds = {Wanted(key[0], key[1]) for key in taken.held}
    load_held(connection, number, known, at=at, only=None if late else kinds)
    new = dict(server.contents)
    done = step(known, taken, differ(lambda digest: load(connection, new, digest)))
    files = {key: server.file(key) for key in taken.held} if with_files else {}
    found = Finding((number, "EX01"), known, taken, done, files, "/srv/bundles/EX01", dict(_SAID))
    recording = Recording(connection, "1f2e3d4c", new)
    return recording.late(found) if late else recording.newest(found)


class Manifests:
    """The peer: for each snapshot one row that lists every resource with its content's hash."""

    def __init__(self, file: Path) -> None:
        self.connection = sqlite3.connect(file)
        self.connection.execute("CREATE TABLE manifest (at INTEGER PRIMARY KEY, data BLOB)")
        self.connection.execute("CREATE TABLE content (hash BLOB PRIMARY KEY, data BLOB)")
        self._packer = zstandard.ZstdCompressor(level=3)
        self._unpacker = zstandard.ZstdDecompressor()

    def add(self, at: datetime, server: MadeServer) -> None:
        """Keep a snapshot."""
        listed = {
            f"{held.resource}": held.digest.hex()
            for many in server.held.values()
            for held in many.values()
        }
        packed = self._packer.compress(json.dumps(listed).encode())
        self.connection.execute("INSERT INTO manifest VALUES (?, ?)", (micros(at), packed))
        self.connection.executemany(
            "INSERT OR IGNORE INTO content VALUES (?, ?)",
            [(digest, self._packer.compress(data)) for digest, data in server.contents.items()],
        )

    def at(self, at: datetime) -> dict[str, str]:
        """Give the list at a time."""
        query = "SELECT data FROM manifest WHERE at <= ? ORDER BY at DESC LIMIT 1"
        (packed,) = self.connection.execute(query, (micros(at),)).fetchone()
        return json.loads(self._unpacker.decompress(packed))

    def all(self):
        """Give all lists with their times."""
        for at, packed in self.connection.execute("SELECT at, data FROM manifest ORDER BY at"):
            yield at, json.loads(self._unpacker.decompress(packed))

    def contents(self, digests: list[str]) -> dict[str, bytes]:
        """Give contents by their hashes."""
        marks = ",".join("?" * len(digests))
        query = f"SELECT hash, data FROM content WHERE hash IN ({marks})"
        wanted = [bytes.fromhex(digest) for digest in digests]
        return {
            digest.hex(): self._unpacker.decompress(data)
            for digest, data in self.connection.execute(query, wanted)
        }
