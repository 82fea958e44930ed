# What has to be so before anything is read. A reason against is a table: Code, Reason, Hint.

function New-Refusal([string]$code, [string]$reason, [string]$hint) { return @{ Code = $code; Reason = $reason; Hint = $hint } }

# In a 32-bit process System32 is another folder, without the real applicationHost.config.
function Test-Bits {
    if ($env:PROCESSOR_ARCHITECTURE -ne 'x86') { return }
    return New-Refusal '32-bit' 'this is the 32-bit PowerShell' 'start the 64-bit one, in C:\Windows\System32\WindowsPowerShell'
}

# MsiProductMajor, MsiProductMinor and MsiInstallPath are known from experience, not from documentation.
function Find-Exchange {
    foreach ($generation in 'v15', 'v14') {
        $key = 'HKLM:\SOFTWARE\Microsoft\ExchangeServer\' + $generation
        $path = Get-RegistryValue ($key + '\Setup') 'MsiInstallPath'
        if (-not $path) { continue }
        $numbers = @()
        foreach ($name in 'MsiProductMajor', 'MsiProductMinor', 'MsiBuildMajor', 'MsiBuildMinor') { $numbers += [int](Get-RegistryValue ($key + '\Setup') $name) }
        $script:Exchange = @{
            Key = $key; InstallPath = "$path".TrimEnd('\') + '\'; Major = $numbers[0]; Installed = $numbers -join '.'; Version = Get-VersionName $numbers
        }
        return
    }
}

function Get-VersionName($numbers) {
    $name = $null
    foreach ($one in $ExchangeVersions) {
        $first = $one['First']
        for ($i = 0; $i -lt $first.Count -and $numbers[$i] -eq $first[$i]; $i++) { }
        if ($i -ge $first.Count -or $numbers[$i] -gt $first[$i]) { $name = $one['Name'] }
    }
    return $name
}

function Test-Exchange {
    Find-Exchange
    if ($null -ne $script:Exchange) {
        if ($script:Exchange['Version']) { return }
        return New-Refusal 'not-exchange' ('Exchange ' + $script:Exchange['Installed'] + ' is not known') 'take a newer changelog-tracker'
    }
    if (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Exchange\v8.0') {
        return New-Refusal 'not-exchange' 'this is Exchange 2007, which is not read yet' 'Exchange 2010 and later are'
    }
    return New-Refusal 'not-exchange' 'there is no Exchange server on this computer (no HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\Setup or v14\Setup)' 'run it on the Exchange server itself'
}

function Test-SetupRuns {
    $running = @(Get-Process -Name 'ExSetup', 'ExSetupUI', 'Setup' -ErrorAction SilentlyContinue)
    if ($running.Count -eq 0) { return }
    $names = @($running | ForEach-Object { $_.Name + ' (' + $_.Id + ')' }) -join ', '
    return New-Refusal 'setup-runs' ('Setup runs: ' + $names) 'let it end first: what it has not done yet would look like a change'
}

function Test-SetupUnfinished {
    $root = $script:Exchange['Key']
    try { $keys = @(Get-ChildItem -LiteralPath $root -ErrorAction Stop) }
    catch { return New-Refusal 'setup-unfinished' ($root + ' cannot be read: ' + (Get-Reason $_)) 'run it as a member of the local Administrators' }
    $left = @()
    foreach ($key in $keys) {
        $values = Get-ItemProperty -LiteralPath $key.PSPath -ErrorAction SilentlyContinue
        foreach ($name in 'Watermark', 'Action') {
            if ($values -and $values.PSObject.Properties[$name]) { $left += $key.PSChildName + '\' + $name }
        }
    }
    if ($left.Count -eq 0) { return }
    return New-Refusal 'setup-unfinished' ('Setup did not end: ' + ($left -join ', ') + ' is left below ' + $root) 'run Setup again until it ends'
}

# The first reason against, or nothing.
function Get-Refusal {
    $reason = Test-Bits
    if (-not $reason) { $reason = Test-Exchange }
    if (-not $reason) { $reason = Test-SetupRuns }
    if (-not $reason) { $reason = Test-SetupUnfinished }
    return $reason
}

# No reason against: what needs an administrator says so by itself.
function Test-Elevated {
    # High and System integrity; the names of the groups are translated, these numbers are not.
    try { $groups = @(& "$env:windir\System32\whoami.exe" /groups) -join ' ' } catch { return }
    $script:Elevated = $groups -match 'S-1-16-(12288|16384)\b'
}
