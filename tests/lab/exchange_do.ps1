# What the Exchange cmdlets of the lab do: read, set, make, remove; and what Exchange refuses.

$global:LabPlumbing = 'Identity', 'Server', 'DomainController', 'WhatIf', 'Confirm', 'Force', 'ErrorAction',
    'WarningAction', 'Verbose', 'Debug', 'ErrorVariable', 'WarningVariable', 'OutVariable', 'OutBuffer', 'InformationAction'

# Every cmdlet comes through here. A refusal is a non-terminating error, as with Exchange, so that
# only -ErrorAction Stop on the call makes a script notice.
function global:Invoke-LabCmdlet([string] $verb, [string] $noun, $bound, $cmdlet) {
    $failed = $null
    $dc = if ($bound.ContainsKey('DomainController')) { "$($bound.DomainController)" } else { $null }
    [IO.File]::AppendAllText("$env:LAB_FOLDER/calls.txt", "$verb-$noun`t$dc`n")
    try {
        if ($dc -and $dc -notin $LabState.dcs) { Stop-Lab "Couldn't connect to the domain controller '$dc'." 'SuitabilityDirectoryException' }
        $broken = $LabState.failing["$verb-$noun"]
        if (-not $broken -and -not $bound.ADPropertiesOnly) { $broken = $LabState.failing["$verb-$noun in IIS"] }
        if ($broken) { Stop-Lab $broken 'ADTransientException' }
        switch ($verb) {
            'Get' { Get-LabObject $noun $bound }
            'Search' { Search-LabAuditLog $bound }
            'Set' { Set-LabObject $noun $bound $cmdlet }
            'New' { New-LabObject $noun $bound $cmdlet }
            'Remove' { Remove-LabObject $noun $bound $cmdlet }
            default { Invoke-LabOther $verb $noun $bound $cmdlet }
        }
    } catch { $failed = $_; if ($env:LAB_DEBUG) { [Console]::Error.WriteLine($_.ScriptStackTrace) } }
    if ($failed) { $cmdlet.WriteError($failed) }
}

function global:Get-LabObject([string] $noun, $bound) {
    if ($noun -eq 'ServerComponentState') { return Get-LabComponents }
    if ($noun -eq 'AdminAuditLogConfig') { return Get-LabAuditConfig }
    if (-not (Test-LabServer "$($bound.Server)")) { Stop-LabMissing "$($bound.Server)" }
    $names = @($LabState.objects[$noun].Keys)
    $asked = "$($bound.Identity)$($bound.Thumbprint)"
    if ($asked) {
        $names = @(Find-LabNames $noun $asked)
        if (-not $names.Count -and $asked -notmatch '\*') { Stop-LabMissing $asked }
    } elseif ($noun -like '*VirtualDirectory' -and -not $bound.ShowMailboxVirtualDirectories) {
        $names = @($names | Where-Object { $LabState.objects[$noun][$_].place -notlike 'Exchange Back End/*' })
    }
    foreach ($name in $names) {
        if ($LabState.objects[$noun][$name].place -and -not $bound.ADPropertiesOnly -and -not (Find-LabApplication (Get-LabIis) $LabState.objects[$noun][$name].place)) {
            Write-Warning "The virtual directory '$name' has no object in IIS."
        }
        Write-LabObject $noun $name ([bool] $bound.ADPropertiesOnly)
    }
}

function global:Get-LabComponents {
    foreach ($name in 'ServerWideOffline', 'OwaProxy', 'EwsProxy', 'EasProxy', 'AutoDiscoverProxy', 'MapiProxy') {
        $found = New-Object psobject -Property ([ordered]@{ Component = $name; State = 'Active'; Identity = $LabState.server })
        $found.PSObject.TypeNames.Insert(0, $LabTypeNames.ServerComponentState)
        $found
    }
}

# ---- values

