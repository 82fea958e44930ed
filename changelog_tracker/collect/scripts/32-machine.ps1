# What the server is: names, builds, installation. What cannot be told is nothing.

$script:WindowsKey = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'

# 15.2.1118.7 by the numbers in the file: its text is written in several ways.
function Get-FileVersion([string]$path) {
    try { $info = [System.Diagnostics.FileVersionInfo]::GetVersionInfo((Get-RealPath $path)) } catch { return }
    $version = '' + $info.FileMajorPart + '.' + $info.FileMinorPart + '.' + $info.FileBuildPart + '.' + $info.FilePrivatePart
    if ($version -ne '0.0.0.0') { return $version }
}

function Get-WindowsBuild {
    $build = Get-RegistryValue $script:WindowsKey 'CurrentBuildNumber'
    if (-not $build) { return }
    # CurrentVersion stays at 6.3 from Windows 10 on.
    $major = Get-RegistryValue $script:WindowsKey 'CurrentMajorVersionNumber'
    if ($null -ne $major) { return '' + $major + '.' + (Get-RegistryValue $script:WindowsKey 'CurrentMinorVersionNumber') + '.' + $build }
    return '' + (Get-RegistryValue $script:WindowsKey 'CurrentVersion') + '.' + $build
}

function Get-InstallDate {
    $seconds = Get-RegistryValue $script:WindowsKey 'InstallDate'
    if (-not $seconds) { return }
    return Get-Time ((New-Object DateTime(1970, 1, 1, 0, 0, 0, [DateTimeKind]::Utc)).AddSeconds([double]$seconds))
}

# The machine's own SID is that of its account 500, without the 500; it changes when Windows is installed anew.
function Get-MachineSid {
    try { $accounts = @(Get-WmiObject -Class Win32_UserAccount -Filter ("LocalAccount = True AND Domain = '" + $env:COMPUTERNAME + "'") -ErrorAction Stop) }
    catch { return }
    foreach ($account in $accounts) {
        if ("$($account.SID)" -cmatch '^(S-1-5-21-\d+-\d+-\d+)-500\z') { return $Matches[1] }
    }
}

# The name in the registry is the same in every language; there may be rubbish behind its end.
function Get-TimeZoneName {
    $name = "$(Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\TimeZoneInformation' 'TimeZoneKeyName')".Split([char]0)[0]
    if ($name -ne '') { return $name }
}

function Get-UtcOffset { return [int][TimeZone]::CurrentTimeZone.GetUtcOffset([DateTime]::Now).TotalMinutes }

function Get-ExchangeFacts {
    $setup = Get-FileVersion ($script:Exchange['InstallPath'] + 'Bin\ExSetup.exe')
    $build = $setup
    if (-not $build) { $build = $script:Exchange['Installed'] }
    return @{
        version = $script:Exchange['Version']; build = $build; exsetup = $setup; install_path = $script:Exchange['InstallPath']
        admin_display_version = $script:AdminDisplayVersion; shell = $script:ShellHow
    }
}

# What bundle.json says of Windows; the rest of it is 50 and later.
function Get-MachineFacts {
    $facts = @{}
    try { $facts = Get-WindowsFacts } catch { $facts = @{ facts_unread = (Get-Reason $_) } }
    if ($facts -isnot [System.Collections.IDictionary]) { $facts = @{} }
    $facts['build'] = Get-WindowsBuild
    $facts['system_root'] = $env:SystemRoot
    $facts['install_date'] = Get-InstallDate
    $facts['machine_sid'] = Get-MachineSid
    $facts['powershell'] = "$($PSVersionTable.PSVersion)"
    return $facts
}

function Get-Manifest {
    $evidence = @($script:Sources)
    return @{
        format = 1; server = $script:Server; taken_at = (Get-Time $script:Began); utc_offset_min = (Get-UtcOffset); time_zone = (Get-TimeZoneName)
        collector = @{ name = 'collect.ps1'; version = $CollectorVersion }
        exchange = (Get-ExchangeFacts); windows = (Get-MachineFacts)
        readings = @($script:Readings); evidence = $evidence; walked = @($script:Walked)
    }
}
