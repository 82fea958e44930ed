# What Exchange refuses though each parameter binds: exclusions, and values that need one another.

function global:Assert-LabRules([string] $noun, $found, $changes) {
    $after = @{}
    foreach ($name in $found.Keys) { $after[$name] = $found[$name] }
    foreach ($name in $changes.Keys) { $after[$name] = $changes[$name] }
    if ($noun -in 'OwaVirtualDirectory', 'EcpVirtualDirectory') { Assert-LabForms $found $changes $after }
    if ($noun -eq 'OwaVirtualDirectory' -and $after.LogonFormat -eq 'UserName' -and -not $after.DefaultDomain) { Stop-Lab 'When LogonFormat is UserName, DefaultDomain must be set.' }
    if ($changes.Contains('AdfsAuthentication')) { Assert-LabAdfs $noun $changes.AdfsAuthentication }
    if ($noun -eq 'OutlookAnywhere') { Assert-LabOutlookAnywhere $changes $after }
    $spn = @($after.ExtendedProtectionSPNList | Where-Object { $_ -and ($_ -split '/')[-1] -notmatch '\.' })
    if ($spn.Count -and $after.ExtendedProtectionFlags -notcontains 'AllowDotlessSPN') { Stop-Lab "The SPN '$($spn[0])' has no dot, and AllowDotlessSPN isn't set." }
    if ($noun -eq 'OfflineAddressBook' -and $after.GlobalWebDistributionEnabled -and @($after.VirtualDirectories).Count) { Stop-Lab "GlobalWebDistributionEnabled can't be used with VirtualDirectories." }
}

function global:Assert-LabForms($found, $changes, $after) {
    $forms = $changes.FormsAuthentication
    if ($forms -eq $true -and ($changes.BasicAuthentication -eq $false -or $changes.WindowsAuthentication -eq $true -or $changes.DigestAuthentication -eq $true)) {
        Stop-Lab "FormsAuthentication can't be enabled with Basic off, Windows on or Digest on in the same command."
    }
    if ($forms -eq $false -and $found.FormsAuthentication -and $changes.BasicAuthentication -eq $true) {
        Stop-Lab "FormsAuthentication can't be disabled and BasicAuthentication enabled in the same command."
    }
    if (-not $changes.Contains('FormsAuthentication') -and $after.FormsAuthentication -and $changes.BasicAuthentication -eq $false) {
        Stop-Lab "BasicAuthentication can't be disabled while FormsAuthentication is enabled."
    }
}

function global:Assert-LabAdfs([string] $noun, [bool] $on) {
    $other = if ($noun -eq 'OwaVirtualDirectory') { 'EcpVirtualDirectory' } else { 'OwaVirtualDirectory' }
    $enabled = @($LabState.objects[$other].Values | Where-Object { $_.place -like 'Default Web Site/*' -and $_.values.AdfsAuthentication }).Count -gt 0
    if ($noun -eq 'OwaVirtualDirectory' -and $on -and -not $enabled) { Stop-Lab 'Enable AdfsAuthentication on the ECP virtual directory first.' }
    if ($noun -eq 'EcpVirtualDirectory' -and -not $on -and $enabled) { Stop-Lab 'Disable AdfsAuthentication on the OWA virtual directory first.' }
}

function global:Assert-LabOutlookAnywhere($changes, $after) {
    $others = @($changes.Keys | Where-Object { $_ -in 'IISAuthenticationMethods', 'ExternalClientAuthenticationMethod', 'InternalClientAuthenticationMethod', 'ClientAuthenticationMethod' })
    if ($changes.Contains('DefaultAuthenticationMethod') -and $others.Count) { Stop-Lab "DefaultAuthenticationMethod can't be used with $($others -join ', ')." }
    foreach ($side in 'External', 'Internal') {
        if ($after.Contains("${side}ClientsRequireSsl") -and $after["${side}ClientsRequireSsl"] -eq $false -and -not $after.SSLOffloading) { Stop-Lab "SSLOffloading must be true when ${side}ClientsRequireSsl is false." }
        if (-not $after.Contains("${side}ClientsRequireSsl") -or -not $changes["${side}Hostname"]) { continue }
        if (-not $changes.Contains("${side}ClientsRequireSsl")) { Stop-Lab "${side}Hostname needs ${side}ClientsRequireSsl in the same command." }
        if ($side -eq 'External' -and -not $changes.Contains('DefaultAuthenticationMethod') -and -not $changes.Contains('ExternalClientAuthenticationMethod')) { Stop-Lab 'ExternalHostname needs ExternalClientAuthenticationMethod or DefaultAuthenticationMethod in the same command.' }
    }
}
