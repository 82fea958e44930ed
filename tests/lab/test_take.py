"""`take` from the command line to the store, through the wire, with the script that users get."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from exchange_endpoint import CONFIGURATION, PATH, ExchangeEndpoint
from lab import PWSH, Lab
from recovery import CUSTOMISATION, Program, path_of
from winrm_faults import Faults, Trouble
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrs import LabCommands

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run the lab with"),
]
USER, PASSWORD = r"CONTOSO\svc-changelog", "Xk7-quarz-Laube"
# What the lab's own bundle does not hold, or words otherwise.
NOT_COMPARED = {
    *("AdminAuditLogConfig", "ServerComponentState", "SslBinding", "RegistryValue", "Service"),
    *("FileEntry", "Certificate", "ExchangeServer"),
}


@contextmanager
def serving(lab, faults=None):
    """Put a lab on the wire: shells and the Exchange endpoint, messages encrypted by NTLM."""
    with WinRmServer({USER: PASSWORD}, faults=faults) as server:
        server.mount("/wsman", WinRsShells(LabCommands(lab)))
        server.mount(PATH, ExchangeEndpoint(lab), uri=CONFIGURATION, blank=True)
        yield server
        assert server.failures == []
        assert server.counters.still_open == set()


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)
    return Program(tmp_path / "program")


def add(program, server, name="EX01", *more):
    answer = program.run(
        *("server", "add", name, "--host", "127.0.0.1", "--port", server.port),
        *("--scheme", "http", "--auth", "ntlm", "--user", USER, "--password", "env:LAB_PASSWORD"),
        *("--exchange-url", server.url_of(PATH), *more),
    )
    assert answer.code == 0, answer.err
    return answer


def shown(program):
    """Give every setting that the lab's own bundle tells too, without where it was read."""
    lines = program.run("show", "EX01", "--json").lines
    assert not [line for line in lines if "unread" in line and line["kind"] not in NOT_COMPARED]
    return {
        path_of(line): line["value"]
        for line in lines
        if line["kind"] not in NOT_COMPARED and "unread" not in line
    }


def test_a_server_is_taken_through_the_wire_as_by_a_bundle(tmp_path, program):
    """Its settings are those of a bundle; the next one fetches nothing, and finds what changed."""
    lab = Lab(tmp_path)
    with serving(lab) as server:
        add(program, server)
        first = program.run("take", "EX01")
        assert (first.code, first.err) == (0, "")
        assert "first snapshot: there is nothing to compare it with yet" in first.out
        other = Program(tmp_path / "other")
        bundle = lab.snapshot(tmp_path / "bundle", "2026-11-01T10:00:00Z")
        assert other.run("import", bundle).code == 0
        wanted = shown(other)
        assert len(wanted) > 700
        assert shown(program) == wanted

        again = program.run("take", "EX01")
        assert (again.code, again.err) == (0, "")
        assert "0 changes since the snapshot before it" in again.out
        lab.powershell(CUSTOMISATION)
        third = program.run("take", "EX01")
        assert (third.code, third.err) == (0, "")
    paths = {path_of(line) for line in program.log()}
    assert "OwaVirtualDirectory[owa (Default Web Site)].ExternalUrl" in paths
    assert "IisAppPool[Contoso]" in paths
    assert program.run("check").code == 0


def test_one_server_that_fails_costs_only_itself(tmp_path, program):
    """The others are taken; the table says of each what became of it, and the exit code is 4."""
    lab = Lab(tmp_path)
    with serving(lab) as server, serving(lab, Faults(Trouble("401", "sign-in", times=None))) as no:
        add(program, server)
        add(program, no, "EX02")
        answer = program.run("take", "--all")
    assert answer.code == 4
    assert answer.err.startswith("error: ")
    assert "EX02" in answer.err or "401" in answer.err or "let in" in answer.err
    lines = answer.out.splitlines()
    assert lines[0].split() == ["SERVER", "SNAPSHOT", "CHANGES", "SECONDS", "RESULT"]
    assert lines[1].split()[0] == "EX01"
    assert lines[1].endswith("first snapshot")
    assert lines[2].endswith("not taken")
    assert lines[3] == "1 of 2 servers taken, 0 of them incomplete"


def test_an_endpoint_that_refuses_leaves_its_kinds_unread(tmp_path, program):
    """Files and IIS are taken; the Exchange kinds are not read, and say why; nothing is removed."""
    lab = Lab(tmp_path)
    with serving(lab) as server:
        add(program, server)
        assert program.run("take", "EX01").code == 0
    with serving(lab, Faults(Trouble("access-denied", "Create", times=None, path=PATH))) as server:
        add(program, server, "EX01", "--force")
        answer = program.run("take", "EX01")
    assert answer.code == 4
    assert "OwaVirtualDirectory, " in answer.err
    assert program.log() == []


def test_a_server_that_is_another_one_is_not_taken(tmp_path, program):
    lab = Lab(tmp_path, server="EX09")
    with serving(lab) as server:
        add(program, server)
        answer = program.run("take", "EX01")
    assert answer.code == 1
    assert "is EX09, not EX01" in answer.err
    assert program.run("snapshots", "--json").lines == []


def test_the_machine_itself_is_taken_by_its_own_powershell(tmp_path, program, monkeypatch):
    """Without any network; the program finds the PowerShell, and the script is the same."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shell = folder / "powershell.exe"
    runs = f"import sys; sys.path[:0] = {[str(Path(__file__).parent)]!r}\n"
    shell.write_text(
        f"#!{sys.executable}\n{runs}import local_shell\nlocal_shell.run({str(tmp_path)!r})\n"
    )
    shell.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    added = program.run("server", "add", "EX01", "--transport", "local")
    assert added.code == 0, added.err
    answer = program.run("take", "EX01")
    assert (answer.code, answer.err) == (0, "")
    assert len(shown(program)) > 700


def test_the_password_is_nowhere(tmp_path, program):
    """Neither in the store, nor in what is said, nor in the journal."""
    lab = Lab(tmp_path)
    with serving(lab) as server:
        said = add(program, server).out
        said += program.run("take", "EX01").out + program.run("server", "show", "EX01").out
        said += json.dumps(program.run("server", "list", "--json").lines)
    assert PASSWORD not in said
    for file in (tmp_path / "program").rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes()
