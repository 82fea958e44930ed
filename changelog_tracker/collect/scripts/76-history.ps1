# The copies of applicationHost.config that IIS makes of itself after each change (configHistory).

function Read-History($source, [bool]$brief) {
    $settings = $source['settings']
    Read-HistorySettings $source
    $folder = Get-FilePath $settings['path']
    if (-not (Test-Drive $folder)) { throw ('its folder is on a drive that is not there: ' + $folder) }
    $copies = @(Find-Copies $folder)
    if ($copies.Count -gt 0) { $source['oldest'] = $copies[0]['Time'] }
    if ($brief) { Set-Coverage $source @{}; return }
    $kept = @{ First = $null; Last = $null; Cut = $false; Copies = [System.Collections.ArrayList]@(); Length = 0 }
    # The newest count most, should they be too many.
    for ($i = $copies.Count - 1; $i -ge 0; $i--) { if ($copies[$i]['Touched'] -ge (Get-Since)) { Add-Copy $kept $copies[$i] } }
    $kept['Copies'].Reverse()
    $settings['copies'] = $kept['Copies'].ToArray()
    $source['truncated'] = $kept['Cut']
    if ($kept['Copies'].Count -gt 0) { $source['file'] = 'evidence/history' }
    Set-Coverage $source $kept
    $source['records'] = $kept['Copies'].Count
}

# As the schema has them where nothing else is said.
function Read-HistorySettings($source) {
    $settings = $source['settings']
    foreach ($pair in @('enabled', 'true'), @('path', '%SystemDrive%\inetpub\history'), @('maxHistories', '10'), @('period', '00:02:00')) { $settings[$pair[0]] = $pair[1] }
    foreach ($element in @(Get-AtWay (Read-XmlBytes (Read-AppHost)) @('system.applicationHost', 'configHistory'))) {
        foreach ($name in 'enabled', 'path', 'maxHistories', 'period') {
            if ($element.HasAttribute($name)) { $settings[$name] = $element.GetAttribute($name) }
        }
    }
    $source['enabled'] = Test-SameWord $settings['enabled'].Trim() 'true'
    $settings['enabled'] = $source['enabled']
}

# By their numbers, the oldest first. The copy of a file keeps its time: that of the change before it was copied.
function Find-Copies([string]$folder) {
    $names = @(Get-Names (Get-RealPath $folder) | Where-Object { $_['IsFolder'] -and $_['Name'] -match '^CFGHISTORY_\d{10}\z' } | ForEach-Object { $_['Name'] })
    foreach ($name in @(Get-Ordinal $names)) {
        $file = New-Object System.IO.FileInfo((Get-RealPath ($folder.TrimEnd('\') + '\' + $name + '\applicationHost.config')))
        if (-not $file.Exists) { continue }
        $touched = $file.LastWriteTimeUtc
        if ($file.Directory.CreationTimeUtc -gt $touched) { $touched = $file.Directory.CreationTimeUtc }
        @{ Name = $name; File = $file.FullName; Time = $file.LastWriteTimeUtc; Touched = $touched }
    }
}

function Add-Copy($kept, $copy) {
    if ($kept['Cut']) { return }
    try { $bytes = Read-WholeFile $copy['File'] }
    catch {
        # IIS throws the oldest away as it makes a new one.
        if (Test-Missing $_) { return }
        throw
    }
    $kept['Length'] += $bytes.Length
    if ($kept['Length'] -gt $script:MostBytes) { $kept['Cut'] = $true; return }
    $path = 'evidence/history/' + $copy['Name'].ToUpperInvariant() + '/applicationHost.config'
    $sha = Add-Entry $path $bytes
    Add-Time $kept $copy['Time']
    $null = $kept['Copies'].Add(@{ file = $path; time = $copy['Time']; sha256 = $sha })
}
