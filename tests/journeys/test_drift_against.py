"""`drift --against defaults` and `--against server:NAME`: only real differences stay."""

from __future__ import annotations

import re

import pytest
from bundles import ECP, IIS, OWA, WEB, Program, clixml, iis, path_of, vdir, web
from factory_server import INSTALL, config

AT, LATER = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"
SERVER = "exchange/ExchangeServer.clixml"
CERTIFICATES = "exchange/ExchangeCertificate.clixml"
POP = "exchange/PopSettings.clixml"
EWS = "exchange/WebServicesVirtualDirectory.clixml"
SCP = "exchange/ClientAccessService.clixml"
MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management"
PRINTS = {"EX01": "A" * 40, "EX02": "B" * 40}


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "program")


def at_defaults(program, *arguments):
    return program.run("drift", "EX01", "--against", "defaults", *arguments)


def differences(answer):
    """Give each line in short: action, path, wanted, found."""
    return [(line["action"], path_of(line), line["wanted"], line["found"]) for line in answer.lines]


def owa(server="EX01", **settings):
    fqdn = f"{server.lower()}.contoso.com"
    own = {
        "WindowsAuthentication": False,
        "InternalUrl": f"https://{fqdn}/owa",
        "MetabasePath": f"IIS://{fqdn}/W3SVC/1/ROOT/owa",
        "Path": rf"{INSTALL}\FrontEnd\HttpProxy\owa",
    }
    return vdir("Owa", **own | settings, server=server)


def exchange_server(server="EX01", **settings):
    fqdn = f"{server.lower()}.contoso.com"
    own = {"Identity": server, "Name": server, "Fqdn": fqdn, "Domain": "contoso.com"}
    return clixml(f"{MANAGEMENT}.ExchangeServer", own | settings)


def factory(text=None, **files):
    """Give the files of a server as Setup leaves it."""
    return {IIS: (text or config()).encode(), OWA: owa(), SERVER: exchange_server(), **files}


def test_a_server_as_setup_leaves_it_has_no_drift(program):
    """A server made of the tables does not differ from them, and what is unknown is counted."""
    program.take(AT, factory())
    answer = at_defaults(program)
    assert answer.code == 0, answer.out
    words = re.search(
        r"compared with factory defaults of Exchange 2019 build 15\.2\.1118\.7: "
        r"(\d+) settings compared, (\d+) with unknown default not compared: no differences",
        answer.out,
    )
    assert words is not None, answer.out
    assert int(words[1]) > 400
    assert int(words[2]) > 0


def test_json_holds_lines_only(program):
    """With --json the count goes to standard error, and standard output holds the lines."""
    program.take(AT, factory())
    answer = at_defaults(program, "--json")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.startswith("compared with factory defaults of Exchange 2019 build 15.2.1118")


