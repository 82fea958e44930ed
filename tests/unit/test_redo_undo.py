"""The redo and undo of a change: a line through the setting's owner, or why there is none."""

from __future__ import annotations

import pytest

from changelog_tracker.model import Change, Command
from changelog_tracker.replay import owners
from changelog_tracker.replay.commands import Context, redo, undo

EX01 = Context("EX01", "2019")
OWA = "owa (Default Web Site)"
SERVER = "MACHINE/WEBROOT/APPHOST"
SET_OWA = "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)'"
APPCMD = '& "$env:windir\\system32\\inetsrv\\appcmd.exe"'
ACCESS = "system.webServer/security/access"
WINDOWS = "system.webServer/security/authentication/windowsAuthentication"
ANONYMOUS = "system.webServer/security/authentication/anonymousAuthentication"
STATIC = "system.webServer/staticContent"
ERRORS = "system.webServer/httpErrors"
BASIC = "system.webServer/security/authentication/basicAuthentication"
REDIRECT = "system.webServer/httpRedirect"


def change(kind, resource, setting, before, after):
    action = "added" if before is None else "removed" if after is None else "changed"
    return Change(kind, resource, setting, action, before, after)


def section(place, name, setting, before, after):
    return change("IisSection", f"{place} : {name}", setting, before, after)


def both(of, context=EX01):
    """Redo and undo as text; a reason where there is none."""
    return tuple(each.text or each.why_not for each in (redo(of, context), undo(of, context)))


@pytest.mark.parametrize(
    ("resource", "setting", "values", "call", "arguments"),
    [
        (f"OwaVirtualDirectory {OWA}", "ExternalUrl", (None, "https://mail.contoso.com/owa"),
         SET_OWA, ("$null", "'https://mail.contoso.com/owa'")),
        (f"OwaVirtualDirectory {OWA}", "FormsAuthentication", (True, False),
         SET_OWA, ("$true", "$false")),
        (f"OwaVirtualDirectory {OWA}", "ExternalAuthenticationMethods", (["Fba"], ["Basic", "Fba"]),
         SET_OWA, ("'Fba'", "'Basic','Fba'")),
        ("ClientAccessService (server)", "AutoDiscoverServiceInternalUri",
         ("https://ex01.contoso.com/x", "https://autodiscover.contoso.com/x"),
         "Set-ClientAccessService -Identity 'EX01'",
         ("'https://ex01.contoso.com/x'", "'https://autodiscover.contoso.com/x'")),
        ("PopSettings 1", "LogPerFileSizeQuota", ("Unlimited", 10_485_760),
         "Set-PopSettings -Server 'EX01'", ("'Unlimited'", "10485760")),
        ("ImapSettings 1", "AuthenticatedConnectionTimeout", ("00:30:00", "01:00:00"),
         "Set-ImapSettings -Server 'EX01'", ("'00:30:00'", "'01:00:00'")),
        ("RpcClientAccess (server)", "MaximumConnections", (65536, 10),
         "Set-RpcClientAccess -Server 'EX01'", ("65536", "10")),
        ("OfflineAddressBook Default", "GlobalWebDistributionEnabled", (False, True),
         "Set-OfflineAddressBook -Identity 'Default'", ("$false", "$true")),
    ],
)  # fmt: skip
def test_an_exchange_setting_goes_through_its_cmdlet(resource, setting, values, call, arguments):
    """The full value, on the object as the cmdlet of that noun names it; the undo turned round."""
    kind, _, name = resource.partition(" ")
    before, after = (f"{call} -{setting} {argument}" for argument in arguments)
    assert both(change(kind, name, setting, *values)) == (after, before)


@pytest.mark.parametrize(
    ("place", "name", "setting", "values", "options"),
    [
        ("Default Web Site/x", ACCESS, "sslFlags", ([], ["Ssl", "Ssl128"]),
         ("/sslFlags:None", "/sslFlags:Ssl,Ssl128")),
        ("Default Web Site", REDIRECT, "enabled", (False, True),
         ("/enabled:False", "/enabled:True")),
        ("Default Web Site/owa", WINDOWS, "providers.[value='NTLM']", ({}, None),
         ("/+providers.[value=''NTLM'']", "/-providers.[value=''NTLM'']")),
        ("Default Web Site", STATIC, "[fileExtension='.abc']",
         (None, {"fileExtension": ".abc", "mimeType": "a/b"}),
         ("/-[fileExtension=''.abc'']", "/+[fileExtension=''.abc'',mimeType=''a/b'']")),
        ("Default Web Site/x", ERRORS, "[statusCode='404',subStatusCode='-1'].path", ("/a", "/b"),
         ("/[statusCode=''404'',subStatusCode=''-1''].path:/a",
          "/[statusCode=''404'',subStatusCode=''-1''].path:/b")),
    ],
)  # fmt: skip
def test_a_section_at_a_place_goes_through_appcmd(place, name, setting, values, options):
    """Each argument in single quotes, and written to applicationHost.config."""
    before, after = (
        f"{APPCMD} set config '{place}' '/section:{name}' '{option}' '/commit:apphost'"
        for option in options
    )
    assert both(section(place, name, setting, *values)) == (after, before)


