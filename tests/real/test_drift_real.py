"""Real servers held against what Setup makes, and against each other."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from test_e19 import ACCESS, REAL, WINDOWS_AUTHENTICATION, Tracker

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not REAL.exists(), reason="../shared/data/exchange is absent: no real servers' files"
    ),
]
AT = "2022-09-01T10:00:00Z"


@pytest.fixture
def tracker(tmp_path, capsys):
    return Tracker(tmp_path / "changelog.db", capsys)


def drift(tracker, server, against):
    code, out, err = tracker("drift", server, "--against", against, "--json")
    lines = [json.loads(line) for line in out]
    assert code == (3 if lines else 0)
    return lines, err


def test_a_server_that_nobody_touched_has_no_drift(tracker):
    """The Exchange 2016 server is as Setup left it, as far as that is known."""
    tracker.take("e16", AT)
    lines, err = drift(tracker, "SOLO-E16A", "defaults")
    assert lines == []
    assert "factory defaults of Exchange 2016 build 15.1.2375.7: 4" in err


def test_extended_protection_is_all_that_drifted(tracker):
    """On the Exchange 2019 server somebody turned Extended Protection on, with the SSL it needs."""
    tracker.take("e19-second", AT)
    lines, _ = drift(tracker, "SOLO-E19A", "defaults")
    found = Counter(
        (line["resource"].partition(" : ")[2], line["setting"], line["action"]) for line in lines
    )
    assert found == {
        (WINDOWS_AUTHENTICATION, "extendedProtection.tokenChecking", "changed"): 23,
        (ACCESS, "sslFlags", "changed"): 5,
    }
    assert {
        line["resource"].partition(" : ")[0]: (line["wanted"], line["found"])
        for line in lines
        if line["setting"] == "sslFlags"
    } == {
        "Default Web Site/Rpc": ([], ["Ssl", "Ssl128"]),
        "Exchange Back End/Rpc": ([], ["Ssl", "Ssl128"]),
        "Exchange Back End/RpcWithCert": ([], ["Ssl", "Ssl128"]),
        "Exchange Back End/mapi/emsmdb": (["Ssl"], ["Ssl", "Ssl128"]),
        "Exchange Back End/mapi/nspi": (["Ssl"], ["Ssl", "Ssl128"]),
    }


def test_two_servers_of_two_organisations(tracker):
    """Of thousands of settings that name their server none is told as a difference."""
    tracker.take("e16", AT)
    tracker.take("e19-second", AT)
    lines, err = drift(tracker, "SOLO-E19A", "server:SOLO-E16A")
    assert "server SOLO-E16A, snapshot 1 of 2022-09-01T10:00:00Z, Exchange 2016 beside 2019" in err
    exchange = {
        (line["kind"], line["setting"]): (line["wanted"], line["found"])
        for line in lines
        if not line["kind"].startswith("Iis") and line["kind"] != "ConfigFile"
    }
    assert exchange.pop(("ServerComponentState", None))[1] is None
    assert exchange == {
        ("ExchangeServer", "Build"): ("15.1.2375.7", "15.2.1118.7"),
        ("ExchangeServer", "Domain"): ("Solo.local", "Solo.com"),
        ("ExchangeServer", "IsUnifiedMessagingServer"): (True, False),
        ("ExchangeServer", "Site"): (
            "Solo.local/Configuration/Sites/Default-First-Site-Name",
            "Solo.com/Configuration/Sites/Default-First-Site-Name",
        ),
        ("OwaVirtualDirectory", "ExternalDownloadHostName"): (None, "solo-e19a.solo.com"),
        ("OwaVirtualDirectory", "InternalDownloadHostName"): (None, "solo-e19a.solo.com"),
    }
    assert all("SOLO-E16A" not in (line["redo"] or "").upper() for line in lines)
