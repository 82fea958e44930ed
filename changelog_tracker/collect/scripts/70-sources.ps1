# Who changed what, and when: each source with what it covers. One that could not be read has no number of records, and a reason.

$script:MostEvents = 20000
$script:MostAuditRecords = 50000
$script:AuditPage = 5000
$script:SourceNames = @('admin-audit-log', 'iis-configuration', 'iis-history', 'msexchange-management')
$script:EventLogs = @{ 'iis-configuration' = 'Microsoft-IIS-Configuration/Operational'; 'msexchange-management' = 'MSExchange Management' }
# The one command that turns a source on.
$script:TurnOn = @{
    'admin-audit-log' = 'Set-AdminAuditLogConfig -AdminAuditLogEnabled $true'
    'iis-configuration' = 'wevtutil.exe sl Microsoft-IIS-Configuration/Operational /e:true'
    'iis-history' = '& "$env:windir\system32\inetsrv\appcmd.exe" set config ''/section:system.applicationHost/configHistory'' ''/enabled:true'' ''/commit:apphost'''
    'msexchange-management' = 'wevtutil.exe sl "MSExchange Management" /e:true'
}

function New-Source([string]$name) {
    return @{ source = $name; file = $null; enabled = $null; from = $null; to = $null; records = $null; truncated = $null; oldest = $null; settings = @{} }
}

# What is looked at goes back to the last snapshot, else 90 days: so long an audit log is kept by default.
function Get-Since {
    if ($null -ne $script:SinceTime) { return $script:SinceTime }
    return $script:Began.AddDays(-90)
}

# Fills a source; with $brief only what it covers, without its records.
function Read-Source($source, [bool]$brief) {
    try {
        switch ($source['source']) {
            'admin-audit-log' { Read-AuditLog $source $brief }
            'iis-history' { Read-History $source $brief }
            default { Read-EventLog $source $brief }
        }
    }
    catch {
        if ($script:Framed -and $script:FrameBroken) { throw }
        foreach ($name in 'file', 'from', 'to', 'records', 'truncated') { $source[$name] = $null }
        $source['settings']['reason'] = Get-Reason $_
    }
}

# Over the network another part asks the Exchange cmdlets, and says what it found.
function Test-LeftToOthers([string]$name) { return $name -eq 'admin-audit-log' -and $script:WithoutExchange -and $script:Framed }

function Add-Evidence {
    foreach ($name in $script:SourceNames) {
        if (Test-LeftToOthers $name) { continue }
        Write-Part $name
        $source = New-Source $name
        $null = Read-Source $source $false
        Add-Source $source
    }
}

# Covered is what lies between the last snapshot, or the oldest that is there, and now; where records were cut, what is left.
# A source that is off covers nothing, whatever it still holds; of an empty one nobody knows since when it has been on.
function Set-Coverage($source, $kept) {
    if (-not $source['enabled']) { return }
    if ($source['truncated']) {
        $source['from'] = $kept['First']
        $source['to'] = $kept['Last']
        return
    }
    if ($null -eq $source['oldest']) { return }
    $source['from'] = Get-Since
    if ($source['oldest'] -gt $source['from']) { $source['from'] = $source['oldest'] }
    $source['to'] = $script:Began
}

function Add-Time($kept, $time) {
    if ($time -isnot [DateTime]) { return }
    $moment = $time.ToUniversalTime()
    if ($null -eq $kept['First'] -or $moment -lt $kept['First']) { $kept['First'] = $moment }
    if ($null -eq $kept['Last'] -or $moment -gt $kept['Last']) { $kept['Last'] = $moment }
}
