# Which Exchange shell does the work, and which domain controller answers it.

function Test-Shell { return $null -ne (Get-Command -Name 'Get-ExchangeServer' -ErrorAction SilentlyContinue) }

function Test-NewRuntime {
    if ($PSVersionTable.CLRVersion) { return $PSVersionTable.CLRVersion.Major -ge 4 }
    return $PSVersionTable.PSVersion.Major -ge 3
}

# Gives the shell that was taken in words, or throws.
function Connect-Shell {
    if (Test-Shell) { return 'the session that is open' }
    if ($script:ExchangeServer) { return Connect-Endpoint }
    $remote = $Plan['InstallPath'] + 'bin\RemoteExchange.ps1'
    if ($Plan['Version'] -eq '2010' -and (Test-NewRuntime)) {
        throw ("Exchange 2010's shell needs PowerShell 2.0. Run: powershell.exe -version 2 -NoProfile -File '" +
            $script:MyInvocation.MyCommand.Path + "'")
    }
    $why = $remote + ' is not there.'
    if (Test-Path -LiteralPath $remote) {
        # It is dot-sourced where it is called; Connect-ExchangeServer imports for all.
        try {
            . $remote | Out-Null
            Connect-ExchangeServer -Auto -ClientApplication:ManagementShell | Out-Null
        }
        catch { $why = 'RemoteExchange.ps1: ' + (Get-Reason $_) }
        if (Test-Shell) { return 'RemoteExchange.ps1' }
        if ($why -notmatch '^RemoteExchange') { $why = 'RemoteExchange.ps1 ran and made no session.' }
    }
    if ($script:AllowSnapin) { return Connect-Snapin }
    throw ($why + ' Choose -ExchangeServer NAME (another server''s shell), -AllowSnapin (the local one), or -IisOnly.')
}

function Connect-Endpoint {
    if ($script:ExchangeServer -notmatch '^[A-Za-z0-9][A-Za-z0-9.-]*$') { throw '-ExchangeServer is not the name of a computer.' }
    $uri = 'http://' + $script:ExchangeServer + '/PowerShell/'
    $script:Session = New-PSSession -ConfigurationName 'Microsoft.Exchange' -ConnectionUri $uri -Authentication Kerberos -ErrorAction Stop
    $module = Import-PSSession -Session $script:Session -DisableNameChecking -AllowClobber -ErrorAction Stop
    # What a function imports is its own; the steps run outside of it.
    if ($module -is [System.Management.Automation.PSModuleInfo]) { Import-Module $module -Global -ErrorAction SilentlyContinue }
    return $uri
}

function Connect-Snapin {
    $name = 'Microsoft.Exchange.Management.PowerShell.SnapIn'
    if ($Plan['Version'] -eq '2010') { $name = 'Microsoft.Exchange.Management.PowerShell.E2010' }
    Add-PSSnapin -Name $name -ErrorAction Stop
    Write-Line 'Note: the snap-in works without role-based access control, and Microsoft does not support it.'
    return 'the snap-in ' + $name
}

# One domain controller for the whole run: another one might not know yet what was set.
function Select-DomainController {
    if ($script:Dc) { return }
    $server = @(Get-ExchangeServer -Identity $Plan['Target'] -ErrorAction Stop)[0]
    if ($server -and $server.OriginatingServer) { $script:Dc = "$($server.OriginatingServer)" }
    if (-not $script:Dc) { throw 'Get-ExchangeServer named no domain controller. Give one with -DomainController.' }
}

# True where the shell that the chosen steps need is there.
function Open-Shell {
    $needed = @($script:Todo | Where-Object { $_['Owner'] -eq 'shell' -and -not $script:LeftOut.ContainsKey($_['Id']) })
    if ($needed.Count -eq 0) { return $true }
    try {
        $shell = Connect-Shell
        if (-not (Test-Shell)) { throw ($shell + ' brought no Get-ExchangeServer. Choose -ExchangeServer NAME, -AllowSnapin or -IisOnly.') }
        Select-DomainController
    }
    catch {
        Write-Line ('refused: no Exchange shell: ' + (Get-Reason $_))
        Write-Line 'Nothing was written.'
        return $false
    }
    Write-Line ('Shell: ' + $shell + '. Domain controller: ' + $script:Dc + '.')
    return $true
}

# Why a value cannot be set by who runs this; rights hide parameters, and hidden ones look unknown.
function Get-HiddenReason($step) {
    if ($step['Owner'] -ne 'shell' -or -not $step['Cmdlet']) { return }
    $command = Get-Command -Name $step['Cmdlet'] -ErrorAction SilentlyContinue
    if (-not $command) { return 'this session has no ' + $step['Cmdlet'] + ': no role of yours brings it' }
    if ($step['Op'] -eq 'drop' -or $null -eq $command.Parameters) { return }
    $names = @($command.Parameters.get_Keys())
    $hidden = @($step['Goals'] | Where-Object { $names -notcontains $_['Name'] } | ForEach-Object { '-' + $_['Name'] })
    if ($hidden.Count -eq 0) { return }
    return $step['Cmdlet'] + ' has no ' + ($hidden -join ', ') + ' in this session: no role of yours brings it'
}
