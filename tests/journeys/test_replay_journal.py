"""A replay journal taken back: what its steps made is documented, and nothing else is."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from bundles import ECP, IIS, OWA, WEB, WEB_NAME, WINDOWS, Program, iis, rows, stored, vdir, web
from replay_journals import ACCESS, OWA_VDIR, Journal, value

BEFORE, AFTER = "2026-11-01T10:00:00Z", "2026-11-03T10:00:00Z"
URL = "https://mail.contoso.com/owa"
OWA_URL = (*OWA_VDIR, "ExternalUrl")
STEP = "replay step s001 of plan 4f2a"
SAID = {
    "class": "replay",
    "documented": True,
    "reason": STEP,
    "ticket": None,
    "by": "CONTOSO\\anna",
    "who": [
        {
            "name": "CONTOSO\\anna",
            "when": "2026-11-02T09:00:00Z",
            "source": "replay-journal",
            "confidence": "exact",
        }
    ],
    "replay": {"plan": "4f2a", "step": "s001", "host": "EX01", "at": "2026-11-02T09:00:00Z"},
}
NOT_SAID = {
    "class": "customisation",
    "documented": False,
    "reason": None,
    "ticket": None,
    "by": None,
    "who": [],
}
DONE = (
    "EX01: replay of plan 4f2a of 2026-11-02 09:00 +00:00 by CONTOSO\\anna on EX01: "
    "1 step (1 set)\n"
)
AGAIN = DONE.replace(": 1 step (1 set)", " is already known")


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def program(tmp_path):
    """A store with one snapshot, before the run."""
    made = Program(tmp_path / "store")
    done(made.take(BEFORE, {OWA: vdir("Owa"), ECP: vdir("Ecp"), IIS: iis("None"), WEB: web(a="1")}))
    return made


def done(answer):
    assert (answer.code, answer.err) == (0, "")
    return answer


def files(**owa):
    return {OWA: vdir("Owa", **owa), ECP: vdir("Ecp"), IIS: iis("None"), WEB: web(a="1")}


def journal(wanted=URL, **run):
    return Journal(**run).step(OWA_URL, value("ExternalUrl", None, wanted)).end()


def taken_back(program, made, name="a.journal"):
    return program.run("import", made.write(program.folder / name))


def told(program, *arguments):
    """What the log says of who made each change, by setting."""
    return {
        line["setting"]: {key: line[key] for key in SAID if key in line}
        for line in program.log(*arguments)
    }


def sound(program):
    answer = program.run("check", "--read-data")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "sound")


# --- which comes first --------------------------------------------------------------------------


def test_a_snapshot_after_the_journal_is_tied_to_it(program):
    """The run is stored without a change; the snapshot that shows its change ties it."""
    answer = done(taken_back(program, journal()))
    assert answer.out == DONE + "0 changes of the log documented by it\n"
    done(program.take(AFTER, files(ExternalUrl=URL)))
    assert told(program) == {"ExternalUrl": SAID}
    sound(program)


def test_a_journal_after_the_snapshot_is_tied_to_it(program):
    """A change that is in the log already becomes documented, and keeps its id."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    before = program.log()
    answer = done(taken_back(program, journal()))
    assert answer.out == DONE + "1 change of the log documented by it\n"
    assert [{**line, **SAID} for line in before] == program.log()
    sound(program)


def test_the_same_journal_again_is_already_known(program):
    """Nothing is stored the second time."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    done(taken_back(program, journal()))
    before = rows(program.store)
    assert done(taken_back(program, journal(), "copy.journal")).out == AGAIN
    assert rows(program.store) == before


def test_the_class_finds_what_a_run_made(program):
    """`--class replay` gives it, the class that it had before does not; nothing is left open."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    done(taken_back(program, journal()))
    assert list(told(program, "--class", "replay")) == ["ExternalUrl"]
    assert told(program, "--class", "customisation") == {}
    assert program.run("log", "--undocumented").code == 0
    assert "by CONTOSO\\anna" in program.run("log").out
    drift = program.run("drift", "EX01", "--json").lines[0]
    assert {key: drift[key] for key in SAID} == SAID


