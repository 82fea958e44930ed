# Configuration files, read as what stands in them: what applies in the end may come from elsewhere.

function Read-XmlBytes([byte[]]$bytes) {
    $settings = New-Object System.Xml.XmlReaderSettings
    # No DTD by default in every .NET; said here for the reader.
    if ($settings.PSObject.Properties['DtdProcessing']) { $settings.DtdProcessing = 'Prohibit' } else { $settings.ProhibitDtd = $true }
    $settings.XmlResolver = $null
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    $document.PreserveWhitespace = $true
    $stream = New-Object System.IO.MemoryStream(, $bytes)
    $reader = [System.Xml.XmlReader]::Create($stream, $settings)
    try { $document.Load($reader) } finally { $reader.Close() }
    # An XmlDocument that a function gives back as it is stays whole.
    return $document
}

function Read-XmlFile([string]$path) {
    if (-not [System.IO.File]::Exists($path)) { throw ('the file is not there: ' + $path) }
    $bytes = [System.IO.File]::ReadAllBytes($path)
    return @{ Path = $path; Bytes = $bytes; Document = (Read-XmlBytes $bytes) }
}

function Read-AppHost {
    $path = Get-RealPath ($env:windir + '\System32\inetsrv\config\applicationHost.config')
    return (Read-XmlFile $path)['Document']
}

# PowerShell shows an XML element's attributes as its properties, also one called Name: so only methods here.
function Get-ChildElements($node) {
    foreach ($child in $node.get_ChildNodes()) { if ($child -is [System.Xml.XmlElement]) { $child } }
}

function Get-Named($node, [string]$tag) {
    foreach ($child in @(Get-ChildElements $node)) { if (Test-SameText $child.get_LocalName() $tag) { $child } }
}

# The elements below which a place's sections stand: the root, or its <location> elements.
function Get-Tops($document, [string]$location) {
    $root = $document.get_DocumentElement()
    if ($location -eq '') { $root }
    foreach ($one in @(Get-Named $root 'location')) {
        $path = $one.GetAttribute('path').Trim('/')
        if ($path -eq '.') { $path = '' }
        if (Test-SameWord $path $location.Trim('/')) { $one }
    }
}

function Test-Keys($element, $keys) {
    foreach ($key in @(Get-Each $keys)) {
        if (-not $element.HasAttribute($key['N'])) { return $false }
        $value = $element.GetAttribute($key['N'])
        $loose = $key['N'] -eq 'name' -or $key['N'] -eq 'path'
        if (-not (Test-SameText $value $key['V']) -and -not ($loose -and (Test-SameWord $value $key['V']))) { return $false }
    }
    return $true
}

function Get-HopElements($element, $hop) {
    $tag = $hop['Tag']
    foreach ($child in @(Get-ChildElements $element)) {
        $name = $child.get_LocalName()
        # What takes an inherited element away has its keys too.
        if ($tag -eq '*' -and ($name -eq 'remove' -or $name -eq 'clear')) { continue }
        if ($tag -ne '*' -and -not (Test-SameText $name $tag)) { continue }
        if (Test-Keys $child $hop['Keys']) { $child }
    }
}

# Every element that a place, section and way lead to, without any expression made of values.
function Get-Found($document, [string]$location, [string]$section, $hops) {
    $found = @(Get-Tops $document $location)
    foreach ($part in $section.Split('/')) { $found = @($found | ForEach-Object { Get-Named $_ $part }) }
    foreach ($hop in @(Get-Each $hops)) { $found = @($found | ForEach-Object { Get-HopElements $_ $hop }) }
    return $found
}

function Test-HasContent($element) {
    foreach ($child in $element.get_ChildNodes()) {
        if ($child -is [System.Xml.XmlElement]) {
            if ($child.get_Attributes().get_Count() -gt 0 -or (Test-HasContent $child)) { return $true }
        }
        elseif ($child -is [System.Xml.XmlCharacterData] -and $child -isnot [System.Xml.XmlComment] -and $child.get_Value().Trim() -ne '') { return $true }
    }
    return $false
}

# What an element holds that the step does not speak of; taking it away would lose that.
function Get-More($step, $element) {
    $known = @(Get-Each $step['Goals'] | ForEach-Object { $_['Name'] })
    $hops = @(Get-Each $step['Hops'])
    if ($hops.Count -gt 0) { $known += @(Get-Each $hops[-1]['Keys'] | ForEach-Object { $_['N'] }) }
    foreach ($attribute in $element.get_Attributes()) {
        if ($known -notcontains $attribute.get_Name()) { return $attribute.get_Name() }
    }
    if (Test-HasContent $element) { return 'other elements' }
}

# There, the values of the goals, and what else stands there.
function Read-ElementNow($step, $document) {
    $now = @{ There = $false; Values = @{}; More = $null; Element = $null }
    $found = @(Get-Found $document $step['Location'] $step['Section'] $step['Hops'])
    $hops = @(Get-Each $step['Hops'])
    if ($found.Count -gt 1 -and $hops.Count -gt 0 -and @(Get-Each $hops[-1]['Keys']).Count -gt 0) {
        throw ("$($found.Count) elements answer to this name; which one is meant cannot be told")
    }
    foreach ($goal in @(Get-Each $step['Goals'])) {
        $now['Values'][$goal['Name']] = $null
        foreach ($element in $found) {
            if ($element.HasAttribute($goal['Name'])) {
                $now['Values'][$goal['Name']] = $element.GetAttribute($goal['Name'])
                break
            }
        }
    }
    if ($found.Count -gt 0) {
        $now['There'] = $true
        $now['Element'] = $found[0]
        foreach ($element in $found) { if (-not $now['More']) { $now['More'] = Get-More $step $element } }
    }
    return $now
}
