"""JSON lines: what `--json` prints, one object a line, in UTC and never cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from changelog_tracker.report import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO


def write(lines: Iterable[Mapping[str, object]], out: TextIO) -> None:
    """
    Write each object as one line, keys in the order given.

    Whatever is not printable (control and format characters, line separators, lone surrogates) is
    escaped, so that a line is one line, harmless on a terminal, and can always be encoded.
    """
    out.writelines(f"{dumps(dict(line))}\n" for line in lines)


def dumps(value: object) -> str:
    """Return the JSON of one value on one line, without spaces."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if escape.is_plain(text) else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if escape.is_plain(char) else json.dumps(char)[1:-1]
