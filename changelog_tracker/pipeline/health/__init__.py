"""
`doctor`: what is installed, where store and key are, and what to do where something is wrong.

Nothing is made, changed or waited for. What cannot be looked at is one line, and the others follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreError
from changelog_tracker.pipeline.health.check import SERVER, Check
from changelog_tracker.pipeline.health.key import copy_check, key_checks, key_id_at
from changelog_tracker.pipeline.health.place import disk_checks, host_check
from changelog_tracker.pipeline.health.program import part_checks, program_checks, sqlite_check
from changelog_tracker.pipeline.health.servers import server_checks
from changelog_tracker.pipeline.health.store import store_check
from changelog_tracker.pipeline.keys import key_ids, last_export
from changelog_tracker.store.glance import Glance
from changelog_tracker.store.snapshots import server_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.config import Config

__all__ = ["SERVER", "Check", "checks"]


@dataclass(frozen=True, slots=True)
class _Told:
    """
    What the store tells.

    Args:
        newest: The key id of each server's newest snapshot; None where the store cannot tell.
        servers: Their names.
        exported: When the key was last exported.
        lines: A line of each server.
    """

    newest: dict[str, str] | None = None
    servers: tuple[str, ...] = ()
    exported: datetime | None = None
    lines: tuple[Check, ...] = ()


def checks(config: Config) -> Iterator[Check]:
    """Look at everything, in the order in which a person would."""
    now = datetime.now(tz=UTC)
    yield from program_checks(config)
    try:
        store = Glance(config.store)
    except StoreError as error:
        yield _refused(config, error)
        yield from key_checks(config.key.absolute(), None)
    else:
        yield from _store_checks(store, config, now)
    yield from part_checks()


def _store_checks(store: Glance, config: Config, now: datetime) -> Iterator[Check]:
    told, size = _Told(), None
    try:
        line, size = store_check(store)
        told = _Told({}) if size is None else _look_into(store, config, now)
        yield line
    except (StoreError, ValueError, LookupError, TypeError) as error:
        yield _refused(config, error)
    if store.is_sqlite:
        yield sqlite_check()
    yield from disk_checks(store, size or 0)
    yield from key_checks(config.key.absolute(), told.newest)
    if told.servers:
        if key_id_at(config.key) is not None:
            yield copy_check(config.key, store.path, told.exported, now)
        yield host_check(store, told.servers)
        yield Check("servers", "ok", f"{len(told.servers)} in the store")
        yield from told.lines


def _look_into(store: Glance, config: Config, now: datetime) -> _Told:
    """
    Read what the store tells of servers and key.

    Raises:
        StoreError: It cannot be read.
        ValueError, LookupError, TypeError: It holds what this program did not write.
    """
    key_id = key_id_at(config.key)
    with store.reading() as connection:
        return _Told(
            key_ids(connection),
            tuple(server_names(connection)),
            last_export(connection, key_id) if key_id is not None else None,
            tuple(server_checks(connection, now)),
        )


def _refused(config: Config, error: Exception) -> Check:
    if isinstance(error, StoreError):
        do = error.hint or "put it right, or name another store with --store"
        return Check("store", "bad", f"{error.place}: {error.what}", do)
    return Check(
        "store",
        "bad",
        f"{config.store}: is damaged: a row is not what this program writes",
        "restore it from its last copy",
    )
