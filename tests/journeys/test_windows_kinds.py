"""What Windows keeps: bindings, registry, services, files, certificates, from bundle to manual."""

from __future__ import annotations

import itertools

import pytest
from bundles import (
    IIS,
    OWA,
    WEB,
    WINDOWS,
    Program,
    bundle,
    clixml,
    content,
    iis,
    lines,
    path_of,
    vdir,
    web,
    write,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (f"2026-11-{day:02}T10:00:00Z" for day in (2, 3, 4, 5))
BINDINGS, REGISTRY, SERVICES, FILES, CERTIFICATES = (
    f"windows/{kind}.jsonl"
    for kind in ("SslBinding", "RegistryValue", "Service", "FileEntry", "Certificate")
)
EXCHANGE = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\"
LOGON = f"{EXCHANGE}FrontEnd\\HttpProxy\\owa\\auth\\logon.aspx"
LOGON_NAME = "%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/auth/logon.aspx"
SCRIPT, THEME = f"{EXCHANGE}ClientAccess\\owa\\a.js", f"{EXCHANGE}ClientAccess\\owa\\theme\\a.png"
PAGE, SHELL = "C:\\inetpub\\wwwroot\\iisstart.htm", "C:\\inetpub\\wwwroot\\x.aspx"
OLD, NEW, OWN = "AA" * 20, "BB" * 20, "CC" * 20
LSA = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa"
APP_ID = "{4dc3e181-e14b-4a21-b022-59fc669b0914}"
REBUILT = {
    "windows": {**WINDOWS, "machine_sid": "S-1-5-21-9-9-9", "install_date": "2026-11-03T07:00:00Z"}
}


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "program")


def binding(thumbprint):
    """Give a certificate binding as the registry has it."""
    return {
        "SslCertHash": thumbprint,
        "SslCertStoreName": "MY",
        "AppId": APP_ID,
        "DefaultFlags": 0,
    }


def service(start="Auto"):
    return {"StartMode": start, "DelayedAutoStart": False, "Account": "LocalSystem"}


def certificate(subject, issuer="CN=Contoso CA"):
    return {
        "Subject": subject,
        "Issuer": issuer,
        "NotAfter": "2027-11-02T00:00:00Z",
        "DnsNames": ["mail.contoso.com", "autodiscover.contoso.com"],
        "HasPrivateKey": True,
    }


def manifest(**other):
    """Write the manifest; what is None is left out."""
    held = {LOGON: content("logon"), SCRIPT: content("script"), PAGE: content("page"), **other}
    return lines(**{name: one for name, one in held.items() if one is not None})


def server(**other):
    """Give the files of a server; what is None is left out."""
    found = {
        BINDINGS: lines(**{"0.0.0.0:443": binding(OLD), "0.0.0.0:444": binding(OWN)}),
        REGISTRY: lines(**{f"{LSA} : LmCompatibilityLevel": {"Type": "DWord", "Data": 5}}),
        SERVICES: lines(MSExchangePop3=service(), W3SVC=service()),
        FILES: manifest(),
        CERTIFICATES: lines(
            **{OLD: certificate("CN=mail"), OWN: certificate("CN=EX01", "CN=EX01")}
        ),
        **other,
    }
    return {path: data for path, data in found.items() if data is not None}


def told(line):
    """Give a line of the log without what the program makes up: who, when, ids."""
    names = ("action", "before", "after", "class", "not_before", "redo", "undo", "why_not")
    return (path_of(line), *(line.get(name) for name in names))


def drift(program, *arguments):
    """Give drift in short: path, wanted, found."""
    answer = program.run("drift", "EX01", "--json", *arguments)
    return [(path_of(one), one["wanted"], one["found"]) for one in answer.lines if "wanted" in one]


def unread(program):
    """Give what is not read now: kind, resource, reason, since."""
    found = program.run("show", "EX01", "--json").lines
    return [
        (one["kind"], one.get("resource"), one["unread"], one["since"])
        for one in found
        if "unread" in one and one["unread"] != "no export of it was given"
    ]