function global:ConvertTo-LabItems($value, $old, [string] $name) {
    if ($value -is [hashtable] -or ($value -is [array] -and $value.Count -eq 1 -and $value[0] -is [hashtable])) {
        $table = @($value)[0]
        if (@($table.Keys | Where-Object { $_ -notin 'Add', 'Remove' }).Count) { Stop-Lab "Cannot convert the hashtable of '$name' to MultiValuedProperty." 'ParameterBindingException' }
        $items = [Collections.Generic.List[object]] @($old)
        foreach ($one in @($table.Remove)) { [void] $items.Remove($one) }
        foreach ($one in @($table.Add)) { if ($null -ne $one -and $items -notcontains $one) { $items.Add($one) } }
        return , $items.ToArray()
    }
    $items = @()
    foreach ($one in @($value)) {
        if ($null -eq $one) { continue }
        if ($one -isnot [string] -and $one -isnot [ValueType] -and $one -isnot [uri]) { Stop-Lab "Cannot convert a value of '$name' to MultiValuedProperty: $($one.GetType().Name)." 'ParameterBindingException' }
        $items += "$one"
    }
    return , $items
}

function global:ConvertTo-LabSize([string] $text) {
    if ($text -match '^unlimited$') { return 'Unlimited' }
    if ($text -match '\(([\d,]+) bytes\)') { $bytes = [decimal] ($Matches[1] -replace ',', '') }
    elseif ($text -match '^\s*(\d+)\s*([KMGT]?B)?\s*$') { $bytes = [decimal] $Matches[1] * $LabSizeUnits["$($Matches[2] ? $Matches[2].ToUpperInvariant() : 'B')"] }
    else { Stop-Lab "'$text' is no size." 'ParameterBindingException' }
    foreach ($unit in $LabSizeUnits.Keys) {
        if ($bytes -ge $LabSizeUnits[$unit] -or $unit -eq 'B') {
            $count = ($bytes / $LabSizeUnits[$unit]).ToString('0.###', [Globalization.CultureInfo]::InvariantCulture)
            return "$count $unit ($($bytes.ToString('N0', [Globalization.CultureInfo]::InvariantCulture)) bytes)"
        }
    }
}

function global:ConvertTo-LabValue([string] $cmdlet, [string] $name, $value, $old) {
    $type = $LabTypes[$cmdlet].$name
    $allowed = $LabSets[$cmdlet].$name
    if ($type -match '\[\]$|^MultiValuedProperty$|^AllowedServices$') {
        $items = ConvertTo-LabItems $value $old $name
        foreach ($one in $items) {
            if ($allowed -and $one -notin $allowed) { Stop-Lab "Cannot convert value '$one' of '$name': it is none of $($allowed -join ', ')." 'ParameterBindingException' }
        }
        if ($allowed) { $items = @(foreach ($one in $items) { $allowed | Where-Object { $_ -eq $one } }) }
        return , @($items)
    }
    if ($type -eq 'Uri') {
        if ($null -eq $value -or "$value" -eq '') { return $null }
        if (-not $value.IsAbsoluteUri) { Stop-Lab "The value '$value' of '$name' isn't an absolute URI." 'ParameterBindingException' }
        return $value.OriginalString
    }
    if ($value -is [timespan]) { return $value.ToString() }
    if ($type -in 'Unlimited', 'ByteQuantifiedSize' -and $name -match 'Size|Quota') { return ConvertTo-LabSize "$value" }
    if ($type -match '^(Fqdn|Hostname)$' -and "$value" -and "$value" -notmatch '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$') { Stop-Lab "'$value' isn't a valid host name." 'ParameterBindingException' }
    if ($value -is [switch]) { return [bool] $value }
    if ($value -is [string] -and $value -eq '') { return $null }
    return $value
}

# ---- doing

function global:Get-LabChanges([string] $cmdlet, $bound, $found) {
    $changes = [ordered]@{}
    foreach ($name in $bound.Keys) {
        if ($name -in $LabPlumbing) { continue }
        $changes[$name] = ConvertTo-LabValue $cmdlet $name $bound[$name] $found[$name]
    }
    return $changes
}

