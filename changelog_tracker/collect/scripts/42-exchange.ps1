# The Exchange kinds: each noun by its Get- cmdlet, as CLIXML.

# What the cmdlet says when it reaches Active Directory and not IIS: the number is the same in every language.
function Test-IisRefused([string]$reason) { return $reason -match '-214[67]\d{6}\b|0x800[0-9a-f]{5}\b' }

# Export-Clixml is all that PowerShell 2.0 has: there a file below the temporary folder, gone when this returns.
function ConvertTo-Clixml($objects) {
    if (@($objects).Count -eq 0) { return , (Get-Bytes '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"></Objs>') }
    if ($PSVersionTable.PSVersion.Major -ge 3) {
        # A list at the top takes one level.
        return , [System.Text.Encoding]::UTF8.GetBytes([System.Management.Automation.PSSerializer]::Serialize($objects, 5))
    }
    $file = [System.IO.Path]::Combine((Get-RealPath $env:TEMP), 'changelog-' + [Guid]::NewGuid().ToString('N') + '.clixml')
    try {
        $objects | Export-Clixml -Path $file -Depth 4 -Encoding UTF8
        return , [System.IO.File]::ReadAllBytes($file)
    }
    finally { if ([System.IO.File]::Exists($file)) { [System.IO.File]::Delete($file) } }
}

# Full where IIS answers too; else what Active Directory alone tells, with the reason.
function Read-Noun($noun) {
    try { return @{ Mode = 'full'; Objects = @(& $noun['Get']); Reason = '' } }
    catch {
        $reason = Get-Reason $_
        if ($null -eq $noun['AdOnly'] -or -not (Test-IisRefused $reason)) { throw }
    }
    return @{ Mode = 'ad-only'; Objects = @(& $noun['AdOnly']['Get']); Reason = 'IIS did not answer the full reading: ' + $reason }
}

function Get-NounProblem($noun) {
    if (-not $script:ShellOpen) { return $script:ShellReason }
    if ($null -eq (Get-Command -Name $noun['Cmdlet'] -ErrorAction SilentlyContinue)) { return 'no role of yours brings ' + $noun['Cmdlet'] }
}

function Add-Noun($noun) {
    $path = 'exchange/' + $noun['Name'] + '.clixml'
    try {
        $problem = Get-NounProblem $noun
        if ($problem) { throw $problem }
        $read = Read-Noun $noun
        $sha = Add-Entry $path (ConvertTo-Clixml $read['Objects'])
        Add-Reading $noun['Name'] $path $read['Mode'] 'read' $read['Reason'] $sha
        if ($noun['Name'] -eq 'ExchangeServer' -and $read['Objects'].Count -eq 1) { $script:AdminDisplayVersion = "$($read['Objects'][0].AdminDisplayVersion)" }
    }
    catch { Add-Unread $noun['Name'] $path (Get-Reason $_) }
}

function Add-ExchangeKinds {
    $asked = @($Nouns | Where-Object { $_['Versions'] -contains $script:Exchange['Version'] })
    Write-Part ('Exchange: ' + $asked.Count + ' kinds')
    foreach ($noun in $asked) {
        if (-not $script:Framed) { Write-Progress -Activity 'Reading this server' -Status $noun['Name'] }
        Add-Noun $noun
    }
}
