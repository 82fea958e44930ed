# When two values are the same. Texts are compared by code: -eq takes some invisible characters for nothing.

function Test-IsMany($value) {
    if ($null -eq $value -or $value -is [string]) { return $false }
    if ($value -is [System.Collections.IDictionary]) { return $false }
    return $value -is [System.Collections.IEnumerable]
}

function Test-SameText([string]$one, [string]$other) {
    return [string]::Equals($one, $other, [StringComparison]::Ordinal)
}

function Test-SameWord([string]$one, [string]$other) {
    return [string]::Equals($one, $other, [StringComparison]::OrdinalIgnoreCase)
}

# Two lists of texts without order, case or repetition.
function Test-SameSet($one, $other) {
    $left = New-Object System.Collections.Hashtable
    $right = New-Object System.Collections.Hashtable
    foreach ($text in @(Get-Each $one)) { $left["$text".ToLowerInvariant()] = 1 }
    foreach ($text in @(Get-Each $other)) { $right["$text".ToLowerInvariant()] = 1 }
    if ($left.Count -ne $right.Count) { return $false }
    foreach ($text in @($left.get_Keys())) { if (-not $right.ContainsKey($text)) { return $false } }
    return $true
}

function Test-SameList($one, $other) {
    $left = @(Get-Each $one)
    $right = @(Get-Each $other)
    if ($left.Count -ne $right.Count) { return $false }
    for ($i = 0; $i -lt $left.Count; $i++) {
        if (-not (Test-SameText "$($left[$i])" "$($right[$i])")) { return $false }
    }
    return $true
}

# Flags as .NET and IIS write them, 'Ssl, Ssl128'; None is no flag.
function Split-Flags([string]$text) {
    foreach ($part in $text.Split(',')) {
        $flag = $part.Trim()
        if ($flag -ne '' -and -not (Test-SameWord $flag 'None')) { $flag }
    }
}

# '10 MB (10,485,760 bytes)' in bytes; what groups the digits is the culture's.
function Read-Size([string]$text) {
    $text = $text.Trim()
    $inside = [regex]::Match($text, '\((\d[\d.,''\u2019\s]*)\s?\w+\)')
    if ($inside.Success) { return [long]($inside.Groups[1].Value -replace '\D', '') }
    $short = [regex]::Match($text, '^(\d{1,15})\s*(B|KB|MB|GB|TB)?$', 'IgnoreCase')
    if (-not $short.Success) { return $text }
    $power = 0
    if ($short.Groups[2].Success) { $power = @('B', 'KB', 'MB', 'GB', 'TB').IndexOf($short.Groups[2].Value.ToUpperInvariant()) }
    return [long]$short.Groups[1].Value * [long][Math]::Pow(1024, $power)
}

function Read-Duration([string]$text) {
    $span = [TimeSpan]::Zero
    if ([TimeSpan]::TryParse($text.Trim(), [ref]$span)) { return $span.ToString() }
    return $text
}

function Read-Whole([string]$text) {
    if ($text.Trim() -match '^-?\d{1,18}$') { return [long]$text.Trim() }
    return $text
}

# What Exchange shows of a set: a collection, or flags in one text.
function Read-Many($value, [bool]$split) {
    if ($null -eq $value) { return }
    if (Test-IsMany $value) { foreach ($one in $value) { if ($null -ne $one) { "$one" } } }
    elseif ($split) { Split-Flags "$value" }
    elseif ("$value" -ne '') { "$value" }
}

# A value without its type: nothing, a truth, a whole number, a text, or a list of texts.
# What comes through a remote session is a text or a bag of properties, whatever it was.
function ConvertTo-Plain([string]$kind, $value) {
    if ($kind -eq 'set') { return , @(Read-Many $value $true) }
    if ($kind -eq 'list' -or (Test-IsMany $value)) { return , @(Read-Many $value $false) }
    if ($null -eq $value) { return $null }
    if ($value -is [Uri]) { $text = $value.OriginalString } else { $text = "$value" }
    if ($kind -eq 'text' -or $kind -eq 'object') { return $text }
    if ($text.Trim() -eq '') { return $null }
    switch ($kind) {
        'bool' {
            if (Test-SameWord $text.Trim() 'True') { return $true }
            if (Test-SameWord $text.Trim() 'False') { return $false }
        }
        'whole' { return Read-Whole $text }
        'size' { return Read-Size $text }
        'duration' { return Read-Duration $text }
        'uri' { return $text.Trim() }
        'enum' { return $text.Trim() }
    }
    return $text
}

# Whether an Exchange property holds a value; nothing and an empty text are the same.
function Test-ShellSame([string]$kind, $found, $wanted) {
    $left = ConvertTo-Plain $kind $found
    $right = ConvertTo-Plain $kind $wanted
    if ($kind -eq 'set') { return Test-SameSet $left $right }
    if ((Test-IsMany $left) -or (Test-IsMany $right)) { return Test-SameList $left $right }
    if ($left -is [bool] -or $right -is [bool]) {
        return $left -is [bool] -and $right -is [bool] -and $left -eq $right
    }
    $words = @('enum', 'size', 'whole', 'duration')
    if ($words -contains $kind) { return Test-SameWord "$left" "$right" }
    return Test-SameText "$left" "$right"
}

# Whether an attribute of a configuration file holds a value. Nothing there inherits: that is no value.
function Test-FileSame([string]$kind, $found, $wanted) {
    if ($null -eq $found -or $null -eq $wanted) { return $null -eq $found -and $null -eq $wanted }
    $left = [string]$found
    $right = [string]$wanted
    switch ($kind) {
        'flags' { return Test-SameSet @(Split-Flags $left) @(Split-Flags $right) }
        'bool' { return Test-SameWord $left.Trim() $right.Trim() }
        'enum' { return Test-SameWord $left.Trim() $right.Trim() }
        'int' { return Test-SameText "$(Read-Whole $left)" "$(Read-Whole $right)" }
        'timeSpan' { return Test-SameText (Read-Duration $left) (Read-Duration $right) }
    }
    return Test-SameText $left $right
}

function Test-Same($step, $goal, $found, $wanted) {
    if ($step['Owner'] -eq 'shell') { return Test-ShellSame $goal['Kind'] $found $wanted }
    return Test-FileSame $goal['Kind'] $found $wanted
}

# The same, or what Exchange makes of it: it writes an address in its own way.
function Test-Near($step, $goal, $found, $wanted) {
    if (Test-Same $step $goal $found $wanted) { return $true }
    if ($step['Owner'] -ne 'shell' -or $goal['Kind'] -ne 'uri') { return $false }
    $left = $null
    $right = $null
    if (-not [Uri]::TryCreate("$(ConvertTo-Plain 'uri' $found)", [UriKind]::Absolute, [ref]$left)) { return $false }
    if (-not [Uri]::TryCreate("$(ConvertTo-Plain 'uri' $wanted)", [UriKind]::Absolute, [ref]$right)) { return $false }
    return Test-SameText $left.AbsoluteUri $right.AbsoluteUri
}
