"""`replay`: what a plan holds, what it leaves to a person, and what it says of both."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from bundles import ECP, IIS, OWA, WEB, Program, clixml, iis, vdir, web

from changelog_tracker.cli.session import Globals, open_store
from changelog_tracker.pipeline import people

AT = "2026-11-01T10:00:00Z"
CUSTOM = "2026-11-02T10:00:00Z"
LOST = "2026-11-03T10:00:00Z"
CASES = Path(__file__).with_name("replay")
EWS = "exchange/WebServicesVirtualDirectory.clixml"
OAB = "exchange/OabVirtualDirectory.clixml"
SERVER = "exchange/ExchangeServer.clixml"
FILES = ("manual.md", "plan.json", "replay.ps1", "runbook.html", "runbook.md", "undo.ps1")


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "program")


def planned(program, tmp_path, *arguments):
    """Give what `replay` said, and the plan that it wrote."""
    folder = tmp_path / "out"
    answer = program.run("replay", "EX01", "-o", folder, "--force", *arguments)
    assert answer.code == 0, answer.err
    return answer, json.loads((folder / "plan.json").read_text())


def shapes(plan):
    """Give each step in short: id, group, operation, title, wanted values."""
    return [
        (
            step["id"],
            step["group"],
            step["op"],
            f"{step['kind']}[{step['resource']}].{step['setting']}",
            [goal["wanted"] for goal in step["goals"]],
        )
        for step in plan["steps"]
    ]


def compare_with_case(request, case, name, text):
    """Hold a text against the file of a case; --update-golden writes it anew."""
    file = CASES / case / name
    if request.config.getoption("--update-golden"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def take_three(program, customised, lost, defaults=None):
    """Take the server as installed, customised, and after it was lost."""
    program.take(AT, defaults or lost)
    program.take(CUSTOM, customised)
    program.run("baseline", "set", "EX01")
    program.take(LOST, lost)


def reject(program, change):
    """Say of a change that it is rejected, as an entry of the journal does."""
    with open_store(Globals(str(program.store), None)) as store, store.writing() as connection:
        body = {"changes": [change], "reason": "not ours", "by": "Anna", "rejected": True}
        seq = people._append(connection, "document", None, body)
        found = people._change(connection, change)
        words = {name: value for name, value in body.items() if name != "changes"}
        people.add_words(connection, seq, [found], words)


def test_a_recovered_server_gets_back_what_was_customised(program, tmp_path):
    """Each difference between baseline and newest snapshot is one step, through its owner."""
    take_three(
        program,
        {
            OWA: vdir("Owa", ExternalUrl="https://mail.contoso.com/owa", LogonFormat="UserName"),
            WEB: web(LogonSettings="private"),
        },
        {OWA: vdir("Owa", LogonFormat="FullDomain"), WEB: web(LogonSettings="public")},
    )
    program.run("document", "2.1", "2.2", "2.3", "--reason", "as designed")
    answer, plan = planned(program, tmp_path)
    assert shapes(plan) == [
        ("s001", "exchange", "set", "OwaVirtualDirectory[owa (Default Web Site)].ExternalUrl",
         ["https://mail.contoso.com/owa"]),
        ("s002", "exchange", "set", "OwaVirtualDirectory[owa (Default Web Site)].LogonFormat",
         ["UserName"]),
        ("s003", "files", "attribute",
         f"ConfigFile[{plan['steps'][2]['resource']}].[key='LogonSettings'].value", ["private"]),
    ]  # fmt: skip
    assert plan["by_hand"] == []
    assert answer.out.startswith(
        "plan for EX01: Exchange 2019 build 15.2.1118.7\n"
        "  wanted: baseline, snapshot 2 of 2026-11-02 10:00 +00:00 (2026-11-02 10:00:00Z)\n"
        "  found:  snapshot 4 of 2026-11-03 10:00 +00:00 (2026-11-03 10:00:00Z)\n"
        "  steps:  3 (exchange 2, files 1)\n"
        "  by hand: 0\n"
    )


def test_every_file_is_written_with_its_hash(program, tmp_path):
    """The SHA-256 that is printed is that of the file, and all six files are there."""
    take_three(program, {OWA: vdir("Owa", CalendarEnabled=False)}, {OWA: vdir("Owa")})
    answer, _ = planned(program, tmp_path)
    folder = tmp_path / "out"
    assert tuple(sorted(file.name for file in folder.iterdir())) == FILES
    for file in folder.iterdir():
        assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}\n" in answer.out


def test_files_that_exist_are_not_written_over(program, tmp_path):
    """A folder that holds a plan already is left as it is, unless --force says so."""
    take_three(program, {OWA: vdir("Owa", CalendarEnabled=False)}, {OWA: vdir("Owa")})
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "plan.json").write_text("mine")
    answer = program.run("replay", "EX01", "-o", folder)
    assert (answer.code, answer.out, answer.err) == (
        2,
        "",
        (
            f"error: {folder}: plan.json exists already; nothing was written\n"
            "hint: choose another folder, or --force writes over it\n"
        ),
    )
    assert [file.name for file in folder.iterdir()] == ["plan.json"]
    assert (folder / "plan.json").read_text() == "mine"


def test_without_a_wanted_state_there_is_no_plan(program, tmp_path):
    """No baseline and no rebuild: exit 2, and what to say."""
    program.take(AT, {OWA: vdir("Owa")})
    answer = program.run("replay", "EX01", "-o", tmp_path / "out")
    assert (answer.code, answer.out, answer.err) == (
        2,
        "",
        (
            "error: EX01: has no baseline, and no rebuild of it was seen, so nothing says what is"
            " wanted\nhint: say it with --to TIME, or set one with: changelog-tracker baseline set"
            " EX01\n"
        ),
    )
    assert not (tmp_path / "out").exists()


def test_without_a_snapshot_after_recovery_the_defaults_are_assumed(program, tmp_path):
    """The plan says so, and holds what the log and the defaults know of customisations."""
    program.take(AT, {OWA: vdir("Owa")})
    program.take(CUSTOM, {OWA: vdir("Owa", CalendarEnabled=False)})
    program.run("baseline", "set", "EX01")
    answer, plan = planned(program, tmp_path)
    assert plan["assumed"] is True
    assert "found:  assumed: " in answer.out
    wanted = [title for *_, title, _ in shapes(plan)]
    assert "OwaVirtualDirectory[owa (Default Web Site)].CalendarEnabled" in wanted


def test_the_root_redirect_and_its_children_are_one_step_children_first(program, tmp_path):
    """`s001.1` and the like: the children say no before the root says yes."""
    redirect = "<httpRedirect {} /></system.webServer></location>"
    place = '<location path="Default Web Site{}"><system.webServer>'
    extra = place.format("") + redirect.format(
        'enabled="true" destination="https://mail.contoso.com/owa" childOnly="true"'
    )
    for child in ("/owa", "/PowerShell"):
        extra += place.format(child) + redirect.format('enabled="false" destination=""')
    take_three(program, {IIS: iis(extra=extra)}, {IIS: iis()})
    _, plan = planned(program, tmp_path)
    assert [(step["id"], step["target"]["location"], step["needs"]) for step in plan["steps"]] == [
        ("s001.1", "Default Web Site/owa", []),
        ("s001.2", "Default Web Site/PowerShell", []),
        ("s001.3", "Default Web Site", ["s001.1", "s001.2"]),
    ]


def test_what_is_not_put_back_by_itself(request, program, tmp_path):
    """A script in a URL, a rejected change, an undocumented one and a weaker one, as files."""
    good = "https://mail.contoso.com/"
    strong = '<access sslFlags="Ssl, Ssl128" />'
    extended = (
        '<location path="Default Web Site/owa"><system.webServer><security>{}<authentication>'
        '<windowsAuthentication enabled="false"><extendedProtection tokenChecking="{}" />'
        "</windowsAuthentication></authentication></security></system.webServer></location>"
    )
    customised = {
        OWA: vdir("Owa", ExternalUrl=f"{good}owa", CalendarEnabled=False, TasksEnabled=False),
        ECP: vdir("Ecp", ExternalUrl=f"{good}ecp"),
        OAB: vdir("Oab", ExternalUrl=f"{good}<script>alert(1)</script>"),
        IIS: iis(extra=extended.format(strong, "None")),
    }
    lost = {
        OWA: vdir("Owa", CalendarEnabled=True, TasksEnabled=True),
        ECP: vdir("Ecp"),
        OAB: vdir("Oab"),
        IIS: iis(extra=extended.format(strong, "Require")),
    }
    take_three(program, customised, lost)
    made = [line for line in program.log() if line["seen"] == CUSTOM]
    ids = {line["setting"] + line["kind"]: line["id"] for line in made}
    documented = [value for name, value in ids.items() if not name.startswith("Tasks")]
    program.run("document", *documented, "--reason", "as designed")
    reject(program, ids["CalendarEnabledOwaVirtualDirectory"])
    answer, plan = planned(program, tmp_path)
    assert [(one["reason"], one["kind"], one["setting"]) for one in plan["by_hand"]] == [
        ("compromise", "OabVirtualDirectory", "ExternalUrl"),
        ("rejected", "OwaVirtualDirectory", "CalendarEnabled"),
    ]
    told = [(s["group"], s["kind"], s["setting"], s["weaker"]) for s in plan["steps"]]
    assert told == [
        ("exchange", "EcpVirtualDirectory", "ExternalUrl", None),
        ("exchange", "OwaVirtualDirectory", "ExternalUrl", None),
        ("undocumented", "OwaVirtualDirectory", "TasksEnabled", None),
        ("extended-protection", "IisSection", "extendedProtection.tokenChecking",
         "Extended Protection"),
    ]  # fmt: skip
    assert answer.err == (
        "warning: OabVirtualDirectory[oab (Default Web Site)].ExternalUrl: possible compromise:"
        " a URL with a script or with characters that no URL has; it is never put back by a"
        " command\n"
    )
    _, documented_only = planned(program, tmp_path, "--documented-only")
    assert [s["setting"] for s in documented_only["steps"]] == [
        "ExternalUrl", "ExternalUrl", "extendedProtection.tokenChecking",
    ]  # fmt: skip
    steps = (tmp_path / "out" / "replay.ps1").read_bytes().decode("ascii")
    steps = steps.partition("$Steps = @()")[2].replace("\r\n", "\n")
    assert "alert(1)" not in steps
    planned(program, tmp_path)
    for name in ("plan.json", "manual.md"):
        compare_with_case(request, "suspicious", name, (tmp_path / "out" / name).read_text())
    compare_with_case(request, "suspicious", "steps.ps1", steps)


def exchange_server(server):
    fqdn = f"{server.lower()}.contoso.com"
    own = {"Identity": server, "Name": server, "Fqdn": fqdn, "Domain": "contoso.com"}
    return clixml("Microsoft.Exchange.Data.Directory.Management.ExchangeServer", own)


def of(server, **settings):
    own = {"InternalUrl": f"https://{server.lower()}.contoso.com/owa", **settings}
    return {OWA: vdir("Owa", server=server, **own), SERVER: exchange_server(server)}


def test_a_new_member_of_the_farm_gets_its_own_names(program, tmp_path):
    """--as EX02: what is EX01's own is EX02's own there, the rest as on EX01."""
    farm = {"ExternalUrl": "https://mail.contoso.com/owa", "LogonFormat": "UserName"}
    program.take(AT, of("EX01", **farm))
    program.take(AT, of("EX02", LogonFormat="FullDomain"), server="EX02")
    program.run("baseline", "set", "EX01")
    answer, plan = planned(program, tmp_path, "--as", "EX02")
    assert (plan["server"], plan["target"], plan["by_hand"]) == ("EX01", "EX02", [])
    assert [(s["setting"], s["target"]["identity"]) for s in plan["steps"]] == [
        ("ExternalUrl", r"EX02\owa (Default Web Site)"),
        ("LogonFormat", r"EX02\owa (Default Web Site)"),
    ]
    assert answer.out.startswith("plan for EX02 like EX01: Exchange 2019 build 15.2.1118.7\n")


def test_a_plan_never_crosses_versions(program, tmp_path):
    """Another major version takes other parameters: exit 2, and no file."""
    program.take(AT, of("EX01"))
    program.take(AT, of("EX02"), server="EX02", build="15.1.2507.12")
    program.run("baseline", "set", "EX01")
    answer = program.run("replay", "EX01", "--as", "EX02", "-o", tmp_path / "out")
    assert (answer.code, answer.err) == (
        2,
        "error: --as: EX01 is Exchange 2019, EX02 is 2016; expected the same version\n",
    )
    assert not (tmp_path / "out").exists()
