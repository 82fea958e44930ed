# The administrator audit log of the lab: what state.json holds under `audit`, else one that is on and empty.


function global:Get-LabAudit { if ($LabState.audit) { $LabState.audit } else { @{} } }

function global:Get-LabAuditConfig {
    $told = Get-LabAudit
    $shown = [ordered]@{
        AdminAuditLogEnabled = $true; LogLevel = 'None'; TestCmdletLoggingEnabled = $false; UnifiedAuditLogIngestionEnabled = $false
        AdminAuditLogCmdlets = @('*'); AdminAuditLogParameters = @('*'); AdminAuditLogExcludedCmdlets = @()
        AdminAuditLogAgeLimit = '90.00:00:00'; LoadBalancerCount = 3; RefreshInterval = 10
    }
    foreach ($one in @($shown.Keys)) {
        if ($told.Contains($one)) { $shown[$one] = $told[$one] }
        if ($shown[$one] -is [array]) { $shown[$one] = [Collections.ArrayList] $shown[$one] }
        if ($shown[$one] -is [double]) { $shown[$one] = [int] $shown[$one] }
    }
    $shown.AdminAuditLogAgeLimit = [timespan] $shown.AdminAuditLogAgeLimit
    $shown.Name = 'Admin Audit Log Settings'
    $shown.Identity = 'Admin Audit Log Settings'
    $shown.ObjectState = 'Unchanged'
    $object = New-Object psobject -Property $shown
    $object.PSObject.TypeNames.Insert(0, 'Microsoft.Exchange.Data.Directory.SystemConfiguration.AdminAuditLogConfig')
    return $object
}

# Newest first, as Exchange gives them.
function global:Search-LabAuditLog($bound) {
    $first = if ($bound.ContainsKey('StartIndex')) { $bound.StartIndex } else { 0 }
    $count = if ($bound.ContainsKey('ResultSize')) { $bound.ResultSize } else { 1000 }
    if ($count -lt 1 -or $count -gt 250000) { Stop-Lab "ResultSize must be from 1 to 250,000." 'ArgumentException' }
    $found = @((Get-LabAudit).records | Where-Object { $_ } | ForEach-Object { @{ when = ConvertTo-LabTime $_.RunDate; record = $_ } } | Where-Object {
        (-not $bound.StartDate -or $_.when -ge $bound.StartDate.ToUniversalTime()) -and
        (-not $bound.EndDate -or $_.when -le $bound.EndDate.ToUniversalTime())
    } | Sort-Object { $_.when } -Descending)
    foreach ($one in ($found | Select-Object -Skip $first -First $count)) { New-LabAuditEvent $one.when $one.record }
}

function global:New-LabAuditEvent([datetime] $when, $record) {
    $parameters = [Collections.ArrayList]::new()
    foreach ($one in @($record.CmdletParameters.Keys)) { [void] $parameters.Add((New-Object psobject -Property ([ordered]@{ Name = $one; Value = $record.CmdletParameters[$one] }))) }
    $modified = [Collections.ArrayList]::new()
    foreach ($one in @($record.ModifiedProperties.Keys)) {
        $values = $record.ModifiedProperties[$one]
        [void] $modified.Add((New-Object psobject -Property ([ordered]@{ Name = $one; NewValue = $values[1]; OldValue = $values[0] })))
    }
    $object = New-Object psobject -Property ([ordered]@{
        ObjectModified = $record.ObjectModified; CmdletName = $record.CmdletName; CmdletParameters = $parameters; ModifiedProperties = $modified
        Caller = $record.Caller; ExternalAccess = $false; Succeeded = $record.Succeeded -ne $false; Error = $record.Error; RunDate = $when
        OriginatingServer = "$($LabState.server) ($($LabState.displayVersion))"; Identity = $record.Identity; IsValid = $true; ObjectState = 'New'
    })
    $object.PSObject.TypeNames.Insert(0, 'Microsoft.Exchange.Management.SystemConfigurationTasks.AdminAuditLogEvent')
    return $object
}
