"""
The hardened XML reader: the one door through which lxml enters.

No DTD, no entities, no network, limits on bytes and depth. Comments, processing instructions and
white space between elements are left out while reading (noise rules xml-comment, xml-whitespace).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias, cast

from lxml import etree

from changelog_tracker.errors import FileError
from changelog_tracker.model import Node

if TYPE_CHECKING:
    pass

Element: TypeAlias = etree._Element  # noqa: SLF001  lxml's own name for the type of an element

MOST_BYTES = 64 * 1024 * 1024
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def read_xml(data: bytes, place: str) -> Element:
    """
    Read one XML document.

    Args:
        data: The file's bytes; UTF-8 with or without byte order mark, UTF-16 with one, or what
            the XML declaration says.
        place: The file's name, for messages.

    Returns:
        The root element, without comments and ignorable white space.

    Raises:
        FileError: Too big, not well-formed (with the line), with a DTD, or UTF-16 without mark.
    """
    if len(data) > MOST_BYTES:
        raise FileError(place, f"{len(data):,} bytes of XML; at most {MOST_BYTES:,} are read")
    if b"\0" in data[:4] and not data.startswith(_BYTE_ORDER_MARKS):
        raise FileError(
            place,
            "looks like UTF-16 without a byte order mark; expected UTF-8, or UTF-16 with one",
            "save it again as UTF-8, or export it again",
        )
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        line = error.position[0]
        raise FileError(
            f"{place}, line {line}",
            f"not well-formed XML: {_one_line(_without_line(error.msg))}",
            "take the file again, or export it again",
        ) from error
    except ValueError as error:
        raise FileError(place, f"not XML: {_one_line(str(error))}") from error
    # The stubs do not know doctype.
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise FileError(place, "has a DOCTYPE; a configuration file or an export has none")
    return root


def canonical(element: Element) -> bytes:
    """Give the bytes that stand for an element: no layout, no comments, attributes as written."""
    return etree.tostring(element, with_tail=False)


def new_element(tag: str, attributes: dict[str, str], line: int = 0) -> Element:
    """Make an element that has no parent."""
    made = etree.Element(tag, attributes)
    # The stubs have no type for it.
    made.sourceline = line  # type: ignore[assignment]
    return made


def attributes_of(element: Element) -> dict[str, str]:
    """Give an element's attributes in file order; lxml's stubs think of bytes too."""
    return dict(cast("list[tuple[str, str]]", element.items()))


def local_name(element: Element) -> str:
    """Give an element's name without its namespace."""
    tag = str(element.tag)
    return tag.rpartition("}")[2] if tag[0] == "{" else tag


def node(element: Element) -> Node:
    """
    Turn an element into plain data.

    Raises:
        FileError: Deeper than Python can follow; read_xml's limit comes first.
    """
    return Node(
        tag=local_name(element),
        attributes=_local_attributes(element),
        children=[node(child) for child in element],
        text=text_of(element),
        line=line_of(element),
    )


def text_of(element: Element) -> str:
    """Give the text of an element itself, also what stands behind its children."""
    if not len(element):
        return (element.text or "").strip()
    parts = (element.text, *(child.tail for child in element))
    return "".join(part.strip() for part in parts if part)


def _local_attributes(element: Element) -> dict[str, str]:
    """Give the attributes by their names without namespace, where that leaves them apart."""
    found: dict[str, str] = {}
    for name, value in attributes_of(element).items():
        short = name.rpartition("}")[2]
        found[name if short in found else short] = value
    return found


def node_of(content: bytes) -> Node:
    """Turn canonical bytes back into plain data."""
    return node(etree.fromstring(content, _parser()))


def only_what_differs(before: bytes, after: bytes, tag: str) -> tuple[bytes, bytes]:
    """
    Cut two canonical texts down to the elements `tag` between their first and last difference.

    Thousands of assembly references are equal but for a few, and expanding all takes a second.
    The texts come back whole where the difference is not among such elements.
    """
    start, stop = f"<{tag}".encode(), f"</{tag}>".encode()
    first = before.find(start)
    prefix = _common(before, after)
    suffix = _common_end(before, after, prefix)
    begin = before.rfind(start, 0, prefix)
    old_end = before.find(stop, len(before) - suffix)
    new_end = after.find(stop, len(after) - suffix)
    if min(first, begin, old_end, new_end) < 0:
        return before, after
    head, tail = before[:first], before[before.rfind(stop) + len(stop) :]
    return (
        head + before[begin : old_end + len(stop)] + tail,
        head + after[begin : new_end + len(stop)] + tail,
    )


def _common(before: bytes, after: bytes) -> int:
    """Give the length of the common beginning, by halving."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(before: bytes, after: bytes, prefix: int) -> int:
    """Give the length of the common end that does not reach into the common beginning."""
    most = min(len(before), len(after)) - prefix
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if (
            before[len(before) - middle : len(before) - low]
            == after[len(after) - middle : len(after) - low]
        ):
            low = middle
        else:
            high = middle - 1
    return low


def _parser() -> etree.XMLParser:
    # libxml2 stops at 256 levels and 10 MB of one text unless huge_tree asks for more.
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
        strip_cdata=True,
    )


def line_of(element: Element) -> int:
    """Give an element's line; 0 where it was made and not read."""
    line = cast("int | None", element.sourceline)
    return line or 0


def _without_line(said: str | None) -> str | None:
    """Take out the line that libxml2 ends a message with; it stands before the message."""
    return said and re.sub(r", line \d+, column (\d+)$", r", column \1", said)


def _one_line(text: str | None) -> str:
    return " ".join((text or "no reason given").split())[:200]
