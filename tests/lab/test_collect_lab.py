"""collect.ps1 runs for real in the lab: the very file that a user carries to a server."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil

import pytest
from collecting import AT, CONFIG, INSTALL, MARKER, Collected, entries, program, readings, settings
from syntax import findings

from changelog_tracker.collect.bootstrap import payload, text
from changelog_tracker.collect.script import collector

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH to run scripts in"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An untouched server, its offline bundle and what the run said."""
    one = Collected(tmp_path_factory.mktemp("whole"))
    out = one.folder / "offline"
    one.answer = one.run("-Out", str(out))
    one.bundle = out
    one.manifest = json.loads((out / "bundle.json").read_text("ascii"))
    one.listed = one.frame("-Mode", "list")
    return one


@pytest.fixture
def server(tmp_path):
    """An untouched server to break."""
    return Collected(tmp_path)


def test_the_script_holds_nothing_that_powershell_2_does_not_know(tmp_path):
    """Every command of it is allowed, and only reads."""
    script = tmp_path / "collect.ps1"
    script.write_text(collector(), encoding="ascii", newline="")
    assert findings([script], "2019", "2.0") == []


def test_a_bundle_tells_the_same_as_the_server(whole, tmp_path):
    """Imported with exit code 0, every setting is what the lab's own export says."""
    assert (whole.answer.code, whole.answer.err) == (0, ""), whole.answer.out
    code, _, err = program(tmp_path / "a.db", "import", whole.bundle)
    assert (code, "error" in err) == (0, False), err
    other = whole.lab.snapshot(tmp_path / "other", AT)
    assert program(tmp_path / "b.db", "import", other)[0] == 0
    wanted, found = settings(tmp_path / "b.db"), settings(tmp_path / "a.db")
    # The lab's ExSetup.exe is empty; its own bundle says nothing of Windows' parts.
    del wanted["ExchangeServer", "(server)", "ExSetupBuild"]
    more = {"IisSchemaFiles", "PowerShellVersion", "UrlRewriteVersion", "WindowsFeatures"}
    assert {key: value for key, value in found.items() if key[2] not in more} == wanted


def test_the_zip_holds_the_same(whole, tmp_path):
    """It is the same bundle: already known after the folder."""
    program(tmp_path / "a.db", "import", whole.bundle)
    code, out, _ = program(tmp_path / "a.db", "import", whole.bundle.with_suffix(".zip"))
    assert (code, "already known" in out) == (0, True)


def test_the_manifest_says_what_the_server_is(whole):
    """Names, builds and times; what was looked for and is not there is absent."""
    manifest, machine = whole.manifest, whole.lab.machine
    assert manifest["exchange"] == {
        "version": "2019",
        "build": "15.2.1118.7",
        "exsetup": None,
        "admin_display_version": "Version 15.2 (Build 1118.7)",
        "install_path": machine.install,
        "shell": "RemoteExchange.ps1",
    }
    windows = {"build": "10.0.17763", "system_root": "C:\\Windows", "powershell": "5.1"}
    windows |= {"install_date": machine.created, "machine_sid": machine.sid}
    assert windows.items() <= manifest["windows"].items()
    assert (manifest["server"], manifest["time_zone"]) == ("EX01", "W. Europe Standard Time")
    absent = readings(manifest, "absent")
    assert {
        f"{CONFIG}/administration.config",
        "files/C/inetpub/wwwroot/web.config",
        f"{INSTALL}/FrontEnd/HttpProxy/OAB/web.config",
        "files/C/Windows/Microsoft.NET/Framework64/v4.0.30319/Config/machine.config",
    } <= set(absent)
    assert f"{INSTALL}/ClientAccess/PopImap/Microsoft.Exchange.Pop3.exe.config" in readings(
        manifest, "read"
    )


def test_a_frame_holds_what_the_folder_holds(whole):
    """The same entries, each with the same bytes where nothing tells the time."""
    code, held = whole.frame()
    on_disk = {
        file.relative_to(whole.bundle).as_posix(): file.read_bytes()
        for file in whole.bundle.rglob("*")
        if file.is_file()
    }
    assert (code, set(held), list(held)[-1]) == (0, set(on_disk), "bundle.json")
    for path, data in on_disk.items():
        if path.startswith(("files/", "windows/")):
            assert held[path] == data, path


