# The Exchange cmdlets of the lab: what they do once PowerShell has bound their parameters. The
# functions themselves, with the parameters that a version has, are written by binder.py.

$global:LabSizeUnits = [ordered]@{ TB = 1TB; GB = 1GB; MB = 1MB; KB = 1KB; B = 1 }
$global:LabNeutral = 'FormsAuthentication', 'AdfsAuthentication', 'OAuthAuthentication', 'DefaultDomain'

function global:New-LabError([string] $message, [string] $reason, [string] $category = 'InvalidArgument') {
    $id = "[Server=$($LabState.server),RequestId=0] $reason,Microsoft.Exchange.Management.Tasks"
    $record = New-Object System.Management.Automation.ErrorRecord((New-Object Exception $message), $id, $category, $null)
    $record.CategoryInfo.Reason = $reason
    return $record
}

function global:Stop-Lab([string] $message, [string] $reason = 'ADConstraintViolationException') {
    throw (New-LabError $message $reason)
}

function global:Stop-LabMissing([string] $identity) {
    $dc = $LabState.dcs[0]
    $message = "The operation couldn't be performed because object '$identity' couldn't be found on '$dc'."
    throw (New-LabError $message 'ManagementObjectNotFoundException' 'NotSpecified')
}

function global:Save-LabState {
    $file = "$env:LAB_FOLDER/state.json"
    [IO.File]::WriteAllText("$file.new", ($LabState | ConvertTo-Json -Depth 12))
    [IO.File]::Move("$file.new", $file, $true)
}

function global:Write-LabLog([string] $cmdlet, [string] $identity, $parameters) {
    $texts = [ordered]@{}
    foreach ($name in $parameters.Keys) {
        if ($name -in 'WhatIf', 'Confirm', 'ErrorAction', 'WarningAction', 'Verbose') { continue }
        $value = $parameters[$name]
        $texts[$name] = if ($value -is [switch]) { [bool] $value } elseif ($value -is [uri] -or $value -is [timespan]) { "$value" } else { $value }
    }
    $line = [ordered]@{ cmdlet = $cmdlet; identity = $identity; parameters = $texts } | ConvertTo-Json -Compress -Depth 5
    [IO.File]::AppendAllText("$env:LAB_FOLDER/log.jsonl", "$line`n")
}

# Hands edits of applicationHost.config to the part of the lab that knows the schema of IIS.
function global:Invoke-LabIis($steps, $log) {
    $request = @{ do = @($steps) }
    if ($log) { $request += $log }
    $json = ConvertTo-Json $request -Compress -Depth 8
    return (& $env:LAB_PYTHON -IS "$env:LAB_SOURCE/iis_edit.py" $json) | ConvertFrom-Json
}

# ---- objects

# A write that has not come round yet: another domain controller still shows what was before.
function global:Get-LabEntry([string] $noun, [string] $name) {
    $late = $LabState.late["$noun|$name"]
    if ($late -and [DateTime]::UtcNow.Ticks -lt $late.until) { return $late.entry }
    return $LabState.objects[$noun][$name]
}

function global:Test-LabServer([string] $name) {
    return -not $name -or $name -eq $LabState.server -or $name -eq $LabState.fqdn
}

