"""
`prune`: raw files that no reading needs any more go, and a tombstone says so.

The tombstone is an entry of the journal, in the same transaction: which ones, from when until
when, and under whose account.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.lines import known_server
from changelog_tracker.pipeline.moments import read_time
from changelog_tracker.store.compacting import compact, is_file, room
from changelog_tracker.store.journal import append, who_runs
from changelog_tracker.store.packing import micros, moment
from changelog_tracker.store.pruning import PRUNE, RAW_FILES, remove, tombstones, unneeded, weigh

if TYPE_CHECKING:
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.pruning import Removal

_OPTION = "--older-than"


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What may go.

    Args:
        before: What no reading needs at this time or after it.
        server: Of this server only; None: of all.
        by: Who wants it; None: the account.
    """

    before: datetime
    server: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """
    What goes, or went.

    Args:
        count: How many raw files.
        freed: How many bytes fewer lie in the store.
        start: Since when a reading needed one of them; None where there are none.
        end: Until when.
        servers: How many there are of each server; one file may be of several.
        tombstone: The journal's row; None where nothing was done.
    """

    count: int
    freed: int
    start: datetime | None
    end: datetime | None
    servers: dict[str, int]
    tombstone: int | None = None


def read_before(text: str) -> datetime:
    """
    Read how old a raw file must be to go.

    Raises:
        UsageError: It is no time, or lies ahead.
    """
    found = read_time(text, _OPTION)
    now = datetime.now(tz=UTC)
    if found > now:
        what = f"{text!r} lies ahead of this machine's clock ({now:%Y-%m-%dT%H:%M:%SZ})"
        raise UsageError(_OPTION, f"{what}; expected a time that is past, or an age such as 365d")
    return found


def would_go(connection: Connection, wish: Wish) -> Pruned:
    """
    Tell what `prune` would do; nothing is written.

    Raises:
        UsageError: There is no such server.
        StoreDamagedError: What would go, or what is packed against it, is damaged.
    """
    only = known_server(connection, wish.server)[1] if wish.server is not None else None
    return _told(weigh(connection, unneeded(connection, micros(wish.before), only)))


def prune(connection: Connection, wish: Wish) -> Pruned:
    """
    Take raw files away and leave a tombstone; where there are none, do nothing.

    Raises:
        UsageError: There is no such server.
        StoreDamagedError: What would go, or what is packed against it, is damaged.
    """
    server = known_server(connection, wish.server) if wish.server is not None else None
    before = micros(wish.before)
    removal = weigh(connection, unneeded(connection, before, server[1] if server else None))
    if not removal.files:
        return _told(removal)
    remove(connection, removal)
    digests = sorted(one.digest for one in removal.files)
    body = {
        "what": RAW_FILES,
        "before": before,
        "server": server[1] if server else None,
        "from": min(one.from_at for one in removal.files),
        "to": max(one.until_at for one in removal.files),
        "count": len(digests),
        "bytes": removal.plain,
        "hash": hashlib.sha256(b"".join(digests)).hexdigest(),
        "digests": [one.hex() for one in digests],
        "by": wish.by or who_runs()["account"],
    }
    tombstone = append(
        connection,
        PRUNE,
        server=server,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body=body,
    )
    return replace(_told(removal), tombstone=tombstone)


def tombstones_of(connection: Connection, server: str, at: datetime) -> list[int]:
    """
    Give the journal's rows by which raw files of a server's time were pruned.

    Raises:
        UsageError: There is no such server.
    """
    _number, name = known_server(connection, server)
    return [
        one.seq
        for one in tombstones(connection)
        if one.body["server"] in {None, name} and one.body["from"] <= micros(at) < one.body["to"]
    ]


def refuse_compacting(store: Store) -> None:
    """
    Refuse to compact what is no file.

    Raises:
        UsageError: The store is in PostgreSQL.
    """
    if not is_file(store.database):
        what = f"is for a store that is a file; {store.place} is none"
        raise UsageError("--compact", what, "PostgreSQL has VACUUM FULL for it")


def compact_store(store: Store) -> tuple[int, int]:
    """
    Give back to the disk what is free in a store's file.

    Returns:
        Its bytes before and after.

    Raises:
        StoreError: It cannot be done; the file is as it was.
    """
    before = room_in(store)
    compact(store.database)
    after = room_in(store)
    return (before or (0, 0))[0], (after or (0, 0))[0]


def room_in(store: Store) -> tuple[int, int] | None:
    """Give how many bytes a store's file has, and how many are free; None: it is no file."""
    with store.reading() as connection:
        return room(connection)


def _told(removal: Removal) -> Pruned:
    files = removal.files
    servers = Counter(name for one in files for name in one.servers)
    return Pruned(
        len(files),
        removal.freed,
        moment(min(one.from_at for one in files)) if files else None,
        moment(max(one.until_at for one in files)) if files else None,
        dict(sorted(servers.items(), key=lambda item: item[0].casefold())),
    )
