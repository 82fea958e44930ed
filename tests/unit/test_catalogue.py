"""The catalogue covers every documented parameter, property and section, and says so in docs/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from changelog_tracker import catalogue
from changelog_tracker.catalogue.count import documented
from changelog_tracker.catalogue.loader import HERE
from changelog_tracker.catalogue.sections import sections

ROOT = Path(__file__).parents[2]
FACTS = ROOT.parent / "shared" / "reference"
EXPORTS = ROOT.parent / "shared" / "data" / "exchange"
NOUNS = [
    *("ActiveSyncVirtualDirectory", "AutodiscoverVirtualDirectory", "ClientAccessArray"),
    *("ClientAccessServer", "ClientAccessService", "EcpVirtualDirectory", "ImapSettings"),
    *("MapiVirtualDirectory", "OabVirtualDirectory", "OutlookAnywhere", "OwaVirtualDirectory"),
    *("PopSettings", "PowerShellVirtualDirectory", "RpcClientAccess"),
    "WebServicesVirtualDirectory",
]


def facts(name):
    path = FACTS / name
    if not path.exists():
        pytest.skip(f"no ../shared/reference/{name} beside the project")
    return json.loads(path.read_text(encoding="utf-8"))


def write_noun(folder, text, name="PopSettings"):
    (folder / "resources").mkdir(exist_ok=True)
    (folder / "resources" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_coverage_is_complete():
    """Every documented writable parameter is tracked, in each version that has the noun."""
    counted = catalogue.coverage()
    assert [row for row in counted if row[2] != row[3]] == []
    assert sorted({noun for _, noun, _, _ in counted}) == NOUNS
    assert sorted({version for version, *_ in counted}) == sorted(catalogue.VERSIONS)
    assert sum(of for *_, of in counted) > 1000


def test_documented_parameters_are_those_of_the_facts():
    """What coverage counts against is what the documentation lists."""
    told = facts("exchange_cmdlets.json")
    expected = {}
    for noun in NOUNS:
        parameters = {p["name"]: p for p in told["cmdlets"][f"Set-{noun}"]["parameters"]}
        expected[noun] = {
            version: listed
            for version in catalogue.VERSIONS
            if (
                listed := [
                    name
                    for name in told["nouns"][noun]["set_state"]
                    if version in parameters[name]["versions"]
                ]
            )
        }
    assert documented() == expected


def test_a_lost_field_lowers_the_coverage(tmp_path):
    """A field that goes from its file is missed in the count and in the rows."""
    text = (HERE / "resources" / "PopSettings.toml").read_text(encoding="utf-8")
    kept = "".join(line for line in text.splitlines(True) if not line.startswith("LoginType"))
    lacking = {**catalogue.nouns(), **catalogue.read_nouns(write_noun(tmp_path, kept))}
    missed = [row for row in catalogue.coverage(lacking) if row[2] != row[3]]
    assert missed == [(version, "PopSettings", 26, 27) for version in catalogue.VERSIONS]
    untracked = [row["setting"] for row in catalogue.rows(lacking) if not row["tracked"]]
    assert untracked == ["LoginType"]


def test_a_field_without_its_version_lowers_the_coverage(tmp_path):
    """A field is counted only in the versions that it has."""
    text = (HERE / "resources" / "PopSettings.toml").read_text(encoding="utf-8")
    late = text.replace('{ kind = "text" }', '{ kind = "text", versions = ["2019", "SE"] }', 1)
    lacking = {**catalogue.nouns(), **catalogue.read_nouns(write_noun(tmp_path, late))}
    missed = [row[:2] for row in catalogue.coverage(lacking) if row[2] != row[3]]
    assert missed == [(version, "PopSettings") for version in ("2010", "2013", "2016")]


def test_rows_say_what_the_command_line_promises():
    """A row of `catalogue --json` has these keys, and a setting has one row."""
    found = list(catalogue.rows())
    keys = [
        *("kind", "setting", "writable", "documented", "tracked", "managed_by", "kept_in"),
        *("versions", "default", "source"),
    ]
    assert {tuple(row) for row in found} == {tuple(keys)}
    names = [(row["kind"], row["setting"]) for row in found]
    assert len(names) == len(set(names))
    assert json.loads(json.dumps(found)) == found
    assert {
        "kind": "OwaVirtualDirectory",
        "setting": "BasicAuthentication",
        "writable": True,
        "documented": True,
        "tracked": True,
        "managed_by": "shell",
        "kept_in": "metabase",
        "versions": list(catalogue.VERSIONS),
        "default": True,
        "source": catalogue.nouns()["OwaVirtualDirectory"].source,
    } in found
    assert ("IisSection", "system.webServer/handlers : [name='*'].modules") in names


def test_every_section_of_the_facts_is_there():
    """The catalogue knows each section of each IIS as the facts have it."""
    told = facts("iis_sections.json")
    assert sections() == told["10.0"]
    for iis in ("7.0", "7.5", "8.0", "8.5"):
        expected = {**told["10.0"], **told[iis]["changed"]}
        for name in told[iis]["absent"]:
            del expected[name]
        assert {
            name: found
            for name in told["10.0"]
            if (found := catalogue.section(name, iis)) is not None
        } == expected


def test_every_section_of_sections_toml_is_in_the_schema():
    """A section whose order counts, or that Setup owns, is written as the schema writes it."""
    text = (HERE / "sections.toml").read_text(encoding="utf-8")
    named = {part for part in text.split('"') if part.startswith("system.")}
    assert sorted(named - set(sections())) == []


def test_no_parameter_and_no_read_only_property_is_noise():
    """A property is tracked, or noise by a rule: never both."""
    both = [
        (noun.name, name)
        for noun in catalogue.nouns().values()
        for name in noun.fields
        if catalogue.noise_rule(noun.name, name)
    ]
    assert both == []


def test_read_only_properties_are_named():
    """What no cmdlet sets is listed, and is a field that nobody writes."""
    noun = catalogue.nouns()["OwaVirtualDirectory"]
    assert noun.read_only == (
        *("Guid", "WhenCreated", "Server", "AdminDisplayVersion", "MetabasePath", "Path"),
        *("WebSite", "DisplayName", "Url", "FolderPathname", "OwaVersion", "ServerName"),
        *("InternalAuthenticationMethods", "LiveIdAuthentication", "ThirdPartyAttachmentsEnabled"),
        *("PlacesEnabled", "WeatherEnabled", "LocalEventsEnabled", "InterestingCalendarsEnabled"),
        *("PredictedActionsEnabled", "UserDiagnosticEnabled"),
    )
    assert {name for name, field in noun.fields.items() if not field.writable} == set(
        noun.read_only
    )
    lacking = [
        name
        for name in NOUNS
        if not {"Guid", "WhenCreated"} <= set(catalogue.nouns()[name].read_only)
    ]
    assert lacking == []


@pytest.mark.real
def test_every_property_of_real_exports_is_known():
    """No property of a real virtual directory, server or certificate is unheard of."""
    if not EXPORTS.exists():
        pytest.skip("no ../shared/data/exchange beside the project")
    tag = "{http://schemas.microsoft.com/powershell/2004/04}"
    unknown, seen = set(), set()
    for path in EXPORTS.glob("*/exchange/*.xml"):
        for found in ET.parse(path).iter(f"{tag}Obj"):
            name = found.findtext(f"{tag}TN/{tag}T")
            noun = catalogue.noun_of_type(name) if name else None
            if noun is None or not catalogue.nouns()[noun].fields:
                continue
            seen.add(noun)
            members = [*found.findall(f"{tag}Props/*"), *found.findall(f"{tag}MS/*")]
            for prop in (member.get("N") for member in members):
                known = prop in catalogue.nouns()[noun].fields
                if not known and catalogue.noise_rule(noun, prop) is None:
                    unknown.add((noun, prop))
    assert unknown == set()
    assert seen == {
        *("ExchangeCertificate", "ExchangeServer", "OwaVirtualDirectory"),
        "WebServicesVirtualDirectory",
    }


def test_kept_in_the_metabase():
    """What an -ADPropertiesOnly reading cannot tell is marked, and what it can is not."""
    fields = catalogue.nouns()["OwaVirtualDirectory"].fields
    assert sorted(name for name, field in fields.items() if field.kept_in == "metabase") == [
        *("AdfsAuthentication", "BasicAuthentication", "DefaultDomain", "DigestAuthentication"),
        *("DisplayName", "ExtendedProtectionFlags", "ExtendedProtectionSPNList"),
        *("ExtendedProtectionTokenChecking", "FormsAuthentication", "GzipLevel"),
        *("LiveIdAuthentication", "OAuthAuthentication", "Path", "WebSite"),
        "WindowsAuthentication",
    ]
    anywhere = catalogue.nouns()["OutlookAnywhere"].fields.values()
    assert {field.kept_in for field in anywhere} == {"directory"}


def test_mirrors_are_attributes_of_the_schema():
    """What a field mirrors is an attribute that the schema has."""
    mirrors = {
        field.mirrors
        for noun in catalogue.nouns().values()
        for field in noun.fields.values()
        if field.mirrors
    }
    known = {row["setting"] for row in catalogue.rows() if row["kind"] == "IisSection"}
    authentication = "system.webServer/security/authentication"
    assert mirrors - known == set()
    assert mirrors == {
        "system.webServer/security/access : sslFlags",
        f"{authentication}/basicAuthentication : enabled",
        f"{authentication}/digestAuthentication : enabled",
        f"{authentication}/windowsAuthentication : enabled",
        f"{authentication}/windowsAuthentication : extendedProtection.tokenChecking",
    }


def test_secrets_switches_and_what_only_new_has_are_apart():
    """A secret is sealed and never written; a switch and a New- parameter are no fields."""
    noun = catalogue.nouns()["ClientAccessService"]
    assert noun.secrets == ("AlternateServiceAccountCredential",)
    assert noun.switches == (
        "CleanUpInvalidAlternateServiceAccountCredentials",
        "RemoveAlternateServiceAccountCredentials",
    )
    sealed = noun.fields["AlternateServiceAccountCredential"]
    assert (sealed.kind, sealed.writable) == ("secret", False)
    assert set(noun.switches).isdisjoint(noun.fields)
    assert catalogue.nouns()["OwaVirtualDirectory"].new_only == (
        *("AppPoolId", "ApplicationRoot", "Name", "Path", "Role", "WebSiteName"),
    )


def test_every_other_noun_of_the_facts_is_read():
    """Each noun of the documentation that has a Get- cmdlet is in the catalogue."""
    told = facts("exchange_cmdlets.json")["nouns"]
    readable = {name for name, noun in told.items() if "Get" in noun["verbs"]}
    assert readable - set(catalogue.nouns()) == set()


def test_import_reads_no_file():
    """Importing the catalogue opens none of its files."""
    code = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda e, a: e == 'open' and seen.append(str(a[0])))\n"
        "import changelog_tracker.catalogue\n"
        "print([name for name in seen if name.endswith(('.toml', '.json'))])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip() == "[]"


def test_the_page_is_up_to_date():
    """docs/catalogue.md is what the catalogue writes, and names every noun."""
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert page == catalogue.markdown()
    assert [name for name in catalogue.nouns() if f"| {name} |" not in page] == []
    assert [rule.name for rule in catalogue.noise_rules() if f"| {rule.name} |" not in page] == []
