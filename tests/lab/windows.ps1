# More of the lab's Windows: the registry's own methods, Cert:, event logs. What is broken stands in state.json:
# `denied` (keys that nobody may open), `refused` (by what is asked for: Cert:, or the name of a log).

# A service's start type is in one place; its key shows it.
foreach ($name in @($LabState.services.Keys)) {
    $key = "SYSTEM\CurrentControlSet\Services\$name"
    if (-not $LabState.registry[$key]) { $LabState.registry[$key] = @{ ObjectName = 'LocalSystem' } }
    $LabState.registry[$key].Start = @{ Automatic = 2; Manual = 3; Disabled = 4 }[$LabState.services[$name].StartType]
}

# The type and the data of a value of state.json, as .NET gives them on Windows: numbers with their sign.
function global:Get-LabValue($value) {
    $type, $data = 'String', $value
    if ($value -is [Collections.IDictionary]) { $type = @($value.Keys)[0]; $data = $value[$type] }
    elseif ($value -is [int] -or $value -is [long] -or $value -is [double]) { $type = 'DWord' }
    elseif ($value -is [array]) { $type = 'MultiString' }
    if ($type -eq 'DWord') { $data = [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32] $data), 0) }
    elseif ($type -eq 'QWord') { $data = [long] $data }
    elseif ($type -in 'Binary', 'None') { $data = [Convert]::FromHexString($data) }
    elseif ($type -eq 'MultiString') { $data = [string[]] @($data) }
    return @{ Type = $type; Data = $data }
}

$global:LabOldItem = ${function:New-LabItem}
function global:New-LabItem([string] $key) {
    $item = & $LabOldItem $key
    $item | Add-Member NoteProperty LabKey $key
    $item | Add-Member ScriptMethod GetValue -Force {
        param($name, $default, $options)
        $held = $LabState.registry[$this.LabKey]
        if ($null -eq $held -or -not $held.Contains($name)) { return $default }
        return , (Get-LabValue $held[$name]).Data
    }
    $item | Add-Member ScriptMethod GetValueKind { param($name) (Get-LabValue $LabState.registry[$this.LabKey][$name]).Type }
    $item | Add-Member ScriptMethod Close { }
    $item | Add-Member ScriptMethod GetSubKeyNames {
        $start = "$($this.LabKey)\"
        @($LabState.registry.Keys | Where-Object { $_.StartsWith($start, 'OrdinalIgnoreCase') } | ForEach-Object { ($_.Substring($start.Length) -split '\\')[0] } | Select-Object -Unique)
    }
    $item | Add-Member ScriptMethod OpenSubKey {
        param($name)
        $path = "$($this.LabKey)\$name"
        foreach ($denied in $LabState.denied) { if ("$path\" -like "$([WildcardPattern]::Escape($denied))\*") { throw [Security.SecurityException]::new('Requested registry access is not allowed.') } }
        $found = Find-LabKey $path
        if ($found) { New-LabItem $found }
    }
    return $item
}

function global:New-LabCertificate($held) {
    $made = [ordered]@{}
    foreach ($one in 'Thumbprint', 'Subject', 'Issuer', 'SerialNumber', 'HasPrivateKey', 'FriendlyName') { $made[$one] = $held[$one] }
    foreach ($one in 'NotBefore', 'NotAfter') { $made[$one] = ([datetime] $held[$one]).ToLocalTime() }
    $made.Extensions = @(
        @{ Oid = @{ Value = '2.5.29.15' }; RawData = [byte[]] (3, 2, 5, 160) }
        if ($held.Names) { @{ Oid = @{ Value = '2.5.29.17' }; RawData = [Convert]::FromHexString($held.Names) } }
    )
    New-Object psobject -Property $made
}

$global:LabOldChildItem = ${function:Get-ChildItem}
function global:Get-ChildItem {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param([Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Path')] [string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', ValueFromPipelineByPropertyName = $true)] [Alias('PSPath')] [string[]] $LiteralPath,
        [Parameter(Position = 1)] [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $Recurse, [switch] $Force, [switch] $Name)
    process {
        if ("$($Path)$($LiteralPath)" -notlike 'Cert:\*') { return & $LabOldChildItem @PSBoundParameters }
        if ($LabState.refused.'Cert:') { throw [UnauthorizedAccessException]::new($LabState.refused.'Cert:') }
        foreach ($one in $LabState.certificates) { New-LabCertificate $one }
    }
}

function global:Stop-LabLog($cmdlet, [string] $id, [string] $message, [string] $type = 'System.Exception') {
    $cmdlet.ThrowTerminatingError((New-Object System.Management.Automation.ErrorRecord((New-Object $type $message), $id, 'ObjectNotFound', $null)))
}

# The records of a log, the oldest first; `many` of them are made as they are asked for.
function global:Get-LabEvents($log) {
    foreach ($one in $log.records) {
        $record = New-Object psobject -Property @{ TimeCreated = ([datetime] $one.time).ToLocalTime(); LabXml = $one.xml }
        $record | Add-Member ScriptMethod ToXml { $this.LabXml } -PassThru
    }
    for ($i = 0; $i -lt $log.many; $i++) {
        $record = New-Object psobject -Property @{ TimeCreated = ([datetime] $log.start).AddSeconds($i).ToLocalTime(); LabXml = "<Event><Id>$i</Id></Event>" }
        $record | Add-Member ScriptMethod ToXml { $this.LabXml } -PassThru
    }
}

function global:Get-WinEvent {
    [CmdletBinding(DefaultParameterSetName = 'LogName')]
    param([Parameter(ParameterSetName = 'ListLog', Mandatory = $true)] [string] $ListLog, [Parameter(ParameterSetName = 'LogName', Position = 0)] [string] $LogName,
        [Parameter(ParameterSetName = 'Hash', Mandatory = $true)] [hashtable] $FilterHashtable, [long] $MaxEvents = [long]::MaxValue, [switch] $Oldest)
    $asked = "$ListLog$LogName$($FilterHashtable.LogName)"
    $log = $LabState.events["$(@($LabState.events.Keys | Where-Object { $_ -eq $asked })[0])"]
    if (-not $log) { Stop-LabLog $PSCmdlet 'NoMatchingLogsFound' "There is not an event log on the localhost computer that matches `"$asked`"." }
    if ($LabState.refused[$asked]) { Stop-LabLog $PSCmdlet 'AccessDenied' $LabState.refused[$asked] 'System.UnauthorizedAccessException' }
    if ($ListLog) { return New-Object psobject -Property @{ LogName = $asked; IsEnabled = $log.enabled; LogMode = 'Circular'; MaximumSizeInBytes = 1052672L; RecordCount = @($log.records).Count + $log.many } }
    $since = if ($FilterHashtable.StartTime) { ([datetime] $FilterHashtable.StartTime).ToUniversalTime() } else { [datetime]::MinValue }
    $found = @(Get-LabEvents $log | Where-Object { $_.TimeCreated.ToUniversalTime() -ge $since })
    if (-not $found.Count) { Stop-LabLog $PSCmdlet 'NoMatchingEventsFound' 'No events were found that match the specified selection criteria.' }
    if (-not $Oldest) { [array]::Reverse($found) }
    $found | Select-Object -First ([Math]::Min($MaxEvents, [int]::MaxValue))
}
