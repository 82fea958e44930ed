# The registry by its own methods: the provider takes a slash in a name (AES 128/128, TCP/IP Port) for a folder.

# A key below HKEY_LOCAL_MACHINE, or nothing where it is not there; throws where it may not be read.
function Open-Key([string]$path) {
    $hive, $rest = $path.Split([char[]]'\', 2)
    $root = Get-Item -LiteralPath ('HKLM:\' + $hive) -ErrorAction Stop
    return $root.OpenSubKey($rest)
}

function Test-ValueThere($key, [string]$name) {
    foreach ($one in @(Get-Each $key.GetValueNames())) { if (Test-SameWord $one $name) { return $true } }
    return $false
}

# Type and Data of a value; numbers without sign, bytes as hex digits.
function Read-Value($key, [string]$name) {
    $type = "$($key.GetValueKind($name))"
    $value = $key.GetValue($name, $null, 'DoNotExpandEnvironmentNames')
    $data = $null
    switch ($type) {
        'DWord' { $data = [BitConverter]::ToUInt32([BitConverter]::GetBytes([int]$value), 0) }
        'QWord' { $data = [BitConverter]::ToUInt64([BitConverter]::GetBytes([long]$value), 0) }
        'String' { $data = [string]$value }
        'ExpandString' { $data = [string]$value }
        'MultiString' { $data = @(Get-Each $value | ForEach-Object { [string]$_ }) }
        'Binary' { $data = Get-Hex ([byte[]]$value) }
        default { throw ("the value '" + $name + "' of " + $key.Name + ' has a type that is not expected: ' + $type) }
    }
    return @{ Type = $type; Data = $data }
}

# One value as it is, or nothing where it or its key is not there.
function Get-Data($key, [string]$name) {
    if ($null -eq $key -or -not (Test-ValueThere $key $name)) { return }
    return (Read-Value $key $name)['Data']
}

# What $RegistryValues names: a key, names of values or *, and whether the keys below are meant too.
function Add-RegistryValues($lines) {
    if ($null -eq $RegistryValues) { throw 'the script does not say which values' }
    $script:ValueCount = 0
    foreach ($row in @(Get-Each $RegistryValues)) {
        if ($row['Versions'] -notcontains $script:Exchange['Version']) { continue }
        $key = Open-Key $row['Key']
        if ($null -eq $key) { continue }
        if ($row['Names'] -contains '*') { Add-AllValues $lines $key $row['Key'] $row['Tree'] 0 }
        else { foreach ($name in $row['Names']) { if (Test-ValueThere $key $name) { Add-ValueLine $lines $key $row['Key'] $name } } }
        $key.Close()
    }
}

function Add-ValueLine($lines, $key, [string]$path, [string]$name) {
    $script:ValueCount++
    if ($script:ValueCount -gt 5000) { throw 'there are more than 5,000 values' }
    $shown = $name
    if ($name -eq '') { $shown = '(Default)' }
    Add-Line $lines ('HKLM\' + $path + ' : ' + $shown) (Read-Value $key $name)
}

function Add-AllValues($lines, $key, [string]$path, [bool]$tree, [int]$level) {
    if ($level -gt 8) { throw ('more than 8 levels of keys in ' + $path) }
    foreach ($name in @(Get-Ordinal $key.GetValueNames())) { Add-ValueLine $lines $key $path $name }
    if (-not $tree) { return }
    foreach ($name in @(Get-Ordinal $key.GetSubKeyNames())) {
        $below = $key.OpenSubKey($name)
        if ($null -eq $below) { continue }
        Add-AllValues $lines $below ($path + '\' + $name) $true ($level + 1)
        $below.Close()
    }
}

# Start type and account; whether a service runs is noise. A key without Start is no service (MSExchange OWA).
function Add-Services($lines) {
    $services = 'SYSTEM\CurrentControlSet\Services'
    $key = Open-Key $services
    if ($null -eq $key) { throw ('HKLM\' + $services + ' is not there') }
    foreach ($name in @(Get-Ordinal $key.GetSubKeyNames())) {
        if ($name -notlike 'MSExchange*' -and @('W3SVC', 'WAS', 'AppHostSvc') -notcontains $name) { continue }
        $one = $key.OpenSubKey($name)
        if ($null -eq $one -or -not (Test-ValueThere $one 'Start')) { continue }
        Add-Line $lines $name @{
            StartMode = (Get-StartMode $name (Get-Data $one 'Start')); DelayedAutoStart = ((Get-Data $one 'DelayedAutostart') -eq 1); Account = (Get-Data $one 'ObjectName')
        }
        $one.Close()
    }
    $key.Close()
}

function Get-StartMode([string]$name, $start) {
    switch ($start) {
        2 { return 'Auto' }
        3 { return 'Manual' }
        4 { return 'Disabled' }
    }
    throw ('the service ' + $name + ' has a start type that is not expected: ' + $start)
}
