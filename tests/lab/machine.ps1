# The Windows of the lab: registry, services, processes, modules, sessions. Names and parameters are
# Windows' own; what is not the lab's goes on to the engine's cmdlet of the same name.

$global:LabWindows = 'HKLM:', 'Registry::HKEY_LOCAL_MACHINE', 'HKEY_LOCAL_MACHINE:'

function global:Get-LabKey([string] $path) {
    foreach ($root in $LabWindows) {
        if ($path -like "$root*") { return $path.Substring($root.Length).Trim('\', '/').Replace('/', '\') }
    }
    $back = 'Microsoft.PowerShell.Core\Registry::HKEY_LOCAL_MACHINE\'
    if ($path -like "$($back.Replace('\', '[\]'))*") { return $path.Substring($back.Length).Trim('\') }
    return $null
}

function global:Find-LabKey([string] $key) {
    foreach ($one in @($LabState.registry.Keys)) { if ($one -eq $key) { return $one } }
    foreach ($one in @($LabState.registry.Keys)) { if ($one -like "$([WildcardPattern]::Escape($key))\*") { return $one.Substring(0, $key.Length) } }
}

function global:Stop-LabKey([string] $path, $cmdlet) {
    $exception = New-Object System.Management.Automation.ItemNotFoundException("Cannot find path '$path' because it does not exist.")
    $cmdlet.WriteError((New-Object System.Management.Automation.ErrorRecord($exception, 'PathNotFound', 'ObjectNotFound', $path)))
}

function global:New-LabItem([string] $key) {
    $full = "HKEY_LOCAL_MACHINE\$key"
    $values = $LabState.registry[$key]
    $item = New-Object psobject -Property ([ordered]@{
        Name = $full; PSChildName = ($key -split '\\')[-1]; PSPath = "Microsoft.PowerShell.Core\Registry::$full"
        Property = @(if ($values) { $values.Keys }); ValueCount = @(if ($values) { $values.Keys }).Count
    })
    $item | Add-Member ScriptMethod GetValue { param($name, $default) $found = $LabState.registry[$this.Name.Substring(19)].$name; if ($null -eq $found) { $default } else { $found } }
    $item | Add-Member ScriptMethod GetValueNames { @($this.Property) }
    return $item
}

function global:Test-Path {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param([Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Path')] [string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', ValueFromPipelineByPropertyName = $true)] [Alias('PSPath')] [string[]] $LiteralPath,
        [string] $PathType)
    process {
        $key = Get-LabKey "$($Path)$($LiteralPath)"
        if ($null -ne $key) { return [bool] (Find-LabKey $key) }
        Microsoft.PowerShell.Management\Test-Path @PSBoundParameters
    }
}

function global:Get-ItemProperty {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param([Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Path')] [string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', ValueFromPipelineByPropertyName = $true)] [Alias('PSPath')] [string[]] $LiteralPath,
        [Parameter(Position = 1)] [string[]] $Name)
    process {
        $asked = "$($Path)$($LiteralPath)"
        $key = Get-LabKey $asked
        if ($null -eq $key) { return Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters }
        $found = Find-LabKey $key
        if (-not $found) { Stop-LabKey $asked $PSCmdlet; return }
        $values = $LabState.registry[$found]
        $shown = [ordered]@{}
        foreach ($one in @(if ($values) { $values.Keys })) { if (-not $Name -or @($Name | Where-Object { $one -like $_ }).Count) { $shown[$one] = $values[$one] } }
        if ($Name -and -not $shown.Count) {
            $exception = New-Object System.Management.Automation.PSArgumentException("Property $($Name[0]) does not exist at path $asked.")
            $PSCmdlet.WriteError((New-Object System.Management.Automation.ErrorRecord($exception, 'PropertyNotFound', 'InvalidArgument', $asked)))
            return
        }
        $shown.PSPath = "Microsoft.PowerShell.Core\Registry::HKEY_LOCAL_MACHINE\$found"
        $shown.PSChildName = ($found -split '\\')[-1]
        New-Object psobject -Property $shown
    }
}

function global:Get-Item {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param([Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Path')] [string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', ValueFromPipelineByPropertyName = $true)] [Alias('PSPath')] [string[]] $LiteralPath,
        [switch] $Force)
    process {
        $asked = "$($Path)$($LiteralPath)"
        $key = Get-LabKey $asked
        if ($null -eq $key) { return Microsoft.PowerShell.Management\Get-Item @PSBoundParameters }
        $found = Find-LabKey $key
        if ($found) { New-LabItem $found } else { Stop-LabKey $asked $PSCmdlet }
    }
}

function global:Get-ChildItem {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param([Parameter(Position = 0, ValueFromPipeline = $true, ParameterSetName = 'Path')] [string[]] $Path,
        [Parameter(ParameterSetName = 'LiteralPath', ValueFromPipelineByPropertyName = $true)] [Alias('PSPath')] [string[]] $LiteralPath,
        [Parameter(Position = 1)] [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $Recurse, [switch] $Force, [switch] $Name)
    process {
        $asked = "$($Path)$($LiteralPath)"
        $key = Get-LabKey $asked
        if ($null -eq $key) { return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters }
        $found = Find-LabKey $key
        if (-not $found) { Stop-LabKey $asked $PSCmdlet; return }
        $below = @($LabState.registry.Keys | Where-Object { $_ -like "$([WildcardPattern]::Escape($found))\*" })
        if (-not $Recurse) { $below = @($below | ForEach-Object { "$found\$(($_.Substring($found.Length + 1) -split '\\')[0])" } | Select-Object -Unique) }
        foreach ($one in $below) { New-LabItem $one }
    }
}

function global:Get-Service {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true)] [string[]] $Name = '*')
    process {
        foreach ($pattern in $Name) {
            $found = @($LabState.services.Keys | Where-Object { $_ -like $pattern })
            if (-not $found.Count -and $pattern -notmatch '\*') { Write-Error "Cannot find any service with service name '$pattern'."; continue }
            foreach ($one in $found) { New-Object psobject -Property ([ordered]@{ Name = $one; Status = $LabState.services[$one].Status; StartType = $LabState.services[$one].StartType; DisplayName = $one }) }
        }
    }
}

