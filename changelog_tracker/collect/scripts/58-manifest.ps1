# The files of Exchange and of the folders of IIS by size, hash and version: one that was exchanged shows, whatever its date.
# What is collected whole (the .config files) is left out. A file that cannot be read is a line that says why; a folder that is not
# known as a whole is a line whose name ends with a backslash, and nothing can be said of what is below it.

$script:ManifestExchange = @{ Levels = 30; Folders = 30000; Files = 120000; Bytes = 8GB }
$script:ManifestOther = @{ Levels = 16; Folders = 4000; Files = 20000; Bytes = 2GB }

function Add-FileEntries($lines) {
    $script:ManifestDone = @()
    $install = $script:Exchange['InstallPath']
    foreach ($folder in 'ClientAccess', 'FrontEnd\HttpProxy') { Add-Root $lines ($install + $folder) $script:ManifestExchange }
    $others = @(@('%SystemDrive%\inetpub\wwwroot', '%SystemDrive%\inetpub\custerr') | ForEach-Object { Get-FilePath $_ }) + @(Get-IisFolders $lines)
    # Those that hold others first.
    foreach ($folder in @($others | Sort-Object -Property Length)) { Add-Root $lines $folder $script:ManifestOther }
}

# Where the physical paths of applicationHost.config lead. Were it passed over when it cannot be read, all below would look removed.
function Get-IisFolders($lines) {
    try { $document = Read-XmlBytes (Read-AppHost) } catch { throw ('the folders of IIS are not known: applicationHost.config: ' + (Get-Reason $_)) }
    $seen = @{}
    foreach ($one in @(Get-AtWay $document @('system.applicationHost', 'sites', 'site', 'application', 'virtualDirectory'))) {
        $path = $one.GetAttribute('physicalPath').Trim()
        if ($path -eq '' -or $seen.ContainsKey($path.ToLowerInvariant())) { continue }
        $seen[$path.ToLowerInvariant()] = $true
        try { Get-FilePath $path } catch { Add-UnreadLine $lines ($path.TrimEnd('\', '/') + '\') (Get-Reason $_) }
    }
}

# Folders that are not gone into: one that was listed already, and offline address books that Exchange generates anew each day,
# in folders named by their GUID.
function Test-PassedOver([string]$path) {
    foreach ($one in $script:ManifestDone) { if (Test-SameWord $path $one) { return $true } }
    return $path -match '\\ClientAccess\\OAB\\\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?\z'
}

# All of a folder or none: half of one would come and go.
function Add-Root($lines, [string]$root, $limits) {
    foreach ($one in $script:ManifestDone) { if (Test-Below $root $one) { return } }
    $script:ManifestDone += $root
    $walk = @{ Files = [System.Collections.ArrayList]@(); Unread = @(); Problem = $null; Bytes = [long]0 }
    Find-Entries $walk $root $limits
    if ($walk['Problem']) { Add-UnreadLine $lines ($root.TrimEnd('\') + '\') $walk['Problem']; return }
    foreach ($one in $walk['Unread']) { Add-UnreadLine $lines $one['Name'] $one['Reason'] }
    $hash = New-Sha256
    foreach ($path in $walk['Files']) { Add-FileEntry $lines $path $hash }
}

function Find-Entries($walk, [string]$root, $limits) {
    $waiting = [System.Collections.ArrayList]@()
    $null = $waiting.Add(@{ Path = $root; Level = 0 })
    for ($folders = 1; $folders -le $waiting.Count; $folders++) {
        $folder = $waiting[$folders - 1]
        try { $infos = (New-Object System.IO.DirectoryInfo((Get-RealPath $folder['Path']))).GetFileSystemInfos() }
        catch {
            if ((Test-Missing $_) -and (Test-Drive $root)) { continue }
            $walk['Unread'] += @{ Name = $folder['Path'].TrimEnd('\') + '\'; Reason = (Get-Reason $_) }
            continue
        }
        foreach ($info in $infos) {
            $path = Join-Windows $folder['Path'] $info.Name
            $isFolder = $info -is [System.IO.DirectoryInfo]
            if (([int]$info.Attributes -band 0x400) -ne 0) { Add-Link $walk $path $isFolder }
            elseif ($isFolder) { if (-not (Test-PassedOver $path)) { $null = $waiting.Add(@{ Path = $path; Level = $folder['Level'] + 1 }) } }
            elseif (-not $script:CollectedFiles.ContainsKey($path.ToLowerInvariant())) { $null = $walk['Files'].Add($path); $walk['Bytes'] += $info.Length }
        }
        $walk['Problem'] = Get-WalkProblem $walk $folders ($folder['Level']) $limits
        if ($walk['Problem']) { return }
    }
}

function Get-WalkProblem($walk, [int]$folders, [int]$level, $limits) {
    if ($folders -gt $limits['Folders']) { return 'it has more than ' + $limits['Folders'] + ' folders' }
    if ($walk['Files'].Count -gt $limits['Files']) { return 'it has more than ' + $limits['Files'] + ' files' }
    if ($walk['Bytes'] -gt $limits['Bytes']) { return 'its files have more than ' + ($limits['Bytes'] / 1GB) + ' GiB' }
    if ($level -gt $limits['Levels']) { return 'it has more than ' + $limits['Levels'] + ' levels of folders' }
}

# Where a link leads may be anywhere, so it is not followed; that it is there is said.
function Add-Link($walk, [string]$path, [bool]$isFolder) {
    $name = $path
    if ($isFolder) { $name = $path + '\' }
    $walk['Unread'] += @{ Name = $name; Reason = 'a link, which is not followed' }
}

function Add-FileEntry($lines, [string]$path, $hash) {
    try {
        $stream = Open-Shared (Get-RealPath $path)
        try {
            $size = $stream.Length
            $sha = Get-Hex $hash.ComputeHash($stream)
        }
        finally { $stream.Close() }
        $version = 'null'
        if ($path -match '\.(dll|exe|sys|ocx|com|cpl|tlb)\z') { $version = Get-VersionJson $path }
    }
    catch {
        # Between the listing and now: what went is not there.
        if (-not (Test-Missing $_)) { Add-UnreadLine $lines $path (Get-Reason $_) }
        return
    }
    Add-LineText $lines $path ('"settings":{"Content":{"sha256":"' + $sha + '","size":' + $size + ',"version":' + $version + '}}')
}

function Get-VersionJson([string]$path) {
    $version = Get-FileVersion $path
    if ($version) { return ConvertTo-JsonQuoted $version }
    return 'null'
}
