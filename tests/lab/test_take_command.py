"""`take` as a command: what may be asked of it, many at once, and a person who stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from canned_frames import CannedFrames
from taking import PASSWORD, USER, add, printing, said, serving
from winrm_faults import Faults, Trouble
from winrs import Canned

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from bundles import Program, bundle, iis, manifest, web

from changelog_tracker.collect.script import collector

ADD = "hint: add one with: changelog-tracker server add EX01 --host ex01.contoso.com"
FILES = {
    "files/C/Windows/System32/inetsrv/config/applicationHost.config": iis(),
    "files/C/Exchange/owa/web.config": web(one="1"),
}
COMMAND = (sys.executable, "-m", "changelog_tracker", "--store")


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)
    return Program(tmp_path / "program")


def canned(name="EX01", files=FILES):
    told = manifest("2026-11-01T10:00:00Z", files, server=name)
    there = {path: data for path, data in files.items() if isinstance(data, bytes)}
    return Canned(CannedFrames(told, there).answer)


def enter(program, name, server):
    """Take a server into the inventory under another name than EX01."""
    answer = program.run(
        *("server", "add", name, "--host", "127.0.0.1", "--port", server.port, "--scheme", "http"),
        *("--auth", "ntlm", "--user", USER, "--password", "env:LAB_PASSWORD"),
        *("--exchange-url", "none", "--force"),
    )
    assert (answer.code, answer.err) == (0, "")


# ---- what may be asked


def test_without_any_server(program):
    """Nothing asked for, or an empty inventory, with and without a store."""
    asked = ["error: take: expected names of servers, or --all, or --group", "hint: server list"]
    empty = ["error: take: the inventory has no server", ADD]
    assert said(program, "take") == (2, [], asked)
    assert said(program, "take", "--all") == (2, [], empty)
    assert said(program, "take", "EX01") == (2, [], empty)
    assert not program.store.exists()
    folder = bundle(program.folder / "bundle", "2026-01-01T10:00:00Z", FILES)
    assert program.run("import", folder).code == 0
    assert said(program, "take", "--all") == (2, [], empty)
    none = ["error: EX01: is no server of the inventory", ADD]
    assert said(program, "take", "EX01") == (2, [], none)


def test_what_the_inventory_does_not_have(program):
    add(program, 5985)
    known = ["error: EX02: is no server of the inventory", "hint: known are: EX01"]
    assert said(program, "take", "EX02") == (2, [], known)
    assert said(program, "take", "EX01", "EX02") == (2, [], known)
    group = ["error: take: group farm has no server", ADD]
    assert said(program, "take", "--group", "farm") == (2, [], group)
    asked = ["error: take: expected names of servers, or --all, or --group", "hint: server list"]
    for both in (("EX01", "--all"), ("--all", "--group", "farm"), ("EX01", "--group", "farm")):
        assert said(program, "take", *both) == (2, [], asked)


@pytest.mark.parametrize("option", ["--workers=0", "--workers=257", "--deadline=4", "--workers=x"])
def test_numbers_that_cannot_be(program, option):
    add(program, 5985)
    code, out, err = said(program, "take", "EX01", option)
    assert (code, out, len(err)) == (2, [], 2)


# ---- many


def test_each_problem_is_told_with_its_server(program):
    """One is whole, one incomplete, one refuses: the table and the exit code tell them apart."""
    unread = {**FILES, "exchange/OwaVirtualDirectory.clixml": "access denied"}
    refusing = Faults(Trouble("access-denied", "Create", times=None))
    with (
        serving(canned()) as one,
        serving(canned("EX02", unread)) as two,
        serving(printing(), refusing) as three,
    ):
        for name, server in (("EX01", one), ("EX02", two), ("EX03", three)):
            enter(program, name, server)
        code, out, err = said(program, "take", "--all", "--workers", "3")
    assert code == 4
    told = [" ".join(re.sub(r"\d+\.\d", "SECONDS", line).split()) for line in out]
    # Which of the two is stored first is a matter of luck.
    assert [re.sub(r"^(EX\d+) \d+", r"\1 ID", line) for line in told] == [
        "SERVER SNAPSHOT CHANGES SECONDS RESULT",
        "EX01 ID 0 SECONDS first snapshot",
        "EX02 ID 0 SECONDS incomplete: 1 kind not read",
        "EX03 SECONDS not taken",
        "2 of 3 servers taken, 1 of them incomplete",
    ]
    rights = "let the account be an administrator there, or a member of Remote Management Users"
    assert err == [
        "error: EX02: OwaVirtualDirectory: not read: access denied",
        "hint: see changelog-tracker server test EX02",
        "error: EX03: http://127.0.0.1:PORT/wsman: refuses this account: access is denied",
        f"hint: {rights}",
    ]


@pytest.mark.skipif(os.name != "posix", reason="a pseudo terminal")
def test_a_bar_on_a_terminal_shows_how_far_it_is(program):
    """The bar is on standard error alone, and nothing of it is left; the table follows."""
    import pty  # noqa: PLC0415  not on Windows

    with serving(canned()) as one, serving(canned("EX02")) as two:
        enter(program, "EX01", one)
        enter(program, "EX02", two)
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
        child = subprocess.Popen(
            [*COMMAND, str(program.store), "take", "--all"],
            stdout=subprocess.PIPE, stderr=theirs, env=environment,
        )  # fmt: skip
        os.close(theirs)
        out, _ = child.communicate(timeout=60)
        drawn = read_all(ours)
    assert child.returncode == 0
    assert re.search(rb"\d/2", drawn)
    assert b"EX0" in drawn
    assert b"error" not in drawn
    lines = out.decode().splitlines()
    assert lines[0].split() == ["SERVER", "SNAPSHOT", "CHANGES", "SECONDS", "RESULT"]
    assert lines[-1] == "2 of 2 servers taken, 0 of them incomplete"
    assert "\x1b" not in out.decode()


def read_all(handle):
    data = b""
    try:
        while piece := os.read(handle, 65536):
            data += piece
    except OSError:
        pass  # Linux says so where the other end is closed.
    os.close(handle)
    return data


# ---- a person stops it; two at once


def test_who_stops_it_leaves_nothing_half_stored(program):
    """Exit code 130, one line, no snapshot; the shell on the server is closed."""
    asked = threading.Event()

    class Held(Canned):
        def run(self, _command):
            asked.set()

    with serving(Held(lambda _line, _stdin: (b"", b"", 0))) as server:
        add(program, server.port)
        child = subprocess.Popen(
            [*COMMAND, str(program.store), "take", "EX01"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert asked.wait(30)
        child.send_signal(signal.SIGINT)
        started = time.monotonic()
        out, err = child.communicate(timeout=30)
        assert time.monotonic() - started < 15
    assert (child.returncode, out) == (130, "")
    assert err == "error: interrupted: everything of this command was rolled back\n"
    assert program.run("snapshots", "--json").lines == []
    assert program.run("check").code == 0


def test_two_at_once_are_two_snapshots(program):
    """Both are stored whole, one after the other, and the chain holds."""
    with serving(canned()) as server:
        add(program, server.port)
        line = [*COMMAND, str(program.store), "take", "EX01"]
        both = [
            subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said_by = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], said_by
    assert [err for _, err in said_by] == ["", ""]
    assert len(program.run("snapshots", "--json").lines) == 2
    assert program.log() == []
    assert program.run("check", "--read-data").code == 0


# ---- the script for carrying


def test_the_collector_is_written_for_windows_and_never_over_something(program, tmp_path):
    """ASCII with CRLF; what is shown is how to run it, and how to bring what it makes."""
    file = tmp_path / "collect.ps1"
    code, out, err = said(program, "collector", "-o", file)
    assert (code, err) == (0, [])
    assert out == [
        f"wrote {file}; it only reads, and needs Windows PowerShell 2.0",
        "On the Exchange server, in an elevated 64-bit PowerShell:",
        "  powershell.exe -NoProfile -ExecutionPolicy Bypass -File collect.ps1",
        "Then bring the bundle here:",
        "  changelog-tracker import BUNDLE",
    ]
    data = file.read_bytes()
    assert data == collector().encode("ascii")
    assert data.count(b"\n") == data.count(b"\r\n") > 1000
    file.write_text("mine")
    code, out, err = said(program, "collector", "-o", file)
    assert (code, out, len(err)) == (2, [], 2)
    assert err[0].startswith(f"error: {file}: ")
    assert file.read_text() == "mine"
    assert said(program, "collector", "-o", file, "--force")[0] == 0
    assert file.read_bytes() == data


def test_the_collector_says_where_it_cannot_be_written(program, tmp_path):
    code, out, err = said(program, "collector", "-o", tmp_path / "none" / "collect.ps1")
    assert (code, out) == (1, [])
    assert err[0].startswith(f"error: {tmp_path / 'none' / 'collect.ps1'}: ")
