"""What the stages ask of the catalogue: noun, version, owner, default, order and noise."""

from __future__ import annotations

import pytest

from changelog_tracker import catalogue
from changelog_tracker.errors import CatalogueError

NOISE = {
    "timestamps": ["WhenChanged", "WhenChangedUTC", "WhenCreatedUTC"],
    "remoting": ["RunspaceId", "PSComputerName", "PSShowComputerName"],
    "object-state": ["ObjectState", "IsValid", "ObjectClass"],
    "serialisation": ["SerializationData"],
    "directory-source": ["OriginatingServer"],
    "ids": ["Id", "Identity", "DistinguishedName", "Name", "OrganizationId", "ObjectCategory"],
}


def test_sections_and_groups():
    """A section is no group, a group is no section, and what nobody knows is neither."""
    assert catalogue.section("system.webServer/security/access")["attributes"].keys() == {
        "sslFlags"
    }
    assert catalogue.section("system.webServer/security") is None
    assert catalogue.is_section_group("system.webServer/security")
    assert not catalogue.is_section_group("system.webServer/security/access")
    assert not catalogue.is_section_group("system.serviceModel")
    with pytest.raises(CatalogueError, match=r"IIS: '6\.0' is none of 7\.0, 7\.5"):
        catalogue.section("system.webServer/asp", "6.0")


@pytest.mark.parametrize(
    ("section", "path", "expected"),
    [
        ("system.webServer/handlers", "", True),
        ("system.webServer/modules", "", True),
        ("system.webServer/globalModules", "", True),
        ("system.webServer/isapiFilters", "", True),
        ("system.webServer/defaultDocument", "files", True),
        ("system.webServer/rewrite/rules", "", True),
        ("system.webServer/rewrite/globalRules", "", True),
        ("system.webServer/rewrite/outboundRules", "", True),
        ("system.webServer/rewrite/rules", "rule.conditions", True),
        ("system.webServer/rewrite/rules", "[name='a.b'].conditions", True),
        ("system.webServer/rewrite/rules", "rule.serverVariables", False),
        ("system.webServer/security/authentication/windowsAuthentication", "providers", True),
        ("system.webServer/security/authentication/windowsAuthentication", "", False),
        ("system.web/authorization", "", True),
        ("system.web/httpModules", "", True),
        ("system.web/httpHandlers", "", True),
        ("system.webServer/staticContent", "", False),
        ("system.applicationHost/sites", "", False),
    ],
)
def test_order_counts(section, path, expected):
    """Order counts in the collections of rule 4 and in no other."""
    assert catalogue.is_ordered(section, path) is expected


@pytest.mark.parametrize(("rule", "properties"), NOISE.items())
def test_noise_of_exchange_objects(rule, properties):
    """What differs by itself is left out by a rule with a name."""
    assert {name: catalogue.noise_rule("OwaVirtualDirectory", name) for name in properties} == (
        dict.fromkeys(properties, rule)
    )


def test_noise_elsewhere():
    """States, certificates and IIS have noise of their own, and what is set is never noise."""
    assert catalogue.noise_rule("ServerComponentState", "Timestamp") == "state-timestamps"
    assert catalogue.noise_rule("ExchangeCertificate", "RawData") == "certificate-blob"
    assert catalogue.noise_rule("ExchangeCertificate", "Thumbprint") is None
    assert catalogue.noise_rule("OwaVirtualDirectory", "WhenCreated") is None
    assert catalogue.noise_rule("OwaVirtualDirectory", "Guid") is None
    assert catalogue.noise_rule("RpcClientAccess", "Name") is None
    section, key = "configProtectedData", "providers.[name='AesProvider'].sessionKey"
    assert catalogue.noise_rule(section, key) == "session-key"
    assert catalogue.noise_rule("system.webServer/handlers", "Name") is None
    assert [rule.name for rule in catalogue.noise_rules() if rule.sections] == [
        *("session-key", "generated-handler-name", "pool-order", "site-order", "xml-comment"),
        *("xml-whitespace", "namespace-declaration"),
    ]


def test_generated_handler_names_compare_alike():
    """The number that IIS draws for a mapping makes no other handler; a person's name does."""
    handlers = "system.webServer/handlers"
    keys = ["[name='AboMapperCustom-5782']", "[name='AboMapperCustom-2302719']"]
    assert {catalogue.comparable_key(handlers, key) for key in keys} == {
        "[name='AboMapperCustom-*']"
    }
    for section, key in [(handlers, "[name='Mine-12']"), ("system.webServer/modules", keys[0])]:
        assert catalogue.comparable_key(section, key) == key


@pytest.mark.parametrize(
    ("type_name", "noun"),
    [
        (
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.ADOwaVirtualDirectory",
            "OwaVirtualDirectory",
        ),
        (
            "Deserialized.Microsoft.Exchange.Data.Directory.Management.ADMobileVirtualDirectory",
            "ActiveSyncVirtualDirectory",
        ),
        ("ADRpcHttpVirtualDirectory", "OutlookAnywhere"),
        ("Microsoft.Exchange.Data.Directory.Management.ClientAccessServer", "ClientAccessServer"),
        ("Pop3AdConfiguration", "PopSettings"),
        ("Imap4AdConfiguration", "ImapSettings"),
        ("Microsoft.Exchange.Data.Directory.Management.ExchangeServer", "ExchangeServer"),
        (
            "Microsoft.Exchange.Data.Directory.Management.ServerComponentStatePresentationObject",
            "ServerComponentState",
        ),
        (
            "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
            "ExchangeCertificate",
        ),
        ("Microsoft.Exchange.Data.Directory.Management.MailboxServer", None),
        ("Microsoft.Exchange.Data.MultiValuedProperty`1[[A.B.ExchangeServer, A]]", None),
        ("Microsoft.IIs.PowerShell.Framework.ConfigurationElement#site#application", None),
        ("", None),
    ],
)
def test_noun_of_type(type_name, noun):
    """The .NET type of an object tells its noun, and no other type does."""
    assert catalogue.noun_of_type(type_name) == noun


