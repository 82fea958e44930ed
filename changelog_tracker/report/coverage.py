"""Coverage: what was watched of each server and kind, and each gap, as tables."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from changelog_tracker.model import WAITING
from changelog_tracker.report import times, words
from changelog_tracker.report.columns import of
from changelog_tracker.report.document import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from changelog_tracker.report.phrases import Line

NOTE = (
    "A kind is watched between two snapshots that both read it and lie no further apart than "
    "usual. What changed in between and was changed back is not seen."
)
GAPS_NOTE = (
    "What differs between the two ends of a gap shows as one change at its end; what came and went "
    "inside is not seen. Missing is how many snapshots would have been usual."
)

_GAP = ("server", "from", "until", "reason", "expected")


def pages(lines: Sequence[Line]) -> list[Table]:
    """Make the tables for reading: kinds of a server that have all in common are one row."""
    together = list(_together(lines))
    return [
        Table("Coverage", _PAGE, together, note=NOTE),
        Table("Gaps", _GAPS, list(_gaps(together)), note=GAPS_NOTE),
    ]


def sheets(lines: Sequence[Line]) -> list[Table]:
    """Make the tables for sorting: one row a kind, one row a gap."""
    return [
        Table("Coverage", _SHEET, lines, note=NOTE),
        Table("Gaps", _GAPS_SHEET, list(_gaps(lines)), note=GAPS_NOTE),
    ]


def total(lines: Sequence[Line]) -> str:
    """Word the sum: `40 kinds of 1 server, 12 with gaps`."""
    if not lines:
        return "nothing was watched"
    servers = len({line.get("server") for line in lines})
    gaps = sum(
        1 for line in lines if any(gap["reason"] != WAITING for gap in line.get("gaps") or ())
    )
    whole = f"{words.count(len(lines), 'kind')} of {words.count(servers, 'server')}"
    return f"{whole}, {gaps or 'none'} with gaps"


def _together(lines: Sequence[Line]) -> Iterator[Line]:
    """Join the lines of a server that were watched alike; what was held back is added up."""
    found: dict[str, tuple[Line, list[str], Counter[str]]] = {}
    for line in lines:
        alike = json.dumps({**line, "kind": None, "held_back": None}, sort_keys=True)
        _, kinds, held_back = found.setdefault(alike, (line, [], Counter()))
        kinds.append(str(line.get("kind")))
        held_back.update(line.get("held_back") or {})
    for line, kinds, held_back in found.values():
        yield {**line, "kind": ", ".join(kinds), "held_back": dict(held_back.most_common())}


def _gaps(lines: Sequence[Line]) -> Iterator[Line]:
    """Give each gap as a line of its own, those of the same server and stretch as one."""
    found: dict[tuple[object, ...], list[str]] = {}
    for line in lines:
        for gap in line.get("gaps") or ():
            key = tuple({**gap, "server": line.get("server")}.get(name) for name in _GAP)
            found.setdefault(key, []).append(str(line.get("kind")))
    for parts, kinds in found.items():
        yield {**dict(zip(_GAP, parts, strict=True)), "kind": ", ".join(kinds)}


def _watched(line: Line, _zone: tzinfo) -> str:
    return times.length(line.get("watched_s") or 0)


def _snapshots(line: Line, _zone: tzinfo) -> str:
    expected = line.get("expected")
    taken = f"{line.get('snapshots') or 0}"
    return taken if expected is None else f"{taken} of {expected}"


def _interval(line: Line, _zone: tzinfo) -> str:
    seconds = line.get("interval_s")
    return "not known" if seconds is None else times.length(seconds)


def _gap_count(line: Line, _zone: tzinfo) -> int:
    return len(line.get("gaps") or ())


def _gap_seconds(line: Line, _zone: tzinfo) -> int:
    return sum(times.seconds_between(one["from"], one["until"]) for one in line.get("gaps") or ())


def _gap_words(line: Line, zone: tzinfo) -> str:
    number = _gap_count(line, zone)
    if not number:
        return "none"
    return f"{words.count(number, 'gap')}, {times.length(_gap_seconds(line, zone))}"


def _length(line: Line, _zone: tzinfo) -> str:
    return times.length(times.seconds_between(str(line["from"]), str(line["until"])))


def _length_seconds(line: Line, _zone: tzinfo) -> int:
    return times.seconds_between(str(line["from"]), str(line["until"]))


def _held_back(line: Line, _zone: tzinfo) -> str:
    held = line.get("held_back") or {}
    return ", ".join(f"{rule}: {number}" for rule, number in held.items())


_SERVER = of("server", "Server", width=13)
_FROM = of("from", "From", "moment", 28)
_UNTIL = of("until", "Until", "moment", 28)
_KINDS = of("kind", "Kinds", width=60)
_WORDS = Column("Time watched", _watched, width=14)
_HELD = Column("Held back by rules", _held_back, width=20)
_MISSING = of("expected", "Missing", "number", 13)

_PAGE = (
    _SERVER,
    _FROM,
    _UNTIL,
    of("share", "Watched", "share", 16),
    _WORDS,
    Column("Snapshots", _snapshots, width=19),
    Column("Usual interval", _interval, width=14),
    Column("Gaps", _gap_words, width=16),
    _HELD,
    _KINDS,
)
_SHEET = (
    _SERVER,
    of("kind", "Kind", width=28),
    _FROM,
    _UNTIL,
    of("share", "Watched", "share", 14),
    of("watched_s", "Watched, seconds", "number", 12),
    _WORDS,
    of("snapshots", "Snapshots", "number", 11),
    of("expected", "Expected", "number", 10),
    of("interval_s", "Usual interval, seconds", "number", 12),
    Column("Gaps", _gap_count, "number", 8),
    Column("Gaps, seconds", _gap_seconds, "number", 12),
    _HELD,
)
_GAPS = (
    _SERVER,
    _FROM,
    _UNTIL,
    Column("Length", _length, width=12),
    _MISSING,
    of("reason", "Why", width=40),
    _KINDS,
)
_GAPS_SHEET = (
    _SERVER,
    _FROM,
    _UNTIL,
    Column("Length, seconds", _length_seconds, "number", 12),
    Column("Length", _length, width=12),
    _MISSING,
    of("reason", "Why", width=40),
    _KINDS,
)
