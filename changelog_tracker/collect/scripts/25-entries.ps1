# What the bundle is made of: entries by path, in a folder or in the frame.

# Content that a list run leaves out: the client asks for what it does not know by its hash.
function Test-ByHash([string]$path) {
    return $path.StartsWith('files/', [StringComparison]::Ordinal) -or (Test-SameText $path 'windows/FileEntry.jsonl')
}

function Test-Wanted([string]$path) {
    if ($script:Mode -ne 'fetch') { return $true }
    return $script:Wanted.ContainsKey($path.ToLowerInvariant())
}

function Test-Sent([string]$path) {
    if ($script:Mode -eq 'list') { return -not (Test-ByHash $path) }
    if ($script:Mode -eq 'fetch') { return -not $path.Contains('/') -or (Test-Wanted $path) }
    return $true
}

function Add-Entry([string]$path, [byte[]]$bytes) {
    $sha = Get-Sha256 $bytes
    if (-not (Test-Sent $path)) { return $sha }
    if ($script:Framed) {
        Write-FrameHead $path $bytes.Length $sha
        if ($bytes.Length -gt 0) { Write-FrameData $bytes $bytes.Length }
    }
    else {
        $stream = New-BundleFile $path
        try { $stream.Write($bytes, 0, $bytes.Length) } finally { $stream.Close() }
    }
    return $sha
}

# Of a file on disk, by its real path: read twice, once for the hash that stands before it.
function Add-LargeEntry([string]$path, [string]$file) {
    $source = Open-Shared $file
    try {
        $size = $source.Length
        $sha = Get-Hex (New-Sha256).ComputeHash($source)
        if (-not (Test-Sent $path)) { return $sha }
        $null = $source.Seek(0, [System.IO.SeekOrigin]::Begin)
        if ($script:Framed) { Write-FrameHead $path $size $sha } else { $target = New-BundleFile $path }
        try { Copy-Pieces $source $target $size } finally { if ($target) { $target.Close() } }
        return $sha
    }
    finally { $source.Close() }
}

function Copy-Pieces($source, $target, [long]$size) {
    $piece = [Array]::CreateInstance([byte], 65536)
    while ($size -gt 0) {
        $read = $source.Read($piece, 0, [int][Math]::Min($size, $piece.Length))
        if ($read -le 0) { $script:FrameBroken = $script:Framed; throw 'it changed while it was read' }
        if ($target) { $target.Write($piece, 0, $read) } else { Write-FrameData $piece $read }
        $size -= $read
    }
}

# Below the bundle's folder; Windows PowerShell before .NET 4.6.2 takes no path of 260 characters or more.
function New-BundleFile([string]$path) {
    $full = [System.IO.Path]::Combine($script:BundleFolder, $path.Replace('/', [string][System.IO.Path]::DirectorySeparatorChar))
    try {
        $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($full))
        return New-Object System.IO.FileStream($full, [System.IO.FileMode]::CreateNew)
    }
    catch {
        if ($full.Length -lt 248) { throw }
        throw ('its path in the bundle is too long for Windows; choose a short folder, as -Out C:\b (' + (Get-Reason $_) + ')')
    }
}

function Open-Bundle {
    if ($script:Framed) { Open-Frame; return }
    $script:BundleFolder = Get-BundleFolder
    if ([System.IO.File]::Exists($script:BundleFolder)) { throw ($script:BundleFolder + ' is a file, and the bundle is a folder') }
    if ([System.IO.Directory]::Exists($script:BundleFolder)) { throw ($script:BundleFolder + ' is there already') }
    $null = [System.IO.Directory]::CreateDirectory($script:BundleFolder)
}

# A folder that is there gets a new one in it, so that a scheduled task can name the same each time.
function Get-BundleFolder {
    $name = 'changelog-' + ($script:Server -replace '[^A-Za-z0-9.-]', '_') + '-' + $script:Began.ToString("yyyyMMdd'T'HHmmss'Z'", [Globalization.CultureInfo]::InvariantCulture)
    if ($script:OutGiven -eq '') { return Get-RealPath $name }
    $given = Get-RealPath $script:OutGiven
    if ([System.IO.Directory]::Exists($given)) { return [System.IO.Path]::Combine($given, $name) }
    return $given.TrimEnd('\', '/')
}

# The zip beside the folder; gives its path, or throws where this Windows has no ZipFile (before .NET 4.5).
function Write-Zip {
    $null = [System.Reflection.Assembly]::LoadWithPartialName('System.IO.Compression.FileSystem')
    $type = 'System.IO.Compression.ZipFile' -as [type]
    if (-not $type) { throw 'this Windows has no ZipFile (.NET 4.5)' }
    $zip = $script:BundleFolder + '.zip'
    if ([System.IO.File]::Exists($zip)) { throw ($zip + ' is there already') }
    $type::CreateFromDirectory($script:BundleFolder, $zip)
    return $zip
}