ACCESS = "system.webServer/security/access"
BASIC = "system.webServer/security/authentication/basicAuthentication"
FILTERS = "IisSection[Default Web Site : system.webServer/isapiFilters]"
RUNTIME = "IisSection[MACHINE/WEBROOT/APPHOST : system.webServer/serverRuntime]"
OWA_PATH = rf"{INSTALL}\FrontEnd\HttpProxy\owa"
BINDING = '<binding protocol="http" bindingInformation="*:80:" />'
BOUND = '<binding protocol="http" bindingInformation="*:8080:" />'
CALENDAR = '<location path="Default Web Site/owa/Calendar"><system.webServer><security><access sslFlags="None" />'  # noqa: E501  as it stands there
LIVE = '<location path="Default Web Site/ecp"><system.webServer><security>'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            CALENDAR,
            CALENDAR.replace("None", "Ssl"),
            (
                "changed",
                f"IisSection[Default Web Site/owa/Calendar : {ACCESS}].sslFlags",
                [],
                ["Ssl"],
            ),
        ),
        (
            CALENDAR,
            CALENDAR.replace('<access sslFlags="None" />', ""),
            ("removed", f"IisSection[Default Web Site/owa/Calendar : {ACCESS}].sslFlags", [], None),
        ),
        (
            LIVE,
            f'{LIVE}<access sslFlags="None" />',
            ("added", f"IisSection[Default Web Site/ecp : {ACCESS}].sslFlags", None, []),
        ),
        (
            '<site name="Default Web Site" id="1">',
            '<site name="Default Web Site" id="7">',
            ("changed", "IisSite[Default Web Site].id", 1, 7),
        ),
        (
            BINDING,
            "",
            ("removed", "IisBinding[Default Web Site : http/*:80:]", {}, None),
        ),
        (
            BINDING,
            BINDING + BOUND,
            ("added", "IisBinding[Default Web Site : http/*:8080:]", None, {}),
        ),
        (
            'path="/ecp" applicationPool="MSExchangeECPAppPool"',
            'path="/ecp" applicationPool="OtherPool"',
            (
                "changed",
                "IisApplication[Default Web Site/ecp].applicationPool",
                "MSExchangeECPAppPool",
                "OtherPool",
            ),
        ),
        (
            'time="14.00:00:00"',
            'time="1.05:00:00"',
            (
                "changed",
                "IisAppPool[MSExchangeOWAAppPool].recycling.periodicRestart.time",
                "14.00:00:00",
                "1.05:00:00",
            ),
        ),
        (
            '<filter name="Exchange ActiveSync ISAPI Filter" path="AirFilter.dll" />',
            "",
            (
                "removed",
                f"{FILTERS}.[name='Exchange ActiveSync ISAPI Filter']",
                {},
                None,
            ),
        ),
        (
            'appConcurrentRequestLimit="50000"',
            'appConcurrentRequestLimit="60000"',
            (
                "changed",
                f"{RUNTIME}.appConcurrentRequestLimit",
                50000,
                60000,
            ),
        ),
        (
            f'<virtualDirectory path="/" physicalPath="{OWA_PATH}" />',
            r'<virtualDirectory path="/" physicalPath="D:\owa" />',
            (
                "changed",
                "IisVirtualDirectory[Default Web Site/owa/].physicalPath",
                OWA_PATH,
                r"D:\owa",
            ),
        ),
    ],
)
def test_each_deviation_of_iis_is_one_line(program, old, new, expected):
    """What differs from what Setup makes is one line, with both values."""
    assert old in config()
    program.take(AT, factory(config().replace(old, new, 1)))
    answer = at_defaults(program, "--json")
    assert (answer.code, differences(answer)) == (3, [expected])


def test_what_has_the_same_effect_is_no_drift(program):
    """A section that is not there and one that says the same as what it inherits are equal."""
    here = '<location path="Default Web Site/OAB"><system.webServer><security>'
    own = '<access sslFlags="Ssl,Ssl128" />'
    off = '<basicAuthentication enabled="false" />'
    text = config()
    assert here + own in text
    before, after = text.split(here + own)
    text = before + here + after.replace(off, "", 1)
    text = text.replace('bindingInformation=":443:"', 'bindingInformation="*:443:"')
    text = text.replace(r"C:\Program Files", r"c:\program files").replace("%windir%", r"C:\Windows")
    program.take(AT, factory(text))
    assert differences(at_defaults(program, "--json")) == []


def test_what_a_site_gives_to_all_below_it_is_told_once(program):
    """Where the site itself drifted, what inherits from it makes no lines of its own."""
    old = '<location path="Default Web Site"><system.webServer><security><access sslFlags="Ssl,Ssl128" />'  # noqa: E501
    assert old in config()
    program.take(AT, factory(config().replace(old, old.replace("Ssl,Ssl128", "None"))))
    assert differences(at_defaults(program, "--json")) == [
        ("changed", f"IisSection[Default Web Site : {ACCESS}].sslFlags", ["Ssl", "Ssl128"], [])
    ]


