"""
`import`: the files at PATH become one snapshot of one server.

The paragraph: gather the files, read what is new in them, hold it against what is known, and
write snapshot and changes in one transaction.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker.collect.bundle import gather
from changelog_tracker.errors import InputError, StoreError
from changelog_tracker.parse.replay_journal import is_replay_journal
from changelog_tracker.pipeline.one_import import OneImport
from changelog_tracker.pipeline.outcome import Outcome, Wish
from changelog_tracker.pipeline.replayed.runs import RunOutcome, import_runs
from changelog_tracker.store.database import apart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection

__all__ = ["Outcome", "Wish", "import_gathered", "import_path", "import_several"]

AHEAD = timedelta(minutes=5)


def import_path(
    store: Store, fingerprints: Fingerprints, path: Path, wish: Wish
) -> Outcome | tuple[RunOutcome, ...]:
    """
    Make a snapshot of what lies at PATH, or take back the journal of a replay script.

    Raises:
        InputError: Nothing was stored.
        StoreError: Nothing was stored.
    """
    gathered = gather(path)
    if gathered.single and is_replay_journal(gathered.files[0].data):
        return import_runs(store, fingerprints, gathered, wish)
    return import_gathered(store, fingerprints, gathered, wish)


def import_gathered(
    store: Store, fingerprints: Fingerprints, gathered: Gathered, wish: Wish
) -> Outcome:
    """
    Make a snapshot of what was gathered, from wherever.

    Raises:
        InputError: Nothing was stored.
        StoreError: Nothing was stored.
    """
    at = _time_of(gathered, wish)
    with store.writing() as connection:
        return OneImport(connection, fingerprints, gathered, at, wish).run()


def import_several(
    store: Store, fingerprints: Fingerprints, several: Sequence[tuple[Gathered, Wish]]
) -> list[Outcome | Exception]:
    """
    Make a snapshot of each, in one transaction; what becomes of one is no matter to the others.

    Returns:
        In their order what was stored, or why nothing of it was.
    """
    if len(several) > 1:
        with suppress(StoreError):
            with store.writing() as connection:
                done = [_apart(connection, store.place, fingerprints, *one) for one in several]
            return done
    # Where the transaction itself failed nothing is stored yet: each in one of its own.
    found: list[Outcome | Exception] = []
    for gathered, wish in several:
        try:
            found.append(import_gathered(store, fingerprints, gathered, wish))
        except Exception as error:  # noqa: BLE001  told by who asked
            found.append(error)
    return found


def _apart(
    connection: Connection,
    place: str,
    fingerprints: Fingerprints,
    gathered: Gathered,
    wish: Wish,
) -> Outcome | Exception:
    """Make one of several snapshots; of one that fails nothing stays."""
    try:
        at = _time_of(gathered, wish)
        with apart(connection, place):
            return OneImport(connection, fingerprints, gathered, at, wish).run()
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  told by who asked
        return error


def _time_of(gathered: Gathered, wish: Wish) -> datetime:
    """
    Give the time of a snapshot.

    Raises:
        InputError: It lies in the future.
    """
    at = wish.at or (gathered.manifest.taken_at if gathered.manifest else datetime.now(tz=UTC))
    _refuse_future(gathered, at)
    return at


def _refuse_future(gathered: Gathered, at: datetime) -> None:
    now = datetime.now(tz=UTC)
    if at > now + AHEAD:
        raise InputError(
            gathered.place,
            f"its time {at:%Y-%m-%dT%H:%M:%SZ} lies ahead of this machine's clock "
            f"({now:%Y-%m-%dT%H:%M:%SZ})",
            "set the clock right, or give the time with --at",
        )
