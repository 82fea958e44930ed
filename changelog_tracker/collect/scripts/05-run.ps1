# What holds for the whole run, and what every part of the script may call:
#   Add-Entry $path $bytes          puts an entry in the bundle; gives its SHA-256 (hex). Not sent where Test-Sent says no.
#   Add-LargeEntry $path $file      the same of a file on disk (a real path), in pieces; for what may be large.
#   Add-Reading $kind $file $mode $status $reason $sha      one line of the list of what was looked for.
#   Add-Unread $kind $file $reason  the same for what could not be read.
#   Add-Source $table               one line of the list of evidence, as bundle.json has it.
#   Test-Sent $path                 whether the content of an entry goes out in this run (list: no files/; fetch: only what was asked for).
#   Test-Wanted $path               whether an entry has to be made at all in this run (false in a fetch that did not ask for it).
#   ConvertTo-JsonText $value       JSON of nothing, a truth, a number, a text, a time, a list or a table; ASCII, keys in order.
#   ConvertTo-JsonQuoted $text      one text as JSON, with its quotes; quicker where there are many.
#   Get-Bytes $text                 ASCII bytes of a text.
#   New-Sha256, Get-Hex $bytes      a hash that FIPS allows; its digits in lower case.
#   Get-FileSha256 $realPath        the hash of a file, read in pieces.
#   Open-Shared $realPath           a stream on a file that others may write or delete meanwhile.
#   Get-Reason $errorRecord         one line that says why.
#   Get-RealPath $path              a path as .NET takes it (the file need not be there).
#   Get-EntryPath $windowsPath      C:\x\y as files/C/x/y; throws where a bundle cannot hold that name.
#   Get-FilePath $windowsPath       C:\a\..\b as C:\b, with environment variables put in; throws where it is no path on a drive.
#   Get-RegistryValue $key $name    a value below HKLM:\..., or nothing.
#   Read-XmlBytes $bytes            an XmlDocument, without DTD; Get-ChildElements $node, Get-Named $node $tag walk it.
#   Get-Ordinal $texts              texts sorted by code; always call it as @(Get-Ordinal $texts).
#   Get-Each $values                what a list holds, one by one; Test-SameWord, Test-IsMany.
#   Get-Time $dateTime              2026-11-22T10:00:00Z.
#   Write-Line $text                a line for whoever sits there; nothing with -Frame.
#   Write-Part $text                a line and a progress bar: what is being read now.
# And what it may look at: $script:Mode ('all', 'list', 'fetch', 'test'), $script:Framed, $script:Exchange (Version '2019', Major,
# InstallPath 'C:\...\V15\', Key 'HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15'), $script:Server, $script:SinceTime (UTC or nothing),
# $script:ShellOpen, $script:ShellHow, $script:ShellReason, $script:CustomFolders (Windows paths to which applicationHost.config leads),
# $script:CollectedFiles (table: Windows path in lower case), $script:WithoutEvidence, $script:WithoutManifest, $script:Elevated.
# Nothing may be written to the pipeline or the console while a frame is open: it would stand inside it.
Set-StrictMode -Off
$ErrorActionPreference = 'Continue'
$WhatIfPreference = $false
$ConfirmPreference = 'None'
$VerbosePreference = 'SilentlyContinue'
$DebugPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
# A script block that is not a file has no script scope of its own: parameters are copied into it.
$script:OutGiven = $Out
$script:WithoutZip = [bool]$NoZip
$script:SinceGiven = $Since
$script:WithoutExchange = [bool]$NoExchange
$script:WithoutEvidence = [bool]$NoEvidence
$script:WithoutManifest = [bool]$NoManifest
$script:SnapinAllowed = [bool]$AllowSnapin
$script:OtherServer = $ExchangeServer
$script:Marker = $Frame
$script:Framed = $Frame -ne ''
$script:Mode = $Mode
$script:FetchGiven = $Fetch
if ($script:Mode -eq '') { $script:Mode = 'all' }
if ($script:Framed) { $ProgressPreference = 'SilentlyContinue' }
$script:Began = [DateTime]::UtcNow
$script:Server = $env:COMPUTERNAME
$script:SinceTime = $null
$script:Wanted = @{}
$script:Readings = [System.Collections.ArrayList]@()
$script:ReadingKeys = @{}
$script:Sources = [System.Collections.ArrayList]@()
$script:Walked = [System.Collections.ArrayList]@()
$script:CustomFolders = @()
$script:CollectedFiles = New-Object System.Collections.Hashtable
$script:Exchange = $null
$script:ShellOpen = $false
$script:ShellHow = $null
$script:ShellReason = $null
$script:Elevated = $null
$script:MostBytes = 32MB
$script:FrameBroken = $false