NO_BINDING = (
    "a certificate binding of http.sys: no script writes it, for the thumbprint of a renewed"
    " certificate is another"
)
NO_LINE = "line 1: expected an object with name and settings, or name and unread"
NO_VALUE = "a value of the registry: no script writes it"
NO_FILE = "a file's content is never kept, only its hash"


def test_every_change_is_one_line(program):
    """A binding, a service, a value, a page and a file that went: each with what can be done."""
    assert program.take(MONDAY, server()).code == 0
    value = {"Type": "DWord", "Data": 1}
    changed = server(
        **{
            BINDINGS: lines(**{"0.0.0.0:443": binding(NEW), "0.0.0.0:444": binding(OWN)}),
            REGISTRY: lines(
                **{
                    f"{LSA} : LmCompatibilityLevel": {"Type": "DWord", "Data": 5},
                    f"{LSA} : SuppressExtendedProtection": value,
                }
            ),
            SERVICES: lines(MSExchangePop3=service("Manual"), W3SVC=service()),
            FILES: manifest(**{LOGON: content("ours"), PAGE: None}),
        }
    )
    assert program.take(TUESDAY, changed).code == 0
    assert [told(line) for line in program.log()] == [
        (
            "FileEntry[C:/inetpub/wwwroot/iisstart.htm]", "removed", content("page"), None,
            "customisation", MONDAY, None, None, NO_FILE,
        ),
        (
            f"RegistryValue[{LSA} : SuppressExtendedProtection]", "added", None, value,
            "customisation", MONDAY, None, None, NO_VALUE,
        ),
        (
            f"FileEntry[{LOGON_NAME}].Content", "changed", content("logon")["Content"],
            content("ours")["Content"], "customisation", MONDAY, None, None, NO_FILE,
        ),
        (
            "Service[MSExchangePop3].StartMode", "changed", "Auto", "Manual", "customisation",
            MONDAY, "Set-Service -Name 'MSExchangePop3' -StartupType 'Manual'",
            "Set-Service -Name 'MSExchangePop3' -StartupType 'Automatic'", None,
        ),
        (
            "SslBinding[0.0.0.0:443].SslCertHash", "changed", OLD, NEW, "customisation", MONDAY,
            None, None, NO_BINDING,
        ),
    ]  # fmt: skip
    text = program.run("log").out
    assert "inside:" not in text
    assert drift(program) == program.changes()


def test_show_tells_where_each_comes_from(program):
    """Settings with their origin; the kinds that were given, and the facts of Windows."""
    more = {"features": ["W3SVC", "ASPNET45"], "url_rewrite": "7.2.1993", "powershell": "5.1"}
    schema = {"iis_schema": ["rewrite_schema.xml", "IIS_schema.xml"]}
    exchange = {
        "version": "2019", "build": "15.2.1118.7", "install_path": EXCHANGE, "shell": "endpoint",
    }  # fmt: skip
    program.take(MONDAY, server(), windows={**WINDOWS, **more, **schema}, exchange=exchange)
    shown = program.run("show", "EX01", "--json").lines
    origins = {line["kind"]: line["origin"] for line in shown if "origin" in line}
    assert origins == {
        "Certificate": "certificate store, Cert:\\LocalMachine\\My",
        "ExchangeServer": "Get-ExchangeServer",
        "FileEntry": "manifest of files",
        "RegistryValue": "registry",
        "Service": "registry, HKLM\\SYSTEM\\CurrentControlSet\\Services",
        "SslBinding": "registry, HKLM\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\Parameters",
    }
    facts = {one["setting"]: one["value"] for one in shown if one["kind"] == "ExchangeServer"}
    assert {name: facts[name] for name in facts if name not in WITHOUT} == {
        "WindowsFeatures": ["ASPNET45", "W3SVC"],
        "UrlRewriteVersion": "7.2.1993",
        "IisSchemaFiles": ["IIS_schema.xml", "rewrite_schema.xml"],
        "PowerShellVersion": "5.1",
    }
    values = program.run("show", "EX01", "FileEntry[*logon.aspx]", "--json").lines
    assert [line["value"] for line in values] == [content("logon")["Content"]]
    (snapshot,) = program.run("snapshots", "--json").lines
    kinds = {"Certificate", "FileEntry", "RegistryValue", "Service", "SslBinding"}
    assert kinds - {*snapshot["kinds_read"]} == set()
    assert kinds & {*snapshot["kinds_unread"]} == set()


