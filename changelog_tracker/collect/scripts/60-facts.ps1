# What bundle.json says of Windows besides its build. What cannot be told is null.

function Get-WindowsFacts {
    return @{ features = (Get-Features); url_rewrite = (Get-RewriteVersion); iis_schema = (Get-SchemaFiles) }
}

# The components of IIS, by the names that their setup writes: the same in every language and from 2008 R2 on.
function Get-Features {
    $names = @()
    try {
        $key = Open-Key 'SOFTWARE\Microsoft\InetStp\Components'
        if ($null -eq $key) { return $null }
        foreach ($name in @(Get-Each $key.GetValueNames())) {
            if ("$($key.GetValueKind($name))" -eq 'DWord' -and (Get-Data $key $name) -eq 1) { $names += $name }
        }
        $key.Close()
    }
    catch { return $null }
    return , @(Get-Ordinal $names)
}

function Get-RewriteVersion {
    try {
        $version = Get-Data (Open-Key 'SOFTWARE\Microsoft\IIS Extensions\URL Rewrite') 'Version'
        if ($version) { return [string]$version }
    }
    catch { return $null }
    return $null
}

function Get-SchemaFiles {
    try {
        $folder = New-Object System.IO.DirectoryInfo((Get-RealPath ($env:windir + '\System32\inetsrv\config\schema')))
        $names = @($folder.GetFiles('*.xml') | ForEach-Object { $_.Name })
    }
    catch { return $null }
    return , @(Get-Ordinal $names)
}
