"""Bad input: one line of error, an exit code, and nothing stored that should not be."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bundles import (
    ECP,
    IIS,
    OWA,
    Program,
    bundle,
    clixml,
    iis,
    in_a_child,
    manifest,
    rows,
    vdir,
    web,
    write,
    zipped,
)

DAY = "2026-11-01T10:00:00Z"
MOST_SECONDS = 5
MOST_MB = 400
NAMESPACE = 'xmlns="http://schemas.microsoft.com/powershell/2004/04"'
LAUGHS = "".join(
    f'<!ENTITY {name} "{f"&{below};" * 10}">' for below, name in itertools.pairwise("abcdefghi")
)
IIS_HINT = "take the file again, or export it again"
CLIXML_HINT = "export it again with Export-Clixml"
UTF8_HINT = "save it again as UTF-8, or export it again"
KIND_HINT = "give an Export-Clixml file, applicationHost.config, web.config or a bundle"
CHANGED_HINT = "it was changed or damaged after it was made; make the bundle again on the server"
ZIP_HINT = "unpack it yourself, look at what is in it, and import the folder"


def objs(inside: str) -> bytes:
    return f"<Objs {NAMESPACE}>{inside}</Objs>".encode()


# One bad file: its name, its bytes, what the error says after its name, and the hint.
BAD_FILES = {
    "truncated export": ("Owa.clixml", vdir("Owa")[:-200], "not well-formed XML", IIS_HINT),
    "truncated configuration": ("a.config", iis()[:400], "not well-formed XML", IIS_HINT),
    "wrong root": ("a.config", b"<settings/>", "its root is not <configuration>", None),
    "no namespace": ("a.clixml", b"<Objs><S>1</S></Objs>", "expected ", None),
    "DTD": (
        "a.config",
        b'<!DOCTYPE configuration SYSTEM "http://contoso.com/a.dtd"><configuration/>',
        "has a DOCTYPE",
        None,
    ),
    "billion laughs": (
        "a.config",
        f'<!DOCTYPE configuration [<!ENTITY a "ha">{LAUGHS}]>'
        "<configuration><a>&i;</a></configuration>".encode(),
        "Maximum entity amplification factor exceeded",
        IIS_HINT,
    ),
    "entity of another file": (
        "a.config",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><configuration>&x;</configuration>',
        "has a DOCTYPE",
        None,
    ),
    "UTF-16 without mark": (
        "a.config",
        '<?xml version="1.0" encoding="utf-16"?><configuration/>'.encode("utf-16-le"),
        "looks like UTF-16 without a byte order mark",
        UTF8_HINT,
    ),
    "UTF-16 export without mark": (
        "Owa.clixml",
        vdir("Owa").decode("utf-8-sig").encode("utf-16-be"),
        "looks like UTF-16 without a byte order mark",
        UTF8_HINT,
    ),
    "UTF-16 cut in a character": (
        "Owa.clixml",
        b"\xff\xfe" + vdir("Owa").decode("utf-8-sig").encode("utf-16-le")[:301],
        "not well-formed XML",
        IIS_HINT,
    ),
    "10,000 levels": (
        "a.config",
        b"<configuration>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</configuration>",
        "Excessive depth",
        IIS_HINT,
    ),
    "10,000 levels of objects": (
        "a.clixml",
        objs("<Obj><LST>" * 10_000 + "</LST></Obj>" * 10_000),
        "Excessive depth",
        IIS_HINT,
    ),
    "120 levels of objects": (
        "a.clixml",
        objs("<Obj><LST>" * 120 + "</LST></Obj>" * 120),
        "objects lie more than 100 levels deep",
        CLIXML_HINT,
    ),
    "a million open tags": (
        "a.config",
        b"<configuration>" + b"<a>" * 1_000_000,
        "has 1,000,001 tags; at most 400,000 are read",
        None,
    ),
    "reference to nothing": ("a.clixml", objs('<Ref RefId="7"/>'), "Ref refers to", CLIXML_HINT),
    "no number": ("a.clixml", objs("<I32>x</I32>"), "I32 holds a value", CLIXML_HINT),
    "5,000 digits": ("a.clixml", objs(f"<I32>{'9' * 5000}</I32>"), "I32 holds", CLIXML_HINT),
    "unknown encoding": (
        "a.config",
        b'<?xml version="1.0" encoding="klingon"?><configuration/>',
        "Unsupported encoding",
        IIS_HINT,
    ),
    "not UTF-8": ("a.config", b"<configuration a='\xe9'/>", "not well-formed XML", IIS_HINT),
    "an attribute twice": (
        "a.config",
        b"<configuration a='1' a='2'/>",
        "Attribute a redefined",
        IIS_HINT,
    ),
    "11 MB in one value": (
        "a.config",
        b"<configuration a='" + b"x" * 11_000_000 + b"'/>",
        "not well-formed XML",
        IIS_HINT,
    ),
    "70 MB of XML": (
        "a.config",
        b"<configuration>" + b"<a/>" * 100_000 + b" " * 70_000_000 + b"</configuration>",
        "70,400,031 bytes of XML",
        None,
    ),
}
# What is no XML at all: as PATH itself it is not even known what it should have been.
JUNK = {
    "binary junk": random.Random(7).randbytes(100_000),
    "every byte": bytes(range(256)),
    "nothing": b"",
    "zeros": b"\0" * 1000,
    "white space": b" \r\n\t ",
    "words": b"hello",
}


# What a store without anything in it holds.
SCHEMA = {"alembic_version", "dictionary"}


def refused(program: Program, *arguments: object, code: int = 1) -> tuple[str, str | None]:
    """Error and hint of a command that fails, prints nothing else and stores nothing."""
    before = rows(program.store)
    answer = program.run(*arguments)
    assert (answer.code, answer.out) == (code, "")
    after = rows(program.store)
    # A new store may have been made, but only its schema is in it.
    assert {k: v for k, v in after.items() if v and k not in SCHEMA} == {
        k: v for k, v in before.items() if v and k not in SCHEMA
    }
    error, *hints = answer.err.splitlines()
    assert error.startswith("error: ")
    assert all(hint.startswith("hint: ") for hint in hints)
    assert len(hints) <= 1
    assert answer.err.replace("\n", "").isprintable()
    return error.removeprefix("error: "), hints[0].removeprefix("hint: ") if hints else None


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


@pytest.mark.parametrize("case", BAD_FILES)
def test_path_itself_one_bad_file_is_refused(program, tmp_path, case):
    """PATH that is one bad file is an error of one line that names it; nothing is stored."""
    name, data, what, hint = BAD_FILES[case]
    (tmp_path / name).write_bytes(data)
    error, hinted = refused(program, "import", "--server", "EX01", tmp_path / name)
    assert (name in error, what in error, hinted) == (True, True, hint)


@pytest.mark.parametrize("case", BAD_FILES)
def test_one_bad_file_in_a_folder_is_unread(program, tmp_path, case):
    """One bad file in a folder is said, with the same words; the rest is kept."""
    name, data, what, hint = BAD_FILES[case]
    folder = write(tmp_path / "in", {ECP: vdir("Ecp"), name: data})
    answer = program.run("import", folder, "--at", DAY, "--build", "15.2.1118.7")
    error, *rest = answer.err.splitlines()
    assert (answer.code, error.startswith(f"error: {name}"), what in error) == (4, True, True)
    assert rest == ([f"hint: {hint}"] if hint else [])
    assert answer.out.splitlines()[1:] == [
        "first snapshot: there is nothing to compare it with yet",
        "incomplete: 1 file or kind could not be read, and stays as it was known",
    ]
    shown = program.run("show", "EX01", "EcpVirtualDirectory[*].Server", "--json").lines
    assert [line["value"] for line in shown] == ["EX01"]


@pytest.mark.parametrize("case", JUNK)
@pytest.mark.parametrize("name", ["a.config", "a.clixml", "a.xml", "a.txt", "a"])
def test_junk_is_refused(program, tmp_path, case, name):
    """What is neither XML nor zip is refused, whatever it is called."""
    (tmp_path / name).write_bytes(JUNK[case])
    found = refused(program, "import", "--server", "EX01", tmp_path / name)
    what = "is neither CLIXML, nor a configuration file, nor a bundle"
    assert found == (f"{name}: {what}", KIND_HINT)


@pytest.mark.parametrize("case", JUNK)
def test_junk_in_a_folder_is_unread_by_its_name(program, tmp_path, case):
    """Junk called web.config is an unread file; junk called notes.txt is not used."""
    folder = write(tmp_path / "in", {OWA: vdir("Owa"), "notes.txt": JUNK[case]})
    assert program.run("import", folder, "--at", "2026-11-01").code == 0
    write(folder, {"web.config": JUNK[case]})
    assert program.run("import", folder, "--at", "2026-11-02").code == 4
    assert program.changes() == []


def test_a_file_with_another_ending_is_known_by_its_content(program, tmp_path):
    """An export called .txt is an export."""
    folder = write(tmp_path / "in", {"owa.txt": vdir("Owa"), "apphost.bak": iis()})
    assert program.run("import", folder).code == 0
    assert len(program.run("show", "EX01", "OwaVirtualDirectory[*].Server", "--json").lines) == 1
    assert len(program.run("show", "EX01", "IisSite[*].id", "--json").lines) == 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells the memory")
def test_bad_input_costs_little(tmp_path):
    """No bad file takes more than 5 s, and all of them together no more than 400 MB."""
    commands = []
    for number, (name, data, _, _) in enumerate(BAD_FILES.values()):
        file = write(tmp_path / str(number), {name: data}) / name
        commands.append(["--store", tmp_path / "a.db", "import", "--server", "EX01", file])
    bomb = zipped(tmp_path / "bomb.zip", {"web.config": b"\0" * 300_000_000})
    commands.append(["--store", tmp_path / "a.db", "import", bomb])
    answers, peak_mb = in_a_child(commands, 60)
    assert [answer.code for answer, _ in answers] == [1] * len(commands)
    assert max(seconds for _, seconds in answers) < MOST_SECONDS
    assert peak_mb < MOST_MB


SLOW = {
    "recognise: comments before no root": ("a.config", b"<!-- a -->\n" * 40 + b"oops"),
    "recognise: type names": ("a.clixml", b"<Objs>" + b"<TN>" * 16_000),
    "secrets: a trace in every byte": (
        "a.config",
        b"<configuration><a>" + b"@" * 500_000 + b"</a></configuration>",
    ),
    "secrets: 30,000 of them": (
        "a.config",
        b"<configuration>" + b'<add key="password" value="x"/>' * 30_000 + b"</configuration>",
    ),
    "secrets: open comments": ("a.config", b"<configuration>" + b"<!--@" * 100_000),
    "secrets: closed comments": (
        "a.config",
        b"<configuration>" + b"<!--password=a-->" * 30_000 + b"</configuration>",
    ),
    "100,000 elements": (
        "a.config",
        b"<configuration>" + b'<a b="c"/>' * 100_000 + b"</configuration>",
    ),
}


@pytest.mark.parametrize("case", SLOW)
def test_no_small_file_keeps_the_program_busy(tmp_path, case):
    """A file of at most 1 MB is read or refused within 5 s, whatever it repeats."""
    name, data = SLOW[case]
    (tmp_path / name).write_bytes(data)
    command = ["--store", tmp_path / "a.db", "import", "--server", "EX01", tmp_path / name]
    answers, _ = in_a_child([command], MOST_SECONDS + 1)
    assert [answer.code in {0, 1} for answer, _ in answers] == [True]
    assert answers[0][1] < MOST_SECONDS


# --- containers ---------------------------------------------------------------------------------


def test_what_is_no_file_is_refused(program, tmp_path):
    """A missing path, a device, a pipe and an empty folder are each one line; none blocks."""
    (tmp_path / "empty" / "below").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe")
    folder_hint = "give the folder or zip that holds the exports and configuration files"
    file_hint = "copy it to a file first"
    hints = {
        "missing": "give a bundle (folder or zip), a backup folder, or a file",
        "pipe": file_hint,
        "empty": folder_hint,
    }
    whats = {
        "missing": "there is no such file or folder",
        "pipe": "expected a folder, a zip or a file",
        "empty": "holds no files",
    }
    for name, what in whats.items():
        place = tmp_path / name
        assert refused(program, "import", place) == (f"{place}: {what}", hints[name])
    for device in ("/dev/zero", "/dev/null"):
        found = refused(program, "import", device)
        assert found == (f"{device}: expected a folder, a zip or a file", file_hint)


def test_a_folder_that_leads_out_is_refused(program, tmp_path):
    """A link or a pipe inside a folder is refused: nobody knows what lies behind it."""
    linked = write(tmp_path / "linked", {OWA: vdir("Owa")})
    (linked / "web.config").symlink_to("/etc/passwd")
    piped = write(tmp_path / "piped", {OWA: vdir("Owa")})
    os.mkfifo(piped / "web.config")
    assert refused(program, "import", linked)[0] == f"{linked}: web.config: a symbolic link"
    what = "web.config: neither a file nor a folder"
    assert refused(program, "import", piped)[0] == f"{piped}: {what}"


ZIPS = {
    "climbs": ("../a.config", "../a.config: the name leads out of its folder"),
    "climbs on Windows": ("..\\a.config", "..\\a.config: the name leads out of its folder"),
    "climbs inside": ("a/../../b", "a/../../b: the name leads out of its folder"),
    "absolute": ("/etc/a.config", "/etc/a.config: the name is absolute"),
    "a share": ("\\\\srv\\a", "\\\\srv\\a: the name is absolute"),
    "a drive": ("C:\\a.config", "C:\\a.config: the name starts with a drive letter"),
    "a stream": ("a.config:b", "a.config:b: the name holds a colon"),
    "escape codes": ("\x1b[31m", "\\x1b[31m: the name holds a control character"),
}


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_with_a_hostile_name_is_refused(program, tmp_path, case):
    """No name in a zip leads out of its folder or sends anything to a terminal."""
    name, what = ZIPS[case]
    file = zipped(tmp_path / "a.zip", {name: iis(), OWA: vdir("Owa")})
    assert refused(program, "import", file) == (f"{file}: {what}", ZIP_HINT)


def test_other_hostile_zips_are_refused(program, tmp_path):
    """A link, a bomb, a name twice, a cut zip and what is only called zip are each one line."""
    link = zipfile.ZipInfo("web.config")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    zipped(tmp_path / "bomb.zip", {"web.config": b"\0" * 50_000_000})
    zipped(tmp_path / "case.zip", {"a.config": b"<a/>", "A.config": b"<b/>"})
    whole = zipped(tmp_path / "whole.zip", {OWA: vdir("Owa")}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-10])
    (tmp_path / "words.zip").write_bytes(b"hello")
    zipped(tmp_path / "none.zip", {})
    said = {
        "link.zip": "web.config: a link",
        "bomb.zip": "unpacks to more than 200 times its size, as a zip bomb does",
        "case.zip": "A.config: differs from a.config in case only",
        "cut.zip": "a damaged zip: File is not a zip file",
        "words.zip": "not a zip, though its name says so",
        "none.zip": "holds no files",
    }
    for name, what in said.items():
        file = tmp_path / name
        assert refused(program, "import", file)[0] == f"{file}: {what}"


@pytest.mark.parametrize("server", [[], ["--server", "EX01"]])
def test_nothing_recognised_is_refused(program, tmp_path, server):
    """A folder, zip or file with nothing to read in it is a mistake, not a snapshot."""
    folder = write(tmp_path / "in", {"notes.txt": b"hello", "a/readme.md": b"# hello"})
    file = zipped(tmp_path / "a.zip", {"notes.txt": b"hello"})
    (tmp_path / "a.clixml").write_bytes(clixml("System.String"))
    for path in (folder, file, tmp_path / "a.clixml"):
        error, _ = refused(program, "import", path, *server)
        assert error.startswith(f"{path}: nothing in it was recognised")


# --- whose and when -----------------------------------------------------------------------------


def test_two_servers_have_to_be_told_apart(program, tmp_path):
    """Exports of two servers need --server; the other one's objects are left out."""
    folder = write(tmp_path / "in", {OWA: vdir("Owa"), ECP: vdir("Ecp", server="EX02")})
    assert refused(program, "import", folder) == (
        f"{folder}: holds exports of 2 servers: EX01, EX02",
        "say which one with --server NAME",
    )
    assert refused(program, "import", folder, "--server", "EX03")[0] == (
        f"{folder}: its exports are of EX01, EX02, but the server is said to be EX03"
    )
    answer = program.run("import", folder, "--server", "ex02.contoso.com", "--build", "15.2.1118.7")
    assert (answer.code, answer.err) == (0, "note: objects of other servers were left out: EX01\n")
    shown = program.run("show", "EX02", "*VirtualDirectory[*].Server", "--json").lines
    assert [line["value"] for line in shown if "value" in line] == ["EX02"]


