"""
Exchange objects as Export-Clixml writes them.

The sample server keeps its objects as TOML, which a person can read; this makes of them what a
collector would bring from a real server.

Source: [MS-PSRP] 2.2.5 (the serialisation format).
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Property: TypeAlias = "str | bool | int | list[str] | datetime"
Object: TypeAlias = "dict[str, Property]"

_NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
_ENUM = ("System.Enum", "System.ValueType", "System.Object")
_ITEMS = "Microsoft.Exchange.Data.MultiValuedProperty`1"
_IN_DIRECTORY = (
    "Microsoft.Exchange.Data.Directory.ADObject",
    "Microsoft.Exchange.Data.ConfigurableObject",
)


@dataclass(frozen=True, slots=True)
class Kinds:
    """
    How CLIXML writes a property, by its name.

    Args:
        uri: Properties that are addresses.
        guid: Properties that are GUIDs.
        enum: .NET type of properties that are members of an enum.
        object: .NET type of properties that are objects which their text says completely.
        list: .NET type of the items of a list, which are members of an enum.
    """

    uri: Sequence[str]
    guid: Sequence[str]
    enum: Mapping[str, str]
    object: Mapping[str, str]
    list: Mapping[str, str]


def clixml(type_name: str, objects: Sequence[Object], kinds: Kinds) -> bytes:
    """
    Write the objects of one noun.

    Args:
        type_name: Their .NET type.
        objects: Properties by name, in the order in which they are written; Identity is among them.
        kinds: What a value cannot say of itself.

    Returns:
        UTF-8 with byte order mark and CRLF, as Windows PowerShell writes with -Encoding UTF8.
    """
    writer = _Writer(kinds)
    for each in objects:
        writer.add(type_name, each)
    lines = [f'<Objs Version="1.1.0.1" xmlns="{_NAMESPACE}">', *writer.lines, "</Objs>", ""]
    return "\r\n".join(lines).encode("utf-8-sig")


@dataclass(slots=True)
class _Writer:
    """One document being written: the numbers of its objects and type names."""

    kinds: Kinds
    lines: list[str] = field(default_factory=list)
    _objects: int = 0
    _types: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, type_name: str, each: Object) -> None:
        parents = _IN_DIRECTORY if "Guid" in each else _IN_DIRECTORY[1:]
        self._open("  ", "")
        self._type("    ", (type_name, *parents, "System.Object"))
        self.lines += [f"    <ToString>{_escaped(str(each['Identity']))}</ToString>", "    <Props>"]
        for name, value in each.items():
            self._property(name, value)
        self.lines += ["    </Props>", "  </Obj>"]

    def _property(self, name: str, value: Property) -> None:
        named = f' N="{name}"'
        if isinstance(value, list):
            self._list(name, value)
        elif name in self.kinds.enum:
            self._object(named, value, (self.kinds.enum[name], *_ENUM))
        elif name in self.kinds.object:
            self._object(named, value, (self.kinds.object[name], "System.Object"))
        elif name in self.kinds.uri:
            self._plain("URI", named, value)
        else:
            tag = "G" if name in self.kinds.guid else _tag(value)
            self.lines.append(f"      <{tag}{named}>{_text(value)}</{tag}>")

    def _plain(self, tag: str, named: str, value: Property) -> None:
        line = f"<{tag}{named}>{_text(value)}</{tag}>" if value else f"<Nil{named} />"
        self.lines.append(f"      {line}")

    def _object(
        self, named: str, value: Property, types: tuple[str, ...], indent: str = "      "
    ) -> None:
        if not value:
            self.lines.append(f"{indent}<Nil{named} />")
            return
        self._open(indent, named)
        self._type(f"{indent}  ", types)
        self.lines += [f"{indent}  <ToString>{_text(value)}</ToString>", f"{indent}</Obj>"]

    def _list(self, name: str, values: list[str]) -> None:
        of = self.kinds.list.get(name)
        self._open("      ", f' N="{name}"')
        self._type("        ", (f"{_ITEMS}[[{of or 'System.String'}]]", "System.Object"))
        self.lines.append("        <LST>")
        for value in values:
            if of is None:
                self.lines.append(f"          <S>{_escaped(value)}</S>")
            else:
                self._object("", value, (of, *_ENUM), "          ")
        self.lines += ["        </LST>", "      </Obj>"]

    def _open(self, indent: str, named: str) -> None:
        self.lines.append(f'{indent}<Obj{named} RefId="{self._objects}">')
        self._objects += 1

    def _type(self, indent: str, names: tuple[str, ...]) -> None:
        if names in self._types:
            self.lines.append(f'{indent}<TNRef RefId="{self._types[names]}" />')
            return
        self._types[names] = len(self._types)
        self.lines.append(f'{indent}<TN RefId="{self._types[names]}">')
        self.lines += [f"{indent}  <T>{_escaped(name)}</T>" for name in names]
        self.lines.append(f"{indent}</TN>")


def _tag(value: Property) -> str:
    if isinstance(value, bool):
        return "B"
    if isinstance(value, datetime):
        return "DT"
    return "I32" if isinstance(value, int) else "S"


def _text(value: Property) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else _escaped(str(value))


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
