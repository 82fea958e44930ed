# The certificates of http.sys, as its own part of the registry holds them: netsh speaks the language of Windows.
# A key named ADDRESS:PORT, or for a host name (SNI) one with a value HostnamePort; SslCertHash and AppId are bytes. The layout is
# known from programs of Microsoft that read it, not from documentation: what has another shape is not guessed at.

function Add-SslBindings($lines) {
    foreach ($table in 'SslBindingInfo', 'SslSniBindingInfo') {
        $path = 'SYSTEM\CurrentControlSet\Services\HTTP\Parameters\' + $table
        $key = Open-Key $path
        if ($null -eq $key) { continue }
        foreach ($name in @(Get-Ordinal $key.GetSubKeyNames())) {
            $one = $key.OpenSubKey($name)
            if ($null -eq $one) { continue }
            Add-Line $lines (Get-BindingName $table $name $one) (Read-Binding $name $one)
            $one.Close()
        }
        $key.Close()
    }
}

function Get-BindingName([string]$table, [string]$name, $key) {
    if ($table -eq 'SslBindingInfo') {
        if ($name -cmatch '^(\d{1,3}(\.\d{1,3}){3}|\[[0-9A-Fa-f:.%]+\]):\d{1,5}\z') { return $name }
        throw ("a binding of http.sys is named '" + $name + "', and ADDRESS:PORT is expected")
    }
    $found = $name
    if (Test-ValueThere $key 'HostnamePort') { $found = [string](Get-Data $key 'HostnamePort') }
    if ($found -cmatch '^[^\s:{}\x00-\x1f]+:\d{1,5}\z') { return $found.ToLowerInvariant() }
    throw ("the host name of a binding of http.sys is '" + $found + "', and NAME:PORT is expected")
}

function Read-Binding([string]$binding, $key) {
    $settings = @{}
    foreach ($name in @(Get-Ordinal $key.GetValueNames())) {
        $read = Read-Value $key $name
        if (Test-SameWord $name 'HostnamePort') { continue }
        if (Test-SameWord $name 'SslCertHash') { $settings['SslCertHash'] = Get-CertHash $binding $read }
        elseif (Test-SameWord $name 'AppId') { $settings['AppId'] = Get-AppId $binding $read }
        else { $settings[$name] = $read['Data'] }
    }
    return $settings
}

# SHA-1, or whatever a later Windows takes; where a binding refuses connections there may be none.
function Get-CertHash([string]$binding, $read) {
    if ($read['Type'] -eq 'Binary' -and @(0, 40, 64) -contains $read['Data'].Length) { return $read['Data'].ToUpperInvariant() }
    throw ('SslCertHash of ' + $binding + ' is no hash (' + $read['Type'] + ' of ' + ($read['Data'].Length / 2) + ' bytes)')
}

function Get-AppId([string]$binding, $read) {
    if ($read['Type'] -ne 'Binary' -or $read['Data'].Length -ne 32) { throw ('AppId of ' + $binding + ' is no GUID (' + $read['Type'] + ')') }
    $bytes = [byte[]]@(0..15 | ForEach-Object { [Convert]::ToByte($read['Data'].Substring(2 * $_, 2), 16) })
    return '{' + (New-Object Guid(, $bytes)).ToString('D') + '}'
}
