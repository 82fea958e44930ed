# Event logs: the XML of each event as Windows gives it.

function Test-NoEvents($record) { return "$($record.FullyQualifiedErrorId)" -like 'NoMatchingEventsFound*' }

function Test-NoLog($record) {
    return "$($record.FullyQualifiedErrorId)" -like 'NoMatchingLogsFound*' -or $record.Exception.GetType().Name -eq 'EventLogNotFoundException'
}

function Read-EventLog($source, [bool]$brief) {
    $log = $script:EventLogs[$source['source']]
    $source['settings']['log'] = $log
    try { $info = @(Get-WinEvent -ListLog $log -ErrorAction Stop)[0] }
    catch {
        if (Test-NoLog $_) {
            $source['enabled'] = $false
            throw ('there is no log ' + $log)
        }
        throw
    }
    $source['enabled'] = [bool]$info.IsEnabled
    $source['settings']['mode'] = "$($info.LogMode)"
    $source['settings']['most_bytes'] = $info.MaximumSizeInBytes
    $source['oldest'] = Get-OldestEvent $log
    if ($brief) { Set-Coverage $source @{}; return }
    $kept = Read-Events $log
    $source['truncated'] = $kept['Cut']
    Set-Coverage $source $kept
    if ($kept['Broken'] -gt 0) { $source['settings']['left_out'] = $kept['Broken'] }
    if ($kept['Texts'].Count -gt 0) {
        $path = 'evidence/' + $source['source'] + '.xml'
        $null = Add-Entry $path (ConvertTo-EventBytes $kept['Texts'])
        $source['file'] = $path
    }
    $source['records'] = $kept['Texts'].Count
}

function Get-OldestEvent([string]$log) {
    try { return @(Get-WinEvent -LogName $log -Oldest -MaxEvents 1 -ErrorAction Stop)[0].TimeCreated.ToUniversalTime() }
    catch { if (-not (Test-NoEvents $_)) { throw } }
}

# The newest, as many as fit, then the oldest first. Only their text is held.
function Read-Events([string]$log) {
    $kept = @{ Texts = [System.Collections.ArrayList]@(); First = $null; Last = $null; Cut = $false; Broken = 0; Length = 0 }
    $which = @{ LogName = $log; StartTime = (Get-Since) }
    try {
        Get-WinEvent -FilterHashtable $which -MaxEvents ($script:MostEvents + 1) -ErrorAction Stop | ForEach-Object { Add-Event $kept $_ }
    }
    catch { if (-not (Test-NoEvents $_)) { throw } }
    $kept['Texts'].Reverse()
    if (-not (Test-WellFormed (ConvertTo-EventBytes $kept['Texts']))) { Remove-BrokenEvents $kept }
    return $kept
}

function Add-Event($kept, $record) {
    if ($kept['Cut']) { return }
    $text = Get-XmlText $record.ToXml()
    $kept['Length'] += $text.Length + 1
    if ($kept['Texts'].Count -ge $script:MostEvents -or $kept['Length'] -gt $script:MostBytes) { $kept['Cut'] = $true; return }
    $null = $kept['Texts'].Add($text)
    Add-Time $kept $record.TimeCreated
}

# What XML 1.0 has no place for: control characters, halves of pairs. Beyond ASCII by number, so that a byte is a character.
function Get-XmlText([string]$text) {
    if ($text -cmatch '^[\t\n\r -~]*\z') { return $text }
    $clean = [regex]::Replace($text, '[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]', [string][char]0xfffd)
    return [regex]::Replace($clean, '[\ud800-\udbff][\udc00-\udfff]|[^\t\n\r -~]', [System.Text.RegularExpressions.MatchEvaluator]{
            param($match)
            '&#' + [char]::ConvertToUtf32($match.Value, 0) + ';'
        })
}

function ConvertTo-EventBytes($texts) {
    $builder = New-Object System.Text.StringBuilder
    $null = $builder.Append("<Events>`n")
    foreach ($text in $texts) { $null = $builder.Append($text).Append([char]10) }
    $null = $builder.Append("</Events>`n")
    return , (Get-Bytes $builder.ToString())
}

function Test-WellFormed([byte[]]$bytes) {
    $reader = [System.Xml.XmlReader]::Create((New-Object System.IO.MemoryStream(, $bytes)))
    try {
        $null = $reader.MoveToContent()
        $reader.Skip()
        return $true
    }
    catch { return $false }
    finally { $reader.Close() }
}

# One that no reader would take is left out, and counted.
function Remove-BrokenEvents($kept) {
    $whole = [System.Collections.ArrayList]@()
    foreach ($text in $kept['Texts']) {
        if (Test-WellFormed (ConvertTo-EventBytes @($text))) { $null = $whole.Add($text) } else { $kept['Broken']++ }
    }
    $kept['Texts'] = $whole
}
