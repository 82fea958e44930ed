"""One real Exchange 2019 server at two moments: what the command line says of it."""

from __future__ import annotations

import json
import sqlite3
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from changelog_tracker.cli import run

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "exchange"
HOST = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
WINDOWS_AUTHENTICATION = "system.webServer/security/authentication/windowsAuthentication"
ACCESS = "system.webServer/security/access"
FIRST, SECOND, LATER, LAST = (f"2022-{month:02}-01T10:00:00Z" for month in (6, 9, 10, 11))
IIS = {
    "IisAppPool", "IisApplication", "IisBinding", "IisSection", "IisSite", "IisVirtualDirectory",
}  # fmt: skip
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not REAL.exists(), reason="../shared/data/exchange is absent: no real servers' files"
    ),
]


class Tracker:
    """The command line on one store."""

    def __init__(self, store, capsys):
        self.store = store
        self._capsys = capsys

    def __call__(self, *arguments):
        """Give exit code, lines of stdout and stderr."""
        self._capsys.readouterr()
        code = run(["--store", str(self.store), *arguments])
        out, err = self._capsys.readouterr()
        return code, out.splitlines(), err

    def take(self, name, at):
        return self("import", str(REAL / name), "--at", at)

    def lines(self, *arguments):
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return [json.loads(line) for line in out]

    def rows(self):
        """Count the rows of every table."""
        with sqlite3.connect(self.store) as db:
            names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            return {n: db.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names}


@pytest.fixture
def tracker(tmp_path, capsys):
    return Tracker(tmp_path / "changelog.db", capsys)


@pytest.fixture
def log(tracker):
    assert tracker.take("e19-first", FIRST)[0] == 0
    assert tracker.take("e19-second", SECOND)[0] == 0
    return tracker.lines("log")


def customisations(lines):
    return [line for line in lines if line["class"] == "customisation"]


def names(lines):
    return {(line["kind"], line["resource"], line["setting"]) for line in lines}


def told_again(lines):
    """Leave out what tells only when a change was written down."""
    return sorted(json.dumps({**line, "id": None}, sort_keys=True) for line in lines)


def token_checking(server):
    """Read each place's tokenChecking, without any of the code that is tested."""
    found = {}
    for location in ET.parse(REAL / server / HOST).getroot().iter("location"):
        for section in location.iterfind(WINDOWS_AUTHENTICATION):
            for protection in section.iterfind("extendedProtection"):
                found[location.get("path")] = protection.get("tokenChecking")
    return found


@pytest.mark.parametrize("server", ["e16", "e19-first", "e19-second"])
def test_a_real_server_is_imported(tracker, server):
    """A first snapshot makes no changes, and what there is of it is read."""
    code, _, err = tracker.take(server, FIRST)
    assert (code, "error" in err) == (0, False)
    assert tracker.lines("log") == []
    [snapshot] = tracker.lines("snapshots")
    assert snapshot["changes"] == 0
    assert set(snapshot["kinds_read"]) > {
        "ConfigFile",
        "ExchangeServer",
        "OwaVirtualDirectory",
        *IIS,
    }
    assert set(snapshot["kinds_unread"]).isdisjoint(snapshot["kinds_read"])


def test_every_token_checking_that_changed_has_its_line(log):
    """Extended Protection was switched on: each place is named, with both values, and no other."""
    before, after = token_checking("e19-first"), token_checking("e19-second")
    expected = {
        (place, before.get(place), after.get(place))
        for place in before | after
        if before.get(place) != after.get(place)
    }
    got = {
        (
            line["resource"].removesuffix(f" : {WINDOWS_AUTHENTICATION}"),
            line["before"],
            line["after"],
        )
        for line in log
        if line["setting"] == "extendedProtection.tokenChecking"
    }
    assert len(expected) > 20
    assert got == expected


