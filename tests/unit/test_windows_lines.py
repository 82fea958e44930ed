"""The lines of windows/KIND.jsonl: what is read, and what is refused with its line."""

from __future__ import annotations

import json

import pytest

from changelog_tracker import catalogue
from changelog_tracker.catalogue.own import is_own, is_own_kind
from changelog_tracker.catalogue.windows import read_windows_kinds
from changelog_tracker.errors import CatalogueError, FileError
from changelog_tracker.parse import windows_lines as module
from changelog_tracker.parse.windows_lines import WindowsLines, windows_lines

HASH = "0123456789abcdef" * 4
FILE = {"Content": {"sha256": HASH, "size": 7, "version": "15.2.1118.7"}}
NEEDED = "Content: expected sha256 (64 digits in small letters), size and version"
OBJECT = "expected an object with name and settings, or name and unread"


def line(name, **rest) -> bytes:
    return json.dumps({"name": name, **rest}).encode() + b"\n"


def service(**settings) -> bytes:
    return line("W3SVC", settings=settings)


def test_each_kind_is_read_as_it_is_written():
    """Every kind keeps its settings; a set is sorted, a list keeps its order."""
    told = {
        "SslBinding": ("[::]:444", {"SslCertHash": "AB" * 20, "DefaultFlags": 0, "AppId": None}),
        "RegistryValue": (r"HKLM\X : (Default)", {"Type": "MultiString", "Data": ["b", "a"]}),
        "Service": ("MSExchangePop3", {"StartMode": "Auto", "DelayedAutoStart": False}),
        "FileEntry": (r"C:\inetpub\wwwroot\a.htm", FILE),
        "Certificate": ("AB" * 20, {"DnsNames": ["b", "a", "b"], "HasPrivateKey": True}),
    }
    read = {
        kind: windows_lines(kind, line(name, settings=settings), "x").settings
        for kind, (name, settings) in told.items()
    }
    told["Certificate"][1]["DnsNames"] = ["a", "b"]
    assert read == {kind: {name: settings} for kind, (name, settings) in told.items()}
    assert told.keys() == catalogue.windows_kinds().keys()


def test_nothing_is_an_answer_and_so_is_what_was_not_read():
    """An empty file has no resources; a line may say why one was not read."""
    unread = line("C:\\a\\", unread="Access is\r\n denied. ") + line("C:\\b", settings=FILE)
    assert windows_lines("Certificate", b"", "x") == WindowsLines({}, {})
    assert windows_lines("FileEntry", unread, "x") == WindowsLines(
        {"C:\\b": FILE}, {"C:\\a\\": "Access is denied."}
    )


def test_what_is_no_character_is_written_as_its_number():
    """A name of half a surrogate pair, or of a control character, can be stored and shown."""
    data = line("C:\\\ud800\x00.htm", settings=FILE) + line("C:\\\U0001f600", settings=FILE)
    read = windows_lines("FileEntry", data, "x")
    assert list(read.settings) == ["C:\\[U+D800][U+0000].htm", "C:\\\U0001f600"]
    read = windows_lines(
        "RegistryValue", line("k : v", settings={"Type": None, "Data": "\udfff"}), "x"
    )
    assert read.settings == {"k : v": {"Type": None, "Data": "[U+DFFF]"}}


def test_a_name_without_end_is_cut():
    """Two names of one beginning stay two; the parts of the longest path are all there."""
    names = ["C:\\" + "x" * 900 + end for end in "ab"]
    read = windows_lines("FileEntry", b"".join(line(n, settings=FILE) for n in names), "x")
    assert [(len(name), name[:800]) for name in read.settings] == [(818, names[0][:800])] * 2


def test_names_that_differ_in_case_alone_are_not_read():
    """Which of the two is meant could nobody tell later; the others are read."""
    data = b"".join(line(name, settings=FILE) for name in ("C:\\a", "C:\\STRASSE", "C:\\stra\xdfe"))
    assert windows_lines("FileEntry", data, "x") == WindowsLines(
        {"C:\\a": FILE},
        {
            "C:\\stra\xdfe": "its name differs from C:\\STRASSE in case only",
            "C:\\STRASSE": "another name differs from it in case only",
        },
    )


