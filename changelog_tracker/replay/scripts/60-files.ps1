# Configuration files of Exchange: single elements and attributes by key, all of one file in one write.

# How the file is written, so that nothing else of it changes: encoding, mark, declaration, line ends.
function Get-FileForm([byte[]]$bytes, $document) {
    $encoding = New-Object System.Text.UTF8Encoding($false)
    $declared = $document.get_FirstChild() -is [System.Xml.XmlDeclaration]
    if ($bytes.Length -gt 2 -and $bytes[0] -eq 0xEF -and $bytes[1] -eq 0xBB -and $bytes[2] -eq 0xBF) {
        $encoding = New-Object System.Text.UTF8Encoding($true)
    }
    elseif ($bytes.Length -gt 1 -and $bytes[0] -eq 0xFF -and $bytes[1] -eq 0xFE) { $encoding = [System.Text.Encoding]::Unicode }
    elseif ($bytes.Length -gt 1 -and $bytes[0] -eq 0xFE -and $bytes[1] -eq 0xFF) { $encoding = [System.Text.Encoding]::BigEndianUnicode }
    elseif ($declared) {
        $name = $document.get_FirstChild().get_Encoding()
        if ($name -and -not (Test-SameWord $name 'utf-8')) { $encoding = [System.Text.Encoding]::GetEncoding($name) }
    }
    $lines = "`n"
    if ($encoding.GetString($bytes).Contains("`r`n")) { $lines = "`r`n" }
    return @{ Encoding = $encoding; Declared = $declared; Lines = $lines }
}

function ConvertTo-FileBytes($document, $form) {
    $settings = New-Object System.Xml.XmlWriterSettings
    $settings.Encoding = $form['Encoding']
    $settings.OmitXmlDeclaration = -not $form['Declared']
    $settings.NewLineChars = $form['Lines']
    $settings.NewLineHandling = [System.Xml.NewLineHandling]::Replace
    $stream = New-Object System.IO.MemoryStream
    $writer = [System.Xml.XmlWriter]::Create($stream, $settings)
    try { $document.Save($writer) } finally { $writer.Close() }
    return , $stream.ToArray()
}

# Adds an element below another, on a line of its own where its sisters have one.
function Add-Child($parent, [string]$tag) {
    $document = $parent.get_OwnerDocument()
    $child = $document.CreateElement($tag, $parent.get_NamespaceURI())
    $sisters = @(Get-ChildElements $parent)
    if ($sisters.Count -gt 0) {
        $last = $sisters[-1]
        $null = $parent.InsertAfter($child, $last)
        $before = $last.get_PreviousSibling()
        if ($before -is [System.Xml.XmlWhitespace]) { $null = $parent.InsertBefore($before.CloneNode($false), $child) }
        return $child
    }
    $before = $parent.get_PreviousSibling()
    $null = $parent.AppendChild($child)
    if ($before -is [System.Xml.XmlWhitespace]) {
        $null = $parent.InsertBefore($document.CreateWhitespace($before.get_Value() + '  '), $child)
        $null = $parent.InsertAfter($before.CloneNode($false), $child)
    }
    return $child
}

# The element that a step is about; what has no key is made on the way, what has one is not.
function Get-OrAdd($document, $step, [int]$above) {
    $tops = @(Get-Tops $document $step['Location'])
    if ($tops.Count -eq 0) {
        $top = Add-Child $document.get_DocumentElement() 'location'
        $top.SetAttribute('path', $step['Location'])
        $tops = @($top)
    }
    $way = @($step['Section'].Split('/') | ForEach-Object { @{ Tag = $_; Keys = @() } })
    $hops = @(Get-Each $step['Hops'])
    for ($i = 0; $i -lt $hops.Count - $above; $i++) { $way += $hops[$i] }
    $element = $null
    foreach ($hop in $way) {
        if ($null -eq $element) { $found = @($tops | ForEach-Object { Get-HopElements $_ $hop }) }
        else { $found = @(Get-HopElements $element $hop) }
        if ($found.Count -eq 0) {
            if (@(Get-Each $hop['Keys']).Count -gt 0 -or $hop['Tag'] -eq '*') { throw 'the element that this is part of is not there' }
            if ($null -eq $element) { $element = $tops[0] }
            $found = @(Add-Child $element $hop['Tag'])
        }
        $element = $found[0]
    }
    return $element
}