def test_a_missing_application_is_one_line(program):
    """An application that is gone is told once, without its directory and its sections."""
    text = re.sub(r'<application path="/EWS/bin".*?</application>', "", config())
    text = re.sub(r'<location path="Exchange Back End/EWS/bin">.*?</location>', "", text)
    program.take(AT, factory(text))
    assert differences(at_defaults(program, "--json")) == [
        (
            "removed",
            "IisApplication[Exchange Back End/EWS/bin]",
            {"applicationPool": "MSExchangeServicesAppPool"},
            None,
        )
    ]


def test_what_setup_does_not_make_is_one_line(program):
    """A site, an application or a directory of somebody's own is one line each."""
    own = (
        '<application path="/kiosk" applicationPool="MSExchangeOWAAppPool">'
        r'<virtualDirectory path="/" physicalPath="D:\kiosk" /></application>'
    )
    text = config().replace('<application path="/owa"', own + '<application path="/owa"', 1)
    two = vdir("Owa", Name="kiosk (Default Web Site)", Identity=r"EX01\kiosk (Default Web Site)")
    program.take(AT, factory(text))
    program.take(LATER, factory(text) | {OWA: _both(owa(), two)})
    assert [(a, p) for a, p, _, _ in differences(at_defaults(program, "--json"))] == [
        ("added", "IisApplication[Default Web Site/kiosk]"),
        ("added", "IisVirtualDirectory[Default Web Site/kiosk/]"),
        ("added", "OwaVirtualDirectory[kiosk (Default Web Site)]"),
    ]


def _both(one: bytes, other: bytes) -> bytes:
    """Put the objects of two exports into one."""
    first = other.decode("utf-8-sig")
    second = re.search(r"<Obj .*</Obj>", first)[0]
    return one.decode("utf-8-sig").replace("</Objs>", f"{second}</Objs>").encode("utf-8-sig")


def test_exchange_and_iis_tell_one_fact_in_one_line(program):
    """Basic authentication that was turned off is the cmdlet's line, which names the section."""
    old = '<location path="Default Web Site/owa"><system.webServer><security><authentication><anonymousAuthentication enabled="false" /><basicAuthentication enabled="true" />'  # noqa: E501
    assert old in config()
    text = config().replace(old, old.replace("true", "false"))
    program.take(AT, factory())
    program.take(LATER, factory(text) | {OWA: owa(BasicAuthentication=False)})
    (line,) = at_defaults(program, "--json").lines
    (logged,) = program.log()
    assert {name: line[name] for name in ("id", "wanted", "found", "also", "redo", "undo")} == {
        "id": logged["id"],
        "wanted": True,
        "found": False,
        "also": [f"IisSection[Default Web Site/owa : {BASIC}].enabled"],
        "redo": "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)'"
        " -BasicAuthentication $true",
        "undo": "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)'"
        " -BasicAuthentication $false",
    }


def test_a_change_is_known_by_its_words(program):
    """A difference that a logged change ends in carries that change's id and reason."""
    program.take(AT, factory())
    program.take(LATER, factory() | {OWA: owa(ExternalUrl="https://mail.contoso.com/owa")})
    (logged,) = program.log()
    program.run("document", logged["id"], "--reason", "Public name", "--ticket", "CHG-7")
    (line,) = at_defaults(program, "--json").lines
    assert [line[name] for name in ("id", "documented", "reason", "ticket", "wanted", "found")] == [
        *(logged["id"], True, "Public name", "CHG-7"),
        *(None, "https://mail.contoso.com/owa"),
    ]
    assert line["redo"] == (
        "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)' -ExternalUrl $null"
    )


def test_the_internal_url_is_the_servers_own(program):
    """InternalUrl is known with the server's full name, and unknown where nothing tells it."""
    files = factory() | {OWA: owa(InternalUrl="https://mail.contoso.com/owa")}
    program.take(AT, files)
    assert differences(at_defaults(program, "--json")) == [
        (
            "changed",
            "OwaVirtualDirectory[owa (Default Web Site)].InternalUrl",
            "https://ex01.contoso.com/owa",
            "https://mail.contoso.com/owa",
        )
    ]
    del files[SERVER]
    files[OWA] = owa(InternalUrl="https://mail.contoso.com/owa", MetabasePath=None)
    other = Program(program.folder / "other")
    other.take(AT, files)
    assert differences(at_defaults(other, "--json")) == []