function global:Find-LabNames([string] $noun, [string] $identity) {
    $short = $identity
    if ($noun -ne 'OfflineAddressBook' -and $identity -match '^([^\\]+)\\(.+)$') {
        if (-not (Test-LabServer $Matches[1])) { return }
        $short = $Matches[2]
    }
    $short = $short.TrimStart('\')
    foreach ($name in @($LabState.objects[$noun].Keys)) {
        $entry = $LabState.objects[$noun][$name]
        $isServer = $noun -in 'ClientAccessServer', 'ClientAccessService', 'ExchangeServer' -and (Test-LabServer $short)
        if ($name -like [WildcardPattern]::Escape($short).Replace('`*', '*') -or $entry.Guid -eq $short -or $isServer) { $name }
    }
}

function global:Convert-LabOutput([string] $noun, [string] $name, $value) {
    $type = $LabTypes["Set-$noun"].$name
    if ($type -eq 'Uri' -and $value) { return [uri] $value }
    if ($value -is [array]) {
        $list = [System.Collections.ArrayList]::new()
        foreach ($item in $value) { [void] $list.Add($item) }
        return , $list
    }
    return $value
}

function global:Get-LabMethods($found) {
    $held = @()
    if ($found.BasicAuthentication -or $found.BasicAuthEnabled) { $held += 'Basic' }
    if ($found.DigestAuthentication) { $held += 'Digest' }
    if ($found.FormsAuthentication) { $held += 'Fba' }
    if ($found.WindowsAuthentication -or $found.WindowsAuthEnabled) { $held += 'Ntlm', 'WindowsIntegrated' }
    if ($found.WSSecurityAuthentication) { $held += 'WSSecurity' }
    if ($found.OAuthAuthentication) { $held += 'OAuth' }
    if ($found.AdfsAuthentication) { $held += 'Adfs' }
    return , $held
}

function global:Read-LabObject([string] $noun, [string] $name, [bool] $adOnly) {
    $entry = Get-LabEntry $noun $name
    $found = [ordered]@{}
    $place = $entry.place
    $iis = if ($place) { Get-LabIis }
    $application = if ($place) { Find-LabApplication $iis $place }
    $neutral = $place -and ($adOnly -or -not $application)
    foreach ($one in $entry.values.Keys) {
        $value = $entry.values[$one]
        # ConvertFrom-Json of this engine knows no whole numbers.
        if ($value -is [double]) { $value = [long]$value; if ($value -eq [int]$value) { $value = [int]$value } }
        $found[$one] = $value
        if (-not $place) { continue }
        if (Test-LabFact $noun $one) {
            $fact = Read-LabFact $iis $noun $place $one
            $found[$one] = $fact
            if ($neutral) {
                if ($fact -is [bool]) { $found[$one] = $false } elseif ($fact -is [array]) { $found[$one] = @() }
                else { $found[$one] = @{ GzipLevel = 'Off'; ClientCertAuth = 'Ignore' }[$one]; if (-not $found[$one]) { $found[$one] = 'None' } }
            }
        } elseif ($neutral -and $one -in $LabNeutral) { $found[$one] = if ($one -eq 'DefaultDomain') { '' } else { $false } }
    }
    if ($place) { Add-LabPlace $found $noun $place $application $iis $neutral }
    return $found
}

function global:Add-LabPlace($found, [string] $noun, [string] $place, $application, $iis, [bool] $neutral) {
    $site, $path = $place -split '/', 2
    $found.WebSite = if ($neutral) { '' } else { $site }
    $found.Path = if ($neutral) { '' } else { $application.SelectSingleNode("virtualDirectory[@path='/']").GetAttribute('physicalPath') }
    if ($noun -ne 'OutlookAnywhere') { $found.DisplayName = if ($neutral) { '' } else { $path } }
    $node = $iis.xml.DocumentElement.SelectNodes('system.applicationHost/sites/site') | Where-Object { $_.GetAttribute('name') -eq $site }
    $number = if ($node) { $node.GetAttribute('id') } else { '1' }
    $found.MetabasePath = "IIS://$($LabState.fqdn)/W3SVC/$number/ROOT/$path"
    if ($noun -like '*VirtualDirectory' -and -not $found.Contains('InternalAuthenticationMethods')) {
        $found.InternalAuthenticationMethods = Get-LabMethods $found
    }
    if ($noun -like '*VirtualDirectory' -and -not $found.Contains('ExternalAuthenticationMethods')) {
        $found.ExternalAuthenticationMethods = $found.InternalAuthenticationMethods
    }
}

function global:Write-LabObject([string] $noun, [string] $name, [bool] $adOnly) {
    $entry = Get-LabEntry $noun $name
    $found = Read-LabObject $noun $name $adOnly
    $shown = [ordered]@{}
    foreach ($one in $found.Keys) { $shown[$one] = Convert-LabOutput $noun $one $found[$one] }
    $server = $LabState.server
    if ($noun -ne 'ExchangeCertificate') {
        $shown.Name = if ($entry.name) { $entry.name } else { $name }
        $ofServer = $noun -in 'ClientAccessServer', 'ClientAccessService', 'ExchangeServer'
        $shown.Identity = if ($noun -eq 'OfflineAddressBook') { "\$name" } elseif ($ofServer) { $name } else { "$server\$name" }
        $dn = if ($ofServer) { "CN=$name" } else { "CN=$name,CN=Protocols,CN=$server" }
        $shown.DistinguishedName = "$dn,CN=Servers,CN=Configuration,DC=contoso,DC=com"
        $shown.Guid = [guid] $entry.Guid
        $shown.WhenCreated = ConvertTo-LabTime $entry.WhenCreated
        $shown.WhenChanged = if ($entry.WhenChanged) { ConvertTo-LabTime $entry.WhenChanged } else { $shown.WhenCreated }
        $shown.ObjectState = 'Unchanged'
        $shown.IsValid = $true
        $shown.OriginatingServer = $LabState.dcs[0]
        if ($noun -notin 'OfflineAddressBook', 'ClientAccessArray' -and -not $ofServer) { $shown.Server = $server }
        if ($entry.place) { $shown.AdminDisplayVersion = $LabState.displayVersion }
    } else {
        foreach ($one in 'NotAfter', 'NotBefore') { $shown[$one] = ConvertTo-LabTime $shown[$one] }
        $shown.Identity = "$($LabState.fqdn)\$name"
    }
    $object = New-Object psobject -Property $shown
    $type = $LabTypeNames[$noun]
    $object.PSObject.TypeNames.Insert(0, $type)
    return $object
}

function global:ConvertTo-LabTime($value) {
    if ($value -is [datetime]) { return $value.ToUniversalTime() }
    return [datetime]::Parse("$value", [Globalization.CultureInfo]::InvariantCulture, 'AdjustToUniversal')
}

$global:LabTypeNames = @{
    OutlookAnywhere = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.ADRpcHttpVirtualDirectory'
    WebServicesVirtualDirectory = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.ADWebServicesVirtualDirectory'
    ActiveSyncVirtualDirectory = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.ADMobileVirtualDirectory'
    ClientAccessServer = 'Microsoft.Exchange.Data.Directory.Management.ClientAccessServer'
    ClientAccessService = 'Microsoft.Exchange.Data.Directory.Management.ClientAccessServer'
    ClientAccessArray = 'Microsoft.Exchange.Data.Directory.Management.ClientAccessArray'
    RpcClientAccess = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.ExchangeRpcClientAccess'
    PopSettings = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration'
    ImapSettings = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.Imap4AdConfiguration'
    OfflineAddressBook = 'Microsoft.Exchange.Data.Directory.SystemConfiguration.OfflineAddressBook'
    ExchangeServer = 'Microsoft.Exchange.Data.Directory.Management.ExchangeServer'
    ExchangeCertificate = 'Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate'
    ServerComponentState = 'Microsoft.Exchange.Data.Directory.Management.ServerComponentState'
}
foreach ($name in 'Owa', 'Ecp', 'Oab', 'Autodiscover', 'Mapi', 'PowerShell') {
    $global:LabTypeNames["${name}VirtualDirectory"] = "Microsoft.Exchange.Data.Directory.SystemConfiguration.AD${name}VirtualDirectory"
}
