"""`verify`: whether a recovered server is as it is wanted, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.product_update import BUILD
from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.drift_lines import Logged, turned
from changelog_tracker.pipeline.lines import context_of, known_server, utc
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.pipeline.read import IIS_CONFIG
from changelog_tracker.pipeline.restored import Rebuilt, signs
from changelog_tracker.pipeline.same_server import same_server
from changelog_tracker.pipeline.server_state import server_state
from changelog_tracker.pipeline.state import IIS_KINDS, unread_lines
from changelog_tracker.pipeline.still_differs import still_differs
from changelog_tracker.pipeline.wanted import wanted_state
from changelog_tracker.store.changes import Recorded, load_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from changelog_tracker.model import Change
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.pipeline.server_state import ServerState
    from changelog_tracker.pipeline.still_differs import Differing
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Verified:
    """
    What a verification found.

    Args:
        name: The server.
        wanted: The id of the snapshot that was taken as wanted.
        words: What was taken as wanted.
        newest: The snapshot that was held against it, in words.
        lines: What still differs, as `drift --json` has it.
        unread: Kinds of the wanted state that the newest snapshot did not read.
        signs: Signs of a restored IIS configuration: `sign`, `place`, `advice`.
        differing: How much was compared, and what nobody can compare.
        same: Whether this is the server of the wanted state, in words.
    """

    name: str
    wanted: int
    words: str
    newest: str
    lines: Sequence[Line]
    unread: Sequence[Line]
    signs: Sequence[Line]
    differing: Differing
    same: str

    @property
    def is_as_wanted(self) -> bool:
        """Tell whether nothing differs, nothing was unread and nothing looks restored."""
        return not (self.lines or self.unread or self.signs)

    @property
    def objects(self) -> list[Line]:
        """What `--json` prints."""
        return [*self.lines, *self.unread, *self.signs]


def verify(
    connection: Connection, server: str, against: str | None, *, unfold: bool = False
) -> Verified:
    """
    Hold the newest snapshot of a server against its wanted state.

    Args:
        connection: An open transaction.
        server: The server.
        against: `baseline`, a snapshot's id or a TIME; None for the baseline, else the last
            snapshot before the newest rebuild that was seen.
        unfold: Also what is folded into one line.

    Raises:
        UsageError: Nothing says what is wanted, or no snapshot was taken since.
    """
    number, name = known_server(connection, server)
    wanted, words = wanted_state(connection, number, name, against)
    newest = find_snapshot(connection, number, name, "latest")
    if wanted.seq == newest.seq:
        what = f"its newest snapshot is what it would be held against: {words}"
        raise UsageError(name, what, "import a snapshot of the server as it is now")
    before = server_state(connection, number, name, wanted)
    after = server_state(connection, number, name, newest)
    differing = still_differs(before, after)
    shown = [one for c in differing.changes for one in (c, *(c.folded if unfold else ()))]
    both = Rebuilt(before, after, _builds(connection, number, wanted, newest))
    return Verified(
        name=name,
        wanted=wanted.seq,
        words=words,
        newest=f"snapshot {newest.seq} of {utc(newest.at)}",
        lines=list(_lines(connection, number, (before, after), shown)),
        unread=list(_unread(connection, before)),
        signs=[{"server": name, **one.line} for one in signs(both)],
        differing=differing,
        same=same_server(before, after),
    )


def _lines(
    connection: Connection,
    number: int,
    states: tuple[ServerState, ServerState],
    changes: Sequence[Change],
) -> Iterator[Line]:
    wanted, found = states
    newest = found.snapshot
    context = context_of(connection, found.name)
    logged = Logged(connection, number, wanted.snapshot.at, newest.at)
    for n, change in enumerate(changes, 1):
        one = Recorded(newest.seq, n, found.name, newest.seq, newest.at, change)
        line = turned(logged.line(one, change, context))
        if change.category == "product-update" and change.setting == BUILD:
            line["why_not"] = _of_build(line["wanted"], line["found"])
        yield line


def _of_build(wanted: object, found: object) -> str:
    """Say what it means that the server has another build than the wanted state."""
    if _numbers(found) < _numbers(wanted):
        return "an older build than is wanted: install the wanted one, then verify again"
    return (
        "a later build than is wanted, which a recovery may bring; what differs in nothing but the "
        "build is folded into its line, and other lines may come from it too"
    )


def _numbers(build: object) -> list[int]:
    return [int(part) for part in str(build).split(".") if part.isdecimal()]


def _unread(connection: Connection, wanted: ServerState) -> Iterator[Line]:
    """Give what the wanted state knows and the newest snapshot did not read, each once."""
    known = {key for key, last in wanted.known.readings.items() if last.read_at is not None}
    kinds = {kind for kind, _ in known}
    told = set()
    for line in unread_lines(connection, wanted.name):
        kind, resource = line["kind"], str(line.get("resource", "")).casefold()
        is_known = IIS_CONFIG in kinds if kind in IIS_KINDS else (kind, resource) in known
        if resource and kind in catalogue.windows_kinds():
            is_known = (kind, "") in known
        if is_known and (kind, resource) not in told:
            told.add((kind, resource))
            yield line


def _builds(
    connection: Connection, number: int, wanted: Snapshot, newest: Snapshot
) -> frozenset[str]:
    """Give the builds that updates brought and took since the server was rebuilt."""
    builds: set[str] = set()
    for one in load_changes(connection, number, since=wanted.at + 1, until=newest.at):
        if one.change.category == "recovery":
            builds.clear()
        elif one.change.category == "product-update" and one.change.setting == BUILD:
            builds |= {str(one.change.before), str(one.change.after)}
    return frozenset(builds)
