"""Moments and lengths of time in words: where the reader sits, and in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from changelog_tracker.report import escape, words

if TYPE_CHECKING:
    from datetime import tzinfo

_UTC_INSIDE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
NO_CLOCK = "-"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def parsed(time: str) -> datetime | None:
    """Read ISO 8601 with Z or an offset; None where it is no such time."""
    try:
        moment = datetime.fromisoformat(time)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def utc(time: str) -> str:
    """Word a time in UTC, to the second: `2026-11-20 13:05:59Z`."""
    moment = parsed(time)
    return f"{moment:%Y-%m-%d %H:%M:%S}Z" if moment else escape.terminal(time)


def both(time: str, zone: tzinfo) -> str:
    """Word a time as people of `zone` read it, and in UTC."""
    if parsed(time) is None:
        return escape.terminal(time)
    return f"{words.moment(time, zone)} ({utc(time)})"


def clock(time: str, offset_min: int | None, skew_ms: int | None) -> str:
    """
    Word what a server's own clock showed: `11:00 +01:00, 2.5 s ahead`.

    Args:
        time: ISO 8601 with Z.
        offset_min: The server's offset from UTC; None where nobody said.
        skew_ms: How far its clock ran ahead of the collector's.
    """
    moment = parsed(time)
    if moment is None or offset_min is None:
        return NO_CLOCK
    local = words.moment(time, timezone(timedelta(minutes=offset_min)))
    return ", ".join([local[11:], *([skew(skew_ms)] if skew_ms else [])])


def skew(skew_ms: int) -> str:
    """Word how far a clock runs ahead or behind: `2.5 s ahead`."""
    return f"{abs(skew_ms) / 1000:g} s {'ahead' if skew_ms > 0 else 'behind'}"


def offset(minutes: int) -> str:
    """Word an offset from UTC: `+01:00`."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def both_inside(said: str, zone: tzinfo) -> str:
    """Word each time in UTC that stands inside other words as `both` does."""
    return _UTC_INSIDE.sub(lambda found: both(found[0], zone), said)


def local_iso(time: str, zone: tzinfo) -> str:
    """Write a time of `zone` as ISO 8601 with its offset: `2026-11-20T14:05:59+01:00`."""
    moment = parsed(time)
    try:
        return moment.astimezone(zone).isoformat(timespec="seconds") if moment else time
    except (ValueError, OverflowError):
        return time


def seconds_between(start: str, end: str) -> int:
    """Give the length of what lies between two times; 0 where one is no time."""
    first, last = parsed(start), parsed(end)
    return round((last - first).total_seconds()) if first and last else 0


def length(seconds: int) -> str:
    """Word a length of time by its two largest units: `2 d 4 h`, `20 min`, `0 s`."""
    parts: list[str] = []
    left = seconds
    for size, unit in _UNITS:
        number, left = divmod(left, size)
        if number or (unit == "s" and not parts):
            parts.append(f"{number} {unit}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def share(part: float) -> str:
    """Word a part of a whole, cut and not rounded: only all of it is `100 %`."""
    hundredths = int(part * 10_000 + 1e-6)
    return f"{hundredths // 100}.{hundredths % 100:02} %" if hundredths < 10_000 else "100 %"
