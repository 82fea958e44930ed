"""
What stands before the script on a shell over the network: a short text that fits a command line.

The script and its arguments come over standard input. The text keeps to the grammar of PowerShell
1.0, so that an old or locked shell says what it is, instead of failing in its own language.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# WinRS hands the command line to cmd.exe, which takes 8,191 characters; base64 of UTF-16 has 8
# for every 3 of these.
LONGEST_TEXT = 2000
_LINE = 1000
_ERROR = re.compile(rb"\[changelog-error ([a-z0-9-]+)(?: ([A-Za-z]{1,40}))?\]")
_TEXT = r"""
if ($PSVersionTable -eq $null) { '[changelog-error powershell-1]'; exit 3 }
$m = $ExecutionContext.SessionState.LanguageMode
if ("$m" -ne 'FullLanguage') { "[changelog-error language-mode $m]"; exit 3 }
$ProgressPreference = 'SilentlyContinue'
$l = @($input | ForEach-Object { "$_".Trim() } | Where-Object { $_ -ne '' })
$d = & {
trap { [Console]::Out.WriteLine('[changelog-error damaged-input]'); exit 3 }
$z = [Convert]::FromBase64String([string]::Join('', $l[2..($l.Length - 1)]))
[void][Reflection.Assembly]::LoadWithPartialName('System.Core')
$h = New-Object Security.Cryptography.SHA256CryptoServiceProvider
if ([BitConverter]::ToString($h.ComputeHash($z)).Replace('-', '') -ne $l[0]) { throw 'damaged' }
$k = [IO.Compression.CompressionMode]::Decompress
$g = New-Object IO.Compression.GZipStream (New-Object IO.MemoryStream (,$z)), $k
$b = (New-Object IO.StreamReader $g, ([Text.Encoding]::ASCII)).ReadToEnd()
$a = @{}
$n = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($l[1]))
foreach ($p in $n.Split([char]10)) {
$i = $p.IndexOf('=')
if ($i -lt 1) { continue }
$v = $p.Substring($i + 1)
if ($v -eq 'true') { $v = $true }
$a[$p.Substring(0, $i)] = $v
}
$b
$a
}
$r = 'param($b, $a)
try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false } catch { }
& $b @a'
$c = $ExecutionContext.InvokeCommand
& $c.NewScriptBlock($r) $c.NewScriptBlock($d[0]) $d[1]
"""
_TOLD = {
    "powershell-1": (
        "its shell is PowerShell 1.0, expected 2.0 or later",
        "install Windows Management Framework 2.0 there, or run the collector on the server",
    ),
    "language-mode": (
        "its shell is in the language mode {}, expected FullLanguage",
        "allow the user FullLanguage there (AppLocker, Device Guard, the session's configuration)",
    ),
    "damaged-input": ("the script came there damaged", "try again; look at what is between"),
}


def text() -> str:
    """Give what runs on the server before the script; under LONGEST_TEXT characters."""
    return _TEXT.strip()


@cache
def command_line() -> tuple[str, ...]:
    """Give the program and its arguments; the script is to come over standard input."""
    encoded = base64.b64encode(text().encode("utf-16-le")).decode("ascii")
    bypass = ("-ExecutionPolicy", "Bypass")
    return ("powershell.exe", "-NoProfile", "-NonInteractive", *bypass, "-EncodedCommand", encoded)


def payload(script: str, arguments: Mapping[str, str]) -> bytes:
    """
    Give what goes over standard input.

    Args:
        script: ASCII.
        arguments: Parameters of the script by name; `true` is a switch.

    Raises:
        ValueError: A name is no name, or a value holds a line break.
    """
    for name, value in arguments.items():
        if not (name.isascii() and name.isalpha()) or "\n" in value:
            raise ValueError(f"no argument: {name}")
    digest, lines = _packed(script)
    # Without arguments the line is not empty: empty lines are passed over.
    named = "\n".join(f"{name}={value}" for name, value in arguments.items()) or "="
    return b"%b\r\n%b\r\n%b" % (digest, base64.b64encode(named.encode()), lines)


@lru_cache(maxsize=2)
def _packed(script: str) -> tuple[bytes, bytes]:
    """Give the script's digest and its lines; the same ones go to every server."""
    packed = gzip.compress(script.encode("ascii"), mtime=0)
    encoded = base64.b64encode(packed)
    lines = b"".join(b"%b\r\n" % encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE))
    return hashlib.sha256(packed).hexdigest().encode("ascii"), lines


def refusal(stdout: bytes) -> tuple[str, str] | None:
    """Give why the shell did not begin, and what to do; None where it did."""
    found = _ERROR.search(stdout)
    if found is None or found[1].decode("ascii") not in _TOLD:
        return None
    what, hint = _TOLD[found[1].decode("ascii")]
    return what.format((found[2] or b"?").decode("ascii")), hint
