# IIS is written by WebAdministration, or by appcmd where that is missing: one of them for the whole run.

function Select-IisTool {
    if ($script:IisTool) { return $script:IisTool }
    if (-not (Get-Command -Name 'Set-WebConfigurationProperty' -ErrorAction SilentlyContinue)) {
        try { Import-Module -Name 'WebAdministration' -ErrorAction Stop }
        catch {
            # IIS 7.0 on Server 2008 had it as a snap-in.
            try { Add-PSSnapin -Name 'WebAdministration' -ErrorAction Stop } catch { }
        }
    }
    if (Get-Command -Name 'Set-WebConfigurationProperty' -ErrorAction SilentlyContinue) { $script:IisTool = 'WebAdministration' }
    elseif (Test-Path -LiteralPath ($env:windir + '\system32\inetsrv\appcmd.exe')) { $script:IisTool = 'appcmd' }
    else { throw 'neither WebAdministration nor appcmd.exe is there' }
    Write-Line ('IIS is written by ' + $script:IisTool + '.')
    return $script:IisTool
}

# `add` for `*` where the element stands; elsewhere its name is not known.
function Get-Tag($hop, $element) {
    if ($hop['Tag'] -ne '*') { return $hop['Tag'] }
    if ($null -ne $element) { return $element.get_LocalName() }
    throw 'what kind of element it is cannot be told, because none stands there'
}

function Get-FilterHop([string]$tag, $keys) {
    $tests = @()
    foreach ($key in @(Get-Each $keys)) {
        $quote = "'"
        if ($key['V'].Contains("'")) { $quote = '"' }
        if ($key['V'].Contains($quote)) { throw 'a key with both kinds of quote cannot be written' }
        $tests += '@' + $key['N'] + '=' + $quote + $key['V'] + $quote
    }
    if ($tests.Count -eq 0) { return $tag }
    return $tag + '[' + ($tests -join ' and ') + ']'
}

# The way to the element, or with $above to what it is in.
function Get-Filter($step, [int]$above) {
    $parts = @($step['Section'])
    $hops = @(Get-Each $step['Hops'])
    for ($i = 0; $i -lt $hops.Count - $above; $i++) {
        $element = $null
        if ($hops[$i]['Tag'] -eq '*') {
            $element = @(Get-Found (Read-AppHost) $step['Location'] $step['Section'] @($hops[0..$i]))[0]
        }
        $parts += Get-FilterHop (Get-Tag $hops[$i] $element) $hops[$i]['Keys']
    }
    return $parts -join '/'
}

function Get-LastKeys($step) { return @(Get-Each (@(Get-Each $step['Hops'])[-1]['Keys'])) }

function Get-NewAttributes($step) {
    $attributes = @{}
    foreach ($key in @(Get-LastKeys $step)) { $attributes[$key['N']] = $key['V'] }
    foreach ($goal in @(Get-Each $step['Goals'])) {
        if ($null -ne $goal['Wanted']) { $attributes[$goal['Name']] = [string]$goal['Wanted'] }
    }
    return $attributes
}

function Write-IisAttributes($step, $now) {
    $filter = Get-Filter $step 0
    $at = @{ PSPath = 'MACHINE/WEBROOT/APPHOST'; Filter = $filter; ErrorAction = 'Stop' }
    if ($step['Location'] -ne '') { $at['Location'] = $step['Location'] }
    foreach ($goal in @(Get-Each $step['Goals'])) {
        if (Test-FileSame $goal['Kind'] $now['Values'][$goal['Name']] $goal['Wanted']) { continue }
        if ($null -ne $goal['Wanted']) { Set-WebConfigurationProperty @at -Name $goal['Name'] -Value $goal['Wanted'] }
        else {
            $attribute = @{ PSPath = 'MACHINE/WEBROOT/APPHOST'; Filter = ($filter + '/@' + $goal['Name']); ErrorAction = 'Stop' }
            if ($step['Location'] -ne '') { $attribute['Location'] = $step['Location'] }
            Clear-WebConfiguration @attribute
        }
    }
}

function Add-IisElement($step) {
    $hops = @(Get-Each $step['Hops'])
    if ($hops[-1]['Tag'] -eq '*') { throw 'what kind of element it is cannot be told, because none stands there' }
    $at = @{ PSPath = 'MACHINE/WEBROOT/APPHOST'; Filter = (Get-Filter $step 1); ErrorAction = 'Stop' }
    if ($step['Location'] -ne '') { $at['Location'] = $step['Location'] }
    Add-WebConfigurationProperty @at -Name '.' -Value (Get-NewAttributes $step)
}

