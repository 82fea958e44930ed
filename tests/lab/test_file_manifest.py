"""The list of files of collect.ps1: hostile names, links, folders that are not known as a whole."""

from __future__ import annotations

import base64
import hashlib
import json
import socket

import pytest
from lab import PWSH
from windows_server import Server, lines, readings
from windows_state import SCHANNEL

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run scripts in the lab with"),
]


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path)


def test_hostile_names_stay_one_line_each(server):
    root = server.lab.c / "inetpub/wwwroot"
    names = [
        'a"b.htm',
        "\u201cc\u2019.aspx",
        "new\nline.txt",
        "[x]*.txt",
        "a`b`[c.htm",
        " d .htm",
        "~e~1.htm",
        "\U0001f600.png",
        "$(x)",
    ]
    for name in names:
        (root / name).write_bytes(b"x")
    server.registry(**{SCHANNEL + "\\Ciphers\\'\n\x1b[2J": {'Ena"bled\u2028': "<script>"}})
    bundle, code = server.bundle("-NoExchange")
    found = lines(bundle, "FileEntry")
    assert set(found) == {"C:\\inetpub\\wwwroot\\" + name for name in names}
    told = rf"HKLM\{SCHANNEL}\Ciphers" + "\\'\n\x1b[2J : Ena\"bled\u2028"
    expected = {"Type": "String", "Data": "<script>"}
    assert lines(bundle, "RegistryValue")[told] == expected
    assert code == 0


def test_a_file_that_cannot_be_read_and_a_link_are_said_and_the_rest_is_listed(server):
    root = server.lab.c / "inetpub/wwwroot"
    (root / "whole.htm").write_bytes(b"x")
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(root / "odd.htm"))
    (root / "file-link").symlink_to(root / "whole.htm")
    (root / "folder-link").symlink_to(server.lab.c)
    bundle, _ = server.bundle("-NoExchange")
    found = lines(bundle, "FileEntry")
    start = "C:\\inetpub\\wwwroot\\"
    reason = found.pop(start + "odd.htm")
    link = "a link, which is not followed"
    content = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1, "version": None}
    assert isinstance(reason, str)
    assert found == {
        start + "file-link": link,
        start + "folder-link\\": link,
        start + "whole.htm": {"Content": content},
    }
    assert readings(bundle)["FileEntry"] == ("read", None)


def test_of_a_folder_that_is_too_large_nothing_is_said(tmp_path):
    server = Server(
        tmp_path, changed=[("Folders = 4000; Files = 20000;", "Folders = 9; Files = 3;")]
    )
    root = server.lab.c / "inetpub/wwwroot"
    for n in range(4):
        (root / f"{n}.htm").write_bytes(b"x")
    (server.lab.c / "inetpub/custerr").mkdir()
    (server.lab.c / "inetpub/custerr/404.htm").write_bytes(b"x")
    deep = server.lab.file("ClientAccess/Owa/a")
    deep.mkdir(parents=True)
    (deep / "logon.aspx").write_bytes(b"y")
    bundle, _ = server.bundle("-NoExchange")
    found = lines(bundle, "FileEntry")
    assert found.pop("C:\\inetpub\\wwwroot\\") == "it has more than 3 files"
    inside = server.lab.machine.install + r"ClientAccess\Owa\a\logon.aspx"
    assert set(found) == {r"C:\inetpub\custerr\404.htm", inside}


def test_the_folders_to_which_iis_leads_are_listed_once(server):
    shop = server.lab.c / "shop"
    (shop / "bin").mkdir(parents=True)
    for name in ("default.aspx", "web.config", "bin/web.config", "bin/app.config"):
        (shop / name).write_bytes(b"<configuration/>")
    book = server.lab.file("ClientAccess/OAB/0f8fad5b-d9cb-469f-a165-70867728950e")
    book.mkdir(parents=True)
    (book / "data.lzx").write_bytes(b"x")
    text = server.lab.apphost.read_text("utf-8")
    paths = (
        *(
            r"C:\shop\bin",
            r"C:/shop/",
            r"%SystemDrive%\shop",
            r"D:\gone",
            r"\\farm\x",
            r"C:\inetpub",
        ),
    )
    added = "".join(
        f'<application path="/{n}"><virtualDirectory path="/" physicalPath="{path}"/></application>'
        for n, path in enumerate(paths)
    )
    text = text.replace("</site>", added + "</site>", 1)
    server.lab.apphost.write_text(text, encoding="utf-8", newline="")
    (server.lab.c / "inetpub/wwwroot/a.htm").write_bytes(b"x")
    bundle, _ = server.bundle("-NoExchange")
    found = {name.lower(): one for name, one in lines(bundle, "FileEntry").items()}
    unread = {name: one for name, one in found.items() if isinstance(one, str)}
    assert unread.pop("\\\\farm\\x\\") == "it lies on a network path"
    assert list(unread) == ["d:\\gone\\"]
    assert set(found) - {"\\\\farm\\x\\", "d:\\gone\\"} == {
        *("c:\\shop\\default.aspx", "c:\\shop\\bin\\app.config", "c:\\inetpub\\wwwroot\\a.htm"),
    }


def test_where_the_folders_of_iis_are_not_known_no_file_looks_removed(server):
    server.lab.apphost.write_text("<configuration>", encoding="utf-8")
    bundle, _ = server.bundle("-NoExchange")
    status, reason = readings(bundle)["FileEntry"]
    assert (status, "the folders of IIS are not known" in reason) == ("unread", True)


def test_the_list_of_files_is_fetched_when_it_is_asked_for(server):
    (server.lab.c / "inetpub/wwwroot/iisstart.htm").write_bytes(b"<html></html>")
    bundle, _ = server.bundle("-NoExchange")
    path = "windows/FileEntry.jsonl"
    listed = server.frame("-NoExchange", "-Mode", "list")
    assert path not in listed
    assert "windows/Service.jsonl" in listed
    wanted = base64.b64encode(path.encode()).decode()
    fetched = server.frame("-Mode", "fetch", "-Fetch", wanted)
    assert set(fetched) == {path, "bundle.json"}
    assert fetched[path] == (bundle / path).read_bytes()
    for entries in (listed, fetched):
        told = json.loads(entries["bundle.json"])["readings"]
        digests = [one["sha256"] for one in told if one["kind"] == "FileEntry"]
        assert digests == [hashlib.sha256(fetched[path]).hexdigest()]
