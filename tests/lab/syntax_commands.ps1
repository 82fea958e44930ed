# A part of syntax.ps1: what a script calls and with what parameters, and what its steps hold.

function Get-Name($variable) { return $variable.VariablePath.UserPath -replace '^(script|global|local):', '' }

# What a variable is given anywhere in the script: scripts are short, and no scope is followed.
function Read-Given($all) {
    $given = @{}
    foreach ($node in $all) {
        $left, $right = $null, $null
        if ($node -is [Management.Automation.Language.AssignmentStatementAst]) { $left, $right = $node.Left, $node.Right }
        elseif ($node -is [Management.Automation.Language.ParameterAst]) { $left, $right = $node.Name, $node }
        while ($left -is [Management.Automation.Language.AttributedExpressionAst]) { $left = $left.Child }
        $keyed = $null
        if ($left -is [Management.Automation.Language.IndexExpressionAst]) { $keyed, $left = $left.Index, $left.Target }
        elseif ($left -is [Management.Automation.Language.MemberExpressionAst]) { $keyed, $left = $left.Member, $left.Expression }
        if ($left -isnot [Management.Automation.Language.VariableExpressionAst]) { continue }
        $variable = Get-Name $left
        if (-not $given.ContainsKey($variable)) { $given[$variable] = @{ Whole = [Collections.ArrayList]::new(); Keyed = [Collections.ArrayList]::new() } }
        if ($keyed) { [void] $given[$variable].Keyed.Add($keyed) }
        else {
            if ($right -is [Management.Automation.Language.CommandExpressionAst]) { $right = $right.Expression }
            [void] $given[$variable].Whole.Add($right)
        }
    }
    return $given
}

function Get-Whole($variable, $given) {
    $name = Get-Name $variable
    if ($given.ContainsKey($name)) { $given[$name].Whole }
}

function Test-IsBlock($value) {
    if ($value -is [Management.Automation.Language.ScriptBlockExpressionAst]) { return $true }
    return $value -is [Management.Automation.Language.ParameterAst] -and $value.StaticType -eq [scriptblock]
}

function Read-Fixed($value) {
    if ($value -is [Management.Automation.Language.ExpandableStringExpressionAst]) { return $value.Value }
    if ($value -is [Management.Automation.Language.StringConstantExpressionAst]) { return $value.Value }
    return ''
}

