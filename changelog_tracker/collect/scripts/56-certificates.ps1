# The certificates of this computer, without anything of their keys.

function Add-Certificates($lines) {
    foreach ($one in @(Get-ChildItem -LiteralPath 'Cert:\LocalMachine\My' -ErrorAction Stop)) {
        if ($null -eq $one) { continue }
        Add-Line $lines $one.Thumbprint.ToUpperInvariant() @{
            Subject = $one.Subject; Issuer = $one.Issuer; NotBefore = (Get-Time $one.NotBefore); NotAfter = (Get-Time $one.NotAfter)
            SerialNumber = $one.SerialNumber; DnsNames = (Get-DnsNames $one); HasPrivateKey = [bool]$one.HasPrivateKey; FriendlyName = [string]$one.FriendlyName
        }
    }
}

# Out of the bytes: Format() gives them in the language of Windows, and DnsNameList is PowerShell 3.0's.
# Nothing at all (null) where the bytes are damaged.
function Get-DnsNames($certificate) {
    $names = @()
    foreach ($extension in $certificate.Extensions) {
        if ($extension.Oid.Value -ne '2.5.29.17') { continue }
        $bytes = [byte[]]$extension.RawData
        $list = Read-DerHead $bytes 0 $bytes.Length
        if ($null -eq $list -or $list['Tag'] -ne 0x30) { return $null }
        $at = $list['Start']
        while ($at -lt $list['End']) {
            $name = Read-DerHead $bytes $at $list['End']
            if ($null -eq $name) { return $null }
            # [2] is a DNS name; addresses and others have other numbers.
            if ($name['Tag'] -eq 0x82) { $names += [System.Text.Encoding]::GetEncoding(28591).GetString($bytes, $name['Start'], $name['End'] - $name['Start']) }
            $at = $name['End']
        }
    }
    return , $names
}

# Tag, start and end of what stands at a place, or nothing where it does not fit in.
function Read-DerHead([byte[]]$bytes, [int]$at, [int]$end) {
    if ($at + 2 -gt $end) { return }
    $length = [int]$bytes[$at + 1]
    $start = $at + 2
    if ($length -gt 0x82) { return }
    if ($length -ge 0x80) {
        $digits = $length - 0x80
        if ($digits -eq 0 -or $start + $digits -gt $end) { return }
        $length = 0
        for ($i = 0; $i -lt $digits; $i++) { $length = 256 * $length + $bytes[$start + $i] }
        $start += $digits
    }
    if ($start + $length -gt $end) { return }
    return @{ Tag = [int]$bytes[$at]; Start = $start; End = $start + $length }
}