# Gives what a table or list holds one by one; in PowerShell 2.0 even nothing is walked once.
function Get-Each($values) {
    foreach ($value in @($values)) { if ($null -ne $value) { $value } }
}

function Test-IsMany($value) {
    if ($null -eq $value -or $value -is [string]) { return $false }
    if ($value -is [System.Collections.IDictionary]) { return $false }
    return $value -is [System.Collections.IEnumerable]
}

function Test-SameText([string]$one, [string]$other) {
    return [string]::Equals($one, $other, [StringComparison]::Ordinal)
}

function Test-SameWord([string]$one, [string]$other) {
    return [string]::Equals($one, $other, [StringComparison]::OrdinalIgnoreCase)
}

function Get-Ordinal($texts) {
    $sorted = [string[]]@(Get-Each $texts)
    [Array]::Sort($sorted, [System.StringComparer]::Ordinal)
    $sorted
}

# Characters that a console would obey or hide (control, direction, half a pair) are shown by number.
function Get-Visible([string]$text) {
    return [regex]::Replace($text, '[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}', [System.Text.RegularExpressions.MatchEvaluator]{
            param($match)
            '\u{0:x4}' -f [int][char]$match.Value
        })
}

function Write-Line([string]$text) {
    if (-not $script:Framed) { Write-Host (Get-Visible $text) }
}

function Write-Part([string]$text) {
    if ($script:Framed) { return }
    Write-Progress -Activity 'Reading this server' -Status (Get-Visible $text)
    Write-Host ('  ' + (Get-Visible $text))
}

# One line that says why: the innermost message, without its line breaks.
function Get-Reason($record) {
    $problem = $record.Exception
    while ($problem -is [System.Management.Automation.MethodInvocationException] -and $problem.InnerException) {
        $problem = $problem.InnerException
    }
    $text = ([string]$problem.Message -replace '\s+', ' ').Trim()
    if ($text.Length -gt 400) { $text = $text.Substring(0, 400) + '...' }
    if ($text -eq '') { $text = 'no reason was given' }
    return $text
}

function Get-Time($time) {
    return $time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
}

# A path as .NET takes it; the file need not be there.
function Get-RealPath([string]$path) {
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($path)
}

function Get-RegistryValue([string]$key, [string]$name) {
    $values = Get-ItemProperty -LiteralPath $key -ErrorAction SilentlyContinue
    if ($null -eq $values) { return }
    $found = $values.PSObject.Properties[$name]
    if ($null -ne $found) { return $found.Value }
}

# Kind, file, mode and status as bundle.json wants them; the same file twice would spoil the bundle.
function Add-Reading([string]$kind, [string]$file, [string]$mode, [string]$status, [string]$reason, [string]$sha) {
    $key = ($kind + ' ' + $file).ToLowerInvariant()
    if ($file -ne '') { $key = $file.ToLowerInvariant() }
    if ($script:ReadingKeys.ContainsKey($key)) { return }
    $script:ReadingKeys[$key] = $true
    $reading = @{ kind = $kind; file = $null; mode = $mode; status = $status; reason = $null; sha256 = $null }
    if ($file -ne '') { $reading['file'] = $file }
    if ($reason -ne '') { $reading['reason'] = $reason }
    if ($sha -ne '') { $reading['sha256'] = $sha }
    $null = $script:Readings.Add($reading)
}

function Add-Unread([string]$kind, [string]$file, [string]$reason) {
    Add-Reading $kind $file 'full' 'unread' $reason ''
}

function Add-Source($table) { $null = $script:Sources.Add($table) }
