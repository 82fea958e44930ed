# Which files are looked for: those with a fixed place, those of Exchange, and those to which applicationHost.config leads.

$script:Candidates = [System.Collections.ArrayList]@()
$script:WholeFolders = @()
# Below Exchange everything is walked; a folder of others may be any size.
$script:ExchangeLimits = @{ Levels = 30; Folders = 20000; Files = 5000 }
$script:OtherLimits = @{ Levels = 8; Folders = 2000; Files = 300 }

# A file that is looked for by its name, and that is not there, is absent; one that a walk found has gone meanwhile.
function Add-Candidate([string]$path, [bool]$named) {
    $key = $path.ToLowerInvariant()
    if ($script:CollectedFiles.ContainsKey($key)) { return }
    $script:CollectedFiles[$key] = $true
    $kind = 'ConfigFile'
    if ($key -match '\\inetsrv\\config\\(applicationhost|redirection)\.config\z') { $kind = 'IisConfig' }
    $null = $script:Candidates.Add(@{ Path = $path; Kind = $kind; Named = $named })
}

function Add-Walk([string]$root, [string]$pattern, $limits) {
    foreach ($path in @(Find-Below $root $pattern $limits)) { Add-Candidate $path $false }
    # Of the one without levels (Bin) nobody wants to know what is below.
    $limited = $script:WalkLimited -and $limits['Levels'] -gt 0
    if ($script:WalkWhole -and -not $limited) { $null = $script:Walked.Add(@{ folder = (Get-UnreadPath $root); names = $pattern; levels = $limits['Levels'] }) }
    if ($limited) {
        Add-Unread 'ConfigFile' (Get-UnreadPath (Join-Windows $root '(more)')) ('not everything below ' + $root + ' was looked at: it has more than ' +
            $limits['Folders'] + ' folders, ' + $limits['Files'] + ' files or ' + $limits['Levels'] + ' levels')
    }
}

function Find-FixedFiles {
    $config = $env:windir + '\System32\inetsrv\config\'
    foreach ($name in 'applicationHost.config', 'redirection.config', 'administration.config') { Add-Candidate ($config + $name) $true }
    foreach ($version in 'v2.0.50727', 'v4.0.30319') {
        foreach ($name in 'machine.config', 'web.config') { Add-Candidate ($env:windir + '\Microsoft.NET\Framework64\' + $version + '\Config\' + $name) $true }
    }
}

function Find-ExchangeFiles {
    $install = $script:Exchange['InstallPath']
    foreach ($folder in 'ClientAccess', 'FrontEnd\HttpProxy', 'FrontEnd\PopImap') { Add-Walk ($install + $folder) '*.config' $script:ExchangeLimits }
    Add-Walk ($install + 'Bin') '*.exe.config' @{ Levels = 0; Folders = 1; Files = 1000 }
}

# With shared configuration the file lies where redirection.config says: File is a real path, Note says so, Problem why not.
function Find-AppHost {
    $own = Get-RealPath ($env:windir + '\System32\inetsrv\config\applicationHost.config')
    $script:AppHost = @{ File = $own; Note = ''; Problem = $null; Shared = $false }
    try { $bytes = Read-WholeFile (Get-RealPath ($env:windir + '\System32\inetsrv\config\redirection.config')) }
    catch {
        if (-not (Test-Missing $_)) { $script:AppHost['Problem'] = 'redirection.config cannot be read, so it is not known which file counts: ' + (Get-Reason $_) }
        return
    }
    try {
        foreach ($one in @(Get-AtWay (Read-XmlBytes $bytes) @('configurationRedirection'))) {
            if (-not (Test-SameWord $one.GetAttribute('enabled').Trim() 'true')) { continue }
            $folder = [Environment]::ExpandEnvironmentVariables($one.GetAttribute('path').Trim())
            $script:AppHost['Shared'] = $true
            $script:AppHost['Note'] = 'shared configuration (redirection.config): it lies in ' + $folder
            if ($folder -eq '') { throw 'redirection.config names no path' }
            $script:AppHost['File'] = $folder.TrimEnd('\', '/') + '\applicationHost.config'
            if (-not $folder.StartsWith('\\', [StringComparison]::Ordinal)) { $script:AppHost['File'] = Get-RealPath $script:AppHost['File'] }
        }
    }
    catch { $script:AppHost['Problem'] = 'redirection.config: ' + (Get-Reason $_) }
}

function Read-AppHost {
    if ($script:AppHost['Problem']) { throw $script:AppHost['Problem'] }
    try { return , (Read-WholeFile $script:AppHost['File']) }
    catch {
        if (-not $script:AppHost['Shared']) { throw }
        throw ($script:AppHost['Note'] + ', and cannot be read: ' + (Get-Reason $_))
    }
}

# The folders and files to which sites and pools lead.
function Find-IisFiles {
    Find-AppHost
    try { $document = Read-XmlBytes (Read-AppHost) }
    catch { Write-Line ('  The folders of IIS are not known: ' + (Get-Reason $_)); return }
    $folders = @(Get-AtWay $document @('system.applicationHost', 'sites', 'site', 'application', 'virtualDirectory') | ForEach-Object { $_.GetAttribute('physicalPath') })
    $files = @(Get-AtWay $document @('system.applicationHost', 'applicationPools', 'add') | ForEach-Object { $_.GetAttribute('CLRConfigFile') })
    foreach ($path in @($files | Where-Object { $_ -ne '' } | Select-Object -Unique)) {
        try { Add-Candidate (Get-FilePath $path) $true } catch { Add-Unread 'ConfigFile' (Get-UnreadPath $path) ((Get-Reason $_) + ' (CLRConfigFile)') }
    }
    foreach ($path in @($folders | Where-Object { $_ -ne '' } | Select-Object -Unique)) { Add-Folder $path }
}

function Add-Folder([string]$physicalPath) {
    try {
        $folder = Get-FilePath $physicalPath
        if (-not (Test-Drive $folder)) { throw ('there is no drive ' + $folder.Substring(0, 2)) }
        Add-Candidate (Join-Windows $folder 'web.config') $true
        if (Test-Below $folder $script:Exchange['InstallPath']) { return }
        foreach ($one in $script:WholeFolders) { if (Test-Below $folder $one) { return } }
        if ($script:CustomFolders -contains $folder) { return }
        $script:CustomFolders += $folder
        Add-Walk $folder 'web.config' $script:OtherLimits
        if ($script:WalkWhole -and -not $script:WalkLimited) { $script:WholeFolders += $folder }
    }
    catch { Add-Unread 'ConfigFile' (Get-UnreadPath (Join-Windows $physicalPath 'web.config')) ((Get-Reason $_) + ' (a physicalPath of applicationHost.config)') }
}
