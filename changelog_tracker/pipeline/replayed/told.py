"""
Values as a replay journal tells them, held against those of the log.

The journal has texts, as the shell or IIS writes them; the log has typed values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.compare import is_secret, same
from changelog_tracker.normalise.values import duration, size

if TYPE_CHECKING:
    from changelog_tracker.model import Value

_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def is_exchange(kind: str) -> bool:
    """Tell whether a kind is an Exchange noun, whose settings are parameters of one cmdlet."""
    return kind in catalogue.nouns()


def says(told: Value, value: Value, kind: str, setting: str) -> bool:
    """
    Tell whether a text, or a list of texts, is how a value is written.

    Args:
        told: As the journal has it: a text, a list of texts, None for nothing.
        value: As the log has it.
        kind: The resource kind.
        setting: The setting, which says of an Exchange noun how its values are held.
    """
    if is_secret(told) or is_secret(value):
        return told == value
    noun = catalogue.nouns().get(kind)
    if noun is None:
        return _says_in_iis(told, value)
    field = noun.fields.get(setting)
    return _says_in_exchange(told, value, field.kind if field else "")


def _says_in_iis(told: Value, value: Value) -> bool:
    if isinstance(value, list) and isinstance(told, str):
        flags = {word.strip().casefold() for word in told.split(",")} - {"", "none"}
        return all(isinstance(one, str) for one in value) and flags == _folded(value)
    return _says_plainly(told, value)


def _says_in_exchange(told: Value, value: Value, kind: str) -> bool:
    if value is None or value in ("", []):
        # The directory makes no difference between them.
        return told is None or told in ("", [])
    if isinstance(value, list):
        items: list[Value] = told if isinstance(told, list) else [told]
        if kind == "list":
            return same(items, value)
        return _folded(items) == _folded(value) and len(items) == len(value)
    if not isinstance(told, str):
        return same(told, value)
    if isinstance(value, str) and kind == "enum":
        return told.casefold() == value.casefold()
    forms: tuple[Value, ...] = (told.strip(), size(told), duration(told))
    return any(_says_plainly(form, value) for form in forms)


def _says_plainly(told: Value, value: Value) -> bool:
    if isinstance(value, bool) and isinstance(told, str):
        return told.casefold() == str(value).casefold()
    if isinstance(value, int) and isinstance(told, str):
        return _WHOLE.fullmatch(told) is not None and int(told) == value
    return same(told, value)


def _folded(values: list[Value]) -> set[str]:
    return {str(one).casefold() for one in values}
