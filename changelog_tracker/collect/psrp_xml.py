"""
Objects as a remoting session sends them, put together into one CLIXML document.

The serialisation is the same as Export-Clixml's: [MS-PSRP] 2.2.5. Only the frame differs, and that
each message counts its references from 0.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections import defaultdict
from typing import TYPE_CHECKING

from changelog_tracker.errors import DamagedAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">\n'
# What defines a reference and what follows it count together: objects, and type names.
_COUNTED = {"Obj": "object", "Ref": "object", "TN": "types", "TNRef": "types"}


def document(messages: Iterable[str], place: str) -> bytes:
    """
    Put the objects of one answer into a document that reads as Export-Clixml's.

    Args:
        messages: The XML of one object each, as it came.
        place: The server, for messages.

    Returns:
        UTF-8. Nothing is lost or changed but the numbers of references, which go on from one
        object to the next.

    Raises:
        DamagedAnswerError: One of them is no XML, or has a DOCTYPE.
    """
    numbers: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
    parts = [_HEAD]
    for message in messages:
        root = read_object(message, place)
        new: dict[tuple[str, str], str] = {}
        for element in root.iter():
            kind, old = _COUNTED.get(element.tag), element.get("RefId")
            if kind is None or old is None:
                continue
            if (kind, old) not in new:
                new[kind, old] = str(next(numbers[kind]))
            element.set("RefId", new[kind, old])
        try:
            written = ET.tostring(root, encoding="unicode")
        except RecursionError as error:
            raise DamagedAnswerError(place, "its answer holds objects without end") from error
        # A literal one would become a line feed when it is read again.
        parts.append(written.replace("\r", "&#13;") + "\n")
    return "".join([*parts, "</Objs>"]).encode()


def read_object(message: str, place: str) -> ET.Element:
    """
    Read one object.

    Raises:
        DamagedAnswerError: It is no XML, or has a DOCTYPE.
    """
    if "<!DOCTYPE" in message:
        raise DamagedAnswerError(place, "its answer holds a DOCTYPE; expected PowerShell objects")
    try:
        return ET.fromstring(message)  # noqa: S314  no DOCTYPE, so no entities
    except ET.ParseError as error:
        what = f"its answer is not well-formed XML: {error}"
        raise DamagedAnswerError(place, what) from error


def properties(root: ET.Element) -> dict[str, str | list[str]]:
    """Give an object's plain properties and lists of such by name; the rest by its ToString."""
    found: dict[str, str | list[str]] = {}
    for part in (*root.findall("Props"), *root.findall("MS")):
        for child in part:
            value = _value(child)
            if value is not None:
                found.setdefault(child.get("N", ""), value)
    return found


def _value(element: ET.Element) -> str | list[str] | None:
    if element.tag == "Nil":
        return None
    if element.tag != "Obj":
        return element.text or ""
    for name in ("LST", "IE"):
        held = element.find(name)
        if held is not None:
            return [text for text in map(_value, held) if isinstance(text, str)]
    return element.findtext("ToString")
