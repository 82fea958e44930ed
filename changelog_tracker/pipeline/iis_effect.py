"""What applies in IIS where nothing of its own stands at a place, by applicationHost.config."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from changelog_tracker import catalogue
from changelog_tracker.catalogue.sections import sections
from changelog_tracker.diff.compare import same
from changelog_tracker.normalise.iis_values import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value

SERVER_LEVEL = "MACHINE/WEBROOT/APPHOST"
POOL_DEFAULTS = (
    f"{SERVER_LEVEL} : system.applicationHost/applicationPools",
    "applicationPoolDefaults",
)
_POOLS = "system.applicationHost/applicationPools"
_WINDOWS = re.compile(r"%(?:windir|systemroot)%", re.IGNORECASE)
_DRIVE = re.compile(r"%systemdrive%", re.IGNORECASE)


def places_above(place: str) -> Iterator[str]:
    """Give the places that a place inherits from, the nearest first."""
    if place == SERVER_LEVEL:
        return
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place
    yield SERVER_LEVEL


def schema_default(kind: str, section: str, setting: str) -> Value:
    """
    Give what applies where nobody sets an attribute; None where the schema does not say.

    Args:
        kind: `IisSection` or `IisAppPool`.
        section: Of an IisSection its path, in whatever case.
        setting: An attribute with the elements that it stands in: `processModel.idleTimeout`.
    """
    node: Any = catalogue.section(_POOLS if kind == "IisAppPool" else _spelt(section))
    if kind == "IisAppPool" and node:
        node = next((c["item"] for c in node["collections"] if "add" in c["add"]), None)
    *elements, name = setting.split(".")
    for element in elements:
        node = (node or {}).get("elements", {}).get(element)
    facts = (node or {}).get("attributes", {}).get(name)
    return typed(facts, facts["default"]) if facts and "default" in facts else None


@functools.cache
def _spelt(section: str) -> str:
    """Spell a section as the schema does."""
    return next((name for name in sections() if name.casefold() == section.casefold()), section)


def same_in_iis(wanted: Value, found: Value) -> bool:
    """Compare as IIS does: names and paths have no case."""
    if isinstance(wanted, str) and isinstance(found, str):
        return _folded(wanted) == _folded(found)
    return same(wanted, found)


def _folded(text: str) -> str:
    path = _WINDOWS.sub(r"%systemdrive%\\windows", text)
    path = _DRIVE.sub("c:", path).replace("/", "\\")
    return path.rstrip("\\").casefold()
