"""What is true of the lab: it refuses what Exchange and IIS refuse, and keeps what is set."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from lab import PWSH, Lab

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run scripts in the lab with"),
]
OWA = r"-Identity 'EX01\owa (Default Web Site)'"
RPC = r"-Identity 'EX01\Rpc (Default Web Site)'"
SET_OWA = f"Set-OwaVirtualDirectory {OWA}"
AT_OWA = "-PSPath 'MACHINE/WEBROOT/APPHOST' -Location 'Default Web Site/owa'"
SET_IIS = f"Set-WebConfigurationProperty {AT_OWA} -Filter 'system.webServer/security/access'"
HEADERS = f"{AT_OWA} -Filter 'system.webServer/httpProtocol/customHeaders'"
APPCMD = r'& "$env:windir\system32\inetsrv\appcmd.exe"'
REFUSED = {
    f"{SET_OWA} -NoSuch 1": "A parameter cannot be found that matches parameter name 'NoSuch'",
    f"{SET_OWA} -CrossSiteRedirectType Silent": "matches parameter name 'CrossSiteRedirectType'",
    f"{SET_OWA} -BasicAuthentication 'True'": 'Cannot convert value "System.String" to type',
    f"{SET_OWA} -BasicAuthentication $null": "Cannot process argument transformation",
    f"{SET_OWA} -UserContextTimeout ten": 'Cannot convert value "ten" to type',
    f"{SET_OWA} -GzipLevel Fast": "does not belong to the set",
    f"{SET_OWA} -ExternalUrl mail.contoso.com": "isn't an absolute URI",
    f"{SET_OWA} -ExtendedProtectionFlags Some": "Cannot convert value 'Some'",
    f"{SET_OWA} -FormsAuthentication $true -BasicAuthentication $false": "can't be enabled",
    f"{SET_OWA} -FormsAuthentication $false -BasicAuthentication $true": "in the same command",
    f"{SET_OWA} -LogonFormat UserName": "DefaultDomain must be set",
    f"{SET_OWA} -AdfsAuthentication $true": "on the ECP virtual directory first",
    f"{SET_OWA} -ExtendedProtectionSPNList HTTP/mail": "AllowDotlessSPN isn't set",
    f"{SET_OWA} -ExternalUrl $null -DomainController DC9.contoso.com": "domain controller",
    f"Set-OutlookAnywhere {RPC} -DefaultAuthenticationMethod Ntlm -IISAuthenticationMethods Ntlm": (
        "can't be used with IISAuthenticationMethods"
    ),
    f"Set-OutlookAnywhere {RPC} -SSLOffloading $false": "SSLOffloading must be true",
    f"Set-OutlookAnywhere {RPC} -ExternalHostname mail.contoso.com": "in the same command",
    "Set-OwaVirtualDirectory -Identity 'EX01\\x' -ExternalUrl $null": (
        "because object 'EX01\\x' couldn't be found on 'DC01.contoso.com'"
    ),
    "New-OwaVirtualDirectory": "already exists under 'EX01.contoso.com/Default Web Site'",
    "New-OwaVirtualDirectory -WebSiteName Other": "The Web site 'Other' couldn't be found",
    f"{SET_IIS} -Name sslFlag -Value Ssl": "Unrecognized attribute 'sslFlag'",
    f"{SET_IIS} -Name sslFlags -Value Tls": "'Tls' is not a valid flags",
    f"Set-WebConfigurationProperty {AT_OWA} -Filter 'system.webServer/no' -Name a -Value b": (
        "Unknown config section"
    ),
    "Set-WebConfigurationProperty -PSPath 'IIS:\\Sites\\Default Web Site\\owa'"
    " -Filter 'system.webServer/security/access' -Name sslFlags -Value Ssl": "is locked",
    f"Remove-WebConfigurationProperty {HEADERS} -Name . -AtElement @{{name='X'}}": (
        "Cannot find requested collection element"
    ),
}


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What one fresh server says to each command, one after the other in one shell."""
    lab = Lab(tmp_path_factory.mktemp("refusing"))
    lines = [
        f'\'--{n}\'; try {{ {c} 2>&1 | % {{ "$_" }} }} catch {{ "$_" }}'
        for n, c in enumerate(REFUSED)
    ]
    answer = lab.powershell("\n".join(lines))
    said = answer.out.split("--")[1:]
    return dict(zip(REFUSED, (" ".join(one.split()) for one in said), strict=True)), lab.writes()


@pytest.mark.parametrize("command", REFUSED)
def test_a_server_refuses_what_exchange_and_iis_refuse(refusals, command):
    assert REFUSED[command] in refusals[0][command]


