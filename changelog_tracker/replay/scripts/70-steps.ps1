# What becomes of one step: read, compare, and only then write.

function Set-State($step, [string]$state, [string]$reason) {
    $id = $step['Id']
    $script:States[$id] = @{ State = $state; Reason = $reason }
    $script:Count++
    if (-not $script:WhatIfOn) { Add-JournalState $id $state $reason }
    if ($state -eq 'left-out' -and $script:LeftOut.ContainsKey($id)) { return }
    $line = '[{0}/{1}] {2} {3}' -f $script:Count, $script:Todo.Count, $id, $state.PadRight(13)
    Write-Line ($line + ' ' + $step['Title'])
    if ($reason -and $state -ne 'right') { Write-Line ('        ' + $reason) }
}

# What would change, in words; of what is there and gone, only that.
function Get-Change($step, $now) {
    switch ($step['Op']) {
        'new' { return 'made' }
        'drop' { return 'removed' }
    }
    $parts = @()
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $found = $now['Values'][$goal['Name']]
        if (Test-Same $step $goal $found $goal['Wanted']) { continue }
        $parts += $goal['Name'] + ': ' + (Get-Shown $found) + ' -> ' + (Get-Shown $goal['Wanted'])
    }
    switch ($step['Op']) {
        'add' { $parts = @('added') + $parts }
        'remove' { $parts = @('taken away') + $parts }
    }
    return $parts -join '; '
}

function Test-Missing($record) {
    $named = "$($record.CategoryInfo.Reason) $($record.FullyQualifiedErrorId) $($record.Exception.GetType().Name)"
    if ($named -match 'ManagementObjectNotFoundException') { return $true }
    return $record.Exception.Message -match "couldn.t be found|could not be found"
}

function Read-ShellNow($step) {
    $now = @{ There = $false; Values = @{}; More = $null }
    $objects = @()
    try { $objects = @(& $step['Get']) }
    catch { if ($step['Op'] -eq 'set' -or -not (Test-Missing $_)) { throw } }
    $objects = @(Get-Each $objects)
    if ($objects.Count -gt 1) { throw ("$($objects.Count) objects answer to this name") }
    if ($objects.Count -eq 0) {
        if ($step['Op'] -eq 'set') { throw 'the object is not there' }
        foreach ($goal in @(Get-Each $step['Goals'])) { $now['Values'][$goal['Name']] = $null }
        return $now
    }
    $now['There'] = $true
    $now['Object'] = $objects[0]
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $property = $objects[0].PSObject.Properties[$goal['Name']]
        if ($null -eq $property -and $step['Op'] -eq 'set') { throw ('the object shows no ' + $goal['Name']) }
        $value = $null
        if ($null -ne $property) { $value = $property.Value }
        $now['Values'][$goal['Name']] = ConvertTo-Plain $goal['Kind'] $value
    }
    return $now
}

function Read-Now($step) {
    if ($step['Owner'] -eq 'shell') { return Read-ShellNow $step }
    if ($step['File']) { return Read-ElementNow $step (Read-XmlFile (Get-RealPath $step['File']))['Document'] }
    return Read-ElementNow $step (Read-AppHost)
}

# How the goals stand: all as wanted, all as wanted or expected, or what neither is.
function Compare-Goals($step, $now, [bool]$near) {
    $right = $true
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $found = $now['Values'][$goal['Name']]
        if ($near) { $same = Test-Near $step $goal $found $goal['Wanted'] } else { $same = Test-Same $step $goal $found $goal['Wanted'] }
        if ($same) { continue }
        $right = $false
        if (Test-Near $step $goal $found $goal['Expected']) { continue }
        if (Test-Near $step $goal $found $goal['Wanted']) { continue }
        $reason = $goal['Name'] + ' is ' + (Get-Shown $found) + '; expected ' + (Get-Shown $goal['Expected']) + ', wanted ' + (Get-Shown $goal['Wanted'])
        return @{ State = 'stopped'; Reason = $reason }
    }
    if ($right) { return @{ State = 'right' } }
    return @{ State = 'go' }
}

# right (nothing to do), go (as expected), stopped (neither).
function Compare-Step($step, $now, [bool]$near) {
    switch ($step['Op']) {
        'new' { if ($now['There']) { return @{ State = 'right' } } else { return @{ State = 'go' } } }
        'add' {
            if (-not $now['There']) { return @{ State = 'go' } }
            $verdict = Compare-Goals $step $now $near
            if ($verdict['State'] -ne 'go') { return $verdict }
            return @{ State = 'stopped'; Reason = 'it is there, with other values: ' + (Get-Change $step $now) }
        }
        { $_ -eq 'drop' -or $_ -eq 'remove' } {
            if (-not $now['There']) { return @{ State = 'right' } }
            if ($now['More']) { return @{ State = 'stopped'; Reason = 'it holds more than the plan knows of: ' + $now['More'] } }
            $verdict = Compare-Goals $step $now $near
            if ($verdict['State'] -eq 'right') { return @{ State = 'go' } }
            return $verdict
        }
    }
    return Compare-Goals $step $now $near
}

