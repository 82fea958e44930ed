"""Contents of resources -> trees of settings, and what differs between two of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from changelog_tracker.diff.compare import Difference, compare, whole
from changelog_tracker.model import Tree
from changelog_tracker.normalise.exchange_tree import exchange_tree
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.parse.xml import node_of, only_what_differs

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.model import ResourceId

# Above this a section is first cut down to what differs, by its bytes.
_BIG = 32 * 1024


def tree_of(resource: ResourceId, content: bytes) -> Tree:
    """Give the settings of one resource from its stored content."""
    if content.startswith(b"{"):
        return exchange_tree(resource.kind, json.loads(content))
    return iis_tree(resource.kind, resource.name, node_of(content))


def differ(
    load: Callable[[bytes], bytes],
    held_back: Callable[[str, Tree, Tree], None] | None = None,
) -> Callable[[ResourceId, bytes | None, bytes | None], list[Difference]]:
    """
    Make the function that compares two contents of one resource.

    Args:
        load: Gives a content by its digest.
        held_back: Is told kind and both states of what is compared, to count what rules hold back.
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
            old, new = only_what_differs(old, new, "dependentAssembly")
        trees = tree_of(resource, old), tree_of(resource, new)
        if held_back is not None:
            held_back(resource.kind, *trees)
        return compare(*trees)

    return differences