@pytest.mark.parametrize(
    ("kind", "data", "what"),
    [
        ("Service", b"\xff\n", "line 1: is not UTF-8"),
        ("Service", b"{}\n", f"line 1: {OBJECT}"),
        ("Service", b"[1]\n", f"line 1: {OBJECT}"),
        ("Service", b"{\n", "line 1: is not valid JSON: Expecting property name enclosed"),
        ("Service", b"\n", "line 1: is not valid JSON: Expecting value"),
        ("Service", b'{"name": "x", "settings": {}', ": is cut off in its last line"),
        ("Service", service(StartMode="Auto") + b"\xef\xbb\xbf\n", "line 2: is not valid JSON: "),
        ("Service", b"[" * 100_000 + b"\n", "line 1: is nested too deeply"),
        ("Service", b'{"name": "x", "name": "y"}\n', "line 1: is not valid JSON: a key twice"),
        ("Service", service(StartMode="Boot"), "StartMode: expected one of Auto, Manual, Disabled"),
        ("Service", service(DelayedAutoStart=1), "DelayedAutoStart: expected true or false"),
        ("Service", service(Account=["x"]), "Account: expected text"),
        ("Service", service(More={"a": 1}), "More: expected a whole number, text, or a list"),
        ("Service", service(More=[1]), "More: expected a list of at most 20,000 texts"),
        ("Service", service(More=1.5), "line 1: is not valid JSON: a number that is not whole"),
        ("Service", b'{"name":"x","settings":{"More":NaN}}\n', "a number that is not whole"),
        ("Service", service(More=2**65), "More: expected a whole number, text, or a list"),
        ("Service", line("x", settings={}), "settings: expected an object of 1 to 200 settings"),
        ("Service", line("", settings={"a": 1}), "name: expected text of 1 to 65,535 characters"),
        ("Service", line(7, settings={"a": 1}), "name: expected text of 1 to 65,535 characters"),
        ("FileEntry", line("C" * 801 + "\\", unread="x"), "the name of a folder has more than 800"),
        ("Service", line("x", unread=" "), "unread: expected the reason as text"),
        ("Service", line("x", unread="y", settings={}), f"line 1: {OBJECT}"),
        ("Service", service(Account="a") * 2, "line 2: the name 'W3SVC' is there twice"),
        ("SslBinding", line("x", settings={"DefaultFlags": True}), "expected a whole number"),
        ("Certificate", line("x", settings={"DnsNames": "a"}), "DnsNames: expected a list of text"),
        ("RegistryValue", line("x", settings={"Type": "DWord"}), "settings: expected Data"),
        ("FileEntry", line("x", settings={"Size": 1}), "settings: expected Content"),
        ("FileEntry", line("x", settings={"Content": None}), NEEDED),
        ("FileEntry", line("x", settings={"Content": {"sha256": HASH, "size": 1}}), NEEDED),
        (
            "FileEntry",
            line("x", settings={"Content": {**FILE["Content"], "sha256": HASH.upper()}}),
            NEEDED,
        ),
        ("FileEntry", line("x", settings={"Content": {**FILE["Content"], "size": -1}}), NEEDED),
        ("FileEntry", line("x", settings={"Content": {**FILE["Content"], "size": True}}), NEEDED),
    ],
)
def test_what_is_no_such_line_is_named(kind, data, what):
    """Anything else is one error with the file and its line."""
    with pytest.raises(FileError) as caught:
        windows_lines(kind, data, "windows/x.jsonl")
    assert str(caught.value).startswith("windows/x.jsonl")
    assert what in str(caught.value)


def test_too_much_is_refused(monkeypatch):
    """Lines, the length of one, and resources that were not read have their bounds."""
    data = b"".join(line(f"C:\\{n}", unread="denied") for n in range(501))
    with pytest.raises(FileError, match=r"x: 501 resources in it .*, the first C:\\0: denied"):
        windows_lines("FileEntry", data, "x")
    assert len(windows_lines("FileEntry", data[: data.rindex(b"{")], "x").unread) == 500
    monkeypatch.setattr(module, "MOST_LINES", 2)
    with pytest.raises(FileError, match="x: has more than 2 lines"):
        windows_lines("FileEntry", data, "x")
    monkeypatch.setattr(module, "LONGEST_LINE_BYTES", 20)
    with pytest.raises(FileError, match="x, line 1: is longer than 20 bytes"):
        windows_lines("FileEntry", line("C:\\a", unread="denied"), "x")


# --- the catalogue --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[kinds.X]\nabout = 1", "windows.toml: kind X has about 1; expected a text"),
        ("[kinds.X]\nmore = 1", "windows.toml: kind X has the key 'more'; expected one of about"),
        (
            '[kinds.X]\n[kinds.X.fields]\nA = { kind = "txt" }',
            "windows.toml: field X.A has kind 'txt'; expected one of any, bool, content",
        ),
    ],
)
def test_a_wrong_file_of_kinds_is_named(tmp_path, text, what):
    """An error of windows.toml says kind, field and what is expected."""
    file = tmp_path / "windows.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        read_windows_kinds(file)
    assert str(caught.value).startswith(what)


def test_whose_the_kinds_are():
    """Windows owns them; a certificate is each server's own, and which one a binding shows."""
    assert {catalogue.owner(kind, "x") for kind in catalogue.windows_kinds()} == {"windows"}
    assert [kind for kind in catalogue.windows_kinds() if is_own_kind(kind)] == ["Certificate"]
    assert is_own("Certificate", "Subject")
    assert is_own("SslBinding", "SslCertHash")
    assert not is_own("SslBinding", "AppId")


def test_rows_of_the_catalogue():
    """`catalogue` has a row for each setting, which no cmdlet writes."""
    rows = [row for row in catalogue.rows() if row["kind"] == "FileEntry"]
    assert rows == [
        {
            "kind": "FileEntry",
            "setting": "Content",
            "writable": False,
            "documented": False,
            "tracked": True,
            "managed_by": "windows",
            "kept_in": "file",
            "versions": ["2010", "2013", "2016", "2019", "SE"],
            "default": None,
            "source": catalogue.windows_kinds()["FileEntry"].source,
        }
    ]