def test_a_server_has_to_be_named(program, tmp_path):
    """Where nothing says whose files these are, nothing is guessed."""
    folder = write(tmp_path / "in", {IIS: iis()})
    what = "nothing in it says which server it is of"
    assert refused(program, "import", folder) == (
        f"{folder}: {what}",
        "say it with --server NAME",
    )
    answer = program.run("import", folder, "--server", "EX01")
    note = "note: EX01: no build was found, so its defaults are unknown; give it with --build\n"
    assert (answer.code, answer.err) == (0, note)


def test_a_bundle_of_another_server_is_refused(program, tmp_path):
    """What bundle.json says, --server and the exports must agree."""
    one = bundle(tmp_path / "one", DAY, {OWA: vdir("Owa")})
    two = bundle(tmp_path / "two", DAY, {OWA: vdir("Owa", server="EX09")})
    assert refused(program, "import", one, "--server", "EX02") == (
        f"{one}: is a bundle of EX01, but --server says EX02",
        "leave --server out",
    )
    assert refused(program, "import", two)[0] == (
        f"{two}: its exports are of EX09, but the server is said to be EX01"
    )


def test_another_content_of_the_same_time_is_refused(program, tmp_path):
    """One server has one state at one moment."""
    assert program.take(DAY, {OWA: vdir("Owa")}).code == 0
    other = bundle(tmp_path / "other", DAY, {OWA: vdir("Owa", LogonFormat="UserName")})
    assert refused(program, "import", other) == (
        f"{other}: EX01 already has a snapshot of {DAY} with other content",
        "give the time at which this one was taken with --at",
    )