function global:Write-LabRestart([string] $what, [string] $name) {
    [IO.File]::AppendAllText("$env:LAB_FOLDER/restarts.txt", "$what`t$name`n")
}

function global:Set-LabService([string] $what, $names, [string] $status, $cmdlet) {
    foreach ($name in $names) {
        $service = $LabState.services[@($LabState.services.Keys | Where-Object { $_ -eq $name })[0]]
        if (-not $service) { Write-Error "Cannot find any service with service name '$name'."; continue }
        if (-not $cmdlet.ShouldProcess($name)) { continue }
        $service.Status = $status
        Write-LabRestart $what $name
        Save-LabState
    }
}

foreach ($one in @{ Restart = 'Running'; Start = 'Running'; Stop = 'Stopped' }.GetEnumerator()) {
    Invoke-Expression @"
function global:$($one.Key)-Service {
    [CmdletBinding(SupportsShouldProcess = `$true)]
    param([Parameter(Mandatory = `$true, Position = 0, ValueFromPipeline = `$true, ValueFromPipelineByPropertyName = `$true)] [string[]] `$Name, [switch] `$Force)
    process { Set-LabService '$($one.Key)-Service' `$Name '$($one.Value)' `$PSCmdlet }
}
"@
}

function global:Set-Service {
    [CmdletBinding(SupportsShouldProcess = $true)] param([Parameter(Mandatory = $true, Position = 0)] [string] $Name, [ValidateSet('Automatic', 'Manual', 'Disabled')] [string] $StartupType)
    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    $LabState.services[$Name].StartType = $StartupType
    Save-LabState
    Write-LabLog 'Set-Service' $Name $PSBoundParameters
}

