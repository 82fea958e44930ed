"""`verify`: a recovered server is proved to be as it was, or told what speaks against it."""

from __future__ import annotations

import pytest
from bundles import ECP, IIS, OWA, WEB, WINDOWS, Program, clixml, path_of, vdir, web

BEFORE, REBUILT, LATER = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z", "2026-11-03T10:00:00Z"
URL = "https://mail.contoso.com/owa"
OAB = "exchange/OabVirtualDirectory.clixml"
CERTIFICATES = "exchange/ExchangeCertificate.clixml"
POWERSHELL = "exchange/PowerShellVirtualDirectory.clixml"
NEW_WINDOWS = {
    "windows": {
        **WINDOWS,
        "machine_sid": "S-1-5-21-9-9-9",
        "install_date": "2026-11-02T07:00:00Z",
    }
}
DIRECTORIES = {OWA: "Owa", ECP: "Ecp", OAB: "Oab"}
APHOST = "MACHINE/WEBROOT/APPHOST"
AGAIN = "do not patch it: run Setup /m:RecoverServer again"
HASH = "A" * 40


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "program")


def iis(apps=("owa", "ecp", "OAB"), *, key="1", password="one", folder=None, binding=""):
    """Write applicationHost.config with these applications, and a pool with a password."""
    applications = "".join(
        f'<application path="/{app}"><virtualDirectory path="/" physicalPath="C:\\{app}" />'
        "</application>"
        for app in apps
    )
    access = '<system.webServer><security><access sslFlags="Ssl" /></security></system.webServer>'
    place = f"Default Web Site/owa/{folder}"
    location = f'<location path="{place}">{access}</location>' if folder else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <configProtectedData><providers>
    <add name="AesProvider" sessionKey="key{key}" useOAEP="false" />
  </providers></configProtectedData>
  <system.applicationHost>
    <applicationPools>
      <add name="Reports">
        <processModel userName="CONTOSO\\reports" password="[enc:AesProvider:{password}:enc]" />
      </add>
    </applicationPools>
    <sites>
      <site name="Default Web Site" id="1">
        <application path="/"><virtualDirectory path="/" physicalPath="C:\\www" /></application>
        {applications}
        <bindings>
          <binding protocol="https" bindingInformation="*:443:" sslFlags="0" {binding}/>
        </bindings>
      </site>
    </sites>
  </system.applicationHost>
  {location}
