"""Which files collect.ps1 takes, on servers that are not as Setup left them."""

from __future__ import annotations

import json
import shutil

import pytest
from collecting import CONFIG, INSTALL, Collected, program, readings, settings

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH to run scripts in"),
]
WEB = "<configuration><appSettings><add key='a' value='{}' /></appSettings></configuration>"
QUOTES = "it\u2018s \u2019\u201a\u201b '$(x)' `n & \u00e4\U0001f600"


@pytest.fixture
def server(tmp_path):
    """An untouched server to change."""
    return Collected(tmp_path)


def lead_to(server, *paths):
    """Add virtual directories with these physical paths."""
    text = server.lab.apphost.read_text("utf-8")
    made = "".join(
        f'<virtualDirectory path="/v{number}" physicalPath="{path}" />'
        for number, path in enumerate(paths)
    )
    server.lab.apphost.write_text(
        text.replace("<virtualDirectory ", f"{made}<virtualDirectory ", 1), "utf-8"
    )


def offline(server):
    """Give bundle.json and files of a run without Exchange and evidence."""
    manifest, answer = server.offline("-NoExchange", "-NoEvidence")
    files = server.folder / "bundle/files"
    held = {
        f"files/{file.relative_to(files).as_posix()}": file.read_bytes()
        for file in files.rglob("*")
        if file.is_file()
    }
    return manifest, held, answer


def put(server, path, text):
    file = server.lab.c / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_hostile_names_and_contents_survive(server, tmp_path):
    """Quotes of every kind, signs and blanks in names; any byte in a file; a very long path."""
    odd = b"\xff\xfe\x00\x01<configuration>\r\n\x80"
    long = "/".join(["folder" * 6] * 6)
    put(server, f"own/{QUOTES}/web.config", WEB.format("one"))
    put(server, f"own/[a] {{b}}/{long}/web.config", WEB.format("two"))
    put(server, "own/odd/web.config", odd)
    put(server, "own/empty/web.config", b"")
    lead_to(server, "%SystemDrive%/own/./x/..", r"C:\own")
    manifest, held, answer = offline(server)
    read = readings(manifest, "read")
    for path, data in {
        f"files/C/own/{QUOTES}/web.config": WEB.format("one").encode(),
        f"files/C/own/[a] {{b}}/{long}/web.config": WEB.format("two").encode(),
        "files/C/own/odd/web.config": odd,
        "files/C/own/empty/web.config": b"",
    }.items():
        assert (held[path], path in read) == (data, True), path
    assert "files/C/own/web.config" in readings(manifest, "absent")
    assert answer.code == 0
    assert program(tmp_path / "a.db", "import", server.folder / "bundle")[0] == 4


def test_where_iis_leads_away_the_reason_is_given(server):
    """A network path, a drive that is not there, no path at all: unread, and nothing is opened."""
    lead_to(server, r"\\evil\share\x", "Q:\\gone", "relative\\x", "%NoSuch%\\x", "C:\\a:b", "")
    manifest, _, answer = offline(server)
    unread = readings(manifest, "unread")
    reasons = {path: reason.split(" (")[0] for path, reason in unread.items()}
    assert (answer.code, reasons) == (
        4,
        {
            "files/UNC/evil/share/x/web.config": "it lies on a network path",
            "files/Q/gone/web.config": "there is no drive Q:",
            "files/OTHER/relative/x/web.config": "it is no path on a drive",
            "files/OTHER/%NoSuch%/x/web.config": "it is no path on a drive",
            "files/C/a_b/web.config": "its name cannot be kept in a bundle",
        },
    )


def test_what_a_pool_and_the_framework_name_is_read(server):
    """CLRConfigFile, machine.config, the programs' files in Bin; not other files there."""
    framework = "Windows/Microsoft.NET/Framework64/v4.0.30319/Config/machine.config"
    install = INSTALL.removeprefix("files/C/")
    put(server, framework, WEB.format("machine"))
    put(server, f"{install}/bin/EdgeTransport.exe.config", WEB.format("edge"))
    put(server, f"{install}/bin/other.config", WEB.format("other"))
    put(server, f"{install}/ClientAccess/SharedWebConfig.config", WEB.format("shared"))
    put(server, "clr/aspnet.config", WEB.format("clr"))
    apphost = server.lab.apphost
    text = apphost.read_text("utf-8")
    apphost.write_text(
        text.replace("<add name=\"MSExchange", "<add CLRConfigFile=\"c:\\clr\\aspnet.config\""
                     " name=\"MSExchange", 1), "utf-8"
    )  # fmt: skip
    shutil.move(server.lab.file("bin"), server.lab.file("Bin"))
    _, held, _ = offline(server)
    assert {f"files/C/{framework}", "files/C/clr/aspnet.config"} <= set(held)
    assert f"{INSTALL}/ClientAccess/SharedWebConfig.config" in held
    assert [path for path in held if "/bin/" in path.lower()] == [
        f"{INSTALL}/Bin/EdgeTransport.exe.config"
    ]