function Edit-Document($document, $step) {
    if ($step['Op'] -eq 'remove') {
        foreach ($element in @(Get-Found $document $step['Location'] $step['Section'] $step['Hops'])) {
            $before = $element.get_PreviousSibling()
            if ($before -is [System.Xml.XmlWhitespace]) { $null = $element.get_ParentNode().RemoveChild($before) }
            $null = $element.get_ParentNode().RemoveChild($element)
        }
        return
    }
    $now = Read-ElementNow $step $document
    if ($step['Op'] -eq 'add' -and -not $now['There']) {
        $last = @(Get-Each $step['Hops'])[-1]
        if ($last['Tag'] -eq '*') { throw 'what kind of element it is cannot be told, because none stands there' }
        $element = Add-Child (Get-OrAdd $document $step 1) $last['Tag']
        foreach ($key in @(Get-Each $last['Keys'])) { $element.SetAttribute($key['N'], $key['V']) }
    }
    else { $element = Get-OrAdd $document $step 0 }
    foreach ($goal in @(Get-Each $step['Goals'])) {
        if ($null -eq $goal['Wanted']) { $element.RemoveAttribute($goal['Name']) }
        else { $element.SetAttribute($goal['Name'], [string]$goal['Wanted']) }
    }
}

# Edits a copy of what was read and gives its bytes, after reading them back.
function Edit-Bytes($file, $steps) {
    $document = Read-XmlBytes $file['Bytes']
    $form = Get-FileForm $file['Bytes'] $document
    foreach ($step in $steps) { Edit-Document $document $step }
    $bytes = ConvertTo-FileBytes $document $form
    $again = Read-XmlBytes $bytes
    foreach ($step in $steps) {
        $verdict = Compare-Step $step (Read-ElementNow $step $again) $true
        if ($verdict['State'] -ne 'right') { throw ($step['Id'] + ' did not come out as wanted: ' + $verdict['Reason']) }
    }
    return , $bytes
}

function Test-SameBytes([byte[]]$one, [byte[]]$other) {
    return [Convert]::ToBase64String($one) -ceq [Convert]::ToBase64String($other)
}

# Replace keeps the rights of the file that was there, and leaves it whole under another name.
function Write-FileBytes($file, [byte[]]$bytes) {
    $path = $file['Path']
    $stamp = Get-Stamp
    $backup = $path + '.bak-' + $stamp
    for ($i = 2; [System.IO.File]::Exists($backup); $i++) { $backup = $path + '.bak-' + $stamp + '-' + $i }
    $fresh = $path + '.new-' + $stamp
    if (-not (Test-SameBytes ([System.IO.File]::ReadAllBytes($path)) $file['Bytes'])) { throw 'the file changed while this ran' }
    try {
        [System.IO.File]::WriteAllBytes($fresh, $bytes)
        [System.IO.File]::Replace($fresh, $path, $backup)
    }
    catch {
        # Windows can fail half way, with the file already under its other name.
        if (-not [System.IO.File]::Exists($path) -and [System.IO.File]::Exists($backup)) { [System.IO.File]::Copy($backup, $path) }
        if ([System.IO.File]::Exists($fresh)) { [System.IO.File]::Delete($fresh) }
        throw
    }
    return $backup
}

# The steps of the same file that can run now, this one first.
function Get-FileBatch($first) {
    $reached = $false
    foreach ($step in $script:Todo) {
        if ($step['Id'] -eq $first['Id']) { $reached = $true }
        if (-not $reached -or $step['Owner'] -ne 'file' -or $script:States.ContainsKey($step['Id'])) { continue }
        if ($script:LeftOut.ContainsKey($step['Id']) -or -not (Test-SameWord $step['File'] $first['File'])) { continue }
        if ($step['Id'] -eq $first['Id'] -or -not (Get-Blocked $step)) { $step }
    }
}

function Invoke-FileSteps($first) {
    $batch = @(Get-FileBatch $first)
    $ready = @()
    $before = @{}
    try { $file = Read-XmlFile (Get-RealPath $first['File']) }
    catch {
        foreach ($step in $batch) { Set-State $step 'failed' (Get-Reason $_) }
        return
    }
    foreach ($step in $batch) {
        try {
            $now = Read-ElementNow $step $file['Document']
            $before[$step['Id']] = $now
            if (Test-May $step $now) {
                # One at a time first, so that a step that cannot be done does not take the others with it.
                $null = Edit-Bytes $file @($step)
                $ready += $step
            }
        }
        catch { Set-State $step 'failed' (Get-Reason $_) }
    }
    if ($ready.Count -eq 0) { return }
    $question = $first['File'] + ': one write for ' + (@($ready | ForEach-Object { $_['Id'] }) -join ', ') + '. Its application restarts by itself. Write it now?'
    if (-not (Read-ConsentOnce ('file|' + $first['File']) $question)) {
        foreach ($step in $ready) { Set-State $step 'declined' 'you did not agree to the write' }
        return
    }
    Write-FileSteps $file $ready $before
}

function Write-FileSteps($file, $steps, $before) {
    $backup = $null
    try {
        $bytes = Edit-Bytes $file $steps
        foreach ($step in $steps) { Add-JournalSetting $step $before[$step['Id']]['Values'] '' }
        $backup = Write-FileBytes $file $bytes
    }
    catch {
        foreach ($step in $steps) { Set-State $step 'failed' (Get-Reason $_) }
        return
    }
    Write-Line ('  The file as it was: ' + $backup)
    foreach ($step in $steps) { Set-State $step 'set' (Get-Change $step $before[$step['Id']]) }
}