# The first of a step's needs that is not right, in words; nothing where all are.
function Get-Blocked($step) {
    foreach ($id in @(Get-Each $step['Needs'])) {
        $state = $script:States[$id]
        if ($state -and @('right', 'set', 'would-set') -contains $state['State']) { continue }
        if ($state -and $state['State'] -ne 'left-out') { return 'it needs ' + $id + ', which is ' + $state['State'] }
        if (-not $state -and -not $script:LeftOut.ContainsKey($id)) { return 'it needs ' + $id + ', which did not run yet' }
        # Left out, but it may be right already: by an earlier run, or by hand.
        $need = @($script:Todo | Where-Object { $_['Id'] -eq $id })[0]
        $verdict = @{ State = 'unknown' }
        try { if ($need -and ($need['Owner'] -ne 'shell' -or (Test-Shell))) { $verdict = Compare-Step $need (Read-Now $need) $false } } catch { }
        if ($verdict['State'] -ne 'right') { return 'it needs ' + $id + ', which was left out and is not right' }
    }
}

# Whether a step that is not right may be written. Says why not.
function Test-May($step, $now) {
    $verdict = Compare-Step $step $now $false
    if ($verdict['State'] -eq 'right') { Set-State $step 'right' ''; return $false }
    if ($step['NeedsRemove'] -and -not $script:AllowRemove) {
        Set-State $step 'left-out' 'it removes something, and -AllowRemove was not given'
        return $false
    }
    if ($step['Weaker'] -and -not $script:AllowWeaker) {
        Set-State $step 'left-out' ('it lowers ' + $step['Weaker'] + ', and -AllowWeaker was not given; ' + (Get-Change $step $now))
        return $false
    }
    $hidden = Get-HiddenReason $step
    if ($hidden) { Set-State $step 'not-permitted' $hidden; return $false }
    if ($verdict['State'] -eq 'stopped' -and $script:Forced -notcontains $step['Id']) {
        if (-not (Test-Assumed $step $now $verdict)) { return $false }
    }
    if ($script:WhatIfOn) { Set-State $step 'would-set' (Get-Change $step $now); return $false }
    return Test-Agreed $step $now
}

# The state of the New- step that makes the object which a step is about; nothing where there is none.
function Get-NewState($step) {
    foreach ($id in @(Get-Each $step['Needs'])) {
        $need = @($Steps | Where-Object { $_['Id'] -eq $id -and $_['Op'] -eq 'new' })[0]
        if ($need -and $script:States[$id]) { return $script:States[$id]['State'] }
    }
}

# Where nobody looked at the server after its recovery, what is found there is shown and asked about.
# What New- has just made holds Exchange's own defaults, which nobody can expect.
function Test-Assumed($step, $now, $verdict) {
    $place = $step['ResourceKind'] + '[' + $step['Resource'] + ']'
    $new = Get-NewState $step
    if ($new -eq 'set' -and -not $now['More']) { return $true }
    if ((-not $Plan['Assumed'] -and $new -ne 'right') -or $now['More']) {
        Set-State $step 'stopped' ($verdict['Reason'] + '. Look who set it; -Force ' + $step['Id'] + ' sets it all the same')
        return $false
    }
    if ($script:WhatIfOn) { return $true }
    Write-Line ('  ' + $step['Id'] + ' ' + $step['Title'] + ': ' + (Get-Change $step $now))
    if (Read-ConsentOnce ('assumed|' + $place) ('What stands there is not the assumed default. Set ' + $place + ' as wanted?')) { return $true }
    Set-State $step 'declined' $verdict['Reason']
    return $false
}

function Test-Agreed($step, $now) {
    if ($script:Confirm -and -not (Read-Consent ($step['Id'] + ' ' + $step['Title'] + ': ' + (Get-Change $step $now) + '. Set it?'))) {
        Set-State $step 'declined' 'you did not agree'
        return $false
    }
    # The steps of a file are asked for together.
    if (-not $step['ByItself'] -or $step['Owner'] -eq 'file') { return $true }
    $what = @(Get-Each $step['Recycles']) -join ', '
    if ($what -eq '') { $what = 'application pools' }
    $question = $step['Title'] + ': IIS itself recycles ' + $what + ' when this is written. Write it, and what does the same?'
    if (Read-ConsentOnce ('by-itself|' + $what) $question) { return $true }
    Set-State $step 'declined' 'you did not agree to the recycling'
    return $false
}
