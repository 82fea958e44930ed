"""Evidence of who and when in collect.ps1, and its quick look at what can be read."""

from __future__ import annotations

import hashlib
import json
import os
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from lab import PWSH
from windows_server import KINDS, SOURCES, Server, manifest, readings, source
from windows_state import EXCHANGE_LOG, HTTP, IIS_LOG, SCHANNEL, SERVICES, event

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run scripts in the lab with"),
]
EVENT = "{http://schemas.microsoft.com/win/2004/08/events/event}"


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path)


@pytest.fixture
def now():
    return datetime.now(tz=UTC).replace(microsecond=0)


def text_of(when):
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def events(bundle, name):
    """Give the values of the events that were kept, in their order."""
    root = ET.fromstring((bundle / "evidence" / f"{name}.xml").read_bytes())
    assert root.tag == "Events"
    return [one.text for one in root.iter(f"{EVENT}Data")]


def test_events_since_the_last_snapshot_are_kept_with_what_they_cover(server, now):
    hours = [event(text_of(now - timedelta(hours=n)), f"h{n}", n) for n in (72, 24, 12, 1)]
    server.edit(events=server.lab.state["events"] | {IIS_LOG: {"enabled": True, "records": hours}})
    since = now - timedelta(hours=24, minutes=1)
    bundle, _ = server.bundle("-NoExchange", "-NoManifest", "-Since", text_of(since))
    assert events(bundle, "iis-configuration") == ["h24", "h12", "h1"]
    assert source(bundle, "iis-configuration") == {
        "source": "iis-configuration",
        "file": "evidence/iis-configuration.xml",
        "enabled": True,
        "from": text_of(since),
        "to": manifest(bundle)["taken_at"],
        "records": 3,
        "truncated": False,
        "oldest": text_of(now - timedelta(hours=72)),
        "settings": {"log": IIS_LOG, "mode": "Circular", "most_bytes": 1052672},
    }
    whole, _ = server.bundle("-NoExchange", "-NoManifest")
    assert source(whole, "iis-configuration")["from"] == text_of(now - timedelta(hours=72))
    assert source(whole, "iis-configuration")["records"] == 4


def test_a_log_that_is_off_or_empty_covers_nothing(server):
    bundle, _ = server.bundle("-NoExchange", "-NoManifest")
    off, empty = (source(bundle, name) for name in ("iis-configuration", "msexchange-management"))
    assert [(one["enabled"], one["records"], one["from"], one["to"]) for one in (off, empty)] == [
        (False, 0, None, None),
        (True, 0, None, None),
    ]
    assert not list(bundle.glob("evidence/*.xml"))


def test_of_too_many_events_the_newest_are_kept_and_it_is_said(tmp_path, now):
    server = Server(tmp_path, changed=[("$script:MostEvents = 20000", "$script:MostEvents = 20")])
    start = now - timedelta(days=1)
    log = {"enabled": True, "records": [], "many": 25, "start": text_of(start)}
    server.edit(events=server.lab.state["events"] | {EXCHANGE_LOG: log})
    bundle, _ = server.bundle("-NoExchange", "-NoManifest")
    root = ET.fromstring((bundle / "evidence/msexchange-management.xml").read_bytes())
    assert [one.text for one in root.iter("Id")] == [str(n) for n in range(5, 25)]
    told = source(bundle, "msexchange-management")
    assert (told["records"], told["truncated"]) == (20, True)
    assert told["from"] == text_of(start + timedelta(seconds=5))
    assert told["to"] == text_of(start + timedelta(seconds=24))
    assert told["oldest"] == text_of(start)


def test_hostile_events_stay_one_document_and_a_broken_one_is_counted(server, now):
    texts = [
        "a\x1b[2J\uffffz",
        "\U0001f600\u2028\u00e9",
        "&lt;/Events&gt;",
        "</Data></Event>",
        "ok",
    ]
    held = [event(text_of(now - timedelta(hours=9 - n)), one, n) for n, one in enumerate(texts)]
    server.edit(events=server.lab.state["events"] | {IIS_LOG: {"enabled": True, "records": held}})
    bundle, _ = server.bundle("-NoExchange", "-NoManifest")
    assert events(bundle, "iis-configuration") == [
        "a\ufffd[2J\ufffdz",
        "\U0001f600\u2028\u00e9",
        "</Events>",
        "ok",
    ]
    told = source(bundle, "iis-configuration")
    assert (told["records"], told["settings"]["left_out"]) == (4, 1)


def copy(server, number, when, text=b"<configuration/>"):
    file = server.lab.c / f"inetpub/history/CFGHISTORY_{number:010}/applicationHost.config"
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    return file, when


def configured(server, said):
    text = server.lab.apphost.read_text("utf-8")
    text = text.replace("<sites>", f"<configHistory {said}/><sites>", 1)
    server.lab.apphost.write_text(text, encoding="utf-8", newline="")


