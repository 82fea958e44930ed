# Paths as IIS and Windows write them, and as the bundle names them.

# A path on a drive of this computer, without variables, dots and slashes.
function Get-FilePath([string]$path) {
    $full = [Environment]::ExpandEnvironmentVariables($path.Trim()).Replace('/', '\')
    if ($full.StartsWith('\\?\', [StringComparison]::Ordinal) -and $full.Length -gt 5 -and $full[5] -eq ':') { $full = $full.Substring(4) }
    if ($full.StartsWith('\\', [StringComparison]::Ordinal)) { throw 'it lies on a network path' }
    if ($full -cnotmatch '^[A-Za-z]:(\\|\z)') { throw 'it is no path on a drive' }
    $parts = [System.Collections.ArrayList]@()
    foreach ($part in $full.Substring(2).Split('\')) {
        if ($part -eq '' -or $part -eq '.') { continue }
        if ($part -eq '..') { if ($parts.Count -gt 0) { $parts.RemoveAt($parts.Count - 1) }; continue }
        $null = $parts.Add($part)
    }
    return $full.Substring(0, 1).ToUpperInvariant() + ':\' + ($parts.ToArray() -join '\')
}

# Whether a name can stand in a bundle: whole characters, none that controls, not too long.
function Test-EntryPath([string]$path) {
    if ($path.Length -gt 1024) { return $false }
    return $path -cnotmatch '[\x00-\x1f\x7f-\x9f:]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|/[. ]+(/|\z)'
}

function Get-EntryPath([string]$path) {
    $entry = 'files/' + $path.Substring(0, 1).ToUpperInvariant() + $path.Substring(2).Replace('\', '/').TrimEnd('/')
    if (-not (Test-EntryPath $entry)) { throw 'its name cannot be kept in a bundle' }
    return $entry
}

# A name for what is listed as not read only: near enough to be recognised, and harmless.
function Get-UnreadPath([string]$path) {
    $parts = @($path.Replace('/', '\').Split('\') | Where-Object { $_.Trim('. ') -ne '' } | ForEach-Object {
            [regex]::Replace($_, '[\x00-\x1f\x7f-\x9f:\ud800-\udfff]', '_')
        })
    $start = 'files/OTHER/'
    if ($path.StartsWith('\\', [StringComparison]::Ordinal)) { $start = 'files/UNC/' }
    elseif ($path -cmatch '^[A-Za-z]:[\\/]') { $start = 'files/'; $parts[0] = $path.Substring(0, 1).ToUpperInvariant() }
    $name = $start + ($parts -join '/')
    if ($name.Length -gt 900) { $name = $name.Substring(0, 900) + '...' }
    return $name
}

function Join-Windows([string]$folder, [string]$name) { return $folder.TrimEnd('\') + '\' + $name }

# Whether a path lies in a folder or is it.
function Test-Below([string]$path, [string]$folder) {
    $root = $folder.TrimEnd('\') + '\'
    return ($path + '\').StartsWith($root, [StringComparison]::OrdinalIgnoreCase)
}

# Goes through a folder level by level, not through links, and gives the Windows paths of the files whose name fits (*.config).
# Limits (Levels, Folders, Files) hold for one walk: it is limited where one is reached, and not whole where a folder cannot be listed.
function Find-Below([string]$root, [string]$pattern, $limits) {
    $waiting = [System.Collections.ArrayList]@()
    $null = $waiting.Add(@{ Path = $root; Level = 0 })
    $script:WalkWhole = $true
    $script:WalkLimited = $false
    $files = 0
    for ($folders = 0; $folders -lt $waiting.Count; $folders++) {
        $folder = $waiting[$folders]
        if ($folders -ge $limits['Folders'] -or $files -gt $limits['Files']) { $script:WalkLimited = $true; break }
        try { $names = @(Get-Names (Get-RealPath $folder['Path'])) }
        catch {
            $script:WalkWhole = $false
            Add-Unread 'ConfigFile' (Get-UnreadPath (Join-Windows $folder['Path'] 'web.config')) ('its folder cannot be listed: ' + (Get-Reason $_))
            continue
        }
        foreach ($name in $names) {
            $path = Join-Windows $folder['Path'] $name['Name']
            if (-not $name['IsFolder']) { if ($name['Name'] -like $pattern) { $files++; $path } }
            elseif ($folder['Level'] -lt $limits['Levels']) { $null = $waiting.Add(@{ Path = $path; Level = $folder['Level'] + 1 }) }
            else { $script:WalkLimited = $true }
        }
    }
}

# The files and folders in one, without links; a folder that is not there has none.
function Get-Names([string]$real) {
    if (-not [System.IO.Directory]::Exists($real)) { return }
    foreach ($info in (New-Object System.IO.DirectoryInfo($real)).GetFileSystemInfos()) {
        if (([int]$info.Attributes -band 0x400) -ne 0) { continue }
        @{ Name = $info.Name; IsFolder = ($info -is [System.IO.DirectoryInfo]) }
    }
}