# --- what is tied -------------------------------------------------------------------------------


def test_another_value_stays_undocumented(program):
    """What differs from what the step set was made by somebody else."""
    done(program.take(AFTER, files(ExternalUrl="https://other.contoso.com/owa")))
    done(taken_back(program, journal()))
    assert told(program) == {"ExternalUrl": NOT_SAID}


def test_what_is_not_in_the_journal_stays_undocumented(program):
    """Of two changes of one night only the one that a step made is documented."""
    done(taken_back(program, journal()))
    done(program.take(AFTER, {**files(ExternalUrl=URL), WEB: web(a="2")}))
    assert told(program) == {"ExternalUrl": SAID, "[key='a'].value": NOT_SAID}


@pytest.mark.parametrize("at", ["2026-11-01T09:59:59Z", "2026-11-03T10:00:01Z"])
def test_a_step_outside_the_change_makes_nothing(program, at):
    """A change lies between two readings, and so must the step."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    made = Journal(started=at).step(OWA_URL, value("ExternalUrl", None, URL)).end()
    done(taken_back(program, made))
    assert told(program) == {"ExternalUrl": NOT_SAID}


@pytest.mark.parametrize("state", ["failed", "would-set", "stopped", "right"])
def test_only_a_step_that_was_set_counts(program, state):
    """Every other state wrote nothing that can be relied on."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    made = Journal().step(OWA_URL, value("ExternalUrl", None, URL), state=state).end(1)
    done(taken_back(program, made))
    assert told(program) == {"ExternalUrl": NOT_SAID}


def test_the_last_step_before_the_snapshot_counts(program):
    """What a run set and its undo took away again was set by somebody else afterwards."""
    done(taken_back(program, journal()))
    undo = Journal(mode="undo", started="2026-11-02T10:00:00Z")
    undo.step(OWA_URL, value("ExternalUrl", URL, None)).end()
    done(taken_back(program, undo, "undo.journal"))
    done(program.take(AFTER, files(ExternalUrl=URL)))
    assert told(program) == {"ExternalUrl": NOT_SAID}


def test_an_undo_is_tied_as_such(program):
    """What undo.ps1 set says so."""
    done(taken_back(program, journal(mode="undo")))
    done(program.take(AFTER, files(ExternalUrl=URL)))
    assert told(program) == {"ExternalUrl": {**SAID, "reason": f"undo of {STEP}"}}


def test_values_are_held_as_iis_and_the_shell_write_them(program):
    """Texts of the journal meet typed values of the log: switches, flags, an element that came."""
    web_key = ("ConfigFile", f"{WEB_NAME} : appSettings")
    made = Journal()
    made.step((*OWA_VDIR, "BasicAuthentication"), value("BasicAuthentication", True, False))
    made.step((*ACCESS, "sslFlags"), value("sslFlags", "None", "Ssl128, Ssl"))
    made.step((*web_key, "[key='a'].value"), value("value", "1", "2"))
    made.step((*web_key, "[key='b']"), value("value", None, "3"), op="add")
    made.end()
    done(taken_back(program, made))
    now = {
        **files(BasicAuthentication=False),
        IIS: iis("Ssl, Ssl128"),
        WEB: web(a="2", b="3", c="4"),
    }
    done(program.take(AFTER, now))
    assert {name: one["reason"] for name, one in told(program).items()} == {
        "BasicAuthentication": "replay step s001 of plan 4f2a",
        "sslFlags": "replay step s002 of plan 4f2a",
        "[key='a'].value": "replay step s003 of plan 4f2a",
        "[key='b']": "replay step s004 of plan 4f2a",
        "[key='c']": None,
    }
    sound(program)


