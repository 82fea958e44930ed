"""CLIXML files become objects, and their values JSON; each feature is a case folder."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

import pytest

from changelog_tracker.errors import FileError
from changelog_tracker.normalise.values import ValueReader
from changelog_tracker.parse.clixml import clixml_types, parse_clixml
from changelog_tracker.parse.xml import read_xml

CASES = Path(__file__).parents[1] / "cases" / "clixml"
REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "exchange"
OWA = "Microsoft.Exchange.Data.Directory.SystemConfiguration.ADOwaVirtualDirectory"
NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"


def fingerprint(text):
    return {"secret": f"key1:{len(text)}"}


def settings_of(data):
    reader = ValueReader("raw.clixml", fingerprint)
    return [
        {name: reader.read(raw) for name, raw in found.members.items()} or reader.read(found)
        for found in parse_clixml(read_xml(data, "raw.clixml"), "raw.clixml")
    ]


def toml(folder):
    return tomllib.loads((folder / "case.toml").read_text("utf-8"))


def folders(prefix, *, bad):
    found = sorted(path for path in CASES.iterdir() if path.name.startswith(prefix) == bad)
    assert found
    return [pytest.param(path, id=path.name) for path in found]


@pytest.mark.parametrize("folder", folders("bad-", bad=False))
def test_a_case_reads_as_its_settings(folder):
    """What stands in the file is what its settings say, to the kind of each value."""
    got = settings_of((folder / "raw.clixml").read_bytes())
    expected = json.loads((folder / "settings.json").read_text("utf-8"))
    assert json.dumps(got, indent=2) == json.dumps(expected, indent=2)


@pytest.mark.parametrize("folder", folders("bad-", bad=True))
def test_a_bad_file_says_what_is_wrong(folder):
    """A bad file ends in one line that names the file, the place and what was expected."""
    with pytest.raises(FileError) as caught:
        settings_of((folder / "raw.clixml").read_bytes())
    assert str(caught.value)[: len(toml(folder)["error"])] == toml(folder)["error"]
    assert "\n" not in str(caught.value)


def test_a_secret_leaves_no_trace():
    """No representation of what was parsed shows a secret."""
    folder = CASES / "secrets"
    data = (folder / "raw.clixml").read_bytes()
    shown = repr(parse_clixml(read_xml(data, "raw.clixml"), "raw.clixml")) + str(settings_of(data))
    assert [text for text in toml(folder)["must_not_appear"] if text in shown] == []


def test_objects_that_repeat_themselves_are_refused():
    """A small file cannot stand for more values than a machine can hold."""
    levels = "".join(
        f'<Obj RefId="{i}"><LST>' + f'<Ref RefId="{i - 1}" />' * 10 + "</LST></Obj>"
        for i in range(1, 20)
    )
    text = f'<Objs xmlns="{NAMESPACE}"><Obj RefId="0"><LST /></Obj>{levels}</Objs>'
    with pytest.raises(FileError, match="objects that hold themselves"):
        settings_of(text.encode())


def document(*types, encoding="utf-8"):
    names = "".join(f"<T>{name}</T>" for name in types)
    text = f'<Objs xmlns="{NAMESPACE}"><Obj RefId="0"><TN RefId="0">{names}</TN></Obj></Objs>'
    return text.encode(encoding)


def test_a_peek_gives_the_first_objects_types():
    """The type names are known without reading the file; UTF-16 makes no difference."""
    expected = (OWA, "System.Object")
    assert clixml_types(document(OWA, "System.Object")) == expected
    assert clixml_types(document(f"Deserialized.{OWA}", "System.Object")) == expected
    assert clixml_types(document(OWA, "System.Object", encoding="utf-16")) == expected
    assert clixml_types(document(OWA, "System.Object") + b"<cut <off") == expected


def test_a_peek_looks_into_a_list():
    """A list at the top is not what the file is about."""
    data = document("System.Collections.ArrayList", "System.Object")
    inner = f'<LST><Obj RefId="1"><TN RefId="1"><T>{OWA}</T></TN></Obj></LST></Obj>'
    assert clixml_types(data.replace(b"</Obj>", inner.encode())) == (OWA,)


def test_a_peek_into_another_file_gives_nothing():
    """What is not CLIXML has no type names."""
    assert clixml_types(b"<configuration><TN><T>a</T></TN></configuration>") == ()
    assert clixml_types(b"\x00\xff garbage") == ()
    assert clixml_types(b"") == ()


@pytest.mark.real
@pytest.mark.parametrize("server", ["e16", "e19-first", "e19-second"])
def test_a_real_servers_exports_are_read(server):
    """Every export of a real server is read, and quickly; the time is printed."""
    if not REAL.exists():
        pytest.skip(f"{REAL.name}: no real exports beside this project")
    begin = time.perf_counter()
    counts = {
        path.name: len(settings_of(path.read_bytes()))
        for path in sorted((REAL / server / "exchange").glob("*.xml"))
    }
    print(f"{server}: {sum(counts.values())} objects in {time.perf_counter() - begin:.3f} s")  # noqa: T201
    assert min(counts.values()) > 0
