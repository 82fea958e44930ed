"""One section at one place: which steps count, by its declaration, its locks and <location>."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.pipeline.effective.locks import is_true
from changelog_tracker.pipeline.effective.merge import Applied, locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from changelog_tracker.catalogue import SectionFacts
    from changelog_tracker.model import Node
    from changelog_tracker.pipeline.effective.chain import Input
    from changelog_tracker.pipeline.effective.places import Places

IIS = "system.webServer/"
_SERVER_ONLY = frozenset({"AppHostOnly", "MachineOnly", "MachineToRootWeb"})
_TO_APPLICATION = "MachineToApplication"
_OVERRIDE = {"true": "allow", "false": "deny"}


@dataclass(frozen=True, slots=True)
class Declared:
    """
    What <configSections> says of a section.

    Args:
        override: `Allow` or `Deny`: whether levels below its own may set it.
        allow: allowDefinition, `Everywhere` where it says nothing.
        level: The place of the file, folded.
        origin: The file, with the line.
    """

    override: str
    allow: str
    level: str
    origin: str


def declared_in(node: Node, level: str, file: str, prefix: str = "") -> dict[str, Declared]:
    """Read <configSections>, or a <sectionGroup> in it."""
    found: dict[str, Declared] = {}
    for child in node.children:
        name = prefix + child.attributes.get("name", "")
        if child.tag == "sectionGroup":
            found |= declared_in(child, level, file, f"{name}/")
        elif child.tag == "section":
            origin = f"{file}:{child.line}" if child.line else file
            override = child.attributes.get("overrideModeDefault", "Allow")
            allow = child.attributes.get("allowDefinition", "Everywhere")
            found[name] = Declared(override, allow, level, origin)
    return found


@dataclass(frozen=True, slots=True)
class Where:
    """The place that is asked for, folded, among all places."""

    place: str
    places: Places


def applied(
    section: tuple[str, SectionFacts | None],
    inputs: Iterable[Input],
    declared: Mapping[str, Declared],
    where: Where,
) -> Applied:
    """
    Let all that counts for a section have its say.

    Args:
        section: Its name, and what the schema says of it.
        inputs: What files say of it, in the order in which it counts.
        declared: What <configSections> say, by section.
        where: The place.
    """
    name, facts = section
    found = Applied(facts, native=facts is not None and name.startswith(IIS))
    declaration = declared.get(name)
    lock = None
    if declaration is not None and declaration.override.casefold() == "deny":
        lock = (declaration.level, declaration.origin)
    for one in inputs:
        if _stays_above(one, where):
            continue
        why = _misplaced(one, declaration, where)
        if lock is not None and lock[0] != one.step.level:
            why = locked(lock[1])
        for tree in one.piece.trees:
            if why is None:
                found.take(tree, one.step)
            else:
                found.refuse(tree, one.step, why)
        if why is None:
            lock = _locked_by(one, lock)
    return found


def _stays_above(one: Input, where: Where) -> bool:
    """Tell whether inheritInChildApplications="false" keeps it from the place."""
    said = one.piece.location.get("inheritInChildApplications", "true")
    application_of = where.places.application_of
    return said.casefold() == "false" and application_of(one.target) != application_of(where.place)


def _misplaced(one: Input, declaration: Declared | None, where: Where) -> str | None:
    """Say why a section may not stand in this file, or None; applicationHost.config has all."""
    level = one.step.level
    if declaration is None or not level:
        return None
    if declaration.allow in _SERVER_ONLY:
        return f"allowed in applicationHost.config alone, by {declaration.origin}"
    if declaration.allow == _TO_APPLICATION and level not in where.places.applications:
        return f"not allowed below an application's root, by {declaration.origin}"
    return None


def _locked_by(one: Input, lock: tuple[str, str] | None) -> tuple[str, str] | None:
    """Give the lock on the whole section for the steps that follow: its level, and where."""
    location = one.piece.location
    mode = location.get("overrideMode", "").casefold()
    mode = mode or _OVERRIDE.get(location.get("allowOverride", "").casefold(), "")
    origin = f"{one.step.file}:{one.piece.line}" if one.piece.line else one.step.file
    if mode == "deny" or any(is_true(tree.values.get("lockItem")) for tree in one.piece.trees):
        return one.step.level, origin
    return None if mode == "allow" else lock