def test_what_is_folded_into_a_recovery_is_tied(program):
    """A rebuilt server that was replayed before its first snapshot: the line's parts are told."""
    done(taken_back(program, journal()))
    rebuilt = {**WINDOWS, "machine_sid": "S-1-5-21-9-9-9"}
    done(program.take(AFTER, {**files(ExternalUrl=URL), WEB: web(a="2")}, windows=rebuilt))
    assert told(program) == {"MachineSid": {**NOT_SAID, "class": "recovery"}}
    unfolded = told(program, "--unfold")
    assert (unfolded["ExternalUrl"], unfolded["[key='a'].value"]) == (SAID, NOT_SAID)
    (line,) = program.log("--class", "replay")
    assert (line["id"].count("."), line["setting"]) == (2, "ExternalUrl")
    sound(program)


def test_what_a_person_said_counts_more(program):
    """A reason that somebody gave is shown, before or after; class and who stay the run's."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    (line,) = program.log()
    done(
        program.run(
            "document", line["id"], "--reason", "restored", "--ticket", "CHG-1", "--by", "bert"
        )
    )
    done(taken_back(program, journal()))
    wanted = {**SAID, "reason": "restored", "ticket": "CHG-1", "by": "bert"}
    assert told(program) == {"ExternalUrl": wanted}
    sound(program)


# --- late snapshots -----------------------------------------------------------------------------


def test_a_late_snapshot_keeps_what_still_holds(program):
    """One between step and change moves the change to an earlier moment; the step stays."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    done(taken_back(program, journal()))
    program.take("2026-11-02T12:00:00Z", files(ExternalUrl=URL))
    (line,) = program.log()
    assert line["seen"] == "2026-11-02T12:00:00Z"
    assert told(program) == {"ExternalUrl": SAID}
    sound(program)


@pytest.mark.parametrize(
    ("at", "url"), [("2026-11-02T08:00:00Z", URL), ("2026-11-02T12:00:00Z", None)]
)
def test_a_late_snapshot_takes_away_what_no_longer_holds(program, at, url):
    """It shows that the value stood before the step, or went again after it."""
    done(program.take(AFTER, files(ExternalUrl=URL)))
    done(taken_back(program, journal()))
    program.take(at, files(ExternalUrl=url))
    assert told(program) == {"ExternalUrl": NOT_SAID}
    sound(program)


def test_a_change_that_a_late_snapshot_brings_is_tied(program):
    """The snapshot in between shows what was there for a day only."""
    done(program.take(AFTER, files()))
    done(taken_back(program, journal()))
    program.take("2026-11-02T12:00:00Z", files(ExternalUrl=URL))
    lines = [(one["after"], one["class"]) for one in program.log()]
    assert lines == [(URL, "replay"), (None, "customisation")]
    sound(program)


# --- what the scripts themselves write -----------------------------------------------------------

ENGINE = Path(__file__).resolve().parents[2] / "changelog_tracker/replay/scripts"
WRITER = r"""
foreach ($name in '05-session', '10-values', '20-journal') { . (Join-Path $args[0] "$name.ps1") }
function Get-Now { '2026-11-02T09:00:00Z' }
function Get-Operator { 'CONTOSO\anna' }
$env:COMPUTERNAME = 'EX01'
$Plan = @{ Id = '4f2a'; Server = 'EX01'; Target = 'EX01'; Mode = 'replay'; Program = 'x' }
$owa = @{ Id = 's001'; Op = 'set'; Owner = 'shell'; ResourceKind = 'OwaVirtualDirectory';
    Resource = 'owa (Default Web Site)'; Setting = 'ExternalUrl, BasicAuthentication';
    Goals = @(@{ Name = 'ExternalUrl'; Kind = 'uri'; Wanted = 'https://mail.contoso.com/owa' },
        @{ Name = 'BasicAuthentication'; Kind = 'bool'; Wanted = $false }) }
$access = @{ Id = 's002'; Op = 'attribute'; Owner = 'iis'; ResourceKind = 'IisSection';
    Resource = 'Default Web Site/owa : system.webServer/security/access'; Setting = 'sslFlags';
    Goals = @(@{ Name = 'sslFlags'; Kind = 'flags'; Wanted = 'Ssl, Ssl128' }) }
Open-Journal $args[1]
Add-JournalSetting $owa @{ ExternalUrl = $null; BasicAuthentication = $true } ''
Add-JournalState 's001' 'set' "a line`nbreak & \ <b>"
Close-Journal $null
function Get-Now { '2026-11-02T09:30:00Z' }
Open-Journal $args[1]
Add-JournalState 's001' 'right' ''
Add-JournalSetting $access @{ sslFlags = 'None' } ''
Add-JournalState 's002' 'set' ''
Close-Journal 0
"""