@pytest.mark.parametrize(
    ("build", "version"),
    [
        ("14.3.513.0", "2010"),
        ("15.0.1497.2", "2013"),
        ("15.1.2507.6", "2016"),
        ("15.2.1118.7", "2019"),
        ("15.02.1748.039", "2019"),
        ("15.2.2562.17", "SE"),
        ("Version 15.2 (Build 986.5)", "2019"),
        ("15.1", "2016"),
        ("15.2", None),
        ("15.20.8001.1", None),
        ("8.3.83.6", None),
        ("15.2.1118.7'; rm", None),
        ("", None),
    ],
)
def test_version_of_build(build, version):
    """A build tells its version, or that it does not."""
    assert catalogue.version_of_build(build) == version


def test_versions_follow_each_other():
    """What a version's file does not say is taken from the one that it follows."""
    found = catalogue.versions()
    assert [(v.name, v.inherits, v.root, v.powershell) for v in found.values()] == [
        ("2010", None, "V14", "2.0"),
        ("2013", None, "V15", "3.0"),
        ("2016", "2013", "V15", "4.0"),
        ("2019", "2016", "V15", "5.1"),
        ("SE", "2019", "V15", "5.1"),
    ]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (("OwaVirtualDirectory", "owa (Default Web Site)", "BasicAuthentication", "2019"), True),
        (("OwaVirtualDirectory", "owa (Exchange Back End)", "BasicAuthentication", "2019"), False),
        (("OwaVirtualDirectory", "owa (Default Web Site)", "ExternalUrl", "2016"), None),
        (
            ("OabVirtualDirectory", "OAB (Default Web Site)", "BasicAuthentication", "SE"),
            False,
        ),
        (
            ("OwaVirtualDirectory", "owa (Default Web Site)", "BasicAuthentication", "2010"),
            catalogue.UNKNOWN,
        ),
        (
            ("OwaVirtualDirectory", "owa (Default Web Site)", "BasicAuthentication", None),
            catalogue.UNKNOWN,
        ),
        (
            ("OwaVirtualDirectory", "owa (Kiosk)", "BasicAuthentication", "2019"),
            catalogue.UNKNOWN,
        ),
        (
            ("OwaVirtualDirectory", "owa (Default Web Site)", "LogonFormat", "2019"),
            catalogue.UNKNOWN,
        ),
        (("PopSettings", "1", "MaxConnections", "2019"), catalogue.UNKNOWN),
    ],
)
def test_factory_default(of, expected):
    """Only what a source says of a directory that Setup makes has a factory default."""
    assert catalogue.factory_default(*of) is expected


OWA = ("OwaVirtualDirectory", "owa (Default Web Site)")
ANYWHERE = ("OutlookAnywhere", "Rpc (Default Web Site)")


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ((*OWA, "LogonFormat", "2019"), "shell"),
        ((*OWA, None, None), "shell"),
        ((*OWA, "OWAMiniEnabled", "2010"), "shell"),
        ((*OWA, "OWAMiniEnabled", "2019"), "setup"),
        ((*OWA, "OAuthAuthentication", "2010"), "iis"),
        ((*OWA, "Path", "2019"), "iis"),
        ((*OWA, "Guid", "2019"), "setup"),
        ((*OWA, "NeverHeardOf", "2019"), "setup"),
        (("OwaVirtualDirectory", "owa (Exchange Back End)", "LogonFormat", "2019"), "setup"),
        ((*ANYWHERE, "ClientAuthenticationMethod", "2010"), "shell"),
        ((*ANYWHERE, "ClientAuthenticationMethod", "2013"), "setup"),
        ((*ANYWHERE, "ExternalHostname", None), "shell"),
        (("ExchangeCertificate", "AB12", "Services", "2019"), "shell"),
        (("ExchangeCertificate", "AB12", "Subject", "2019"), "setup"),
        (("OwaMailboxPolicy", "Default", "LogonPage", "2019"), "shell"),
        (("MailboxServer", "EX01", "Edition", "2019"), "setup"),
        (("ConfigFile", "%ExchangeInstallPath%/a : appSettings", "x", None), "file"),
        (("IisSection", "Default Web Site/owa : system.webServer/httpRedirect", "x", None), "iis"),
        (("IisSection", "Default Web Site : system.webServer/isapiFilters", "x", None), "setup"),
        (("IisSection", "Default Web Site : SYSTEM.webServer/Handlers", "x", None), "setup"),
        (("IisSection", "exchange back end/owa : system.web/pages", "x", None), "setup"),
        (("IisSite", "Exchange Back End", "serverAutoStart", None), "setup"),
        (("IisBinding", "Exchange Back End : https/*:444:", None, None), "setup"),
        (("IisApplication", "Exchange Back End/owa", "path", None), "setup"),
        (("IisApplication", "Exchange Back Ends/owa", "path", None), "iis"),
        (("IisAppPool", "MSExchangeOWAAppPool", "queueLength", None), "iis"),
    ],
)
def test_owner(of, expected):
    """A cmdlet owns what it has a parameter for in that version; else IIS, a file or Setup."""
    assert catalogue.owner(*of) == expected
