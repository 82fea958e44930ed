"""What the check of generated scripts refuses, each with its own finding, and what it lets pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import syntax

from changelog_tracker.replay import powershell

pytestmark = pytest.mark.pwsh
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "exchange_cmdlets.json"

GET = "Get-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)'"
SET = "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)'"
APPCMD = '"$env:windir\\system32\\inetsrv\\appcmd.exe"'

# What stands in line 1 of a script, and what is found there by a check for Windows PowerShell 2.0.
REFUSED = [
    # Newer than 2.0.
    ("class A { }", "class and enum needs PowerShell 5.0"),
    ("enum A { B }", "class and enum needs PowerShell 5.0"),
    ("using namespace System.IO", "using needs PowerShell 5.0"),
    ("if (1 -in 1,2) { }", "-in needs PowerShell 3.0"),
    ("if (1 -cin 1,2) { }", "-in needs PowerShell 3.0"),
    ("if (1 -notin 1,2) { }", "-notin needs PowerShell 3.0"),
    ("$a = 1 -shl 2", "-shl needs PowerShell 3.0"),
    ("$a = 4 -shr 2", "-shr needs PowerShell 3.0"),
    ("$a = [ordered]@{}", "[ordered] needs PowerShell 3.0"),
    ("$a = [pscustomobject]@{}", "[pscustomobject] needs PowerShell 3.0"),
    ("$a = [pscustomobject]", "[pscustomobject] needs PowerShell 3.0"),
    ("$a = [version]@{ Major=1 }", "[version] of a table needs PowerShell 3.0"),
    ("$a = (1,2).Where({ $_ })", ".Where needs PowerShell 4.0"),
    ("(1,2).ForEach({ $_ })", ".ForEach needs PowerShell 4.0"),
    ("$a = 1 | Where-Object Name -eq 1", "Where-Object has no -eq",
     "Where-Object without a script block needs PowerShell 3.0"),
    ("$a = 1 | ForEach-Object Name", "ForEach-Object without a script block needs PowerShell 3.0"),
    ("$a = $PSScriptRoot", "$PSScriptRoot needs PowerShell 3.0"),
    ("$a = 1 | ForEach-Object { $PSItem }", "$PSItem needs PowerShell 3.0"),
    ("$a = $PSCommandPath", "$PSCommandPath needs PowerShell 3.0"),
    ("$a = $IsWindows", "$IsWindows is not Windows PowerShell"),
    ("$a = [Text.StringBuilder]::new()", "[Text.StringBuilder]::new() needs PowerShell 5.0"),
    ("[ValidateSet('a')] $a = 'a'", "an attribute of a variable needs PowerShell 3.0"),
    ("function f { param([Parameter(Mandatory)] $a) }",
     "Mandatory without = $true needs PowerShell 3.0"),
    ("$a = Get-Item 'a' 3>&1", "3>&1 needs PowerShell 3.0"),
    ("Get-Item 'a' -ErrorAction Ignore", "-ErrorAction Ignore needs PowerShell 3.0"),
    ("Get-Item 'a' -ErrorAction:'Ignore'", "-ErrorAction Ignore needs PowerShell 3.0"),
    ("Get-Content 'a' -Raw", "Get-Content has no -Raw"),
    ("Get-ChildItem 'a' -File", "Get-ChildItem has no -File"),
    ("Get-ChildItem 'a' -Directory", "Get-ChildItem has no -Directory"),
    ("Write-Host 'a' -NoNew", "Write-Host has no -NoNew"),
    ("$a = [string]::IsNullOrWhiteSpace('')", ".IsNullOrWhiteSpace is not in .NET 2.0"),
    ("$a = [Environment]::Is64BitProcess", ".Is64BitProcess is not in .NET 2.0"),
    ("$a = [version]::Parse('1.0')", ".Parse is not in .NET 2.0"),
    # Not Windows PowerShell at all.
    ("$a = $null ?? 1", "?? is not Windows PowerShell"),
    ("$a ??= 1", "??= is not Windows PowerShell"),
    ("$a = ${b}?.Length", "?. is not Windows PowerShell"),
    ("$a = ${b}?.Trim()", "?. is not Windows PowerShell"),
    ("$a = ${b}?[0]", "?[] is not Windows PowerShell"),
    ("$a = $true ? 1 : 2", "? : is not Windows PowerShell"),
    ("Get-Item 'a' && Get-Item 'b'", "&& is not Windows PowerShell"),
    ("Get-Item 'a' || Get-Item 'b'", "|| is not Windows PowerShell"),
    ("Get-Item 'a' &", "& at the end is not Windows PowerShell"),
    ("& " + APPCMD + " --% list", "--% ends the reading of a line"),
    ("$a = 0b11", "the number 0b11 is not Windows PowerShell"),
    ("$a = 1u", "the number 1u is not Windows PowerShell"),
    ('$a = "`e[0m"', "`e and `u are not Windows PowerShell"),
    ('$a = "`u{41}$b"', "`e and `u are not Windows PowerShell"),
    ("$a = 'a'..'c'", "a range of characters is not Windows PowerShell"),
    ("$a = 'a' -replace 'a', { 'b' }", "-replace with a script block is not Windows PowerShell"),
    ("function f { clean { } }", "clean is not Windows PowerShell"),
    ("$a = [Convert]::ToHexString($b)", ".ToHexString is not in .NET Framework"),
    # Code out of text.
    ("Invoke-Expression '1'", "Invoke-Expression is not an allowed command"),
    ("iex '1'", "iex is not an allowed command"),
    ("Add-Type -AssemblyName System.Web", "Add-Type is not an allowed command"),
    ("$a = [scriptblock]::Create('1')", "[scriptblock]::Create makes code out of text"),
    ("$a = [powershell]::Create()", "[powershell]::Create makes code out of text"),
    ("$a = $ExecutionContext.InvokeCommand", ".InvokeCommand makes code out of text"),
    # Commands.
    ("ls", "ls is not an allowed command"),
    ("$a = ConvertTo-Json 1", "ConvertTo-Json is not an allowed command"),
    ("$a = '1' | ConvertFrom-Json", "ConvertFrom-Json is not an allowed command"),
    ("Set-Content 'a' 'b' -NoNewline", "Set-Content is not an allowed command"),
    ("Microsoft.PowerShell.Utility\\Get-Date",
     "Microsoft.PowerShell.Utility\\Get-Date is not an allowed command"),
    ("& 'C:\\Windows\\system32\\cmd.exe' /c",
     "C:\\Windows\\system32\\cmd.exe is not an allowed command"),
    ('& "$a.exe"', 'a command whose name is an expression: "$a.exe"'),
    ("$a = 'Get-Date'; & $a", "a command whose name is an expression: $a"),
    ("& $a", "a command whose name is an expression: $a"),
    ("& (Get-Command 'Get-Date')",
     "a command whose name is an expression: (Get-Command 'Get-Date')"),
    ("& $a.Other", "a command whose name is an expression: $a.Other"),
    (". 'C:\\a.ps1'", "a file is dot-sourced"),
    (". $a", "a file is dot-sourced"),
    ("function f { param($a) }; f -b 1", "f has no -b"),
    ("function Write-Host { }", "a function takes the name of Write-Host"),
    # Exchange.
    (f"{SET} -OWAMiniEnabled $true", "Set-OwaVirtualDirectory has no -OWAMiniEnabled"),
    (f"{SET} -Unheard 1", "Set-OwaVirtualDirectory has no -Unheard"),
    (f"{SET} -ExternalU 'a'", "Set-OwaVirtualDirectory has no -ExternalU"),
    (f"$a = @{{}}; {SET} @a", "Set-OwaVirtualDirectory: what @a holds cannot be seen"),
    ("Enable-OutlookAnywhere", "Enable-OutlookAnywhere is not an allowed command"),
    ("$a = @{ Raw=$true }; Get-Content @a", "Get-Content has no -Raw"),
    ("$a = @{}; $a.Raw = $true; Get-Content @a", "Get-Content has no -Raw"),
    ("$a = @{}; $a['Raw'] = $true; Get-Content @a", "Get-Content has no -Raw"),
    ("$a = $b; Get-Content @a", "Get-Content: what @a holds cannot be seen"),
    # Values in the plan and the steps.
    ("$Plan = @{ Server=\"EX01\" }", 'in a step: a text without single quotes: "EX01"'),
    ("$Plan = @{ Server=\"$a\" }",
     'in a step: a text without single quotes: "$a"', "in a step: $a"),
    ("$Steps += @{ Id='s001'; Do={ Get-Date } }", "in a step: Get-Date is no cmdlet of Exchange"),
    (f"$Steps += @{{ Do={{ {SET} -ExternalUrl https://contoso.com }} }}",
     "in a step: a text without single quotes: https://contoso.com"),
    (f"$Steps += @{{ Do={{ {SET} -ExternalUrl \"$($v.A)\" }} }}",
     'in a step: a text without single quotes: "$($v.A)"', "in a step: $($v.A)"),
    ("$Steps += @{ Wanted=[int]'1' }", "in a step: [int]'1'"),
    ("$Steps += @{ Wanted=[Math]::Pi }", "in a step: [Math]"),
    ("$Steps += @{ Wanted=$env:windir }", "in a step: $env:windir"),
    ("$Steps += @{ Wanted=(1 - 1) }", "in a step: 1 - 1"),
    ("$Steps += @{ Do={ if (1) { } } }", "in a step: if (1) { }"),
    # The file itself.
    ("$a = 'b", "does not parse: The string is missing the terminator: '."),
    ("# \u00e9", "a byte that is no printable ASCII: 0xc3"),
    ("\ufeff$a = 1", "a byte that is no printable ASCII: 0xef"),
    ("$a = '\x07'", "a byte that is no printable ASCII: 0x07"),
    ("$a = 1\n$b = 2", "a line that does not end with CRLF"),
    ("$a = 1\r\r\n$b = 2", "a line that does not end with CRLF"),
]  # fmt: skip

# Line 2 and below are another table, as the finding is not in line 1.
LATER = {
    "$a = @'\r\nb\r\n'@": ["1: a here-string"],
    '$a = @"\r\nb\r\n"@': ["1: a here-string"],
    "Get-Date\r\n| Out-Null": ["2: | at the start of a line is not Windows PowerShell"],
    "$a = 1\r\n$b = $true ? 1 : 2\r\niex 1": [
        "2: ? : is not Windows PowerShell",
        "3: iex is not an allowed command",
    ],
}

HOSTILE = "\u2019; calc \u201c$(calc)`'--%\x07\U0001f600"
ACCEPTABLE = f"""\
[CmdletBinding()] param([switch]$WhatIf, [string[]]$Step, [scriptblock]$Block)
$Plan = @{{ Mode='replay'; Major=15; Assumed=$false; Unread=@('a', 'b');
  Wanted={powershell.literal(HOSTILE)} }}
