"""Nothing is lost in parsing: what a configuration file says, its settings say, and no more."""

from __future__ import annotations

import functools
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from accounting import attributes_in, attributes_out, plain

from changelog_tracker.diff.flatten import flatten, ignored
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.normalise.secrets import Fingerprints, redact
from changelog_tracker.parse.iis_config import application_host_records, web_config_records
from changelog_tracker.parse.recognise import as_utf8
from changelog_tracker.parse.xml import node_of, read_xml

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "exchange"
CASES = Path(__file__).parents[1] / "cases" / "config"
SERVERS = ("e16", "e19-first", "e19-second")
HOST = "applicationHost.config"
FINGERPRINTS = Fingerprints(b"k" * 32)
# What stands in the key of an element that does not write it: the schema's own default.
KEY_DEFAULTS = {"subStatusCode": "-1", "subnetMask": "255.255.255.255"}
# Left out while the file is read: no parser gives them, so that no account can count them.
IGNORED_BEFORE = ("xml-comment", "xml-whitespace", "namespace-declaration")


def resources_of(data, name):
    root = read_xml(data, name)
    records = (
        application_host_records(root) if name == HOST else web_config_records(root, "web.config")
    )
    for record in records:
        resource = record.resource
        tree = iis_tree(resource.kind, resource.name, node_of(record.content))
        yield resource.kind, resource.name, list(flatten(tree)), list(ignored(tree))


@functools.cache
def balance(raw, name):
    """Give what was lost and invented, what locations say wrongly, the rules, and the total."""
    data = redact(as_utf8(raw), FINGERPRINTS)
    expected, places = attributes_in(data)
    got, told, rules = attributes_out(resources_of(data, name))
    invented = got - expected
    for key in [key for key in invented if KEY_DEFAULTS.get(key[2]) == key[3]]:
        rules["key-default"] += invented.pop(key)
    return expected - got, invented, places ^ told, rules, expected.total()


@pytest.mark.real
@pytest.mark.parametrize("server", SERVERS)
def test_a_real_servers_attributes_all_come_out(server):
    """Attributes in = attributes out, for every configuration file of a real server."""
    if not REAL.exists():
        pytest.skip("../shared/data/exchange is absent: no real servers' files")
    files = sorted((REAL / server / "files").rglob("*.config"))
    rules, total = Counter(), 0
    for file in files:
        lost, invented, places, left_out, count = balance(file.read_bytes(), file.name)
        assert (file.name, lost, invented, places) == (file.name, Counter(), Counter(), set())
        rules += left_out
        total += count
    said = ", ".join([f"{rule}: {n}" for rule, n in sorted(rules.items())] + [*IGNORED_BEFORE])
    print(f"{server}: {total} attributes and texts in {len(files)} files; by rule: {said}")  # noqa: T201
    assert len(files) > 20
    assert dict(rules) == {"session-key": 2, "key-default": rules["key-default"]}


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_a_cases_attributes_all_come_out(folder):
    """Attributes in = attributes out, for the files of this project's own cases."""
    case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
    raw = (folder / "raw.config").read_bytes()
    lost, invented, places, _, _ = balance(raw, case["file"])
    for written, meant in case.get("spelled", {}).items():
        # Numbers of flags and names come out by name.
        for key in [key for key in lost if key[3] == written]:
            invented[*key[:3], plain(meant)] -= lost.pop(key)
    assert (+lost, +invented, places) == (Counter(), Counter(), set())


def test_the_account_notices_a_loss():
    """An attribute that no setting says is counted as lost, and one too many as invented."""
    expected, _ = attributes_in(
        b"<configuration><own><a x='1'/><b y='2'>t</b></own></configuration>"
    )
    settings = [("a.x", "1"), ("b.y", "3")]
    got, _, _ = attributes_out([("ConfigFile", "web.config : own", settings, [])])
    assert expected - got == Counter({("", "own", "y", "2"): 1, ("", "own", "(text)", "t"): 1})
    assert got - expected == Counter({("", "own", "y", "3"): 1})