def test_a_list_and_a_fetch_bring_the_same_bytes(whole):
    """The list leaves files out, tells their hashes; a fetch brings those that are asked for."""
    code, held = whole.listed
    manifest = json.loads(held["bundle.json"])
    read = {one["file"]: one["sha256"] for one in manifest["readings"] if one["status"] == "read"}
    later = {path for path in read if path.startswith("files/") or "FileEntry" in path}
    assert (code, later & set(held), set(read) - later - set(held)) == (0, set(), set())
    wanted = [*sorted(later)[::2], f"{INSTALL}/ClientAccess/none.config"]
    sent = base64.b64encode("\n".join(wanted).encode()).decode()
    code, fetched = whole.frame("-Mode", "fetch", "-Fetch", sent)
    answered = json.loads(fetched["bundle.json"])["readings"]
    assert code == 4
    assert {one["file"]: one["status"] for one in answered} == {
        path: "read" if path in later else "unread" for path in wanted
    }
    assert set(fetched) == {*wanted[:-1], "bundle.json"}
    for path in wanted[:-1]:
        assert hashlib.sha256(fetched[path]).hexdigest() == read[path]


def test_a_fetch_gives_no_file_that_a_list_would_not_name(server):
    """Neither outside the folders nor by climbing out of them."""
    (server.lab.c / "secret.config").write_text("<configuration />")
    paths = ["files/C/secret.config", f"{INSTALL}/ClientAccess/../../../../secret.config"]
    sent = base64.b64encode("\n".join(paths).encode()).decode()
    code, held = server.frame("-Mode", "fetch", "-Fetch", sent)
    statuses = [one["status"] for one in json.loads(held["bundle.json"])["readings"]]
    assert (code, set(held), statuses) == (4, {"bundle.json"}, ["unread"] * 2)
    sent = base64.b64encode(b"C:/secret.config").decode()
    code, held = server.frame("-Mode", "fetch", "-Fetch", sent)
    assert (code, json.loads(held["refused.json"])["code"]) == (2, "usage")


def test_over_the_network_nothing_is_written(server):
    """Neither beside the script nor below C:, with -Frame."""

    def files():
        own = {"calls.txt", "functions.ps1", "run.ps1", "state.json"}
        return {
            file: file.read_bytes()
            for file in server.folder.rglob("*")
            if file.is_file() and file.name not in own
        }

    before = files()
    code, _ = server.frame("-Mode", "list")
    assert (code, files() == before, server.lab.writes()) == (0, True, [])


def test_the_bootstrap_runs_it(server):
    """As over WinRS: the script over standard input, arguments beside it."""
    sent = server.folder / "input.txt"
    sent.write_bytes(payload(collector(), {"Frame": MARKER, "Mode": "list", "NoExchange": "true"}))
    wrapper = server.folder / "wrapper.ps1"
    wrapper.write_text(f"[IO.File]::ReadAllLines('{sent}') | & {{\n{text()}\n}}\n")
    answer = server.lab.run(wrapper)
    manifest = json.loads(entries(answer.out)["bundle.json"])
    assert (answer.code, answer.err) == (0, "")
    assert not [one for one in manifest["readings"] if one["kind"].endswith("VirtualDirectory")]
    assert f"{CONFIG}/applicationHost.config" in readings(manifest, "read")


def test_one_failing_cmdlet_is_one_unread_kind(server, tmp_path):
    """Its reason is there; everything else is read; the import says so and keeps the rest."""
    server.lab.break_("failing", "Get-PopSettings")
    manifest, answer = server.offline()
    unread = {"exchange/PopSettings.clixml": "Active Directory isn't available."}
    assert (answer.code, readings(manifest, "unread")) == (4, unread)
    assert "Not read: PopSettings: Active Directory isn't available." in answer.out
    code, _, err = program(tmp_path / "a.db", "import", server.folder / "bundle")
    assert (code, "Active Directory isn't available" in err) == (4, True)


def test_what_rights_hide_is_unread(server):
    """It names the cmdlet that no role brings."""
    server.lab.break_("hidden", "Get-EcpVirtualDirectory")
    manifest, answer = server.offline()
    assert (answer.code, readings(manifest, "unread")) == (
        4,
        {"exchange/EcpVirtualDirectory.clixml": "no role of yours brings Get-EcpVirtualDirectory"},
    )


