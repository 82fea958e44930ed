# Makes a `pwsh -s` the lab's Exchange endpoint: no language, Exchange's cmdlets, and the few that an
# endpoint of Windows offers besides them.
. "$env:LAB_SOURCE/start.ps1"
. Connect-Lab
# Exchange's own type file says that the lists of an audit record are told with what is in them.
$flags = [Reflection.BindingFlags] 'NonPublic,Instance'
$context = $ExecutionContext.GetType().GetField('_context', $flags).GetValue($ExecutionContext)
$deep = [System.Management.Automation.Runspaces.TypeData]::new('Microsoft.Exchange.Management.SystemConfigurationTasks.AdminAuditLogEvent')
$deep.SerializationDepth = 2
$context.GetType().GetProperty('TypeTable', $flags).GetValue($context).AddType($deep)
$offered = @('Get-Command', 'Select-Object', 'Measure-Object', 'Get-FormatData', 'Out-Default', 'Exit-PSSession') + @($LabTypes.Keys)
foreach ($one in Get-Command -CommandType Cmdlet, Function, Alias) { if ($one.Name -notin $offered) { $one.Visibility = 'Private' } }
$ExecutionContext.SessionState.Applications.Clear()
$ExecutionContext.SessionState.Scripts.Clear()
$ExecutionContext.SessionState.LanguageMode = 'NoLanguage'
