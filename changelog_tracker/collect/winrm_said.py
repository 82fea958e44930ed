"""What a shell said when no answer came: an old PowerShell, a locked language, a fault."""

from __future__ import annotations

import re
from html import unescape
from itertools import takewhile

from changelog_tracker.collect import bootstrap
from changelog_tracker.collect.wire_errors import one_line
from changelog_tracker.errors import CollectError, DamagedAnswerError, RefusedError

_CLIXML = re.compile(r'<S S="Error">(.*?)</S>', re.DOTALL)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# After an error's own words stand where it was, and its category, in lines that begin so.
_WHERE = re.compile(r"\s*\+ |At (line|C:)|In Zeile:")
_KANA = re.compile(r"[\u3041-\u30ff]")
_LONGEST = 2000
_BY_HAND = "run the collector on the server itself, and look at what it says"


def said_instead(place: str, stdout: bytes, stderr: bytes, code: int | None = None) -> CollectError:
    """
    Make the error of a run whose frame never began or never ended, from what was printed.

    Args:
        place: Where it ran.
        stdout: What it printed, a broken frame too.
        stderr: What it printed as errors; plain text or CLIXML.
        code: With what it ended.
    """
    told = bootstrap.refusal(bytes(stdout))
    if told is not None:
        return RefusedError(place, *told)
    began = b"[changelog-frame " in stdout
    words = plain(stderr) or ("" if began else plain(stdout))
    ended = f" (exit code {code})" if code is not None else ""
    if began:
        said = f": {words}" if words else ""
        return DamagedAnswerError(place, f"its answer broke off{ended}{said}", _BY_HAND)
    if not words:
        return DamagedAnswerError(place, f"its shell ended without a word{ended}", "try again")
    return CollectError(place, f"its shell could not run the script{ended}: {words}", _BY_HAND)


def plain(data: bytes) -> str:
    """Write what a shell printed as one line; of CLIXML, the words of the first error in it."""
    text = decoded(data)
    if (found := _CLIXML.findall(text)) or "#< CLIXML" in text:
        text = unescape("".join(found))
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
        lines = text.splitlines()
        text = " ".join(takewhile(lambda line: not _WHERE.match(line), lines)) or text
    return one_line(text[:_LONGEST])


def decoded(data: bytes) -> str:
    """Read text whose code page nobody says; never fails."""
    for page in ("utf-8", "cp932", "cp1252"):
        try:
            text = data.decode(page)
        except UnicodeDecodeError:
            continue
        # Much of what is not Japanese can be read as such, but hardly ever with kana in it.
        if page != "cp932" or _KANA.search(text):
            return text
    return data.decode("cp850")
