# The administrators' audit log of Exchange: each cmdlet that changed something, by whom.

function Read-AuditLog($source, [bool]$brief) {
    if ($script:WithoutExchange) { throw 'not asked for (-NoExchange)' }
    if (-not $script:ShellOpen) { throw $script:ShellReason }
    foreach ($cmdlet in 'Get-AdminAuditLogConfig', 'Search-AdminAuditLog') {
        if ($null -eq (Get-Command -Name $cmdlet -ErrorAction SilentlyContinue)) { throw ('no role of yours brings ' + $cmdlet) }
    }
    $age = Read-AuditConfig $source
    # What is older than the age limit is gone.
    if ($null -ne $age) { $source['oldest'] = $script:Began - $age }
    if ($brief) { Set-Coverage $source @{}; return }
    $kept = Search-Audit (Get-Since) $script:Began
    $source['truncated'] = $kept['Cut']
    if ($kept['Records'].Count -gt 0) {
        $path = 'evidence/admin-audit-log.clixml'
        $null = Add-Entry $path (Get-AuditBytes $source $kept)
        $source['file'] = $path
    }
    Set-Coverage $source $kept
    $source['records'] = $kept['Records'].Count
}

# Gives the age limit, or nothing.
function Read-AuditConfig($source) {
    $config = @(Get-AdminAuditLogConfig -ErrorAction Stop)[0]
    if ($null -eq $config) { throw 'Get-AdminAuditLogConfig gave nothing' }
    $source['enabled'] = "$($config.AdminAuditLogEnabled)" -eq 'True'
    $settings = $source['settings']
    foreach ($name in 'AdminAuditLogEnabled', 'AdminAuditLogAgeLimit', 'LogLevel') { $settings[$name] = "$($config.$name)" }
    $settings['AdminAuditLogEnabled'] = $source['enabled']
    foreach ($name in 'AdminAuditLogCmdlets', 'AdminAuditLogExcludedCmdlets', 'AdminAuditLogParameters') {
        $settings[$name] = @(Get-Ordinal @(Get-Each $config.$name | ForEach-Object { "$_" }))
    }
    $age = [TimeSpan]::Zero
    if ([TimeSpan]::TryParse($settings['AdminAuditLogAgeLimit'], [ref]$age)) { return $age }
}

# In pages, by the number of records before each. Whether that number counts from 0 or 1 is not documented: a record that comes
# twice is taken once, and no page is skipped.
function Search-Audit([DateTime]$since, [DateTime]$until) {
    $kept = @{ Records = [System.Collections.ArrayList]@(); First = $null; Last = $null; Cut = $false; Seen = @{} }
    $asked = 0
    while ($true) {
        if ($asked -eq 0) { $page = @(Search-AdminAuditLog -StartDate $since -EndDate $until -ResultSize $script:AuditPage -ErrorAction Stop) }
        else { $page = @(Search-AdminAuditLog -StartDate $since -EndDate $until -ResultSize $script:AuditPage -StartIndex $asked -ErrorAction Stop) }
        $new = 0
        foreach ($record in @(Get-Each $page)) {
            if (-not (Test-NewRecord $kept $record)) { continue }
            if ($kept['Records'].Count -ge $script:MostAuditRecords) { $kept['Cut'] = $true; return $kept }
            $new++
            $null = $kept['Records'].Add($record)
            Add-Time $kept $record.RunDate
        }
        $asked += $page.Count
        if ($new -eq 0 -or $page.Count -lt $script:AuditPage) { return $kept }
    }
}

function Test-NewRecord($kept, $record) {
    $id = "$($record.Identity)"
    if ($id -eq '') { return $true }
    if ($kept['Seen'].ContainsKey($id)) { return $false }
    $kept['Seen'][$id] = $true
    return $true
}

# As many as fit; of what is too much the older half goes, again and again.
function Get-AuditBytes($source, $kept) {
    $bytes = ConvertTo-Clixml $kept['Records'].ToArray()
    while ($bytes.Length -gt $script:MostBytes -and $kept['Records'].Count -gt 1) {
        $newest = @($kept['Records'].ToArray() | Sort-Object -Property RunDate -Descending | Select-Object -First ([int][Math]::Floor($kept['Records'].Count / 2)))
        $kept['Records'] = [System.Collections.ArrayList]$newest
        $kept['First'] = $null
        $kept['Last'] = $null
        foreach ($record in $newest) { Add-Time $kept $record.RunDate }
        $source['truncated'] = $true
        $bytes = ConvertTo-Clixml $newest
    }
    if ($bytes.Length -gt $script:MostBytes) { throw 'one record alone is too large' }
    return , $bytes
}
