"""What the schema says of an element on the way below a section, and how IIS writes a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from changelog_tracker import catalogue
from changelog_tracker.replay.plan import Hop
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from changelog_tracker.model import Value
    from changelog_tracker.replay.notation import Element as Keyed


def hop_of(section: str, hops: Sequence[Hop], part: str | Keyed) -> Hop:
    """Give the tag of one part of a setting's name, by the schema where it knows it."""
    if isinstance(part, str):
        return Hop(part)
    names = {name for name, _ in part.keys}
    tags = [
        tag.strip()
        for each in (node_of(section, hops) or {}).get("collections", [])
        for tag in each.get("add", "").split(",")
        if tag.strip() and names <= set(each.get("item", {}).get("attributes", names))
    ]
    return Hop(tags[0] if len(tags) == 1 else "*", part.keys)


def node_of(section: str, hops: Sequence[Hop]) -> Any:  # noqa: ANN401
    """Give the schema of an element, or None where it does not know it."""
    node: Any = catalogue.section(section)
    for hop in hops:
        if node is None:
            return None
        if not hop.keys:
            inner = node.get("elements", {}).get(hop.tag)
            node = inner
            continue
        node = next(
            (
                each.get("item")
                for each in node.get("collections", [])
                if hop.tag in {"*", *(tag.strip() for tag in each.get("add", "").split(","))}
            ),
            None,
        )
    return node


def attributes_of(section: str, hops: Sequence[Hop]) -> dict[str, Any]:
    """Give the schema of an element's attributes; empty where it does not know it."""
    found: dict[str, Any] = (node_of(section, hops) or {}).get("attributes", {})
    return found


def kind_of(facts: dict[str, Any], *values: Value) -> str:
    """Say how two values of an attribute are held against each other."""
    told: str | None = facts.get("type")
    if told is None:
        return "bool" if any(isinstance(value, bool) for value in values) else "text"
    return (
        told
        if told in {"bool", "flags", "enum", "timeSpan"}
        else "int"
        if "int" in told
        else "text"
    )


def text_of(value: Value, facts: dict[str, Any]) -> str | None:
    """Write a value as IIS does."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case []:
            if facts and "None" not in facts.get("values", {}):
                raise _no("the schema has no name for no flag at all")
            return "None" if facts else ""
        case list() if all(isinstance(flag, str) for flag in value):
            return ", ".join(map(str, value))
    raise _no("it holds nested elements")


def _no(why: str) -> UnwritableError:
    return UnwritableError("step", why)