def test_extended_protection_is_unknown_from_cu14_on(program):
    """From 2019 CU14 on Setup turns Extended Protection on, so that no value is assumed."""
    text = config().replace(
        '<windowsAuthentication enabled="true" />',
        '<windowsAuthentication enabled="true"><extendedProtection tokenChecking="Require" />'
        "</windowsAuthentication>",
    )
    program.take(AT, factory(text))
    assert len(at_defaults(program, "--json").lines) == text.count("tokenChecking") > 10
    newer = {"version": "2019", "build": "15.2.1544.4", "install_path": INSTALL}
    program.take(LATER, factory(text.replace("15.2.1118.7", "15.2.1544.4")), exchange=newer)
    assert differences(at_defaults(program, "--json")) == []


def test_a_role_that_is_not_there_is_not_missing(program):
    """On 2013 the two roles could be installed apart, so that a missing site is no drift."""
    text = re.sub(r'<site name="Exchange Back End".*?</site>', "", config())
    parted = {"version": "2013", "build": "15.0.1497.2", "install_path": INSTALL}
    program.take(AT, factory(text), exchange=parted)
    found = differences(at_defaults(program, "--json"))
    assert [path for action, path, _, _ in found if action == "removed"] == []
    assert [path for _, path, _, _ in found if "Back End" in path] == []
    whole = Program(program.folder / "other")
    whole.take(AT, factory(text))
    assert ("removed", "IisSite[Exchange Back End]", {"id": 2}, None) in differences(
        at_defaults(whole, "--json")
    )


def test_an_older_version_has_no_known_default(program):
    """Nothing is known of Exchange 2010, so everything is counted as unknown."""
    files = factory() | {OWA: owa(ExternalUrl="https://mail.contoso.com/owa")}
    program.take(AT, files, exchange={"version": "2010", "build": "14.3.513.0"})
    answer = at_defaults(program)
    assert answer.code == 0
    assert "Exchange 2010 build 14.3.513.0: 0 settings compared, " in answer.out


def test_an_unknown_build_ends_with_what_to_do(program):
    """Without a build nothing is known, and the hint says how to tell it."""
    program.take(AT, {OWA: owa()}, exchange={})
    answer = at_defaults(program)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: EX01: its build is not known, and with it what Setup makes\n"
        "hint: say it once with: changelog-tracker import PATH --build BUILD\n"
    )


def sister(server, site=1, **own):
    """Give the files of one server of a farm, where everything that names it is its own."""
    print_, fqdn = PRINTS[server], f"{server.lower()}.contoso.com"
    extra = f"""
  <location path="Default Web Site"><system.webServer><rewrite><rules>
    <rule name="all"><match url=".*" /><action type="Rewrite" url="https://{fqdn}/owa" /></rule>
  </rules></rewrite></system.webServer></location>"""
    text = iis(extra=extra).decode().replace('id="1"', f'id="{site}"')
    own.setdefault("MetabasePath", f"IIS://{fqdn}/W3SVC/{site}/ROOT/owa")
    text = text.replace(' sslFlags="0" />', f' certificateHash="{print_}" sslFlags="0" />')
    certificate = {
        "Identity": rf"{fqdn}\{print_}",
        "Thumbprint": print_,
        "Subject": f"CN={server}",
        "NotAfter": f"203{server[-1]}-01-01T00:00:00Z",
        "Services": "IIS, SMTP",
    }
    pop = {
        "Identity": rf"{server}\1",
        "Name": "1",
        "Server": server,
        "X509CertificateName": fqdn,
        "InternalConnectionSettings": f"{fqdn}:995:SSL",
    }
    return {
        IIS: text.encode(),
        OWA: owa(server, Guid=f"{server}-guid", **own),
        SERVER: exchange_server(server),
        CERTIFICATES: clixml(f"{MANAGEMENT}.ExchangeCertificate", certificate),
        POP: clixml(
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration", pop
        ),
        WEB: web(Server=fqdn, Thumbprint=print_, Log=rf"{INSTALL}\Logging\{server}\x"),
    }


