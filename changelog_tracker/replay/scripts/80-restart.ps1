# What has to be recycled before it counts, after everything is written and only where agreed.

function Get-Pools {
    $hops = @(@{ Tag = 'add'; Keys = @() })
    try { foreach ($pool in @(Get-Found (Read-AppHost) '' 'system.applicationHost/applicationPools' $hops)) { $pool.GetAttribute('name') } } catch { }
}

# The pools and services of the steps that were set, each once, in the order of the steps.
function Get-Recycles($steps) {
    foreach ($name in @(Get-Each $steps | ForEach-Object { Get-Each $_['Recycles'] } | Select-Object -Unique)) { $name }
}

function Get-Due {
    $set = @($script:Todo | Where-Object {
            $state = $script:States[$_['Id']]
            $state -and $state['State'] -eq 'set' -and -not $_['ByItself']
        })
    $earlier = @()
    if ($script:Unfinished) {
        # An earlier run set these and did not come to its restarts.
        $ids = @($script:Unfinished['Journal']['Order'] | Where-Object { $script:Unfinished['Journal']['Records'][$_]['State'] -ne 'failed' })
        $earlier = @($Steps | Where-Object { $ids -contains $_['Id'] -and -not $_['ByItself'] })
    }
    return @(Get-Recycles (@($earlier) + @($set)))
}

function Restart-Pool([string]$name) {
    if ((Select-IisTool) -eq 'WebAdministration') {
        Restart-WebAppPool -Name $name -ErrorAction Stop
        return
    }
    if ($name -match '["\x00-\x1f]' -or $name -match '^[/-]') { throw 'appcmd cannot take this name' }
    $said = @(& "$env:windir\system32\inetsrv\appcmd.exe" @('recycle', 'apppool', ('/apppool.name:' + $name))) -join ' '
    if ($LASTEXITCODE -ne 0) { throw ('appcmd: ' + $said) }
}

# A service that does not run is left so: somebody stopped it.
function Restart-One([string]$name, $pools) {
    try {
        if ($pools -contains $name -or $name -like '*AppPool') {
            Restart-Pool $name
            Write-Line ('Recycled: ' + $name)
            return
        }
        $service = Get-Service -Name $name -ErrorAction Stop
        if ("$($service.Status)" -ne 'Running') {
            Write-Line ('Left as it is, because it does not run: ' + $name)
            return
        }
        Restart-Service -Name $name -Force -ErrorAction Stop
        Write-Line ('Restarted: ' + $name)
    }
    catch {
        $script:RestartFailed = $true
        Write-Line ('NOT restarted: ' + $name + ': ' + (Get-Reason $_))
    }
}

function Invoke-Restarts {
    $due = @(Get-Due)
    if ($due.Count -eq 0) { return }
    $names = $due -join ', '
    if ($script:WhatIfOn) { return }
    if ($script:SkipRestart) {
        Write-Line ('Not recycled (-SkipRestart). What was set counts after you recycle: ' + $names)
        return
    }
    if (-not (Read-Consent ('Recycle now: ' + $names + '? Open connections to them break off.'))) {
        Write-Line ('Not recycled. What was set counts after you recycle: ' + $names)
        return
    }
    $pools = @(Get-Pools)
    foreach ($name in $due) { Restart-One $name $pools }
}
