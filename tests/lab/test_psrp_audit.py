"""What is true of bringing the administrator audit log over an Exchange session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lab import PWSH, Lab
from test_psrp import as_told, endpoint, serving

from changelog_tracker.collect.audit_log import FILE, search_audit_log
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.gathered import ManifestEvidence
from changelog_tracker.collect.psrp import exchange_session

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run the lab's endpoint with"),
]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ON = {
    "AdminAuditLogAgeLimit": "90.00:00:00",
    "LogLevel": "None",
    "AdminAuditLogCmdlets": ["*"],
    "AdminAuditLogExcludedCmdlets": ["New-Mailbox"],
    "AdminAuditLogParameters": ["*"],
    "AdminAuditLogEnabled": True,
}


def record(number):
    when = NOW - timedelta(hours=number)
    return {
        "RunDate": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Caller": "contoso.com/Users/anna",
        "CmdletName": "Set-OwaVirtualDirectory",
        "ObjectModified": r"EX01\owa (Default Web Site)",
        "CmdletParameters": {"ExternalUrl": f"https://m{number}.contoso.com/owa"},
        "ModifiedProperties": {"ExternalUrl": ["", f"https://m{number}.contoso.com/owa"]},
        "Identity": f"AAMk{number}",
    }


def searched(tmp_path, audit, since, hidden=(), **more):
    lab = Lab(tmp_path)
    lab.edit(audit=audit)
    lab.hidden += hidden
    with serving(lab) as server:
        with exchange_session(endpoint(server), Deadline(60)) as session:
            found = search_audit_log(session, since, NOW, **more)
        assert server.counters.still_open == set()
    return found


def numbers(data):
    names = [members["Identity"] for _, _, _, _, members in as_told(data)]
    return [int(name.removeprefix("AAMk")) for name in names]


def test_records_since_the_last_snapshot_come_page_by_page(tmp_path):
    audit = {
        "records": [record(n) for n in range(20)],
        "AdminAuditLogExcludedCmdlets": ["New-Mailbox"],
    }
    since = NOW - timedelta(hours=9)
    evidence, data = searched(tmp_path, audit, since, page=4)
    assert evidence == ManifestEvidence(
        "admin-audit-log",
        FILE,
        True,
        starts=since,
        ends=NOW,
        records=10,
        truncated=False,
        oldest=NOW - timedelta(days=90),
        settings=ON,
    )
    assert numbers(data) == list(range(10))
    _, types, _, _, members = as_told(data)[0]
    assert types[0].endswith("AdminAuditLogEvent")
    assert members["CmdletParameters"][3][0][4] == {
        "Name": "ExternalUrl",
        "Value": "https://m0.contoso.com/owa",
    }


def test_of_too_many_the_newest_are_kept(tmp_path):
    audit = {"records": [record(n) for n in range(12)]}
    evidence, data = searched(tmp_path, audit, NOW - timedelta(days=1), page=5, most=7)
    assert numbers(data) == list(range(7))
    assert (evidence.truncated, evidence.records) == (True, 7)
    assert (evidence.starts, evidence.ends) == (NOW - timedelta(hours=6), NOW)


def test_a_log_that_is_off_covers_nothing(tmp_path):
    evidence, data = searched(tmp_path, {"AdminAuditLogEnabled": False}, None)
    assert (evidence.enabled, evidence.records, evidence.file) == (False, 0, None)
    assert (evidence.starts, evidence.ends) == (None, None)
    assert data == b""


def test_without_the_role_it_says_so(tmp_path):
    hidden = [("Search-AdminAuditLog", None)]
    evidence, data = searched(tmp_path, {}, None, hidden)
    assert (evidence.enabled, evidence.records, data) == (True, None, b"")
    assert evidence.settings["reason"] == "no role of yours brings Search-AdminAuditLog"
