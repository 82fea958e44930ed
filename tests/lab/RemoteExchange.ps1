# What Exchange keeps in its Bin folder: dot-source it, then Connect-ExchangeServer brings the cmdlets.
function global:Connect-ExchangeServer {
    [CmdletBinding()]
    param([switch] $Auto, [string] $ServerFqdn, [string] $ClientApplication, [string] $UserName, [string] $Forest, [switch] $Prompt, [switch] $AllowClobber)
    $fqdn = if ($ServerFqdn) { $ServerFqdn } else { $LabState.fqdn }
    if ($fqdn -notin $LabState.endpoints) {
        Write-Error "Connecting to remote server $fqdn failed: WinRM cannot process the request."
        return
    }
    Write-Host "VERBOSE: Connected to $fqdn."
    . Connect-Lab
}