function global:Get-Process {
    [CmdletBinding()] param([Parameter(Position = 0)] [string[]] $Name = '*')
    foreach ($pattern in $Name) {
        $found = @($LabState.processes | Where-Object { $_ -like $pattern })
        if (-not $found.Count -and $pattern -notmatch '\*') { Write-Error "Cannot find a process with the name `"$pattern`"."; continue }
        foreach ($one in $found) { New-Object psobject -Property @{ Name = $one; ProcessName = $one; Id = 4711 } }
    }
}

function global:Get-WmiObject {
    [CmdletBinding()] param([Parameter(Mandatory = $true, Position = 0)] [string] $Class, [string] $Namespace, [string] $Filter, [string[]] $Property, [string] $ComputerName)
    if ($Class -ne 'Win32_UserAccount') { Write-Error "Invalid class $Class"; return }
    foreach ($number in 500, 501, 1001) { New-Object psobject -Property @{ Domain = $LabState.server; LocalAccount = $true; SID = "$($LabState.sid)-$number" } }
}

function global:Get-PSSnapin {
    [CmdletBinding()] param([Parameter(Position = 0)] [string[]] $Name = '*', [switch] $Registered)
    foreach ($one in $LabState.snapins) {
        if (@($Name | Where-Object { $one -like $_ }).Count -and ($Registered -or $global:LabSnapin)) { New-Object psobject -Property @{ Name = $one } }
    }
}

function global:Add-PSSnapin {
    [CmdletBinding()] param([Parameter(Mandatory = $true, Position = 0)] [string[]] $Name)
    foreach ($one in $Name) {
        if ($one -notin $LabState.snapins) { Write-Error "No snap-ins have been registered for Windows PowerShell version 5: $one"; continue }
        $global:LabSnapin = $true
        . Connect-Lab
    }
}

function global:New-PSSession {
    [CmdletBinding()] param([string] $ConfigurationName, [uri] $ConnectionUri, [string] $Authentication, [pscredential] $Credential, $SessionOption, [switch] $AllowRedirection)
    if ($ConnectionUri.Host -notin $LabState.endpoints -or $ConfigurationName -ne 'Microsoft.Exchange') {
        $message = "[$($ConnectionUri.Host)] Connecting to remote server failed: WinRM cannot process the request."
        $PSCmdlet.WriteError((New-Object System.Management.Automation.ErrorRecord((New-Object Exception $message), 'PSSessionOpenFailed', 'OpenError', $null)))
        return
    }
    New-Object psobject -Property @{ ComputerName = $ConnectionUri.Host; ConfigurationName = $ConfigurationName; State = 'Opened'; Name = 'Lab' }
}

function global:Import-PSSession {
    [CmdletBinding()] param([Parameter(Mandatory = $true, Position = 0)] $Session, [string[]] $CommandName, [switch] $AllowClobber, [switch] $DisableNameChecking)
    . Connect-Lab
    New-Object psobject -Property @{ Name = 'tmp_lab'; ModuleType = 'Script' }
}

function global:Remove-PSSession { [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline = $true)] $Session) }
function global:Get-Acl { [CmdletBinding()] param([Parameter(Position = 0)] [string[]] $Path, [string[]] $LiteralPath) }
function global:Set-Acl { [CmdletBinding()] param([Parameter(Position = 0)] [string[]] $Path, $AclObject, [string[]] $LiteralPath) }

# What makes the Exchange cmdlets appear: an imported session, a connection, a snap-in.
function global:Connect-Lab {
    . "$env:LAB_SOURCE/exchange_iis.ps1"
    . "$env:LAB_SOURCE/exchange.ps1"
    . "$env:LAB_SOURCE/exchange_rules.ps1"
    . "$env:LAB_SOURCE/exchange_do.ps1"
    . "$env:LAB_SOURCE/exchange_audit.ps1"
    . "$env:LAB_FOLDER/functions.ps1"
}
