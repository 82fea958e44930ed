"""A snapshot that comes in late: history is told again, nothing is lost. Own small files."""

from __future__ import annotations

import json

import pytest

from changelog_tracker.cli import run

HOST = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
A, LATE, B = (f"2026-11-{day}T10:00:00Z" for day in (10, 15, 20))
LIMIT = "appConcurrentRequestLimit"
TEXT = """<configuration>
  <system.applicationHost><log /></system.applicationHost>
  <system.webServer><serverRuntime {limit}="{value}" /></system.webServer>
</configuration>"""


class Tracker:
    """The command line on one store, with servers of one setting."""

    def __init__(self, folder, capsys):
        self._folder = folder
        self._capsys = capsys

    def __call__(self, *arguments):
        self._capsys.readouterr()
        code = run(["--store", str(self._folder / "changelog.db"), *arguments])
        out, err = self._capsys.readouterr()
        assert code == 0, err
        return out.splitlines()

    def take(self, value, at):
        root = self._folder / f"of-{value}"
        file = root / HOST
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TEXT.format(limit=LIMIT, value=value))
        self("import", str(root), "--server", "EX01", "--at", at)

    def log(self, *arguments):
        return [json.loads(line) for line in self("log", *arguments, "--json")]


@pytest.fixture
def tracker(tmp_path, capsys):
    return Tracker(tmp_path, capsys)


@pytest.fixture
def documented(tracker):
    """1 became 2, and somebody said why."""
    tracker.take(1, A)
    tracker.take(2, B)
    [line] = tracker.log()
    tracker("document", line["id"], "--reason", "more load", "--ticket", "CHG-7")
    return line["id"]


def told(lines):
    return [
        (line["before"], line["after"], line["not_before"], line["seen"], line["ticket"])
        for line in lines
    ]


def test_the_same_value_earlier_moves_the_change(tracker, documented):
    """The change was seen too late: it keeps its id and its reason, and its time is told better."""
    tracker.take(2, LATE)
    assert told(tracker.log()) == [(1, 2, A, LATE, "CHG-7")]
    assert tracker.log()[0]["id"] == documented
    assert (1, 2, A, B) in [line[:4] for line in told(tracker.log("--all"))]


def test_another_value_between_makes_two_changes(tracker, documented):
    """What ends in the same value keeps id and reason; the other change is new."""
    tracker.take(3, LATE)
    assert told(tracker.log()) == [(1, 3, A, LATE, None), (3, 2, LATE, B, "CHG-7")]
    assert tracker.log()[1]["id"] == documented
    assert (1, 2, A, B) in [line[:4] for line in told(tracker.log("--all"))]


def test_the_old_value_between_tells_the_time_better(tracker, documented):
    """Nothing changed at the late snapshot; the change cannot be older than it."""
    tracker.take(1, LATE)
    assert told(tracker.log()) == [(1, 2, LATE, B, "CHG-7")]
    assert tracker.log()[0]["id"] == documented


def test_a_late_snapshot_can_undo_a_change(tracker):
    """A change that no longer holds is not in the log; --all has it, with what it was."""
    tracker.take(2, LATE)
    tracker.take(1, B)
    [line] = tracker.log()
    tracker("document", line["id"], "--reason", "back again", "--ticket", "CHG-8")
    tracker.take(1, A)
    assert told(tracker.log()) == [(1, 2, A, LATE, None), (2, 1, LATE, B, "CHG-8")]


@pytest.mark.parametrize("value", [1, 2, 3])
def test_the_order_of_imports_makes_no_difference(tracker, tmp_path, capsys, value):
    """In the end the log says the same, whatever came in first."""
    usual = Tracker(tmp_path / "usual", capsys)
    usual._folder.mkdir()
    moments = {A: 1, LATE: value, B: 2}
    for at, number in moments.items():
        usual.take(number, at)
    for at in (B, LATE, A):
        tracker.take(moments[at], at)
    assert told(tracker.log()) == told(usual.log())
