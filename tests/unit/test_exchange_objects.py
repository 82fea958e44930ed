"""Exchange objects become resources: noun, server, name, settings, and what is left out."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from changelog_tracker.normalise.exchange import ExchangeObject, exchange_objects, unused_types
from changelog_tracker.parse.clixml import parse_clixml
from changelog_tracker.parse.xml import read_xml

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "exchange"
NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
CONFIGURATION = "Microsoft.Exchange.Data.Directory.SystemConfiguration"
MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management"
AD_OBJECT_ID = "Microsoft.Exchange.Data.Directory.ADObjectId"


def fingerprint(text):
    return {"secret": f"key1:{hashlib.sha256(text.encode()).hexdigest()[:8]}"}


def member(name, value):
    if value is None:
        return f'<Nil N="{name}" />'
    if isinstance(value, bool):
        return f'<B N="{name}">{str(value).lower()}</B>'
    return value if value.startswith("<") else f'<S N="{name}">{escape(value)}</S>'


def an_id(name, text):
    return f'<Obj N="{name}"><TN><T>{AD_OBJECT_ID}</T></TN><ToString>{text}</ToString></Obj>'


def parsed(type_name, members, text=None):
    about = f"<ToString>{escape(text)}</ToString>" if text is not None else ""
    props = "".join(member(name, value) for name, value in members.items())
    body = f"<Obj><TN><T>{type_name}</T></TN>{about}<Props>{props}</Props></Obj>"
    root = read_xml(f'<Objs xmlns="{NAMESPACE}">{body}</Objs>'.encode(), "x")
    return parse_clixml(root, "x")


def objects(type_name, members, text=None):
    return exchange_objects(parsed(type_name, members, text), "x", fingerprint)


def test_a_virtual_directory_is_named_without_its_server():
    """Server, name, build and full name are read; noise stands apart with its rule."""
    got = objects(
        f"Deserialized.{CONFIGURATION}.ADOwaVirtualDirectory",
        {
            "Identity": an_id("Identity", "EX01\\owa (Default Web Site)"),
            "Name": "owa (Default Web Site)",
            "Server": an_id("Server", "EX01"),
            "AdminDisplayVersion": "Version 15.2 (Build 986.5)",
            "MetabasePath": "IIS://EX01.contoso.com/W3SVC/1/ROOT/owa",
            "Path": "C:\\Exchange\\FrontEnd\\HttpProxy\\owa",
            "WebSite": "Default Web Site",
            "ExternalUrl": '<URI N="ExternalUrl">https://mail.contoso.com/owa</URI>',
            "DefaultDomain": "",
            "FailbackUrl": None,
            "BasicAuthentication": True,
            "WhenChangedUTC": '<DT N="WhenChangedUTC">2026-11-22T10:00:00Z</DT>',
            "SerializationData": '<BA N="SerializationData">AQID</BA>',
        },
    )
    assert got == [
        ExchangeObject(
            noun="OwaVirtualDirectory",
            server="EX01",
            name="owa (Default Web Site)",
            settings={
                "Server": "EX01",
                "AdminDisplayVersion": "Version 15.2 (Build 986.5)",
                "MetabasePath": "IIS://EX01.contoso.com/W3SVC/1/ROOT/owa",
                "Path": "C:\\Exchange\\FrontEnd\\HttpProxy\\owa",
                "WebSite": "Default Web Site",
                "ExternalUrl": "https://mail.contoso.com/owa",
                "DefaultDomain": "",
                "FailbackUrl": None,
                "BasicAuthentication": True,
            },
            ignored={
                "Identity": ("EX01\\owa (Default Web Site)", "ids"),
                "Name": ("owa (Default Web Site)", "ids"),
                "WhenChangedUTC": ("2026-11-22T10:00:00Z", "timestamps"),
                "SerializationData": ("(3 bytes)", "serialisation"),
            },
            mode="full",
            build="15.2.986.5",
            fqdn="EX01.contoso.com",
        )
    ]


@pytest.mark.parametrize(
    ("path", "site", "mode"),
    [("", "", "ad-only"), (None, None, "ad-only"), ("C:\\owa", "", "full"), ("", None, "ad-only")],
)
def test_empty_places_betray_an_ad_only_reading(path, site, mode):
    """An object whose Path and WebSite are both empty tells nothing of IIS."""
    members = {"Path": path, "WebSite": site, "Name": "owa (Default Web Site)"}
    got = objects(f"{CONFIGURATION}.ADOwaVirtualDirectory", members)
    assert [found.mode for found in got] == [mode]


def test_a_place_that_is_not_shown_is_not_empty():
    """A type that has no WebSite says nothing of its mode."""
    got = objects(f"{CONFIGURATION}.ADWebServicesVirtualDirectory", {"Path": "", "Name": "EWS"})
    assert [found.mode for found in got] == ["full"]


@pytest.mark.parametrize(
    ("type_name", "members", "expected"),
    [
        (
            f"{MANAGEMENT}.ExchangeServer",
            {"Name": "EX01", "Fqdn": "ex01.contoso.com"},
            ("ExchangeServer", "EX01", "(server)"),
        ),
        (
            f"{MANAGEMENT}.ClientAccessServer",
            {"Identity": an_id("Identity", "EX01")},
            ("ClientAccessServer", "EX01", "(server)"),
        ),
        (
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration",
            {"Identity": an_id("Identity", "EX01\\1"), "Name": "1"},
            ("PopSettings", "EX01", "1"),
        ),
        (
            f"{MANAGEMENT}.ServerComponentStatePresentationObject",
            {"ServerFqdn": "ex01.contoso.com", "Component": "OwaProxy"},
            ("ServerComponentState", "ex01", "OwaProxy"),
        ),
        (
            f"{MANAGEMENT}.OrganizationConfig",
            {"Name": "Contoso", "Identity": an_id("Identity", "Contoso")},
            ("OrganizationConfig", None, "Contoso"),
        ),
        (
            f"{CONFIGURATION}.ADEcpVirtualDirectory",
            {
                "Identity": "CN=ecp (Default Web Site),CN=HTTP,CN=Protocols,CN=EX01,CN=Servers,"
                "DC=contoso,DC=com"
            },
            ("EcpVirtualDirectory", "EX01", "ecp (Default Web Site)"),
        ),
        (
            f"{CONFIGURATION}.ADEcpVirtualDirectory",
            {
                "Identity": "contoso.com/Configuration/Servers/EX01/Protocols/HTTP/ecp",
                "Name": "ecp (Default Web Site)",
            },
            ("EcpVirtualDirectory", "EX01", "ecp (Default Web Site)"),
        ),
    ],
)
def test_each_scope_has_its_name(type_name, members, expected):
    """A server, a virtual directory and the organisation are named each in its way."""
    assert [(f.noun, f.server, f.name) for f in objects(type_name, members)] == [expected]


def test_a_certificate_is_metadata_named_by_its_thumbprint():
    """The name is the SHA-1 of the certificate; of its bytes only how many there are is kept."""
    blob = b"certificate of EX01"
    page = (
        "[Subject]\r\n  CN=EX01\r\n\r\n[Issuer]\r\n  CN=contoso-CA\r\n\r\n[Not After]\r\n  1/2\r\n"
    )
    got = objects(
        "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
        {
            "RawData": f'<BA N="RawData">{base64.b64encode(blob).decode()}</BA>',
            "Services": "SMTP, IIS",
            "PrivateKeyExportable": False,
            "PSComputerName": "ex02.contoso.com",
        },
        text=page,
    )
    assert got == [
        ExchangeObject(
            noun="ExchangeCertificate",
            server=None,
            name=hashlib.sha1(blob, usedforsecurity=False).hexdigest().upper(),
            settings={"Services": ["IIS", "SMTP"], "Subject": "CN=EX01", "Issuer": "CN=contoso-CA"},
            ignored={
                "RawData": ("(19 bytes)", "certificate-blob"),
                "PrivateKeyExportable": (False, "certificate-blob"),
                "PSComputerName": ("ex02.contoso.com", "remoting"),
            },
        )
    ]


def test_a_field_that_is_a_secret_leaves_its_fingerprint():
    """What the catalogue calls a secret is never kept, whatever its type is."""
    got = objects(
        f"{CONFIGURATION}.AvailabilityAddressSpace",
        {"Name": "fabrikam.com", "Credentials": "P@ssw0rd"},
    )
    assert [found.settings for found in got] == [{"Credentials": fingerprint("P@ssw0rd")}]


def test_a_fields_kind_reads_a_bare_text():
    """A remote shell may give only text; the catalogue says what stands in it."""
    got = objects(
        "Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration",
        {
            "Server": "EX01",
            "AuthenticatedConnectionTimeout": '<TS N="AuthenticatedConnectionTimeout">PT30M</TS>',
            "MaxConnections": "2000",
            "UnencryptedOrTLSBindings": '<Obj N="UnencryptedOrTLSBindings"><LST>'
            "<S>[::]:110</S><S>0.0.0.0:110</S></LST></Obj>",
        },
    )
    assert [found.settings for found in got] == [
        {
            "Server": "EX01",
            "AuthenticatedConnectionTimeout": "00:30:00",
            "MaxConnections": 2000,
            "UnencryptedOrTLSBindings": ["0.0.0.0:110", "[::]:110"],
        }
    ]


def test_what_no_rule_knows_of_a_nested_object_stays():
    """Timestamps within an object are noise too, and are listed with their rule."""
    details = (
        '<Obj N="LocalStates"><LST><Obj><MS><S N="Requester">Functional</S>'
        '<DT N="Timestamp">2026-11-22T10:00:00Z</DT><S N="Name">kept</S></MS></Obj></LST></Obj>'
    )
    got = objects(
        f"{MANAGEMENT}.ServerComponentStatePresentationObject",
        {"Component": "OwaProxy", "LocalStates": details},
    )
    assert [(found.settings, found.ignored) for found in got] == [
        (
            {
                "Component": "OwaProxy",
                "LocalStates": [{"Requester": "Functional", "Name": "kept"}],
            },
            {"LocalStates.Timestamp": (["2026-11-22T10:00:00Z"], "state-timestamps")},
        )
    ]


def test_what_is_no_exchange_object_is_named():
    """Get-Web* answers, tables and objects of unknown types are listed, not read."""
    found = [
        *parsed("Microsoft.IIs.PowerShell.Framework.ConfigurationElement#site", {"name": "a"}),
        *parsed("System.Management.Automation.PSCustomObject", {"name": "b"}),
        *parsed(f"{CONFIGURATION}.ADOwaVirtualDirectory", {"Name": "owa (Default Web Site)"}),
    ]
    assert [one.noun for one in exchange_objects(found, "x", fingerprint)] == [
        "OwaVirtualDirectory"
    ]
    assert unused_types(found) == (
        "Microsoft.IIs.PowerShell.Framework.ConfigurationElement#site",
        "System.Management.Automation.PSCustomObject",
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("server", "short", "modes"),
    [
        ("e16", "SOLO-E16A", {"ad-only"}),
        ("e19-first", "SOLO-E19A", {"ad-only"}),
        ("e19-second", "SOLO-E19A", {"full"}),
    ],
)
def test_a_real_servers_objects_are_named(server, short, modes):
    """A real server's exports all name the same server; OWA's mode is told from its places."""
    if not REAL.exists():
        pytest.skip("no real exports at ../shared/data beside this project")
    found = []
    for path in sorted((REAL / server / "exchange").glob("*.xml")):
        root = read_xml(path.read_bytes(), path.name)
        found += exchange_objects(parse_clixml(root, path.name), path.name, fingerprint)
    assert {one.server for one in found} == {short, None}
    assert {one.mode for one in found if one.noun == "OwaVirtualDirectory"} == modes
    assert len({(one.noun, one.name) for one in found}) == len(found)
