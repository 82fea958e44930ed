"""
`import`: the files at PATH become one snapshot of one server.

The paragraph: gather the files, read what is new in them, hold it against what is known, and
write snapshot and changes in one transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker.collect.bundle import gather
from changelog_tracker.errors import InputError
from changelog_tracker.parse.replay_journal import is_replay_journal
from changelog_tracker.pipeline.one_import import OneImport
from changelog_tracker.pipeline.outcome import Outcome, Wish
from changelog_tracker.pipeline.replayed.runs import RunOutcome, import_runs

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.store import Store

__all__ = ["Outcome", "Wish", "import_gathered", "import_path"]

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
    at = wish.at or (gathered.manifest.taken_at if gathered.manifest else datetime.now(tz=UTC))
    _refuse_future(gathered, at)
    with store.writing() as connection:
        return OneImport(connection, fingerprints, gathered, at, wish).run()


def _refuse_future(gathered: Gathered, at: datetime) -> None:
    now = datetime.now(tz=UTC)
    if at > now + AHEAD:
        raise InputError(
            gathered.place,
            f"its time {at:%Y-%m-%dT%H:%M:%SZ} lies ahead of this machine's clock "
            f"({now:%Y-%m-%dT%H:%M:%SZ})",
            "set the clock right, or give the time with --at",
        )
