"""Hard cases: what looks like a rebuild, a build, a secret or another answer, and is not."""

from __future__ import annotations

import itertools

import pytest
from bundles import (
    ABSENT,
    ECP,
    IIS,
    OWA,
    WEB,
    WEB_NAME,
    WINDOWS,
    Program,
    bundle,
    clixml,
    iis,
    path_of,
    rows,
    stored,
    vdir,
    web,
    write,
)

FIRST, SECOND, THIRD, FOURTH = (f"2026-11-0{day}T10:00:00Z" for day in (1, 2, 3, 4))
DAYS = (FIRST, SECOND, THIRD)
# The usual order of three snapshots, and those in which one comes late.
ORDERS = tuple(itertools.permutations(range(3)))
SITES = ("Default Web Site", "Exchange Back End")
AD = "Microsoft.Exchange.Data.Directory.SystemConfiguration"
OAB = "exchange/OabVirtualDirectory.clixml"
MAPI = "exchange/MapiVirtualDirectory.clixml"
OUTLOOK_ANYWHERE = "exchange/OutlookAnywhere.clixml"
SETTINGS = f"ConfigFile[{WEB_NAME} : appSettings]"
RPC_ACCESS = "IisSection[Default Web Site/Rpc : system.webServer/security/access].sslFlags"
OAB_ACCESS = "IisSection[Default Web Site/oab : system.webServer/security/access].sslFlags"
AT_HINT = "hint: give the time at which this one was taken with --at\n"
NO_BUILD = "note: EX01: no build was found, so its defaults are unknown; give it with --build\n"


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


def classes(program: Program, *arguments: str) -> list[tuple[object, ...]]:
    """Give the change log in short: path, before, after, class."""
    return [
        (path_of(line), line["before"], line["after"], line["class"])
        for line in program.log(*arguments)
    ]


def located(place: str, inside: str) -> bytes:
    """Write an applicationHost.config with one more <location>."""
    server = f"<system.webServer>{inside}</system.webServer>"
    return iis(extra=f'<location path="{place}">{server}</location>')


def access(place: str, flags: str) -> bytes:
    """Write an applicationHost.config with the sslFlags of one place."""
    return located(place, f'<security><access sslFlags="{flags}" /></security>')


# --- what is no rebuild, and what did something by itself ----------------------------------------


def vdirs(noun: str, guids: str, noise: str) -> bytes:
    """Write the export of a directory in each site; `noise` is what nobody compares."""
    name = noun.casefold()
    own = [
        {
            "Identity": f"EX01\\{name} ({site})",
            "Name": f"{name} ({site})",
            "Server": "EX01",
            "Path": f"C:\\Exchange\\{name}",
            "WebSite": site,
            "Guid": f"{guids}-{noun}-{site}",
            "WhenChanged": noise,
        }
        for site in SITES
    ]
    return clixml(f"{AD}.AD{noun}VirtualDirectory", *own)


def two_made_again(program: Program, order: tuple[int, ...], noise: tuple[str, ...]) -> None:
    """Import: both Owa directories have new Guids from the second day on, and nothing else has."""
    for day in order:
        files = {
            OWA: vdirs("Owa", "old" if day == 0 else "new", ""),
            ECP: vdirs("Ecp", "same", noise[day]),
            MAPI: vdirs("Mapi", "same", noise[day]),
        }
        assert program.take(DAYS[day], files).code == 0


