# Looks over the syntax tree of scripts and says what the target shell would refuse or nobody allowed; runs none of them.
#
# $Job is a folder: `scripts` one path a line; `cmdlets` and `commands` one NAME=PARAMETER,PARAMETER a line, the
# cmdlets of Exchange and the others. Of each finding one line NAME:LINE: WHAT goes to standard output.
param([string] $Job, [version] $Shell)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2

$common = 'Verbose', 'Debug', 'ErrorAction', 'WarningAction', 'ErrorVariable', 'WarningVariable', 'OutVariable', 'OutBuffer'
# Words of a type, a variable, a member or an operator, and the first Windows PowerShell that has them.
$types = @{ ordered = '3.0'; pscustomobject = '3.0'; pscredential = '3.0'; cultureinfo = '3.0'; bigint = '3.0'
    short = '7.0'; ushort = '7.0'; uint = '7.0'; ulong = '7.0' }
$variables = @{ PSScriptRoot = '3.0'; PSItem = '3.0'; PSCommandPath = '3.0'; PSDefaultParameterValues = '3.0'
    IsWindows = '7.0'; IsLinux = '7.0'; IsMacOS = '7.0'; IsCoreCLR = '7.0'; PSStyle = '7.0'; PSEdition = '7.0' }
$members = @{ Where = '4.0'; ForEach = '4.0'; PSCommandPath = '3.0'; PSEdition = '5.1' }
$operators = @{ Iin = '3.0'; Cin = '3.0'; Inotin = '3.0'; Cnotin = '3.0'; Shl = '3.0'; Shr = '3.0'; QuestionQuestion = '7.0' }
# Windows PowerShell 2.0 runs on .NET 2.0 (CLR 2), which lacks these; 3.0 and later run on .NET 4.
$net4 = 'IsNullOrWhiteSpace', 'ReadLines', 'AppendAllLines', 'EnumerateFiles', 'EnumerateDirectories', 'EnumerateFileSystemEntries', 'EnumerateFileSystemInfos',
    'TryParseExact', 'HasFlag', 'Is64BitProcess', 'Is64BitOperatingSystem', 'OpenBaseKey', 'CopyTo'
$parse4 = 'version', 'enum', 'guid', 'ipaddress'
# No Windows PowerShell has these: .NET Core brought them.
$netCore = 'GetRelativePath', 'ToHexString', 'FromHexString', 'HashData', 'IsPathFullyQualified', 'ReplaceLineEndings', 'EndsInDirectorySeparator', 'TrimEndingDirectorySeparator'
# What makes code out of text.
$makesCode = 'InvokeScript', 'NewScriptBlock', 'AddScript', 'ExpandString', 'InvokeCommand'

function Read-List([string] $name) {
    $read = @{}
    foreach ($line in [IO.File]::ReadAllLines([IO.Path]::Combine($Job, $name))) {
        $key, $rest = $line -split '=', 2
        $read[$key] = @($rest -split ',' | Where-Object { $_ })
    }
    return $read
}

$cmdlets = Read-List 'cmdlets'
$commands = Read-List 'commands'
$found = [Collections.Generic.List[string]]::new()
$script:name = ''

function Add-At([int] $line, [string] $what) { $found.Add("$($script:name):${line}: " + ($what -replace '\s+', ' ')) }
function Add-Finding($node, [string] $what) { Add-At $node.Extent.StartLineNumber $what }
function Test-Since($node, [string] $version, [string] $what) {
    if ([version] $version -gt $Shell) {
        if ([version] $version -ge [version] '6.0') { Add-Finding $node "$what is not Windows PowerShell" }
        else { Add-Finding $node "$what needs PowerShell $version" }
    }
}

function Test-Bytes([byte[]] $bytes) {
    $line = 1
    $ends = $false
    $beyond = $false
    for ($i = 0; $i -lt $bytes.Length; $i++) {
        $byte = $bytes[$i]
        if ($byte -gt 126 -or ($byte -lt 32 -and $byte -notin 9, 10, 13)) {
            if (-not $beyond) { Add-At $line ('a byte that is no printable ASCII: 0x{0:x2}' -f $byte) }
            $beyond = $true
        }
        $lone = ($byte -eq 10 -and ($i -eq 0 -or $bytes[$i - 1] -ne 13)) -or ($byte -eq 13 -and ($i + 1 -ge $bytes.Length -or $bytes[$i + 1] -ne 10))
        if ($lone -and -not $ends) {
            Add-At $line 'a line that does not end with CRLF'
            $ends = $true
        }
        if ($byte -eq 10) { $line++ }
    }
    if ($bytes.Length -and $bytes[-1] -ne 10 -and -not $ends) { Add-At $line 'a line that does not end with CRLF' }
}

