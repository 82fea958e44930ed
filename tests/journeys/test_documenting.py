"""What people say of changes: reasons that end, verdicts, and who may give them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from bundles import OWA, Program, vdir

from changelog_tracker.store.journal import who_runs

FIRST, SECOND = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """One server with one change, 2.1."""
    monkeypatch.delenv("CHANGELOG_TRACKER_REQUIRE", raising=False)
    found = Program(tmp_path / "store")
    found.take(FIRST, {OWA: vdir("Owa", ExternalUrl="https://a.contoso.com/owa")})
    found.take(SECOND, {OWA: vdir("Owa", ExternalUrl="https://b.contoso.com/owa")})
    assert [one["id"] for one in found.log()] == ["2.1"]
    return found


def as_account(monkeypatch, name):
    """Have another account run the program; it is looked up once a process."""
    monkeypatch.setenv("LOGNAME", name)
    who_runs.cache_clear()


@pytest.fixture
def account(monkeypatch):
    yield lambda name: as_account(monkeypatch, name)
    who_runs.cache_clear()


def test_an_exception_ends(program):
    said = ("document", "2.1", "--reason", "until the move")
    assert program.run(*said, "--expires", "2999-01-01T00:00:00Z").code == 0
    assert program.log()[0]["expires"] == "2999-01-01T00:00:00Z"
    assert program.run("log", "--undocumented").code == 0
    past = program.run(*said, "--expires", "2026-11-03T00:00:00Z")
    assert past.code == 2
    assert past.err.splitlines()[0] == (
        "error: --expires: 2026-11-03T00:00:00Z lies in the past; expected a time to come"
    )
    soon = datetime.now(tz=UTC) + timedelta(seconds=1.5)
    assert program.run(*said, "--expires", soon.isoformat()).code == 0
    time.sleep(max(0.0, (soon - datetime.now(tz=UTC)).total_seconds()) + 0.1)
    late = program.run("log", "--undocumented")
    assert late.code == 3
    assert "undocumented, exception expired: until the move" in late.out


def test_somebody_else_approves(program, account):
    account("anna")
    program.run("document", "2.1", "--reason", "new name", "--by", "Anna Berger")
    account("bert")
    done = program.run("approve", "2.1", "--by", "Bert Klein")
    assert (done.code, done.out) == (0, "approved: 2.1\n")
    line = program.log()[0]
    assert (line["by"], line["approved_by"]) == ("Anna Berger", "Bert Klein")
    assert "self_approved" not in line
    assert "(Anna Berger, approved by Bert Klein)" in program.run("log").out
    assert program.run("check", "--read-data").code == 0


@pytest.mark.parametrize(
    ("who", "name"), [("anna", "Bert Klein"), ("bert", "ANNA BERGER")], ids=["account", "name"]
)
def test_nobody_approves_their_own_without_saying_so(program, account, who, name):
    account("anna")
    program.run("document", "2.1", "--reason", "new name", "--by", "Anna Berger")
    account(who)
    refused = program.run("approve", "2.1", "--by", name)
    assert refused.code == 2
    assert refused.err.splitlines() == [
        "error: 2.1: was documented by Anna Berger, account anna; nothing was approved",
        "hint: have somebody else approve it, or say --self, which the log shows",
    ]
    assert program.log()[0]["approved_by"] is None
    assert program.run("approve", "2.1", "--by", name, "--self").code == 0
    assert program.log()[0]["self_approved"] is True
    assert f"self-approved by {name}" in program.run("log").out


def test_a_new_reason_needs_an_approval_of_its_own(program, account):
    account("anna")
    program.run("document", "2.1", "--reason", "new name")
    account("bert")
    program.run("approve", "2.1")
    program.run("document", "2.1", "--reason", "another reason")
    assert program.log()[0]["approved_by"] is None


def test_what_is_rejected_is_undocumented(program, account):
    account("anna")
    program.run("document", "2.1", "--reason", "new name", "--ticket", "CHG1")
    account("bert")
    assert program.run("reject", "2.1", "--reason", "not in CHG1", "--by", "Bert").code == 0
    line = program.log()[0]
    assert (line["rejected"], line["documented"], line["reason"]) == (True, False, "not in CHG1")
    late = program.run("approve", "2.1", "--by", "Carl")
    assert late.code == 2
    assert "has no reason that stands; nothing was approved" in late.err
    assert program.run("check", "--read-data").code == 0
    program.run("document", "2.1", "--reason", "in CHG2 now")
    assert program.log()[0]["rejected"] is False


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["approve", "2.1"], "2.1"),
        (["approve", "9.9"], "9.9"),
        (["approve", "x"], "x"),
        (["reject", "2.1", "--reason", " "], "--reason"),
        (["reject", "9.9", "--reason", "why"], "9.9"),
        (["document", "2.1", "--reason", "why", "--by", " "], "--by"),
        (["document", "2.1", "--reason", "why", "--expires", "soon"], "--expires"),
    ],
)
def test_what_cannot_be_said_is_refused_in_one_line(program, arguments, place):
    refused = program.run(*arguments)
    assert refused.code == 2
    assert refused.err.startswith(f"error: {place}: ")
    assert refused.out == ""
    assert program.log()[0]["reason"] is None


def test_what_is_required_must_be_said(program, monkeypatch):
    monkeypatch.setenv("CHANGELOG_TRACKER_REQUIRE", "ticket, by")
    bare = program.run("document", "2.1", "--reason", "why", "--by", "Anna")
    assert bare.code == 2
    assert bare.err == "error: --ticket: is missing; the setting `require` asks for it\n"
    assert program.run("document", "2.1", "--reason", "w", "--by", "A", "--ticket", "C").code == 0
    monkeypatch.setenv("CHANGELOG_TRACKER_REQUIRE", "colour")
    wrong = program.run("document", "2.1", "--reason", "why")
    assert wrong.code == 2
    assert "expected any of ticket, by, expires" in wrong.err
