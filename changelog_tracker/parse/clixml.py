"""
CLIXML, what Export-Clixml writes: PowerShell objects as XML.

Text, numbers, truth values and null become Python's own; everything else is a ClixObject, which
keeps its CLIXML tag, so that a later stage can tell a duration from a text. Nothing is
interpreted here but the container.

Source: [MS-PSRP] 2.2.5 (the serialisation format), and exports of Exchange 2016 and 2019.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from changelog_tracker.errors import FileError

if TYPE_CHECKING:
    from changelog_tracker.parse.xml import Element

Raw: TypeAlias = Union[
    bool, int, float, str, Sequence["Raw"], Mapping[str, "Raw"], "ClixObject", None
]

T = TypeVar("T")

NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
MOST_LEVELS = 100
_PEEK_BYTES = 64 * 1024
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPE_NAMES = re.compile(r"<TN\b[^>]*>")
_TYPE_NAME = re.compile(r"<T>([^<]*)</T>")
_COLLECTION = re.compile(r"System\.Array$|System\.Object\[\]|System\.Collections\.(?!Hashtable)")
_DESERIALIZED = "Deserialized."


@dataclass(slots=True, eq=False)
class ClixObject:
    """
    One object of a CLIXML file, or a value that JSON has no kind for.

    Args:
        tag: "Obj", or the CLIXML tag of the value: DT, TS, G, URI, Version, BA, XD, SBK, SS.
        types: .NET type names, the most derived first, without "Deserialized.".
        text: What its ToString said, or the value as written; None where there was none.
        value: What it wraps: a list, a table, a plain value (the number of an enum), or None.
        members: Its properties, then what PowerShell added to them (PSComputerName, ...).
        sealed: The encrypted text of a SecureString; no representation shows it.
    """

    tag: str = "Obj"
    types: tuple[str, ...] = ()
    text: str | None = None
    value: Raw = None
    members: dict[str, Raw] = field(default_factory=dict)
    sealed: str | None = field(default=None, repr=False)


def parse_clixml(root: Element, place: str) -> list[ClixObject]:
    """
    Read the objects of one CLIXML document.

    Args:
        root: From read_xml.
        place: The file's name, for messages.

    Returns:
        The objects in file order. A list at the top is opened; a plain value there becomes an
        object with its tag; null is nothing.

    Raises:
        FileError: Not CLIXML, an element or number that CLIXML does not know, a reference to
            what is not there, or objects more than MOST_LEVELS deep.
    """
    if root.tag != _q("Objs"):
        raise FileError(
            f"{place}, line {root.sourceline}",
            f"the root is {_bare(root.tag)}; expected Objs, as Export-Clixml writes it",
        )
    reader = _Reader(place)
    found: list[ClixObject] = []
    for element in root:
        raw = reader.read(element)
        opened = raw.value if isinstance(raw, ClixObject) and not raw.members else None
        if isinstance(opened, list):
            found += [_as_object(item) for item in opened if item is not None]
        elif raw is not None:
            found.append(_as_object(raw))
    return found


def clixml_types(data: bytes) -> tuple[str, ...]:
    """
    Peek at the type names of the first object, without reading the file.

    Args:
        data: The file's bytes; the first 64 KB are looked at.

    Returns:
        Its .NET type names, the most derived first; of a list, those of its first item. Empty
        when this is not CLIXML or no object begins there.
    """
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data[:_PEEK_BYTES].decode("utf-16" if utf16 else "utf-8", errors="ignore")
    if "<Objs" not in text:
        return ()
    names: tuple[str, ...] = ()
    for match in _TYPE_NAMES.finditer(text):
        end = text.find("</TN>", match.end())
        if end < 0:
            break
        found = _TYPE_NAME.findall(text, match.end(), end)
        names = tuple(_type_name(html.unescape(name)) for name in found)
        if not any(_COLLECTION.match(name) for name in names[:2]):
            break
    return names


def _as_object(raw: Raw) -> ClixObject:
    return raw if isinstance(raw, ClixObject) else ClixObject("plain", value=raw)


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _bare(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def unescape(text: str) -> str:
    """Turn `_xHHHH_` back into the UTF-16 units that XML could not hold; a lone one stays."""
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def _type_name(text: str) -> str:
    return unescape(text).removeprefix(_DESERIALIZED)


def _truth(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError
    return text == "true"


def _float(text: str) -> float | str:
    """Read a number; what is not finite (INF, NaN) stays text, for JSON has no word for it."""
    number = float(text)
    return number if math.isfinite(number) else text


def _decimal(text: str) -> float | str:
    return int(text) if text.lstrip("-").isdecimal() else _float(text)


def _kept(tag: str) -> Callable[[str], ClixObject]:
    def read(text: str) -> ClixObject:
        return ClixObject(tag, text=unescape(text))

    return read


def _secret(text: str) -> ClixObject:
    return ClixObject("SS", ("System.Security.SecureString",), sealed=text)


_PLAIN: dict[str, Callable[[str], Raw]] = {
    **dict.fromkeys(map(_q, ("I16", "I32", "I64", "U16", "U32", "U64", "By", "SB")), int),
    **dict.fromkeys(map(_q, ("Sg", "Db")), _float),
    **{_q(tag): _kept(tag) for tag in ("DT", "TS", "G", "URI", "Version", "BA", "XD", "SBK")},
    _q("S"): unescape,
    _q("B"): _truth,
    _q("C"): lambda text: chr(int(text)),
    _q("D"): _decimal,
    _q("SS"): _secret,
}
_NIL, _REF, _OBJ = _q("Nil"), _q("Ref"), _q("Obj")
_TN, _TNREF, _TO_STRING = _q("TN"), _q("TNRef"), _q("ToString")
_PROPERTIES = frozenset(map(_q, ("Props", "MS")))
_LISTS = frozenset(map(_q, ("LST", "IE", "QUE", "STK")))
_TABLE, _ENTRY, _TYPE = _q("DCT"), _q("En"), _q("T")


class _Reader:
    """One document being read: the objects and type names that later parts refer to."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._objects: dict[str, ClixObject] = {}
        self._types: dict[str, tuple[str, ...]] = {}
        self._level = 0

    def read(self, element: Element) -> Raw:
        """Read one value."""
        tag = element.tag
        plain = _PLAIN.get(tag)
        if plain is not None:
            if len(element):
                raise self._error(element, f"{_bare(tag)} holds elements; expected a plain value")
            try:
                return plain(element.text or "")
            except (ValueError, OverflowError) as error:
                what = f"{_bare(tag)} holds a value that this kind cannot have"
                raise self._error(element, what) from error
        if tag == _NIL:
            return None
        if tag == _OBJ:
            return self._read_object(element)
        if tag == _REF:
            return self._look_up(self._objects, element)
        raise self._error(element, f"{_bare(tag)} is no value that CLIXML has")

    def _read_object(self, element: Element) -> ClixObject:
        if self._level >= MOST_LEVELS:
            raise self._error(element, f"objects lie more than {MOST_LEVELS} levels deep")
        if element.text and element.text.strip():
            raise self._error(element, "an object holds loose text; expected elements")
        result = ClixObject()
        reference = element.get("RefId")
        if reference is not None:
            self._objects[reference] = result
        self._level += 1
        for child in element:
            self._read_part(result, child)
        self._level -= 1
        return result

    def _read_part(self, result: ClixObject, child: Element) -> None:
        tag = child.tag
        if tag in _PROPERTIES:
            self._add_members(result.members, child)
        elif tag == _TNREF:
            result.types = self._look_up(self._types, child)
        elif tag == _TN:
            result.types = self._read_types(child)
        elif tag == _TO_STRING:
            result.text = unescape(child.text or "")
        elif tag in _LISTS:
            result.value = [self.read(item) for item in child]
        elif tag == _TABLE:
            result.value = dict(map(self._read_entry, child))
        else:
            result.value = self.read(child)

    def _add_members(self, members: dict[str, Raw], element: Element) -> None:
        """Add properties; what PowerShell added under the same name (MS) comes second."""
        for child in element:
            name = child.get("N")
            if name is None:
                raise self._error(child, "a property without a name (N)")
            value = self.read(child)
            members.setdefault(unescape(name), value)

    def _read_types(self, element: Element) -> tuple[str, ...]:
        for child in element:
            if child.tag != _TYPE:
                raise self._error(child, f"{_bare(child.tag)} among the type names; expected T")
        types = tuple(_type_name(child.text or "") for child in element)
        self._types[element.get("RefId", "")] = types
        return types

    def _read_entry(self, element: Element) -> tuple[str, Raw]:
        parts = {child.get("N"): child for child in element}
        if element.tag != _ENTRY or len(element) != 2 or parts.keys() != {"Key", "Value"}:
            raise self._error(
                element, f"{_bare(element.tag)} in a table; expected En with Key and Value"
            )
        key = self.read(parts["Key"])
        if isinstance(key, ClixObject):
            key = key.text
        return str(key), self.read(parts["Value"])

    def _look_up(self, known: Mapping[str, T], element: Element) -> T:
        try:
            return known[element.get("RefId", "")]
        except KeyError as error:
            what = f"{_bare(element.tag)} refers to what is not in the file before it"
            raise self._error(element, what) from error

    def _error(self, element: Element, what: str) -> FileError:
        place = f"{self._place}, line {element.sourceline}"
        return FileError(place, what, "export it again with Export-Clixml")
