"""`server test`: one screen about a server, whole, as somebody who sets it up sees it."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from exchange_endpoint import PATH
from lab import PWSH, Lab
from taking import PASSWORD, add, said, serving
from windows_state import EXCHANGE_LOG, HTTP, IIS_LOG
from winrm_tls import Authority
from winrs import LabCommands

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from bundles import Program

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run the lab with"),
]
READS = "applicationHost.config, files, http.sys, registry, services, certificates, eventlog"
HISTORY = (
    '& "$env:windir\\system32\\inetsrv\\appcmd.exe" set config '
    "'/section:system.applicationHost/configHistory' '/enabled:true' '/commit:apphost'"
)
READY = "EX01: ready; next: changelog-tracker take EX01"
NOT_READY = "EX01: not ready; what fails is above, with what to do"


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)
    return Program(tmp_path / "program")


def line(sign, name, told):
    return f"{sign:<4}  {name:<16} {told}"


def do(what):
    return f"      {'':<16} do: {what}"


def screen(program):
    """Give what `server test` says, with DAY in place of the day 90 days ago."""
    day = datetime.now(tz=UTC) - timedelta(days=90)
    code, out, err = said(program, "server", "test", "EX01")
    assert err == []
    days = {f"{day + timedelta(days=n):%Y-%m-%d}" for n in (-1, 0, 1)}
    return code, [re.sub("|".join(days), "DAY", one).rstrip() for one in out]


def endpoint(server):
    return ("--exchange-url", server.url_of(PATH), "--exchange-auth", "ntlm")


def test_a_good_server(program, tmp_path):
    """Everything it looked at, each source of who and when, and what to do next."""
    lab = Lab(tmp_path)
    lab.edit(events=lab.state["events"] | {IIS_LOG: {"enabled": True, "records": []}})
    with serving(LabCommands(lab), lab=lab) as server:
        add(program, server.port, *endpoint(server))
        found = screen(program)
    assert found == (
        0,
        [
            line("ok", "port", "127.0.0.1 answers on PORT"),
            line("note", "certificate", "none: HTTP, each message encrypted by the sign-in"),
            line("ok", "WinRM", "ntlm at http://127.0.0.1:PORT/wsman"),
            line("ok", "clock", "0 s apart"),
            line("ok", "PowerShell", "5.1, FullLanguage, 64 bit"),
            line("ok", "Exchange", "2019 15.2.1118.7"),
            line("ok", "reads", READS),
            line("ok", "second hop", "not needed: the Exchange endpoint is asked directly"),
            line("ok", "Exchange shell", "http://127.0.0.1:PORT/powershell, every cmdlet is there"),
            "",
            "WHO AND WHEN           STATE  SINCE",
            "admin-audit-log        on     DAY",
            "iis-configuration      on",
            "iis-history            on",
            "msexchange-management  on",
            "",
            READY,
        ],
    )
    assert program.run("snapshots", "--json").lines == []


def test_a_server_that_keeps_no_account_of_who_and_when(program, tmp_path):
    """It is ready all the same; for each source that is off there is one command."""
    lab = Lab(tmp_path)
    logs = {name: {"enabled": False, "records": []} for name in (IIS_LOG, EXCHANGE_LOG)}
    lab.edit(events=logs, audit={"AdminAuditLogEnabled": False})
    text = lab.apphost.read_text("utf-8")
    text = text.replace("<sites>", '<configHistory enabled="false"/><sites>', 1)
    lab.apphost.write_text(text, encoding="utf-8", newline="")
    with serving(LabCommands(lab), lab=lab) as server:
        add(program, server.port, *endpoint(server))
        code, out = screen(program)
    at = out.index("WHO AND WHEN           STATE  SINCE")
    audit = "Set-AdminAuditLogConfig -AdminAuditLogEnabled $true -LogLevel Verbose"
    assert (code, out[at + 1 :]) == (
        0,
        [
            "admin-audit-log        off",
            "iis-configuration      off",
            "iis-history            off",
            "msexchange-management  off",
            f"turn on admin-audit-log: {audit}",
            f"turn on iis-configuration: wevtutil.exe sl {IIS_LOG} /e:true",
            f"turn on iis-history: {HISTORY}",
            'turn on msexchange-management: wevtutil.exe sl "MSExchange Management" /e:true',
            "",
            READY,
        ],
    )


def test_an_account_that_may_read_little(program, tmp_path):
    """Each thing that it may not read with the reason, and once what to do."""
    lab = Lab(tmp_path)
    lab.break_("not-elevated")
    lab.edit(denied=[rf"{HTTP}\SslBindingInfo"], refused={"Cert:": "Access denied."})
    with serving(LabCommands(lab), lab=lab) as server:
        add(program, server.port, *endpoint(server))
        code, out = screen(program)
    at = next(n for n, one in enumerate(out) if one.startswith("FAIL"))
    assert code == 1
    assert out[at].startswith(line("FAIL", "http.sys", ""))
    assert out[at + 1 : at + 4] == [
        line("FAIL", "certificates", "Access denied."),
        do("let the account be a local administrator of the server"),
        line("ok", "reads", "applicationHost.config, files, registry, services, eventlog"),
    ]
    assert out[-1] == NOT_READY


def test_who_is_no_administrator_and_may_read_all_is_told(program, tmp_path):
    lab = Lab(tmp_path)
    lab.break_("not-elevated")
    with serving(LabCommands(lab)) as server:
        add(program, server.port)
        code, out = screen(program)
    told = "the account is none there; what was tried can be read"
    assert (code, out[-1]) == (0, READY)
    assert line("note", "administrator", told) in out


def test_over_https_the_certificate_is_told(program, tmp_path):
    authority = Authority(tmp_path / "authority")
    until = datetime.now(tz=UTC) + timedelta(days=365)
    pair = authority.server("ex01.contoso.com", "127.0.0.1")
    with serving(LabCommands(Lab(tmp_path)), tls=pair) as server:
        add(program, server.port, "--ca", authority.file, scheme="https", auth="basic")
        code, out = screen(program)
    assert code == 0
    told = f"trusted, for ex01.contoso.com, 127.0.0.1, until {until:%Y-%m-%d}"
    assert out[1:3] == [
        line("ok", "certificate", told),
        line("ok", "WinRM", "basic at https://127.0.0.1:PORT/wsman"),
    ]


def test_a_shell_that_is_not_there(program, tmp_path):
    """Where the script on the server asks Exchange, and cannot."""
    lab = Lab(tmp_path)
    lab.break_("no-shell")
    with serving(LabCommands(lab)) as server:
        add(program, server.port)
        code, out = screen(program)
    at = next(n for n, one in enumerate(out) if one.startswith("FAIL"))
    assert (code, out[-1]) == (1, NOT_READY)
    assert out[at].startswith(line("FAIL", "Exchange shell", "no Exchange shell: C:\\Program"))
    assert out[at + 1] == do(
        "give --exchange-url http://HOST/powershell, or --auth credssp for the second hop"
    )
    assert "admin-audit-log        not known" in out
    assert not [one for one in out if one.startswith("turn on admin-audit-log")]


def test_this_machine(program, tmp_path, monkeypatch):
    """Neither port nor certificate; the PowerShell of the machine answers."""
    Lab(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    shell = folder / "powershell.exe"
    runs = f"import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
    runs += f"import local_shell\nlocal_shell.run({str(tmp_path)!r})\n"
    shell.write_text(f"#!{sys.executable}\n{runs}")
    shell.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    assert program.run("server", "add", "EX01", "--transport", "local").code == 0
    code, out = screen(program)
    assert (code, out[:5], out[-1]) == (
        0,
        [
            line("ok", "clock", "0 s apart"),
            line("ok", "PowerShell", "5.1, FullLanguage, 64 bit"),
            line("ok", "Exchange", "2019 15.2.1118.7"),
            line("ok", "reads", READS),
            line("ok", "Exchange shell", "RemoteExchange.ps1"),
        ],
        READY,
    )


def test_this_machine_without_windows_powershell(program, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program.run("server", "add", "EX01", "--transport", "local").code == 0
    hint = "take it over the network: --transport winrm"
    what = "has no Windows PowerShell; expected on the Exchange server itself"
    assert screen(program) == (1, [line("FAIL", "PowerShell", what), do(hint), NOT_READY])
    assert said(program, "take", "EX01") == (
        1,
        [],
        [f"error: this machine: {what}", f"hint: {hint}"],
    )