function Remove-IisElement($step) {
    $hops = @(Get-Each $step['Hops'])
    $above = [Math]::Min(1, $hops.Count)
    $at = @{ PSPath = 'MACHINE/WEBROOT/APPHOST'; Filter = (Get-Filter $step $above); ErrorAction = 'Stop' }
    if ($step['Location'] -ne '') { $at['Location'] = $step['Location'] }
    if ($hops.Count -eq 0) {
        Clear-WebConfiguration @at
        return
    }
    $keys = @{}
    foreach ($key in @(Get-LastKeys $step)) { $keys[$key['N']] = $key['V'] }
    if ($keys.Count -eq 0) { throw 'an element without a key is taken away by hand' }
    Remove-WebConfigurationProperty @at -Name '.' -AtElement $keys
}

function Get-AppcmdKeys($attributes) {
    $parts = @()
    foreach ($one in @(Get-Each $attributes)) {
        if ($one['V'].Contains("'")) { throw 'appcmd cannot take a quote inside a key' }
        $parts += $one['N'] + "='" + $one['V'] + "'"
    }
    return '[' + ($parts -join ',') + ']'
}

function Get-AppcmdWay($hops, [int]$count) {
    $way = ''
    for ($i = 0; $i -lt $count; $i++) {
        $keys = @(Get-Each $hops[$i]['Keys'])
        if ($keys.Count -gt 0) { $way += (Get-AppcmdKeys $keys) + '.' } else { $way += $hops[$i]['Tag'] + '.' }
    }
    return $way
}

function Invoke-Appcmd([string]$verb, $step, [string]$option) {
    if ($step['Location'] -match '^[/-]') { throw 'appcmd would take the place for an option' }
    $arguments = @($verb, 'config')
    if ($step['Location'] -ne '') { $arguments += $step['Location'] }
    $arguments += '/section:' + $step['Section']
    if ($option) { $arguments += $option }
    $arguments += '/commit:apphost'
    foreach ($argument in $arguments) {
        if ($argument -match '["\x00-\x1f\x7f]' -or ($argument -match '\s' -and $argument.EndsWith('\'))) {
            throw 'appcmd cannot take this value from PowerShell (a double quote, a control character or a backslash at the end)'
        }
    }
    $said = @(& "$env:windir\system32\inetsrv\appcmd.exe" $arguments) -join ' '
    if ($LASTEXITCODE -ne 0) { throw ('appcmd: ' + $said) }
}

function Write-ByAppcmd($step, $now) {
    $hops = @(Get-Each $step['Hops'])
    $op = $step['Op']
    if ($op -eq 'remove' -and $hops.Count -eq 0) { Invoke-Appcmd 'clear' $step ''; return }
    if ($op -eq 'remove') {
        Invoke-Appcmd 'set' $step ('/-' + (Get-AppcmdWay $hops ($hops.Count - 1)) + (Get-AppcmdKeys (Get-LastKeys $step)))
        return
    }
    if ($op -eq 'add') {
        $all = @(Get-LastKeys $step)
        foreach ($goal in @(Get-Each $step['Goals'])) { if ($null -ne $goal['Wanted']) { $all += @{ N = $goal['Name']; V = [string]$goal['Wanted'] } } }
        Invoke-Appcmd 'set' $step ('/+' + (Get-AppcmdWay $hops ($hops.Count - 1)) + (Get-AppcmdKeys $all))
        return
    }
    foreach ($goal in @(Get-Each $step['Goals'])) {
        if (Test-FileSame $goal['Kind'] $now['Values'][$goal['Name']] $goal['Wanted']) { continue }
        if ($null -eq $goal['Wanted'] -and $hops.Count -eq 0 -and @($step['Goals']).Count -eq 1 -and -not $now['More']) {
            # The attribute is all that the section holds here.
            Invoke-Appcmd 'clear' $step ''
            continue
        }
        if ($null -eq $goal['Wanted']) { throw 'appcmd cannot clear one attribute; IIS Manager''s Configuration Editor does' }
        Invoke-Appcmd 'set' $step ('/' + (Get-AppcmdWay $hops $hops.Count) + $goal['Name'] + ':' + $goal['Wanted'])
    }
}

function Write-Iis($step, $now) {
    if ((Select-IisTool) -eq 'appcmd') { Write-ByAppcmd $step $now; return }
    switch ($step['Op']) {
        'add' { Add-IisElement $step }
        'remove' { Remove-IisElement $step }
        default { Write-IisAttributes $step $now }
    }
}
