"""What goes wrong with a server, as a person sees it who takes it, or asks why it cannot be."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import sys
from pathlib import Path

import pytest
from canned_frames import CannedFrames, entry, framed
from exchange_endpoint import PATH
from lab import PWSH, Lab
from taking import PASSWORD, USER, WRONG, add, printing, said, serving
from winrm_faults import Faults, Trouble
from winrm_server import WinRmServer
from winrm_tls import Authority
from winrs import Canned, LabCommands

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from bundles import Program, iis, manifest, web

needs_pwsh = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run the lab with"),
]
GERMAN = 'Die Datei "C:\\x" kann nicht geladen werden, da die Ausführung deaktiviert ist.'
JAPANESE = "このシステムではスクリプトの実行が無効になっています。"
BETWEEN = "is something between that answers in its place? --port and --proxy say where to"
LISTENER = "is the WinRM listener on? winrm enumerate winrm/config/listener tells, on the server"
BY_HAND = "run the collector on the server itself, and look at what it says"
RIGHTS = "let the account be an administrator there, or a member of Remote Management Users"
AGAIN = "take it again; if it stays so, look at what is between here and the server"
ACCOUNT = "are user (CONTOSO\\name or name@contoso.com) and password right, the account not locked?"
MODE = "allow the user FullLanguage there (AppLocker, Device Guard, the session's configuration)"
VERSION = "install Windows Management Framework 2.0 there, or run the collector on the server"
KEY = r"HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15"
SETUP = rf"{KEY}\Setup or v14\Setup"
CONFIGURATION_VIEW = (
    "View-Only Configuration (role group View-Only Organization Management or Server Management "
    "or Organization Management)"
)


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)
    monkeypatch.setenv("WRONG_PASSWORD", WRONG)
    return Program(tmp_path / "program")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def fails(program, what, hint, place="http://127.0.0.1:PORT/wsman", check="WinRM"):
    """Both commands say the same in one line and what to do in another; nothing is stored."""
    before = program.run("snapshots", "--json").lines
    assert said(program, "take", "EX01", "--deadline", "20") == (
        1,
        [],
        [f"error: {place}: {what}", f"hint: {hint}"],
    )
    assert program.run("snapshots", "--json").lines == before
    code, out, err = said(program, "server", "test", "EX01", "--deadline", "20")
    assert (code, err) == (1, [])
    assert out[-3:] == [
        f"FAIL  {check:<16} {what}",
        f"      {'':<16} do: {hint}",
        "EX01: not ready; what fails is above, with what to do",
    ]
    assert len([line for line in out if line.startswith("FAIL")]) == 1
    assert program.run("check").code == 0
    return out[:-3]


class TestOnTheWay:
    def test_a_host_that_nobody_knows(self, program):
        add(program, 5985, host="ex01.invalid")
        place = "http://ex01.invalid:5985/wsman"
        what = "no connection: no such host"
        fails(program, what, "give --host as DNS knows it", place, "port")

    def test_a_port_on_which_nothing_listens(self, program):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        add(program, port)
        fails(program, "no connection: nothing listens there", LISTENER, check="port")

    def test_a_page_of_a_proxy_in_place_of_an_answer(self, program):
        with serving(printing(), Faults(Trouble("html-200", "*", times=None))) as server:
            add(program, server.port)
            fails(program, "its answer is none of a WinRM listener", BETWEEN)

    def test_a_page_of_a_gateway_that_is_out_of_order(self, program):
        with serving(printing(), Faults(Trouble("html-502", "sign-in", times=None))) as server:
            add(program, server.port)
            fails(program, "answered HTTP 502", BETWEEN)

    def test_a_web_server_without_winrm(self, program):
        with WinRmServer({USER: PASSWORD}) as server:
            add(program, server.port)
            hint = "WinRM listens on 5985 or 5986; the Exchange endpoint is given by --exchange-url"
            fails(program, "has no WinRM listener there (HTTP 404)", hint)

    def test_a_deadline_that_passes(self, program):
        faults = Faults(Trouble("silence", "Receive", times=None), silence_s=8)
        with serving(printing(), faults) as server:
            add(program, server.port)
            what = "did not end within 5 s (the script was running, 0 bytes had come)"
            code, out, err = said(program, "take", "EX01", "--deadline", "5")
            hint = "give it more with --deadline, or see server test"
            assert (code, out) == (1, [])
            assert err == [f"error: http://127.0.0.1:PORT/wsman: {what}", f"hint: {hint}"]
            code, out, err = said(program, "server", "test", "EX01", "--deadline", "5")
            assert (code, err) == (1, [])
            assert out[-3:-1] == [
                f"FAIL  {'WinRM':<16} {what}",
                f"      {'':<16} do: give it more with --deadline",
            ]


class TestCertificates:
    place = "https://127.0.0.1:PORT/wsman"

    def refused(self, program, pair, ca, what, hint):
        with serving(printing(), tls=pair) as server:
            add(program, server.port, "--ca", ca, scheme="https")
            fails(program, what, hint, self.place, "certificate")
            assert server.counters.requests == 0

    def test_one_that_has_expired(self, program, authority):
        hint = "renew it, and give the new one to the WinRM listener"
        pair = authority.server(expired=True)
        self.refused(program, pair, authority.file, "its certificate has expired", hint)

    def test_one_of_an_authority_that_is_not_known(self, program, authority, tmp_path):
        other = Authority(tmp_path / "other", "Another CA")
        what = "its certificate is from an authority that is not trusted here"
        hint = "give that authority with --ca FILE"
        self.refused(program, other.server(), authority.file, what, hint)

    def test_one_of_another_name(self, program, authority):
        hint = "give --host as the certificate names it"
        pair = authority.server("ex09.contoso.com")
        self.refused(program, pair, authority.file, "its certificate is for another name", hint)

    def test_a_file_of_authorities_that_holds_none(self, program, authority, tmp_path):
        file = tmp_path / "ca.pem"
        file.write_text("none")
        with serving(printing(), tls=authority.server()) as server:
            add(program, server.port, "--ca", file, scheme="https")
            what = "holds no certificate of an authority; expected PEM"
            hint = "give the right file with --ca FILE"
            fails(program, what, hint, str(file), "certificate")

    def test_https_at_a_port_that_speaks_http(self, program):
        with serving(printing()) as server:
            add(program, server.port, scheme="https")
            what = "the TLS handshake failed (unexpected eof while reading)"
            hint = "does it speak TLS there? 5986 does by default, 5985 takes --scheme http"
            fails(program, what, hint, self.place, "certificate")


class TestSigningIn:
    def test_a_wrong_password(self, program):
        with serving(printing()) as server:
            add(program, server.port, password="WRONG_PASSWORD")
            fails(program, f"does not let in by ntlm as {USER}", ACCOUNT)

    def test_an_account_that_may_not(self, program):
        with serving(printing(), Faults(Trouble("access-denied", "Create", times=None))) as server:
            add(program, server.port)
            fails(program, "refuses this account: access is denied", RIGHTS)

    def test_a_way_of_signing_in_that_is_not_offered(self, program, authority):
        with serving(printing(), tls=authority.server(), schemes=("basic",)) as server:
            add(program, server.port, "--ca", authority.file, scheme="https")
            what = "offers no sign-in by ntlm, only by basic"
            hint = (
                "take one of these with --auth, or turn it on there: "
                'winrm set winrm/config/service/auth @{Negotiate="true"}'
            )
            fails(program, what, hint, TestCertificates.place)

    @pytest.mark.parametrize(
        ("reference", "what", "hint"),
        [
            (
                "env:NOT_THERE",
                "the environment variable NOT_THERE is not set",
                "set NOT_THERE where this program runs",
            ),
            (
                "cmd:false",
                "its command ended with exit code 1",
                "run the command by hand to see what it says",
            ),
        ],
    )
    def test_a_reference_that_leads_nowhere(self, program, reference, what, hint):
        with serving(printing()) as server:
            add(program, server.port, password=reference)
            fails(program, what, hint, "EX01: --password")
            assert server.counters.requests == 0


class TestWhatTheShellSays:
    def test_a_german_server_that_runs_no_script(self, program):
        for page in ("cp1252", "cp850", "utf-8"):
            with serving(printing(stderr=GERMAN.encode(page))) as server:
                add(program, server.port, "--force")
                what = f"its shell could not run the script (exit code 1): {GERMAN}"
                fails(program, what, BY_HAND)

    def test_a_japanese_server_that_runs_no_script(self, program):
        with serving(printing(JAPANESE.encode("cp932"))) as server:
            add(program, server.port)
            what = f"its shell could not run the script (exit code 1): {JAPANESE}"
            fails(program, what, BY_HAND)

    def test_control_characters_come_to_no_terminal(self, program):
        with serving(printing(stderr=b"\x1b[31mred\x07")) as server:
            add(program, server.port)
            what = r"its shell could not run the script (exit code 1): \x1b[31mred\x07"
            fails(program, what, BY_HAND)

    def test_an_answer_that_breaks_off(self, program):
        with serving(printing(b"[changelog-frame 00 begin]\nAAAA")) as server:
            add(program, server.port)
            fails(program, "its answer broke off (exit code 1)", BY_HAND)

    def test_a_frame_that_was_damaged(self, program):
        def answer(_line, stdin):
            end = f"[changelog-frame {marker(stdin)} end 3 {'0' * 64}]\n"
            return f"[changelog-frame {marker(stdin)} begin]\nAAAA\n{end}".encode(), b"", 0

        with serving(Canned(answer)) as server:
            add(program, server.port)
            what = (
                "its answer was changed on the way: the SHA-256 is another; nothing of it was taken"
            )
            out = fails(program, what, AGAIN, "EX01", "script")
            assert out[-1] == f"ok    {'WinRM':<16} ntlm at http://127.0.0.1:PORT/wsman"

    @pytest.mark.parametrize("told", [[], {"reads": [1]}, {"evidence": 3}, {"exchange": 1}])
    def test_an_answer_of_another_form(self, program, told):
        data = zipped(entry("test.json", json.dumps(told).encode()))
        with serving(Canned(lambda _, stdin: (framed(marker(stdin), data), b"", 0))) as server:
            add(program, server.port)
            code, out, err = said(program, "server", "test", "EX01")
            assert (code, err, out[-1][:15]) == (1, [], "EX01: not ready")
            code, out, err = said(program, "take", "EX01")
            hint = "try again; if it stays so, run the collector on the server itself"
            what = "error: EX01: its answer holds no bundle.json"
            assert (code, out, err) == (1, [], [what, f"hint: {hint}"])


class TestTheServer:
    pytestmark = needs_pwsh

    @pytest.mark.parametrize(
        ("more", "what", "hint"),
        [
            (
                {"edit": lambda text: text.replace("$PSVersionTable", "$NoSuchTable")},
                "its shell is PowerShell 1.0, expected 2.0 or later",
                VERSION,
            ),
            (
                {"prelude": "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'"},
                "its shell is in the language mode ConstrainedLanguage, expected FullLanguage",
                MODE,
            ),
        ],
        ids=["powershell-1", "constrained"],
    )
    def test_a_shell_that_is_too_old_or_locked(self, program, tmp_path, more, what, hint):
        with serving(LabCommands(Lab(tmp_path), **more)) as server:
            add(program, server.port)
            fails(program, what, hint)

    @pytest.mark.parametrize(
        ("broken", "what", "hint"),
        [
            (
                ("setup-running",),
                "refused: Setup runs: ExSetup (4711), ExSetupUI (4711)",
                "let it end first: what it has not done yet would look like a change",
            ),
            (
                ("watermark",),
                f"refused: Setup did not end: MailboxRole\\Watermark is left below {KEY}",
                "run Setup again until it ends",
            ),
            (
                ("version", 12),
                f"refused: there is no Exchange server on this computer (no {SETUP})",
                "run it on the Exchange server itself",
            ),
        ],
        ids=["setup-runs", "setup-unfinished", "no-exchange"],
    )
    def test_a_server_that_is_not_to_be_read(self, program, tmp_path, broken, what, hint):
        lab = Lab(tmp_path)
        lab.break_(*broken)
        with serving(LabCommands(lab)) as server:
            add(program, server.port)
            fails(program, what, hint, "EX01", "script")

    def test_a_server_that_is_another_one(self, program, tmp_path):
        lab = Lab(tmp_path, server="EX09")
        with serving(LabCommands(lab), lab=lab) as server:
            add(program, server.port)
            hint = "changelog-tracker server add EX01 --host HOST --force"
            assert said(program, "take", "EX01") == (
                1,
                [],
                [
                    "error: EX01: http://127.0.0.1:PORT/wsman is EX09, not EX01",
                    f"hint: set its address right with: {hint}",
                ],
            )
            code, out, _ = said(program, "server", "test", "EX01")
            assert code == 1
            at = out.index(f"FAIL  {'server':<16} 127.0.0.1 is EX09, not EX01")
            assert out[at + 1] == f"      {'':<16} do: {hint}"
        assert program.run("snapshots", "--json").lines == []

    def test_a_cmdlet_that_no_role_brings(self, program, tmp_path):
        """Its kind alone is not read; `server test` names the role, once for all its cmdlets."""
        lab = Lab(tmp_path)
        lab.break_("hidden", "Get-EcpVirtualDirectory")
        lab.break_("hidden", "Get-OwaVirtualDirectory")
        with serving(LabCommands(lab), lab=lab) as server:
            add(
                program,
                server.port,
                "--exchange-url",
                server.url_of(PATH),
                "--exchange-auth",
                "ntlm",
            )
            code, out, err = said(program, "take", "EX01")
            assert (code, out[1:]) == (
                4,
                [
                    "first snapshot: there is nothing to compare it with yet",
                    "incomplete: 2 files or kinds could not be read, and stay as they were known",
                ],
            )
            lacks = "not read: no role of yours brings Get"
            assert err == [
                f"error: EcpVirtualDirectory: {lacks}-EcpVirtualDirectory",
                f"error: OwaVirtualDirectory: {lacks}-OwaVirtualDirectory",
                "hint: see changelog-tracker server test EX01",
            ]
            code, out, err = said(program, "server", "test", "EX01")
        assert (code, err) == (1, [])
        brings = "no role of the account brings Get-EcpVirtualDirectory, Get-OwaVirtualDirectory"
        at = out.index(f"FAIL  {'Exchange role':<16} {brings}")
        assert out[at + 1] == f"      {'':<16} do: give it the role {CONFIGURATION_VIEW}"
        assert len([line for line in out if line.startswith("FAIL")]) == 1

    def test_an_exchange_endpoint_that_refuses(self, program, tmp_path):
        """All kinds of Exchange are one line, and the evidence of its log is not known."""
        lab = Lab(tmp_path)
        faults = Faults(Trouble("access-denied", "Create", times=None, path=PATH))
        with serving(LabCommands(lab), faults, lab=lab) as server:
            add(
                program,
                server.port,
                "--exchange-url",
                server.url_of(PATH),
                "--exchange-auth",
                "ntlm",
            )
            code, out, err = said(program, "take", "EX01")
            assert (code, out[-1]) == (
                4,
                "incomplete: 18 files or kinds could not be read, and stay as they were known",
            )
            assert len(err) == 2
            refuses = "refuses this account: Access is denied."
            assert err[0].startswith("error: ActiveSyncVirtualDirectory, AdminAuditLogConfig, ")
            assert err[0].endswith(f": not read: http://127.0.0.1:PORT/powershell: {refuses}")
            assert err[1] == "hint: see changelog-tracker server test EX01"
            code, out, err = said(program, "server", "test", "EX01")
        assert (code, err) == (1, [])
        at = out.index(f"FAIL  {'Exchange shell':<16} {refuses}")
        do = "let the account in with: Set-User ACCOUNT -RemotePowerShellEnabled $true"
        assert out[at + 1] == f"      {'':<16} do: {do}"
        assert "admin-audit-log        not known" in [line.rstrip() for line in out]

    def test_a_localised_server_is_read_whatever_it_says_around_the_answer(self, program, tmp_path):
        around = {"before": GERMAN.encode("cp1252") + b"\r\n", "after": JAPANESE.encode("cp932")}
        with serving(LabCommands(Lab(tmp_path), **around)) as server:
            add(program, server.port)
            code, _, err = said(program, "take", "EX01")
        assert (code, err) == (0, [])


def test_a_key_that_was_lost_is_told_and_nothing_is_compared_with_it(program, tmp_path):
    """The snapshot is taken with a new key; the way back to the old one is said."""
    files = {
        "files/C/Windows/System32/inetsrv/config/applicationHost.config": iis(),
        "files/C/Exchange/owa/web.config": web(password="Geheim-4711"),
    }
    first, then = (
        CannedFrames(manifest(f"2026-01-0{day}T10:00:00Z", files), files) for day in (1, 2)
    )
    with serving(Canned(first.answer)) as server:
        add(program, server.port)
        assert said(program, "take", "EX01")[::2] == (0, [])
    (program.folder / "changelog.key").unlink()
    with serving(Canned(then.answer)) as server:
        add(program, server.port, "--force")
        code, out, err = said(program, "take", "EX01")
    assert (code, out[-1]) == (0, "0 changes since the snapshot before it")
    key = program.folder / "changelog.key"
    assert re.sub("[0-9a-f]{8,}", "ID", err[0]) == (
        f"note: {key}: the key was lost, and a new one was made; snapshots have ID, bring it back "
        "with: changelog-tracker key import FILE --force"
    )
    assert err[1].startswith("note: EX01: earlier snapshots were fingerprinted with another key")
    assert len(err) == 2
    assert program.log() == []


def marker(stdin):
    """Give the marker that the client chose."""
    told = base64.b64decode(stdin.split(b"\r\n", 2)[1]).decode()
    return dict(one.split("=", 1) for one in told.split("\n"))["Frame"]


def zipped(data):
    return gzip.compress(data, mtime=0)