function Test-IsProgram([string] $text) { return $text.Contains('\') -and $commands.ContainsKey($text) }

# A command whose name is an expression: a step's own block, a block that a variable holds, or a fixed program.
function Test-Expression($command, $first, $given) {
    if ($command.InvocationOperator -eq 'Dot') {
        $text = $first.Extent.Text
        if ($first -is [Management.Automation.Language.VariableExpressionAst]) { $text = (Get-Whole $first $given | ForEach-Object { $_.Extent.Text }) -join ' ' }
        if ($text -notmatch 'RemoteExchange\.ps1') { Add-Finding $command 'a file is dot-sourced' }
        return
    }
    $member = $null
    if ($first -is [Management.Automation.Language.InvokeMemberExpressionAst]) { $member = $null }
    elseif ($first -is [Management.Automation.Language.MemberExpressionAst]) { $member = $first.Member }
    elseif ($first -is [Management.Automation.Language.IndexExpressionAst]) { $member = $first.Index }
    if ($member -is [Management.Automation.Language.StringConstantExpressionAst] -and $member.Value -in 'Get', 'Do', 'UndoDo') { return }
    if (Test-IsBlock $first) { return }
    $values = @($first)
    if ($first -is [Management.Automation.Language.VariableExpressionAst]) { $values = @(Get-Whole $first $given) }
    $bad = @($values | Where-Object { -not (Test-IsBlock $_) -and -not (Test-IsProgram (Read-Fixed $_)) })
    if ($bad.Count -or $values.Count -eq 0) { Add-Finding $command "a command whose name is an expression: $($first.Extent.Text)" }
}

function Test-Splat($command, [string] $name, $element, $allowed, $given) {
    $held = @(Get-Whole $element $given)
    $tables = @($held | Where-Object { $_ -is [Management.Automation.Language.HashtableAst] })
    if ($tables.Count -eq 0 -or $tables.Count -ne $held.Count -or $cmdlets.ContainsKey($name)) {
        Add-Finding $command "${name}: what @$(Get-Name $element) holds cannot be seen"
        return
    }
    $keys = @($tables | ForEach-Object { $_.KeyValuePairs | ForEach-Object { $_.Item1 } }) + @($given[(Get-Name $element)].Keyed)
    foreach ($key in $keys) {
        $text = Read-Fixed $key
        if ($text -notin $allowed) { Add-Finding $command "${name} has no -$text" }
    }
}

function Test-Command($command, $functions, $given) {
    $first = $command.CommandElements[0]
    $name = $command.GetCommandName()
    if ($first -isnot [Management.Automation.Language.StringConstantExpressionAst]) { Test-Expression $command $first $given; return }
    if ($command.InvocationOperator -eq 'Dot') { Add-Finding $command 'a file is dot-sourced'; return }
    if ($functions.ContainsKey($name)) { $allowed = $functions[$name]; $more = $functions[$name] -contains '*' }
    elseif ($cmdlets.ContainsKey($name)) { $allowed = $cmdlets[$name]; $more = $true }
    elseif ($commands.ContainsKey($name)) { $allowed = $commands[$name]; $more = $true }
    else { Add-Finding $command "$name is not an allowed command"; return }
    if ($more) { $allowed = @($allowed) + $common }
    $positional = $null
    for ($i = 1; $i -lt $command.CommandElements.Count; $i++) {
        $element = $command.CommandElements[$i]
        $before = $command.CommandElements[$i - 1]
        $splatted = $element -is [Management.Automation.Language.VariableExpressionAst] -and $element.Splatted
        if ($element -is [Management.Automation.Language.CommandParameterAst]) {
            if ($element.ParameterName -notin $allowed) { Add-Finding $element "$name has no -$($element.ParameterName)" }
            if ($element.ParameterName -eq 'ErrorAction') {
                $value = if ($element.Argument) { $element.Argument } elseif ($i + 1 -lt $command.CommandElements.Count) { $command.CommandElements[$i + 1] }
                if ((Read-Fixed $value) -eq 'Ignore') { Test-Since $element '3.0' '-ErrorAction Ignore' }
            }
        } elseif ($splatted) { Test-Splat $command $name $element $allowed $given }
        elseif ($null -eq $positional -and ($i -eq 1 -or $before -isnot [Management.Automation.Language.CommandParameterAst])) { $positional = $element }
    }
    if ($name -in 'Where-Object', 'ForEach-Object' -and $positional -and -not (Test-IsBlock $positional)) {
        Test-Since $command '3.0' "$name without a script block"
    }
}

# In $Plan and the steps there is nothing but what the renderer writes: literals, and calls of Exchange's cmdlets.
$stepNodes = 'AssignmentStatementAst', 'CommandExpressionAst', 'HashtableAst', 'ArrayExpressionAst', 'ArrayLiteralAst', 'StatementBlockAst', 'StringConstantExpressionAst',
    'ConstantExpressionAst', 'VariableExpressionAst', 'ConvertExpressionAst', 'TypeConstraintAst', 'ParenExpressionAst', 'BinaryExpressionAst', 'PipelineAst',
    'ScriptBlockExpressionAst', 'ScriptBlockAst', 'NamedBlockAst', 'ParamBlockAst', 'ParameterAst', 'CommandAst', 'CommandParameterAst', 'MemberExpressionAst'
$stepVariables = 'true', 'false', 'null', 'v', 'Plan', 'Steps', 'script:Dc', 'script:WhatIfOn'

function Test-StepString($node) {
    if ($node.StringConstantType -eq 'SingleQuoted') { return }
    $parent = $node.Parent
    if ($node.StringConstantType -eq 'BareWord') {
        if ($parent -is [Management.Automation.Language.HashtableAst] -and $parent.KeyValuePairs.Item1 -contains $node) { return }
        if ($parent -is [Management.Automation.Language.MemberExpressionAst] -and $parent.Member -eq $node) { return }
        if ($parent -is [Management.Automation.Language.CommandAst]) {
            $at = $parent.CommandElements.IndexOf($node)
            if ($at -eq 0) { return }
            $before = $parent.CommandElements[$at - 1]
            if ($node.Value -eq 'Stop' -and $before -is [Management.Automation.Language.CommandParameterAst] -and $before.ParameterName -eq 'ErrorAction') { return }
        }
    }
    Add-Finding $node "in a step: a text without single quotes: $($node.Extent.Text)"
}

function Test-Step($statement) {
    foreach ($node in $statement.FindAll({ $true }, $true)) {
        $type = $node.GetType().Name
        if ($type -eq 'StringConstantExpressionAst') { Test-StepString $node }
        elseif ($type -eq 'ExpandableStringExpressionAst') { Add-Finding $node "in a step: a text without single quotes: $($node.Extent.Text)" }
        elseif ($type -notin $stepNodes) { Add-Finding $node "in a step: $($node.Extent.Text)" }
        elseif ($type -eq 'VariableExpressionAst' -and ($node.Splatted -or $node.VariablePath.UserPath -notin $stepVariables)) { Add-Finding $node "in a step: $($node.Extent.Text)" }
        elseif ($type -eq 'ConvertExpressionAst' -and $node.Type.TypeName.Name -ne 'char') { Add-Finding $node "in a step: $($node.Extent.Text)" }
        elseif ($type -eq 'BinaryExpressionAst' -and $node.Operator -ne 'Plus') { Add-Finding $node "in a step: $($node.Extent.Text)" }
        elseif ($type -eq 'CommandAst' -and -not $cmdlets.ContainsKey([string] $node.GetCommandName())) {
            Add-Finding $node "in a step: $($node.CommandElements[0].Extent.Text) is no cmdlet of Exchange"
        }
    }
}
