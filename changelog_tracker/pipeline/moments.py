"""TIME and snapshot arguments: ISO 8601, `7d`, a snapshot's id, `latest`, `previous`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker.errors import UsageError
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import Snapshot, snapshots_of

if TYPE_CHECKING:
    from changelog_tracker.store.database import Connection
_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EXPECTED = "expected ISO 8601 (2026-11-22T10:00) or 7d, 12h ago"


def read_time(text: str, option: str) -> datetime:
    """
    Read TIME: ISO 8601, local without an offset, or so long ago.

    Raises:
        UsageError: It is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            return datetime.now(tz=UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if re.match(r"\d{4}-\d\d-\d\d", text.strip()) is None:
            raise UsageError(option, f"{text!r} is no time; {EXPECTED}")
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(option, f"{text!r} is no time; {EXPECTED}") from error


def read_build(text: str) -> str:
    """
    Read a build number.

    Raises:
        UsageError: It is none.
    """
    if re.fullmatch(r"\d{1,2}\.\d{1,3}\.\d{1,5}(\.\d{1,5})?", text.strip()) is None:
        raise UsageError("--build", f"{text!r} is no build; expected such as 15.2.1118.7")
    return text.strip()


def find_snapshot(connection: Connection, server_id: int, server: str, text: str) -> Snapshot:
    """
    Find the snapshot that an argument names: id, TIME, `latest` or `previous`.

    Raises:
        UsageError: There is none.
    """
    found = snapshots_of(connection, server_id)
    if not found:
        raise UsageError(server, "has no snapshot")
    if text == "latest":
        return found[-1]
    if text == "previous":
        if len(found) < 2:
            raise UsageError(server, "has one snapshot only, so there is no previous one")
        return found[-2]
    if re.fullmatch(r"\d{1,9}", text):
        for one in found:
            if one.seq == int(text):
                return one
        raise UsageError(
            text,
            f"is no snapshot of {server}",
            f"list them with: changelog-tracker snapshots {server}",
        )
    at = micros(read_time(text, text))
    before = [one for one in found if one.at <= at]
    if not before:
        raise UsageError(text, f"{server} has no snapshot of that time or before")
    return before[-1]