def test_a_file_that_cannot_be_read_is_unread(server):
    """Too large, or no file at all: its reason, and everything else."""
    install = INSTALL.removeprefix("files/C/")
    with (server.lab.c / install / "ClientAccess/owa/web.config").open("ab") as file:
        file.truncate(33 * 1024 * 1024)
    (server.lab.c / "Windows/System32/inetsrv/config/administration.config").mkdir()
    manifest, held, answer = offline(server)
    unread = readings(manifest, "unread")
    assert set(unread) == {
        f"{INSTALL}/ClientAccess/owa/web.config",
        f"{CONFIG}/administration.config",
    }
    assert unread[f"{INSTALL}/ClientAccess/owa/web.config"] == "it is larger than 32 MiB"
    assert (answer.code, set(held) & set(unread)) == (4, set())


def test_a_folder_without_end_is_walked_to_its_limits(server):
    """The rest is named as not looked at, and the list of whole folders leaves it out."""
    deep = "/".join(["d"] * 12)
    put(server, f"deep/{deep}/web.config", WEB.format("deep"))
    for number in range(310):
        put(server, f"many/{number}/web.config", WEB.format("many"))
    (server.lab.c / "deep/loop").symlink_to(server.lab.c / "deep", target_is_directory=True)
    lead_to(server, r"C:\deep", r"C:\many")
    manifest, held, answer = offline(server)
    unread = readings(manifest, "unread")
    assert (answer.code, set(unread)) == (4, {"files/C/deep/(more)", "files/C/many/(more)"})
    walked = {one["folder"] for one in manifest["walked"]}
    assert "files/C/deep" not in walked
    assert f"{INSTALL}/ClientAccess" in walked
    assert not [path for path in held if "loop" in path]


def test_shared_configuration_is_read_where_it_lies(server):
    """redirection.config names the folder; what lies there counts, else nothing does."""
    server.lab.break_("shared-configuration")
    manifest, held, answer = offline(server)
    path = f"{CONFIG}/applicationHost.config"
    told = readings(manifest, "unread")
    assert (answer.code, set(told), path in held) == (4, {path}, False)
    assert told[path].startswith(
        r"shared configuration (redirection.config): it lies in \\farm\iis"
    )

    redirection = server.lab.apphost.with_name("redirection.config")
    redirection.write_text(redirection.read_text("utf-8").replace(r"\\farm\iis", r"C:\farm"))
    put(server, "farm/applicationHost.config", server.lab.apphost.read_bytes() + b"<!-- farm -->")
    manifest, held, answer = offline(server)
    assert (answer.code, held[path].endswith(b"<!-- farm -->")) == (0, True)
    assert readings(manifest, "read")[path].endswith(r"it lies in C:\farm")


def test_applicationhost_that_is_no_xml_is_brought_as_it_is(server):
    """The files of Exchange come all the same; where IIS leads is not known, and said."""
    server.lab.apphost.write_text("<configuration>", "utf-8")
    manifest, held, answer = offline(server)
    assert held[f"{CONFIG}/applicationHost.config"] == b"<configuration>"
    assert f"{INSTALL}/ClientAccess/owa/web.config" in held
    assert "The folders of IIS are not known" in answer.out
    assert not [one for one in manifest["walked"] if "inetpub" in one["folder"]]


def test_the_shell_of_2010_leaves_no_file_behind(tmp_path):
    """PowerShell 2.0 can only export to a file: it is gone, and the export is the same."""
    one = Collected(tmp_path, "2010")
    manifest, answer = one.offline("-NoEvidence")
    read = readings(manifest, "read")
    assert (manifest["exchange"]["version"], manifest["windows"]["powershell"]) == ("2010", "2.0")
    assert "exchange/OwaVirtualDirectory.clixml" in read, answer.out
    assert "exchange/MapiVirtualDirectory.clixml" not in readings(manifest)
    assert list((one.lab.c / "Temp").iterdir()) == []
    assert program(tmp_path / "a.db", "import", tmp_path / "bundle")[0] == answer.code
    json.dumps(manifest)


@pytest.mark.parametrize("version", ["2010", "2019"])
def test_hostile_values_of_exchange_survive(tmp_path, version):
    """Quotes, markup, control characters, _x0041_, signs beyond 16 bits: through both exports."""
    value = f'{QUOTES} "<b>]]>&amp;" \x01\x1b[31m\x7f\r\n\t_x0041_'
    one = Collected(tmp_path, version)
    objects = one.lab.state["objects"]
    objects["PopSettings"]["1"]["values"]["Banner"] = value
    one.lab.edit(objects=objects)
    assert one.offline("-NoEvidence")[1].code == 0
    assert program(tmp_path / "a.db", "import", tmp_path / "bundle")[0] == 0
    assert settings(tmp_path / "a.db")[("PopSettings", "1", "Banner")] == value