def test_the_flags_that_changed_have_their_lines(log):
    """access/@sslFlags is told as flags, by place."""
    got = {
        line["resource"].removesuffix(f" : {ACCESS}"): (line["before"], line["after"])
        for line in log
        if line["setting"] == "sslFlags"
    }
    assert got == {
        "Default Web Site/Rpc": ([], ["Ssl", "Ssl128"]),
        "Exchange Back End/Rpc": ([], ["Ssl", "Ssl128"]),
        "Exchange Back End/RpcWithCert": ([], ["Ssl", "Ssl128"]),
        "Exchange Back End/mapi/emsmdb": (["Ssl"], ["Ssl", "Ssl128"]),
        "Exchange Back End/mapi/nspi": (["Ssl"], ["Ssl", "Ssl128"]),
    }


def test_the_moved_module_has_its_line(log):
    """RewriteModule stands elsewhere among the global modules: one change of order."""
    [line] = [line for line in log if line["setting"] == "(order)"]
    name = "[name='RewriteModule']"
    assert line["resource"] == "MACHINE/WEBROOT/APPHOST : system.webServer/globalModules"
    assert line["before"].index(name) != line["after"].index(name)
    assert [x for x in line["before"] if x != name] == [x for x in line["after"] if x != name]


@pytest.mark.parametrize("site", ["Default Web Site", "Exchange Back End"])
def test_active_sync_has_its_lines(log, site):
    """What changed at ActiveSync is told under both sites."""
    place = f"{site}/Microsoft-Server-ActiveSync"
    mappings = "system.webServer/security/authentication/{}ClientCertificateMappingAuthentication"
    windows = f"{place} : {WINDOWS_AUTHENTICATION}"
    proxy = f"{place}/Proxy : {WINDOWS_AUTHENTICATION}"
    got = {
        (line["resource"], line["setting"], line["action"])
        for line in log
        if line["resource"].startswith(place)
    }
    assert got == {
        (f"{place} : {ACCESS}", None, "removed"),
        (f"{place} : {mappings.format('c').replace('cC', 'c')}", None, "removed"),
        (f"{place} : {mappings.format('iis')}", None, "removed"),
        (windows, "extendedProtection.tokenChecking", "added"),
        (windows, "providers.[value='Negotiate']", "added"),
        (windows, "providers.[value='NTLM']", "added"),
        (proxy, "extendedProtection.tokenChecking", "added"),
        (proxy, "providers.(clear)", "removed"),
        (proxy, "providers.[value='Negotiate']", "removed"),
        (proxy, "providers.[value='NTLM']", "removed"),
    }


def test_what_the_directory_says_of_owa_has_its_lines(log):
    """The first export was AD-only: only what both exports can tell is compared."""
    got = {
        line["setting"]: (line["before"], line["after"])
        for line in log
        if line["kind"] == "OwaVirtualDirectory"
    }
    assert got == {
        "InternalDownloadHostName": (None, "solo-e19a.solo.com"),
        "ExternalDownloadHostName": (None, "solo-e19a.solo.com"),
    }


def test_the_update_is_one_line(log):
    """The version folders say that an update was installed; what it brought is folded into it."""
    [line] = [line for line in log if line["class"] == "product-update"]
    assert (line["kind"], line["resource"], line["setting"]) == (
        "ExchangeServer",
        "(server)",
        "Build",
    )
    assert (line["before"], line["after"]) == ("15.2.922.7", "15.2.1118.7")
    assert line["folded"] > 20
    assert not [name for name in names(customisations(log)) if "15.2." in str(name)]


def test_noise_has_no_line(log):
    """Session keys, generated names, timestamps and the order of sets are no changes."""
    assert {line["class"] for line in log} == {"customisation", "product-update"}
    assert 0 < len(customisations(log)) <= 60
    said = json.dumps(log)
    assert [
        w for w in ("sessionKey", "AboMapperCustom", "WhenChanged", "Timestamp") if w in said
    ] == []
    settings = {line["setting"] for line in log}
    neutral = {
        "BasicAuthentication", "FormsAuthentication", "GzipLevel", "Path", "WebSite", "DisplayName",
    }  # fmt: skip
    assert settings & neutral == set()
    assert {line["resource"] for line in log if line["setting"] == "(order)"} == {
        "MACHINE/WEBROOT/APPHOST : system.webServer/globalModules"
    }


