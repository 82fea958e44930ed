# Reads commands back with PowerShell's own parser and says what constants they hold; runs none of them.
#
# Both files are UTF-16 code units without a byte order mark, so that lone surrogates pass: texts, each as
# LENGTH:TEXT. Of each command come the count of its elements (-1 where it is not exactly one command of
# constants) and the elements: b bare word, e expandable string, p parameter, s string, n number, v variable,
# a start of a list, h of a table, k of a script block, z the end of each, m the member of what stands before it.
# A value that is given to a variable is read as a command too: = and the variable, then the value.
param([string] $CommandFile, [string] $ConstantFile)
$ErrorActionPreference = 'Stop'

$bytes = [IO.File]::ReadAllBytes($CommandFile)
$units = [char[]]::new($bytes.Length / 2)
[Buffer]::BlockCopy($bytes, 0, $units, 0, $bytes.Length)
$all = [string]::new($units)
$found = [Collections.Generic.List[string]]::new()
$parts = [Collections.Generic.Stack[object]]::new()
$sum = [Text.StringBuilder]::new()
$string = [Management.Automation.Language.StringConstantExpressionAst]
$constant = [Management.Automation.Language.ConstantExpressionAst]
$convert = [Management.Automation.Language.ConvertExpressionAst]
$binary = [Management.Automation.Language.BinaryExpressionAst]
$paren = [Management.Automation.Language.ParenExpressionAst]
$named = [Management.Automation.Language.CommandParameterAst]
$list = [Management.Automation.Language.ArrayLiteralAst]
$table = [Management.Automation.Language.HashtableAst]
$variable = [Management.Automation.Language.VariableExpressionAst]
$expandable = [Management.Automation.Language.ExpandableStringExpressionAst]
$given = [Management.Automation.Language.AssignmentStatementAst]
$array = [Management.Automation.Language.ArrayExpressionAst]
$block = [Management.Automation.Language.ScriptBlockExpressionAst]
$member = [Management.Automation.Language.MemberExpressionAst]

# A parenthesis around a sum of strings and characters, from left to right. Few calls, as they are dear.
function Read-Sum($node) {
    [void] $sum.Clear()
    while ($true) {
        while ($true) {
            if ($node -is $binary) {
                if ($node.Operator -ne 'Plus') { throw 'no constant' }
                $parts.Push($node.Right)
                $node = $node.Left
            } elseif ($node -is $paren) {
                $inner = $node.Pipeline.PipelineElements
                if ($inner.Count -ne 1) { throw 'no constant' }
                $node = $inner[0].Expression
            } else { break }
        }
        if ($node -is $convert) {
            if ($node.StaticType -ne [char] -or $node.Child -isnot $constant) { throw 'no constant' }
            [void] $sum.Append([char] $node.Child.Value)
        } elseif ($node -is $string -and $node.StringConstantType -eq 'SingleQuoted') {
            [void] $sum.Append($node.Value)
        } else { throw 'no constant' }
        if ($parts.Count -eq 0) { return }
        $node = $parts.Pop()
    }
}

function Read-Elements($nodes) {
    foreach ($node in $nodes) {
        if ($node -is $string) {
            $type = $node.StringConstantType
            if ($type -eq 'SingleQuoted') { $found.Add('s' + $node.Value) }
            elseif ($type -eq 'BareWord') { $found.Add('b' + $node.Value) }
            else { throw 'no constant' }
        } elseif ($node -is $paren -and $node.Pipeline.PipelineElements[0].Expression.StaticType -eq [int]) {
            # A number with a sign stands in parentheses, else it is a word.
            $inner = $node.Pipeline.PipelineElements
            if ($inner.Count -ne 1 -or $inner[0].Expression -isnot $constant) { throw 'no constant' }
            $found.Add('n' + $inner[0].Expression.Value.ToString([Globalization.CultureInfo]::InvariantCulture))
        } elseif ($node -is $paren) {
            Read-Sum $node
            $found.Add('s' + $sum.ToString())
        } elseif ($node -is $named) {
            # -WhatIf:$true is not two elements.
            $found.Add('p' + $node.ParameterName + $(if ($node.Argument) { ':' }))
            if ($node.Argument) { Read-Elements $node.Argument }
        } elseif ($node -is $list) {
            $found.Add('a')
            Read-Elements $node.Elements
            $found.Add('z')
        } elseif ($node -is $table) {
            $found.Add('h')
            foreach ($pair in $node.KeyValuePairs) {
                if ($pair.Item2.PipelineElements.Count -ne 1) { throw 'no constant' }
                Read-Elements $pair.Item1
                Read-Elements $pair.Item2.PipelineElements[0].Expression
            }
            $found.Add('z')
        } elseif ($node -is $array) {
            $found.Add('a')
            foreach ($inner in $node.SubExpression.Statements) { Read-Statement $inner }
            $found.Add('z')
        } elseif ($node -is $block) {
            $found.Add('k')
            foreach ($inner in $node.ScriptBlock.EndBlock.Statements) { Read-Statement $inner }
            $found.Add('z')
        } elseif ($node.GetType() -eq $member) {
            Read-Elements $node.Expression
            if ($node.Member -isnot $string) { throw 'no constant' }
            $found.Add('m' + $node.Member.Value)
        } elseif ($node -is $constant) {
            $found.Add('n' + $node.Value.ToString([Globalization.CultureInfo]::InvariantCulture))
        } elseif ($node -is $variable) {
            if ($node.Splatted) { throw 'no constant' }
            $found.Add('v' + $node.VariablePath.UserPath)
        } elseif ($node -is $expandable) {
            $found.Add('e' + $node.Value)
        } else { throw 'no constant' }
    }
}

