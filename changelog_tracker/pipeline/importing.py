"""
`import`: the files at PATH become one snapshot of one server.

The paragraph: gather the files, read what is new in them, hold it against what is known, and
write snapshot and changes in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker.collect.bundle import gather
from changelog_tracker.errors import InputError, StoreError
from changelog_tracker.parse.replay_journal import is_replay_journal
from changelog_tracker.pipeline.one_import import OneImport
from changelog_tracker.pipeline.outcome import Outcome, Wish
from changelog_tracker.pipeline.replayed.runs import RunOutcome, import_runs
from changelog_tracker.store.database import apart
from changelog_tracker.store.journal import servers_since

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.files import FileReader
    from changelog_tracker.pipeline.identity import Prior
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection

__all__ = ["Brought", "Outcome", "Wish", "import_gathered", "import_path", "import_several"]

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


@dataclass(frozen=True, slots=True)
class Brought:
    """
    One of several snapshots that are stored together.

    Args:
        gathered: Its files.
        wish: What was asked for.
        prior: What was known of its server before.
        reader: What held these very files against that, and read none yet.
    """

    gathered: Gathered
    wish: Wish
    prior: Prior | None = None
    reader: FileReader | None = None


def import_several(
    store: Store, fingerprints: Fingerprints, several: Sequence[Brought]
) -> list[Outcome | Exception]:
    """
    Make a snapshot of each, in one transaction; what becomes of one is no matter to the others.

    Returns:
        In their order what was stored, or why nothing of it was.
    """
    if not several:
        return []
    has_begun = False
    try:
        with store.writing() as connection:
            has_begun = True
            together = _Together(
                connection, store.place, fingerprints, _changed(connection, several)
            )
            done = [together.add(one) for one in several]
    except StoreError as error:
        if has_begun and len(several) > 1:
            return [_alone(store, fingerprints, one) for one in several]
        return [error for _ in several]
    return done


def _alone(store: Store, fingerprints: Fingerprints, one: Brought) -> Outcome | Exception:
    """Make a snapshot in a transaction of its own: that of several failed as a whole."""
    try:
        return import_gathered(store, fingerprints, one.gathered, one.wish)
    except Exception as error:  # noqa: BLE001  told by who asked
        return error


def _changed(connection: Connection, several: Sequence[Brought]) -> set[int | None]:
    """Give the servers that somebody wrote of since what was known of them was looked up."""
    heads = [one.prior.head for one in several if one.prior is not None]
    return servers_since(connection, min(heads)) if heads else set()


@dataclass(frozen=True, slots=True)
class _Together:
    """
    The transaction that stores several snapshots.

    Args:
        changed: Servers of which something else is known by now.
    """

    connection: Connection
    place: str
    fingerprints: Fingerprints
    changed: set[int | None]

    def add(self, one: Brought) -> Outcome | Exception:
        """Make one of them; of one that fails nothing stays."""
        prior = one.prior
        if prior is not None and not self.changed.isdisjoint({prior.number, None}):
            prior = None
        if prior is not None:
            self.changed.add(prior.number)
        try:
            at = _time_of(one.gathered, one.wish)
            with apart(self.connection, self.place):
                return OneImport(
                    self.connection,
                    self.fingerprints,
                    one.gathered,
                    at,
                    one.wish,
                    prior=prior,
                    reader=one.reader,
                ).run()
        except StoreError:
            # The transaction itself may be gone.
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
