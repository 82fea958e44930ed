# The journal: what stood there, on disk before it is overwritten. ASCII, one XML element a line.

function ConvertTo-JournalText([string]$text) {
    $escaped = [regex]::Replace($text, '[^\x20-\x7e]|\\', [System.Text.RegularExpressions.MatchEvaluator]{
            param($match)
            '\u{0:x4}' -f [int][char]$match.Value
        })
    return $escaped.Replace('&', '&amp;').Replace('<', '&lt;').Replace('>', '&gt;').Replace('"', '&quot;').Replace("'", '&apos;')
}

# Takes back what ConvertTo-JournalText did beyond XML.
function ConvertFrom-JournalText([string]$text) {
    return [regex]::Replace($text, '\\u([0-9a-fA-F]{4})', [System.Text.RegularExpressions.MatchEvaluator]{
            param($match)
            [string][char][Convert]::ToInt32($match.Groups[1].Value, 16)
        })
}

function Get-JournalType($value) {
    if ($null -eq $value) { return 'null' }
    if (Test-IsMany $value) { return 'list' }
    if ($value -is [bool]) { return 'bool' }
    if ($value -is [int] -or $value -is [long]) { return 'int' }
    return 'text'
}

function Get-JournalAttribute([string]$name, $value) {
    if ($value -is [bool]) { $value = "$value".ToLowerInvariant() }
    return ' ' + $name + '="' + (ConvertTo-JournalText "$value") + '"'
}

# type is that of what was found; wantedtype stands there where the wanted value has another.
function Get-JournalValue([string]$name, $found, $wanted) {
    $type = Get-JournalType $found
    $other = Get-JournalType $wanted
    $line = '<value' + (Get-JournalAttribute 'name' $name) + (Get-JournalAttribute 'type' $type)
    if ($type -ne $other) { $line += Get-JournalAttribute 'wantedtype' $other }
    if ($type -ne 'list' -and $type -ne 'null') { $line += Get-JournalAttribute 'found' $found }
    if ($other -ne 'list' -and $other -ne 'null') { $line += Get-JournalAttribute 'wanted' $wanted }
    $inside = ''
    if ($type -eq 'list') { foreach ($one in $found) { $inside += '<found>' + (ConvertTo-JournalText "$one") + '</found>' } }
    if ($other -eq 'list') { foreach ($one in $wanted) { $inside += '<wanted>' + (ConvertTo-JournalText "$one") + '</wanted>' } }
    return $line + '>' + $inside + '</value>'
}

function Get-Operator {
    try { return [System.Security.Principal.WindowsIdentity]::GetCurrent().Name } catch { }
    if ($env:USERDOMAIN) { return $env:USERDOMAIN + '\' + $env:USERNAME }
    return $env:USERNAME
}

function Open-Journal([string]$path) {
    $script:JournalPath = $path
    # WriteThrough: a line is on disk when the call returns, also where the machine dies next.
    $script:JournalFile = New-Object System.IO.FileStream($path, [System.IO.FileMode]::Append,
        [System.IO.FileAccess]::Write, [System.IO.FileShare]::Read, 4096, [System.IO.FileOptions]::WriteThrough)
    # A run that was killed may have left half a line.
    if ($script:JournalFile.Length -gt 0) { Add-JournalLine '' }
    $line = '<run format="1"' + (Get-JournalAttribute 'plan' $Plan['Id'])
    $line += (Get-JournalAttribute 'server' $Plan['Server']) + (Get-JournalAttribute 'target' $Plan['Target'])
    $line += (Get-JournalAttribute 'mode' $Plan['Mode']) + (Get-JournalAttribute 'operator' (Get-Operator))
    $line += (Get-JournalAttribute 'host' $env:COMPUTERNAME) + (Get-JournalAttribute 'started' (Get-Now))
    $line += (Get-JournalAttribute 'program' $Plan['Program']) + (Get-JournalAttribute 'dc' $script:Dc)
    Add-JournalLine ($line + '/>')
}

function Add-JournalLine([string]$line) {
    if ($null -eq $script:JournalFile) { return }
    $bytes = [System.Text.Encoding]::ASCII.GetBytes($line + "`r`n")
    $script:JournalFile.Write($bytes, 0, $bytes.Length)
    $script:JournalFile.Flush()
}

# Before a write. Throws where the journal cannot be written: then nothing else may be either.
function Add-JournalSetting($step, $found, [string]$reason) {
    $line = '<step' + (Get-JournalAttribute 'id' $step['Id']) + (Get-JournalAttribute 'at' (Get-Now))
    $line += (Get-JournalAttribute 'state' 'setting') + (Get-JournalAttribute 'op' $step['Op'])
    $line += (Get-JournalAttribute 'kind' $step['ResourceKind']) + (Get-JournalAttribute 'resource' $step['Resource'])
    if ($null -ne $step['Setting']) { $line += Get-JournalAttribute 'setting' $step['Setting'] }
    if ($reason) { $line += Get-JournalAttribute 'reason' $reason }
    $line += '>'
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $wanted = $goal['Wanted']
        if ($step['Owner'] -eq 'shell') { $wanted = ConvertTo-Plain $goal['Kind'] $wanted }
        $line += Get-JournalValue $goal['Name'] $found[$goal['Name']] $wanted
    }
    Add-JournalLine ($line + '</step>')
}

function Add-JournalState([string]$id, [string]$state, [string]$reason) {
    $line = '<step' + (Get-JournalAttribute 'id' $id) + (Get-JournalAttribute 'at' (Get-Now)) + (Get-JournalAttribute 'state' $state)
    if ($reason) { $line += Get-JournalAttribute 'reason' $reason }
    try { Add-JournalLine ($line + '/>') } catch { Write-Line ('The journal cannot be written: ' + (Get-Reason $_)) }
}

function Close-Journal($code) {
    if ($null -eq $script:JournalFile) { return }
    try { if ($null -ne $code) { Add-JournalLine ('<end' + (Get-JournalAttribute 'at' (Get-Now)) + (Get-JournalAttribute 'code' $code) + '/>') } } catch { }
    $script:JournalFile.Close()
    $script:JournalFile = $null
}