def test_the_server_level_has_no_place():
    """MACHINE/WEBROOT/APPHOST is where appcmd writes without one."""
    of = section(SERVER, "system.webServer/serverRuntime", "appConcurrentRequestLimit", 5000, 9)
    front = f"{APPCMD} set config '/section:system.webServer/serverRuntime'"
    assert both(of) == tuple(
        f"{front} '/appConcurrentRequestLimit:{number}' '/commit:apphost'" for number in (9, 5000)
    )


def test_a_section_that_came_is_one_command_and_is_cleared_at_its_place():
    """All its attributes in one call; what stood nowhere before stands nowhere again."""
    values = {"enabled": True, "destination": "https://mail.contoso.com/owa"}
    where = f"'Default Web Site' '/section:{REDIRECT}'"
    options = "'/enabled:True' '/destination:https://mail.contoso.com/owa'"
    assert both(section("Default Web Site", REDIRECT, None, None, values)) == (
        f"{APPCMD} set config {where} {options} '/commit:apphost'",
        f"{APPCMD} clear config {where} '/commit:apphost'",
    )


@pytest.mark.parametrize(
    ("kind", "resource", "setting", "values", "target"),
    [
        ("IisSite", "Default Web Site", "logFile.period", ("Daily", "Hourly"), "site"),
        ("IisApplication", "Default Web Site/x", "applicationPool", ("A", "B"), "app"),
        (
            "IisVirtualDirectory",
            "Default Web Site/x/",
            "physicalPath",
            ("C:\\a", "D:\\b c"),
            "vdir",
        ),
        ("IisAppPool", "A", "processModel.idleTimeout", ("00:00:00", "00:20:00"), "apppool"),
    ],
)
def test_sites_applications_directories_and_pools_are_set_by_name(
    kind, resource, setting, values, target
):
    """appcmd's own objects, by the name that it lists them under."""
    front = f"{APPCMD} set {target} '/{target}.name:{resource}' '/{setting}:"
    before, after = (f"{front}{value}'" for value in values)
    assert both(change(kind, resource, setting, *values)) == (after, before)


def test_a_binding_is_an_element_of_its_site():
    """It is added with its attributes and removed by its keys."""
    name = "mail.contoso.com"
    values = {"protocol": "https", "bindingInformation": f"*:443:{name}", "sslFlags": 1}
    front = f"{APPCMD} set site '/site.name:Default Web Site'"
    keys = f"protocol=''https'',bindingInformation=''*:443:{name}''"
    of = change("IisBinding", f"Default Web Site : https/*:443:{name}", None, None, values)
    assert both(of) == (
        f"{front} '/+bindings.[{keys},sslFlags=''1'']'",
        f"{front} '/-bindings.[{keys}]'",
    )