OF = ("--server", "EX01", "--build", "15.2.1118.7")
WITHOUT = (
    "Build", "BundleBuild", "InstallPath", "MachineSid", "TimeZone", "WindowsBuild",
    "WindowsInstallDate",
)  # fmt: skip


def test_a_bundle_of_before_says_nothing_of_these_kinds(program):
    """An old bundle imports as it did; that nobody gave these kinds is no gap."""
    program.take(MONDAY, {WEB: web(a="1")})
    shown = program.run("show", "EX01", "--json").lines
    kinds = {"Certificate", "FileEntry", "RegistryValue", "Service", "SslBinding"}
    assert kinds & {line["kind"] for line in shown} == set()
    assert [line["setting"] for line in shown if line["kind"] == "ExchangeServer"] == [*WITHOUT]
    assert (
        kinds & {line["kind"] for line in program.run("log", "--coverage", "--json").lines} == set()
    )
    program.take(TUESDAY, {WEB: web(a="1"), FILES: manifest()})
    assert program.log() == []


# --- what was not read ----------------------------------------------------------------------------


def test_one_file_that_was_not_read_stays_as_it_was_known(program):
    """It is named, is no removal, and is compared with what it was when it can be read again."""
    program.take(MONDAY, server())
    answer = program.take(TUESDAY, server(**{FILES: manifest(**{SCRIPT: "in use"})}))
    name = "%ExchangeInstallPath%/ClientAccess/owa/a.js"
    assert (answer.code, answer.err) == (4, f"error: FileEntry: not read: {name}: in use\n")
    assert unread(program) == [("FileEntry", name, "in use", MONDAY)]
    again = program.take(WEDNESDAY, server(**{FILES: manifest(**{SCRIPT: "in use"})}))
    assert (again.code, again.err) == (4, answer.err)
    assert unread(program) == [("FileEntry", name, "in use", MONDAY)]
    shown = program.run("show", "EX01", "FileEntry[*a.js]", "--json").lines
    assert [line.get("value") for line in shown] == [content("script")["Content"], None]
    assert (program.log(), drift(program)) == ([], [])
    (coverage,) = [
        line for line in program.run("log", "--coverage", "--json").lines
        if line["kind"] == "FileEntry"
    ]  # fmt: skip
    assert coverage["gaps"][0]["reason"] == f"not read: {name}: in use"
    answer = program.take(THURSDAY, server(**{FILES: manifest(**{SCRIPT: content("new")})}))
    assert (answer.code, unread(program)) == (0, [])
    assert [told(line)[:6] for line in program.log()] == [
        (
            f"FileEntry[{name}].Content", "changed", content("script")["Content"],
            content("new")["Content"], "customisation", MONDAY,
        )
    ]  # fmt: skip
    assert program.run("check", "--read-data").code == 0


