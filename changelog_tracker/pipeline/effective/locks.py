"""The locks inside a section: lockAttributes, lockElements, lockItem and their like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Tree, Value

# Attribute -> what it locks, and whether the names are those that stay free.
_NAMED = {
    "lockAttributes": ("attributes", False),
    "lockAllAttributesExcept": ("attributes", True),
    "lockElements": ("elements", False),
    "lockAllElementsExcept": ("elements", True),
}
LOCKS = frozenset({*_NAMED, "lockItem"})


@dataclass(frozen=True, slots=True)
class Lock:
    """
    What one attribute locks for all levels below its own.

    Args:
        level: The place of the file that says it, folded.
        origin: That file, with the line.
        what: `attributes` or `elements`.
        names: Which; `*` is all.
        is_except: Whether all others are locked.
    """

    level: str
    origin: str
    what: str
    names: frozenset[str]
    is_except: bool

    def holds(self, what: str, name: str) -> bool:
        """Tell whether it locks an attribute or element of this name."""
        listed = name in self.names or "*" in self.names
        return what == self.what and listed is not self.is_except


def locks_of(tree: Tree, level: str, origin: str) -> Iterator[Lock]:
    """Give the locks that an element says of its attributes and elements."""
    for name, (what, is_except) in _NAMED.items():
        if name in tree.values:
            words = str(tree.values[name]).split(",")
            names = frozenset(word.strip() for word in words if word.strip())
            yield Lock(level, origin, what, names, is_except)


def is_true(value: Value) -> bool:
    """Tell whether an attribute that the schema does not know says true."""
    return str(value).casefold() == "true"


def bare(tree: Tree) -> Tree:
    """Give an element without the locks in it, which are no settings that apply."""
    return replace(
        tree,
        values={name: value for name, value in tree.values.items() if name not in LOCKS},
        parts={name: bare(part) for name, part in tree.parts.items()},
        items={key: bare(item) for key, item in tree.items.items()},
        sequence=[bare(one) for one in tree.sequence],
    )