$script:Dc = $null
function Test-Same {{
    param([Parameter(Mandatory = $true)] $Found, $Wanted)
    if ($Found -contains $Wanted -or "$Found" -match '^a') {{ return $true }}
    try {{ return -not [string]::IsNullOrEmpty("$Found") }} catch {{ return $false }}
    finally {{ $a = 1kb }}
}}
function Invoke-Step($step) {{
    $found = & $step.Get
    & $step['Do'] $found 2>&1 | ForEach-Object {{
        Write-Host ("a {{0}}" -f $_) -ForegroundColor Red }}
    $where = @{{ PSPath='MACHINE/WEBROOT/APPHOST';
        Filter="$($step.Section)/add[@name='$($step.Name)']" }}
    $where.Location = $step.Location
    Get-WebConfigurationProperty @where -Name '.' -ErrorAction Stop
    $program = {APPCMD}
    & $program set config '/commit:apphost' | Out-Null
    & {APPCMD} list
    & $Block
    $shell = Join-Path $Plan.InstallPath 'bin\\RemoteExchange.ps1'
    . $shell
    Test-Same -Found $found -Wanted 1 | Where-Object {{ $_ }} | Select-Object -First 1
    [IO.File]::Replace((Convert-Path -LiteralPath 'a'), 'b', 'c')
    New-Object System.Collections.ArrayList
}}
$Steps = @()
$Steps += @{{ Id='s001'; Op='set'; Needs=@(); Weaker=''; ByItself=$false; Count=-1;
  Goals=@(@{{Name='ExternalUrl'; Kind='uri';
    Wanted={powershell.literal(HOSTILE)}; Expected=$null}});
  Get={{ {GET} -DomainController $script:Dc -ErrorAction Stop }};
  Do={{ param($v) {SET} -ExternalUrl $v.ExternalUrl -DomainController $script:Dc `
    -WhatIf:$script:WhatIfOn -Confirm:$false -ErrorAction Stop }} }}
exit (Invoke-Step $Steps[0])
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The findings of each tiny script, without the script's name; all in one process."""
    if syntax.PWSH is None:
        pytest.skip("no pwsh on PATH to read the scripts with")
    folder = tmp_path_factory.mktemp("syntax")
    texts = [
        *(case[0] for case in REFUSED),
        *LATER,
        ACCEPTABLE.replace("\n", "\r\n").removesuffix("\r\n"),
    ]
    scripts = {folder / f"{number:03}.ps1": text for number, text in enumerate(texts)}
    for path, text in scripts.items():
        path.write_bytes(text.encode() + b"\r\n")
    by_name = {path.name: [] for path in scripts}
    for finding in syntax.findings(list(scripts), "2019", "2.0"):
        name, _, rest = finding.partition(":")
        by_name[name].append(rest)
    return dict(zip(texts, by_name.values(), strict=True))


@pytest.mark.parametrize(("text", "findings"), [(text, wanted) for text, *wanted in REFUSED])
def test_each_refused_construct_has_its_finding(found, text, findings):
    """It is found once, in its line, and nothing else is."""
    assert sorted(found[text]) == sorted(f"1: {each}" for each in findings)


@pytest.mark.parametrize(("text", "findings"), LATER.items())
def test_a_finding_names_its_line(found, text, findings):
    """Also where a construct goes over several lines."""
    assert found[text] == findings


def test_a_script_as_it_should_be_has_no_finding(found):
    """Captured values as literals, blocks of steps, fixed programs, the words of 2.0."""
    (text,) = [text for text in found if text.startswith("[CmdletBinding()]")]
    assert found[text] == []


@pytest.mark.parametrize(
    ("shell", "refused"),
    [
        (
            "3.0",
            ["[Text.StringBuilder]::new() needs PowerShell 5.0", "?? is not Windows PowerShell"],
        ),
        ("5.1", ["?? is not Windows PowerShell"]),
    ],
)
def test_a_later_shell_has_more(tmp_path, shell, refused):
    """What 3.0 or 5.0 brought passes there, and what 7 brought passes nowhere."""
    if syntax.PWSH is None:
        pytest.skip("no pwsh on PATH to read the scripts with")
    script = tmp_path / "replay.ps1"
    script.write_bytes(
        b"$a = 1 -in 1,2\r\n$b = [ordered]@{}\r\n"
        b"$c = [Text.StringBuilder]::new()\r\n$d = $a ?? 1\r\n"
    )
    got = syntax.findings([script], "2019", shell)
    assert [finding.split(": ", 1)[1] for finding in got] == refused


def test_a_parameter_belongs_to_its_version(tmp_path):
    """-OWAMiniEnabled is 2010's, Get-ClientAccessService came with 2016."""
    if syntax.PWSH is None:
        pytest.skip("no pwsh on PATH to read the scripts with")
    script = tmp_path / "replay.ps1"
    script.write_bytes(f"{SET} -OWAMiniEnabled $true\r\nGet-ClientAccessService\r\n".encode())
    assert [syntax.findings([script], version, "2.0") for version in ("2010", "2016")] == [
        ["replay.ps1:2: Get-ClientAccessService is not an allowed command"],
        ["replay.ps1:1: Set-OwaVirtualDirectory has no -OWAMiniEnabled"],
    ]


def test_every_allowed_command_says_why():
    """One command a line, each once, with its parameters and a reason."""
    lines = (syntax.HERE / "allowed_commands.txt").read_text().splitlines()
    rows = [line.split("|") for line in lines if line and not line.startswith("#")]
    assert [row for row in rows if len(row) != 3 or not row[2].strip()] == []
    assert len(syntax.allowed()) == len(rows)


@pytest.mark.real
def test_every_known_parameter_is_documented():
    """What the check lets pass of a cmdlet that the reference has, the reference has too."""
    if not REFERENCE.exists():
        pytest.skip(f"no {REFERENCE.name} beside the project")
    reference = json.loads(REFERENCE.read_text())["cmdlets"]
    documented = {
        (name, each["name"], version)
        for name, cmdlet in reference.items()
        for each in cmdlet["parameters"]
        for version in each["versions"]
    }
    known = {
        (name, parameter, version)
        for version in ("2010", "2013", "2016", "2019", "SE")
        for name, parameters in syntax.exchange(version).items()
        for parameter in parameters
        if name in reference
    }
    assert known - documented == set()
