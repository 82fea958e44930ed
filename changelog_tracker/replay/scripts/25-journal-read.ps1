# A journal read back: what a run wrote, and what stood there before.

function Read-XmlLine([string]$line) {
    $settings = New-Object System.Xml.XmlReaderSettings
    $settings.XmlResolver = $null
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    $document.PreserveWhitespace = $true
    $document.Load([System.Xml.XmlReader]::Create((New-Object System.IO.StringReader($line)), $settings))
    return $document.get_DocumentElement()
}

function Read-JournalText($element, [string]$name) {
    if (-not $element.HasAttribute($name)) { return $null }
    return ConvertFrom-JournalText $element.GetAttribute($name)
}

# Side is found or wanted.
function Read-JournalValue($element, [string]$side) {
    $type = $element.GetAttribute('type')
    if ($side -eq 'wanted' -and $element.HasAttribute('wantedtype')) { $type = $element.GetAttribute('wantedtype') }
    if ($type -eq 'null') { return $null }
    if ($type -eq 'list') {
        $list = @()
        foreach ($child in @(Get-ChildElements $element)) {
            if ($child.get_LocalName() -eq $side) { $list += ConvertFrom-JournalText $child.get_InnerText() }
        }
        return , $list
    }
    $text = [string](Read-JournalText $element $side)
    if ($type -eq 'bool') { return Test-SameWord $text 'true' }
    if ($type -eq 'int') { return [long]$text }
    return $text
}

# Of the steps of a journal: what was found before the first write and wanted by the last, in the order of writing.
function Read-Journal([string]$path) {
    $journal = @{ Runs = @(); Order = @(); Records = @{}; Ended = $false }
    $lines = [System.IO.File]::ReadAllLines($path)
    for ($i = 0; $i -lt $lines.Length; $i++) {
        if ($lines[$i].Trim() -eq '') { continue }
        try { $element = Read-XmlLine $lines[$i] }
        catch {
            # The last line of a run that was killed: nothing was written after it.
            if ($i -eq $lines.Length - 1 -or $lines[$i + 1].Trim() -eq '' -or $lines[$i + 1].StartsWith('<run ')) { continue }
            throw ('line ' + ($i + 1) + ' of the journal cannot be read: ' + (Get-Reason $_))
        }
        switch ($element.get_LocalName()) {
            'run' { $journal['Runs'] += $element; $journal['Ended'] = $false }
            'end' { $journal['Ended'] = $true }
            'step' { Read-JournalStep $journal $element }
        }
    }
    return $journal
}

function Read-JournalStep($journal, $element) {
    $id = Read-JournalText $element 'id'
    $state = Read-JournalText $element 'state'
    $record = $journal['Records'][$id]
    if ($state -eq 'setting') {
        if ($null -eq $record -or $record['State'] -eq 'failed') {
            $record = @{ Id = $id; Op = (Read-JournalText $element 'op'); Values = @{} }
            $journal['Records'][$id] = $record
        }
        $journal['Order'] = @(@(Get-Each $journal['Order']) | Where-Object { $_ -ne $id }) + $id
        foreach ($child in @(Get-ChildElements $element)) {
            $name = Read-JournalText $child 'name'
            if (-not $record['Values'].ContainsKey($name)) { $record['Values'][$name] = @{ Found = (Read-JournalValue $child 'found') } }
            $record['Values'][$name]['Wanted'] = Read-JournalValue $child 'wanted'
        }
        $record['State'] = 'setting'
    }
    elseif ($null -ne $record -and ($state -eq 'set' -or $state -eq 'failed')) {
        # A step that failed without a trace in a second run was still set by the first.
        if ($state -eq 'set' -or -not $record['Done']) { $record['State'] = $state }
        else { $record['State'] = 'set' }
        if ($state -eq 'set') { $record['Done'] = $true }
    }
}

# Steps that an earlier run of this plan wrote without coming to its restarts. The plan's own
# journals lie beside the script; a later one that ended has made up for it.
function Find-Unfinished([string]$folder) {
    $pattern = $Plan['Mode'] + '-*.journal'
    $unfinished = $null
    foreach ($file in @([System.IO.Directory]::GetFiles($folder, $pattern) | Sort-Object)) {
        try {
            $journal = Read-Journal $file
            $run = @($journal['Runs'])[-1]
            if ((Read-JournalText $run 'plan') -ne $Plan['Id']) { continue }
        }
        catch { continue }
        $unfinished = $null
        if (-not $journal['Ended']) { $unfinished = @{ Path = $file; Journal = $journal } }
    }
    return $unfinished
}
