# JSON, ASCII only; PowerShell 2.0 has none.

function ConvertTo-JsonQuoted([string]$text) {
    if ($text -cmatch '^[ !#-\[\]-~]*\z') { return '"' + $text + '"' }
    # Half of a pair is no character, and would spoil the whole file.
    $whole = [regex]::Replace($text, '[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]', [string][char]0xfffd)
    return '"' + [regex]::Replace($whole, '[^ !#-\[\]-~]', [System.Text.RegularExpressions.MatchEvaluator]{
            param($match)
            '\u{0:x4}' -f [int][char]$match.Value
        }) + '"'
}

function ConvertTo-JsonText($value) {
    $builder = New-Object System.Text.StringBuilder
    Add-JsonValue $builder $value
    return $builder.ToString()
}

function Add-JsonValue($builder, $value) {
    if ($null -eq $value) { $text = 'null' }
    elseif ($value -is [bool]) { $text = "$value".ToLowerInvariant() }
    elseif ($value -is [string]) { $text = ConvertTo-JsonQuoted $value }
    elseif ($value -is [DateTime]) { $text = ConvertTo-JsonQuoted (Get-Time $value) }
    elseif ($value -is [System.Collections.IDictionary]) { Add-JsonTable $builder $value; return }
    elseif (Test-IsMany $value) { Add-JsonList $builder $value; return }
    elseif (Test-IsWhole $value) { $text = $value.ToString([Globalization.CultureInfo]::InvariantCulture) }
    else { $text = ConvertTo-JsonQuoted "$value" }
    $null = $builder.Append($text)
}

function Test-IsWhole($value) {
    return $value -is [int] -or $value -is [long] -or $value -is [uint32] -or $value -is [uint64] -or
        $value -is [int16] -or $value -is [uint16] -or $value -is [byte] -or $value -is [sbyte]
}

function Add-JsonTable($builder, $table) {
    $between = '{'
    foreach ($name in @(Get-Ordinal $table.get_Keys())) {
        $null = $builder.Append($between).Append((ConvertTo-JsonQuoted $name)).Append(':')
        Add-JsonValue $builder $table[$name]
        $between = ','
    }
    if ($between -eq '{') { $null = $builder.Append('{') }
    $null = $builder.Append('}')
}

function Add-JsonList($builder, $list) {
    $between = '['
    foreach ($value in $list) {
        $null = $builder.Append($between)
        Add-JsonValue $builder $value
        $between = ','
    }
    if ($between -eq '[') { $null = $builder.Append('[') }
    $null = $builder.Append(']')
}
