"""
The hardened XML reader: the one door through which lxml enters.

No DTD, no entities, no network, limits on bytes and depth. Comments, processing instructions and
white space between elements are left out while reading (noise rules xml-comment, xml-whitespace).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from lxml import etree

from changelog_tracker.errors import FileError
from changelog_tracker.model import Node

if TYPE_CHECKING:
    from collections.abc import Sequence

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
            f"not well-formed XML: {_one_line(error.msg)}",
            "restore the file from its own history or export it again; IIS refuses it too",
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


def new_element(tag: str, attributes: dict[str, str]) -> Element:
    """Make an element that has no parent."""
    return etree.Element(tag, attributes)


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
    text = element.text
    return Node(
        tag=local_name(element),
        attributes={
            name.rpartition("}")[2]: value for name, value in attributes_of(element).items()
        },
        children=[node(child) for child in element],
        text=text.strip() if text else "",
        line=_line(element),
    )


def node_of(content: bytes) -> Node:
    """Turn canonical bytes back into plain data."""
    return node(etree.fromstring(content, _parser()))


def children_of(content: bytes) -> tuple[list[bytes], bytes]:
    """
    Part canonical bytes into those of each grandchild, and the rest.

    A section with thousands of elements below its only child (assemblyBinding) is compared by
    these without expanding it.
    """
    root = etree.fromstring(content, _parser())
    only = root[0] if len(root) == 1 else root
    parts = [canonical(child) for child in only]
    for child in list(only):
        only.remove(child)
    return parts, canonical(root)


def with_children(rest: bytes, parts: Sequence[bytes]) -> bytes:
    """Put some grandchildren back into the rest that `children_of` left."""
    root = etree.fromstring(rest, _parser())
    only = root[0] if len(root) == 1 else root
    only.extend([etree.fromstring(part) for part in parts])
    return canonical(root)


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


def _line(element: Element) -> int:
    line = cast("int | None", element.sourceline)
    return line or 0


def _one_line(text: str | None) -> str:
    return " ".join((text or "no reason given").split())[:200]