TWO_MADE_AGAIN = [
    (
        f"OwaVirtualDirectory[owa ({site})].Guid",
        f"old-Owa-{site}",
        f"new-Owa-{site}",
        "customisation",
    )
    for site in SITES
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("noise", [("1", "1", "1"), ("1", "2", "3")], ids=["same bytes", "noise"])
def test_two_of_many_directories_made_again_are_no_rebuild(program, order, noise):
    """Those that stayed count as staying, whether or not their bytes changed, early or late."""
    two_made_again(program, order, noise)
    assert classes(program) == TWO_MADE_AGAIN


def stamped_back(program: Program, order: tuple[int, ...], noise: tuple[str, ...]) -> None:
    """Import: somebody sets sslFlags of /Rpc, and the next day they are what AD says again."""
    for day in order:
        said = {
            "Identity": "EX01\\Rpc (Default Web Site)",
            "Name": "Rpc (Default Web Site)",
            "Server": "EX01",
            "Path": "C:\\Exchange\\rpc",
            "WebSite": "Default Web Site",
            "SSLOffloading": True,
            "WhenChanged": noise[day],
        }
        files = {
            OUTLOOK_ANYWHERE: clixml(f"{AD}.ADRpcHttpVirtualDirectory", said),
            IIS: access("Default Web Site/Rpc", ("None", "Ssl", "None")[day]),
        }
        assert program.take(DAYS[day], files).code == 0


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("noise", [("1", "1", "1"), ("1", "2", "3")], ids=["same bytes", "noise"])
def test_what_the_servicelet_set_back_is_its_own(program, order, noise):
    """Its class needs no change of the export that says what it stamps, early or late."""
    stamped_back(program, order, noise)
    assert classes(program) == [
        (RPC_ACCESS, [], ["Ssl"], "customisation"),
        (RPC_ACCESS, ["Ssl"], [], "servicelet"),
    ]


def test_only_the_builds_of_an_update_fold(program):
    """Addresses and versions that change beside an update look like builds and are none."""

    def allowed(address: str) -> bytes:
        rule = f'<add ipAddress="{address}" allowed="true" />'
        listed = f'<security><ipSecurity allowUnlisted="false">{rule}</ipSecurity></security>'
        return located("Default Web Site/ecp", listed)

    program.take(FIRST, {IIS: allowed("8.8.8.8"), WEB: web(allow="15.1.2.3")}, build="15.2.922.7")
    program.take(SECOND, {IIS: allowed("8.8.4.4"), WEB: web(allow="15.9.9.9")}, build="15.2.1118.7")
    section = "IisSection[Default Web Site/ecp : system.webServer/security/ipSecurity]"
    mask = {"allowed": True, "subnetMask": "255.255.255.255"}
    old, new = ({**mask, "ipAddress": address} for address in ("8.8.8.8", "8.8.4.4"))
    keys = [f"[ipAddress='{one['ipAddress']}',subnetMask='255.255.255.255']" for one in (old, new)]
    builds = ("15.2.922.7", "15.2.1118.7", "product-update")
    assert classes(program, "--unfold") == [
        ("ExchangeServer[(server)].Build", *builds),
        ("ExchangeServer[(server)].BundleBuild", *builds),
        (f"{SETTINGS}.[key='allow'].value", "15.1.2.3", "15.9.9.9", "customisation"),
        (f"{section}.{keys[0]}", old, None, "customisation"),
        (f"{section}.{keys[1]}", None, new, "customisation"),
    ]


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        ("None", [("OabVirtualDirectory[oab (Default Web Site)].RequireSSL", [OAB_ACCESS])]),
        (
            "SslNegotiateCert,SslRequireCert",
            [
                (OAB_ACCESS, None),
                ("OabVirtualDirectory[oab (Default Web Site)].RequireSSL", None),
            ],
        ),
    ],
)
def test_one_line_stands_only_for_what_it_says(program, flags, lines):
    """RequireSSL says that Ssl went; flags that came beside it need a line of their own."""
    name = "Default Web Site/oab"
    program.take(FIRST, {OAB: vdir("Oab", RequireSSL=True), IIS: access(name, "Ssl, Ssl128")})
    program.take(SECOND, {OAB: vdir("Oab", RequireSSL=False), IIS: access(name, flags)})
    assert [(path_of(line), line.get("also")) for line in program.log()] == lines


# --- secrets ------------------------------------------------------------------------------------

# Spellings of a secret below an element of any name; HUNT is where it stands.
SPELLINGS = (
    '<token value="HUNT" />',
    '<apiKey value="HUNT" />',
    '<password value="HUNT" />',
    '<add key="StorageAccountKey" value="HUNT" />',
    '<add key="Sas" value="AccountName=x;AccountKey=HUNT==" />',
    '<x pwd="HUNT" />',
    '<x userPwd="HUNT" />',
    '<x accessToken="HUNT" />',
    '<x credential="HUNT" />',
    '<x accessKey="HUNT" />',
    '<add key="LdapPass" value="HUNT" />',
    '<setting name="DbPassword"><foo /><value>HUNT</value></setting>',
    '<add key="Password" data="HUNT" />',
    '<item id="Password" value="HUNT" />',
    "<password>  <!--x-->HUNT</password>",
    "<password><value>HUNT</value></password>",
    '<x passwordValue="HUNT" />',
    '<x clientSecretKey="HUNT" />',
    '<add key="x" xml:password="HUNT" />',
    '<!-- <add key="apiKey" value="HUNT" /> -->',
    '<add key="S" value="Server=a;User=sa;Password = HUNT" />',
    '<add key="S2" value="Server=a;Pwd=\'HUNT\'" />',
    '<add key="Password" value=""><value>HUNT</value></add>',
    '<add key="Authorization" value="Basic HUNT" />',
)
# In a comment nothing is shown; the stored file must not keep it either.
COMMENTS = ("<!-- token=HUNT -->", "<!-- apiKey: HUNT -->", "<!-- password: HUNT -->")
HARMLESS = """<configuration>
<appSettings><add key="PasswordExpired" value="457" />
<add key="TokenLifetime" value="01:00:00" /></appSettings>
<system.web><httpModules><add name="TokenModule" type="Contoso.Token, Contoso" /></httpModules>
</system.web>
<custom connectionStringName="LocalSql"><store passwordFormat="Hashed" />
<passport passAnonymousToken="false" /><transport clientCredentialType="Windows" />
<policy tokenChecking="Allow" /><reference publicKeyToken="31bf3856ad364e35" /></custom>
</configuration>"""