. ([IO.Path]::Combine($PSScriptRoot, 'syntax_commands.ps1'))

function Test-Member($node) {
    $member = $node.Member
    if ($node.NullConditional) { Add-Finding $node '?. is not Windows PowerShell' }
    if ($member -isnot [Management.Automation.Language.StringConstantExpressionAst]) { return }
    $word = $member.Value
    $called = $node -is [Management.Automation.Language.InvokeMemberExpressionAst]
    $type = if ($node.Expression -is [Management.Automation.Language.TypeExpressionAst]) { $node.Expression.TypeName.FullName } else { '' }
    if ($called -and $node.Static -and $word -eq 'new') { Test-Since $node '5.0' "[$type]::new()" }
    elseif ($members.ContainsKey($word) -and ($called -or $word -notin 'Where', 'ForEach')) { Test-Since $node $members[$word] ".$word" }
    if ($type -in 'scriptblock', 'powershell', 'runspacefactory', 'System.Management.Automation.ScriptBlock', 'System.Management.Automation.PowerShell', 'System.Management.Automation.Runspaces.RunspaceFactory') {
        Add-Finding $node "[$type]::$word makes code out of text"
    }
    if ($word -in $makesCode) { Add-Finding $node ".$word makes code out of text" }
    if ($word -in $netCore) { Add-Finding $node ".$word is not in .NET Framework" }
    if ($Shell -lt [version] '3.0' -and ($word -in $net4 -or ($called -and $node.Static -and $word -in 'Parse', 'TryParse' -and $type -in $parse4))) {
        Add-Finding $node ".$word is not in .NET 2.0"
    }
}

function Test-Text($node) {
    if ("$($node.StringConstantType)" -like '*HereString') { Add-Finding $node 'a here-string' }
    elseif ("$($node.StringConstantType)" -eq 'DoubleQuoted' -and $node.Extent.Text -cmatch '(?<!`)(``)*`[eu]') { Add-Finding $node '`e and `u are not Windows PowerShell' }
    if ("$($node.StringConstantType)" -eq 'BareWord' -and $node.Value -eq '--%') { Add-Finding $node '--% ends the reading of a line' }
}