</configuration>
""".encode()


def certificate(thumbprint, subject="CN=EX01", *, services="IIS, SMTP", self_signed=True):
    """Write the export of one certificate."""
    return clixml(
        "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
        {
            "Thumbprint": thumbprint,
            "Subject": subject,
            "Issuer": subject if self_signed else "CN=Contoso CA",
            "IsSelfSigned": self_signed,
            "Services": services,
        },
    )


def server(generation="0", **files):
    """Give the files of a server whose directories were made in one go."""
    guid = f"{generation * 8}-0000-0000-0000-000000000000"
    found = {
        path: vdir(noun, Guid=f"{guid[:-1]}{n}", ExternalUrl=URL)
        for n, (path, noun) in enumerate(DIRECTORIES.items())
    }
    return {**found, IIS: iis(), WEB: web(Banner="ours"), **files}


def rebuilt(**files):
    """Give the files of the same server, rebuilt and put back as it was."""
    return {**server("1"), IIS: iis(key="2", password="two"), **files}


def signs(answer):
    """Give the signs in short: place, sign, advice."""
    return [
        (line["place"], line["sign"], line["advice"]) for line in answer.lines if "sign" in line
    ]


def differences(answer):
    """Give the differences in short: path, wanted, found."""
    return [(path_of(one), one["wanted"], one["found"]) for one in answer.lines if "wanted" in one]


def told(answer):
    """Give what text says behind the differences, by its label."""
    text = answer.out if "result: " in answer.out else answer.err
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("verified: "))
    return dict(line.split(": ", 1) for line in lines[start:])


# --- what is wanted -------------------------------------------------------------------------------


def test_a_server_put_back_as_it_was_ends_with_0(program):
    """What any rebuilt server has anew is no difference; all that is told is whole."""
    program.take(BEFORE, server())
    program.take(REBUILT, rebuilt(), **NEW_WINDOWS)
    answer = program.run("verify", "EX01")
    wanted = (
        "snapshot 1 of 2026-11-01T10:00:00Z, the last before the rebuild seen 2026-11-02T10:00:00Z"
    )
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == f"compared with {wanted}: no differences"
    assert told(answer) == {
        "verified": f"snapshot 2 of 2026-11-02T10:00:00Z against {wanted}",
        "as wanted": "29 of 29 settings compared; 1 encrypted value not compared, for each machine "
        "encrypts with its own key",
        "server": "it is not the one of that time, but rebuilt: machine SID S-1-5-21-9-9-9 where "
        "it was S-1-5-21-1-2-3, Windows installation date 2026-11-02T07:00:00Z where it was "
        "2026-01-05T08:00:00Z and 3 of 3 Guids anew",
        "result": "all is as wanted",
        "next": "check what no tool checks (logons, the certificates on 443 and 444, component "
        "states), then accept it: changelog-tracker baseline set EX01",
    }
    assert program.run("verify", "EX01", "--json").out == ""


def test_what_still_differs_is_listed(program):
    """Each setting that is missing is one line, and the exit code is 3."""
    program.take(BEFORE, server())
    lost = rebuilt(**{OWA: vdir("Owa", Guid="9" * 8 + "-0000-0000-0000-000000000009")})
    program.take(REBUILT, {**lost, WEB: web(Banner="default")}, **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert answer.code == 3
    assert differences(answer) == [
        (
            (
                "ConfigFile[%ExchangeInstallPath%/ClientAccess/owa/web.config : appSettings]"
                ".[key='Banner'].value"
            ),
            "ours",
            "default",
        ),
        ("OwaVirtualDirectory[owa (Default Web Site)].ExternalUrl", URL, None),
    ]
    line = answer.lines[1]
    assert line["redo"] == (
        f"Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)' -ExternalUrl '{URL}'"
    )
    assert line["id"].startswith("2.1.")
    assert told(answer)["as wanted"].startswith("27 of 29 settings compared; ")
    assert told(answer)["result"] == "not as wanted: 2 differences"
    assert told(answer)["next"].startswith("changelog-tracker replay EX01 --to 1 -o DIR writes ")


def test_the_baseline_is_wanted_where_there_is_one(program):
    """A baseline goes before the state of before the rebuild; --against before both."""
    program.take(BEFORE, server(**{OWA: vdir("Owa", ExternalUrl="https://old.contoso.com/owa")}))
    program.take("2026-11-01T12:00:00Z", server())
    program.run("baseline", "set", "EX01", "1")
    program.take(REBUILT, rebuilt(), **NEW_WINDOWS)
    by_baseline = program.run("verify", "EX01")
    assert by_baseline.code == 3
    assert "compared with baseline, snapshot 1 of 2026-11-01T10:00:00Z: 1 " in by_baseline.out
    assert program.run("verify", "EX01", "--against", "baseline").out == by_baseline.out
    assert program.run("verify", "EX01", "--against", "2").code == 0
    assert program.run("verify", "EX01", "--against", "2026-11-01T13:00:00Z").code == 0


def test_two_rebuilds_in_a_row_are_one(program):
    """Windows first and Exchange an hour later: what stood in between is not what is wanted."""
    program.take(BEFORE, server())
    program.take("2026-11-02T08:00:00Z", {IIS: iis(())}, **NEW_WINDOWS)
    program.take(REBUILT, rebuilt(), **NEW_WINDOWS)
    assert [line["class"] for line in program.log()] == ["recovery", "recovery"]
    answer = program.run("verify", "EX01")
    assert answer.code == 0, answer.out
    assert "compared with snapshot 1 of 2026-11-01T10:00:00Z, the last before" in answer.out


def test_nothing_wanted_is_a_usage_error_with_a_hint(program):
    """Without baseline and rebuild nobody can know what is wanted."""
    program.take(BEFORE, server())
    program.take(LATER, server(**{WEB: web(Banner="new")}))
    answer = program.run("verify", "EX01")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: EX01: has no baseline, and no rebuild of it was seen, so nothing says what is "
        "wanted\n"
        "hint: say it with --against TIME, or set one with: changelog-tracker baseline set EX01\n"
    )
    answer = program.run("verify", "EX01", "--against", "baseline")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: EX01: has no baseline")


@pytest.mark.parametrize("against", ["1", "2099-01-01", None])
def test_the_newest_snapshot_proves_nothing_of_itself(program, against):
    """Where no snapshot was taken since, verify does not say that all is well."""
    program.take(BEFORE, server())
    program.run("baseline", "set", "EX01")
    answer = program.run("verify", "EX01", *(["--against", against] if against else []))
    assert (answer.code, answer.out) == (2, "")
    first, hint = answer.err.splitlines()
    assert first.startswith("error: EX01: its newest snapshot is what it would be held against: ")
    assert hint == "hint: import a snapshot of the server as it is now"


# --- what was not read ----------------------------------------------------------------------------


def test_what_was_not_read_is_not_verified(program):
    """A kind that the wanted state knows and nobody read now is no proof: exit code 3."""
    program.take(BEFORE, server())
    program.take(REBUILT, rebuilt(**{ECP: "access denied", POWERSHELL: "no"}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert answer.code == 3
    assert answer.lines == [
        {
            "server": "EX01",
            "kind": "EcpVirtualDirectory",
            "unread": "access denied",
            "since": "2026-11-01T10:00:00Z",
        }
    ]
    assert told(answer)["result"] == "not as wanted: 1 kind not read, so not verified"
    assert told(answer)["next"] == (
        "import a snapshot that reads what was not read, and verify again"
    )
    assert "  ? EcpVirtualDirectory  not read since " in program.run("verify", "EX01").out


def test_what_was_known_before_the_rebuild_is_not_compared(program):
    """An old reading says nothing of the rebuilt server, neither that it is right nor wrong."""
    program.take(BEFORE, server())
    program.take("2026-11-01T12:00:00Z", server(**{WEB: web(Banner="newer")}))
    program.take(REBUILT, rebuilt(**{WEB: "locked"}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json", "--against", "1")
    assert (answer.code, differences(answer)) == (3, [])
    assert [(line["kind"], line["unread"]) for line in answer.lines] == [("ConfigFile", "locked")]


# --- what a rebuilt server has anew ---------------------------------------------------------------


def test_a_renewed_self_signed_certificate_is_no_difference(program):
    """Setup makes a new one; what it serves is compared, and another one that is lost is told."""
    old = certificate(HASH)
    new = certificate("B" * 40)
    program.take(BEFORE, server(**{CERTIFICATES: old}))
    program.take(REBUILT, rebuilt(**{CERTIFICATES: new}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01")
    assert answer.code == 0, answer.out
    assert "; 1 self-signed certificate renewed under the same subject\n" in answer.out
    less = certificate("C" * 40, services="SMTP")
    program.take(LATER, rebuilt(**{CERTIFICATES: less}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    services = (f"ExchangeCertificate[{'C' * 40}].Services", ["IIS", "SMTP"], ["SMTP"])
    assert (answer.code, differences(answer)) == (3, [services])


def test_a_lost_certificate_of_an_authority_is_a_difference(program):
    """Its key must be imported again, so that it is gone is told."""
    bought = certificate(HASH, "CN=mail.contoso.com", self_signed=False)
    program.take(BEFORE, server(**{CERTIFICATES: bought}))
    program.take(REBUILT, rebuilt(**{CERTIFICATES: certificate("B" * 40)}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert answer.code == 3
    assert [(line["action"], path_of(line)) for line in answer.lines] == [
        ("added", f"ExchangeCertificate[{'B' * 40}]"),
        ("removed", f"ExchangeCertificate[{HASH}]"),
    ]


@pytest.mark.parametrize(
    ("build", "means"),
    [
        ("15.2.1258.12", "a later build than is wanted, which a recovery may bring; "),
        ("15.2.922.7", "an older build than is wanted: install the wanted one, then verify again"),
    ],
)
def test_another_build_is_one_line_that_says_what_it_means(program, build, means):
    """What differs in nothing but the build is folded into one line, and is as wanted."""
    program.take(BEFORE, server(**{WEB: web(Path="owa/15.2.1118.7", Banner="ours")}))
    now = rebuilt(**{WEB: web(Path=f"owa/{build}", Banner="default")})
    program.take(REBUILT, now, build=build, **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    first, second = answer.lines
    assert (path_of(first), first["wanted"], first["found"], first["class"]) == (
        "ExchangeServer[(server)].Build",
        "15.2.1118.7",
        build,
        "product-update",
    )
    assert first["why_not"].startswith(means)
    assert second["setting"] == "[key='Banner'].value"
    assert told(answer)["build"].startswith(f"wanted 15.2.1118.7, found {build}: {means}")
    assert answer.code == 3
    unfolded = [path_of(line) for line in program.run("verify", "EX01", "--unfold", "--json").lines]
    assert unfolded == [
        "ExchangeServer[(server)].Build",
        f"{path_of(second).partition('].')[0]}].[key='Path'].value",
        "ExchangeServer[(server)].BundleBuild",
        path_of(second),
    ]


# --- signs of a restored configuration ------------------------------------------------------------

POOL = "IisAppPool[Reports].processModel.password"
PROVIDER = f"IisSection[{APHOST} : configProtectedData].providers.[name='AesProvider'].sessionKey"


def test_the_keys_and_ciphers_of_the_old_machine_are_signs(program):
    """A restored applicationHost.config brings keys and values that this machine cannot read."""
    program.take(BEFORE, server())
    program.take(REBUILT, rebuilt(**{IIS: iis()}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert (answer.code, differences(answer)) == (3, [])
    assert answer.lines == [
        {
            "server": "EX01",
            "sign": "encrypted by the machine before the rebuild, which this one cannot read: the "
            "value was restored and not entered anew",
            "place": POOL,
            "advice": f"{AGAIN}, then enter the password anew",
        },
        {
            "server": "EX01",
            "sign": "the session key of the machine before the rebuild: applicationHost.config was "
            "restored, and [enc:...] in it cannot be read",
            "place": PROVIDER,
            "advice": f"{AGAIN} (an image with IIS in it shows the same: UNCONFIRMED)",
        },
    ]
    text = program.run("verify", "EX01").out
    assert f"! sign: {POOL}  encrypted by the machine before the rebuild" in text
    assert "result: not as wanted: 2 signs of a restored configuration\n" in text
    assert ("next: do what stands at the signs, import a new snapshot, and verify again\n") in text


def test_the_same_machine_may_have_its_own_keys(program):
    """Without a new machine an unchanged key is what it should be, and a password may differ."""
    program.take(BEFORE, server())
    program.take(LATER, server(**{WEB: web(Banner="new")}))
    answer = program.run("verify", "EX01", "--json", "--against", "1")
    assert (len(differences(answer)), signs(answer)) == (1, [])


def test_a_guid_of_before_among_new_ones_is_a_sign(program):
    """Setup made the others anew, so this object is left from before."""
    program.take(BEFORE, server())
    kept = rebuilt(**{ECP: server()[ECP]})
    program.take(REBUILT, kept, **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert answer.code == 3
    assert signs(answer) == [
        (
            "EcpVirtualDirectory[ecp (Default Web Site)]",
            "the Guid of before the rebuild, while most directories were made anew",
            (
                "do not patch it: Remove-EcpVirtualDirectory, then New-EcpVirtualDirectory, then "
                "all its settings (UNCONFIRMED: what Setup keeps)"
            ),
        )
    ]


def test_guids_that_all_stayed_are_no_sign(program):
    """Whether Setup keeps objects that it finds is not confirmed, so it is not held against it."""
    program.take(BEFORE, server())
    program.take(REBUILT, {**server(), IIS: iis(key="2", password="two")}, **NEW_WINDOWS)
    answer = program.run("verify", "EX01")
    assert answer.code == 0, answer.out


def test_version_folders_of_another_build_are_a_sign(program):
    """A rebuilt server has the folders of its own build, and those of its updates since."""
    program.take(BEFORE, server(**{IIS: iis(folder="15.2.922.7")}), build="15.2.922.7")
    restored = iis(key="2", password="two", folder="15.2.922.7")
    program.take(REBUILT, rebuilt(**{IIS: restored}), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert answer.code == 3
    ((place, sign, advice),) = signs(answer)
    assert place.startswith("IisSection[Default Web Site/owa/15.2.922.7")
    assert sign == (
        "a version folder of build 15.2.922.7, which this server never had since it was rebuilt; "
        "its build is 15.2.1118.7"
    )
    assert advice == AGAIN


@pytest.mark.parametrize(
    ("files", "place", "sign", "advice"),
    [
        (
            {IIS: iis(("owa", "ecp"), key="2", password="two")},
            "OabVirtualDirectory[oab (Default Web Site)]",
            "an object in AD without an application in IIS",
            (
                "New-OabVirtualDirectory alone says that it exists: Remove-OabVirtualDirectory, "
                "then New-OabVirtualDirectory, then all its settings"
            ),
        ),
        (
            {ECP: clixml("Microsoft.Exchange.Data.Directory.SystemConfiguration.ADEcp")},
            "IisApplication[Default Web Site/ecp]",
            "an application in IIS without an object in AD",
            (
                "do not patch it: remove it from IIS, then New-EcpVirtualDirectory, then all its "
                "settings"
            ),
        ),
    ],
)
def test_what_only_one_of_iis_and_ad_has_is_a_sign(program, files, place, sign, advice):
    """A restored configuration brings directories back that Active Directory knows no more."""
    program.take(BEFORE, server())
    program.take(REBUILT, rebuilt(**files), **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert (answer.code, signs(answer)) == (3, [(place, sign, advice)])


def test_powershell_is_never_to_be_removed_by_hand(program):
    """The advice for the directory that the shell itself needs is Setup alone."""
    extra = {POWERSHELL: vdir("PowerShell")}
    program.take(BEFORE, server(**extra, **{IIS: iis(("owa", "ecp", "OAB", "PowerShell"))}))
    extra = {POWERSHELL: vdir("PowerShell", Guid="1" * 8 + "-0000-0000-0000-000000000009")}
    program.take(REBUILT, rebuilt(**extra), **NEW_WINDOWS)
    (found,) = signs(program.run("verify", "EX01", "--json"))
    assert (found[0], found[2]) == (
        "PowerShellVirtualDirectory[powershell (Default Web Site)]",
        AGAIN,
    )


def test_a_binding_to_a_lost_certificate_is_a_sign(program):
    """The thumbprint in a binding is of a certificate that was not imported again."""
    bound = f'certificateHash="{HASH}" certificateStoreName="MY" '
    bought = certificate(HASH, "CN=mail.contoso.com", self_signed=False)
    program.take(BEFORE, server(**{CERTIFICATES: bought, IIS: iis(binding=bound)}))
    restored = iis(key="2", password="two", binding=bound)
    lost = rebuilt(**{CERTIFICATES: certificate("B" * 40), IIS: restored})
    program.take(REBUILT, lost, **NEW_WINDOWS)
    answer = program.run("verify", "EX01", "--json")
    assert signs(answer) == [
        (
            "IisBinding[Default Web Site : https/*:443:].certificateHash",
            f"names certificate {HASH}, which this server does not have",
            (
                "do not patch it: import the certificate with its private key, then "
                "Enable-ExchangeCertificate -Services IIS, which binds it"
            ),
        )
    ]


# --- the second way: a full backup ----------------------------------------------------------------


def test_a_restored_backup_is_the_server_of_that_time(program):
    """Machine, Windows, build and Guids as then: it is what was backed up."""
    program.take(BEFORE, server())
    program.take(REBUILT, server(**{WEB: web(Banner="later")}))
    program.take(LATER, server())
    answer = program.run("verify", "EX01", "--against", "2026-11-01T11:00:00Z")
    assert answer.code == 0, answer.out
    assert told(answer)["server"] == (
        "it is the one of that time: machine SID, Windows installation date, build and 3 Guids "
        "are as they were"
    )


def test_a_backup_of_another_time_is_told(program):
    """The machine is the same, but not what it was then."""
    program.take(BEFORE, server())
    program.take(LATER, {**server("1"), IIS: iis()}, build="15.2.1258.12")
    answer = program.run("verify", "EX01", "--against", BEFORE)
    assert answer.code == 3
    assert told(answer)["server"] == (
        "it is the machine of that time, but not as it was then: build 15.2.1258.12 where it was "
        "15.2.1118.7 and 3 of 3 Guids anew"
    )


def test_without_a_machine_sid_nobody_can_tell(program):
    """Loose facts that nobody gave are not guessed, and old ones are not taken for new."""
    nothing = {"windows": {**WINDOWS, "machine_sid": None, "install_date": None}}
    program.take(BEFORE, server())
    program.take(LATER, server(), **nothing)
    answer = program.run("verify", "EX01", "--against", "1")
    assert answer.code == 0, answer.out
    assert told(answer)["server"].startswith("whether it is the one of that time cannot be told: ")


# --- other forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["md", "html", "csv"])
def test_a_report_holds_differences_signs_and_the_result(program, form, tmp_path):
    """What is handed on says the same as the terminal."""
    program.take(BEFORE, server())
    program.take(REBUILT, rebuilt(**{IIS: iis(), WEB: web(Banner="no")}), **NEW_WINDOWS)
    file = tmp_path / f"proof.{form}"
    answer = program.run("verify", "EX01", "-o", file)
    assert (answer.code, answer.out, answer.err) == (3, "", "")
    text = file.read_text("utf-8-sig")
    for said in (
        "Verification",
        "Signs",
        "the session key of the machine before the rebuild",
        "not as wanted: 1 difference, 2 signs of a restored configuration",
        "Banner",
    ):
        assert said in text, said
    again = program.run("verify", "EX01", "-o", file)
    assert (again.code, again.err.splitlines()[-1]) == (2, "hint: --force writes over it")
    assert program.run("verify", "EX01", "-o", file, "--force").code == 3


def test_hostile_names_stay_on_one_line(program):
    """A resource whose name holds control characters cannot write to the terminal."""
    evil = 'password="[enc:AesProvider:one:enc]"'
    bad = iis().replace(b'name="Reports"', b'name="Rep&#10;\xc2\x9b31m"')
    program.take(BEFORE, server(**{IIS: bad}))
    program.take(REBUILT, rebuilt(**{IIS: bad}), **NEW_WINDOWS)
    out = program.run("verify", "EX01").out
    assert evil.encode() in bad
    assert "\x9b" not in out
    assert sum(line.startswith("! sign: ") for line in out.splitlines()) == 2
