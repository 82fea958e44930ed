# The frame on standard output: gzip in base64 between two marks, written as it grows; nothing is kept but some 64 KB.

function Open-Frame {
    $script:FrameMemory = New-Object System.IO.MemoryStream
    $script:FrameGzip = New-Object System.IO.Compression.GZipStream($script:FrameMemory, [System.IO.Compression.CompressionMode]::Compress, $true)
    $script:FrameHash = New-Sha256
    $script:FrameBytes = [long]0
    $script:FrameBroken = $false
    $script:FrameRest = [Array]::CreateInstance([byte], 0)
    [Console]::Out.Flush()
    $script:FrameOut = [Console]::OpenStandardOutput()
    # Whatever stood there before may not have ended its line.
    Write-FrameText ("`n[changelog-frame " + $script:Marker + " begin]`n")
}

function Write-FrameText([string]$text) {
    $bytes = [System.Text.Encoding]::ASCII.GetBytes($text)
    $script:FrameOut.Write($bytes, 0, $bytes.Length)
}

function Write-FrameData([byte[]]$bytes, [int]$count) {
    $script:FrameGzip.Write($bytes, 0, $count)
    if ($script:FrameMemory.Length -ge 65536) { Push-Frame $false }
}

# Whole lines of base64 go out: 6,000 bytes make 8,000 characters. What is left waits for more, but at the end.
function Push-Frame([bool]$last) {
    $new = $script:FrameMemory.ToArray()
    $script:FrameMemory.SetLength(0)
    $null = $script:FrameHash.TransformBlock($new, 0, $new.Length, $null, 0)
    $script:FrameBytes += $new.Length
    $held = [Array]::CreateInstance([byte], $script:FrameRest.Length + $new.Length)
    [Array]::Copy($script:FrameRest, 0, $held, 0, $script:FrameRest.Length)
    [Array]::Copy($new, 0, $held, $script:FrameRest.Length, $new.Length)
    $at = 0
    while ($held.Length - $at -ge 6000 -or ($last -and $at -lt $held.Length)) {
        $size = [Math]::Min(6000, $held.Length - $at)
        Write-FrameText ([Convert]::ToBase64String($held, $at, $size) + "`n")
        $at += $size
    }
    $script:FrameRest = [Array]::CreateInstance([byte], $held.Length - $at)
    [Array]::Copy($held, $at, $script:FrameRest, 0, $script:FrameRest.Length)
}

# Without an end the other side takes none of it.
function Close-Frame {
    if ($script:FrameBroken) { throw 'an entry of the frame could not be written whole' }
    $script:FrameGzip.Close()
    Push-Frame $true
    $null = $script:FrameHash.TransformFinalBlock([Array]::CreateInstance([byte], 0), 0, 0)
    Write-FrameText ('[changelog-frame ' + $script:Marker + ' end ' + $script:FrameBytes + ' ' + (Get-Hex $script:FrameHash.Hash) + "]`n")
    $script:FrameOut.Flush()
}

function Write-FrameHead([string]$path, [long]$size, [string]$sha) {
    $line = '{"path":' + (ConvertTo-JsonQuoted $path) + ',"size":' + $size + ',"sha256":"' + $sha + '"}' + "`n"
    $bytes = [System.Text.Encoding]::ASCII.GetBytes($line)
    Write-FrameData $bytes $bytes.Length
}
