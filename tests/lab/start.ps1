# Makes this PowerShell the lab's server, then runs the file that lab.py wrote for this run.
$global:LabState = [IO.File]::ReadAllText("$env:LAB_FOLDER/state.json") | ConvertFrom-Json -AsHashtable
$PSVersionTable['PSVersion'] = [version] $LabState.powershell.version
$PSVersionTable['CLRVersion'] = [version] $LabState.powershell.clr
$PSVersionTable['PSEdition'] = 'Desktop'
[void] (New-PSDrive -Name C -PSProvider FileSystem -Root "$env:LAB_FOLDER/C" -Scope Global)
. "$env:LAB_SOURCE/machine.ps1"
. "$env:LAB_SOURCE/windows.ps1"
if ($LabState.session -eq 'there') { . Connect-Lab }