def test_a_time_in_the_future_is_refused(program, tmp_path):
    """A server's clock that runs ahead would put its changes after everything that follows."""
    ahead = bundle(tmp_path / "ahead", "2236-11-01T10:00:00Z", {OWA: vdir("Owa")})
    error, hint = refused(program, "import", ahead)
    said = f"{ahead}: its time 2236-11-01T10:00:00Z lies ahead of this machine's clock ("
    assert error.startswith(said)
    assert hint == "set the clock right, or give the time with --at"
    assert program.run("import", ahead, "--at", DAY).code == 0


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *(("--at", text) for text in ("", "now", "2026-13-01", "2026-02-30", "-1", "12", "9" * 20)),
        *(("--build", text) for text in ("", "new", "15", "15.2", "15.2.1118.7.7", "-1")),
        *(
            ("--server", text)
            for text in ("", ".contoso.com", "EX01\\owa", "a/b", "a:b", "\x1b[1m")
        ),
        ("--server", "\udc80"),
    ],
)
def test_an_option_that_means_nothing_is_a_usage_error(program, tmp_path, option, text):
    """An option that cannot be read is never passed over: exit 2, and it is named."""
    folder = write(tmp_path / "in", {IIS: iis()})
    error, _ = refused(program, "import", folder, option, text, code=2)
    assert error.startswith(f"{option}: ")


