# The kinds of Windows: each a file of lines, one JSON object a line, sorted by the lower-case name.

function New-Lines { return @{ Names = [System.Collections.ArrayList]@(); Texts = [System.Collections.ArrayList]@() } }

function Add-Line($lines, [string]$name, $settings) { Add-LineText $lines $name ('"settings":' + (ConvertTo-JsonText $settings)) }

# Something that is there and could not be read; a name that ends with a backslash is a folder with all that is below it.
function Add-UnreadLine($lines, [string]$name, [string]$reason) { Add-LineText $lines $name ('"unread":' + (ConvertTo-JsonQuoted $reason)) }

function Add-LineText($lines, [string]$name, [string]$rest) {
    # The second half of the key keeps two names that differ in case alone in one order.
    $null = $lines['Names'].Add($name.ToLowerInvariant() + [char]0 + $name)
    $null = $lines['Texts'].Add('{"name":' + (ConvertTo-JsonName $name) + ',' + $rest + '}')
}

# Nearly every name has backslashes, and there are many thousands.
function ConvertTo-JsonName([string]$name) {
    if ($name -cmatch '^[ !#-~]*\z') { return '"' + $name.Replace('\', '\\') + '"' }
    return ConvertTo-JsonQuoted $name
}

function Get-LineBytes($lines) {
    $names = $lines['Names'].ToArray()
    $texts = $lines['Texts'].ToArray()
    [Array]::Sort($names, $texts, [System.StringComparer]::Ordinal)
    $builder = New-Object System.Text.StringBuilder
    foreach ($text in $texts) { $null = $builder.Append($text).Append([char]10) }
    return , (Get-Bytes $builder.ToString())
}

function Add-KindLines($lines, [string]$kind) {
    switch ($kind) {
        'SslBinding' { Add-SslBindings $lines }
        'RegistryValue' { Add-RegistryValues $lines }
        'Service' { Add-Services $lines }
        'Certificate' { Add-Certificates $lines }
        'FileEntry' { Add-FileEntries $lines }
    }
}

function Add-Kind([string]$kind) {
    $path = 'windows/' + $kind + '.jsonl'
    if (-not (Test-Wanted $path)) { return }
    Write-Part $kind
    $lines = New-Lines
    try {
        $null = Add-KindLines $lines $kind
        $bytes = Get-LineBytes $lines
    }
    catch {
        Add-Unread $kind $path (Get-Reason $_)
        $script:Wanted.Remove($path.ToLowerInvariant())
        return
    }
    $sha = Add-Entry $path $bytes
    $script:Wanted.Remove($path.ToLowerInvariant())
    Add-Reading $kind $path 'full' 'read' '' $sha
}

function Add-WindowsKinds {
    foreach ($kind in 'Certificate', 'RegistryValue', 'Service', 'SslBinding') { Add-Kind $kind }
    if (-not $script:WithoutManifest) { Add-Kind 'FileEntry' }
}