function global:Set-LabObject([string] $noun, $bound, $cmdlet) {
    if (-not (Test-LabServer "$($bound.Server)")) { Stop-LabMissing "$($bound.Server)" }
    $identity = "$($bound.Identity)"
    $names = @(if ($identity) { Find-LabNames $noun $identity } else { $LabState.objects[$noun].Keys })
    if ($names.Count -ne 1 -or $identity -match '\*') { Stop-LabMissing $identity }
    $name = $names[0]
    $entry = $LabState.objects[$noun][$name]
    $found = Read-LabObject $noun $name $false
    if ($entry.place -and -not (Find-LabApplication (Get-LabIis) $entry.place)) { Stop-Lab "The virtual directory '$name' has no object in IIS." 'IISNotInstalledException' }
    $changes = Get-LabChanges "Set-$noun" $bound $found
    Assert-LabRules $noun $found $changes
    if ($noun -in 'OwaVirtualDirectory', 'EcpVirtualDirectory' -and $changes.FormsAuthentication -eq $true) {
        foreach ($one in @{ BasicAuthentication = $true; DigestAuthentication = $false; WindowsAuthentication = $false }.GetEnumerator()) { $changes[$one.Key] = $one.Value }
    }
    if (-not $cmdlet.ShouldProcess($name)) { return }
    Save-LabChanges $noun $name $changes
    Write-LabLog "Set-$noun" $name $bound
}

function global:Save-LabChanges([string] $noun, [string] $name, $changes) {
    $entry = $LabState.objects[$noun][$name]
    if ($LabState.lag_s -gt 0) {
        $copy = $entry | ConvertTo-Json -Depth 8 | ConvertFrom-Json -AsHashtable
        $LabState.late["$noun|$name"] = @{ until = [DateTime]::UtcNow.AddSeconds($LabState.lag_s).Ticks; entry = $copy }
    }
    $steps = @()
    if ($entry.place -and $noun -eq 'OutlookAnywhere') { $steps = @(Get-LabRpcSteps $entry.place $changes) }
    elseif ($entry.place) { $steps = @(Get-LabFactSteps (Get-LabIis) $noun $entry.place $changes) }
    if ($noun -eq 'MapiVirtualDirectory' -and $changes.Contains('IISAuthenticationMethods')) { $steps += @(Get-LabStampSteps $entry.place $changes.IISAuthenticationMethods) }
    if ($steps.Count) {
        $answer = Invoke-LabIis $steps
        if ($answer.error) { Stop-Lab $answer.error 'COMException' }
    }
    foreach ($one in $changes.Keys) {
        if ($one -eq 'Name') { $entry.name = $changes[$one] }
        elseif ($one -eq 'DefaultAuthenticationMethod') {
            foreach ($other in 'ExternalClientAuthenticationMethod', 'InternalClientAuthenticationMethod', 'ClientAuthenticationMethod') { if ($entry.values.Contains($other)) { $entry.values[$other] = $changes[$one] } }
            $entry.values.IISAuthenticationMethods = @($changes[$one])
        } elseif ($entry.values.Contains($one) -and -not (Test-LabFact $noun $one)) { $entry.values[$one] = $changes[$one] }
    }
    $entry.WhenChanged = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
    Save-LabState
}

# The servicelet stamps what the directory says on /Rpc; here at once, on a server within 15 minutes.
function global:Get-LabRpcSteps([string] $place, $changes) {
    if ($changes.Contains('SSLOffloading')) { New-LabStep $place 'security/access' 'sslFlags' $(if ($changes.SSLOffloading) { 'None' } else { 'Ssl, Ssl128' }) }
    $methods = if ($changes.Contains('DefaultAuthenticationMethod')) { @($changes.DefaultAuthenticationMethod) } else { $changes.IISAuthenticationMethods }
    if ($null -ne $methods) { Get-LabStampSteps $place $methods }
    Get-LabProtectionSteps (Get-LabIis) 'OutlookAnywhere' $place $changes
}

