"""What applies at places of real servers, as read by eye in their files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from changelog_tracker.cli import run

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "exchange"
WINDOWS = "system.webServer/security/authentication/windowsAuthentication"
ACCESS = "system.webServer/security/access"
HOST = "%windir%/System32/inetsrv/config/applicationHost.config"
OWA = "%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/web.config"
BACK_OWA = "%ExchangeInstallPath%/ClientAccess/owa/web.config"
BACK_ECP = "%ExchangeInstallPath%/ClientAccess/ecp/web.config"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not REAL.exists(), reason="../shared/data/exchange is absent: no real servers' files"
    ),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = tmp_path_factory.mktemp("effective") / "changelog.db"
    for name in ("e19-second", "e16"):
        assert run(["--store", str(store), "import", str(REAL / name)]) == 0
    return str(store)


@pytest.fixture
def effective(store, capsys):
    """Give the lines of a place and section of the Exchange 2019 server, or of all."""

    def lines(pattern, server="SOLO-E19A"):
        capsys.readouterr()
        code = run(["--store", store, "show", server, pattern, "--effective", "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]

    return lines


@pytest.fixture
def told(effective):
    """Give value and origin of one setting."""

    def one(place, section, setting):
        pattern = f"IisSection[{place} : {section}].{setting}"
        (line,) = (line for line in effective(pattern) if "unread" not in line)
        return line["value"], line["origin"], line["inherited"]

    return one


@pytest.mark.parametrize(
    ("place", "flags", "line", "inherited"),
    [
        ("MACHINE/WEBROOT/APPHOST", [], 660, False),
        ("Default Web Site", ["Ssl", "Ssl128"], 1301, False),
        ("Default Web Site/owa", ["Ssl", "Ssl128"], 1301, True),
        ("Default Web Site/owa/auth", ["Ssl", "Ssl128"], 1301, True),
        ("Default Web Site/owa/Calendar", [], 2058, False),
        ("Default Web Site/owa/Calendar/any", [], 2058, True),
        ("Default Web Site/PowerShell", ["SslNegotiateCert"], 2390, False),
        ("Exchange Back End/ecp", ["Ssl", "Ssl128"], 1438, True),
    ],
)
def test_ssl_is_required_as_the_nearest_place_says(told, place, flags, line, inherited):
    """sslFlags come from the place, its site, or the server."""
    assert told(place, ACCESS, "sslFlags") == (flags, f"{HOST}:{line}", inherited)


def test_the_front_end_has_no_providers_and_the_back_end_two_in_order(effective):
    """Providers are cleared for owa; behind it Negotiate stands before NTLM."""
    front = effective(f"IisSection[Default Web Site/owa : {WINDOWS}].providers*")
    assert [(line["value"], line["origin"]) for line in front] == [
        (None, f"{HOST}:2017"),
        (None, f"{HOST}:2017"),
    ]
    (order,) = (
        line
        for line in effective(f"IisSection[Exchange Back End/owa : {WINDOWS}].providers.(order)")
        if "unread" not in line
    )
    assert order["value"] == ["[value='Negotiate']", "[value='NTLM']"]


def test_extended_protection_is_required_for_owa(told):
    """tokenChecking is Require in IIS, whatever the directory says."""
    found = told("Default Web Site/owa", WINDOWS, "extendedProtection.tokenChecking")
    assert found == ("Require", f"{HOST}:2019", False)


def test_a_directory_that_is_no_application_redirects(told):
    """Exchange Back End/Public sends to /owa, where the server does not redirect."""
    section = "system.webServer/httpRedirect"
    assert told("Exchange Back End/Public", section, "destination")[:2] == ("/owa", f"{HOST}:1625")
    assert told("Exchange Back End", section, "enabled")[:2] == (False, f"{HOST}:646")


def test_web_config_of_owa_counts_for_owa(told):
    """What owa's own file says applies at owa, also where applicationHost.config unlocked it."""
    setting = "[key='HttpProxy.ProtocolType'].value"
    assert told("Default Web Site/owa", "appSettings", setting) == ("Owa", f"{OWA}:97", False)
    assert told("Default Web Site/owa", "system.webServer/serverRuntime", "appCon*") == (
        65535,
        f"{OWA}:15",
        False,
    )
    assert told("Default Web Site/owa/auth", "system.webServer/serverRuntime", "appCon*")[2]


def test_the_calendar_reads_the_file_of_owa_for_itself(effective):
    """Another application in the same folder: the file speaks again, and is not inherited."""
    limit = "system.webServer/security/requestFiltering].requestLimits.maxAllowedContentLength"
    (line,) = effective(f"IisSection[Default Web Site/owa/Calendar : {limit}")
    assert (line["value"], line["origin"], line["inherited"]) == (35000000, f"{OWA}:54", False)
    assert "over" not in line


def test_a_module_that_owa_removes_is_told_with_the_line(effective):
    """<remove> in owa's file takes a module of the server away."""
    (line,) = effective(
        "IisSection[Default Web Site/owa : system.webServer/modules].*'RequestFilteringModule'*"
    )
    assert (line["value"], line["origin"]) == (None, f"{OWA}:27")
    assert line["over"][0]["origin"] == f"{HOST}:1274"


def test_rules_of_a_location_stand_before_those_of_the_folder(effective):
    """ping.ecp lets everybody in first, though ecp denies everybody in the end."""
    lines = effective("IisSection[Exchange Back End/ecp/ping.ecp : system.web/authorization].*")
    elements = [line for line in lines if str(line.get("setting")).endswith("(element)")]
    assert [(line["value"], line["origin"]) for line in elements] == [
        ("allow", f"{BACK_ECP}:395"),
        ("allow", f"{BACK_ECP}:396"),
        ("allow", f"{BACK_ECP}:200"),
        ("deny", f"{BACK_ECP}:201"),
        ("deny", f"{BACK_ECP}:202"),
    ]


@pytest.mark.parametrize("server", ["SOLO-E19A", "SOLO-E16A"])
def test_working_servers_have_next_to_nothing_that_does_not_count(effective, server):
    """Exchange works, so locks and keys hold back nothing; only three directories say too much."""
    refused = [line for line in effective("IisSection[*]", server) if "refused" in line]
    assert {line["resource"] for line in refused} == {
        f"Exchange Back End/{name} : system.webServer/modules"
        for name in ("Exchange", "Exchweb", "Public")
    }
    assert {line["origin"].rpartition(":")[0] for line in refused} == {BACK_OWA}
    assert all("below an application's root" in line["refused"] for line in refused)


def test_files_that_were_not_given_are_named(effective):
    """The server has no web.config of owa/auth among its files: nobody knows whether it has one."""
    unread = [
        line["resource"]
        for line in effective(f"IisSection[Default Web Site/owa/auth : {ACCESS}]")
        if "unread" in line
    ]
    assert unread == ["%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/auth/web.config"]