@pytest.mark.parametrize("spelling", [*SPELLINGS, *COMMENTS])
def test_a_secret_is_kept_in_no_spelling(program, spelling):
    """Wherever a secret stands, only its fingerprint is kept, and it tells that one changed."""
    said = []
    for day, secret in zip(DAYS, ("Contoso-Hunt-1", "Contoso-Hunt-2"), strict=False):
        inside = spelling.replace("HUNT", secret)
        text = f"<configuration><custom>{inside}</custom></configuration>"
        said.append(program.take(day, {WEB: text.encode(), OWA: vdir("Owa")}))
    said += [program.run("show", "EX01", "--json", *ignored) for ignored in ((), ("--ignored",))]
    said += [program.run("log", *form) for form in (("--json",), ("--commands",))]
    assert [answer.code for answer in said] == [0] * len(said)
    assert "Contoso-Hunt" not in "".join(answer.out + answer.err for answer in said)
    assert b"Contoso-Hunt" not in stored(program)
    changed = [] if spelling.startswith("<!--") else [(["secret"], ["secret"])]
    assert [(list(line["before"]), list(line["after"])) for line in program.log()] == changed


def test_what_only_sounds_like_a_secret_stays_readable(program):
    """A format, a type, a switch, a number and a time span are no secrets."""
    program.take(FIRST, {WEB: HARMLESS.encode()})
    lines = program.run("show", "EX01", "ConfigFile*", "--json").lines
    custom, modules = f"ConfigFile[{WEB_NAME} : custom]", "system.web/httpModules"
    assert {path_of(line): line["value"] for line in lines} == {
        f"{SETTINGS}.[key='PasswordExpired'].value": "457",
        f"{SETTINGS}.[key='TokenLifetime'].value": "01:00:00",
        f"ConfigFile[{WEB_NAME} : {modules}].[name='TokenModule'].type": "Contoso.Token, Contoso",
        f"{custom}.connectionStringName": "LocalSql",
        f"{custom}.store.passwordFormat": "Hashed",
        f"{custom}.passport.passAnonymousToken": "false",
        f"{custom}.transport.clientCredentialType": "Windows",
        f"{custom}.policy.tokenChecking": "Allow",
        f"{custom}.reference.publicKeyToken": "31bf3856ad364e35",
    }


# --- redo of a whole section --------------------------------------------------------------------

MIME_MAP = '<mimeMap fileExtension=".x" mimeType="text/x" />'
RULE = '<rule name="a"><match url="x" /><action type="None" /></rule>'
NESTED = "it holds nested elements, which one appcmd line cannot give back"


@pytest.mark.parametrize(
    ("section", "inside", "option"),
    [
        (
            "httpProtocol",
            '<customHeaders><add name="X-Frame-Options" value="DENY" /></customHeaders>',
            "/+customHeaders.[name=''X-Frame-Options'',value=''DENY'']",
        ),
        ("staticContent", MIME_MAP, "/+[fileExtension=''.x'',mimeType=''text/x'']"),
        (
            "rewrite/rules",
            f"{RULE[:-7]}<conditions><add input='{{A}}' /></conditions></rule>",
            None,
        ),
    ],
)
def test_a_section_comes_back_with_its_elements(program, section, inside, option):
    """Redo adds the elements of a section as elements, or says why one line cannot."""
    opened = "".join(f"<{name}>" for name in section.split("/"))
    closed = "".join(f"</{name}>" for name in reversed(section.split("/")))
    program.take(FIRST, {IIS: iis()})
    program.take(SECOND, {IIS: located("Default Web Site/owa", opened + inside + closed)})
    appcmd = '& "$env:windir\\system32\\inetsrv\\appcmd.exe"'
    where = f"config 'Default Web Site/owa' '/section:system.webServer/{section}'"
    redo = f"{appcmd} set {where} '{option}' '/commit:apphost'" if option else None
    assert [(line["redo"], line["undo"], line.get("why_not")) for line in program.log()] == [
        (redo, f"{appcmd} clear {where} '/commit:apphost'", None if option else NESTED)
    ]


