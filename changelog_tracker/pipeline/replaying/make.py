"""The plan of a replay: which states are held against each other, and what is known of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.lines import known_server, utc
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.pipeline.replaying.differences import (
    assumed_differences,
    differences,
    sister_differences,
)
from changelog_tracker.pipeline.replaying.log import Reasons
from changelog_tracker.pipeline.server_state import server_state
from changelog_tracker.pipeline.state import unread_lines
from changelog_tracker.pipeline.wanted import wanted_state
from changelog_tracker.replay.plan import Plan
from changelog_tracker.replay.planner import plan_steps
from changelog_tracker.replay.scene import Scene
from changelog_tracker.store.packing import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.model import Change, Settings, Value
    from changelog_tracker.pipeline.server_state import ServerState
    from changelog_tracker.pipeline.wanted import Wanted
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot

DEFAULTS = "defaults"
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What a replay is asked for.

    Args:
        server: Whose state is wanted.
        to: The wanted state: `baseline`, a snapshot's id or a TIME; None for the usual one.
        from_: The found state: `latest`, `defaults`, a snapshot's id or a TIME; None for the
            newest snapshot where it is newer than the wanted state, else `defaults`.
        as_: Another server that is to become like it.
        documented_only: Leave undocumented changes out.
        include_setup: Put back what Setup owns too.
    """

    server: str
    to: str | None = None
    from_: str | None = None
    as_: str | None = None
    documented_only: bool = False
    include_setup: bool = False


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both states, and what differs: `before` is found, `after` is wanted."""

    wanted: ServerState
    found: ServerState
    words: str
    changes: list[Change]
    assumed: bool = False


def make_plan(connection: Connection, wish: Wish) -> tuple[Plan, ServerState]:
    """
    Make the plan, and give the wanted state that it is made from.

    Raises:
        UsageError: A state is not there; the two servers are of different versions; something
            of the other server has no counterpart.
    """
    number, name = known_server(connection, wish.server)
    wanted = wanted_state(connection, number, name, wish.to, option="--to")
    state = server_state(connection, number, name, wanted.snapshot)
    sides = _sides(connection, number, wish, state)
    reasons = Reasons(connection, number, wanted.snapshot.at)
    scene = _scene(sides, wish)
    changes = [each for one in sides.changes for each in (one, *reasons.customised_files(one))]
    steps, by_hand = plan_steps(map(reasons.drifted, changes), scene)
    target = sides.found.name
    plan = Plan(
        server=name,
        target=target,
        version=scene.version,
        build=str(sides.wanted.facts.get("Build") or "unknown"),
        install_path=scene.install_path,
        wanted=wanted.words,
        wanted_at=moment(wanted.snapshot.at),
        found=sides.words,
        assumed=sides.assumed,
        unread=_unread(connection, name, wanted, sides),
        modes=_modes(state),
        steps=steps,
        by_hand=by_hand,
    )
    return plan, state


def _sides(connection: Connection, number: int, wish: Wish, wanted: ServerState) -> _Sides:
    if wish.as_ is not None:
        return _as_another(connection, wish, wanted)
    newest = find_snapshot(connection, number, wanted.name, LATEST)
    asked = wish.from_
    if asked is None and newest.at <= wanted.snapshot.at:
        asked = DEFAULTS
    if asked == DEFAULTS:
        words, changes = assumed_differences(connection, number, wanted)
        return _Sides(wanted, wanted, words, changes, assumed=True)
    found = find_snapshot(connection, number, wanted.name, asked or LATEST)
    changes = differences(connection, wanted.name, wanted.snapshot, found)
    state = server_state(connection, number, wanted.name, found)
    return _Sides(wanted, state, _words(found), changes)


def _as_another(connection: Connection, wish: Wish, wanted: ServerState) -> _Sides:
    number, name = known_server(connection, wish.as_ or "")
    if name == wanted.name:
        raise UsageError("--as", f"{name} is the server itself", "leave --as out")
    found = find_snapshot(connection, number, name, wish.from_ or LATEST)
    state = server_state(connection, number, name, found)
    if state.version != wanted.version:
        versions = f"{wanted.name} is Exchange {wanted.version}, {name} is {state.version}"
        raise UsageError("--as", f"{versions}; expected the same version")
    changes = sister_differences(wanted, state)
    return _Sides(wanted, state, f"{name}: {_words(found)}", changes)


def _words(snapshot: Snapshot) -> str:
    return f"snapshot {snapshot.seq} of {utc(snapshot.at)}"


def _scene(sides: _Sides, wish: Wish) -> Scene:
    version = sides.found.version or sides.wanted.version
    if version is None:
        raise UsageError(
            sides.wanted.name,
            "its version of Exchange is not known, and with it which parameters there are",
            "say it once with: changelog-tracker import PATH --build BUILD",
        )
    states = (sides.wanted, sides.found)
    return Scene(
        server=sides.found.name,
        version=version,
        install_path=_install_path(sides, version),
        wanted_of=_settings_of(sides.wanted),
        found_of=(lambda _kind, _name: None) if sides.assumed else _settings_of(sides.found),
        wanted_names=lambda kind: [
            one.resource.name
            for key, one in sides.wanted.known.held.items()
            if key[0] == kind and not key[2]
        ],
        applications=frozenset(
            key[1].rstrip("/")
            for state in states
            for key in state.known.held
            if key[0] == "IisApplication"
        ),
        files=frozenset(
            key[1].rpartition(" : ")[0].partition(".config")[0] + ".config"
            for key in sides.found.known.held
            if key[0] == "ConfigFile"
        ),
        include_setup=wish.include_setup,
        documented_only=wish.documented_only,
    )


def _install_path(sides: _Sides, version: str) -> str:
    for state in (sides.found, sides.wanted):
        told = state.facts.get("InstallPath")
        if isinstance(told, str) and told:
            return told.replace("/", "\\").rstrip("\\") + "\\"
    root = catalogue.versions()[version].root
    return rf"C:\Program Files\Microsoft\Exchange Server\{root}" + "\\"


def _settings_of(state: ServerState) -> Callable[[str, str], Settings | None]:
    """Make the look-up of all that is known of a resource, whichever reading told it."""
    keys: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for key in state.known.held:
        keys.setdefault(key[:2], []).append(key)

    def settings(kind: str, name: str) -> Settings | None:
        found = keys.get((kind, name.casefold()))
        if found is None:
            return None
        return {n: v for key in found for n, v in (state.flat(key) or {}).items()}

    return settings


def _unread(
    connection: Connection, name: str, wanted: Wanted, sides: _Sides
) -> tuple[dict[str, Value], ...]:
    told = [("wanted", name, wanted.snapshot)]
    if not sides.assumed:
        told.append(("found", sides.found.name, sides.found.snapshot))
    return tuple(
        {"side": side, **line}
        for side, server, snapshot in told
        for line in unread_lines(connection, server, snapshot.at)
    )


def _modes(state: ServerState) -> tuple[tuple[str, str], ...]:
    return tuple(
        (kind, last.reading.mode)
        for (kind, scope), last in sorted(state.known.readings.items())
        if kind in catalogue.nouns() and not scope and last.reading.status == "read"
    )