def other_machine(number, install=INSTALL):
    return {
        "exchange": {"version": "2019", "build": "15.2.1118.7", "install_path": install},
        "windows": {
            "build": "10.0.17763",
            "system_root": "C:\\Windows",
            "install_date": f"2026-01-0{number}T08:00:00Z",
            "machine_sid": f"S-1-5-21-{number}",
        },
    }


def beside(program, *arguments):
    return program.run("drift", "EX01", "--against", "server:ex02", *arguments)


def test_sisters_that_differ_in_names_only_have_no_drift(program):
    """Names, full names, thumbprints, site numbers, Guids and machine facts are each one's own."""
    program.take(AT, sister("EX01"), server="EX01", **other_machine(1))
    program.take(LATER, sister("EX02", site=5), server="EX02", **other_machine(2))
    answer = beside(program)
    assert answer.out == (
        "compared with server EX02, snapshot 2 of 2026-11-02T10:00:00Z: no differences\n"
    ), answer.out
    assert answer.code == 0
    assert program.run("drift", "EX02", "--against", "server:EX01").code == 0


def test_sisters_may_be_installed_in_other_folders(program):
    """The folder of Exchange is each server's own, whatever slashes it is written with."""
    moved = {
        path.replace("files/C/Program Files/Microsoft/Exchange Server", "files/D/Exchange"): data
        if path == SERVER
        else data.replace(rb"C:\Program Files\Microsoft\Exchange Server", rb"D:\Exchange")
        for path, data in sister("EX02").items()
    }
    program.take(AT, sister("EX01"), server="EX01", **other_machine(1))
    program.take(LATER, moved, server="EX02", **other_machine(2, r"D:\Exchange\V15"))
    assert differences(beside(program, "--json")) == []


def test_a_real_difference_is_one_line_with_both_real_values(program):
    """What differs besides names shows what stands on both, and redo holds the server's name."""
    program.take(AT, sister("EX01"), server="EX01", **other_machine(1))
    program.take(
        LATER,
        sister("EX02", InternalUrl="https://ex02.contoso.com/mail", site=2),
        server="EX02",
        **other_machine(2),
    )
    answer = beside(program, "--json")
    assert differences(answer) == [
        (
            "changed",
            "OwaVirtualDirectory[owa (Default Web Site)].InternalUrl",
            "https://ex02.contoso.com/mail",
            "https://ex01.contoso.com/owa",
        )
    ]
    (line,) = answer.lines
    assert (line["server"], line["id"], answer.code) == ("EX01", None, 3)
    identity = "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)' -InternalUrl "
    assert line["redo"] == f"{identity}'https://ex01.contoso.com/mail'"
    assert line["undo"] == f"{identity}'https://ex01.contoso.com/owa'"


def test_a_thumbprint_without_a_counterpart_cannot_be_set(program):
    """Where the other server's certificate has none like it, redo is null and says why."""
    files = sister("EX02", InstantMessagingCertificateThumbprint="C" * 40)
    extra = {"Thumbprint": "C" * 40, "Subject": "CN=lync.contoso.com", "Services": "None"}
    files[CERTIFICATES] = _both(
        files[CERTIFICATES],
        clixml(f"{MANAGEMENT}.ExchangeCertificate", extra | {"Identity": f"EX02\\{'C' * 40}"}),
    )
    mine = sister("EX01", InstantMessagingCertificateThumbprint=None)
    program.take(AT, mine, server="EX01", **other_machine(1))
    program.take(LATER, files, server="EX02", **other_machine(2))
    lines = {path_of(line): line for line in beside(program, "--json").lines}
    assert sorted(lines) == [
        f"ExchangeCertificate[{'C' * 40}]",
        "OwaVirtualDirectory[owa (Default Web Site)].InstantMessagingCertificateThumbprint",
    ]
    line = lines[
        "OwaVirtualDirectory[owa (Default Web Site)].InstantMessagingCertificateThumbprint"
    ]
    assert (line["wanted"], line["redo"]) == ("C" * 40, None)
    assert line["why_not"] == "a certificate has no counterpart on EX01"