# --- what an answer says, and whose it is --------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "other"),
    [
        ({}, {"windows": {**WINDOWS, "machine_sid": "S-1-5-21-9-9-9"}}),
        ({}, {"build": "15.2.1258.12"}),
        ({ECP: ABSENT}, {}),
    ],
    ids=["another machine", "another build", "one more is absent"],
)
def test_the_same_files_with_other_facts_are_other_content(program, tmp_path, files, other):
    """What bundle.json says is content too; only the very same bundle is already known."""
    same = {OWA: vdir("Owa"), WEB: web(a="1")}
    one = bundle(tmp_path / "one", FIRST, same)
    two = bundle(tmp_path / "two", FIRST, {**same, **files}, **other)
    for first, second in ((one, two), (two, one)):
        own = Program(tmp_path / f"store-{first.name}")
        own.run("import", first)
        before = rows(own.store)
        answer = own.run("import", second)
        what = f"EX01 already has a snapshot of {FIRST} with other content"
        refused = (1, "", f"error: {second}: {what}\n{AT_HINT}")
        assert (answer.code, answer.out, answer.err) == refused
        again = own.run("import", first)
        assert (again.code, again.err) == (0, "")
        assert again.out.endswith(" is already known\n")
        assert rows(own.store) == before


def test_one_bad_file_is_refused_though_a_folder_brought_it_before(program, tmp_path):
    """What is known of a bad file in a folder does not make it good as PATH."""
    files = {"OwaVirtualDirectory.xml": vdir("Owa")[:-40], "e.xml": vdir("Ecp")}
    folder = write(tmp_path / "exports", files)
    assert program.run("import", folder, "--at", FIRST).code == 4
    before = rows(program.store)
    bad = folder / "OwaVirtualDirectory.xml"
    answer = program.run("import", bad, "--server", "EX01", "--at", SECOND)
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 2)
    assert answer.err.startswith("error: OwaVirtualDirectory.xml, line 1: not well-formed XML: ")
    assert answer.err.endswith("\nhint: take the file again, or export it again\n")
    assert rows(program.store) == before


def test_absent_is_a_reading_that_the_next_one_meets(program):
    """`not_before` of what came back is the time when it was absent, not when it was read."""
    others = {OWA: vdir("Owa")}
    for day, files in ((FIRST, {WEB: web(a="1")}), (SECOND, {WEB: ABSENT}), (THIRD, {})):
        program.take(day, {**others, **files})
    program.take(FOURTH, {**others, WEB: web(a="2")})
    assert [
        (path_of(line), line["action"], line["seen"], line["not_before"]) for line in program.log()
    ] == [(SETTINGS, "removed", SECOND, FIRST), (SETTINGS, "added", FOURTH, SECOND)]


def test_an_export_of_another_server_removes_nothing(program, tmp_path):
    """With --server EX01 an export of EX02 only says nothing of EX01: unread, with the reason."""
    own = {"exchange/owa.xml": vdir("Owa"), "exchange/ecp.xml": vdir("Ecp")}
    foreign = {**own, "exchange/owa.xml": vdir("Owa", server="EX02")}
    program.run("import", write(tmp_path / "one", own), "--at", FIRST)
    two = write(tmp_path / "two", foreign)
    answer = program.run("import", two, "--at", SECOND, "--server", "EX01")
    note = "note: objects of other servers were left out: EX02\n"
    assert (answer.code, answer.err) == (0, note + NO_BUILD)
    assert program.changes() == []
    shown = program.run("show", "EX01", "OwaVirtualDirectory[*].*", "--json").lines
    assert [line for line in shown if "unread" in line and "Owa" in line["kind"]] == [
        {
            "server": "EX01",
            "kind": "OwaVirtualDirectory",
            "unread": "its export holds objects of EX02 only",
            "since": FIRST,
        }
    ]


def test_two_servers_share_an_export_of_the_organisation(program, tmp_path):
    """The same bytes in the folders of two servers are a reading of each."""
    said = {"Identity": "\\Default OAB", "Name": "Default OAB"}
    book = clixml(f"{AD}.OfflineAddressBook", {**said, "GlobalWebDistributionEnabled": True})
    shown = []
    for name, day in (("EX01", FIRST), ("EX02", SECOND)):
        files = {"exchange/owa.xml": vdir("Owa", server=name), "exchange/oab.xml": book}
        answer = program.run("import", write(tmp_path / name, files), "--at", day)
        assert (answer.code, answer.err) == (0, NO_BUILD.replace("EX01", name))
        lines = program.run("show", name, "OfflineAddressBook[Default OAB].*", "--json").lines
        read = [line for line in lines if "value" in line]
        shown.append({path_of(line): (line["value"], line["at"] == day) for line in read})
    path = "OfflineAddressBook[Default OAB]"
    assert shown == [{f"{path}.GlobalWebDistributionEnabled": (True, True)}] * 2
