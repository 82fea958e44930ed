# Steps that take back what a journal says was written, last first.

# Gives the steps, or throws why there can be none.
function Get-UndoSteps {
    if (-not $script:Journal) { throw 'undo.ps1 needs -Journal FILE: the journal of the run to take back.' }
    $path = Get-RealPath $script:Journal
    if (-not [System.IO.File]::Exists($path)) { throw ('there is no journal ' + $path + '.') }
    try { $journal = Read-Journal $path } catch { throw ('the journal cannot be read: ' + (Get-Reason $_)) }
    if (@($journal['Runs']).Count -eq 0) { throw ($path + ' is no journal of replay.ps1.') }
    foreach ($run in $journal['Runs']) {
        if ((Read-JournalText $run 'plan') -ne $Plan['Id']) { throw 'the journal is of another plan; take the undo.ps1 that came with its replay.ps1.' }
        if ((Read-JournalText $run 'mode') -ne 'replay') { throw 'this is the journal of an undo, which only replay.ps1 takes back.' }
        if (-not (Test-SameWord (Read-JournalText $run 'target') $Plan['Target'])) { throw 'the journal is of another server.' }
    }
    $script:UndoRun = @($journal['Runs'])[-1]
    $ids = @($journal['Order'] | Where-Object { $journal['Records'][$_]['State'] -ne 'failed' })
    $undo = @()
    for ($i = $ids.Count - 1; $i -ge 0; $i--) {
        $step = @($Steps | Where-Object { $_['Id'] -eq $ids[$i] })[0]
        if ($step) { $undo += New-UndoStep $step $journal['Records'][$ids[$i]] $ids }
    }
    return $undo
}

function New-UndoStep($step, $record, $ids) {
    $undo = $step.Clone()
    $undo['Weaker'] = ''
    # What needed this one has to be taken back before it.
    $undo['Needs'] = @($Steps | Where-Object { $ids -contains $_['Id'] -and @(Get-Each $_['Needs']) -contains $step['Id'] } | ForEach-Object { $_['Id'] })
    $goals = @()
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $value = $record['Values'][$goal['Name']]
        if ($null -eq $value) { continue }
        $goals += @{ Name = $goal['Name']; Kind = $goal['Kind']; Wanted = $value['Found']; Expected = $value['Wanted'] }
    }
    $undo['Goals'] = $goals
    $op = $step['Op']
    if ($record['Op']) { $op = $record['Op'] }
    switch ($op) {
        'new' {
            $undo['Op'] = 'drop'
            $undo['Do'] = $step['UndoDo']
            $undo['Cmdlet'] = $step['Cmdlet'] -replace '^New-', 'Remove-'
            $undo['Goals'] = @()
            $undo['NeedsRemove'] = $true
        }
        'drop' {
            $undo['Op'] = 'new'
            $undo['ByHand'] = 'a removed object is made again by hand, from the export beside the journal: ' + $step['Undo']
        }
        'add' { $undo['Op'] = 'remove' }
        'remove' { if (@(Get-Each $step['Hops']).Count -gt 0) { $undo['Op'] = 'add' } else { $undo['Op'] = 'attribute' } }
        'set' { $undo['Op'] = 'set' }
        default { $undo['Op'] = 'attribute' }
    }
    return $undo
}
