"""A tree of settings -> the flat names and values that users see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Tree, Value


def flatten(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Give each setting's name in appcmd's notation and its value."""
    for name, value, _line in flatten_lines(tree, prefix):
        yield name, value


def flatten_lines(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Value, int]]:
    """Give name, value and line of each setting; the line is 0 where it is not known."""
    for name, value in tree.values.items():
        if name not in tree.ignored:
            yield prefix + name, value, tree.line
    for name, part in tree.parts.items():
        yield from flatten_lines(part, f"{prefix}{name}.")
    for item in tree.items.values():
        yield from _element_lines(item, prefix + item.label)
    if tree.ordered and len(tree.items) > 1:
        yield f"{prefix}(order)", list(shown_order(tree)), tree.line
    for number, item in enumerate(tree.sequence, 1):
        yield from _element_lines(item, f"{prefix}[{number}]")


def ignored(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Value, str]]:
    """Give name, value and noise rule of each setting that no comparison looks at."""
    for name, rule in tree.ignored.items():
        yield prefix + name, tree.values[name], rule
    for name, part in tree.parts.items():
        yield from ignored(part, f"{prefix}{name}.")
    for item in tree.items.values():
        yield from ignored(item, f"{prefix}{item.label}.")
    for number, item in enumerate(tree.sequence, 1):
        yield from ignored(item, f"{prefix}[{number}].")


def element_value(tree: Tree) -> Value:
    """
    Give an element as one value: an object of its attributes.

    Elements below it are objects and lists; where an element has attributes and a collection,
    the collection stands under `(items)`.
    """
    told = {name: value for name, value in tree.values.items() if name not in tree.ignored}
    value: dict[str, Value] = {**tree.keys, **told}
    for name, part in tree.parts.items():
        # An element may have the name of an attribute beside it.
        value[f"({name})" if name in value else name] = _part_value(part)
    members: list[Value] = [element_value(t) for t in (*tree.items.values(), *tree.sequence)]
    if members:
        value["(items)"] = members
    return value


def shown_order(tree: Tree) -> Iterator[str]:
    """Give the labels of a collection's items in their order."""
    for item in tree.items.values():
        yield item.label


def _part_value(part: Tree) -> Value:
    members: list[Value] = [element_value(t) for t in (*part.items.values(), *part.sequence)]
    if members and not part.values and not part.parts:
        return members
    return element_value(part)


def _element_lines(item: Tree, label: str) -> Iterator[tuple[str, Value, int]]:
    below = list(flatten_lines(item, f"{label}."))
    if below:
        yield from below
    else:
        yield label, element_value(item), item.line
