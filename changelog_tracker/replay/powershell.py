"""
The only place that writes PowerShell text.

Captured values are hostile: a value leaves here as a single-quoted literal and `[char]` codes, in
ASCII, or not at all. Cmdlet and parameter names come from the catalogue.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.errors import TrackerError

if TYPE_CHECKING:
    from changelog_tracker.model import Value

# PowerShell ends a single-quoted string at any of these; doubled, each stands for itself.
QUOTES = "'\u2018\u2019\u201a\u201b"

# As a whole argument it ends PowerShell's reading of the line, even between quotes.
STOP_PARSING = "--%"

CMDLETS = ("Get-Credential", "Set-Service")
PARAMETERS = ("DomainController", "WhatIf", "Confirm", "ErrorAction", "Name", "StartupType")
# What a multi-valued parameter takes besides a list.
TABLE_KEYS = ("Add", "Remove")

# The parser and what walks its tree recurse into the left side of each +, so a long value
# is a shallow tree of sums and not one deep one.
LONGEST_SUM = 50

_RUNS = re.compile(r"([\x20-\x7e]+)")
_APPCMD = r'"$env:windir\system32\inetsrv\appcmd.exe"'


class UnwritableError(TrackerError):
    """There is no safe text for this; `what` says why, for people to read."""


def quoted(text: str, quotes: str = QUOTES) -> str:
    """
    Write a text as one single-quoted string, its characters as they are.

    Args:
        text: Any text. The result is ASCII on one line only where the text is.
        quotes: The characters to double; another table than QUOTES is for tests.
    """
    return f"'{text.translate(_doubling(quotes))}'"


def literal(value: Value) -> str:
    """
    Write a value as a constant, for an argument or the right side of an expression.

    Args:
        value: A text, a whole number, a truth, None, a list of texts and numbers, or a table
            with the keys Add and Remove. An empty list is $null, which clears.

    Raises:
        UnwritableError: Another table, a list in a list, a fraction.
    """
    match value:
        case None | []:
            return "$null"
        case bool():
            return "$true" if value else "$false"
        case int():
            # A bare -1 is a word to the parser, as a parameter would be.
            return f"({value})" if value < 0 else str(value)
        case str():
            return _text(value)
        case list():
            return ",".join(_item(item) for item in value)
        case dict() if value and all(key in TABLE_KEYS for key in value):
            return "@{" + "; ".join(f"{key}={literal(value[key])}" for key in value) + "}"
    raise UnwritableError("value", f"a {type(value).__name__} is no constant of PowerShell")


def argument(text: str) -> str:
    """
    Write one argument of appcmd as the PowerShell prompt takes it.

    Raises:
        UnwritableError: A character that does not reach appcmd from there, whatever the quotes.
    """
    if '"' in text:
        why = "appcmd cannot take a double quote from the PowerShell prompt"
    elif not text.isprintable() and any(map(_is_control, text)):
        why = "appcmd cannot take a control character from the PowerShell prompt"
    elif text.endswith("\\") and any(char.isspace() for char in text):
        # PowerShell puts its own double quote behind it, which the backslash then escapes.
        why = "appcmd cannot take a blank and a backslash at the end from the PowerShell prompt"
    else:
        return _text(text)
    raise UnwritableError("appcmd", why)


def appcmd(verb: str, arguments: list[str]) -> str:
    """
    Write one call of appcmd.

    Args:
        verb: `set config`, `set site`, ...; from a fixed list.
        arguments: Not yet quoted, in order.

    Raises:
        UnwritableError: An argument that appcmd cannot take from the prompt.
    """
    if verb not in VERBS:
        raise TrackerError("appcmd", f"{verb!r} is none of {', '.join(VERBS)}")
    return " ".join(["&", _APPCMD, verb, *map(argument, arguments)])


VERBS = ("set config", "clear config", "set site", "set app", "set vdir", "set apppool")


def cmdlet(name: str) -> str:
    """
    Write a cmdlet's name.

    Raises:
        TrackerError: The catalogue does not know it.
    """
    if name not in _known_cmdlets():
        raise TrackerError(ascii(name), "expected a cmdlet that the catalogue knows")
    return name


def new_cmdlet(verb: str, noun: str) -> str:
    """
    Write the name of the cmdlet that makes or removes an object.

    Raises:
        TrackerError: The catalogue knows no such noun.
    """
    if verb not in {"New", "Remove"} or catalogue.nouns().get(noun) is None:
        raise TrackerError(ascii(noun), "expected a noun that the catalogue knows")
    return f"{verb}-{noun}"


def parameter(name: str) -> str:
    """
    Write a parameter's name with its dash.

    Raises:
        TrackerError: The catalogue does not know it.
    """
    if name not in _known_parameters():
        raise TrackerError(ascii(name), "expected a parameter that the catalogue knows")
    return f"-{name}"


def call(name: str, arguments: list[tuple[str, Value]]) -> str:
    """
    Write one call of a cmdlet.

    Args:
        name: The cmdlet.
        arguments: Parameter name and value, in order.

    Raises:
        TrackerError: A name that the catalogue does not know.
        UnwritableError: A value that is no constant.
    """
    parts = [f"{parameter(key)} {literal(value)}" for key, value in arguments]
    return " ".join([cmdlet(name), *parts])


@functools.cache
def _doubling(quotes: str) -> dict[int, str]:
    return {ord(char): char * 2 for char in quotes}


def _item(value: Value) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return literal(value)
    raise UnwritableError("value", f"a {type(value).__name__} in a list is no constant")


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs")


def _text(text: str) -> str:
    if text == STOP_PARSING:
        return _sum([quoted(text[:2]), quoted(text[2:])])
    parts: list[str] = []
    for run in _RUNS.split(text):
        if run and run[0].isascii() and run[0].isprintable():
            parts.append(quoted(run))
        elif run:
            units = run.encode("utf-16-be", "surrogatepass")
            parts.extend(f"[char]0x{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
    if len(parts) == 1 and parts[0].startswith("'"):
        return parts[0]
    return _sum(parts) if parts else "''"


def _sum(parts: list[str]) -> str:
    # Two [char] added are a number, so the first operand is always a string.
    while len(parts) > LONGEST_SUM:
        steps = range(0, len(parts), LONGEST_SUM)
        parts = [_sum(parts[step : step + LONGEST_SUM]) for step in steps]
    head = ["''"] if parts[0].startswith("[") else []
    return "(" + " + ".join([*head, *parts]) + ")"


@functools.cache
def _known_cmdlets() -> frozenset[str]:
    known = {name for noun in catalogue.nouns().values() for name in (noun.read, noun.write)}
    return frozenset({*CMDLETS, *(name for name in known if name)})


@functools.cache
def _known_parameters() -> frozenset[str]:
    nouns = catalogue.nouns().values()
    fields = (name for noun in nouns for name, field in noun.fields.items() if field.writable)
    new_only = (name for noun in nouns for name in noun.new_only)
    return frozenset({*PARAMETERS, *fields, *new_only, *(noun.identity for noun in nouns)})
