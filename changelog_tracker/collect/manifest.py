"""Reads bundle.json, the list that a collector writes of what it looked for (design 4.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from changelog_tracker.collect.fields import HINT, Fields, read_object
from changelog_tracker.collect.gathered import (
    Manifest,
    ManifestCollector,
    ManifestEvidence,
    ManifestExchange,
    ManifestReading,
    ManifestWindows,
)
from changelog_tracker.collect.limits import MIB, in_words
from changelog_tracker.collect.names import relative_path, shown
from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from changelog_tracker.model import Mode, Status

NAME = "bundle.json"
FORMAT = 1
# A JSON list of empty objects takes some 25 times its bytes in memory: 8 MiB stay below 400 MB.
LONGEST_BYTES = 8 * MIB
MODES = ("full", "ad-only", "files-only")
STATUSES = ("read", "absent", "unread")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_LONGEST_HOST_NAME = 63
_DAY_MIN = 24 * 60
_MOST_RECORDS = 2**53
_MOST_SKEW_MS = 10 * 365 * _DAY_MIN * 60_000


def read_manifest(place: str, data: bytes) -> Manifest:
    """
    Read and check the bytes of bundle.json; what it does not know it passes over.

    Raises:
        InputError: Another format, a field of the wrong type, a path that leads out, a file or
            noun listed twice.
    """
    if len(data) > LONGEST_BYTES:
        raise InputError(place, f"{NAME}: larger than {in_words(LONGEST_BYTES)}")
    fields = read_object(place, NAME, data)
    _check_format(fields)
    taken_at = fields.time("taken_at")
    if taken_at is None:
        raise fields.wrong("taken_at", "an ISO 8601 time with offset, as 2026-11-22T10:00:00Z")
    if fields.values.get("readings") is None:
        raise fields.wrong("readings", "a list")
    return Manifest(
        server=_server(fields),
        taken_at=taken_at,
        utc_offset_min=fields.whole("utc_offset_min", -_DAY_MIN, _DAY_MIN),
        time_zone=fields.optional_text("time_zone"),
        skew_ms=fields.whole("skew_ms", -_MOST_SKEW_MS, _MOST_SKEW_MS),
        collector=_collector(fields.part("collector")),
        exchange=_exchange(fields.part("exchange")),
        windows=_windows(fields.part("windows")),
        readings=_readings(fields),
        evidence=tuple(_evidence(part) for part in fields.parts("evidence")),
    )


def _check_format(fields: Fields) -> None:
    number = fields.values.get("format")
    if isinstance(number, bool) or not isinstance(number, int):
        raise fields.wrong("format", f"the number {FORMAT}")
    if number != FORMAT:
        hint = "update changelog-tracker" if number > FORMAT else None
        what = f"bundle format {number}; this program reads {FORMAT}"
        raise InputError(fields.place, f"{NAME}: {what}", hint)


def _server(fields: Fields) -> str:
    """Take the short name out of the name or FQDN of the server."""
    short = fields.text("server").partition(".")[0]
    # The first part of an IP address is a number, and would be many servers' name.
    named = short.strip() == short and not short.isdigit() and len(short) <= _LONGEST_HOST_NAME
    if not short or not named or not short.isprintable() or {"\\", "/"} & set(short):
        raise fields.wrong("server", "the name of one server, as EX01 or ex01.contoso.com")
    return short


def _collector(part: Fields) -> ManifestCollector:
    return ManifestCollector(part.optional_text("name"), part.optional_text("version"))


def _exchange(part: Fields) -> ManifestExchange:
    return ManifestExchange(
        version=part.optional_text("version"),
        build=part.optional_text("build"),
        exsetup=part.optional_text("exsetup"),
        admin_display_version=part.optional_text("admin_display_version"),
        install_path=part.optional_text("install_path"),
        shell=part.optional_text("shell"),
    )


def _windows(part: Fields) -> ManifestWindows:
    return ManifestWindows(
        build=part.optional_text("build"),
        system_root=part.optional_text("system_root"),
        install_date=part.optional_text("install_date"),
        machine_sid=part.optional_text("machine_sid"),
        features=part.texts("features"),
        url_rewrite=part.optional_text("url_rewrite"),
        iis_schema=part.texts("iis_schema"),
        powershell=part.optional_text("powershell"),
    )


def _readings(fields: Fields) -> tuple[ManifestReading, ...]:
    readings = []
    seen: set[tuple[str, str]] = set()
    for part in fields.parts("readings"):
        reading = _reading(part)
        # By file, and by noun where there is none.
        key = ("", reading.file.casefold()) if reading.file else (reading.kind.casefold(), "")
        if key in seen:
            what = f"{NAME}: {part.way}: {shown(reading.file or reading.kind)} is listed twice"
            raise InputError(part.place, what, HINT)
        seen.add(key)
        readings.append(reading)
    return tuple(readings)


def _reading(part: Fields) -> ManifestReading:
    status = part.choice("status", STATUSES)
    if status is None:
        raise part.wrong("status", " or ".join(STATUSES))
    mode = part.choice("mode", MODES)
    file = _path(part, "file")
    digest = part.optional_text("sha256")
    if digest is not None and not _SHA256.fullmatch(digest):
        raise part.wrong("sha256", "64 hexadecimal digits")
    if status == "read":
        for key, value in (("mode", mode), ("file", file), ("sha256", digest)):
            if value is None:
                raise part.wrong(key, "a value, as the status is read")
    reason = part.optional_text("reason")
    return ManifestReading(
        kind=part.text("kind"),
        file=file,
        mode=cast("Mode", mode or "full"),
        status=cast("Status", status),
        reason=" ".join(reason.split()) if reason else None,
        sha256=bytes.fromhex(digest) if digest else None,
    )


def _evidence(part: Fields) -> ManifestEvidence:
    return ManifestEvidence(
        source=part.text("source"),
        file=_path(part, "file"),
        enabled=part.flag("enabled"),
        starts=part.time("from"),
        ends=part.time("to"),
        records=part.whole("records", 0, _MOST_RECORDS),
        truncated=part.flag("truncated"),
        oldest=part.time("oldest"),
        settings=part.part("settings").values,
    )


def _path(part: Fields, key: str) -> str | None:
    name = part.optional_text(key)
    if name is None:
        return None
    try:
        path = relative_path(name)
    except ValueError as error:
        what = f"a path inside the bundle, found {shown(name)}: {error}"
        raise part.wrong(key, what) from error
    if not path:
        raise part.wrong(key, "a path inside the bundle")
    return path