def test_what_is_refused_is_no_write(refusals):
    assert refusals[1] == []


@pytest.mark.parametrize(
    ("version", "cmdlet", "there"),
    [
        ("2010", "Set-ClientAccessService", False),
        ("2010", "New-ClientAccessArray", True),
        ("2010", "Set-MapiVirtualDirectory", False),
        ("2013", "Set-MapiVirtualDirectory", True),
        ("2016", "New-ClientAccessArray", False),
        ("SE", "Set-ClientAccessService", True),
    ],
)
def test_a_version_has_its_own_cmdlets(tmp_path, version, cmdlet, there):
    lab = Lab(tmp_path, version)
    answer = lab.powershell(f"[bool](Get-Command {cmdlet} -ErrorAction SilentlyContinue)")
    assert answer.out.strip() == str(there)


def test_a_refusal_stops_a_script_only_where_the_call_says_so(lab):
    missing = "Set-OwaVirtualDirectory -Identity x -ExternalUrl $null"
    went_on = lab.powershell(f"$ErrorActionPreference = 'Stop'; {missing}; 'on'", may_fail=True)
    stopped = lab.powershell(f"{missing} -ErrorAction Stop; 'on'", may_fail=True)
    assert (went_on.out.strip(), stopped.out.strip(), stopped.code) == ("on", "", 1)


def test_a_preference_variable_does_not_reach_the_cmdlets(lab):
    lab.powershell(f"$WhatIfPreference = $true; {SET_OWA} -ExternalUrl 'https://a.contoso.com/owa'")
    lab.powershell(f"{SET_OWA} -ExternalUrl 'https://b.contoso.com/owa' -WhatIf")
    answer = lab.powershell(f'"$((Get-OwaVirtualDirectory {OWA}).ExternalUrl)"')
    assert answer.out.strip() == "https://a.contoso.com/owa"
    assert [one.cmdlet for one in lab.writes()] == ["Set-OwaVirtualDirectory"]


def test_a_cmdlet_writes_in_iis_what_iis_holds(lab):
    lab.powershell(
        f"{SET_OWA} -WindowsAuthentication $true -ExtendedProtectionTokenChecking Require"
    )
    lab.powershell(
        r"Set-OabVirtualDirectory -Identity 'EX01\OAB (Default Web Site)' -RequireSSL $false"
    )
    text = lab.apphost.read_text("utf-8")
    owa = text.split('<location path="Default Web Site/owa">')[1].split("</location>")[0]
    oab = text.split('<location path="Default Web Site/OAB">')[1].split("</location>")[0]
    assert (
        '<windowsAuthentication enabled="true"><extendedProtection tokenChecking="Require"/>' in owa
    )
    assert '<access sslFlags="None"/>' in oab


def test_a_cmdlet_shows_what_others_wrote_in_iis(lab):
    basic = "system.webServer/security/authentication/basicAuthentication"
    lab.powershell(
        f"Set-WebConfigurationProperty {AT_OWA} -Filter '{basic}' -Name enabled -Value $false"
    )
    shown = lab.powershell("Get-OwaVirtualDirectory | ForEach-Object { $_.BasicAuthentication }")
    assert shown.out.strip() == "False"


def test_the_directory_alone_gives_neutral_values(lab):
    names = "BasicAuthentication, FormsAuthentication, GzipLevel, Path, WebSite"
    for switch, expected in (
        (
            "",
            [
                "True",
                "True",
                "Low",
                lab.machine.install + r"FrontEnd\HttpProxy\owa",
                "Default Web Site",
            ],
        ),
        ("-ADPropertiesOnly", ["False", "False", "Off", "", ""]),
    ):
        answer = lab.powershell(
            f"Get-OwaVirtualDirectory {switch} | Select-Object {names} | ConvertTo-Json -Compress"
        )
        assert [str(one) for one in json.loads(answer.out).values()] == expected


def test_a_list_replaces_or_adds_and_removes(lab):
    lab.powershell("Set-PopSettings -SSLBindings '[::]:995', '10.0.0.1:995'")
    lab.powershell("Set-PopSettings -SSLBindings @{Add = '10.0.0.2:995'; Remove = '[::]:995'}")
    lab.powershell("Set-PopSettings -UnencryptedOrTLSBindings $null -LogPerFileSizeQuota 10MB")
    pop = lab.state["objects"]["PopSettings"]["1"]["values"]
    assert pop["SSLBindings"] == ["10.0.0.1:995", "10.0.0.2:995"]
    assert pop["UnencryptedOrTLSBindings"] == []
    assert pop["LogPerFileSizeQuota"] == "10 MB (10,485,760 bytes)"