def test_a_public_name_is_no_server_name(program):
    """A server MAIL beside EX02: mail.contoso.com is where clients of both are sent."""
    public = {
        "InternalUrl": "https://mail.contoso.com/owa",
        "ExternalUrl": "https://mail.contoso.com/owa",
    }
    for at, name in ((AT, "MAIL"), (LATER, "EX02")):
        files = {OWA: vdir("Owa", server=name, **public), SERVER: exchange_server(name)}
        program.take(at, files, server=name)
    for one, other in (("MAIL", "EX02"), ("EX02", "MAIL")):
        answer = program.run("drift", one, "--against", f"server:{other}", "--json")
        assert differences(answer) == []


def test_a_secret_is_compared_by_its_fingerprint(program):
    """Two servers with the same secret are equal, and two with different ones are not."""
    for number, password in ((1, "same"), (2, "same")):
        program.take(
            f"2026-11-0{number}T10:00:00Z",
            {WEB: web(DatabasePassword=password), OWA: owa(f"EX0{number}")},
            server=f"EX0{number}",
            **other_machine(number),
        )
    assert beside(program, "--json").lines == []
    program.take(
        "2026-11-03T10:00:00Z",
        {WEB: web(DatabasePassword="other"), OWA: owa("EX02")},
        server="EX02",
        **other_machine(2),
    )
    (line,) = beside(program, "--json").lines
    assert line["setting"] == "[key='DatabasePassword'].value"
    assert line["wanted"].keys() == line["found"].keys() == {"secret"}
    assert line["redo"] is None


def test_what_one_of_both_did_not_answer_is_not_compared(program):
    """A kind that was not read on either side makes no lines, and is named with its server."""
    mine = sister("EX01") | {ECP: "access denied"}
    theirs = sister("EX02") | {
        ECP: vdir("Ecp", server="EX02"),
        EWS: vdir("WebServices", server="EX02"),
    }
    program.take(AT, mine, server="EX01", **other_machine(1))
    program.take(LATER, theirs, server="EX02", **other_machine(2))
    answer = beside(program)
    assert answer.code == 0, answer.out
    assert "EcpVirtualDirectory  never read: EX01: access denied" in answer.out
    assert "WebServicesVirtualDirectory  never read: EX01: no export of it was given" in answer.out


def test_what_only_one_version_has_is_counted(program):
    """Settings of one version are not compared, and the words say both versions and how many."""
    new = sister("EX02", BoxAttachmentsEnabled=True)
    program.take(
        AT, sister("EX01"), server="EX01", exchange={"version": "2013", "build": "15.0.1497.2"}
    )
    program.take(LATER, new, server="EX02", exchange={"version": "2019", "build": "15.2.1118.7"})
    answer = beside(program, "--json")
    assert [path_of(line) for line in answer.lines] == ["ExchangeServer[(server)].Build"]
    assert answer.err == (
        "compared with server EX02, snapshot 2 of 2026-11-02T10:00:00Z, Exchange 2019 beside 2013"
        " (settings of one version only, not compared: 1)\n"
    )


@pytest.mark.parametrize(
    ("against", "error"),
    [
        ("server:EX09", "error: EX09: is no server of this store\n"),
        ("server:ex01", "error: --against: EX01 is the server itself; expected another server\n"),
        ("server:", "error: --against: 'server:' names no server; expected such as server:EX02\n"),
    ],
)
def test_a_sister_that_cannot_be_is_one_line(program, against, error):
    """An unknown server, the server itself and no server are usage errors."""
    program.take(AT, sister("EX01"), server="EX01")
    answer = program.run("drift", "EX01", "--against", against)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(error)