def test_a_folder_that_was_not_read_keeps_all_below_it(program):
    """Its name ends with a slash; a file of another folder that went did go."""
    files = {THEME: content("theme"), SHELL: content("shell")}
    program.take(MONDAY, server(**{FILES: manifest(**files)}))
    below = f"{EXCHANGE}ClientAccess\\owa\\"
    denied = manifest(**{SCRIPT: None, below: "access denied", PAGE: None})
    answer = program.take(TUESDAY, server(**{FILES: denied}))
    name = "%ExchangeInstallPath%/ClientAccess/owa/"
    assert answer.err == f"error: FileEntry: not read: {name}: access denied\n"
    assert unread(program) == [("FileEntry", name, "access denied", MONDAY)]
    assert sorted(path_of(line) for line in program.log()) == [
        "FileEntry[C:/inetpub/wwwroot/iisstart.htm]",
        "FileEntry[C:/inetpub/wwwroot/x.aspx]",
    ]
    program.take(WEDNESDAY, server(**{FILES: manifest(**{SCRIPT: "in use", THEME: "in use"})}))
    assert ("FileEntry", name, "access denied", MONDAY) not in unread(program)
    program.take(THURSDAY, server(**{FILES: manifest(**{SCRIPT: None})}))
    (coverage,) = [
        line for line in program.run("log", "--coverage", "--json").lines
        if line["kind"] == "FileEntry"
    ]  # fmt: skip
    assert [gap["reason"] for gap in coverage["gaps"][:2]] == [
        f"not read: {name}: access denied",
        "not read: 2 resources: in use",
    ]
    assert [told(line)[:2] for line in program.log()[2:]] == [
        ("FileEntry[C:/inetpub/wwwroot/iisstart.htm]", "added"),
        ("FileEntry[%ExchangeInstallPath%/ClientAccess/owa/a.js]", "removed"),
        ("FileEntry[%ExchangeInstallPath%/ClientAccess/owa/theme/a.png]", "removed"),
    ]
    assert program.run("check", "--read-data").code == 0


def test_a_kind_that_was_not_read_is_no_removal(program):
    """Unread by bundle.json, broken, or not given: what was known stays, and the reason is told."""
    program.take(MONDAY, server())
    broken = server(**{SERVICES: "access denied", REGISTRY: b"{}\n", BINDINGS: None})
    answer = program.take(TUESDAY, broken)
    assert answer.code == 4
    assert sorted(answer.err.splitlines()) == [
        "error: Service: not read: access denied",
        f"error: windows/RegistryValue.jsonl, {NO_LINE}",
        "hint: make the bundle again on the server; nobody edits these files",
    ]
    assert unread(program) == [
        (
            "RegistryValue",
            None,
            NO_LINE,
            MONDAY,
        ),
        ("Service", None, "access denied", MONDAY),
        ("SslBinding", None, "not in this import", MONDAY),
    ]
    assert program.take(WEDNESDAY, server()).code == 0
    assert (program.log(), unread(program)) == ([], [])


def test_without_applicationhost_the_manifest_is_not_believed(program):
    """Files of a folder that only IIS knows of would be missing in it: nothing has gone."""
    program.take(MONDAY, server(**{IIS: iis()}))
    answer = program.take(TUESDAY, server(**{IIS: "denied", FILES: manifest(**{PAGE: None})}))
    why = "applicationHost.config was not read, so nobody knows which folders it is about"
    assert (answer.code, ("FileEntry", None, why, MONDAY) in unread(program)) == (4, True)
    assert program.log() == []


