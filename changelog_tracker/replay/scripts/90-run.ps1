# The run from its first screen to its exit code.

$script:GroupNames = @('autodiscover-url', 'iis-objects', 'create', 'exchange', 'outlook-anywhere', 'iis',
    'extended-protection', 'files', 'services', 'powershell', 'root', 'remove', 'undocumented')

function Get-Age {
    $style = [Globalization.DateTimeStyles]::AssumeUniversal -bor [Globalization.DateTimeStyles]::AdjustToUniversal
    try { $then = [DateTime]::ParseExact($Plan['WantedAt'], "yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture, $style) }
    catch { return 'of unknown age' }
    $age = [DateTime]::UtcNow - $then
    if ($age.TotalDays -ge 2) { return '' + [Math]::Floor($age.TotalDays) + ' days old' }
    return '' + [Math]::Floor([Math]::Max(0, $age.TotalHours)) + ' hours old'
}

function Write-FirstScreen {
    $what = 'Replay of '
    if ($Plan['Mode'] -eq 'undo') { $what = 'Undo of a replay of ' }
    $title = $what + $Plan['Server']
    if (-not (Test-SameWord $Plan['Server'] $Plan['Target'])) { $title += ' on ' + $Plan['Target'] }
    Write-Line ($title + ', Exchange ' + $Plan['Version'] + ', plan ' + $Plan['Id'] + ' (' + $Plan['Program'] + ')')
    if ($Plan['Mode'] -eq 'undo') {
        Write-Line ('Run:      ' + (Read-JournalText $script:UndoRun 'started') + ' by ' + (Read-JournalText $script:UndoRun 'operator') +
            ' on ' + (Read-JournalText $script:UndoRun 'host'))
    }
    else {
        Write-Line ('Wanted:   ' + $Plan['Wanted'] + ', of ' + $Plan['WantedAt'] + ' (' + (Get-Age) + ')')
        Write-Line ('Found:    ' + $Plan['Found'])
        if ($Plan['Assumed']) { Write-Line '          ASSUMED: nobody looked at the server since its recovery. What differs is asked about.' }
        foreach ($line in @(Get-Each $Plan['Unread'])) { Write-Line ('Not read: ' + $line) }
        Write-Modes
        if ($Plan['ByHand'] -gt 0) { Write-Line ('By hand:  ' + $Plan['ByHand'] + ' things that no script does; see manual.md') }
    }
    Write-Counts
    if ($script:WhatIfOn) { Write-Line 'WhatIf:   nothing is written, nothing is asked' }
}

# `Kind: mode` turned round: each mode with its kinds.
function Write-Modes {
    $modes = @(Get-Each $Plan['Modes'] | ForEach-Object { ($_ -split ': ')[-1] } | Select-Object -Unique)
    foreach ($mode in $modes) {
        $kinds = @($Plan['Modes'] | Where-Object { $_.EndsWith(': ' + $mode) } | ForEach-Object { ($_ -split ': ')[0] }) -join ', '
        Write-Line ('Read:     ' + $mode + ': ' + $kinds)
    }
}

function Write-Counts {
    $counts = @()
    foreach ($name in $script:GroupNames) {
        $count = @($script:Todo | Where-Object { $_['Group'] -eq $name }).Count
        if ($count -gt 0) { $counts += '' + $count + ' ' + $name }
    }
    if ($counts.Count -eq 0) { $counts = @('none') }
    Write-Line ('Steps:    ' + $script:Todo.Count + ': ' + ($counts -join ', '))
    $recycles = @(Get-Recycles $script:Todo)
    if ($recycles.Count -gt 0) { Write-Line ('Recycles: ' + ($recycles -join ', ') + ' (asked for)') }
    $files = @($script:Todo | Where-Object { $_['Owner'] -eq 'file' } | ForEach-Object { $_['File'] } | Select-Object -Unique)
    foreach ($file in $files) { Write-Line ('File:     ' + $file + ' (asked for; its application restarts by itself)') }
}

# What of the parameters cannot be meant; nothing where all can.
function Get-UsageProblem {
    $ids = @($Steps | ForEach-Object { $_['Id'] })
    foreach ($name in @($script:OnlySteps) + @($script:Forced)) {
        if ($name -and $ids -notcontains $name) { return 'the plan has no step ' + $name + '.' }
    }
    foreach ($name in @(Get-Each $script:OnlyGroups)) {
        if ($script:GroupNames -notcontains $name) { return 'there is no group ' + $name + '; there are ' + ($script:GroupNames -join ', ') + '.' }
    }
    if ($script:ExchangeServer -and $script:ExchangeServer -notmatch '^[A-Za-z0-9][A-Za-z0-9.-]*$') { return '-ExchangeServer is not the name of a computer.' }
    if ($script:Dc -and $script:Dc -notmatch '^[A-Za-z0-9][A-Za-z0-9.-]*$') { return '-DomainController is not the name of a computer.' }
}

# Which steps the operator leaves out, with the reason; asked for before the first write.
function Select-Steps {
    $undocumented = @()
    foreach ($step in $script:Todo) {
        $id = $step['Id']
        $named = $script:OnlySteps -contains $id -or $script:OnlyGroups -contains $step['Group']
        if (($script:OnlySteps.Count -or $script:OnlyGroups.Count) -and -not $named) { $script:LeftOut[$id] = 'not chosen' }
        elseif ($script:IisOnly -and $step['Owner'] -eq 'shell') { $script:LeftOut[$id] = '-IisOnly' }
        elseif ($step['ByHand']) { $script:LeftOut[$id] = $step['ByHand'] }
        elseif ($step['Group'] -eq 'undocumented' -and -not $named) { $undocumented += $step }
    }
    if ($undocumented.Count -eq 0 -or $script:IncludeUndocumented -or $Plan['Mode'] -eq 'undo') { return }
    $text = 'Steps for changes that nobody documented: ' + $undocumented.Count
    if (-not $script:WhatIfOn -and (Read-Consent ($text + '. Put them back too?'))) { return }
    Write-Line ($text + ', left out. -IncludeUndocumented takes them in.')
    foreach ($step in $undocumented) { $script:LeftOut[$step['Id']] = 'nobody documented it' }
}

# s009 stands for s009.1 and s009.2 too: a change that takes two places in the order.
function Read-Ids($names) {
    $ids = @($Steps | ForEach-Object { $_['Id'] })
    foreach ($name in @(Read-Names $names)) {
        $parts = @($ids | Where-Object { $_.StartsWith($name + '.', [StringComparison]::OrdinalIgnoreCase) })
        if ($ids -notcontains $name -and $parts.Count -gt 0) { $parts } else { $name }
    }
}

function Initialize-Run {
    $script:OnlySteps = @(Read-Ids $script:Step)
    $script:OnlyGroups = @(Read-Names $script:Group)
    $script:Forced = @(Read-Ids $script:Force)
    $script:LeftOut = @{}
    $script:Count = 0
    $problem = Get-UsageProblem
    if ($problem) { throw $problem }
    $script:Todo = @(Get-Each $Steps)
    if ($Plan['Mode'] -eq 'undo') { $script:Todo = @(Get-Each (Get-UndoSteps)) }
    foreach ($step in $script:Todo) { if ($step['Op'] -eq 'drop') { $step['NeedsRemove'] = $true } }
}

function Open-Records {
    if ($script:WhatIfOn) { return $true }
    try {
        $folder = Get-OwnFolder
        $path = [System.IO.Path]::Combine($folder, $Plan['Mode'] + '-' + ($Plan['Target'] -replace '[^A-Za-z0-9.-]', '_') + '-' + (Get-Stamp) + '.journal')
        if ($script:Journal -and $Plan['Mode'] -ne 'undo') { $path = Get-RealPath $script:Journal }
        else { $script:Unfinished = Find-Unfinished $folder }
        if ([System.IO.File]::Exists($path)) { Test-OwnJournal $path }
        Open-Journal $path
    }
    catch {
        Write-Line ('refused: without a journal nothing is written: ' + (Get-Reason $_))
        return $false
    }
    if ($script:Unfinished) { Write-Line ('An earlier run did not end: ' + $script:Unfinished['Path']) }
    Write-Line ('Journal: ' + $script:JournalPath)
    try { $null = Start-Transcript -Path ([System.IO.Path]::ChangeExtension($script:JournalPath, 'txt')) -ErrorAction Stop; $script:Transcript = $true }
    catch { Write-Line ('No transcript: ' + (Get-Reason $_)) }
    return $true
}

# Another file, or the journal of another plan, is not written to.
function Test-OwnJournal([string]$path) {
    $journal = Read-Journal $path
    foreach ($run in @(Get-Each $journal['Runs'])) {
        if ((Read-JournalText $run 'plan') -ne $Plan['Id'] -or (Read-JournalText $run 'mode') -ne $Plan['Mode']) { throw ($path + ' is the journal of another plan') }
    }
    if (@(Get-Each $journal['Runs']).Count -eq 0) { throw ($path + ' is there and is no journal') }
    if (-not $journal['Ended']) { $script:Unfinished = @{ Path = $path; Journal = $journal } }
}

function Get-ExitCode {
    $states = @($script:States.get_Values() | ForEach-Object { $_['State'] })
    if ($states -contains 'failed' -or $states -contains 'not-permitted' -or $script:RestartFailed) { return 1 }
    if ($states -contains 'stopped' -or $states -contains 'blocked' -or $states -contains 'declined') { return 3 }
    return 0
}

function Write-Table([int]$code) {
    Write-Line ''
    foreach ($step in $script:Todo) {
        $state = $script:States[$step['Id']]
        if ($state) { Write-Line ($step['Id'] + ' ' + $state['State'].PadRight(13) + ' ' + $step['Title']) }
    }
    $sums = @()
    foreach ($name in 'set', 'would-set', 'right', 'failed', 'not-permitted', 'stopped', 'blocked', 'declined', 'left-out') {
        $count = @($script:States.get_Values() | Where-Object { $_['State'] -eq $name }).Count
        if ($count -gt 0) { $sums += '' + $count + ' ' + $name }
    }
    if ($sums.Count -eq 0) { $sums = @('no steps') }
    Write-Line ''
    Write-Line ('Result: ' + ($sums -join ', ') + '. Exit code ' + $code + '.')
    Write-LeftOut
    if ($script:WhatIfOn) { return }
    $written = @($script:States.get_Values() | Where-Object { $_['State'] -eq 'set' -or $_['State'] -eq 'failed' }).Count
    if ($Plan['Mode'] -eq 'replay' -and $written -gt 0) { Write-Line ('Take back: undo.ps1 -Journal "' + $script:JournalPath + '"') }
    $earlier = $null
    if ($Plan['Mode'] -eq 'replay' -and $script:Unfinished) { $earlier = $script:Unfinished['Path'] }
    if ($earlier -and $earlier -ne $script:JournalPath) {
        Write-Line ('And what the earlier run wrote: undo.ps1 -Journal "' + $earlier + '"')
    }
    Write-Line 'Next: a new snapshot, then verify; and verify again after 20 minutes (Outlook Anywhere is stamped every 15).'
}

# How many steps were left out for what.
function Write-LeftOut {
    $reasons = @($script:States.get_Values() | Where-Object { $_['State'] -eq 'left-out' } | ForEach-Object { ($_['Reason'] -split ';')[0] })
    foreach ($reason in @($reasons | Select-Object -Unique)) {
        Write-Line ('Left out: ' + @($reasons | Where-Object { $_ -eq $reason }).Count + ': ' + $reason)
    }
}

function Invoke-Run {
    $script:ExitCode = 2
    try { Initialize-Run }
    catch {
        Write-Line ('error: ' + (Get-Reason $_))
        return
    }
    Write-FirstScreen
    if (-not (Test-Guards)) { return }
    Write-Build
    Select-Steps
    if (-not (Open-Shell)) { return }
    if (-not (Open-Records)) { return }
    foreach ($step in $script:Todo) { Invoke-Step $step }
    Invoke-Restarts
    $script:ExitCode = Get-ExitCode
    Write-Table $script:ExitCode
    Close-Journal $script:ExitCode
}

# The exit code; everything else goes to the console.
function Invoke-Replay {
    try { $null = Invoke-Run }
    catch {
        $script:ExitCode = 1
        Write-Line ('error: the run ended early: ' + (Get-Reason $_))
    }
    finally {
        Close-Journal $null
        if ($script:Transcript) { try { $null = Stop-Transcript } catch { } }
        if ($script:Session) { Remove-PSSession -Session $script:Session -ErrorAction SilentlyContinue }
    }
    return $script:ExitCode
}