@pytest.mark.parametrize(
    "line",
    ["nosuch", "import", "log --nope", "log --format x", "--store", "db", "document 1.1"],
)
def test_a_command_line_that_cannot_be_is_exit_2(program, line):
    """A wrong command line is one line, and a hint at the help."""
    answer = program.run(*line.split())
    error, hint = answer.err.splitlines()
    assert (answer.code, answer.out) == (2, "")
    assert error.startswith("error: changelog-tracker")
    assert hint.startswith("hint: changelog-tracker")


def test_what_nobody_knows_is_a_usage_error(program, tmp_path):
    """A server, snapshot or change that is not there is said, and changes nothing."""
    program.take(DAY, {OWA: vdir("Owa")})
    for arguments in (
        ["log", "EX77"],
        ["show", "EX77"],
        ["show", "EX01", "--at", "2020-01-01"],
        ["diff", "EX01", "1", "77"],
        ["drift", "EX01"],
        ["drift", "EX01", "--against", "baseline"],
        ["baseline", "set", "EX77"],
        ["document", "99.1", "--reason", "why"],
        ["document", "x", "--reason", "why"],
        ["document", "1.1", "--reason", " "],
    ):
        refused(program, *arguments, code=2)


def test_a_file_that_may_not_be_read_is_unread(tmp_path):
    """A file without read permission: the kind is unread, the rest kept; as PATH, an error."""
    if os.geteuid() != 0:
        prefix = []
    else:
        # Root may read everything, so somebody else has to try.
        prefix = ["setpriv", "--reuid=65534", "--clear-groups"]
        tried = subprocess.run([*prefix, sys.executable, "-c", "import changelog_tracker"],
                               capture_output=True, check=False)  # fmt: skip
        if tried.returncode:
            pytest.skip("runs as root, and nobody else can run this program here")
    folder = write(tmp_path / "in", {OWA: vdir("Owa"), "web.config": web(a="1")})
    (folder / "web.config").chmod(0)
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o777)
    for place in (tmp_path, *list(tmp_path.parents)[:2]):
        place.chmod(0o755)
    command = [*prefix, sys.executable, "-m", "changelog_tracker", "--store",
               tmp_path / "store" / "changelog.db", "import", "--server", "EX01",
               "--build", "15.2.1118.7"]  # fmt: skip
    home = {**os.environ, "HOME": str(tmp_path)}
    one = subprocess.run(
        [*command, folder / "web.config"], capture_output=True, text=True, check=False, env=home
    )
    assert (one.returncode, one.stderr) == (
        1,
        f"error: {folder / 'web.config'}: cannot be read: Permission denied\n",
    )
    all_ = subprocess.run([*command, folder], capture_output=True, text=True, check=False, env=home)
    assert (all_.returncode, all_.stderr) == (4, "error: web.config: Permission denied\n")


