# Writing one step: its journal first, then the write, then reading it back.

# What a cmdlet is given: an empty list or text clears, and is nothing.
function Get-Arguments($step) {
    $values = @{}
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $wanted = $goal['Wanted']
        if (Test-IsMany $wanted) { if (@($wanted).Count -eq 0) { $wanted = $null } }
        elseif ($wanted -is [string] -and $wanted -eq '') { $wanted = $null }
        $values[$goal['Name']] = $wanted
    }
    return $values
}

# The whole object beside the journal, before it goes. Throws where that fails.
function Export-Object($step, $now) {
    $path = [System.IO.Path]::ChangeExtension($script:JournalPath, $step['Id'] + '.clixml')
    Export-Clixml -InputObject $now['Object'] -Path $path -Depth 5 -ErrorAction Stop
    if (-not [System.IO.File]::Exists($path)) { throw ('the object could not be exported to ' + $path) }
    Write-Line ('  ' + $step['Id'] + ': the object as it was: ' + $path)
}

function Invoke-Write($step, $now) {
    if ($step['Owner'] -ne 'shell') { Write-Iis $step $now; return }
    $null = & $step['Do'] (Get-Arguments $step)
}

# Nothing once it reads back as wanted, else why not; tried again until the time is over.
function Get-NotYet($step) {
    $for = $script:ReadBackS
    if ($step['Owner'] -ne 'shell') { $for = $script:ReadBackIisS }
    $until = [DateTime]::UtcNow.AddSeconds($for)
    while ($true) {
        try {
            $now = Read-Now $step
            $verdict = Compare-Step $step $now $true
            if ($verdict['State'] -eq 'right') { return }
            $why = 'it was written, but reads back otherwise: ' + (Get-Change $step $now)
        }
        catch { $why = 'it was written, but cannot be read back: ' + (Get-Reason $_) }
        if ([DateTime]::UtcNow -ge $until) { return $why }
        Start-Sleep -Seconds $script:ReadAgainS
    }
}

function Test-Untouched($step, $before) {
    try { $now = Read-Now $step } catch { return $false }
    if ($now['There'] -ne $before['There']) { return $false }
    foreach ($goal in @(Get-Each $step['Goals'])) {
        if (-not (Test-Same $step $goal $now['Values'][$goal['Name']] $before['Values'][$goal['Name']])) { return $false }
    }
    return $true
}

function Write-Step($step, $now) {
    if ($step['Op'] -eq 'drop') { Export-Object $step $now }
    # Asked for now although it is there with other values: those are set, nothing is added.
    if ($step['Op'] -eq 'add' -and $now['There']) { $step['Op'] = 'attribute' }
    Add-JournalSetting $step $now['Values'] ''
    $why = $null
    try { Invoke-Write $step $now } catch { $why = Get-Reason $_ }
    $not = $null
    if (-not $why) { $not = Get-NotYet $step }
    if (-not $why -and -not $not) { Set-State $step 'set' (Get-Change $step $now); return }
    $reason = $why
    if (-not $why) { $reason = $not }
    if (Test-Untouched $step $now) { Set-State $step 'failed' $reason; return }
    Set-State $step 'failed' $reason
    # Something of it may stand there: in the journal it stays a write, so that undo.ps1 looks at it.
    try { Add-JournalSetting $step $now['Values'] $reason } catch { Write-Line ('The journal cannot be written: ' + (Get-Reason $_)) }
}

function Invoke-Step($step) {
    $id = $step['Id']
    if ($script:States.ContainsKey($id)) { return }
    try {
        if ($script:LeftOut.ContainsKey($id)) { Set-State $step 'left-out' $script:LeftOut[$id]; return }
        $blocked = Get-Blocked $step
        if ($blocked) { Set-State $step 'blocked' $blocked; return }
        if ($step['Owner'] -eq 'file') { Invoke-FileSteps $step; return }
        $now = Read-Now $step
        if (Test-May $step $now) { Write-Step $step $now }
    }
    catch { Set-State $step 'failed' (Get-Reason $_) }
}
