# The WebAdministration module of the lab: its cmdlets' names and parameters over the lab's own IIS.

function Send-Edit([string] $cmdlet, $step, $cmdletObject) {
    $place = if ($step.location) { "$($step.psPath)/$($step.location)" } else { $step.psPath }
    $parameters = @{ filter = $step.filter; name = $step.name; value = $step.value }
    $request = @{ do = @($step); log = $cmdlet; identity = $place; parameters = $parameters }
    $answer = & $env:LAB_PYTHON -IS "$env:LAB_SOURCE/iis_edit.py" (ConvertTo-Json $request -Compress -Depth 8) | ConvertFrom-Json
    if ($answer.warning) { Write-Warning $answer.warning }
    if ($answer.error) {
        $exception = New-Object System.Runtime.InteropServices.COMException("Filename: \\?\C:\Windows\system32\inetsrv\config\applicationHost.config`r`nError: $($answer.error)")
        $cmdletObject.WriteError((New-Object System.Management.Automation.ErrorRecord($exception, "$($exception.GetType()),Microsoft.IIs.PowerShell.Provider.$cmdlet", 'NotSpecified', $null)))
    }
}

function Set-WebConfigurationProperty {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true, Position = 0)] [string[]] $Filter, [Parameter(Mandatory = $true, Position = 1)] [string] $Name,
        [Parameter(Position = 2)] $Value, [string[]] $PSPath = 'MACHINE/WEBROOT/APPHOST', [string[]] $Location, [int] $AtIndex, [switch] $Force)
    if (-not $PSCmdlet.ShouldProcess("$Filter $Name")) { return }
    Send-Edit 'Set-WebConfigurationProperty' @{ op = 'set'; psPath = "$PSPath"; location = "$Location"; filter = "$Filter"; name = $Name; value = $Value } $PSCmdlet
}

function Add-WebConfigurationProperty {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true, Position = 0)] [string[]] $Filter, [Parameter(Mandatory = $true, Position = 1)] [string] $Name,
        [Parameter(Position = 2)] $Value, [string[]] $PSPath = 'MACHINE/WEBROOT/APPHOST', [string[]] $Location, [int] $AtIndex = -1, [string] $Type, [switch] $Force)
    if (-not $PSCmdlet.ShouldProcess("$Filter $Name")) { return }
    $step = @{ op = 'add'; psPath = "$PSPath"; location = "$Location"; filter = "$Filter"; name = $Name; value = $Value }
    if ($AtIndex -ge 0) { $step.at = $AtIndex }
    Send-Edit 'Add-WebConfigurationProperty' $step $PSCmdlet
}

function Remove-WebConfigurationProperty {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true, Position = 0)] [string[]] $Filter, [Parameter(Mandatory = $true, Position = 1)] [string] $Name,
        [hashtable] $AtElement, [string[]] $PSPath = 'MACHINE/WEBROOT/APPHOST', [string[]] $Location, [int] $AtIndex, [switch] $Force)
    if (-not $PSCmdlet.ShouldProcess("$Filter $Name")) { return }
    Send-Edit 'Remove-WebConfigurationProperty' @{ op = 'remove'; psPath = "$PSPath"; location = "$Location"; filter = "$Filter"; name = $Name; element = $AtElement } $PSCmdlet
}

function Clear-WebConfiguration {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([Parameter(Mandatory = $true, Position = 0)] [string[]] $Filter, [Parameter(Position = 1)] [string[]] $PSPath = 'MACHINE/WEBROOT/APPHOST',
        [string[]] $Location, [switch] $Force)
    if (-not $PSCmdlet.ShouldProcess("$Filter")) { return }
    Send-Edit 'Clear-WebConfiguration' @{ op = 'clear'; psPath = "$PSPath"; location = "$Location"; filter = "$Filter" } $PSCmdlet
}

function Get-WebConfigurationProperty {
    [CmdletBinding()]
    param([Parameter(Mandatory = $true, Position = 0)] [string[]] $Filter, [Parameter(Mandatory = $true, Position = 1)] [string] $Name,
        [string[]] $PSPath = 'MACHINE/WEBROOT/APPHOST', [string[]] $Location)
    $step = @{ op = 'get'; psPath = "$PSPath"; location = "$Location"; filter = "$Filter"; name = $Name }
    $answer = & $env:LAB_PYTHON -IS "$env:LAB_SOURCE/iis_edit.py" (ConvertTo-Json @{ do = @($step) } -Compress -Depth 8) | ConvertFrom-Json
    if ($answer.error) { Write-Error $answer.error; return }
    foreach ($one in $answer.found) { New-Object psobject -Property @{ Name = $Name; Value = $one } }
}

function Restart-WebAppPool {
    [CmdletBinding(SupportsShouldProcess = $true)] param([Parameter(Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true)] [string] $Name)
    process {
        $xml = New-Object System.Xml.XmlDocument
        $xml.Load("$env:LAB_FOLDER/C/Windows/System32/inetsrv/config/applicationHost.config")
        $pools = @($xml.SelectNodes('/configuration/system.applicationHost/applicationPools/add') | ForEach-Object { $_.GetAttribute('name') })
        if ($pools -notcontains $Name) { Write-Error "Application pool with name '$Name' does not exist."; return }
        if ($PSCmdlet.ShouldProcess($Name)) { [IO.File]::AppendAllText("$env:LAB_FOLDER/restarts.txt", "Restart-WebAppPool`t$Name`n") }
    }
}

Export-ModuleMember -Function '*-Web*'
