"""Configuration files become named settings; each feature is a case folder."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from changelog_tracker.diff.flatten import flatten, ignored
from changelog_tracker.errors import FileError
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.normalise.secrets import Fingerprints, redact
from changelog_tracker.parse.iis_config import (
    application_host_records,
    build_folders,
    web_config_records,
)
from changelog_tracker.parse.xml import node_of, read_xml

CASES = Path(__file__).parents[1] / "cases" / "config"
FINGERPRINTS = Fingerprints(b"k" * 32)


def trees_of(data, name):
    root = read_xml(redact(data, FINGERPRINTS), name)
    if name == "applicationHost.config":
        records = application_host_records(root)
    else:
        records = web_config_records(root, name)
    return {
        str(r.resource): iis_tree(r.resource.kind, r.resource.name, node_of(r.content))
        for r in records
    }


def settings_of(text, name="applicationHost.config"):
    return {
        resource: dict(flatten(tree)) for resource, tree in trees_of(text.encode(), name).items()
    }


def toml(folder):
    return tomllib.loads((folder / "case.toml").read_text("utf-8"))


def folders():
    found = sorted(CASES.iterdir())
    assert found
    return [pytest.param(path, id=path.name) for path in found]


@pytest.mark.parametrize("folder", folders())
def test_a_case_reads_as_its_settings(folder):
    """What stands in the file is what its settings say, under the names that users see."""
    case = toml(folder)
    got = settings_of((folder / "raw.config").read_text("utf-8"), case["file"])
    expected = json.loads((folder / "settings.json").read_text("utf-8"))
    assert json.dumps(got, indent=2) == json.dumps(expected, indent=2)


@pytest.mark.parametrize("folder", folders())
def test_what_a_rule_leaves_out_is_named(folder):
    """What no comparison looks at comes out with the rule that says so."""
    case = toml(folder)
    trees = trees_of((folder / "raw.config").read_bytes(), case["file"])
    got = {
        f"{resource}.{setting}": rule
        for resource, tree in trees.items()
        for setting, _, rule in ignored(tree)
    }
    assert got == case.get("ignored", {})


@pytest.mark.parametrize("folder", folders())
def test_no_setting_has_two_values(folder):
    """A setting's name stands once in its resource, so that nothing hides behind another."""
    case = toml(folder)
    for tree in trees_of((folder / "raw.config").read_bytes(), case["file"]).values():
        names = [name for name, _ in flatten(tree)]
        assert names == list(dict.fromkeys(names))


def test_the_newest_of_the_version_folders_tells_the_build():
    """Locations of owa and ecp carry build numbers; other numbers in paths are none."""
    paths = [
        "Exchange Back End/owa/15.2.922.7",
        "Exchange Back End/ecp/15.2.1118.7",
        "Default Web Site/1.2.3.4",
        "Exchange Back End/owa/15.2",
    ]
    text = "".join(f'<location path="{path}" />' for path in paths)
    for head in ("<configuration>", '<configuration xmlns="urn:x">'):
        root = read_xml(f"{head}{text}</configuration>".encode(), "applicationHost.config")
        assert build_folders(root) == {"15.2.922.7", "15.2.1118.7"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encoding_makes_no_difference(encoding):
    """A byte order mark, or UTF-16 with one, changes no setting."""
    text = '<configuration><own name="Ü" /></configuration>'
    root = read_xml(text.encode(encoding), "web.config")
    record = web_config_records(root, "web.config")[0]
    tree = iis_tree("ConfigFile", record.resource.name, node_of(record.content))
    assert (record.resource.name, dict(flatten(tree))) == ("web.config : own", {"name": "Ü"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<configuration>\n<a></b></configuration>", "web.config, line 2: not well-formed XML: "),
        (b"<configuration><a b='1' b='2'/></configuration>", "web.config, line 1: not well-formed"),
        (b'<!DOCTYPE c [<!ENTITY e "x">]><c>&e;</c>', "web.config: has a DOCTYPE"),
        ("<c />".encode("utf-16-le"), "web.config: looks like UTF-16 without a byte order mark"),
        (b"", "web.config"),
        (b"<a>" * 10_000, "web.config, line 1: not well-formed XML: "),
    ],
)
def test_a_bad_file_says_where(data, message):
    """A file that cannot be read names itself, and its line where there is one."""
    with pytest.raises(FileError) as caught:
        read_xml(data, "web.config")
    assert str(caught.value)[: len(message)] == message
    assert "\n" not in str(caught.value)