# --- bundle.json --------------------------------------------------------------------------------


def broken(**other: object) -> str:
    found = manifest(DAY, {OWA: vdir("Owa")})
    return json.dumps({key: value for key, value in (found | other).items() if value != "-"})


def reading(**other: object) -> str:
    found = manifest(DAY, {OWA: vdir("Owa")})
    return json.dumps(found | {"readings": [found["readings"][0] | other]})


BROKEN = {
    "no JSON": ("{", "not valid JSON: line 1 column 2"),
    "no object": ("[]", "expected one JSON object"),
    "nested": ("[" * 100_000, "nested too deeply"),
    "a key twice": ('{"format": 1, "format": 1}', "the key 'format' twice in one object"),
    "half a character": ('{"server": "\\ud800"}', "not valid text"),
    "not a number": ('{"format": NaN}', "cannot be kept"),
    "no format": (broken(format="-"), "format: expected the number 1"),
    "format 2": (broken(format=2), "bundle format 2; this program reads 1"),
    "no server": (broken(server="-"), "server: expected text"),
    "server of two lines": (broken(server="EX\n01"), "server: expected the name of one server"),
    "server a path": (broken(server="..\\EX01"), "server: expected the name of one server"),
    "no time": (broken(taken_at="-"), "taken_at: expected an ISO 8601 time"),
    "local time": (broken(taken_at="2026-11-01T10:00:00"), "taken_at: expected an ISO 8601"),
    "readings no list": (broken(readings={}), "readings: expected a list"),
    "no readings": (broken(readings="-"), "readings: expected a list"),
    "status": (reading(status="maybe"), "readings[0].status: expected read or absent"),
    "mode": (reading(mode="half"), "readings[0].mode: expected full or ad-only"),
    "hash of 3 digits": (reading(sha256="abc"), "readings[0].sha256: expected 64"),
    "another hash": (reading(sha256="0" * 64), f"{OWA}: its SHA-256 is not the one"),
    "a path out": (reading(file="../../etc/passwd"), "readings[0].file: expected a path inside"),
    "a file too many": (broken(readings=[]), f"{OWA}: bundle.json does not list it"),
    "absent, yet there": (reading(status="absent"), f"{OWA}: it is there, but bundle.json says"),
    "a file too few": (
        broken(readings=[*json.loads(broken())["readings"],
                         {"kind": "x", "file": "files/a", "status": "read", "mode": "full",
                          "sha256": "0" * 64}]),
        "files/a: bundle.json lists it, but it is not there",
    ),
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_bundle_that_does_not_fit_its_list_is_refused(program, tmp_path, case, packed):
    """What is wrong with bundle.json is named; nothing of the bundle is believed."""
    listed, what = BROKEN[case]
    files = {OWA: vdir("Owa"), "bundle.json": listed.encode("utf-8", "surrogatepass")}
    path = zipped(tmp_path / "a.zip", files) if packed else write(tmp_path / "in", files)
    error, _ = refused(program, "import", path)
    assert error.startswith(f"{path}: ")
    assert what in error