function global:Get-LabStampSteps([string] $place, $methods) {
    $windows = @($methods | Where-Object { $_ -in 'Ntlm', 'Negotiate' }).Count -gt 0
    New-LabStep $place 'security/authentication/basicAuthentication' 'enabled' "$($methods -contains 'Basic')".ToLowerInvariant()
    New-LabStep $place 'security/authentication/windowsAuthentication' 'enabled' "$windows".ToLowerInvariant()
}

function global:New-LabObject([string] $noun, $bound, $cmdlet) {
    if ($noun -notlike '*VirtualDirectory') { return Invoke-LabOther 'New' $noun $bound $cmdlet }
    $template = $LabState.templates[$noun]
    $site = if ($bound.WebSiteName) { "$($bound.WebSiteName)" } elseif ("$($bound.Role)" -eq 'Mailbox') { 'Exchange Back End' } else { 'Default Web Site' }
    $application = if ($bound.Name) { "$($bound.Name)" } else { $template.application }
    $name = "$application ($site)"
    $place = "$site/$application"
    if ($LabState.objects[$noun].Contains($name)) { Stop-Lab "The virtual directory '$application' already exists under '$($LabState.fqdn)/$site'." 'InvalidOperationException' }
    $iis = Get-LabIis
    $sites = @($iis.xml.DocumentElement.SelectNodes('system.applicationHost/sites/site') | ForEach-Object { $_.GetAttribute('name') })
    if ($sites -notcontains $site) { Stop-Lab "The Web site '$site' couldn't be found on '$($LabState.fqdn)'." 'WebObjectNotFoundException' }
    if (Find-LabApplication $iis $place) { Stop-Lab "An error occurred while creating the IIS virtual directory 'IIS://$($LabState.fqdn)/W3SVC/1/ROOT/$application' on '$($LabState.server)'." 'InvalidOperationException' }
    $folder = if ($bound.Path) { "$($bound.Path)" } else { $template.folder }
    if ($noun -eq 'OabVirtualDirectory' -and -not (Test-Path -LiteralPath $folder)) { Stop-Lab "The folder '$folder' doesn't exist." 'DirectoryNotFoundException' }
    $values = $template.values | ConvertTo-Json -Depth 8 | ConvertFrom-Json -AsHashtable
    $settings = @{}
    foreach ($one in $bound.Keys) { if ($one -notin 'WebSiteName', 'Name', 'Role', 'Path', 'AppPoolId', 'ApplicationRoot', 'AppPoolIdForManagement', 'InstallProxySubDirectory', 'Recovery') { $settings[$one] = $bound[$one] } }
    $changes = Get-LabChanges "New-$noun" $settings $values
    if (-not $cmdlet.ShouldProcess($name)) { return }
    $entry = [ordered]@{ Guid = [guid]::NewGuid().ToString(); WhenCreated = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ'); place = $place; values = $values }
    $pool = if ($bound.AppPoolId) { "$($bound.AppPoolId)" } else { $template.pool }
    $steps = @(New-LabApplication $site $application $pool $folder) + @(foreach ($step in $template.iis) { New-LabStep $place $step.filter.Substring($LabWebServer.Length) $step.name $step.value })
    $answer = Invoke-LabIis $steps
    if ($answer.error) { Stop-Lab $answer.error 'COMException' }
    $LabState.objects[$noun][$name] = $entry
    Save-LabChanges $noun $name $changes
    Write-LabLog "New-$noun" $name $bound
    Write-LabObject $noun $name $false
}

function global:New-LabApplication([string] $site, [string] $application, [string] $pool, [string] $folder) {
    $filter = "system.applicationHost/sites/site[@name='$site']"
    @{ op = 'add'; psPath = 'MACHINE/WEBROOT/APPHOST'; filter = $filter; name = '.'; value = @{ path = "/$application"; applicationPool = $pool } }
    @{ op = 'add'; psPath = 'MACHINE/WEBROOT/APPHOST'; filter = "$filter/application[@path='/$application']"; name = '.'; value = @{ path = '/'; physicalPath = $folder } }
}

function global:Remove-LabObject([string] $noun, $bound, $cmdlet) {
    $identity = "$($bound.Identity)$($bound.Thumbprint)"
    $names = @(Find-LabNames $noun $identity)
    if ($names.Count -ne 1 -or $identity -match '\*') { Stop-LabMissing $identity }
    $name = $names[0]
    $place = $LabState.objects[$noun][$name].place
    if (-not $cmdlet.ShouldProcess($name)) { return }
    if ($place -and (Find-LabApplication (Get-LabIis) $place)) {
        $site, $application = $place -split '/', 2
        $filter = "system.applicationHost/sites/site[@name='$site']/application[@path='/$application']"
        $gone = @{ op = 'clear'; psPath = 'MACHINE/WEBROOT/APPHOST'; filter = $filter }
        $answer = Invoke-LabIis @($gone, @{ op = 'drop-locations'; location = $place })
        if ($answer.error) { Stop-Lab $answer.error 'COMException' }
    }
    $LabState.objects[$noun].Remove($name)
    if ($noun -eq 'OabVirtualDirectory') {
        foreach ($book in $LabState.objects.OfflineAddressBook.Values) { $book.values.VirtualDirectories = @($book.values.VirtualDirectories | Where-Object { $_ -ne "$($LabState.server)\$name" }) }
    }
    Save-LabState
    Write-LabLog "Remove-$noun" $name $bound
}

# Certificates, client access arrays, Outlook Anywhere of 2010.
function global:Invoke-LabOther([string] $verb, [string] $noun, $bound, $cmdlet) {
    if ("$verb-$noun" -eq 'Enable-ExchangeCertificate') {
        $name = @(Find-LabNames $noun "$($bound.Thumbprint)$($bound.Identity)")[0]
        if (-not $name) { Stop-LabMissing "$($bound.Thumbprint)" }
        $wanted = ConvertTo-LabValue 'Enable-ExchangeCertificate' 'Services' $bound.Services @()
        if (-not $cmdlet.ShouldProcess($name)) { return }
        $entry = $LabState.objects[$noun][$name]
        $held = @($entry.values.Services -split ', ' | Where-Object { $_ -and $_ -ne 'None' }) + $wanted | Select-Object -Unique
        $entry.values.Services = @('IMAP', 'POP', 'UM', 'IIS', 'SMTP', 'Federation', 'UMCallRouter' | Where-Object { $_ -in $held }) -join ', '
    } elseif ("$verb-$noun" -in 'New-ClientAccessArray', 'Enable-OutlookAnywhere') {
        $name = if ($bound.Name) { "$($bound.Name)" } else { 'Rpc (Default Web Site)' }
        if ($LabState.objects[$noun].Contains($name)) { Stop-Lab "'$name' already exists." 'InvalidOperationException' }
        $values = [ordered]@{}
        foreach ($one in $LabTypes["Set-$noun"].Keys) { if ($one -notin $LabPlumbing -and $one -ne 'Name') { $values[$one] = $null } }
        foreach ($one in (Get-LabChanges "$verb-$noun" $bound $values).GetEnumerator()) { if ($values.Contains($one.Key)) { $values[$one.Key] = $one.Value } }
        if (-not $cmdlet.ShouldProcess($name)) { return }
        $place = if ($noun -eq 'OutlookAnywhere') { 'Default Web Site/Rpc' } else { $null }
        $LabState.objects[$noun][$name] = [ordered]@{ Guid = [guid]::NewGuid().ToString(); WhenCreated = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ'); place = $place; values = $values }
    } elseif ("$verb-$noun" -eq 'Disable-OutlookAnywhere') {
        $name = @(Find-LabNames $noun "$($bound.Identity)")[0]
        if (-not $name) { Stop-LabMissing "$($bound.Identity)" }
        if (-not $cmdlet.ShouldProcess($name)) { return }
        $LabState.objects[$noun].Remove($name)
    } else { Stop-Lab "$verb-$noun is not part of this lab." 'NotImplementedException' }
    Save-LabState
    Write-LabLog "$verb-$noun" $name $bound
}