def test_a_directory_is_removed_and_made_again_with_defaults(lab):
    lab.powershell(f"{SET_OWA} -ExternalUrl 'https://mail.contoso.com/owa'")
    asked = lab.powershell(f"Remove-OwaVirtualDirectory {OWA}", may_fail=True)
    assert "NonInteractive" in asked.err
    lab.powershell(f"Remove-OwaVirtualDirectory {OWA} -Confirm:$false")
    assert 'path="/owa"' not in lab.apphost.read_text("utf-8").split("Exchange Back End")[0]
    made = lab.powershell(
        "New-OwaVirtualDirectory -InternalUrl 'https://x.contoso.com/owa' | Select-Object Name,"
        " ExternalUrl, BasicAuthentication, Path | ConvertTo-Json -Compress"
    )
    assert json.loads(made.out) == {
        "Name": "owa (Default Web Site)",
        "ExternalUrl": None,
        "BasicAuthentication": True,
        "Path": lab.machine.install + r"FrontEnd\HttpProxy\owa",
    }


def test_webadministration_changes_the_real_file(lab):
    fresh = lab.apphost.read_text("utf-8")
    lab.powershell(
        f"{SET_IIS} -Name sslFlags -Value 'Ssl128,Ssl'\n"
        f"Add-WebConfigurationProperty {HEADERS} -Name . -Value @{{name='X-A'; value='one'}}\n"
        f"Set-WebConfigurationProperty {AT_OWA} -Name value -Value two"
        " -Filter \"system.webServer/httpProtocol/customHeaders/add[@name='X-A']\""
    )
    text = lab.apphost.read_text("utf-8")
    assert '<access sslFlags="Ssl, Ssl128"/>' in text
    assert '<add name="X-A" value="two"/>' in text
    lab.powershell(
        f"Clear-WebConfiguration {AT_OWA} -Filter 'system.webServer/security/access/@sslFlags'\n"
        f"Remove-WebConfigurationProperty {HEADERS} -Name . -AtElement @{{name='X-A'}}"
    )
    after = lab.apphost.read_text("utf-8")
    assert after.replace("/>", " />").split() == fresh.replace("/>", " />").split()
    assert len(lab.writes()) == 5


def test_an_inherited_element_is_removed_by_name_and_not_added_twice(lab):
    site = HEADERS.replace("/owa'", "'")
    lab.powershell(
        f"Add-WebConfigurationProperty {site} -Name . -Value @{{name='X-A'; value='one'}}"
    )
    again = f"Add-WebConfigurationProperty {HEADERS} -Name . -Value @{{name='X-A'; value='two'}}"
    assert "Cannot add duplicate" in lab.powershell(again, may_fail=True).err
    lab.powershell(f"Remove-WebConfigurationProperty {HEADERS} -Name . -AtElement @{{name='X-A'}}")
    lab.powershell(again)
    inside = '<customHeaders><remove name="X-A"/><add name="X-A" value="two"/></customHeaders>'
    assert inside in lab.apphost.read_text("utf-8")


def test_appcmd_changes_the_same_file(lab):
    lab.powershell(
        f"{APPCMD} set config 'Default Web Site/owa' '/section:system.webServer/httpProtocol'"
        " \"/+customHeaders.[name='X-A',value='b:c']\" '/commit:apphost'\n"
        f"{APPCMD} add apppool /name:Own\n{APPCMD} set apppool Own '/queueLength:2000'\n"
        f"{APPCMD} add app '/site.name:Default Web Site' /path:/own '/physicalPath:C:\\own'\n"
        f"{APPCMD} set app 'Default Web Site/own' /applicationPool:Own\n"
        f"{APPCMD} set vdir 'Default Web Site/own/' '/physicalPath:C:\\other'"
    )
    text = lab.apphost.read_text("utf-8")
    assert '<customHeaders><add name="X-A" value="b:c"/></customHeaders>' in text
    assert '<add name="Own" queueLength="2000"/>' in text
    folder = r'<virtualDirectory path="/" physicalPath="C:\other"/>'
    assert f'<application path="/own" applicationPool="Own">{folder}</application>' in text
    locked = lab.powershell(
        f"{APPCMD} set config 'Default Web Site/owa' '/section:access' '/sslFlags:Ssl'",
        may_fail=True,
    )
    assert (locked.code, "is locked" in locked.out, len(lab.writes())) == (50, True, 6)


