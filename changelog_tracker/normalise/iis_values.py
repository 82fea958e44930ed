"""Attribute values of configuration files: typed by the schema, else as they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from changelog_tracker.normalise.secrets import SECRET_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.model import Value

# Facts of one attribute as iis_sections.json has them: type, values, default.
Facts = dict[str, Any]


def typed(facts: Facts | None, text: str) -> Value:
    """Give an attribute's value by its type in the schema; as written where it does not fit."""
    if text.startswith("{secret:"):
        return secret_or_text(text)
    kind = facts.get("type") if facts else None
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in {"int", "uint", "int64"}:
        return int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else text
    if facts is not None and kind == "flags":
        return _flags(facts.get("values", {}), text)
    if facts is not None and kind == "enum":
        return _name_of(facts.get("values", {}), text)
    return text


def _flags(names: Mapping[str, str], text: str) -> Value:
    if re.fullmatch(r"[0-9]{1,10}", text):
        return _flags_of_number(names, text)
    words = [_name_of(names, word.strip()) for word in text.split(",")]
    return [*sorted({str(word) for word in words if word not in {"", "None"}})]


def _flags_of_number(names: Mapping[str, str], text: str) -> Value:
    """Give the flags of a number, or the text where it has a bit that no flag has."""
    left = int(text)
    found = [n for n, bit in names.items() if int(bit) and int(text) & int(bit) == int(bit)]
    for name in found:
        left &= ~int(names[name])
    return text if left else [*sorted(found)]


def _name_of(names: Mapping[str, str], text: str) -> str:
    """Spell a name as the schema does; a number becomes its name."""
    for name, number in names.items():
        if text.casefold() == name.casefold() or text == number:
            return name
    return text


def secret_or_text(text: str) -> Value:
    """Read a fingerprint back; any other text is itself."""
    found = SECRET_TOKEN.fullmatch(text)
    return {"secret": found[1]} if found else text
