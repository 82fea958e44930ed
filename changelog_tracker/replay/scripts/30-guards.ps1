# What has to be so before anything is written. Each function gives the reason against, or nothing.

function Test-Computer {
    if (Test-SameWord $env:COMPUTERNAME $Plan['Target']) { return }
    return 'this is ' + $env:COMPUTERNAME + ', and the plan is for ' + $Plan['Target'] + '. Run it there.'
}

# MsiProductMajor, MsiProductMinor and MsiInstallPath are known from experience, not from documentation.
function Test-Version {
    $key = $Plan['RegistryKey'] + '\Setup'
    try { $setup = Get-ItemProperty -LiteralPath $key -ErrorAction Stop }
    catch { return 'Exchange ' + $Plan['Version'] + ' is not installed here: ' + $key + ' cannot be read.' }
    $here = "$($setup.MsiProductMajor).$($setup.MsiProductMinor)"
    $planned = "$($Plan['Major']).$($Plan['Minor'])"
    # In 15 the second number is the product; in 14 it is only the service pack of 2010.
    if ($Plan['Major'] -lt 15) {
        $here = "$($setup.MsiProductMajor)"
        $planned = "$($Plan['Major'])"
    }
    if ($here -ne $planned) { return 'Exchange here is version ' + $here + ', and the plan is for ' + $planned + ' (' + $Plan['Version'] + ').' }
    $path = "$($setup.MsiInstallPath)".TrimEnd('\')
    if (Test-SameWord $path $Plan['InstallPath'].TrimEnd('\')) { return }
    return "Exchange here is installed in '" + $path + "', and the plan is for '" + $Plan['InstallPath'] + "'."
}

# In a 32-bit process System32 is another folder, without the real applicationHost.config.
function Test-Bits {
    if ($env:PROCESSOR_ARCHITECTURE -ne 'x86') { return }
    return 'this is the 32-bit PowerShell. Start the 64-bit one, in C:\Windows\System32\WindowsPowerShell.'
}

function Test-Elevated {
    # High and System integrity; the names of the groups are translated, these numbers are not.
    try { $groups = @(& "$env:windir\System32\whoami.exe" /groups) -join ' ' }
    catch { return 'whoami.exe cannot be run, so it is not known whether this is elevated: ' + (Get-Reason $_) }
    if ($groups -match 'S-1-16-(12288|16384)\b') { return }
    return 'this is not elevated. Start PowerShell with "Run as administrator".'
}

function Test-SetupRuns {
    $running = @(Get-Process -Name 'ExSetup', 'ExSetupUI', 'Setup' -ErrorAction SilentlyContinue)
    if ($running.Count -eq 0) { return }
    $names = @($running | ForEach-Object { $_.Name + ' (' + $_.Id + ')' }) -join ', '
    return 'Setup runs: ' + $names + '. Let it end first.'
}

function Test-SetupUnfinished {
    try { $keys = @(Get-ChildItem -LiteralPath $Plan['RegistryKey'] -ErrorAction Stop) }
    catch { return $Plan['RegistryKey'] + ' cannot be read: ' + (Get-Reason $_) }
    $left = @()
    foreach ($key in $keys) {
        $values = Get-ItemProperty -LiteralPath $key.PSPath -ErrorAction SilentlyContinue
        foreach ($name in 'Watermark', 'Action') {
            if ($values -and $values.PSObject.Properties[$name]) { $left += $key.PSChildName + '\' + $name }
        }
    }
    if ($left.Count -eq 0) { return }
    return 'Setup did not end: ' + ($left -join ', ') + ' is left below ' + $Plan['RegistryKey'] + '. Run Setup again until it ends.'
}

function Test-SharedConfiguration {
    $path = Get-RealPath ($env:windir + '\System32\inetsrv\config\redirection.config')
    if (-not [System.IO.File]::Exists($path)) { return }
    try {
        $document = (Read-XmlFile $path)['Document']
        foreach ($one in @(Get-Found $document '' 'configurationRedirection' @())) {
            if (Test-SameWord $one.GetAttribute('enabled').Trim() 'true') {
                return 'IIS is on shared configuration (redirection.config): what is written here would count for other servers too.'
            }
        }
    }
    catch { return 'redirection.config cannot be read: ' + (Get-Reason $_) }
}

function Test-Rewrite {
    if (-not $Plan['NeedsRewrite']) { return }
    try {
        $hops = @(@{ Tag = 'add'; Keys = @(@{ N = 'name'; V = 'RewriteModule' }) })
        if (@(Get-Found (Read-AppHost) '' 'system.webServer/globalModules' $hops).Count -gt 0) { return }
    }
    catch { return 'applicationHost.config cannot be read: ' + (Get-Reason $_) }
    return 'the plan has URL Rewrite rules, and the module is not installed: each site with a rule would answer 500.19. Install URL Rewrite first.'
}

# Says each reason against; true where there is none.
function Test-Guards {
    $against = @()
    $against += Test-Computer
    $against += Test-Bits
    $against += Test-Elevated
    $against += Test-Version
    $against += Test-SetupRuns
    $against += Test-SetupUnfinished
    $against += Test-SharedConfiguration
    $against += Test-Rewrite
    $against = @(Get-Each $against)
    foreach ($reason in $against) { Write-Line ('refused: ' + $reason) }
    if ($against.Count -eq 0) {
        Write-Line 'Checked: computer, 64-bit, elevated, Exchange version and path, no Setup running or unfinished, IIS.'
        return $true
    }
    Write-Line 'Nothing was written.'
    return $false
}

# Another build than planned is no reason against: RecoverServer may have brought a newer one.
function Write-Build {
    $setup = Get-ItemProperty -LiteralPath ($Plan['RegistryKey'] + '\Setup') -ErrorAction SilentlyContinue
    if (-not $setup -or $null -eq $setup.MsiBuildMajor) { return }
    $here = '{0}.{1}.{2}.{3}' -f $setup.MsiProductMajor, $setup.MsiProductMinor, $setup.MsiBuildMajor, $setup.MsiBuildMinor
    if ($here -eq $Plan['Build']) { return }
    Write-Line ('Note: build ' + $here + ' is installed; the wanted state is of ' + $Plan['Build'] + '.')
}