function Test-Node($node, $functions, $given) {
    switch ($node.GetType().Name) {
        'TypeDefinitionAst' { Test-Since $node '5.0' 'class and enum' }
        'UsingStatementAst' { Test-Since $node '5.0' 'using' }
        'UsingExpressionAst' { Test-Since $node '3.0' '$using:' }
        'ConfigurationDefinitionAst' { Add-Finding $node 'configuration is not for a script of this kind' }
        'TernaryExpressionAst' { Add-Finding $node '? : is not Windows PowerShell' }
        'PipelineChainAst' { Add-Finding $node "$(if ($node.Operator -eq 'AndAnd') { '&&' } else { '||' }) is not Windows PowerShell" }
        'PipelineAst' { if ($node.Background) { Add-Finding $node '& at the end is not Windows PowerShell' } }
        'AssignmentStatementAst' {
            if ($node.Operator -eq 'QuestionQuestionEquals') { Add-Finding $node '??= is not Windows PowerShell' }
            $left = $node.Left
            while ($left -is [Management.Automation.Language.AttributedExpressionAst]) {
                if ($left -isnot [Management.Automation.Language.ConvertExpressionAst]) { Test-Since $left '3.0' 'an attribute of a variable' }
                $left = $left.Child
            }
        }
        'BinaryExpressionAst' {
            $operator = "$($node.Operator)"
            if ($operator -eq 'QuestionQuestion') { Add-Finding $node '?? is not Windows PowerShell' }
            elseif ($operators.ContainsKey($operator)) { Test-Since $node $operators[$operator] "-$($operator -replace '^[IC](?=n|in)', '')".ToLowerInvariant() }
            if ($operator -in 'Ireplace', 'Creplace' -and $node.Right.Find({ $args[0] -is [Management.Automation.Language.ScriptBlockExpressionAst] }, $true)) {
                Add-Finding $node '-replace with a script block is not Windows PowerShell'
            }
            if ($operator -eq 'DotDot' -and $node.Left -is [Management.Automation.Language.StringConstantExpressionAst]) { Add-Finding $node 'a range of characters is not Windows PowerShell' }
        }
        'ConvertExpressionAst' {
            $type = $node.Type.TypeName.Name
            if ($node.Child -is [Management.Automation.Language.HashtableAst] -and $type -notin 'hashtable', 'ordered', 'pscustomobject') { Test-Since $node '3.0' "[$type] of a table" }
        }
        { $_ -in 'TypeConstraintAst', 'TypeExpressionAst' } {
            if ($types.ContainsKey($node.TypeName.Name)) { Test-Since $node $types[$node.TypeName.Name] "[$($node.TypeName.Name)]" }
        }
        'NamedAttributeArgumentAst' { if ($node.ExpressionOmitted) { Test-Since $node '3.0' "$($node.ArgumentName) without = `$true" } }
        'VariableExpressionAst' {
            $variable = $node.VariablePath.UserPath
            if ($variables.ContainsKey($variable)) { Test-Since $node $variables[$variable] "`$$variable" }
        }
        { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst' } { Test-Member $node }
        'IndexExpressionAst' { if ($node.NullConditional) { Add-Finding $node '?[] is not Windows PowerShell' } }
        'StringConstantExpressionAst' { Test-Text $node }
        'ExpandableStringExpressionAst' { Test-Text $node }
        'ConstantExpressionAst' {
            $omitted = $node.Parent -is [Management.Automation.Language.NamedAttributeArgumentAst] -and $node.Parent.ExpressionOmitted
            if (-not $omitted -and $node.Extent.Text -notmatch '^[+-]?(0x[0-9a-f]+|\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?[ld]?([kmgtp]b)?$') { Add-Finding $node "the number $($node.Extent.Text) is not Windows PowerShell" }
        }
        'MergingRedirectionAst' { if ("$($node.FromStream)" -ne 'Error') { Test-Since $node '3.0' $node.Extent.Text } }
        'FileRedirectionAst' { if ("$($node.FromStream)" -notin 'Output', 'Error') { Test-Since $node '3.0' 'a redirection of that stream' } }
        'ScriptBlockAst' { if ($node.CleanBlock) { Add-Finding $node.CleanBlock 'clean is not Windows PowerShell' } }
        'CommandAst' { Test-Command $node $functions $given }
    }
}

function Test-Tokens($tokens) {
    $last = $null
    foreach ($token in $tokens) {
        if ($token.Kind -eq 'Pipe' -and $last -and $last.Kind -eq 'NewLine') { Add-Finding $token '| at the start of a line is not Windows PowerShell' }
        if ($token.Kind -ne 'Comment') { $last = $token }
    }
}

function Read-Functions($all) {
    $functions = @{}
    foreach ($node in $all) {
        if ($node -isnot [Management.Automation.Language.FunctionDefinitionAst]) { continue }
        $block = $node.Body.ParamBlock
        $names = @(if ($block) { $block.Parameters } elseif ($node.Parameters) { $node.Parameters }) | ForEach-Object { $_.Name.VariablePath.UserPath }
        if ($block -and @($block.Attributes | Where-Object { $_.TypeName.Name -eq 'CmdletBinding' }).Count) { $names = @($names) + '*' }
        if ($node.IsWorkflow) { Add-Finding $node 'workflow is not for a script of this kind' }
        if ($cmdlets.ContainsKey($node.Name) -or $commands.ContainsKey($node.Name)) { Add-Finding $node "a function takes the name of $($node.Name)" }
        $functions[$node.Name] = @($names)
    }
    return $functions
}

foreach ($path in [IO.File]::ReadAllLines([IO.Path]::Combine($Job, 'scripts'))) {
    $script:name = [IO.Path]::GetFileName($path)
    Test-Bytes ([IO.File]::ReadAllBytes($path))
    $tokens, $errors = $null, $null
    $tree = [Management.Automation.Language.Parser]::ParseFile($path, [ref] $tokens, [ref] $errors)
    foreach ($wrong in $errors) { Add-At $wrong.Extent.StartLineNumber "does not parse: $($wrong.Message)" }
    if ($errors.Count) { continue }
    Test-Tokens $tokens
    $all = @($tree.FindAll({ $true }, $true))
    $functions = Read-Functions $all
    $given = Read-Given $all
    foreach ($node in $all) { Test-Node $node $functions $given }
    foreach ($statement in $tree.EndBlock.Statements) {
        if ($statement -isnot [Management.Automation.Language.AssignmentStatementAst]) { continue }
        if ($statement.Left.Extent.Text -eq '$Plan' -or ($statement.Left.Extent.Text -eq '$Steps' -and $statement.Operator -eq 'PlusEquals')) { Test-Step $statement }
    }
}
foreach ($line in $found) { [Console]::Out.WriteLine($line) }
