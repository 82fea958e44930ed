# What the Exchange cmdlets of the lab read from IIS and write there: authentication, SSL, compression.

# What a virtual directory's object shows and IIS holds: element below system.webServer, attribute.
$global:LabAuthentication = @{
    BasicAuthentication = 'basic'; BasicAuthEnabled = 'basic'; WindowsAuthentication = 'windows'
    WindowsAuthEnabled = 'windows'; DigestAuthentication = 'digest'
}
$global:LabWebServer = 'system.webServer/'

# ---- reading IIS

function global:Get-LabIis {
    $xml = New-Object System.Xml.XmlDocument
    $xml.Load("$env:LAB_FOLDER/C/Windows/System32/inetsrv/config/applicationHost.config")
    $at = @{ '' = @($xml.DocumentElement) }
    foreach ($one in $xml.DocumentElement.SelectNodes('location')) {
        $path = $one.GetAttribute('path').ToLowerInvariant()
        $at[$path] = @($at[$path]) + $one | Where-Object { $_ }
    }
    return @{ xml = $xml; at = $at }
}

function global:Read-LabElements($iis, [string] $place, [string] $path) {
    $level = $place.ToLowerInvariant()
    while ($true) {
        foreach ($one in $iis.at[$level]) {
            if ($one) { $found = $one.SelectSingleNode("system.webServer/$path"); if ($found) { $found } }
        }
        if (-not $level) { return }
        $slash = $level.LastIndexOf('/')
        $level = if ($slash -gt 0) { $level.Substring(0, $slash) } else { '' }
    }
}

function global:Read-LabAttribute($iis, [string] $place, [string] $path, [string] $name, [string] $default) {
    foreach ($one in Read-LabElements $iis $place $path) {
        if ($one.HasAttribute($name)) { return $one.GetAttribute($name) }
    }
    return $default
}

function global:Find-LabApplication($iis, [string] $place) {
    $site, $path = $place -split '/', 2
    foreach ($one in $iis.xml.DocumentElement.SelectNodes('system.applicationHost/sites/site')) {
        if ($one.GetAttribute('name') -ne $site) { continue }
        foreach ($application in $one.SelectNodes('application')) {
            if ($application.GetAttribute('path') -eq "/$path") { return $application }
        }
    }
}

function global:Read-LabFlags($iis, [string] $place) {
    return @((Read-LabAttribute $iis $place 'security/access' 'sslFlags' 'None') -split ',' | ForEach-Object { $_.Trim() })
}

# Gives what IIS says of one property, or nothing where it is the directory's.
function global:Read-LabFact($iis, [string] $noun, [string] $place, [string] $name) {
    if ($LabAuthentication[$name]) {
        $section = "security/authentication/$($LabAuthentication[$name])Authentication"
        return (Read-LabAttribute $iis $place $section 'enabled' 'false') -eq 'true'
    }
    $windows = 'security/authentication/windowsAuthentication/extendedProtection'
    switch ($name) {
        'ExtendedProtectionTokenChecking' { return Read-LabAttribute $iis $place $windows 'tokenChecking' 'None' }
        'ExtendedProtectionFlags' {
            $text = Read-LabAttribute $iis $place $windows 'flags' 'None'
            return , @($text -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ -ne 'None' })
        }
        'ExtendedProtectionSPNList' {
            $one = @(Read-LabElements $iis $place $windows)[0]
            return , @(if ($one) { $one.SelectNodes('spn') | ForEach-Object { $_.GetAttribute('name') } })
        }
        'GzipLevel' {
            $static = (Read-LabAttribute $iis $place 'urlCompression' 'doStaticCompression' 'true') -eq 'true'
            $dynamic = (Read-LabAttribute $iis $place 'urlCompression' 'doDynamicCompression' 'true') -eq 'true'
            return $(if ($dynamic) { 'High' } elseif ($static) { 'Low' } else { 'Off' })
        }
        'CompressionEnabled' { return (Read-LabAttribute $iis $place 'urlCompression' 'doDynamicCompression' 'true') -eq 'true' }
        'RequireSSL' { return (Read-LabFlags $iis $place) -contains 'Ssl' }
        'ClientCertAuth' {
            $flags = Read-LabFlags $iis $place
            return $(if ($flags -contains 'SslRequireCert') { 'Required' } elseif ($flags -contains 'SslNegotiateCert') { 'Accepted' } else { 'Ignore' })
        }
        'CertificateAuthentication' { if ($noun -eq 'PowerShellVirtualDirectory') { return (Read-LabFlags $iis $place) -contains 'SslNegotiateCert' } }
    }
}

