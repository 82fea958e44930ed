"""
`show --effective`: what applies at a place of IIS in the end, and from which file and step.

chain.py reads what each file says of a place, in the order that counts; sections.py decides which
of it counts; merge.py puts it together, and keeps what was overridden, removed or refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.errors import UsageError
from changelog_tracker.parse.iis_config import SERVER_LEVEL
from changelog_tracker.pipeline.effective.answer import KIND, Answer, Wish, is_glob
from changelog_tracker.pipeline.effective.chain import HOST, Chain
from changelog_tracker.pipeline.effective.places import nodes
from changelog_tracker.pipeline.lines import known_server, utc
from changelog_tracker.pipeline.read import CONFIG_FILE, IIS_CONFIG
from changelog_tracker.pipeline.state import kind_matcher, matcher, unread_lines
from changelog_tracker.store.lookups import raw_files
from changelog_tracker.store.packing import micros
from changelog_tracker.store.states import Wanted, load_held, load_known

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from changelog_tracker.model import Known
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.store.database import Connection

EXPECTED = "IisSection[PLACE : SECTION] or IisSection[PLACE : SECTION].SETTING"


def effective_lines(
    connection: Connection, server: str, glob: str | None, at: datetime | None
) -> Iterator[Line]:
    """
    Give what applies in the end, at the places that a pattern names or at all that are known.

    Args:
        connection: An open transaction.
        server: The server.
        glob: A pattern for kind, place, section and setting.
        at: As known at that time; None for now.

    Raises:
        UsageError: The pattern names no place of IIS, or nothing is known of IIS.
    """
    wish = _wish(glob)
    number, name = known_server(connection, server)
    at_micros = micros(at) if at else None
    known = load_known(connection, number, at_micros)
    kinds = [Wanted(kind) for kind in (IIS_CONFIG, CONFIG_FILE, "ExchangeServer")]
    load_held(connection, number, known, at=at_micros, only=kinds)
    if not any(held.resource.kind == "IisSite" for held in known.held.values()):
        raise UsageError(
            name, f"no {HOST} of it was read by then", "docs/how-to.md says what to copy"
        )
    chain = Chain(connection, known, raw_files(connection, number, at_micros))
    head: Line = {"server": name, "at": utc(micros(known.at)) if known.at else None, "kind": KIND}
    is_known = False
    for place in _places(chain, wish):
        answer = Answer(chain, wish, head, place)
        yield from answer.lines()
        is_known = is_known or answer.sections > 0
    if not is_known:
        raise UsageError(
            wish.glob, "names no section of IIS that is known there", f"expected {EXPECTED}"
        )
    yield from (one for one in unread_lines(connection, server, at_micros) if one["kind"] == KIND)
    yield from _unread(name, chain, known)


def _wish(glob: str | None) -> Wish:
    """
    Take a pattern apart.

    Raises:
        UsageError: It names other kinds than sections of IIS.
    """
    if glob is None:
        return Wish(f"{KIND}[*]", None, None)
    if not kind_matcher(glob)(KIND):
        raise UsageError(
            glob, "--effective tells what applies at a place of IIS", f"expected {EXPECTED}"
        )
    kind, bracket, rest = glob.partition("[")
    inside, end, setting = rest.partition("]")
    if not bracket or not end:
        return Wish(glob, None, None)
    if " : " not in inside and is_glob(inside):
        return Wish(glob, None, None)
    place, _, section = (inside if " : " in inside else f"{inside} : *").rpartition(" : ")
    place = place.strip("/")
    return Wish(f"{kind}[{place} : {section}]{setting}", place, section)


def _places(chain: Chain, wish: Wish) -> list[str]:
    """
    Give the places that are asked for, as users write them.

    Raises:
        UsageError: A place is named, and no site of that name is known.
    """
    shown = chain.places.shown
    if wish.place is None or is_glob(wish.place):
        wanted = matcher(wish.place)
        return sorted((p for p in shown.values() if wanted(p, None, whole=True)), key=str.casefold)
    place = wish.place
    if place.casefold() == SERVER_LEVEL.casefold():
        return [SERVER_LEVEL]
    site = place.partition("/")[0]
    if site.casefold() not in {one.casefold() for one in chain.places.sites}:
        raise UsageError(place, f"is at no site that is known: {', '.join(chain.places.sites)}")
    known = shown.get(
        next((one for one in reversed(nodes(place.casefold())) if one in shown), ""), ""
    )
    return [known + place[len(known) :]]


def _unread(server: str, chain: Chain, known: Known) -> Iterator[Line]:
    """Give the files that would count and are not known."""
    for file in sorted(chain.unread):
        last = known.readings.get((CONFIG_FILE, file.casefold()))
        since = last.read_at if last else None
        yield {
            "server": server,
            "kind": CONFIG_FILE,
            "resource": file,
            "unread": chain.unread[file],
            "since": utc(micros(since)) if since else None,
        }