@pytest.mark.pwsh
@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH to write a journal with")
def test_a_journal_that_the_scripts_write_is_taken_back(program, tmp_path):
    """Two runs in one file, the first without an end: each change has its step of its run."""
    (tmp_path / "writer.ps1").write_text(WRITER)
    file = tmp_path / "replay.journal"
    command = ["pwsh", "-NoProfile", "-NonInteractive", "-File", tmp_path / "writer.ps1"]
    subprocess.run([*command, ENGINE, file], check=True, timeout=60)
    answer = program.run("import", file)
    assert (answer.code, answer.err.count("note: the run has no end")) == (0, 1)
    now = {**files(ExternalUrl=URL, BasicAuthentication=False), IIS: iis("Ssl, Ssl128")}
    done(program.take(AFTER, now))
    assert {name: (one["reason"], one["by"]) for name, one in told(program).items()} == {
        "ExternalUrl": (STEP, "CONTOSO\\anna"),
        "BasicAuthentication": (STEP, "CONTOSO\\anna"),
        "sslFlags": ("replay step s002 of plan 4f2a", "CONTOSO\\anna"),
    }
    sound(program)


# --- runs that were killed ----------------------------------------------------------------------


def test_a_killed_run_is_taken_as_far_as_it_came(program):
    """A last line that is cut off is left out, and said; a step in the middle is not `set`."""
    done(program.take(AFTER, files(ExternalUrl=URL, InternalUrl="https://in.contoso.com/owa")))
    made = Journal().step(OWA_URL, value("ExternalUrl", None, URL))
    made.step((*OWA_VDIR, "InternalUrl"), value("InternalUrl", None, "https://in.contoso.com/owa"))
    file = program.folder / "a.journal"
    file.write_bytes(made.data()[:-30])
    answer = program.run("import", file)
    assert (answer.code, answer.err) == (
        0,
        "note: the last line of the run is cut off, as by a kill; it was left out\n",
    )
    assert answer.out == DONE.replace("1 step (1 set)", "2 steps (1 set, 1 setting)") + (
        "1 change of the log documented by it\n"
    )
    assert told(program) == {"ExternalUrl": SAID, "InternalUrl": NOT_SAID}
    sound(program)


def test_a_run_that_went_on_is_taken_again(program):
    """The longer journal adds what it tells besides; the shorter one is known from then on."""
    done(program.take(AFTER, files(ExternalUrl=URL, InternalUrl="https://in.contoso.com/owa")))
    made = Journal().step(OWA_URL, value("ExternalUrl", None, URL))
    answer = taken_back(program, made)
    assert answer.err == (
        "note: the run has no end: it was killed, or goes on; import its journal again then\n"
    )
    short = made.data()
    made.step((*OWA_VDIR, "InternalUrl"), value("InternalUrl", None, "https://in.contoso.com/owa"))
    answer = done(taken_back(program, made.end()))
    assert answer.out == DONE.replace("1 step (1 set)", "2 steps (2 set)") + (
        "1 change of the log documented by it\n"
    )
    before = rows(program.store)
    (program.folder / "a.journal").write_bytes(short)
    assert program.run("import", program.folder / "a.journal").out == AGAIN
    assert rows(program.store) == before
    assert [one["class"] for one in told(program).values()] == ["replay", "replay"]
    sound(program)


# --- what is refused ----------------------------------------------------------------------------


def refused(program, code, *arguments):
    before = rows(program.store)
    answer = program.run("import", *arguments)
    assert (answer.code, answer.out, rows(program.store)) == (code, "", before)
    return answer.err


