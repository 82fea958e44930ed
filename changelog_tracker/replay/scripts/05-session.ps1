# What holds for the whole run. Preferences of the prompt that called are not to change what is done.
Set-StrictMode -Off
$ErrorActionPreference = 'Continue'
$WhatIfPreference = $false
$ConfirmPreference = 'None'
$script:WhatIfOn = [bool]$WhatIf
$script:Dc = $DomainController
# Reading back is tried again for so long, so far apart: Active Directory replicates, IIS commits.
$script:ReadBackS = 60
$script:ReadBackIisS = 10
$script:ReadAgainS = 2
$script:States = @{}
$script:Answers = @{}
$script:Ready = $false

# Gives what a table or list holds one by one; in PowerShell 2.0 even nothing is walked once.
function Get-Each($values) {
    foreach ($value in @($values)) { if ($null -ne $value) { $value } }
}

# A list given to powershell.exe -File arrives as one text with commas in it.
function Read-Names($values) {
    foreach ($value in @(Get-Each $values)) {
        foreach ($name in $value.Split(',')) { if ($name.Trim() -ne '') { $name.Trim() } }
    }
}

# Characters that a console would obey or hide (control, direction, half a pair) are shown by number.
function Get-Visible([string]$text) {
    return [regex]::Replace($text, '[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}', [System.Text.RegularExpressions.MatchEvaluator]{
            param($match)
            '\u{0:x4}' -f [int][char]$match.Value
        })
}

function Write-Line([string]$text) { Write-Host (Get-Visible $text) }

function Get-Shown($value) {
    if ($null -eq $value) { return '(nothing)' }
    if ($value -is [bool]) { return "$value".ToLowerInvariant() }
    if (Test-IsMany $value) {
        if (@($value).Count -eq 0) { return '(nothing)' }
        $text = @(@($value) | ForEach-Object { "'" + $_ + "'" }) -join ', '
    }
    elseif ($value -is [string]) { $text = "'" + $value + "'" }
    else { $text = "$value" }
    if ($text.Length -gt 300) { $text = $text.Substring(0, 300) + '... (' + $text.Length + ' characters)' }
    return $text
}

# One line that says why: the innermost message, without its line breaks.
function Get-Reason($record) {
    $problem = $record.Exception
    while ($problem -is [System.Management.Automation.MethodInvocationException] -and $problem.InnerException) {
        $problem = $problem.InnerException
    }
    $text = ([string]$problem.Message -replace '\s+', ' ').Trim()
    if ($text.Length -gt 400) { $text = $text.Substring(0, 400) + '...' }
    return $text
}

# Whether somebody can answer. IsInputRedirected is .NET 4.5's; before it, nobody can tell.
function Test-CanAnswer {
    if (-not [Environment]::UserInteractive) { return $false }
    $redirected = [Console].GetProperty('IsInputRedirected')
    if ($redirected) { return -not $redirected.GetValue($null, $null) }
    return $true
}

function Read-Consent([string]$question) {
    if ($script:Yes) {
        Write-Line ('? ' + $question + ' Yes (-Yes).')
        return $true
    }
    $answer = $null
    if (Test-CanAnswer) {
        try { $answer = Read-Host ((Get-Visible ('? ' + $question)) + ' [y/N]') } catch { $answer = $null }
    }
    if ($null -eq $answer) {
        Write-Line ('? ' + $question + ' No: nobody can answer here (-Yes answers yes).')
        return $false
    }
    return $answer.Trim() -match '^(y|yes)$'
}

# Asks the same thing once in a run.
function Read-ConsentOnce([string]$key, [string]$question) {
    if (-not $script:Answers.ContainsKey($key)) { $script:Answers[$key] = Read-Consent $question }
    return $script:Answers[$key]
}

function Get-Now { return [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture) }

function Get-Stamp { return [DateTime]::UtcNow.ToString('yyyyMMddHHmmss', [Globalization.CultureInfo]::InvariantCulture) }

# A path as .NET takes it; the file need not be there.
function Get-RealPath([string]$path) {
    return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($path)
}

function Get-OwnFolder { return [System.IO.Path]::GetDirectoryName($script:MyInvocation.MyCommand.Path) }
