"""What Setup makes of a setting, where a source says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.catalogue.loader import nouns
from changelog_tracker.catalogue.sections import back_end
from changelog_tracker.catalogue.shapes import UNKNOWN
from changelog_tracker.catalogue.versions import versions

if TYPE_CHECKING:
    from changelog_tracker.catalogue.shapes import Unknown
    from changelog_tracker.model import Value

_FRONT_END = "Default Web Site"


def factory_default(noun: str, resource: str, setting: str, version: str | None) -> Value | Unknown:
    """
    Give the value that a setting has after Setup, or UNKNOWN.

    Only the virtual directories that Setup makes have one: `owa (Default Web Site)`, not
    `owa (Kiosk)`.

    Args:
        noun: An Exchange noun.
        resource: As everywhere, `owa (Default Web Site)`.
        setting: A field of the noun.
        version: Of Exchange; of an unknown one nothing is known.
    """
    known = nouns().get(noun)
    field = known.fields.get(setting) if known else None
    made_by = versions().get(version) if version else None
    if known is None or field is None or made_by is None or not made_by.factory_defaults:
        return UNKNOWN
    if made_by.name not in field.versions:
        return UNKNOWN
    if resource.casefold() == f"{known.application} ({_FRONT_END})".casefold():
        return field.default
    if resource.casefold() == f"{known.application} ({back_end()})".casefold():
        return field.back_end_default
    return UNKNOWN
