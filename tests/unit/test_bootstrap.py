"""What runs on a server before the script: the short text, and what it reads from its input."""

from __future__ import annotations

import base64
import shutil
import subprocess

import pytest

from changelog_tracker.collect.bootstrap import (
    LONGEST_TEXT,
    command_line,
    payload,
    refusal,
    text,
)

PWSH = shutil.which("pwsh")
in_engine = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run scripts in"),
]
SCRIPT = (
    "param([string]$Mode, [switch]$NoExchange, [string]$Fetch)\r\n"
    "'[' + $Mode + '|' + $NoExchange + '|' + $Fetch + ']'\r\n"
    "exit 4\r\n"
)
# What came after PowerShell 1.0, by the names of the engine's syntax tree.
NEWER = r"""
$tree = [System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$null)
foreach ($node in $tree.FindAll({ $true }, $true)) {
    $kind = $node.GetType().Name
    if ($kind -in 'TryStatementAst', 'DataStatementAst', 'UsingExpressionAst') { $kind }
    if ($kind -eq 'AttributeAst') { $kind }
    if ($node.Splatted) { 'splatting' }
    if ("$($node.Operator)$($node.TokenKind)" -match 'Join|Split') { "$($node.Operator)" }
    if ($kind -eq 'CommandAst') { [string]$node.GetCommandName() }
}
"""


def run(folder, body, *arguments):
    """Run a text in the engine."""
    file = folder / "run.ps1"
    file.write_text(body, encoding="utf-8")
    command = [PWSH, "-NoProfile", "-NonInteractive", "-File", str(file), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, text=True)
    return done.returncode, done.stdout.strip()


def fed(folder, sent, bootstrap=None):
    """Run the text with the given bytes as what comes over standard input."""
    lines = folder / "input.txt"
    lines.write_bytes(sent)
    body = f"[IO.File]::ReadAllLines('{lines}') | & {{\n{bootstrap or text()}\n}}\n"
    return run(folder, body)


def test_the_text_fits_a_command_line():
    """It is short and ASCII, and its command line is below what cmd.exe takes."""
    assert (len(text()) < LONGEST_TEXT, text().isascii()) == (True, True)
    line = command_line()
    assert base64.b64decode(line[-1]).decode("utf-16-le") == text()
    assert line[:-1] == (
        *("powershell.exe", "-NoProfile", "-NonInteractive"),
        *("-ExecutionPolicy", "Bypass", "-EncodedCommand"),
    )
    assert len(" ".join(line)) < 8000


def test_an_argument_that_could_be_taken_for_another_is_refused():
    """A name holds letters only, a value no line break."""
    for arguments in ({"Mo=de": "list"}, {"Mode": "list\nFrame=x"}, {"": "x"}):
        with pytest.raises(ValueError, match="no argument"):
            payload(SCRIPT, arguments)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"banner\r\n[changelog-error powershell-1]\r\n", "PowerShell 1.0"),
        (b"[changelog-error language-mode ConstrainedLanguage]\r\n", "ConstrainedLanguage"),
        (b"[changelog-error damaged-input]", "damaged"),
        (b"[changelog-frame 00 begin]", None),
        (b"[changelog-error of-another-kind]", None),
    ],
)
def test_what_the_shell_says_of_itself_is_told(said, told):
    """Each of the three answers becomes a sentence."""
    found = refusal(said)
    assert (found is None) == (told is None)
    assert told is None or told in found[0]


class TestInTheEngine:
    """The text as it runs on a server."""

    pytestmark = in_engine

    def test_it_says_nothing_that_powershell_1_does_not_know(self, tmp_path):
        """No try, no splatting, no -join; and only commands that 1.0 had."""
        file = tmp_path / "bootstrap.ps1"
        file.write_text(text(), encoding="ascii")
        code, out = run(tmp_path, NEWER, file)
        assert code == 0
        assert set(out.split()) == {"ForEach-Object", "Where-Object", "New-Object"}

    def test_it_runs_the_script_with_its_arguments(self, tmp_path):
        """Values with blanks and other characters arrive as they are; the exit code is its own."""
        fetch = "a b='\u201eö\u201c'="
        sent = payload(SCRIPT, {"Mode": "list", "NoExchange": "true", "Fetch": fetch})
        assert fed(tmp_path, sent) == (4, f"[list|True|{fetch}]")
        assert fed(tmp_path, payload(SCRIPT, {})) == (4, "[|False|]")

    def test_blank_lines_around_the_input_do_not_matter(self, tmp_path):
        """WinRS may add some."""
        sent = b"\r\n" + payload(SCRIPT, {"Mode": "test"}).replace(b"\r\n", b" \r\n\r\n")
        assert fed(tmp_path, sent) == (4, "[test|False|]")

    @pytest.mark.parametrize("what", ["cut", "altered", "empty", "no-base64", "arguments"])
    def test_damaged_input_is_told(self, tmp_path, what):
        """Nothing of the script runs."""
        whole = payload(SCRIPT, {"Mode": "list"})
        first, second, *rest = whole.split(b"\r\n")
        sent = {
            "cut": whole[:-10],
            "altered": whole.replace(rest[0][:40], rest[0][:39] + b"A"),
            "empty": b"",
            "no-base64": b"\r\n".join([first, second, b"%%%"]),
            "arguments": b"\r\n".join([first, b"%%%", *rest]),
        }[what]
        assert fed(tmp_path, sent) == (3, "[changelog-error damaged-input]")

    def test_powershell_1_says_so(self, tmp_path):
        """It has no such table."""
        older = text().replace("$PSVersionTable", "$NoSuchTable")
        sent = payload(SCRIPT, {})
        assert fed(tmp_path, sent, older) == (3, "[changelog-error powershell-1]")

    def test_a_constrained_shell_says_so(self, tmp_path):
        """AppLocker and Device Guard make such ones."""
        mode = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'\n"
        code, out = run(tmp_path, f"{mode}& {{\n{text()}\n}}\n")
        assert (code, out) == (3, "[changelog-error language-mode ConstrainedLanguage]")