def test_an_unchanged_server_costs_one_row(tracker, log):
    """The same files at a later time make no change and one row more."""
    before = tracker.rows()
    assert tracker.take("e19-second", LATER)[0] == 0
    after = tracker.rows()
    assert sum(after.values()) - sum(before.values()) == 1
    assert tracker.lines("log") == log


def test_the_very_same_again_stores_nothing(tracker, log):
    """A snapshot that is known already is no error and leaves no trace."""
    before = tracker.rows()
    assert tracker.take("e19-second", SECOND)[0] == 0
    assert tracker.rows() == before
    assert tracker.take("e19-first", SECOND)[0] == 1
    assert tracker.rows() == before


def test_a_late_snapshot_tells_the_same(tracker, tmp_path, capsys):
    """The order of imports makes no difference to the log."""
    usual = Tracker(tmp_path / "usual.db", capsys)
    for name, at in (("e19-first", FIRST), ("e19-second", SECOND)):
        assert usual.take(name, at)[0] == 0
    for name, at in (("e19-second", SECOND), ("e19-first", FIRST)):
        assert tracker.take(name, at)[0] == 0
    assert told_again(tracker.lines("log")) == told_again(usual.lines("log"))


def test_what_was_recorded_first_is_still_there(tracker):
    """A change that no longer holds is marked, and `log --all` shows it."""
    for name, at in (("e19-first", FIRST), ("e19-second", LATER), ("e19-second", SECOND)):
        assert tracker.take(name, at)[0] == 0
    log, everything = tracker.lines("log"), tracker.lines("log", "--all")
    assert {line["seen"] for line in log} == {SECOND}
    ids = {line["id"] for line in everything}
    assert {line["id"] for line in log} <= ids
    assert {line["seen"] for line in everything} == {SECOND, LATER}


def test_a_broken_file_is_unread_and_the_rest_is_kept(tracker, log):
    """A file that is not well-formed removes nothing: IIS is unread, and the error says where."""
    code, _, err = tracker.take("e19-broken", LATER)
    assert code == 4
    [error] = [line for line in err.splitlines() if "applicationHost.config" in line]
    assert "line " in error
    assert "not well-formed XML" in error
    snapshot = tracker.lines("snapshots")[-1]
    assert set(snapshot["kinds_unread"]) >= IIS
    assert set(snapshot["kinds_read"]) >= {"ConfigFile", "OwaVirtualDirectory"}
    assert [line for line in tracker.lines("log") if line["kind"] != "ExchangeServer"] == [
        line for line in log if line["kind"] != "ExchangeServer"
    ]


def test_a_broken_file_changes_nothing(tracker, log):
    """What the broken file alone tells, the build among it, stays as it was known."""
    assert tracker.take("e19-broken", LATER)[0] == 4
    assert tracker.lines("log") == log


def test_a_good_file_after_a_broken_one_makes_its_changes(tracker, log):
    """What is read again is compared with what was last known."""
    assert tracker.take("e19-broken", LATER)[0] == 4
    assert tracker.take("e19-first", LAST)[0] == 0
    back = [line for line in tracker.lines("log", "--since", LAST) if line["kind"] in IIS]
    assert {line["not_before"] for line in back} == {SECOND}
    there = [line for line in customisations(log) if line["kind"] in IIS]
    assert names(customisations(back)) == names(there)


def test_a_broken_file_first_removes_nothing_later(tracker):
    """What was never read has nothing to be compared with."""
    assert tracker.take("e19-broken", FIRST)[0] == 4
    assert tracker.take("e19-second", SECOND)[0] == 0
    assert customisations(tracker.lines("log")) == []


def test_a_broken_file_first_makes_no_changes_later(tracker):
    """A build that another file tells now is no product update."""
    assert tracker.take("e19-broken", FIRST)[0] == 4
    assert tracker.take("e19-second", SECOND)[0] == 0
    assert tracker.lines("log") == []
