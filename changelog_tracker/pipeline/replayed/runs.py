"""`import` of a replay journal: the run becomes a row of the store's journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from changelog_tracker import catalogue
from changelog_tracker.errors import InputError, UsageError
from changelog_tracker.normalise.secret_words import (
    is_secret_attribute,
    is_secret_comment,
    is_secret_pair,
    is_secret_value,
)
from changelog_tracker.parse.replay_journal import Run, parse_replay_journal
from changelog_tracker.pipeline.replayed.ties import tie_changes
from changelog_tracker.replay.notation import Element, steps
from changelog_tracker.store.journal import append, find_server
from changelog_tracker.store.packing import micros
from changelog_tracker.store.replays import REPLAY, run_bodies

if TYPE_CHECKING:
    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.model import Value
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.parse.replay_journal import StepLine, StepValue, Told
    from changelog_tracker.pipeline.outcome import Wish
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection

AHEAD = timedelta(minutes=5)
# What names a run.
_NAMES = ("plan", "mode", "host", "started")
_ENDS = ("ended", "code")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """
    What the import of a replay journal did with one run in it.

    Args:
        server: On which server it ran, as the store has its name.
        run: What the journal says.
        states: How many steps ended in which state.
        known: Whether all of it was there already, and nothing was stored.
        documented: The ids of the changes that are documented by it now.
    """

    server: str
    run: Run
    states: Counter[str]
    known: bool
    documented: tuple[str, ...] = ()


def import_runs(
    store: Store, fingerprints: Fingerprints, gathered: Gathered, wish: Wish
) -> tuple[RunOutcome, ...]:
    """
    Take back the journal of a replay script.

    Returns:
        What was done with each run in it, in order.

    Raises:
        FileError: A line of it is none that a script writes; nothing was stored.
        InputError: It is of another server than the user says, lies ahead of this machine's clock,
            or tells otherwise what is stored; nothing was stored.
        UsageError: Its server is not known, or an option is about snapshots.
        StoreError: There is no store.
    """
    place = gathered.place
    runs = parse_replay_journal(gathered.files[0].data, place)
    for run in runs:
        _refuse(run, place, wish)
    with store.changing() as connection:
        return tuple(_import(connection, fingerprints, run, place) for run in runs)


def _import(connection: Connection, fingerprints: Fingerprints, run: Run, place: str) -> RunOutcome:
    server = find_server(connection, run.target)
    if server is None:
        raise UsageError(
            place,
            f"is of a run on {run.target}, which is no server of this store",
            f"import a snapshot of {run.target} first",
        )
    body = _body(run, fingerprints)
    states = Counter({line.id: str(line.state) for line in run.lines}.values())
    if _is_known(body, run_bodies(connection, server[0]), place):
        return RunOutcome(server[1], run, states, known=True)
    append(
        connection,
        REPLAY,
        server=server,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source=place,
        body=body,
    )
    documented = tie_changes(connection, server[0])
    return RunOutcome(server[1], run, states, known=False, documented=tuple(documented))


def _refuse(run: Run, place: str, wish: Wish) -> None:
    for option, said in (("--at", wish.at), ("--build", wish.build)):
        if said is not None:
            what = f"says nothing of a replay journal, and {place} is one"
            raise UsageError(option, what, "leave it out")
    said_server = (wish.server or run.target).partition(".")[0].strip()
    if said_server.casefold() != run.target.casefold():
        what = f"is of a run on {run.target}, but --server says {wish.server}"
        raise InputError(place, what, "leave --server out")
    now = datetime.now(tz=UTC)
    last = max([run.started, *(line.at for line in run.lines)])
    if last > now + AHEAD:
        what = f"its time {last:%Y-%m-%dT%H:%M:%SZ} lies ahead of this machine's clock"
        raise InputError(place, f"{what} ({now:%Y-%m-%dT%H:%M:%SZ})", "set the clock right")


def _is_known(body: dict[str, Any], stored: list[dict[str, Any]], place: str) -> bool:
    """
    Tell whether a run is stored as far as it is told; one that went on since is not.

    Raises:
        InputError: What is stored of the run is other than this.
    """
    for one in stored:
        if any(one[name] != body[name] for name in _NAMES):
            continue
        shorter = min(len(one["steps"]), len(body["steps"]))
        heads = [{k: v for k, v in b.items() if k not in {"steps", *_ENDS}} for b in (one, body)]
        same = heads[0] == heads[1] and one["steps"][:shorter] == body["steps"][:shorter]
        if not same or not _ends_fit(one, body) or not _ends_fit(body, one):
            what = f"tells the run of {body['started']} otherwise than a journal imported before"
            raise InputError(place, what, "nobody edits a journal; look at both of them")
        if shorter == len(body["steps"]) and (body["ended"] is None or one["ended"] is not None):
            return True
    return False


def _ends_fit(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether nothing comes after an end, and another end says the same."""
    if one["ended"] is None:
        return True
    if len(other["steps"]) > len(one["steps"]):
        return False
    return other["ended"] is None or all(one[name] == other[name] for name in _ENDS)


def _body(run: Run, fingerprints: Fingerprints) -> dict[str, Any]:
    """Give a run as the store's journal keeps it: without secrets."""
    return {
        "plan": run.plan,
        "server": run.server,
        "target": run.target,
        "mode": run.mode,
        "operator": run.operator,
        "host": run.host,
        "started": _iso(run.started),
        "program": run.program,
        "dc": run.dc,
        "steps": [_line(line, fingerprints) for line in run.lines],
        "ended": _iso(run.ended) if run.ended else None,
        "code": run.code,
    }


def _line(line: StepLine, fingerprints: Fingerprints) -> dict[str, Any]:
    found: dict[str, Any] = {"id": line.id, "at": _iso(line.at), "state": line.state}
    if line.op is not None:
        found["op"] = line.op
    if line.about is not None:
        found |= zip(("kind", "resource", "setting"), line.about, strict=True)
    if line.values:
        found["values"] = [_value(one, line, fingerprints) for one in line.values]
    if line.reason is not None:
        secret = is_secret_comment(line.reason)
        found["reason"] = fingerprints.token(line.reason) if secret else line.reason
    return found


def _value(one: StepValue, line: StepLine, fingerprints: Fingerprints) -> dict[str, Any]:
    def kept(told: Told) -> Value:
        if isinstance(told, list):
            return [kept(item) for item in told]
        if told and _is_secret(told, one.name, line):
            return fingerprints.of_text(told)
        return told

    return {"name": one.name, "found": kept(one.found), "wanted": kept(one.wanted)}


def _is_secret(text: str, name: str, line: StepLine) -> bool:
    """Tell whether a value is a secret; no step sets one, but one may have been found."""
    kind, _, setting = line.about or ("", "", None)
    noun = catalogue.nouns().get(kind)
    if noun is not None:
        field = noun.fields.get(name)
        if name in noun.secrets or (field is not None and field.kind == "secret"):
            return True
        return is_secret_value(text)
    keys = [
        key
        for part in (steps(setting or "") or ())
        if isinstance(part, Element)
        for _, key in part.keys
    ]
    said = is_secret_attribute(name, text) or any(is_secret_pair(key, text) for key in keys)
    return said or is_secret_value(text)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
