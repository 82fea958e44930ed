# The run from its first line to its exit code.

# What of the parameters cannot be meant; nothing where all can.
function Get-UsageProblem {
    if ($script:Framed -and $script:Marker -cnotmatch '^[0-9A-Fa-f]{32}\z') { $script:Framed = $false; return '-Frame takes 32 hexadecimal digits' }
    if (@('all', 'list', 'fetch', 'test') -cnotcontains $script:Mode) { return '-Mode takes list, fetch or test' }
    if ($script:Mode -ne 'all' -and -not $script:Framed) { return '-Mode goes with -Frame' }
    if ($script:OtherServer -ne '' -and $script:OtherServer -cnotmatch '^[A-Za-z0-9][A-Za-z0-9.-]*\z') { return '-ExchangeServer is not the name of a computer' }
    $problem = Read-Since
    if ($problem) { return $problem }
    if ($script:Mode -eq 'fetch') { return Read-Fetch }
}

function Read-Since {
    if ($script:SinceGiven -eq '') { return }
    $style = [Globalization.DateTimeStyles]::AssumeUniversal -bor [Globalization.DateTimeStyles]::AdjustToUniversal
    try { $script:SinceTime = [DateTime]::ParseExact($script:SinceGiven, "yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture, $style) }
    catch { return '-Since takes a time as 2026-11-22T10:00:00Z' }
}

function Read-Fetch {
    try { $paths = [System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($script:FetchGiven)).Split([char]10) }
    catch { return '-Fetch takes base64 of paths' }
    foreach ($path in $paths) {
        $one = $path.TrimEnd([char]13)
        if ($one -eq '') { continue }
        if (-not (Test-ByHash $one)) { return '-Fetch takes paths below files/, and windows/FileEntry.jsonl' }
        $script:Wanted[$one.ToLowerInvariant()] = $one
    }
}

# One line, or an entry of its own where nobody reads lines.
function Write-Refusal($refusal) {
    if (-not $script:Framed) {
        Write-Line ('refused: ' + $refusal['Reason'])
        if ($refusal['Hint']) { Write-Line ('         ' + $refusal['Hint']) }
        Write-Line 'Nothing was read.'
        return
    }
    Open-Frame
    $text = ConvertTo-JsonText @{ code = $refusal['Code']; reason = $refusal['Reason']; hint = $refusal['Hint'] }
    $null = Add-Entry 'refused.json' (Get-Bytes $text)
    Close-Frame
}

function Write-FirstLines {
    Write-Line ('changelog-tracker ' + $CollectorVersion + ': reading ' + $script:Server + ', Exchange ' + $script:Exchange['Version'] + ' (' + $script:Exchange['InstallPath'] + ')')
    if ($script:Elevated -eq $false) { Write-Line 'Note: this is not elevated; what needs an administrator will be missing. Better: start PowerShell with "Run as administrator".' }
    if ($script:Mode -ne 'all') { return }
    if ($script:ShellOpen) { Write-Line ('Shell: ' + $script:ShellHow) } elseif ($script:ShellReason) { Write-Line ('Note: ' + $script:ShellReason) }
}

# Nobody looks at Exchange in a fetch, and with -NoExchange others do.
function Test-ShellNeeded { return -not $script:WithoutExchange -and $script:Mode -ne 'fetch' }

function Add-Everything {
    Find-Files
    if ($script:Mode -eq 'test') { Write-TestFrame; return }
    if ($script:Mode -ne 'fetch' -and -not $script:WithoutExchange) { Add-ExchangeKinds }
    Add-Files
    if ($script:Mode -ne 'fetch' -or (Test-Wanted 'windows/FileEntry.jsonl')) { Add-Other 'windows' }
    if ($script:Mode -ne 'fetch' -and -not $script:WithoutEvidence) { Add-Other 'evidence' }
    if ($script:Mode -eq 'fetch') { Add-NotFound }
    $null = Add-Entry 'bundle.json' (Get-Bytes (ConvertTo-JsonText (Get-Manifest)))
}

# Each of these parts minds its own failures; what it does not catch is kept from spoiling the rest.
function Add-Other([string]$part) {
    try {
        if ($part -eq 'windows') { $null = Add-WindowsKinds } else { $null = Add-Evidence }
    }
    catch {
        if ($script:FrameBroken) { throw }
        Add-Failed $part (Get-Reason $_)
    }
}

function Add-Failed([string]$part, [string]$reason) {
    if ($part -eq 'windows') {
        foreach ($kind in 'Certificate', 'RegistryValue', 'Service', 'SslBinding', 'FileEntry') {
            $path = 'windows/' + $kind + '.jsonl'
            if (Test-Wanted $path) { Add-Unread $kind $path $reason }
        }
        return
    }
    $told = @($script:Sources | ForEach-Object { $_['source'] })
    foreach ($name in 'admin-audit-log', 'iis-configuration', 'iis-history', 'msexchange-management') {
        if ($told -notcontains $name) { Add-Source @{ source = $name; enabled = $null; records = $null; settings = @{ reason = $reason } } }
    }
}

# What was asked for, and this server would not list.
function Add-NotFound {
    foreach ($path in @($script:Wanted.get_Values())) {
        $kind = 'ConfigFile'
        if (Test-SameText $path 'windows/FileEntry.jsonl') { $kind = 'FileEntry' }
        Add-Unread $kind $path 'it is not among the files that are read on this server'
    }
}

function Get-Counted([string]$status) { return @($script:Readings | Where-Object { $_['status'] -eq $status }) }

function Write-Summary {
    $read = @(Get-Counted 'read')
    $files = @($read | Where-Object { "$($_['file'])".StartsWith('files/') }).Count
    Write-Line ''
    Write-Line ('Read:     ' + ($read.Count - $files) + ' kinds and ' + $files + ' configuration files')
    $part = @($read | Where-Object { $_['mode'] -eq 'ad-only' })
    foreach ($one in $part) { Write-Line ('In part:  ' + $one['kind'] + ': ' + $one['reason']) }
    Write-Unread
    foreach ($source in $script:Sources) { Write-Source $source }
}

# Those with the same reason on one line.
function Write-Unread {
    $unread = @(Get-Counted 'unread')
    if ($unread.Count -eq 0) { Write-Line 'Not read: nothing; everything that was looked for was read or is not there'; return }
    foreach ($reason in @($unread | ForEach-Object { $_['reason'] } | Select-Object -Unique)) {
        $names = @($unread | Where-Object { $_['reason'] -ceq $reason } | ForEach-Object { Get-ReadingName $_ })
        $text = ($names | Select-Object -First 5) -join ', '
        if ($names.Count -gt 5) { $text += ' and ' + ($names.Count - 5) + ' more' }
        Write-Line ('Not read: ' + $text + ': ' + $reason)
    }
}

function Get-ReadingName($reading) {
    if ("$($reading['file'])".StartsWith('files/')) { return $reading['file'].Substring(6) }
    return $reading['kind']
}

function Write-Source($source) {
    if ($source['enabled'] -eq $false) { Write-Line ('Evidence: ' + $source['source'] + ': off, so it cannot tell who made a change') }
    elseif ($null -eq $source['records'] -and $source['settings'] -and $source['settings']['reason']) { Write-Line ('Evidence: ' + $source['source'] + ': ' + $source['settings']['reason']) }
    elseif ($null -ne $source['records']) { Write-Line ('Evidence: ' + $source['source'] + ': ' + $source['records'] + ' records') }
}

function Write-Place {
    $place = $script:BundleFolder
    if (-not $script:WithoutZip) {
        try { $place = Write-Zip } catch { Write-Line ('No zip: ' + (Get-Reason $_) + '. Carry the whole folder.') }
    }
    Write-Line ('Bundle:   ' + $place)
    if ($place -ne $script:BundleFolder) { Write-Line ('          (the folder of that name beside it holds the same, unpacked)') }
    Write-Line ('Next:     carry it to where changelog-tracker is, and run there: changelog-tracker import "' + [System.IO.Path]::GetFileName($place) + '"')
    Write-Line '          It tells how this server is set up: treat it as confidential, and delete it here afterwards.'
}

function Invoke-Run {
    $problem = Get-UsageProblem
    if ($problem) {
        $script:ExitCode = 2
        if ($script:Framed) { Write-Refusal (New-Refusal 'usage' $problem '') } else { [Console]::Error.WriteLine('error: ' + $problem) }
        return
    }
    $refusal = Get-Refusal
    if ($refusal) { Write-Refusal $refusal; return }
    Test-Elevated
    if (Test-ShellNeeded) { Open-Shell }
    Write-FirstLines
    Open-Bundle
    Add-Everything
    $script:ExitCode = 0
    if (@(Get-Counted 'unread').Count -gt 0) { $script:ExitCode = 4 }
    if ($script:Framed) { Close-Frame; return }
    Write-Progress -Activity 'Reading this server' -Status 'done' -Completed
    Write-Summary
    Write-Place
}

# The exit code; everything else goes to the console or into the frame.
function Invoke-Collector {
    $script:ExitCode = 1
    try { $null = Invoke-Run }
    catch {
        $script:ExitCode = 1
        [Console]::Error.WriteLine('error: the run ended early: ' + (Get-Visible (Get-Reason $_)))
    }
    finally { Close-Shell }
    return $script:ExitCode
}