function Read-Statement($statement) {
    if ($statement.PipelineElements.Count -ne 1) { throw 'no constant' }
    $command = $statement.PipelineElements[0]
    if ($command.Redirections.Count) { throw 'no constant' }
    if ($command.CommandElements) { Read-Elements $command.CommandElements }
    else { Read-Elements $command.Expression }
}

$out = [Text.StringBuilder]::new()
function Write-Command($statement) {
    $found.Clear()
    $parts.Clear()
    try {
        if ($statement -is $given) {
            $found.Add('=' + $statement.Left.Extent.Text)
            Read-Elements $statement.Right.Expression
        } else {
            if ($statement.PipelineElements.Count -ne 1 -or -not $statement.PipelineElements[0].CommandElements) { throw 'no constant' }
            Read-Statement $statement
        }
        if ($found.Count -eq 0) { throw 'no constant' }
        [void] $out.Append($found.Count).Append(':')
        foreach ($item in $found) { [void] $out.Append($item.Length).Append(':').Append($item) }
    } catch { [void] $out.Append('-1:') }
}

function Read-Tree([string] $text) {
    $errors = $null
    $tree = [Management.Automation.Language.Parser]::ParseInput($text, [ref] $null, [ref] $errors)
    if ($errors.Count -or $tree.ParamBlock -or $tree.BeginBlock -or $tree.ProcessBlock) { return $null }
    return , $tree.EndBlock.Statements
}

# Five hundred at a time, for speed; one that breaks out of its place spoils the count or the borders
# of the others, and then each is read alone.
function Read-Some($texts) {
    $statements = Read-Tree ([string]::Join("`n", $texts))
    $fits = $null -ne $statements -and $statements.Count -eq $texts.Count
    $start = 0
    for ($i = 0; $fits -and $i -lt $texts.Count; $i++) {
        $extent = $statements[$i].Extent
        $fits = $extent.StartOffset -eq $start -and $extent.EndOffset -eq $start + $texts[$i].Length
        $start += $texts[$i].Length + 1
    }
    if ($fits) {
        foreach ($statement in $statements) { Write-Command $statement }
        return
    }
    foreach ($text in $texts) {
        $statements = Read-Tree $text
        if ($null -ne $statements -and $statements.Count -eq 1) { Write-Command $statements[0] }
        else { [void] $out.Append('-1:') }
    }
}

$stream = [IO.File]::Create($ConstantFile)
$some = [Collections.Generic.List[string]]::new()
$at = 0
while ($at -lt $all.Length) {
    $some.Clear()
    while ($at -lt $all.Length -and $some.Count -lt 500) {
        $colon = $all.IndexOf([char] ':', $at)
        $length = [int] $all.Substring($at, $colon - $at)
        $some.Add($all.Substring($colon + 1, $length))
        $at = $colon + 1 + $length
    }
    Read-Some $some
    $units = $out.ToString().ToCharArray()
    [void] $out.Clear()
    $bytes = [byte[]]::new($units.Length * 2)
    [Buffer]::BlockCopy($units, 0, $bytes, 0, $bytes.Length)
    $stream.Write($bytes, 0, $bytes.Length)
}
$stream.Close()
