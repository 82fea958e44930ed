# Reads the files that were found, one after the other.

# Whether an error says that a file or its folder is not there; a drive that is not there says nothing of the file.
function Test-Missing($record) {
    $problem = $record.Exception
    while ($problem -is [System.Management.Automation.MethodInvocationException] -and $problem.InnerException) { $problem = $problem.InnerException }
    return $problem -is [System.IO.FileNotFoundException] -or $problem -is [System.IO.DirectoryNotFoundException]
}

function Test-Drive([string]$path) {
    try { return [System.IO.Directory]::Exists((Get-RealPath ($path.Substring(0, 2) + '\'))) } catch { return $false }
}

function Read-Candidate($candidate) {
    if ($candidate['Path'].EndsWith('\inetsrv\config\applicationHost.config', [StringComparison]::OrdinalIgnoreCase)) { return , (Read-AppHost) }
    return , (Read-WholeFile (Get-RealPath $candidate['Path']))
}

function Get-Note($candidate) {
    if ($candidate['Path'].EndsWith('\inetsrv\config\applicationHost.config', [StringComparison]::OrdinalIgnoreCase)) { return $script:AppHost['Note'] }
    return ''
}

function Add-File($candidate) {
    $kind = $candidate['Kind']
    try { $entry = Get-EntryPath $candidate['Path'] }
    catch { Add-Unread $kind (Get-UnreadPath $candidate['Path']) (Get-Reason $_); return }
    if (-not (Test-Wanted $entry)) { return }
    Add-OneFile $candidate $entry
    $script:Wanted.Remove($entry.ToLowerInvariant())
}

function Add-OneFile($candidate, [string]$entry) {
    $kind = $candidate['Kind']
    try { $bytes = Read-Candidate $candidate }
    catch {
        if (-not (Test-Missing $_) -or -not (Test-Drive $candidate['Path'])) { Add-Unread $kind $entry (Get-Reason $_) }
        elseif ($candidate['Named']) { Add-Reading $kind $entry 'full' 'absent' '' '' }
        else { Add-Unread $kind $entry 'it went while the server was read' }
        return
    }
    try { Add-Reading $kind $entry 'full' 'read' (Get-Note $candidate) (Add-Entry $entry $bytes) }
    catch {
        # Half a file in a frame spoils all of it.
        if ($script:Framed) { throw }
        Add-Unread $kind $entry (Get-Reason $_)
    }
}

function Find-Files {
    Find-FixedFiles
    Find-ExchangeFiles
    Find-IisFiles
}

function Add-Files {
    Write-Part ('' + $script:Candidates.Count + ' configuration files')
    foreach ($candidate in $script:Candidates) { Add-File $candidate }
}