function global:Test-LabFact([string] $noun, [string] $name) {
    if ($noun -eq 'OutlookAnywhere') { return $false }
    if ($name -eq 'CertificateAuthentication') { return $noun -eq 'PowerShellVirtualDirectory' }
    return $LabAuthentication[$name] -or $name -in 'ExtendedProtectionTokenChecking', 'ExtendedProtectionFlags',
        'ExtendedProtectionSPNList', 'GzipLevel', 'CompressionEnabled', 'RequireSSL', 'ClientCertAuth'
}

# ---- writing IIS

function global:New-LabStep([string] $place, [string] $section, [string] $name, $value, [string] $op = 'set') {
    return @{ op = $op; psPath = 'MACHINE/WEBROOT/APPHOST'; location = $place; filter = "$LabWebServer$section"; name = $name; value = $value }
}

function global:Get-LabFactSteps($iis, [string] $noun, [string] $place, $changes) {
    $flags = [Collections.Generic.List[string]] @(Read-LabFlags $iis $place | Where-Object { $_ -ne 'None' })
    $before = $flags -join ','
    foreach ($name in @($changes.Keys)) {
        $value = $changes[$name]
        $text = "$value".ToLowerInvariant()
        if ($LabAuthentication[$name]) { New-LabStep $place "security/authentication/$($LabAuthentication[$name])Authentication" 'enabled' $text }
        switch ($name) {
            'GzipLevel' {
                New-LabStep $place 'urlCompression' 'doStaticCompression' "$($value -ne 'Off')".ToLowerInvariant()
                New-LabStep $place 'urlCompression' 'doDynamicCompression' "$($value -in 'High', 'Error')".ToLowerInvariant()
            }
            'CompressionEnabled' { New-LabStep $place 'urlCompression' 'doDynamicCompression' $text }
            'RequireSSL' { Set-LabFlags $flags @('Ssl', 'Ssl128') $value }
            'CertificateAuthentication' { if (Test-LabFact $noun $name) { Set-LabFlags $flags @('SslNegotiateCert') $value } }
            'ClientCertAuth' {
                Set-LabFlags $flags @('SslNegotiateCert') ($value -ne 'Ignore')
                Set-LabFlags $flags @('SslRequireCert') ($value -eq 'Required')
            }
        }
    }
    if (($flags -join ',') -ne $before) {
        New-LabStep $place 'security/access' 'sslFlags' $(if ($flags.Count) { $flags -join ',' } else { 'None' })
    }
    Get-LabProtectionSteps $iis $noun $place $changes
}

function global:Set-LabFlags($flags, $names, [bool] $on) {
    foreach ($name in $names) {
        [void] $flags.Remove($name)
        if ($on) { $flags.Add($name) }
    }
}

function global:Get-LabProtectionSteps($iis, [string] $noun, [string] $place, $changes) {
    $section = 'security/authentication/windowsAuthentication/extendedProtection'
    if ($changes.Contains('ExtendedProtectionTokenChecking')) { New-LabStep $place $section 'tokenChecking' $changes.ExtendedProtectionTokenChecking }
    if ($changes.Contains('ExtendedProtectionFlags')) {
        $wanted = @($changes.ExtendedProtectionFlags | Where-Object { $_ -ne 'None' })
        if ($wanted.Count) { New-LabStep $place $section 'flags' ($wanted -join ',') }
        else { New-LabStep $place "$section/@flags" '' $null 'clear' }
    }
    if ($changes.Contains('ExtendedProtectionSPNList')) {
        $held = Read-LabFact $iis $noun $place 'ExtendedProtectionSPNList'
        foreach ($old in $held) {
            $step = New-LabStep $place $section '.' $null 'remove'
            $step.element = @{ name = $old }
            $step
        }
        foreach ($new in $changes.ExtendedProtectionSPNList) { New-LabStep $place $section '.' @{ name = $new } 'add' }
    }
}