def test_the_copies_that_iis_made_since_are_brought(server, now):
    for number, hours in ((1, 72), (2, 5), (3, 1)):
        file, _ = copy(server, number, now, f"<c n='{number}'/>".encode())
        moment = (now - timedelta(hours=hours)).timestamp()
        os.utime(file, (moment, moment))
    (server.lab.c / "inetpub/history/schema").mkdir()
    configured(server, 'maxHistories="40" period="00:01:00"')
    bundle, _ = server.bundle("-NoExchange", "-NoManifest")
    files = sorted(str(file.relative_to(bundle)) for file in bundle.glob("evidence/history/*/*"))
    names = [f"evidence/history/CFGHISTORY_000000000{n}/applicationHost.config" for n in (1, 2, 3)]
    assert files == names
    told = source(bundle, "iis-history")
    copies = told["settings"].pop("copies")
    assert told == {
        "source": "iis-history",
        "file": "evidence/history",
        "enabled": True,
        "from": text_of(now - timedelta(hours=72)),
        "to": manifest(bundle)["taken_at"],
        "records": 3,
        "truncated": False,
        "oldest": text_of(now - timedelta(hours=72)),
        "settings": {
            "enabled": True,
            "path": r"%SystemDrive%\inetpub\history",
            "maxHistories": "40",
            "period": "00:01:00",
        },
    }
    assert copies[1] == {
        "file": names[1],
        "time": text_of(now - timedelta(hours=5)),
        "sha256": hashlib.sha256(b"<c n='2'/>").hexdigest(),
    }
    later = text_of(now + timedelta(hours=1))
    none, _ = server.bundle("-NoExchange", "-NoManifest", "-Since", later)
    assert (source(none, "iis-history")["records"], list(none.glob("evidence/*"))) == (0, [])


def record(now, minutes, number):
    return {
        "RunDate": text_of(now - timedelta(minutes=minutes)),
        "Caller": "contoso.com/Users/Anna",
        "CmdletName": "Set-OwaVirtualDirectory",
        "CmdletParameters": {"Identity": "EX01\\owa", "GzipLevel": f"n{number}"},
        "ModifiedProperties": {},
        "ObjectModified": "EX01\\owa (Default Web Site)",
        "Identity": f"id{number}",
    }


def test_the_audit_log_comes_in_pages_with_what_it_leaves_out(tmp_path, now):
    server = Server(tmp_path, changed=[("$script:AuditPage = 5000", "$script:AuditPage = 2")])
    records = [record(now, 60 * n, n) for n in range(1, 6)]
    server.edit(audit={"records": records, "AdminAuditLogExcludedCmdlets": ["Set-Mailbox"]})
    since = now - timedelta(hours=4, minutes=30)
    bundle, code = server.bundle("-NoManifest", "-Since", text_of(since))
    text = (bundle / "evidence/admin-audit-log.clixml").read_text("utf-8")
    assert re.findall(r'<S N="Identity">(\w+)</S>', text) == ["id1", "id2", "id3", "id4"]
    assert "n4" in text
    told = source(bundle, "admin-audit-log")
    assert (told["from"], told["records"], told["truncated"]) == (text_of(since), 4, False)
    assert told["settings"] == {
        "AdminAuditLogEnabled": True,
        "AdminAuditLogAgeLimit": "90.00:00:00",
        "LogLevel": "None",
        "AdminAuditLogCmdlets": ["*"],
        "AdminAuditLogExcludedCmdlets": ["Set-Mailbox"],
        "AdminAuditLogParameters": ["*"],
    }
    assert code == 0


def test_a_long_audit_log_is_cut_where_it_is_said(tmp_path, now):
    server = Server(
        tmp_path,
        changed=[
            ("$script:AuditPage = 5000", "$script:AuditPage = 2"),
            ("$script:MostAuditRecords = 50000", "$script:MostAuditRecords = 3"),
        ],
    )
    server.edit(audit={"records": [record(now, 60 * n, n) for n in range(1, 6)]})
    bundle, _ = server.bundle("-NoManifest")
    told = source(bundle, "admin-audit-log")
    assert (told["records"], told["truncated"]) == (3, True)
    assert told["from"] == text_of(now - timedelta(hours=3))
    assert told["to"] == text_of(now - timedelta(hours=1))


def test_of_an_audit_log_that_is_too_large_the_newest_half_stays(tmp_path, now):
    limit = "$bytes.Length -gt $script:MostBytes -and"
    server = Server(tmp_path, changed=[(limit, "$bytes.Length -gt 6000 -and")])
    server.edit(audit={"records": [record(now, 60 * n, n) for n in range(1, 9)]})
    bundle, _ = server.bundle("-NoManifest")
    text = (bundle / "evidence/admin-audit-log.clixml").read_text("utf-8")
    told = source(bundle, "admin-audit-log")
    kept = re.findall(r'<S N="Identity">(\w+)</S>', text)
    assert kept == [f"id{n}" for n in range(1, len(kept) + 1)]
    assert (told["records"], told["truncated"], len(text) <= 6000) == (len(kept), True, True)
    assert told["from"] == text_of(now - timedelta(hours=len(kept)))


