"""The other server of `--against server:NAME`, and what either of the two did not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.diff.unsaid import is_part
from changelog_tracker.errors import UsageError
from changelog_tracker.model import ReadingId
from changelog_tracker.pipeline.lines import known_server
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.pipeline.read import IIS_CONFIG
from changelog_tracker.pipeline.server_state import server_state
from changelog_tracker.pipeline.state import (
    HIDDEN,
    IIS_KINDS,
    NO_EXPORT,
    unread_everywhere,
    unread_lines,
)
from changelog_tracker.store.states import load_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Known, ReadingKey
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.pipeline.server_state import ServerState
    from changelog_tracker.store.database import Connection

SISTER = "server:"


def sister_state(connection: Connection, server: str, against: str) -> ServerState:
    """
    Load the newest snapshot of the server that `server:NAME` names.

    Raises:
        UsageError: It is not known, or it is the server itself.
    """
    number, name = _sister(connection, server, against)
    snapshot = find_snapshot(connection, number, name, "latest")
    return server_state(connection, number, name, snapshot)


def unread_against(connection: Connection, server: str, against: str | None) -> list[Line]:
    """
    Give what was not read, and so is not compared; beside a sister, of both.

    Args:
        connection: An open transaction.
        server: The server.
        against: As `drift --against` has it.
    """
    if against is None or not against.startswith(SISTER):
        return list(unread_everywhere(connection, server))
    number, name = known_server(connection, server)
    other, sister = _sister(connection, name, against)
    lines: list[Line] = []
    for one, called, beside in ((number, name, other), (other, sister, number)):
        lines += unread_lines(connection, called)
        known = load_known(connection, one)
        lines += _never_read(called, known, load_known(connection, beside))
    # The reason says whose it is, for a reader who sees no more of the line.
    return [
        {**line, "unread": f"{line['server']}: {line['unread']}"}
        for line in lines
        if not _is_of_all(line["kind"])
    ]


def answered(known: Known, reading: ReadingKey) -> bool:
    """Tell whether a server said anything, be it that there is none, for a resource's reading."""
    last = known.readings.get(reading)
    if last is None and reading[0] in catalogue.nouns() and reading[0] != SERVER:
        # Of an object that is not there nothing is read by itself.
        last = known.readings.get(ReadingId(reading[0]).key)
    return last is not None and last.reading.status != "unread"


def _sister(connection: Connection, server: str, against: str) -> tuple[int, str]:
    called = against.removeprefix(SISTER).strip()
    if not called:
        raise UsageError("--against", f"{against!r} names no server; expected such as server:EX02")
    number, name = known_server(connection, called)
    if name.casefold() == server.casefold():
        raise UsageError("--against", f"{name} is the server itself; expected another server")
    return number, name


def _never_read(name: str, known: Known, beside: Known) -> Iterator[Line]:
    """Give what the other server answered and this one was never asked for."""
    for key, last in sorted(beside.readings.items()):
        kind, scope = last.reading.id.kind, last.reading.id.scope
        if key in known.readings or kind in HIDDEN or is_part(last.reading.id):
            continue
        if scope and kind in catalogue.nouns():
            continue
        for shown in IIS_KINDS if kind == IIS_CONFIG else (kind,):
            line: Line = {"server": name, "kind": shown}
            if scope and shown not in IIS_KINDS:
                line["resource"] = scope
            yield {**line, "unread": NO_EXPORT, "since": None}


def _is_of_all(kind: str) -> bool:
    """Tell whether a kind is of the organisation, which two servers share."""
    noun = catalogue.nouns().get(kind)
    return noun is not None and noun.scope == "org"
