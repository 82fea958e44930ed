"""
Text that came from a server or a person, made harmless for where it is shown.

Captured values are hostile: one line stays one line, and nothing in it moves the cursor, turns the
reading direction, opens a link or a table cell. What cannot be seen is shown as Python writes it.
"""

from __future__ import annotations

import re

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

# Letters and marks by category, yet nothing is seen of them: fillers and variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;"}
_SPECIAL = re.compile(r"[&<>|`\\*_\[\]~$]")
_BLOCK_START = re.compile(r"^(?:([#+=-])|(\d{1,9})([.)])(?= |$)|( ))")
# GitHub makes links of bare addresses; a backslash before : or . keeps them text.
_BARE_LINK = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)")


def is_plain(text: str) -> bool:
    """Tell whether every character can be shown as it is: no control, bidi or unseen one."""
    return text.isprintable() and not _UNSEEN.search(text)


def _shown(char: str) -> str:
    if is_plain(char):
        return char
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def terminal(text: str) -> str:
    r"""
    Show as `\x1b` or `\u202e` what would act on a terminal or hide on it.

    A backslash stays one: Windows paths are read more often than escapes. For what must not be
    mistaken, `words.value` quotes.

    Returns:
        One line that is printable and can be encoded as UTF-8.
    """
    return text if is_plain(text) else "".join(map(_shown, text))


def markdown(text: str) -> str:
    """
    Make text that a Markdown renderer shows as it is, in a table cell or at the start of a line.

    Pipes and backticks become entities: renderers disagree on how a backslash splits a table row.

    Returns:
        One line; without a raw pipe, backtick or angle bracket.
    """
    safe = _BARE_LINK.sub(r"\\\g<0>", _SPECIAL.sub(_special, terminal(text)))
    return _BLOCK_START.sub(_block_start, safe)


def _special(match: re.Match[str]) -> str:
    char = match[0]
    return _ENTITIES.get(char) or f"\\{char}"


def _block_start(match: re.Match[str]) -> str:
    sign, number, end, _space = match.groups()
    if sign:
        return f"\\{sign}"
    return f"{number}\\{end}" if number else "&#32;"


def markdown_name(text: str) -> str:
    """Write a name as code, to be read and copied; escaped where code could be left."""
    shown = terminal(text)
    if re.search(r"[`|\\<>&]|\]\(|^ | $|^$", shown):
        return markdown(text)
    return f"`{shown}`"
