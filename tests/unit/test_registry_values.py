"""The values of the registry that are read: what registry.toml says, and how it is refused."""

from __future__ import annotations

import pytest

from changelog_tracker.catalogue.registry import (
    RegistryRow,
    RegistryValueSpec,
    read_values,
    registry_rows,
    registry_value,
    registry_values,
)
from changelog_tracker.catalogue.shapes import VERSIONS
from changelog_tracker.errors import CatalogueError
from changelog_tracker.normalise.secret_words import is_secret_name

SCHANNEL = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL"
WHOLE = """
[[value]]
keys    = ['SYSTEM\\Lsa']
names   = ["A", "b"]
purpose = "It does."
source  = "https://contoso.com"
"""


def test_every_value_says_what_it_is_for_and_where_that_is_written():
    for value in registry_values():
        assert value.purpose.endswith(".")
        assert value.source or value.unconfirmed
        assert not is_secret_name(value.name)


def test_the_values_of_a_key_are_read_together():
    rows = {(row.key, row.versions): row for row in registry_rows()}
    assert len(rows) == len(registry_rows())
    assert rows[SCHANNEL, VERSIONS] == RegistryRow(SCHANNEL, ("*",), tree=True, versions=VERSIONS)
    ports = rows[r"SYSTEM\CurrentControlSet\Services\MSExchangeRPC\ParametersSystem", ("2010",)]
    assert ports.names == ("TCP/IP Port",)


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (rf"HKLM\{SCHANNEL}\Protocols\TLS 1.0\Server : Enabled", (SCHANNEL, "*")),
        (rf"hklm\{SCHANNEL.lower()} : EventLogging", (SCHANNEL, "*")),
        (rf"HKLM\{SCHANNEL}2 : Enabled", None),
        (
            r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa : lmcompatibilitylevel",
            (r"SYSTEM\CurrentControlSet\Control\Lsa", "LmCompatibilityLevel"),
        ),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa : Other", None),
        ("", None),
    ],
)
def test_a_resource_finds_what_is_said_of_it(resource, found):
    value = registry_value(resource)
    assert (None if value is None else (value.key, value.name)) == found


def test_a_file_of_values_is_read(tmp_path):
    file = tmp_path / "registry.toml"
    file.write_text(WHOLE, encoding="utf-8")
    assert read_values(file) == tuple(
        RegistryValueSpec("SYSTEM\\Lsa", name, "It does.", source="https://contoso.com")
        for name in ("A", "b")
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('names   = ["A", "b"]', 'names = ["A", "a"]', r"SYSTEM\Lsa : a is there twice"),
        ('names   = ["A", "b"]', 'names = ["*", "b"]', 'expected names of values, or "*" alone'),
        ('names   = ["A", "b"]', 'names = ["A"]\ntree = true', 'expected "*", as tree is true'),
        ("'SYSTEM\\Lsa'", "'HKLM\\SYSTEM\\Lsa'", "expected keys below SOFTWARE or SYSTEM"),
        ("'SYSTEM\\Lsa'", "'SYSTEM\\Lsa\\'", "expected keys below SOFTWARE or SYSTEM"),
        ('source  = "https://contoso.com"', "", "or unconfirmed = true"),
        ('purpose = "It does."', "", "no purpose; expected a text"),
        ("purpose", 'versions = ["2007"]\npurpose', "expected one of 2010"),
        ("purpose", "more = 1\npurpose", "the key 'more'"),
        ("[[value]]", "[value]", "expected [[value]] tables"),
    ],
)
def test_what_is_wrong_in_it_is_named(tmp_path, old, new, told):
    file = tmp_path / "registry.toml"
    assert old in WHOLE
    file.write_text(WHOLE.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        read_values(file)
    assert told in str(caught.value)
    assert "registry.toml" in str(caught.value)
