"""Comparing two parsed applicationHost.config, against DeepDiff of the nested trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepdiff import DeepDiff

from benchmarks.measure import Result, faster, in_turns
from benchmarks.tree import APPLICATION_HOST, REAL
from changelog_tracker.diff.compare import compare
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.parse.iis_config import application_host_records
from changelog_tracker.parse.xml import node, node_of, read_xml

if TYPE_CHECKING:
    from benchmarks.tree import Tree
    from changelog_tracker.model import Node
    from changelog_tracker.model import Tree as Settings


def measure(tree: Tree) -> list[Result]:
    """Give the ratio; both sides get what they compare already parsed."""
    del tree
    first = (REAL.parent / "e19-first" / APPLICATION_HOST).read_bytes()
    second = (REAL / APPLICATION_HOST).read_bytes()
    old, new = (_parsed(data) for data in (first, second))
    nested = [_nested(node(read_xml(data, "x"))) for data in (first, second)]
    times = in_turns(
        lambda: _compare(old, new), lambda: DeepDiff(*nested, ignore_order=False) and None, 3
    )
    return [faster("diff_vs_deepdiff", 75, times, "comparison to DeepDiff of nested trees")]


def _parsed(data: bytes) -> dict[Any, tuple[bytes, Settings]]:
    """Parse a file to what is compared: each resource's bytes, and its settings."""
    return {
        record.resource.key: (
            record.content,
            iis_tree(record.resource.kind, record.resource.name, node_of(record.content)),
        )
        for record in application_host_records(read_xml(data, "x"))
    }


def _compare(
    old: dict[Any, tuple[bytes, Settings]], new: dict[Any, tuple[bytes, Settings]]
) -> None:
    for key, (content, settings) in new.items():
        before = old.get(key)
        if before is not None and before[0] != content:
            compare(before[1], settings)


def _nested(one: Node) -> dict[str, Any]:
    return {
        "tag": one.tag,
        "attributes": one.attributes,
        "text": one.text,
        "children": [_nested(child) for child in one.children],
    }
