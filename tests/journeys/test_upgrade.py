"""Stores of earlier schemas: `db upgrade` brings them to this program's, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from bundles import IIS, WEB, Program, iis, rows, web, write

STORES = Path(__file__).parent.parent / "cases" / "stores"


@pytest.fixture
def first(tmp_path):
    """A store of schema 0001 with three bundles, one of them late, loose files, and words."""
    program = Program(tmp_path / "store")
    with contextlib.closing(sqlite3.connect(program.store)) as connection:
        connection.executescript((STORES / "0001.sql").read_text())
    (program.folder / "changelog.key").write_text("11" * 32 + "\n")
    (program.folder / "changelog.key").chmod(0o600)
    return program


def lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (STORES / name).read_text().splitlines()]


def test_an_older_store_is_refused_until_it_is_upgraded(first):
    """Every command says what to do; nothing is touched."""
    before = first.store.read_bytes()
    for command in (["log"], ["document", "2.2", "--reason", "x"]):
        answer = first.run(*command)
        assert (answer.code, answer.out) == (1, "")
        assert "has schema 0001; this program needs 0003" in answer.err
        assert answer.err.endswith("hint: run: changelog-tracker db upgrade\n")
    assert first.store.read_bytes() == before


def test_an_upgraded_store_says_what_it_said(first):
    """Log with what was superseded, settings, words and baseline are the same after it."""
    assert first.run("db", "upgrade").code == 0
    assert first.log("EX01", "--all") == lines("0001.log.jsonl")
    assert first.run("show", "EX01", "--json").lines == lines("0001.show.jsonl")
    [baseline] = first.run("baseline", "show", "--json").lines
    assert baseline["snapshot"] == "2"
    assert first.run("check", "--read-data").code == 0


def test_an_upgraded_store_goes_on(first, tmp_path):
    """What is imported next finds what is known: the same files are nothing new."""
    assert first.run("db", "upgrade").code == 0
    journal = len(rows(first.store)["journal"])
    loose = write(tmp_path / "loose", {IIS: iis("None"), WEB: web(a="2")})
    answer = first.run("import", loose, "--server", "EX01", "--at", "2026-11-06T10:00:00Z")
    assert (answer.code, answer.out.splitlines()[-1]) == (
        0,
        "0 changes since the snapshot before it",
    )
    after = rows(first.store)
    assert (len(after["journal"]), len(after["unchanged"])) == (journal, 1)
    loose = write(tmp_path / "late", {IIS: iis(), WEB: web(a="2")})
    answer = first.run("import", loose, "--server", "EX01", "--at", "2026-11-03T12:00:00Z")
    assert answer.code == 0
    assert [
        (line["seen"], line["before"], line["after"])
        for line in first.log("EX01")
        if line["setting"] == "sslFlags"
    ] == [
        ("2026-11-03T10:00:00Z", ["Ssl"], []),
        ("2026-11-03T12:00:00Z", [], ["Ssl"]),
        ("2026-11-04T10:00:00Z", ["Ssl"], []),
    ]
    assert first.run("check", "--read-data").code == 0
