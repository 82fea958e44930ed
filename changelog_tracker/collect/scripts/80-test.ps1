# What can be read here and what cannot, quickly and without hashing: the only entry is test.json.

function Write-TestFrame { $null = Add-Entry 'test.json' (Get-Bytes (ConvertTo-JsonText (Get-TestAnswer))) }

function Get-TestAnswer {
    return @{
        server = $script:Server; fqdn = (Get-Fqdn); time = [DateTime]::UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", [Globalization.CultureInfo]::InvariantCulture)
        powershell = "$($PSVersionTable.PSVersion)"; language_mode = "$($ExecutionContext.SessionState.LanguageMode)"; clr = "$($PSVersionTable.CLRVersion)"
        bits = 8 * [IntPtr]::Size; elevated = $script:Elevated; os = (Get-WindowsName); exchange = (Get-ExchangeFacts)
        reads = @(Get-Tries); evidence = @(Get-BriefSources)
        shell = @{ ok = [bool]$script:ShellOpen; how = $script:ShellHow; reason = $script:ShellReason }
    }
}

# As Windows itself has it: no name server is asked.
function Get-Fqdn {
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'
    $name = "$(Get-RegistryValue $key 'Hostname')"
    if ($name -eq '') { $name = $script:Server }
    foreach ($value in 'Domain', 'NV Domain') {
        $domain = "$(Get-RegistryValue $key $value)"
        if ($domain -ne '') { return $name + '.' + $domain }
    }
    if ("$env:USERDNSDOMAIN" -ne '') { return $name + '.' + $env:USERDNSDOMAIN.ToLowerInvariant() }
    return $name
}

function Get-WindowsName {
    $parts = @("$(Get-RegistryValue $script:WindowsKey 'ProductName')", "$(Get-WindowsBuild)" | Where-Object { $_ -ne '' })
    return $parts -join ' '
}

function Get-Tries {
    foreach ($what in 'applicationHost.config', 'files', 'http.sys', 'registry', 'services', 'certificates', 'eventlog') {
        $reason = $null
        try { $null = Invoke-Try $what } catch { $reason = Get-Reason $_ }
        @{ what = $what; ok = ($null -eq $reason); reason = $reason }
    }
}

function Invoke-Try([string]$what) {
    switch ($what) {
        'applicationHost.config' { $null = Read-XmlBytes (Read-AppHost) }
        'files' { Test-Folders }
        'http.sys' { Add-SslBindings (New-Lines) }
        'registry' { Add-RegistryValues (New-Lines) }
        'services' { Add-Services (New-Lines) }
        'certificates' { Add-Certificates (New-Lines) }
        'eventlog' { $null = Get-OldestEvent $script:EventLogs['msexchange-management'] }
    }
}

# One folder of each kind is listed, and one file opened.
function Test-Folders {
    $folder = $script:Exchange['InstallPath'] + 'ClientAccess'
    foreach ($info in (New-Object System.IO.DirectoryInfo((Get-RealPath $folder))).GetFileSystemInfos()) {
        if ($info -is [System.IO.DirectoryInfo]) { continue }
        (Open-Shared $info.FullName).Close()
        return
    }
}

function Get-BriefSources {
    foreach ($name in $script:SourceNames) {
        if (Test-LeftToOthers $name) { continue }
        $source = New-Source $name
        $null = Read-Source $source $true
        $source['turn_on'] = $script:TurnOn[$name]
        $source
    }
}
