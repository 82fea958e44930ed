"""replay.ps1 and undo.ps1 run for real in the lab: the very files that a user gets."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from recovery import EWS, lost_server, path_of, states
from syntax import findings

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH to run scripts in"),
]
LATER = "2026-11-05T10:00:00Z"


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """A recovered server at its defaults, and the plan that puts it back."""
    one = lost_server(tmp_path_factory.mktemp("lost") / "server")
    one.plan()
    return one


@pytest.fixture
def server(lost, tmp_path):
    """The same, for one test to break."""
    return lost.copy(tmp_path / "server")


def step_of(plan, setting):
    return next(step["id"] for step in plan["steps"] if setting in (step["setting"] or ""))


def test_replay_puts_everything_back_and_undo_takes_it_away_again(server):
    """Replay: no drift left. Again: nothing to set. Undo: the defaults of Setup again."""
    looked = server.replay("-WhatIf")
    assert (looked.code, looked.err, server.lab.writes()) == (0, "", [])
    assert set(states(looked).values()) == {"would-set"}

    done = server.replay("-Yes")
    assert (done.code, done.err) == (0, ""), done.out
    assert set(states(done).values()) == {"set"}
    assert len(server.lab.domain_controllers() - {None}) == 1
    assert server.verify() == (0, [])

    server.lab.clear_log()
    again = server.replay("-Yes")
    assert (again.code, again.err, server.lab.writes()) == (0, "", [])
    assert set(states(again).values()) == {"right"}

    undone = server.lab.run(
        server.out / "undo.ps1", "-Journal", str(server.journals()[0]), "-Yes", "-AllowRemove"
    )
    assert (undone.code, undone.err) == (0, ""), undone.out
    server.take(LATER)
    left = server.program.run("diff", "EX01", "5", "latest", "--json").lines
    assert left == []


def test_the_journal_documents_what_the_run_changed(server):
    """Imported, it ties each change to its step, operator and host; the class is replay."""
    assert server.replay("-Yes").code == 0
    now = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server.take(now)
    answer = server.program.run("import", server.journals()[0])
    assert (answer.code, answer.err) == (0, "")
    lines = [line for line in server.program.log() if line["seen"] == now]
    told = {(line["class"], line["documented"], line["by"]) for line in lines}
    assert told == {("replay", True, r"CONTOSO\anna")}, [
        path_of(line) for line in lines if not line["documented"]
    ]


def test_a_run_that_was_killed_goes_on(server):
    """Killed in the middle and run again: everything is as wanted."""
    killed = server.lab.run(server.out / "replay.ps1", "-Yes", kill_after_writes=3)
    assert killed.code != 0
    again = server.replay("-Yes")
    assert (again.code, again.err) == (0, ""), again.out
    assert {"right", "set"} == set(states(again).values())
    assert server.verify() == (0, [])


def test_what_somebody_else_changed_stops_its_step_alone(server):
    """Neither expected nor wanted: the step stops, the others go on, -Force sets it."""
    plan = server.plan()
    step = step_of(plan, "CalendarEnabled")
    url = next(s["id"] for s in plan["steps"] if s["kind"] == "EcpVirtualDirectory")
    server.lab.powershell(
        r"Set-EcpVirtualDirectory -Identity 'EX01\ecp (Default Web Site)'"
        " -ExternalUrl 'https://other.contoso.com/ecp'"
    )
    answer = server.replay("-Yes")
    assert answer.code == 3
    found = states(answer)
    assert (found.pop(url), found[step]) == ("stopped", "set")
    assert set(found.values()) == {"set"}
    forced = server.replay("-Yes", "-Force", url)
    assert (forced.code, states(forced)[url]) == (0, "set")
    assert server.verify() == (0, [])


def test_a_failed_child_blocks_the_redirect_of_the_root(server):
    """The root's redirect needs its children's: where one is not right, it is not written."""
    plan = server.plan()
    redirects = [s for s in plan["steps"] if "httpRedirect" in s["resource"]]
    child, root = (step["id"] for step in redirects)
    text = server.lab.apphost.read_text("utf-8")
    assert '<location path="Default Web Site/owa">' in text
    place = '<location path="Default Web Site/owa"><system.webServer>'
    own = f'{place}<httpRedirect enabled="true" /></system.webServer></location>'
    end = text.rindex("</configuration>")
    server.lab.apphost.write_text(f"{text[:end]}{own}{text[end:]}", "utf-8", newline="")
    answer = server.replay("-Yes")
    assert (answer.code, states(answer)[child], states(answer)[root]) == (3, "stopped", "blocked")


def test_a_cmdlet_that_fails_fails_its_steps_alone(server):
    """An error of one step is one line, and ends the run with 1."""
    server.lab.break_("failing", "Set-OwaVirtualDirectory")
    answer = server.replay("-Yes")
    assert answer.code == 1
    bad = [step for step, state in states(answer).items() if state == "failed"]
    good = [step for step, state in states(answer).items() if state == "set"]
    assert (len(bad), len(good) > 3) == (3, True)


def test_a_parameter_that_rights_hide_is_not_permitted(server):
    """The role is missing: that is said, and is not `unknown parameter`."""
    server.lab.break_("hidden", "Set-EcpVirtualDirectory", "ExternalUrl")
    answer = server.replay("-Yes")
    assert answer.code == 1
    assert "not-permitted" in states(answer).values()


def test_a_domain_controller_that_lags_is_waited_for(server):
    """Reading back is tried again within its deadline."""
    server.lab.break_("dc-lag", 2)
    answer = server.replay("-Yes", "-Group", "exchange")
    assert answer.code == 0, answer.out


def test_without_webadministration_appcmd_writes(server):
    """The module is missing: appcmd, for the whole run, and the same state in the end."""
    server.lab.break_("no-webadministration")
    answer = server.replay("-Yes")
    assert (answer.code, answer.err) == (0, ""), answer.out
    assert server.verify() == (0, [])


@pytest.mark.parametrize(
    "what",
    [
        "name",
        "x86",
        "not-elevated",
        "setup-running",
        "watermark",
        "version",
        "install-path",
        "shared-configuration",
        "no-shell",
    ],
)
def test_a_guard_refuses_with_one_line_and_no_write(server, what):
    """Each guard in turn: exit 2, one line that says why, nothing written."""
    server.lab.break_(what)
    answer = server.replay("-Yes")
    assert (answer.code, server.lab.writes()) == (2, []), answer.out
    assert states(answer) == {}
    refused = [line for line in answer.out.splitlines() if line.startswith("refused: ")]
    assert refused, answer.out


def test_the_scripts_speak_the_shells_own_language(lost):
    """Windows PowerShell 2.0 understands them, and each command and parameter is allowed."""
    scripts = [lost.out / "replay.ps1", lost.out / "undo.ps1"]
    assert findings(scripts, "2019", "2.0") == []


def test_a_file_keeps_what_no_step_is_about(server):
    """Of the web.config only the wanted keys differ, and a copy of the old one lies beside it."""
    file = server.lab.file(EWS)
    before = file.read_bytes()
    assert server.replay("-Yes", "-Group", "files").code == 0
    after = file.read_bytes()
    assert after == before.replace(b"67108864", b"134217728", 3)
    copies = [each for each in file.parent.iterdir() if ".bak" in each.name]
    assert [each.read_bytes() for each in copies] == [before]
