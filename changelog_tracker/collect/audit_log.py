"""Who changed what by a cmdlet, and when: the administrator audit log, page by page."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from changelog_tracker.collect.gathered import ManifestEvidence
from changelog_tracker.collect.psrp import CmdletError
from changelog_tracker.collect.psrp_xml import document, properties, read_object
from changelog_tracker.errors import DamagedAnswerError

if TYPE_CHECKING:
    from changelog_tracker.collect.psrp import ExchangeSession, Parameter
    from changelog_tracker.model import Value

SOURCE = "admin-audit-log"
FILE = f"evidence/{SOURCE}.clixml"
MOST_RECORDS = 50_000
_PAGE = 5_000
_MOST_CHARS = 32 * 1024 * 1024
# What was done is found up to 15 minutes later: Search-AdminAuditLog.md.
_LATE = timedelta(minutes=15)
_KEPT = timedelta(days=90)
_TOLD = (
    *("AdminAuditLogAgeLimit", "LogLevel", "AdminAuditLogCmdlets"),
    *("AdminAuditLogExcludedCmdlets", "AdminAuditLogParameters"),
)
_AGE = re.compile(r"(\d+)\.\d\d:\d\d:\d\d(?:\.\d+)?")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")


@dataclass(slots=True)
class _Found:
    """Records so far, when they were made, and whether some were left out."""

    records: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    identities: set[str] = field(default_factory=set)
    chars: int = 0
    truncated: bool = False


def search_audit_log(
    session: ExchangeSession,
    since: datetime | None,
    until: datetime,
    *,
    page: int = _PAGE,
    most: int = MOST_RECORDS,
) -> tuple[ManifestEvidence, bytes]:
    """
    Bring the records of a span of time, and what the log leaves out.

    Args:
        session: Open.
        since: Aware; None for as long as Exchange keeps them unless told otherwise.
        until: Aware.
        page: How many records are asked for at once.
        most: After so many, the newest, the rest is left out.

    Returns:
        What the source covers, and the records as one CLIXML document; none where there are no
        records. Its settings hold a reason where it could not be read.

    Raises:
        CollectError: The session cannot go on.
    """
    until = until.astimezone(UTC)
    starts = until - _KEPT if since is None else since.astimezone(UTC)
    settings: dict[str, Value] = {}
    enabled = oldest = None
    try:
        settings = _config(session)
        enabled = bool(settings["AdminAuditLogEnabled"])
        oldest = _reaches(until, str(settings.get("AdminAuditLogAgeLimit", "")))
        found = _search(session, (starts - _LATE, until), page, most)
        data = document(found.records, session.place) if found.records else b""
    except (CmdletError, DamagedAnswerError) as error:
        settings["reason"] = error.what if isinstance(error, DamagedAnswerError) else str(error)
        return ManifestEvidence(SOURCE, None, enabled, oldest=oldest, settings=settings), b""
    covered: tuple[datetime | None, datetime | None] = (None, None)
    if found.truncated:
        covered = (min(found.times, default=None), max(found.times, default=None))
    elif enabled and oldest is not None:
        covered = (max(starts, oldest), until)
    evidence = ManifestEvidence(
        SOURCE,
        FILE if data else None,
        enabled,
        starts=covered[0],
        ends=covered[1],
        records=len(found.records),
        truncated=found.truncated,
        oldest=oldest,
        settings=settings,
    )
    return evidence, data


def audit_log_state(session: ExchangeSession, now: datetime) -> ManifestEvidence:
    """
    Tell whether the log is on and how far back it reaches, without its records.

    Args:
        session: Open.
        now: Aware.

    Raises:
        CollectError: The session cannot go on.
    """
    try:
        settings = _config(session)
    except (CmdletError, DamagedAnswerError) as error:
        reason = error.what if isinstance(error, DamagedAnswerError) else str(error)
        return ManifestEvidence(SOURCE, settings={"reason": reason})
    oldest = _reaches(now.astimezone(UTC), str(settings.get("AdminAuditLogAgeLimit", "")))
    enabled = bool(settings["AdminAuditLogEnabled"])
    return ManifestEvidence(SOURCE, enabled=enabled, oldest=oldest, settings=settings)


def _config(session: ExchangeSession) -> dict[str, Value]:
    objects = session.call("Get-AdminAuditLogConfig", {})
    told = properties(read_object(objects[0], session.place)) if objects else {}
    if "AdminAuditLogEnabled" not in told:
        raise CmdletError("Get-AdminAuditLogConfig did not say whether the log is on")
    settings: dict[str, Value] = {}
    for name in _TOLD:
        value = told.get(name)
        settings[name] = [*sorted(value)] if isinstance(value, list) else value
    settings["AdminAuditLogAgeLimit"] = _span(str(told.get("AdminAuditLogAgeLimit", "")))
    settings["AdminAuditLogEnabled"] = told["AdminAuditLogEnabled"] == "true"
    return settings


def _span(text: str) -> str:
    """Write a span of time as PowerShell shows it, where it came as ISO 8601 has it."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return text
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return f"{days}.{hours:02}:{minutes:02}:{seconds:02}"


def _search(
    session: ExchangeSession, span: tuple[datetime, datetime], page: int, most: int
) -> _Found:
    """
    Ask page by page, by the number of records before each.

    Whether that number counts from 0 or 1 is not documented, and a record that is found late moves
    the others on: so one that comes twice is taken once, and no page is skipped.
    """
    found = _Found()
    asked = 0
    while not found.truncated:
        wanted: dict[str, Parameter] = {
            "StartDate": span[0],
            "EndDate": span[1],
            "ResultSize": page,
        }
        if asked:
            wanted["StartIndex"] = asked
        got = session.call("Search-AdminAuditLog", wanted)
        asked += len(got)
        before = len(found.records)
        for record in got:
            _take(found, record, session.place, most)
        if len(got) < page or len(found.records) == before:
            break
    return found


def _take(found: _Found, record: str, place: str, most: int) -> None:
    told = properties(read_object(record, place))
    identity = str(told.get("Identity", ""))
    if identity and identity in found.identities:
        return
    if len(found.records) >= most or found.chars + len(record) > _MOST_CHARS:
        found.truncated = True
    if found.truncated:
        return
    found.identities.add(identity)
    found.records.append(record)
    found.chars += len(record)
    with suppress(ValueError):
        when = datetime.fromisoformat(str(told.get("RunDate")))
        # RunDate is UTC, also where it does not say so.
        found.times.append(when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC))


def _reaches(until: datetime, age_limit: str) -> datetime | None:
    """Give since when the log can hold anything: what is older than its age limit is gone."""
    age = _AGE.fullmatch(age_limit)
    try:
        return until - timedelta(days=int(age[1])) if age else None
    except OverflowError:
        return None
