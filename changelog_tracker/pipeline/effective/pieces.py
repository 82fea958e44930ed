"""What one file says of one section, in the order of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker import catalogue
from changelog_tracker.model import Node
from changelog_tracker.normalise.iis import iis_tree, section_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.catalogue import SectionFacts
    from changelog_tracker.model import ResourceId, Tree


_DIRECTIVES = frozenset({"clear", "remove", "clearSpns", "removeSpn"})


class Piece(NamedTuple):
    """
    One section of one file.

    Args:
        location: The attributes of the <location> around it, without its path.
        trees: What it says, one after the other; a <clear> or <remove> is one of its own.
        line: Where it stands; 0 where that is not known.
    """

    location: Mapping[str, str]
    trees: list[Tree]
    line: int


def pieces(resource: ResourceId, node: Node) -> Piece:
    """Read the element of a resource, with the <location> around it."""
    location: Mapping[str, str] = {}
    if node.tag == "location" and len(node.children) == 1:
        location, node = node.attributes, node.children[0]
    facts = catalogue.section(section_of(resource.name))
    trees = [iis_tree(resource.kind, resource.name, one) for one in in_turn(node, facts)]
    return Piece(location, trees, node.line)


def in_turn(node: Node, facts: SectionFacts | None) -> list[Node]:
    """
    Split an element so that each <clear> and <remove> stands alone, with its own line.

    A collection is read from its first line to its last: <add/><clear/> leaves nothing, and
    <clear/><add/> one element.
    """
    runs: list[list[Node]] = [[]]
    for child in node.children:
        split = in_turn(child, _facts_below(facts, child)) if _is_part(facts, child) else [child]
        for number, one in enumerate(split):
            if number or _is_directive(one) or any(map(_is_directive, runs[-1])):
                runs.append([])
            runs[-1].append(one)
    first = Node(node.tag, node.attributes, runs[0], node.text, node.line)
    return [first, *(Node(node.tag, {}, run, "", run[0].line) for run in runs[1:])]


def _is_directive(node: Node) -> bool:
    return node.tag in _DIRECTIVES


def _is_part(facts: SectionFacts | None, node: Node) -> bool:
    """Tell an element that stands once from one of a collection, which is taken as a whole."""
    if facts is None:
        return not node.attributes
    return node.tag in facts.get("elements", {})


def _facts_below(facts: SectionFacts | None, node: Node) -> SectionFacts | None:
    found: SectionFacts | None = (facts or {}).get("elements", {}).get(node.tag)
    return found
