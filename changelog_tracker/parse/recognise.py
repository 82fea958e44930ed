"""What a file is, by its content: the name of its root element, whatever the file is called."""

from __future__ import annotations

import codecs
import re
from typing import Literal

FileKind = Literal["clixml", "configuration", "xml", "other"]

_PEEK_BYTES = 64 * 1024
# Atomic groups: what stands before the root is read once, however it goes on.
_ROOT = re.compile(
    r"(?>\s*)(?>(?:<\?(?>.*?\?>)|<!--(?>.*?-->)|<!(?!--)[^>]*>)\s*)*+<([\w.:-]+)", re.DOTALL
)
_DECLARED_UTF16 = re.compile(rb"(<\?xml[^>]*?)\s+encoding=([\"'])utf-16\2", re.IGNORECASE)


def kind_of(data: bytes) -> FileKind:
    """Tell what a file is; a broken one is told by its beginning."""
    text = data[:_PEEK_BYTES]
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoded = text[: len(text) & ~1].decode("utf-16", "replace")
    else:
        decoded = text.replace(b"\0", b"").decode("utf-8-sig", "replace")
    root = _ROOT.match(decoded)
    if root is None:
        return "xml" if decoded.lstrip().startswith("<") else "other"
    name = root[1].rpartition(":")[2]
    if name == "Objs":
        return "clixml"
    return "configuration" if name == "configuration" else "xml"


def as_utf8(data: bytes) -> bytes:
    """Give a UTF-16 file with byte order mark in UTF-8; any other as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    text = data.decode("utf-16", "replace").encode("utf-8", "replace")
    return _DECLARED_UTF16.sub(rb"\1", text, count=1)