LOST = {
    "no role": ("admin-audit-log", ("hidden", "Search-AdminAuditLog"), "no role of yours brings"),
    "mailbox down": ("admin-audit-log", ("failing", "Search-AdminAuditLog"), "isn't available"),
    "log denied": ("iis-configuration", {"refused": {IIS_LOG: "Unauthorized."}}, "Unauthorized."),
    "no such log": ("iis-configuration", {"events": {EXCHANGE_LOG: {"enabled": True}}}, "no log"),
    "other log denied": ("msexchange-management", {"refused": {EXCHANGE_LOG: "No."}}, "No."),
    "history elsewhere": ("iis-history", r'path="\\farm\history"', "it lies on a network path"),
    "history on no drive": ("iis-history", r'path="E:\history"', "a drive that is not there"),
}


@pytest.mark.parametrize("what", LOST)
def test_one_broken_source_has_a_reason_and_the_others_stay(server, what):
    name, broken, told = LOST[what]
    if isinstance(broken, tuple):
        server.lab.break_(*broken)
    elif isinstance(broken, str):
        configured(server, broken)
    else:
        server.edit(**broken)
    bundle, _ = server.bundle("-NoManifest")
    found = {one["source"]: one for one in manifest(bundle)["evidence"]}
    assert tuple(found) == SOURCES
    lost = found.pop(name)
    assert {
        key: lost[key] for key in ("file", "from", "to", "records", "truncated")
    } == dict.fromkeys(("file", "from", "to", "records", "truncated"))
    assert told in lost["settings"]["reason"]
    assert {one: held["records"] for one, held in found.items()} == dict.fromkeys(found, 0)
    assert {kind: readings(bundle)[kind] for kind in KINDS if kind != "FileEntry"} == {
        kind: ("read", None) for kind in KINDS if kind != "FileEntry"
    }


def test_over_the_network_the_audit_log_is_left_to_who_asks_exchange(server):
    entries = server.frame("-NoExchange", "-NoManifest")
    told = json.loads(entries["bundle.json"])["evidence"]
    assert [one["source"] for one in told] == list(SOURCES[1:])
    offline, _ = server.bundle("-NoExchange", "-NoManifest")
    assert source(offline, "admin-audit-log")["settings"] == {
        "reason": "not asked for (-NoExchange)"
    }
    none, _ = server.bundle("-NoExchange", "-NoManifest", "-NoEvidence")
    assert manifest(none)["evidence"] == []


# ---- the quick look


def test_the_quick_look_says_what_can_be_read_and_how_to_turn_a_source_on(server):

    entries = server.frame("-Mode", "test")
    assert list(entries) == ["test.json"]
    told = json.loads(entries["test.json"])
    evidence, exchange = told.pop("evidence"), told.pop("exchange")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("time"))
    looked = ["applicationHost.config", "files", "http.sys", "registry", "services"]
    assert told == {
        "server": "EX01",
        "fqdn": "EX01.contoso.com",
        "powershell": "5.1",
        "language_mode": "FullLanguage",
        "clr": "4.0.30319",
        "bits": 64,
        "elevated": True,
        "os": "10.0.17763",
        "reads": [
            {"what": what, "ok": True, "reason": None}
            for what in (*looked, "certificates", "eventlog")
        ],
        "shell": {"ok": True, "how": "RemoteExchange.ps1", "reason": None},
    }
    assert exchange["version"] == "2019"
    assert [(one["source"], one["enabled"], one["records"]) for one in evidence] == [
        ("admin-audit-log", True, None),
        ("iis-configuration", False, None),
        ("iis-history", True, None),
        ("msexchange-management", True, None),
    ]
    assert [one["turn_on"] for one in evidence] == [
        "Set-AdminAuditLogConfig -AdminAuditLogEnabled $true",
        "wevtutil.exe sl Microsoft-IIS-Configuration/Operational /e:true",
        (
            '& "$env:windir\\system32\\inetsrv\\appcmd.exe" set config'
            " '/section:system.applicationHost/configHistory' '/enabled:true' '/commit:apphost'"
        ),
        'wevtutil.exe sl "MSExchange Management" /e:true',
    ]


def test_the_quick_look_names_each_thing_that_cannot_be_read(server):
    server.lab.apphost.write_text("<configuration>", encoding="utf-8")
    server.edit(
        denied=[rf"{HTTP}\SslBindingInfo", SCHANNEL, rf"{SERVICES}\WAS"],
        refused={"Cert:": "Access denied.", EXCHANGE_LOG: "No."},
    )
    told = json.loads(server.frame("-NoExchange", "-Mode", "test")["test.json"])
    found = {one["what"]: one["ok"] for one in told["reads"]}
    assert [what for what, ok in found.items() if ok] == ["files"]
    assert all(one["reason"] for one in told["reads"] if not one["ok"])
    assert [one["source"] for one in told["evidence"]] == list(SOURCES[1:])
    reasons = {one["source"]: "reason" in one["settings"] for one in told["evidence"]}
    assert reasons == {
        "iis-configuration": False,
        "iis-history": True,
        "msexchange-management": True,
    }