def test_without_a_shell_everything_else_is_read(server):
    """One line for all kinds of Exchange, with what to do; -AllowSnapin is one way out."""
    server.lab.break_("no-shell")
    manifest, answer = server.offline()
    unread = readings(manifest, "unread")
    assert (answer.code, len(unread), len(set(unread.values()))) == (4, 18, 1)
    assert "-AllowSnapin" in next(iter(unread.values()))
    assert len([line for line in answer.out.splitlines() if "Not read:" in line]) == 1
    manifest, answer = server.offline("-AllowSnapin")
    assert (answer.code, "snap-in" in manifest["exchange"]["shell"]) == (0, True)


def test_another_servers_shell_answers(server):
    """-ExchangeServer takes it."""
    server.lab.break_("no-endpoint")
    manifest, answer = server.offline("-ExchangeServer", "ex02.contoso.com")
    assert (answer.code, manifest["exchange"]["shell"]) == (
        0,
        "http://ex02.contoso.com/PowerShell/",
    )


def test_where_iis_does_not_answer_active_directory_does(server):
    """The mode says so, with the reason."""
    server.lab.break_("iis-refused", "Get-OwaVirtualDirectory")
    manifest, answer = server.offline()
    owa = next(one for one in manifest["readings"] if one["kind"] == "OwaVirtualDirectory")
    assert (answer.code, owa["status"], owa["mode"]) == (0, "read", "ad-only")
    assert owa["reason"].startswith("IIS did not answer the full reading: An IIS directory entry")
    assert "In part:  OwaVirtualDirectory: IIS did not answer" in answer.out


REFUSED = {
    "setup-running": "setup-runs",
    "watermark": "setup-unfinished",
    "x86": "32-bit",
    "version": "not-exchange",
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses_to_start(server, what):
    """Setup runs or is half done, the wrong PowerShell, no Exchange: one line, and nothing made."""
    server.lab.break_(what, *([12] if what == "version" else []))
    answer = server.run("-Out", str(server.folder / "bundle"))
    said = answer.out.splitlines()
    assert (answer.code, answer.err, said[-1]) == (1, "", "Nothing was read.")
    assert said[0].startswith("refused: ")
    assert not (server.folder / "bundle").exists()
    code, held = server.frame("-Mode", "list")
    assert (code, set(held)) == (1, {"refused.json"})
    told = json.loads(held["refused.json"])
    assert (told["code"], f"refused: {told['reason']}") == (REFUSED[what], said[0])
    assert said[1].strip() == told["hint"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-Mode", "list"), "-Mode goes with -Frame"),
        (("-Frame", "short"), "-Frame takes 32 hexadecimal digits"),
        (("-Since", "yesterday"), "-Since takes a time as 2026-11-22T10:00:00Z"),
        (("-ExchangeServer", "a b"), "-ExchangeServer is not the name of a computer"),
    ],
)
def test_a_wrong_parameter_is_named(server, arguments, told):
    """One line, exit code 2, and nothing read."""
    answer = server.run(*arguments)
    assert (answer.code, answer.out, answer.err.strip()) == (2, "", f"error: {told}")


def test_a_folder_that_is_there_gets_the_bundle_in_it(server):
    """What lies there stays; a file of that name is refused."""
    mine = server.folder / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("x")
    answer = server.run("-Out", str(mine), "-NoExchange", "-NoEvidence", "-NoManifest")
    made = sorted(file.name for file in mine.iterdir() if file.name != "letter.txt")
    assert (answer.code, len(made), made[1]) == (0, 2, f"{made[0]}.zip")
    assert made[0].startswith("changelog-EX01-2")
    answer = server.run("-Out", str(mine / "letter.txt"), "-NoExchange")
    assert (answer.code, "is a file, and the bundle is a folder" in answer.err) == (1, True)
    assert (mine / "letter.txt").read_text() == "x"


def test_who_is_no_administrator_is_told(server):
    """A note; what can be read is read."""
    server.lab.break_("not-elevated")
    manifest, answer = server.offline("-NoExchange", "-NoEvidence")
    assert (answer.code, "Note: this is not elevated" in answer.out) == (0, True)
    assert f"{CONFIG}/applicationHost.config" in readings(manifest, "read")
