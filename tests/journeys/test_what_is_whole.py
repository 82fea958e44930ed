"""What can still be read of a damaged store is read, and what cannot is said at the end."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from bundles import IIS, OWA, WEB, Program, iis, vdir, web
from whole_store import FIND_ALL, OWA_CONTENT, OWA_NAME, damage, plain, whole_store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small store with something in every table but blocks: 32 rows of the journal."""
    return whole_store(tmp_path_factory.mktemp("made") / "store", hours=20)


@pytest.fixture
def program(made, tmp_path):
    """The same store, to be damaged."""
    shutil.copytree(made.folder, tmp_path / "store")
    return Program(tmp_path / "store")


def refused(program: Program, what: str) -> str:
    return f"error: {program.store}: {what}; what is not named is whole\n{FIND_ALL}"


def dropped(lines: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k not in keys} for line in lines]


def test_show_gives_every_resource_but_the_damaged_one(program):
    """One damaged content costs its own settings, and the command ends with 5."""
    wanted = program.run("show", "EX01", "--json").lines
    damage(
        program,
        "UPDATE content SET data = X'00' WHERE id = (SELECT content_id FROM version v JOIN resource"
        " r ON r.id = v.resource_id WHERE r.kind = 'IisAppPool' AND v.until_at IS NULL)",
    )
    answer = program.run("show", "EX01", "--json")
    pool = "IisAppPool[MSExchangeOWAAppPool]"
    assert (answer.code, plain(answer.err)) == (
        5, refused(program, f"{pool}: content X is not what was written"),
    )  # fmt: skip
    assert answer.lines == [line for line in wanted if line["kind"] != "IisAppPool"]
    named = program.run("show", "EX01", "IisAppPool[*]")
    assert (named.code, named.out) == (5, "")
    other = program.run("show", "EX01", "OwaVirtualDirectory[*]", "--json")
    assert other.code == 0
    assert other.lines == [line for line in wanted if line["kind"] == "OwaVirtualDirectory"]


def test_show_does_without_a_damaged_raw_file(program):
    """A damaged raw file costs the line numbers alone."""
    wanted = program.run("show", "EX01", "--json").lines
    damage(
        program,
        "UPDATE content SET data = X'00' WHERE id IN (SELECT raw_id FROM reading_state s JOIN"
        " reading r ON r.id = s.reading_id WHERE r.kind = 'IisConfig' AND s.until_at IS NULL)",
    )
    answer = program.run("show", "EX01", "--json")
    assert answer.code == 5
    assert dropped(answer.lines, "origin") == dropped(wanted, "origin")


def test_log_gives_every_change_but_the_damaged_ones(program):
    """A row of the journal that cannot be read costs the changes that it brought."""
    wanted = program.log("--all")
    damage(program, "UPDATE journal SET body = X'7B' WHERE seq = 7")
    answer = program.run("log", "--all", "--json")
    assert (answer.code, answer.err) == (5, refused(program, "change 7.1 cannot be read"))
    assert answer.lines == [line for line in wanted if not line["id"].startswith("7.")]
    assert program.run("log", "EX01", "--json").code == 0


def test_log_gives_the_change_whose_reason_is_damaged(program):
    """A reason that cannot be read is named; the change is there."""
    wanted = program.log()
    damage(program, "UPDATE documentation SET body = X'7B' WHERE seq = 32")
    answer = program.run("log", "--json")
    assert answer.code == 5
    assert "what row 32 says of change " in answer.err
    said = ("documented", "reason", "ticket", "by")
    assert dropped(answer.lines, *said) == dropped(wanted, *said)


def test_diff_and_drift_give_every_difference_but_the_damaged_one(program):
    """A damaged content costs the differences of its resource."""
    for arguments in (["diff", "EX01", "1", "3"], ["drift", "EX01", "--against", "1"]):
        wanted = program.run(*arguments, "--json").lines
        source = program.store.read_bytes()
        damage(program, f"UPDATE content SET data = X'00' WHERE id = {OWA_CONTENT}")
        answer = program.run(*arguments, "--json")
        assert answer.code == 5
        assert f"error: {program.store}: {OWA_NAME}: content " in answer.err
        kept = [line for line in wanted if line["kind"] != "OwaVirtualDirectory"]
        assert answer.lines == kept
        assert len(wanted) > len(kept) > 0
        program.store.write_bytes(source)


def test_a_report_is_written_before_the_damage_is_said(program, tmp_path):
    """`-o FILE` holds what is whole."""
    damage(program, "UPDATE journal SET body = X'7B' WHERE seq = 7")
    file = tmp_path / "log.md"
    answer = program.run("log", "-o", file)
    assert (answer.code, answer.err) == (
        5,
        refused(program, "change 7.1 cannot be read, and 1 more"),
    )
    assert "OwaVirtualDirectory" in file.read_text()


def test_what_writes_does_not_go_on_without_what_it_cannot_read(program):
    """A late import whose history is damaged: exit 5, and nothing is stored."""
    damage(program, f"UPDATE content SET data = X'00' WHERE id = {OWA_CONTENT}")
    before = program.store.read_bytes()
    late = {OWA: vdir("Owa", LogonFormat="UserName"), IIS: iis(), WEB: web(a="7")}
    answer = program.take("2026-11-01T12:00:00Z", late)
    assert (answer.code, answer.out) == (5, "")
    assert program.store.read_bytes() == before


def test_a_row_that_nobody_wrote_so_is_one_line(program):
    """What makes no sense at all ends in a line that says where to look, never in a traceback."""
    for statement in (
        "UPDATE change SET seen = 'yesterday' WHERE server_id = 2",
        "UPDATE change SET seen = 4611686018427387904 WHERE server_id = 1 AND n = 1",
        "UPDATE journal SET at = 'now' WHERE seq = 1",
        "UPDATE documentation SET body = X'5B5D'",
        "UPDATE reading SET kind = CAST(X'FFFE' AS TEXT) WHERE id = 1",
    ):
        source = program.store.read_bytes()
        damage(program, statement)
        for arguments in (["log"], ["snapshots"], ["show", "EX01"], ["drift", "EX01"]):
            answer = program.run(*arguments)
            assert answer.code in {0, 3, 5}
            assert answer.err.count("error: ") == (answer.code == 5)
        assert program.run("check", "--read-data").code == 5
        program.store.write_bytes(source)
