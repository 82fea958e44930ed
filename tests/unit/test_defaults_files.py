"""The files of what Setup makes: what they say holds together, and wrong ones are named."""

from __future__ import annotations

import pytest

from changelog_tracker import catalogue
from changelog_tracker.catalogue.factory_facts import (
    Stands,
    factory_facts,
    factory_of,
    read_facts,
)
from changelog_tracker.catalogue.own import is_own
from changelog_tracker.errors import CatalogueError

ACCESS = "system.webserver/security/access"
RPC = ("IisSection", f"default web site/rpc : {ACCESS}", "sslFlags")
SITE = ("IisSection", f"default web site : {ACCESS}", "sslFlags")
OWA = ("IisSection", f"default web site/owa : {ACCESS}", "sslFlags")
API = ("IisApplication", "default web site/api")
MAPI = ("IisApplication", "default web site/mapi")
BUILDS = {"2013": "15.0.1497.2", "2016": "15.1.2375.7", "2019": "15.2.986.5"}


def value(key, version, build=None):
    fact = factory_of(version, build or BUILDS[version]).settings.get(key)
    return fact.value if fact else catalogue.UNKNOWN


def test_every_fact_has_a_source_and_says_how_it_is_known():
    """Each is documented or observed, names its source, and is of a kind that is tracked."""
    facts, _ = factory_facts()
    assert {fact.mark for fact in facts} == {"documented", "observed"}
    assert all(fact.source and fact.versions for fact in facts)
    iis = {
        "IisSite",
        "IisBinding",
        "IisApplication",
        "IisVirtualDirectory",
        "IisAppPool",
        "IisSection",
    }
    assert {fact.kind for fact in facts} <= iis | set(catalogue.nouns())


def test_every_section_and_field_is_in_the_catalogue():
    """A section is one of the schema, and a setting of a noun one of its fields."""
    for fact in factory_facts()[0]:
        if fact.kind == "IisSection":
            assert catalogue.section(fact.resource.partition(" : ")[2]) is not None
        elif fact.kind in catalogue.nouns() and fact.setting:
            assert fact.setting in catalogue.nouns()[fact.kind].fields


def test_the_shell_and_iis_agree_on_what_setup_makes():
    """Where a field mirrors an attribute of IIS, both have the same default."""
    facts = factory_of("2019", BUILDS["2019"]).settings
    compared = 0
    for noun in catalogue.nouns().values():
        for name, field in noun.fields.items():
            section, _, setting = (field.mirrors or "").partition(" : ")
            for site, default in (
                ("Default Web Site", field.default),
                ("Exchange Back End", field.back_end_default),
            ):
                place = f"{site}/{noun.application} : {section}".casefold()
                fact = facts.get(("IisSection", place, setting))
                if fact is None or default is catalogue.UNKNOWN:
                    continue
                known = fact.value
                if field.mirror_flag:
                    known = field.mirror_flag in fact.value
                assert known == default, f"{noun.name}.{name} of {site}"
                compared += 1
    assert compared > 20


def test_samples_that_differ_are_unknown():
    """Where installed servers of one version differ, nothing is said of it."""
    assert [value(SITE, version) for version in BUILDS] == [
        ["Ssl", "Ssl128"],
        catalogue.UNKNOWN,
        ["Ssl", "Ssl128"],
    ]
    assert [value(RPC, version) for version in BUILDS] == [[], catalogue.UNKNOWN, []]
    assert value(OWA, "2019") is Stands.INHERITED


def test_a_build_decides():
    """2019 CU14 asks for SSL at /Rpc; later builds have /API and /mapi, which earlier ones may."""
    assert value(RPC, "2019", "15.2.1258.12") == []
    assert value(RPC, "2019", "15.2.1544.4") is catalogue.UNKNOWN
    assert API not in factory_of("2016", "15.1.225.42").made
    assert API in factory_of("2016", "15.1.225.42").named
    assert API in factory_of("2016", "15.1.2375.7").made
    assert MAPI not in factory_of("2013", "15.0.775.38").made
    assert MAPI in factory_of("2013", "15.0.1497.2").made
    assert API in factory_of("2013", BUILDS["2013"]).named
    assert API not in factory_of("2013", BUILDS["2013"]).made


def test_older_versions_and_se():
    """Nothing is known of 2010; of SE only what is documented, and never what was only observed."""
    old = factory_of("2010", "14.3.513.0")
    assert (old.settings, old.made, old.complete) == ({}, {}, frozenset())
    new = factory_of("SE", "15.2.2562.17")
    assert {fact.mark for fact in new.settings.values()} == {"documented"}
    assert "IisApplication" not in new.complete


@pytest.mark.parametrize(
    ("setting", "said", "error"),
    [
        ("mark", '"guessed"', "has mark 'guessed'; expected one of documented, observed"),
        ("source", '"nobody"', "has source 'nobody'; expected one of page"),
        ("before", '"CU14"', "has before 'CU14'; expected a build such as 15.2.1544"),
        ("versions", '["2007"]', "has versions '2007'; expected one of 2010, 2013, 2016, 2019, SE"),
        ("colour", '"red"', "has the key 'colour'; expected one of kind"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, setting, said, error):
    """A file that is wrong says where, what stands there and what should."""
    table = {
        "kind": '"IisSite"', "mark": '"observed"', "source": '"page"', "versions": '["2019"]',
        "resources": '["Default Web Site"]', setting: said,
    }  # fmt: skip
    lines = "\n".join(f"{key} = {value}" for key, value in table.items())
    (tmp_path / "x.toml").write_text(f'[sources]\npage = "a page"\n[[facts]]\n{lines}\n')
    with pytest.raises(CatalogueError) as caught:
        read_facts(tmp_path)
    assert str(caught.value).startswith(f"x.toml: facts 1 {error}")


def test_two_facts_that_contradict_are_refused(tmp_path):
    """One setting has one default in a version."""
    one = (
        '[[facts]]\nkind = "IisSite"\nmark = "observed"\nsource = "page"\nversions = ["2019"]\n'
        'resources = ["Default Web Site"]\nsettings = { id = %d }\n'
    )
    (tmp_path / "x.toml").write_text(f'[sources]\npage = "a page"\n{one % 1}{one % 2}')
    with pytest.raises(CatalogueError, match=r"IisSite\[Default Web Site\].id is said twice"):
        read_facts(tmp_path)


def test_what_is_each_servers_own():
    """Guids and days are each server's own, and a URL is not."""
    assert is_own("OwaVirtualDirectory", "Guid")
    assert is_own("IisSite", "id")
    assert not is_own("IisAppPool", "id")
    assert not is_own("OwaVirtualDirectory", "InternalUrl")
