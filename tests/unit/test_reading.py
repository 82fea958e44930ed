"""How the catalogue says to read each noun, and what the script makes of it."""

from __future__ import annotations

import re

import pytest

from changelog_tracker import __version__, catalogue
from changelog_tracker.catalogue.reading import Ask
from changelog_tracker.catalogue.registry import registry_rows
from changelog_tracker.collect.script import collector
from changelog_tracker.errors import CatalogueError


def asked(version):
    return {ask.noun: ask for ask in catalogue.queries(version, "EX01")}


def test_each_noun_is_asked_for_one_server():
    """By -Server, by -Identity, or not at all where the organisation has it."""
    assert asked("2019")["OwaVirtualDirectory"] == Ask(
        "OwaVirtualDirectory", "Get-OwaVirtualDirectory", {"Server": "EX01"}
    )
    assert asked("2019")["ClientAccessService"].parameters == {"Identity": "EX01"}
    assert asked("2019")["OfflineAddressBook"].parameters == {}
    assert asked("2019")["ExchangeServer"].parameters == {"Identity": "EX01", "Status": True}


def test_each_version_is_asked_for_what_it_has():
    """The newer noun where two tell the same; what a version does not know is not asked."""
    both = {"ClientAccessServer", "ClientAccessService"}
    assert {v: both & set(asked(v)) for v in catalogue.VERSIONS} == {
        "2010": {"ClientAccessServer"},
        "2013": {"ClientAccessServer"},
        **{version: {"ClientAccessService"} for version in ("2016", "2019", "SE")},
    }
    assert {v for v in catalogue.VERSIONS if "MapiVirtualDirectory" in asked(v)} == {
        *("2013", "2016", "2019", "SE")
    }
    assert {v for v in catalogue.VERSIONS if "ClientAccessArray" in asked(v)} == {"2010"}


def test_what_is_written_is_read():
    """Every noun with a writable field, and two more; no other of the organisation."""
    written = {name for name, noun in catalogue.nouns().items() if noun.is_written}
    more = {"AdminAuditLogConfig", "ServerComponentState"}
    assert set(catalogue.read_by_default()) == written | more


def test_a_wrong_way_to_read_is_named(tmp_path):
    """An error of a resource file says what is expected."""
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/PopSettings.toml").write_text(
        'source = "x"\nscope = "server"\nread = "Get-PopSettings"\nwrite = ""\nread_by = "Name"\n'
    )
    with pytest.raises(CatalogueError, match="read_by 'Name'; expected one of Server, Identity"):
        catalogue.read_nouns(tmp_path)


def test_the_script_holds_every_noun_and_value():
    """ASCII with CRLF; tables out of the catalogue; it ends with its exit code."""
    text = collector()
    assert text.isascii()
    assert "\n" not in text.replace("\r\n", "")
    assert text.endswith("\r\nexit (Invoke-Collector)\r\n")
    assert f"$CollectorVersion = '{__version__}'" in text
    named = re.findall(r"^\$Nouns \+= @\{ Name='(\w+)'; Cmdlet='([\w-]+)';", text, re.MULTILINE)
    assert dict(named) == {
        ask.noun: ask.cmdlet for v in catalogue.VERSIONS for ask in asked(v).values()
    }
    assert text.count("$RegistryValues += @{") == len(registry_rows())
    alone = re.findall(r"Get-(\w+) -Server \$script:Server -ADPropertiesOnly", text)
    assert set(alone) == {n for n, noun in catalogue.nouns().items() if noun.scope == "vdir"}
