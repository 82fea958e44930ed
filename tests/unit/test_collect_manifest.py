"""bundle.json: every field by its type, and nothing that could mislead."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from changelog_tracker.collect.gathered import (
    Manifest,
    ManifestCollector,
    ManifestEvidence,
    ManifestExchange,
    ManifestReading,
    ManifestWindows,
)
from changelog_tracker.collect.manifest import read_manifest
from changelog_tracker.errors import InputError

DIGEST = "Ab" * 32
READ = {
    "kind": "OwaVirtualDirectory",
    "file": "exchange/OwaVirtualDirectory.clixml",
    "mode": "full",
    "status": "read",
    "reason": None,
    "sha256": DIGEST,
}
LEAST = {"format": 1, "server": "EX01", "taken_at": "2026-11-22T10:00:00Z", "readings": []}
FULL = {
    "format": 1,
    "server": "EX01",
    "taken_at": "2026-11-22T11:00:00.1234567+01:00",
    "utc_offset_min": 60,
    "time_zone": "W. Europe Standard Time",
    "skew_ms": -1500,
    "collector": {"name": "collect.ps1", "version": "1.0"},
    "exchange": {
        "version": "2019",
        "build": "15.2.1118.7",
        "exsetup": "15.02.1118.007",
        "admin_display_version": "Version 15.2 (Build 1118.7)",
        "install_path": "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\",
    },
    "windows": {
        "build": "10.0.17763",
        "system_root": "C:\\Windows",
        "install_date": "2020-01-02T03:04:05Z",
        "machine_sid": "S-1-5-21-1-2-3",
    },
    "readings": [
        READ,
        {"kind": "PopSettings", "status": "unread", "reason": "access\r\n denied", "file": None},
        {"kind": "ConfigFile", "file": "files\\C\\a\\web.config", "status": "absent"},
    ],
    "evidence": [
        {
            "source": "admin-audit-log",
            "file": "evidence/audit.clixml",
            "enabled": True,
            "from": "2026-11-01T00:00:00Z",
            "to": "2026-11-22T00:00:00+02:00",
            "records": 12,
            "truncated": False,
            "oldest": None,
            "settings": {"AdminAuditLogCmdlets": ["*"]},
        }
    ],
    "from_a_later_program": {"anything": [1.5]},
}
NO_TIME = "expected an ISO 8601 time with offset, as 2026-11-22T10:00:00Z"
NO_SERVER = "bundle.json: server: expected the name of one server, as EX01 or ex01.contoso.com"


def read(value: object) -> Manifest:
    return read_manifest("EX01.zip", json.dumps(value).encode())


def refused(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    with pytest.raises(InputError) as caught:
        read_manifest("EX01.zip", raw)
    assert caught.value.place == "EX01.zip"
    assert str(caught.value).isprintable()
    return caught.value.what


def test_every_field_comes_out_typed():
    """Times are UTC, paths have forward slashes, unknown fields are passed over."""
    assert read(FULL) == Manifest(
        server="EX01",
        taken_at=datetime(2026, 11, 22, 10, 0, 0, 123456, UTC),
        utc_offset_min=60,
        time_zone="W. Europe Standard Time",
        skew_ms=-1500,
        collector=ManifestCollector("collect.ps1", "1.0"),
        exchange=ManifestExchange(
            "2019",
            "15.2.1118.7",
            "15.02.1118.007",
            "Version 15.2 (Build 1118.7)",
            "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\",
        ),
        windows=ManifestWindows(
            "10.0.17763", "C:\\Windows", "2020-01-02T03:04:05Z", "S-1-5-21-1-2-3"
        ),
        readings=(
            ManifestReading(
                "OwaVirtualDirectory",
                "exchange/OwaVirtualDirectory.clixml",
                "full",
                "read",
                None,
                bytes.fromhex(DIGEST),
            ),
            ManifestReading("PopSettings", None, "full", "unread", "access denied"),
            ManifestReading("ConfigFile", "files/C/a/web.config", "full", "absent"),
        ),
        evidence=(
            ManifestEvidence(
                "admin-audit-log",
                "evidence/audit.clixml",
                True,
                datetime(2026, 11, 1, tzinfo=UTC),
                datetime(2026, 11, 21, 22, tzinfo=UTC),
                12,
                False,
                None,
                {"AdminAuditLogCmdlets": ["*"]},
            ),
        ),
    )


def test_what_is_not_said_is_none():
    """Format, server, time and readings are all that a bundle must say; empty text is no text."""
    expected = Manifest(
        server="EX01",
        taken_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
        utc_offset_min=None,
        time_zone=None,
        skew_ms=None,
        collector=ManifestCollector(),
        exchange=ManifestExchange(),
        windows=ManifestWindows(),
        readings=(),
        evidence=(),
    )
    assert read(LEAST) == expected
    assert read(LEAST | {"time_zone": "", "collector": None, "evidence": None}) == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_the_encodings_of_powershell_are_read(encoding):
    """Out-File writes UTF-16 or UTF-8, with a byte order mark or without."""
    assert read_manifest("EX01.zip", json.dumps(LEAST).encode(encoding)) == read(LEAST)


def test_the_short_name_of_the_server_is_kept():
    """A bundle may name its server in full."""
    assert read(LEAST | {"server": "ex01.contoso.com"}).server == "ex01"


@pytest.mark.parametrize(
    "server",
    [
        ".contoso.com",
        "CONTOSO\\EX01",
        "a/b",
        " EX01",
        "EX\n01",
        "EX01\x1b[0m",
        "EX\u202e01",
        "10.0.0.5",
        "E" * 64,
        "\ud800X",
    ],
)
def test_what_is_no_name_of_a_server_is_refused(server):
    """A name is shown, stored and compared, so it has to be one."""
    what = refused(LEAST | {"server": server})
    assert what == NO_SERVER or "surrogates not allowed" in what or "not valid text" in what


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"format": 2}, "bundle.json: bundle format 2; this program reads 1"),
        ({"format": 0}, "bundle.json: bundle format 0; this program reads 1"),
        ({"format": True}, "bundle.json: format: expected the number 1"),
        ({"format": "1"}, "bundle.json: format: expected the number 1"),
        ({"format": None}, "bundle.json: format: expected the number 1"),
        ({"server": ""}, "bundle.json: server: expected text that is not empty"),
        ({"server": 1}, "bundle.json: server: expected text"),
        ({"taken_at": None}, f"bundle.json: taken_at: {NO_TIME}"),
        ({"taken_at": "2026-11-22T10:00:00"}, f"bundle.json: taken_at: {NO_TIME}"),
        ({"taken_at": "/Date(1700000000000)/"}, f"bundle.json: taken_at: {NO_TIME}"),
        ({"taken_at": "0001-01-01T00:00:00+10:00"}, f"bundle.json: taken_at: {NO_TIME}"),
        ({"taken_at": 1700000000}, "bundle.json: taken_at: expected text"),
        (
            {"utc_offset_min": 1.5},
            "bundle.json: utc_offset_min: expected a whole number from -1440 to 1440",
        ),
        (
            {"utc_offset_min": True},
            "bundle.json: utc_offset_min: expected a whole number from -1440 to 1440",
        ),
        ({"collector": []}, "bundle.json: collector: expected an object"),
        ({"exchange": {"build": 15.2}}, "bundle.json: exchange.build: expected text"),
        ({"readings": None}, "bundle.json: readings: expected a list"),
        ({"readings": {}}, "bundle.json: readings: expected a list of at most 100000 objects"),
        ({"readings": [READ, None]}, "bundle.json: readings[1]: expected an object"),
        ({"evidence": [{}]}, "bundle.json: evidence[0].source: expected text that is not empty"),
        (
            {"evidence": [{"source": "iis-history", "enabled": "yes"}]},
            "bundle.json: evidence[0].enabled: expected true or false",
        ),
        (
            {"evidence": [{"source": "iis-history", "from": "yesterday"}]},
            f"bundle.json: evidence[0].from: {NO_TIME}",
        ),
        (
            {"evidence": [{"source": "iis-history", "settings": []}]},
            "bundle.json: evidence[0].settings: expected an object",
        ),
    ],
)
def test_a_field_of_another_type_is_refused(changed, what):
    """The message names the field and what was expected there."""
    assert refused(LEAST | changed) == what


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"kind": None}, "kind: expected text that is not empty"),
        ({"status": None}, "status: expected read or absent or unread"),
        ({"status": "failed"}, "status: expected read or absent or unread"),
        ({"mode": "all"}, "mode: expected full or ad-only or files-only"),
        ({"mode": None}, "mode: expected a value, as the status is read"),
        ({"file": None}, "file: expected a value, as the status is read"),
        ({"sha256": None}, "sha256: expected a value, as the status is read"),
        ({"sha256": "abc"}, "sha256: expected 64 hexadecimal digits"),
        ({"sha256": DIGEST + "\n"}, "sha256: expected 64 hexadecimal digits"),
        ({"reason": 5}, "reason: expected text"),
        ({"file": "./"}, "file: expected a path inside the bundle"),
        (
            {"file": "../x"},
            "file: expected a path inside the bundle, found ../x: the name leads out of its folder",
        ),
        (
            {"file": "\\x"},
            "file: expected a path inside the bundle, found \\x: the name is absolute",
        ),
    ],
)
def test_a_reading_that_does_not_say_what_it_is_is_refused(changed, what):
    """A reading has a kind, a status, and when it was read a file, its mode and its hash."""
    assert refused(LEAST | {"readings": [READ | changed]}) == f"bundle.json: readings[0].{what}"


def test_a_file_or_noun_listed_twice_is_refused():
    """One file has one hash; a noun without a file has one answer."""
    twice = READ | {"file": "Exchange\\owavirtualdirectory.CLIXML"}
    what = "bundle.json: readings[1]: Exchange/owavirtualdirectory.CLIXML is listed twice"
    assert refused(LEAST | {"readings": [READ, twice]}) == what
    noun = {"kind": "PopSettings", "status": "unread"}
    what = "bundle.json: readings[1]: PopSettings is listed twice"
    assert refused(LEAST | {"readings": [noun, noun]}) == what


def test_a_noun_may_have_two_files():
    """One reading in full and one of Active Directory alone."""
    other = READ | {"file": "exchange/OwaVirtualDirectory.ad.clixml", "mode": "ad-only"}
    modes = [reading.mode for reading in read(LEAST | {"readings": [READ, other]}).readings]
    assert modes == ["full", "ad-only"]