def test_a_section_that_is_not_locked_goes_into_the_web_config(lab):
    place = "-PSPath 'IIS:\\Sites\\Default Web Site\\ecp'"
    filter_ = "-Filter 'system.webServer/httpRedirect' -Name enabled -Value $false"
    lab.powershell(f"Set-WebConfigurationProperty {place} {filter_}")
    text = lab.file("FrontEnd/HttpProxy/ecp/web.config").read_text("utf-8")
    assert '<httpRedirect enabled="false"/>' in text


def test_a_script_runs_as_a_user_runs_it(lab, tmp_path):
    script = tmp_path / "replay.ps1"
    script.write_text(
        "[CmdletBinding()] param([switch]$WhatIf, [string[]]$Step)\n"
        'if ($Step) { "$($Step.Count) $WhatIf" }\n'
        "$key = 'HKLM:\\SOFTWARE\\Microsoft\\ExchangeServer\\v15\\Setup'\n"
        "$root = (Get-ItemProperty $key).MsiInstallPath\n"
        ". (Join-Path $root 'bin\\RemoteExchange.ps1')\n"
        "Connect-ExchangeServer -Auto -ClientApplication:ManagementShell\n"
        "$file = Convert-Path -LiteralPath ($root + 'ClientAccess\\ecp\\web.config')\n"
        "if (-not $WhatIf) { [IO.File]::AppendAllText($file, '<!-- x -->') }\n"
        "if ($host.UI -and -not $WhatIf) { Read-Host 'Go on' }\n"
        f"(Get-OwaVirtualDirectory {OWA} -DomainController DC01.contoso.com).Name\n"
        "exit 3\n"
    )
    answer = lab.run(script, "-Step", ("s001", "s002"), "-WhatIf")
    assert (answer.code, answer.err) == (3, "")
    assert answer.out.splitlines()[0] == "2 True"
    assert answer.out.splitlines()[-1] == "owa (Default Web Site)"
    assert (lab.writes(), lab.domain_controllers()) == ([], {"DC01.contoso.com"})
    typed = lab.run(script, stdin="yes\n")
    assert (typed.code, "yes" in typed.out) == (3, True)
    web = r"C:\Program Files\Microsoft\Exchange Server\V15\ClientAccess\ecp\web.config"
    assert [tuple(one) for one in lab.writes()] == [("(file)", web, {})]
    assert lab.run(script, "-Bogus").code == 1


def test_a_script_is_killed_in_the_middle(lab, tmp_path):
    script = tmp_path / "long.ps1"
    script.write_text(
        ". Connect-Lab\n"
        f'foreach ($n in 1..50) {{ {SET_OWA} -ExternalUrl "https://m$n.contoso.com/owa" }}\n'
    )
    answer = lab.run(script, kill_after_writes=3)
    assert (answer.code < 0, 3 <= len(lab.writes()) < 50) == (True, True)
    assert lab.powershell("(Get-OwaVirtualDirectory).Name").out.strip() == "owa (Default Web Site)"


