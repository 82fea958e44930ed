"""What differs between the wanted state and the found one: `before` is found, `after` wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker.diff.classify import without_identity
from changelog_tracker.diff.product_update import product_update
from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.against_defaults import against_defaults
from changelog_tracker.pipeline.against_server import against_server
from changelog_tracker.pipeline.drift import between
from changelog_tracker.pipeline.lines import utc
from changelog_tracker.store.snapshots import snapshots_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.model import Action, Change
    from changelog_tracker.pipeline.server_state import ServerState
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot

_TURNED: dict[Action, Action] = {"added": "removed", "removed": "added", "changed": "changed"}


def differences(
    connection: Connection, name: str, wanted: Snapshot, found: Snapshot
) -> list[Change]:
    """Give what differs between two snapshots of one server."""
    recorded = between(connection, name, wanted, found)
    return list(map(turned, _opened(one.change for one in recorded)))


def assumed_differences(
    connection: Connection, number: int, wanted: ServerState
) -> tuple[str, list[Change]]:
    """
    Give what differs from what Setup is assumed to make, where nobody looked.

    What no source tells the default of is held against the server's first snapshot.

    Returns:
        What it was held against, in words, and the differences.
    """
    first = snapshots_of(connection, number)[0]
    found: dict[tuple[str, str, str | None], Change] = {}
    words = f"assumed: the first snapshot, {first.seq} of {utc(first.at)}"
    if first.seq != wanted.snapshot.seq:
        for one in differences(connection, wanted.name, wanted.snapshot, first):
            found[one.key] = one
    try:
        defaults = against_defaults(wanted).changes
        words = f"assumed: the factory defaults of build {wanted.build}, else the first snapshot"
    except UsageError:
        # Its build is not known.
        defaults = []
    found |= {one.key: one for one in defaults}
    return words, [one for one in found.values() if one.kind != "ExchangeServer"]


def sister_differences(wanted: ServerState, found: ServerState) -> list[Change]:
    """
    Give what differs on another server, with what is its own in the wanted values.

    Raises:
        UsageError: Something names the wanted server and has no counterpart on the other.
    """
    beside = against_server(wanted, found)
    for one in beside.changes:
        why = beside.why_not.get(one.key)
        if why is not None and one.action != "added" and one.kind != "ExchangeCertificate":
            raise UsageError(
                "--as",
                f"{one.path} still names {wanted.name}: {why}",
                f"make it on {found.name} first, take a snapshot, and plan again",
            )
    return list(map(turned, beside.changes))


def _opened(changes: Iterable[Change]) -> Iterator[Change]:
    """Open a recovery: what any rebuilt server differs in is nothing to put back."""
    for change in changes:
        if change.category == "recovery":
            yield from product_update(without_identity(change)[1:])
        else:
            yield change


def turned(one: Change) -> Change:
    """Turn a difference round; what is folded into it stays as it is."""
    return replace(one, action=_TURNED[one.action], before=one.after, after=one.before)