def test_a_malformed_line_is_named(program):
    """One bad line, and nothing of the journal is stored."""
    made = journal()
    made.lines.insert(2, "<step id='s002'")
    file = made.write(program.folder / "a.journal")
    error = refused(program, 1, file)
    assert error.startswith(f"error: {file}, line 3: not well-formed XML: ")
    assert error.endswith(
        "\nhint: copy the journal again from where the script wrote it; nobody edits it\n"
    )


def test_another_telling_of_the_same_run_is_refused(program):
    """Of one run there is one journal."""
    done(taken_back(program, journal()))
    file = journal("https://evil.contoso.com").write(program.folder / "b.journal")
    assert refused(program, 1, file) == (
        f"error: {file}: tells the run of 2026-11-02T09:00:00Z otherwise than a journal imported "
        "before\nhint: nobody edits a journal; look at both of them\n"
    )


def test_a_run_on_an_unknown_server_is_refused(program):
    """The server that counts is the one that it ran on."""
    file = journal(target="EX09").write(program.folder / "a.journal")
    assert refused(program, 2, file) == (
        f"error: {file}: is of a run on EX09, which is no server of this store\n"
        "hint: import a snapshot of EX09 first\n"
    )


def test_a_run_that_made_another_server_like_this_one_is_that_servers(program):
    """A plan of EX01 that was run on EX02 documents changes of EX02 only."""
    other = {"server": "EX02"}
    done(program.take(BEFORE, {OWA: vdir("Owa", server="EX02")}, **other))
    done(program.take(AFTER, {OWA: vdir("Owa", server="EX02", ExternalUrl=URL)}, **other))
    done(program.take(AFTER, files(ExternalUrl=URL)))
    done(taken_back(program, journal(target="EX02", host="EX02")))
    assert {one["server"]: one["class"] for one in program.log()} == {
        "EX01": "customisation",
        "EX02": "replay",
    }


def test_options_that_contradict_a_journal_are_refused(program):
    """Its server and its times are its own."""
    file = journal().write(program.folder / "a.journal")
    assert refused(program, 1, file, "--server", "EX02") == (
        f"error: {file}: is of a run on EX01, but --server says EX02\nhint: leave --server out\n"
    )
    assert refused(program, 2, file, "--at", "2026-11-02") == (
        f"error: --at: says nothing of a replay journal, and {file} is one\nhint: leave it out\n"
    )
    done(program.run("import", file, "--server", "ex01.contoso.com"))


def test_a_run_that_lies_ahead_is_refused(program):
    """No change can be documented before it was made."""
    file = journal(started="2999-01-01T00:00:00Z").write(program.folder / "a.journal")
    assert "lies ahead of this machine's clock" in refused(program, 1, file)


def test_without_a_store_nothing_is_made(tmp_path):
    """A journal alone makes no store."""
    program = Program(tmp_path / "store")
    file = journal().write(tmp_path / "a.journal")
    answer = program.run("import", file)
    assert (answer.code, program.store.exists()) == (1, False)
    assert answer.err.startswith(f"error: {program.store}: there is no store yet\n")


# --- hostile journals ---------------------------------------------------------------------------


def test_a_found_secret_is_never_kept(program):
    """A value that shows a secret by its form or name is a fingerprint in the store."""
    web_key = ("ConfigFile", f"{WEB_NAME} : appSettings", "[key='a'].value")
    made = Journal()
    made.step(web_key, value("value", "Server=x;Password=hunter2", "1"))
    made.step((*OWA_VDIR, "ExternalUrl"), value("ExternalUrl", "https://u:hunter3@h/", URL))
    done(taken_back(program, made.end()))
    assert b"hunter" not in stored(program)


def test_an_operator_of_control_characters_is_shown_as_escapes(program):
    """Nothing of a journal acts on a terminal."""
    hostile = "a\x1b[31m\u202e\n<script>"
    answer = done(taken_back(program, journal(operator=hostile)))
    assert "by a\\x1b[31m\\u202e\\n<script> on EX01" in answer.out
    done(program.take(AFTER, files(ExternalUrl=URL)))
    assert program.log()[0]["by"] == hostile
    assert "\x1b" not in program.run("log").out
    assert "<script>" not in program.run("log", "--format", "html").out