BROKEN = {
    "name": ("$env:COMPUTERNAME", "EX09"),
    "x86": ("$env:PROCESSOR_ARCHITECTURE", "x86"),
    "not-elevated": ("@(whoami /groups) -match 'S-1-16-12288'", ""),
    "setup-running": ("(Get-Process ExSetup*).Count", "2"),
    "watermark": (
        r"(Get-ItemProperty HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\MailboxRole).Watermark",
        "Install",
    ),
    "version": (r"Test-Path HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15", "False"),
    "install-path": (
        r"(Get-ItemProperty HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\Setup).MsiInstallPath",
        "D:\\Exchange\\",
    ),
    "no-rewrite": (r"Test-Path 'HKLM:\SOFTWARE\Microsoft\IIS Extensions\URL Rewrite'", "False"),
    "no-webadministration": ("@(Get-Module -ListAvailable WebAdministration).Count", "0"),
    "shared-configuration": (
        r"@(Get-Content C:\Windows\System32\inetsrv\config\redirection.config)[2] -match 'true'",
        "True",
    ),
    "clr4": ('"$($PSVersionTable.CLRVersion)"', "4.0.30319"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_thing_can_be_broken_until_the_server_is_recovered(lab, tmp_path, what):
    script = tmp_path / "look.ps1"
    script.write_text(BROKEN[what][0] + "\n")
    lab.break_(what)
    assert lab.run(script).out.strip() == BROKEN[what][1]


def test_rights_hide_a_parameter_and_a_cmdlet_can_fail(lab):
    lab.break_("hidden", "Set-OwaVirtualDirectory", "ExternalUrl")
    lab.break_("failing", "Set-EcpVirtualDirectory")
    hidden = lab.powershell(f"{SET_OWA} -ExternalUrl $null", may_fail=True)
    ecp = r"Set-EcpVirtualDirectory -Identity 'EX01\ecp (Default Web Site)' -ExternalUrl $null"
    failed = lab.powershell(ecp, may_fail=True)
    assert "matches parameter name 'ExternalUrl'" in hidden.err
    assert "Active Directory isn't available" in failed.err


def test_what_was_set_shows_late_where_directories_lag(lab):
    lab.break_("dc-lag", 0.5)
    answer = lab.powershell(
        f"{SET_OWA} -ExternalUrl 'https://a.contoso.com/owa'\n"
        '"[$((Get-OwaVirtualDirectory).ExternalUrl)]"; Start-Sleep -Milliseconds 600\n'
        '"[$((Get-OwaVirtualDirectory).ExternalUrl)]"'
    )
    assert answer.out.split() == ["[]", "[https://a.contoso.com/owa]"]


def test_an_endpoint_of_another_server_and_a_snapin_bring_the_cmdlets(lab, tmp_path):
    session = (
        "$s = New-PSSession -ConfigurationName Microsoft.Exchange -Authentication Kerberos"
        " -ConnectionUri http://{}/PowerShell/\n"
        "if ($s) {{ [void](Import-PSSession $s -DisableNameChecking) }}\n"
        "@(Get-Command Get-OwaVirtualDirectory -ErrorAction SilentlyContinue).Count\n"
    )
    lab.break_("no-endpoint")
    for host, found in (("ex01.contoso.com", "0"), ("ex02.contoso.com", "1")):
        script = tmp_path / f"{host}.ps1"
        script.write_text(session.format(host))
        assert lab.run(script).out.strip() == found
    snapin = tmp_path / "snapin.ps1"
    name = "Microsoft.Exchange.Management.PowerShell.SnapIn"
    snapin.write_text(f"Add-PSSnapin {name}; (Get-OwaVirtualDirectory).Name")
    assert lab.run(snapin).out.strip() == "owa (Default Web Site)"


def changelog(store, *arguments):
    command = [
        sys.executable,
        "-m",
        "changelog_tracker",
        "--store",
        str(store),
        *map(str, arguments),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_snapshot_is_imported_and_the_same_state_again_is_no_change(lab, tmp_path):
    store = tmp_path / "changelog.db"
    for day in (1, 2):
        bundle = lab.snapshot(tmp_path / f"bundle{day}", f"2026-09-0{day}T10:00:00Z", back_end=True)
        done = changelog(store, "import", bundle)
        assert (done.returncode, done.stderr) == (0, "")
    listed = [
        json.loads(one) for one in changelog(store, "snapshots", "--json").stdout.splitlines()
    ]
    assert [bool(one["kinds_unread"]) for one in listed] == [False, False]
    assert changelog(store, "log", "--json").stdout == ""


def test_recovery_gives_the_defaults_under_other_guids(lab, tmp_path):
    store = tmp_path / "changelog.db"
    fresh, web = lab.apphost.read_bytes(), lab.file("ClientAccess/ecp/web.config")
    changelog(store, "import", lab.snapshot(tmp_path / "b1", "2026-09-01T10:00:00Z"))
    before = lab.state["objects"]
    web.write_text("<configuration />")
    lab.powershell(
        f"{SET_OWA} -ExternalUrl 'https://mail.contoso.com/owa'\n"
        f"{SET_IIS} -Name sslFlags -Value Ssl"
    )
    lab.recover()
    after = lab.state["objects"]
    owa = ("OwaVirtualDirectory", "owa (Default Web Site)")
    assert after[owa[0]][owa[1]]["values"] == before[owa[0]][owa[1]]["values"]
    assert after[owa[0]][owa[1]]["Guid"] != before[owa[0]][owa[1]]["Guid"]
    assert lab.apphost.read_bytes() == fresh
    assert web.read_text("utf-8") != "<configuration />"
    changelog(store, "import", lab.snapshot(tmp_path / "b2", "2026-09-21T10:00:00Z"))
    lines = [json.loads(one) for one in changelog(store, "log", "--json").stdout.splitlines()]
    assert [(one["class"], one["setting"]) for one in lines] == [("recovery", "MachineSid")]


@pytest.mark.parametrize("version", ["2010", "2013", "2016", "SE"])
def test_every_version_has_a_server_that_is_imported(tmp_path, version):
    lab = Lab(tmp_path, version)
    bundle = lab.snapshot(tmp_path / "bundle", "2026-09-01T10:00:00Z")
    done = changelog(tmp_path / "changelog.db", "import", bundle)
    assert (done.returncode, done.stderr) == (0, "")
