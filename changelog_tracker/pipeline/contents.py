"""Contents of resources -> trees of settings, and what differs between two of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.compare import Difference, compare, whole
from changelog_tracker.model import Tree
from changelog_tracker.normalise.exchange_tree import exchange_tree
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.parse.xml import children_of, node_of, with_children

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.model import ResourceId

# Above this a section is first compared element by element, by their bytes.
_BIG = 32 * 1024


def tree_of(resource: ResourceId, content: bytes) -> Tree:
    """Give the settings of one resource from its stored content."""
    if content.startswith(b"{"):
        return exchange_tree(resource.kind, json.loads(content))
    return iis_tree(resource.kind, resource.name, node_of(content))


def differ(
    load: Callable[[bytes], bytes],
) -> Callable[[ResourceId, bytes | None, bytes | None], list[Difference]]:
    """
    Make the function that compares two contents of one resource.

    Args:
        load: Gives a content by its digest.
    """

    def differences(
        resource: ResourceId, before: bytes | None, after: bytes | None
    ) -> list[Difference]:
        old = load(before) if before is not None else None
        new = load(after) if after is not None else None
        if old is None or new is None:
            return whole(
                tree_of(resource, old) if old is not None else None,
                tree_of(resource, new) if new is not None else None,
            )
        if min(len(old), len(new)) > _BIG and not old.startswith(b"{"):
            old, new = _only_what_differs(old, new)
        return compare(tree_of(resource, old), tree_of(resource, new))

    return differences


def _only_what_differs(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """
    Leave out the elements that both have, where each carries its own key.

    Thousands of assembly references are equal but for a few; expanding them all takes a second.
    """
    olds, old_rest = children_of(old)
    news, new_rest = children_of(new)
    in_both = Counter(olds) & Counter(news)
    old_left, new_left = _without(olds, in_both), _without(news, in_both)
    if not all(b"assemblyIdentity" in part for part in (*old_left, *new_left)):
        return old, new
    return with_children(old_rest, old_left), with_children(new_rest, new_left)


def _without(parts: list[bytes], leave_out: Counter[bytes]) -> list[bytes]:
    left = Counter(leave_out)
    kept = []
    for part in parts:
        if left[part] > 0:
            left[part] -= 1
        else:
            kept.append(part)
    return kept


def is_tracked(kind: str) -> bool:
    """Tell whether a kind is an Exchange noun that the catalogue knows."""
    return kind in catalogue.nouns()
