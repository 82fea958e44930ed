# Bytes: hashes, files that others hold open, and XML that is read without its DTD.

function Get-Bytes([string]$text) { return , [System.Text.Encoding]::ASCII.GetBytes($text) }

# SHA256Managed is refused where Windows is set to FIPS; this one is in .NET 3.5, which Exchange brings.
function New-Sha256 {
    $null = [System.Reflection.Assembly]::LoadWithPartialName('System.Core')
    return New-Object System.Security.Cryptography.SHA256CryptoServiceProvider
}

function Get-Hex([byte[]]$bytes) { return [BitConverter]::ToString($bytes).Replace('-', '').ToLowerInvariant() }

function Get-Sha256([byte[]]$bytes) { return Get-Hex (New-Sha256).ComputeHash($bytes) }

function Open-Shared([string]$path) {
    $sharing = [System.IO.FileShare]::ReadWrite -bor [System.IO.FileShare]::Delete
    return New-Object System.IO.FileStream($path, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $sharing, 65536)
}

function Get-FileSha256([string]$path) {
    $stream = Open-Shared $path
    try { return Get-Hex (New-Sha256).ComputeHash($stream) } finally { $stream.Close() }
}

# The bytes of a file that is not too large. One that grows or shrinks meanwhile is tried once more.
function Read-WholeFile([string]$path) {
    for ($try = 1; $try -le 2; $try++) {
        $stream = Open-Shared $path
        try {
            if ($stream.Length -gt $script:MostBytes) { throw ('it is larger than ' + ($script:MostBytes / 1MB) + ' MiB') }
            $bytes = [Array]::CreateInstance([byte], [int]$stream.Length)
            $read = 0
            while ($read -lt $bytes.Length) {
                $more = $stream.Read($bytes, $read, $bytes.Length - $read)
                if ($more -le 0) { break }
                $read += $more
            }
            if ($read -eq $bytes.Length -and $stream.ReadByte() -lt 0) { return , $bytes }
        }
        finally { $stream.Close() }
    }
    throw 'it changed while it was read'
}

function Read-XmlBytes([byte[]]$bytes) {
    $settings = New-Object System.Xml.XmlReaderSettings
    # No DTD by default in every .NET; said here for the reader.
    if ($settings.PSObject.Properties['DtdProcessing']) { $settings.DtdProcessing = 'Prohibit' } else { $settings.ProhibitDtd = $true }
    $settings.XmlResolver = $null
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    $stream = New-Object System.IO.MemoryStream(, $bytes)
    $reader = [System.Xml.XmlReader]::Create($stream, $settings)
    try { $document.Load($reader) } finally { $reader.Close() }
    # An XmlDocument that a function gives back as it is stays whole.
    return $document
}

# PowerShell shows an XML element's attributes as its properties, also one called Name: so only methods here.
function Get-ChildElements($node) {
    foreach ($child in $node.get_ChildNodes()) { if ($child -is [System.Xml.XmlElement]) { $child } }
}

function Get-Named($node, [string]$tag) {
    foreach ($child in @(Get-ChildElements $node)) { if (Test-SameText $child.get_LocalName() $tag) { $child } }
}

# The elements at the end of a way of names below the root, in every place where it stands.
function Get-AtWay($document, $tags) {
    $nodes = @($document.get_DocumentElement())
    foreach ($tag in $tags) { $nodes = @($nodes | ForEach-Object { Get-Named $_ $tag }) }
    $nodes
}
