"""Takes a command line apart as Windows programs do, and as powershell.exe reads its arguments."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

_NAMES = (
    "NoProfile", "NonInteractive", "NoLogo", "NoExit", "Sta", "Mta", "ExecutionPolicy",
    "InputFormat", "OutputFormat", "WindowStyle", "Version", "EncodedCommand", "Command", "File",
)  # fmt: skip
_SWITCHES = {"noprofile", "noninteractive", "nologo", "noexit", "sta", "mta"}
_ALIASES = {"ec": "encodedcommand", "e": "encodedcommand", "ep": "executionpolicy", "c": "command"}


@dataclass(frozen=True)
class CommandLine:
    """
    A call of powershell.exe, taken apart.

    Args:
        text: What it runs.
        encoded: Whether it came by -EncodedCommand; then errors leave as CLIXML.
        from_stdin: Whether its text is what comes on stdin (`-Command -`).
        text_output: Whether -OutputFormat Text was asked for.
    """

    text: str
    encoded: bool = False
    from_stdin: bool = False
    text_output: bool = False

    @property
    def reads_stdin(self) -> bool:
        """Whether it takes what comes on stdin."""
        return self.from_stdin or re.search(r"\$input\b", self.text, re.IGNORECASE) is not None


class BadCommandLineError(Exception):
    """What powershell.exe refuses, with what it says."""


def words(line: str) -> list[str]:
    """Split a command line as a Windows program does: quotes, and backslashes before quotes."""
    found, current, quoted, begun, at = [], "", False, False, 0
    while at < len(line):
        slashes = len(line[at:]) - len(line[at:].lstrip("\\")) if line[at] == "\\" else 0
        if slashes:
            at += slashes
            escapes = line[at : at + 1] == '"'
            current += "\\" * (slashes // 2 if escapes else slashes)
            begun = True
            if escapes and slashes % 2:
                current += '"'
                at += 1
            continue
        one = line[at]
        at += 1
        if one == '"':
            quoted, begun = not quoted, True
        elif one in " \t" and not quoted:
            if begun:
                found.append(current)
            current, begun = "", False
        else:
            current, begun = current + one, True
    return [*found, current] if begun else found


def powershell(arguments: list[str]) -> CommandLine:
    """
    Read the arguments of powershell.exe.

    Raises:
        BadCommandLineError: It would refuse them.
    """
    text_output, at = False, 0
    while at < len(arguments):
        one = arguments[at]
        if one[:1] not in "-/" or one == "-":
            return _typed(arguments[at:], text_output)
        name = _parameter(one[1:])
        rest, at = arguments[at + 1 :], at + 1
        if name in _SWITCHES:
            continue
        if not rest:
            raise BadCommandLineError(f"Missing argument for parameter {one[1:]}.")
        if name == "encodedcommand":
            return CommandLine(_decoded(rest[0]), encoded=True, text_output=text_output)
        if name == "command":
            return _typed(rest, text_output)
        if name == "file":
            call = " ".join(quoted(word) for word in rest[1:])
            return CommandLine(f"& {quoted(rest[0])} {call}", text_output=True)
        if name == "outputformat":
            text_output = rest[0].lower() == "text"
        at += 1
    return CommandLine("", from_stdin=True, text_output=text_output)


def _typed(rest: list[str], text_output: bool) -> CommandLine:
    if rest == ["-"]:
        return CommandLine("", from_stdin=True, text_output=text_output)
    return CommandLine(" ".join(rest), text_output=text_output)


def _parameter(text: str) -> str:
    lowered = text.lower()
    if lowered in _ALIASES:
        return _ALIASES[lowered]
    for name in _NAMES:
        if lowered and name.lower().startswith(lowered):
            return name.lower()
    raise BadCommandLineError(
        f"The argument '-{text}' is not recognized as the name of a parameter."
    )


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadCommandLineError(
            "Cannot process the command because the value specified with -EncodedCommand is not"
            " properly encoded. The value must be Base64 encoded."
        ) from error


def quoted(text: str) -> str:
    """Give a PowerShell literal; a parameter's name stays."""
    if text[:1] == "-" and text[1:2].isalpha():
        return text
    return "'" + text.replace("'", "''") + "'"


def reads_stdin(line: str) -> bool:
    """Say whether what a line starts takes what comes on stdin."""
    arguments = words(line)
    try:
        return "powershell" in arguments[0].lower() and powershell(arguments[1:]).reads_stdin
    except (BadCommandLineError, IndexError):
        return False
