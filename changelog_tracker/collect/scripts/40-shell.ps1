# Which Exchange shell answers.

function Test-Shell { return $null -ne (Get-Command -Name 'Get-ExchangeServer' -ErrorAction SilentlyContinue) }

function Test-NewRuntime {
    if ($PSVersionTable.CLRVersion) { return $PSVersionTable.CLRVersion.Major -ge 4 }
    return $PSVersionTable.PSVersion.Major -ge 3
}

# Gives the shell that was taken in words, or throws.
function Connect-Shell {
    if (Test-Shell) { return 'the session that is open' }
    if ($script:OtherServer) { return Connect-Endpoint }
    $remote = $script:Exchange['InstallPath'] + 'bin\RemoteExchange.ps1'
    $why = $remote + ' is not there'
    if ($script:Exchange['Version'] -eq '2010' -and (Test-NewRuntime)) { $why = 'the shell of Exchange 2010 needs PowerShell 2.0: powershell.exe -version 2' }
    elseif (Test-Path -LiteralPath $remote) {
        # It is dot-sourced where it is called; Connect-ExchangeServer imports for all.
        try {
            . $remote | Out-Null
            Connect-ExchangeServer -Auto -ClientApplication:ManagementShell | Out-Null
            $why = 'RemoteExchange.ps1 ran and made no session'
        }
        catch { $why = 'RemoteExchange.ps1: ' + (Get-Reason $_) }
        if (Test-Shell) { return 'RemoteExchange.ps1' }
    }
    if ($script:SnapinAllowed) { return Connect-Snapin }
    throw ($why + '; -ExchangeServer NAME takes another server''s shell, -AllowSnapin the local snap-in')
}

function Connect-Endpoint {
    $uri = 'http://' + $script:OtherServer + '/PowerShell/'
    $script:Session = New-PSSession -ConfigurationName 'Microsoft.Exchange' -ConnectionUri $uri -Authentication Kerberos -ErrorAction Stop
    $module = Import-PSSession -Session $script:Session -DisableNameChecking -AllowClobber -ErrorAction Stop
    # What a function imports is its own; the cmdlets are called outside of it.
    if ($module -is [System.Management.Automation.PSModuleInfo]) { Import-Module $module -Global -ErrorAction SilentlyContinue }
    return $uri
}

function Connect-Snapin {
    $name = 'Microsoft.Exchange.Management.PowerShell.SnapIn'
    if ($script:Exchange['Version'] -eq '2010') { $name = 'Microsoft.Exchange.Management.PowerShell.E2010' }
    Add-PSSnapin -Name $name -ErrorAction Stop
    return 'the snap-in ' + $name + ' (without role-based access control; not supported by Microsoft)'
}

# Before a frame begins: what the shell prints when it opens may not stand inside it.
function Open-Shell {
    try {
        $how = @(Connect-Shell)[-1]
        if (-not (Test-Shell)) { throw ($how + ' brought no Get-ExchangeServer') }
        $script:ShellHow = $how
        $script:ShellOpen = $true
    }
    catch { $script:ShellReason = 'no Exchange shell: ' + (Get-Reason $_) }
}

function Close-Shell {
    if ($script:Session) { Remove-PSSession -Session $script:Session -ErrorAction SilentlyContinue }
}
