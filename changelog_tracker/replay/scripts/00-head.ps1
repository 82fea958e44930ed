# Puts settings back on one Exchange server, each through its owner. Read runbook.md first.
# -WhatIf writes nothing. Each write is in a journal before it is done; undo.ps1 takes it back.
# Ends with 0 all right, 1 a step failed, 3 a step stopped, was blocked or declined, 2 nothing was begun.
[CmdletBinding()]
param(
    [switch]$WhatIf,
    [switch]$Confirm,
    [switch]$Yes,
    [string[]]$Step,
    [string[]]$Group,
    [switch]$IncludeUndocumented,
    [switch]$AllowWeaker,
    [switch]$AllowRemove,
    [string[]]$Force,
    [switch]$SkipRestart,
    [switch]$IisOnly,
    [switch]$AllowSnapin,
    [string]$ExchangeServer,
    [string]$DomainController,
    [string]$Journal
)