def test_the_order_in_which_snapshots_come_in_does_not_matter(tmp_path):
    """A file that was not read says nothing of it, whichever snapshot came in last."""
    states = [manifest(), manifest(**{SCRIPT: content("2")}), manifest(**{SCRIPT: "denied"})]
    states.append(manifest(**{SCRIPT: content("3")}))
    times = (MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    found = set()
    for order in itertools.permutations(range(4)):
        program = Program(tmp_path / "".join(map(str, order)))
        for n in order:
            assert program.take(times[n], {FILES: states[n]}).code in {0, 4}
        found.add(str([told(line)[:6] for line in program.log()]))
    name = "FileEntry[%ExchangeInstallPath%/ClientAccess/owa/a.js].Content"
    one, two, three = (content(text)["Content"] for text in ("script", "2", "3"))
    assert found == {
        str(
            [
                (name, "changed", one, two, "customisation", MONDAY),
                (name, "changed", two, three, "customisation", TUESDAY),
            ]
        )
    }


# --- events ---------------------------------------------------------------------------------------


def test_a_product_update_folds_the_files_of_exchange(program):
    """Five hundred files of a new build are one line; a page of wwwroot is a line of its own."""
    old = {f"{EXCHANGE}ClientAccess\\owa\\15.2.1118.7\\{n}.js": content("a") for n in range(250)}
    new = {f"{EXCHANGE}ClientAccess\\owa\\15.2.1258.12\\{n}.js": content("b") for n in range(250)}
    both = [{f"{EXCHANGE}FrontEnd\\{n}.js": content(text) for n in range(250)} for text in "ab"]
    program.take(MONDAY, server(**{FILES: manifest(**old, **both[0])}))
    update = manifest(**new, **both[1], **{LOGON: content("new"), PAGE: content("ours")})
    program.take(TUESDAY, server(**{FILES: update}), build="15.2.1258.12")
    build, page = program.log()
    assert (path_of(build), build["class"], build["folded"]) == (
        "ExchangeServer[(server)].Build", "product-update", 1 + 1 + 250 + 3 * 250,
    )  # fmt: skip
    assert (path_of(page), page["class"]) == (
        "FileEntry[C:/inetpub/wwwroot/iisstart.htm].Content", "customisation",
    )  # fmt: skip
    unfolded = program.log("--unfold")
    assert {line["class"] for line in unfolded[1:-1]} == {"product-update"}


def test_a_certificate_that_exchange_tells_too_is_one_line(program):
    """The line of Exchange names the other; without Exchange, Windows has its own."""

    def exported(*thumbprints):
        kind = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"
        held = [{"Thumbprint": one, "Subject": f"CN={one[:2]}"} for one in thumbprints]
        return clixml(kind, *held)

    path = "exchange/ExchangeCertificate.clixml"
    program.take(MONDAY, server(**{path: exported(OLD, OWN)}))
    more = {OLD: certificate("CN=mail"), OWN: certificate("CN=EX01", "CN=EX01")}
    more[NEW] = certificate("CN=new")
    program.take(TUESDAY, server(**{path: exported(OLD, OWN, NEW), CERTIFICATES: lines(**more)}))
    (line,) = program.log()
    assert (path_of(line), line["also"]) == (
        f"ExchangeCertificate[{NEW}]", [f"Certificate[{NEW}]"],
    )  # fmt: skip


def test_secrets_of_the_registry_are_fingerprints(program):
    """A value that should not have been read is not kept; what only sounds like one is."""
    values = {
        f"{LSA} : ProxyPassword": {"Type": "String", "Data": "hunter2-hunter2"},
        f"{LSA} : ChangeExpiredPasswordEnabled": {"Type": "DWord", "Data": 1},
        f"{LSA} : Proxy": {"Type": "MultiString", "Data": ["a", "password=hunter2-hunter2"]},
    }
    program.take(MONDAY, server(**{REGISTRY: lines(**values)}))
    shown = program.run("show", "EX01", "RegistryValue", "--json")
    assert "hunter2" not in shown.out
    held = {path_of(line).rpartition(" : ")[2]: line["value"] for line in shown.lines}
    assert (held["ChangeExpiredPasswordEnabled].Data"], held["ProxyPassword].Type"]) == (
        1,
        "String",
    )
    assert held["ProxyPassword].Data"].keys() == {"secret"}
    assert [type(one) for one in held["Proxy].Data"]] == [str, dict]


def test_service_names_that_are_strange_get_no_command(program):
    """A name with a quote is never written into a line for the prompt."""
    name = "MSExchange'; Remove-Item x"
    program.take(MONDAY, {SERVICES: lines(**{name: service()})})
    program.take(TUESDAY, {SERVICES: lines(**{name: service("Disabled")})})
    (line,) = program.log()
    assert (line["redo"], line["undo"], line["why_not"]) == (None, None, "a strange name")


# --- files without bundle.json --------------------------------------------------------------------


def test_a_loose_folder_is_known_by_folder_and_name(program, tmp_path):
    """windows/KIND.jsonl is read without bundle.json; two of one kind are none."""
    folder = write(tmp_path / "loose", {f"stick/{FILES}": manifest(), SERVICES: lines(A=service())})
    answer = program.run("import", folder, *OF, "--at", MONDAY)
    assert (answer.code, answer.err) == (0, "")
    shown = program.run("show", "EX01", "--json").lines
    kinds = {line["kind"] for line in shown if "value" in line}
    assert kinds == {"ExchangeServer", "FileEntry", "Service"}
    write(folder, {f"other/{SERVICES}": lines(B=service())})
    answer = program.run("import", folder, *OF, "--at", TUESDAY)
    what = "windows/Service.jsonl: a second file that tells Service; expected one"
    assert (answer.code, answer.err.splitlines()[0]) == (4, f"error: {what}")
    assert program.log() == []


def test_a_file_by_itself_is_known_by_its_name(program, tmp_path):
    """A file of C:\\Windows that has such a name is none."""
    folder = write(tmp_path / "one", {"Service.jsonl": lines(A=service())})
    file = folder / "Service.jsonl"
    assert program.run("import", file, *OF, "--at", MONDAY).code == 0
    assert program.run("show", "EX01", "Service", "--json").lines[0]["resource"] == "A"
    other = write(tmp_path / "other", {"files/C/Windows/Service.jsonl": b"x\n", WEB: web(a="1")})
    answer = program.run("import", other, *OF, "--at", TUESDAY)
    assert "Service.jsonl: not a kind of file that is read" in answer.err
    bad = write(tmp_path / "bad", {"Service.jsonl": b"x\n"}) / "Service.jsonl"
    answer = program.run("import", bad, *OF, "--at", TUESDAY)
    assert (answer.code, answer.err.splitlines()[0]) == (
        1, "error: Service.jsonl, line 1: is not valid JSON: Expecting value",
    )  # fmt: skip


def test_a_file_that_is_not_listed_is_refused(program, tmp_path):
    """windows is covered by the readings of bundle.json, as exchange and files are."""
    write(tmp_path / "program" / "bundle0", {SERVICES: lines(A=service())})
    answer = program.run("import", bundle(tmp_path / "program" / "bundle0", MONDAY, {WEB: web()}))
    assert (answer.code, answer.err.splitlines()[0].partition(": ")[2].partition(": ")[2]) == (
        1, "windows/Service.jsonl: bundle.json does not list it",
    )  # fmt: skip


# --- drift, verify, replay ------------------------------------------------------------------------


def test_between_sisters_only_what_is_no_servers_own_differs(program):
    """Thumbprints and certificates are each one's own; a page and a start type are not."""
    program.take(MONDAY, server())
    other = server(
        **{
            BINDINGS: lines(**{"0.0.0.0:443": binding(NEW), "0.0.0.0:444": binding("DD" * 20)}),
            CERTIFICATES: lines(**{NEW: certificate("CN=mail")}),
            SERVICES: lines(MSExchangePop3=service("Manual"), W3SVC=service()),
            FILES: manifest(**{LOGON: content("ours"), SCRIPT: "in use"}),
        }
    )
    program.take(MONDAY, other, server="EX02")
    assert drift(program, "--against", "server:EX02") == [
        (
            f"FileEntry[{LOGON_NAME}].Content",
            content("ours")["Content"],
            content("logon")["Content"],
        ),
        ("Service[MSExchangePop3].StartMode", "Manual", "Auto"),
    ]
    told_unread = program.run("drift", "EX01", "--against", "server:EX02").out
    assert "%ExchangeInstallPath%/ClientAccess/owa/a.js]  never read: EX02: in use" in told_unread


def test_drift_against_the_baseline_takes_what_was_last_known(program):
    """A file that changed since, and then was not read, still differs."""
    program.take(MONDAY, server())
    program.run("baseline", "set", "EX01")
    program.take(TUESDAY, server(**{FILES: manifest(**{SCRIPT: content("2")})}))
    program.take(WEDNESDAY, server(**{FILES: manifest(**{SCRIPT: "in use"})}))
    name = "FileEntry[%ExchangeInstallPath%/ClientAccess/owa/a.js].Content"
    differs = [(name, content("script")["Content"], content("2")["Content"])]
    assert drift(program) == drift(program, "--against", "baseline") == differs
    assert drift(program, "--against", "previous") == []


def test_verify_says_what_is_not_read_and_leaves_out_a_renewed_certificate(program):
    """After a recovery: self-signed certificates are anew, so is what 444 shows; files are told."""
    program.take(MONDAY, server())
    anew = "DD" * 20
    rebuilt = server(
        **{
            BINDINGS: lines(**{"0.0.0.0:443": binding(anew), "0.0.0.0:444": binding(anew)}),
            CERTIFICATES: lines(**{anew: certificate("CN=EX01", "CN=EX01")}),
            SERVICES: lines(MSExchangePop3=service("Manual"), W3SVC=service()),
            FILES: manifest(**{LOGON: content("factory"), SCRIPT: "in use", SHELL: content("x")}),
        }
    )
    program.take(TUESDAY, rebuilt, **REBUILT)
    answer = program.run("verify", "EX01", "--json")
    assert answer.code == 3
    assert sorted(path_of(one) for one in answer.lines if "wanted" in one) == [
        f"Certificate[{OLD}]",
        "FileEntry[%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/auth/logon.aspx].Content",
        "FileEntry[C:/inetpub/wwwroot/x.aspx]",
        "Service[MSExchangePop3].StartMode",
        "SslBinding[0.0.0.0:443].SslCertHash",
    ]
    assert [(one["resource"], one["unread"]) for one in answer.lines if "unread" in one] == [
        ("%ExchangeInstallPath%/ClientAccess/owa/a.js", "in use")
    ]


def replayed(program, folder):
    """Make a replay; give the headings and items of manual.md, each item under its heading."""
    answer = program.run("replay", "EX01", "-o", folder)
    assert answer.code == 0, answer.err
    found = {}
    for line in (folder / "manual.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading = found.setdefault(line.removeprefix("## "), [])
        elif line.startswith("- [ ] "):
            heading.append(line.removeprefix("- [ ] ").strip("`"))
    return found


def test_replay_leaves_all_of_it_to_a_person(program, tmp_path):
    """Nothing becomes a step; manual.md names each under what is to be done."""
    added = {f"{LSA} : X": {"Type": "DWord", "Data": 1}}
    program.take(MONDAY, server(**{OWA: vdir("Owa")}))
    rebuilt = server(
        **{
            OWA: vdir("Owa"),
            BINDINGS: lines(**{"0.0.0.0:443": binding(NEW), "0.0.0.0:444": binding(NEW)}),
            CERTIFICATES: lines(**{NEW: certificate("CN=EX01", "CN=EX01")}),
            REGISTRY: lines(**added),
            SERVICES: lines(MSExchangePop3=service("Manual"), W3SVC=service()),
            FILES: manifest(**{LOGON: content("factory"), SHELL: content("x"), PAGE: None}),
        }
    )
    program.take(TUESDAY, rebuilt, **REBUILT)
    folder = tmp_path / "plan"
    assert replayed(program, folder) == {
        "Files that nobody knows (1)": ["FileEntry[C:/inetpub/wwwroot/x.aspx]"],
        "Files of pages and folders (2)": [
            "FileEntry[C:/inetpub/wwwroot/iisstart.htm]",
            f"FileEntry[{LOGON_NAME}].Content",
        ],
        "Certificate bindings (1)": ["SslBinding[0.0.0.0:443].SslCertHash"],
        "Certificate binding of the Exchange Back End (1)": ["SslBinding[0.0.0.0:444].SslCertHash"],
        "Certificates of the computer (3)": [
            f"Certificate[{NEW}]",
            f"Certificate[{OLD}]",
            f"Certificate[{OWN}]",
        ],
        "Services (1)": ["Service[MSExchangePop3].StartMode"],
        "Registry (2)": [
            f"RegistryValue[{LSA} : X]",
            f"RegistryValue[{LSA} : LmCompatibilityLevel]",
        ],
    }
    script = (folder / "replay.ps1").read_bytes()
    for word in (b"Set-Service", b"logon.aspx", b"reg.exe", b"LmCompatibilityLevel"):
        assert word not in script


def test_replay_names_a_customised_file_that_a_later_build_would_hide(program, tmp_path):
    """Recovered with a later build all files differ: those that somebody changed are named."""
    files = {n: content("a") for n in (f"{EXCHANGE}FrontEnd\\{n}.js" for n in range(3))}
    later = {name: content("b") for name in files}
    program.take(MONDAY, server(**{FILES: manifest(**files)}))
    program.take(TUESDAY, server(**{FILES: manifest(**files, **{LOGON: content("ours")})}))
    rebuilt = server(**{FILES: manifest(**later, **{LOGON: content("factory")})})
    program.take(WEDNESDAY, rebuilt, build="15.2.1258.12", **REBUILT)
    found = replayed(program, tmp_path / "plan")
    assert found == {
        "Files of pages and folders (1)": [f"FileEntry[{LOGON_NAME}].Content"],
        "Builds and updates (1)": ["ExchangeServer[(server)].Build"],
    }


# --- nouns that are read and shown ----------------------------------------------------------------


def test_the_state_of_a_component_is_logged_by_component(program):
    """One resource a component; when it was asked is noise, its state is a change."""

    def states(proxy, at):
        kind = "Microsoft.Exchange.Data.Directory.Management.ServerComponentStatePresentationObject"
        named = [("OwaProxy", proxy), ("ServerWideOffline", "Active")]
        return clixml(
            kind,
            *(
                {
                    "ServerFqdn": "EX01.contoso.com",
                    "Component": component,
                    "State": state,
                    "Identity": "EX01",
                    "Timestamp": at,
                }
                for component, state in named
            ),
        )

    path = "exchange/ServerComponentState.clixml"
    program.take(MONDAY, {path: states("Active", MONDAY)})
    program.take(TUESDAY, {path: states("Active", TUESDAY)})
    assert program.log() == []
    program.take(WEDNESDAY, {path: states("Inactive", WEDNESDAY)})
    (line,) = program.log()
    assert told(line) == (
        "ServerComponentState[OwaProxy].State", "changed", "Active", "Inactive", "customisation",
        TUESDAY, None, None,
        "Set-ServerComponentState needs a requester, which no snapshot tells",
    )  # fmt: skip


def test_what_the_audit_log_leaves_out_is_logged(program):
    """AdminAuditLogConfig is of the organisation, and named by its Name."""

    def audit(**settings):
        kind = "Microsoft.Exchange.Data.Directory.SystemConfiguration.AdminAuditLogConfig"
        name = "Admin Audit Log Settings"
        return clixml(kind, {"Name": name, "Identity": name, **settings})

    path = "exchange/AdminAuditLogConfig.clixml"
    program.take(MONDAY, {path: audit(AdminAuditLogEnabled=True)})
    program.take(TUESDAY, {path: audit(AdminAuditLogEnabled=False)})
    assert program.changes() == [
        ("AdminAuditLogConfig[Admin Audit Log Settings].AdminAuditLogEnabled", True, False)
    ]