BACK_END = "Exchange Back End"
CLEAR = f"{ACCESS}/@sslFlags"


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (change("OwaVirtualDirectory", "owa (Exchange Back End)", "GzipLevel", "Low", "Off"),
         owners.SETUP),
        (section(f"{BACK_END}/owa", ACCESS, "sslFlags", [], ["Ssl"]), owners.SETUP),
        (change("IisBinding", f"{BACK_END} : https/*:444:", None, {}, None), owners.SETUP),
        (section(SERVER, "system.webServer/globalModules", "[name='X']", None,
                 {"image": "%windir%\\System32\\inetsrv\\x.dll"}), owners.SETUP),
        (change("OwaVirtualDirectory", OWA, None, None, {"ExternalUrl": None}),
         "a whole resource came: New-OwaVirtualDirectory"),
        (change("OwaVirtualDirectory", OWA, None, {"ExternalUrl": None}, None),
         "a whole resource went: Remove-OwaVirtualDirectory"),
        (change("OwaVirtualDirectory", OWA, "WebSite", "a", "b"),
         "it is read-only: Set-OwaVirtualDirectory has no parameter for it"),
        (change("EcpVirtualDirectory", "ecp (Default Web Site)", "AppPoolId", "a", "b"),
         "only New-EcpVirtualDirectory takes it"),
        (change("OwaVirtualDirectory", OWA, "Unheard", "a", "b"),
         "Set-OwaVirtualDirectory has no parameter of this name"),
        (change("ClientAccessServer", "(server)", "IrmLogEnabled", True, False),
         "Set-ClientAccessServer has no -IrmLogEnabled in Exchange 2019"),
        (change("ClientAccessServer", "(server)", "AlternateServiceAccountCredential", "a", "b"),
         "a secret is never kept, so it is put back by hand"),
        (change("OwaVirtualDirectory", OWA, "FormsAuthentication", True, None),
         "nothing stood there, and no bool says nothing"),
        (change("OwaVirtualDirectory", OWA, "FormsAuthentication", True, "False"),
         "the value is neither true nor false"),
        (change("ExchangeServer", "(server)", "Build", "15.2.986.5", "15.2.1118.7"),
         "Setup puts back a build; the rest of a server is put back by hand"),
        (change("ConfigFile", "web.config : appSettings", "[key='a'].value", "1", "2"),
         "a key of a file: no command sets it, the file is edited by hand"),
        (section("Default Web Site", ACCESS, "sslFlags", [], None),
         f"appcmd cannot clear one attribute; Clear-WebConfiguration -Filter '{CLEAR}' does"),
        (section("Default Web Site", STATIC, "[fileExtension='''']", None, {}),
         "how appcmd takes a quote inside a key is not confirmed"),
        (section("Default Web Site", "system.webServer/defaultDocument", "files.(order)", [],
                 ["a"]),
         "appcmd has no confirmed form for (order)"),
        (section("Default Web Site", STATIC, "[1]", None, {"a": "b"}),
         "appcmd has no confirmed form for [1]"),
        (section("Default Web Site", "system.webServer/rewrite/rules", "[name='r']", None,
                 {"match": {"url": ".*"}}),
         "it holds nested elements, which one appcmd line cannot give back"),
        (section(SERVER, ERRORS, None, {"errorMode": "Detailed"}, None),
         "to clear a section of the whole server takes away more than came"),
        (section("/commit:x", STATIC, "enableDocFooter", False, True),
         "appcmd would take the place's name for an option"),
        (section("Default Web Site", STATIC, "defaultDocFooter", "a", 'say "b"'),
         "appcmd cannot take a double quote from the PowerShell prompt"),
        (change("IisAppPool", "X", "processModel.password", None, {"secret": "k:f"}),
         "a secret is never kept, so it is put back by hand"),
        (change("IisApplication", "Default Web Site/x", None, None, {"applicationPool": "A"}),
         "no one appcmd line gives or takes a whole IisApplication"),
    ],
)  # fmt: skip
def test_where_no_line_can_or_may_be_there_is_a_reason(of, why):
    """Nothing is guessed: the reason says whose it is or what is not confirmed."""
    assert redo(of, EX01) == Command(None, why)


@pytest.mark.parametrize(
    ("place", "name", "setting", "parameter"),
    [
        ("owa", BASIC, "enabled",
         "Set-OwaVirtualDirectory -BasicAuthentication"),
        ("Microsoft-Server-ActiveSync", WINDOWS, "enabled",
         "Set-ActiveSyncVirtualDirectory -WindowsAuthEnabled"),
        ("OAB", ACCESS, "sslFlags", "Set-OabVirtualDirectory -RequireSSL"),
        ("Rpc", ACCESS, "sslFlags", "Set-OutlookAnywhere -SSLOffloading"),
        ("Rpc", WINDOWS, "enabled", "Set-OutlookAnywhere -IISAuthenticationMethods"),
        ("ecp", "system.webServer/urlCompression", "doStaticCompression",
         "Set-EcpVirtualDirectory -GzipLevel"),
        ("EWS", WINDOWS, "extendedProtection.flags",
         "Set-WebServicesVirtualDirectory -ExtendedProtectionFlags"),
    ],
)  # fmt: skip
def test_a_cmdlet_owns_the_attribute_that_it_has_a_parameter_for(place, name, setting, parameter):
    """Written in IIS alone it would differ from Active Directory, so the cmdlet is named."""
    of = section(f"Default Web Site/{place}", name, setting, "a", "b")
    assert redo(of, EX01) == Command(None, f"{parameter} owns {setting}")


@pytest.mark.parametrize(
    ("place", "name", "setting", "after"),
    [
        ("owa", WINDOWS, "useKernelMode", False),
        ("owa", ANONYMOUS, "enabled", True),
        ("owa/auth", BASIC, "enabled", True),
        ("mapi", ACCESS, "sslFlags", ["Ssl"]),
        ("OAB", "system.webServer/urlCompression", "doStaticCompression", True),
        ("Microsoft-Server-ActiveSync", ACCESS, "sslFlags", ["Ssl"]),
    ],
)  # fmt: skip
def test_what_no_cmdlet_has_a_parameter_for_is_iis(place, name, setting, after):
    """The owner is decided per attribute, not per section."""
    got = redo(section(f"Default Web Site/{place}", name, setting, [], after), EX01)
    assert got.why_not is None


def test_a_client_certificate_of_activesync_is_the_cmdlets():
    """ClientCertAuth owns two of the flags, IIS the others."""
    of = section("Default Web Site/Microsoft-Server-ActiveSync", ACCESS, "sslFlags",
                 ["Ssl"], ["Ssl", "SslRequireCert"])  # fmt: skip
    assert redo(of, EX01).why_not == "Set-ActiveSyncVirtualDirectory -ClientCertAuth owns sslFlags"
