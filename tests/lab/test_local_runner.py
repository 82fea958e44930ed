"""The script on this machine: run from a file of its own, and gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path

import pytest

from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.local import Local
from changelog_tracker.errors import CollectError, DamagedAnswerError, DeadlineError

PWSH = shutil.which("pwsh")
pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run scripts in"),
]
MARKER = "0123456789abcdef" * 2
ARGUMENTS = {"Frame": MARKER, "Mode": "list", "NoExchange": "true"}
PARAM = "param([string]$Frame, [string]$Mode, [switch]$NoExchange)\r\n"
END = f"'[changelog-frame {MARKER} end 0 x]'\r\n"
BY_HAND = "run the collector on the server itself, and look at what it says"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Have temporary folders made below one that is looked at in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def ended(script, seconds=30.0, **more):
    before = {one.name for one in threading.enumerate()}
    with pytest.raises(CollectError) as raised:
        Local(PWSH, **more).run(PARAM + script, ARGUMENTS, Deadline(seconds))
    assert {one.name for one in threading.enumerate()} <= before | {"deadlines"}
    return type(raised.value), str(raised.value), raised.value.hint


def test_the_script_is_run_with_its_arguments_by_name():
    script = PARAM + '"$Frame $Mode $NoExchange"\r\n"$(@($input).Count)"\r\n' + END
    lines = Local(PWSH).run(script, ARGUMENTS, Deadline(30)).splitlines()
    frame = f"[changelog-frame {MARKER} end 0 x]"
    assert [one.decode() for one in lines] == [f"{MARKER} list True", "0", frame]


def test_its_file_is_for_this_user_alone(temporary):
    script = PARAM + "$MyInvocation.MyCommand.Path\r\nStart-Sleep 1\r\n" + END
    modes = []

    def look():
        until = time.monotonic() + 10
        while not modes and time.monotonic() < until:
            modes.extend(oct(one.stat().st_mode & 0o777) for one in temporary.iterdir())

    looking = threading.Thread(target=look)
    looking.start()
    file = Path(Local(PWSH).run(script, ARGUMENTS, Deadline(30)).split(b"\n")[0].decode().strip())
    looking.join()
    assert modes == ["0o700"]
    assert file.name == "collect.ps1"
    assert not file.exists()


def test_a_script_that_never_ends_is_killed_with_what_it_started():
    started = time.monotonic()
    told = ended("& sleep 60\r\n", 2)
    assert time.monotonic() - started < 6
    hint = "give it more with --deadline, or see server test"
    assert told == (DeadlineError, "this machine: did not end within 2 s", hint)


def test_what_a_script_says_instead_is_told():
    told = ended("[Console]::Error.WriteLine('disk is full'); exit 7\r\n")
    what = "this machine: its shell could not run the script (exit code 7): disk is full"
    assert told == (CollectError, what, BY_HAND)
    assert ended("exit 0\r\n") == (
        DamagedAnswerError,
        "this machine: its shell ended without a word (exit code 0)",
        "try again",
    )


def test_more_output_than_is_taken_ends_it():
    told = ended("while ($true) { 'x' * 10000 }\r\n", most_bytes=1024 * 1024)
    what = "this machine: answers with more than 1 MiB"
    assert told == (DamagedAnswerError, what, "run the collector by itself")


def test_a_flood_of_errors_blocks_nothing():
    script = PARAM + "1..3000 | % { [Console]::Error.WriteLine('e' * 100) }\r\n" + END
    assert MARKER.encode() in Local(PWSH).run(script, ARGUMENTS, Deadline(30))


def test_a_powershell_that_is_not_there_is_told():
    with pytest.raises(CollectError) as raised:
        Local("/nonexistent/powershell.exe").run(PARAM, ARGUMENTS, Deadline(5))
    what = "this machine: /nonexistent/powershell.exe cannot be started: No such file or directory"
    assert str(raised.value) == what


def test_a_machine_without_windows_powershell_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("SystemRoot", raising=False)
    with pytest.raises(CollectError) as raised:
        Local().run(PARAM, ARGUMENTS, Deadline(5))
    what = "this machine: has no Windows PowerShell; expected on the Exchange server itself"
    hint = "take it over the network: --transport winrm"
    assert (str(raised.value), raised.value.hint) == (what, hint)


def test_the_64_bit_powershell_of_windows_is_found_from_32_bits_too(monkeypatch, temporary):
    from changelog_tracker.collect.local import windows_powershell  # noqa: PLC0415

    root = temporary / "Windows"
    for folder in ("System32", "Sysnative"):
        file = root / folder / "WindowsPowerShell/v1.0/powershell.exe"
        file.parent.mkdir(parents=True)
        file.touch()
        monkeypatch.setenv("SystemRoot", str(root))
        assert windows_powershell() == str(file)
    shutil.rmtree(root)
