"""
Configuration elements -> settings, guided by the section facts of the catalogue.

Every attribute and text comes out as a value, as part of a key, or is named by a rule that leaves
it out. What the schema does not know is read by shape: an element with a `name` or `key`
attribute is an item of a collection, an element that stands once is a part.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from changelog_tracker import catalogue
from changelog_tracker.model import Tree
from changelog_tracker.normalise.iis_values import secret_or_text, typed

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from changelog_tracker.model import Node, Value

# Facts of one element as iis_sections.json has them: attributes, elements, collections.
Facts = dict[str, Any]

# Where the schema is silent, an element that carries one of these is an item of a collection.
_KEY_ATTRIBUTES = ("name", "key")
_IDENTITY = ("name", "publicKeyToken", "culture")
# The places in the catalogue of what is a resource of its own.
_RESOURCE_FACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "IisSite": ("system.applicationHost/sites", ("site",)),
    "IisApplication": ("system.applicationHost/sites", ("site", "application")),
    "IisVirtualDirectory": (
        "system.applicationHost/sites",
        ("site", "application", "virtualDirectory"),
    ),
    "IisBinding": ("system.applicationHost/sites", ("site", "bindings", "binding")),
    "IisAppPool": ("system.applicationHost/applicationPools", ("add",)),
}
# What the resource's name already says.
_IN_THE_NAME = {
    "IisSite": ("name",),
    "IisApplication": ("path",),
    "IisVirtualDirectory": ("path",),
    "IisBinding": ("protocol", "bindingInformation"),
    "IisAppPool": ("name",),
}


def section_of(resource_name: str) -> str:
    """Give the section that a resource's name ends in."""
    return re.sub(r" \(\d+\)$", "", resource_name.rpartition(" : ")[2])


def iis_tree(kind: str, name: str, node: Node) -> Tree:
    """
    Give the settings of one resource of applicationHost.config or a web.config.

    Args:
        kind: `IisSection`, `ConfigFile`, `IisSite`, ...
        name: The resource's name; of a section it ends in ` : SECTION`.
        node: The element, below a <location> element where that carries attributes.
    """
    location: dict[str, str] = {}
    if node.tag == "location" and len(node.children) == 1:
        location, node = node.attributes, node.children[0]
    if kind in _RESOURCE_FACTS:
        section, steps = _RESOURCE_FACTS[kind]
        tree = _tree(node, _item_facts(section, steps), section, ())
        for attribute in _IN_THE_NAME[kind]:
            tree.values.pop(attribute, None)
            tree.ignored.pop(attribute, None)
    else:
        section = section_of(name)
        tree = _tree(node, catalogue.section(section), section, ())
    for attribute, text in location.items():
        tree.values[f"({attribute})"] = typed(_LOCATION_FACTS.get(attribute), text)
    return tree


_LOCATION_FACTS: dict[str, Facts] = {
    "inheritInChildApplications": {"type": "bool"},
    "allowOverride": {"type": "bool"},
}


def _item_facts(section: str, steps: Sequence[str]) -> Facts | None:
    """Walk from a section's facts down to those of a collection's item."""
    facts: Facts | None = catalogue.section(section)
    for step in steps:
        if facts is None:
            return None
        collection = next(
            (c for c in facts.get("collections", ()) if step in c["add"].split(",")), None
        )
        facts = collection["item"] if collection else facts.get("elements", {}).get(step)
    return facts


def _tree(node: Node, facts: Facts | None, section: str, path: tuple[str, ...]) -> Tree:
    tree = Tree(line=node.line)
    attributes = facts.get("attributes", {}) if facts else {}
    for name, text in node.attributes.items():
        tree.values[name] = typed(attributes.get(name), text)
        rule = catalogue.noise_rule(section, name)
        if rule is not None:
            tree.ignored[name] = rule
    if node.text:
        tree.values["(text)"] = secret_or_text(node.text)
    if facts is None:
        _read_by_shape(node, tree, section, path)
    else:
        _read_by_schema(node, tree, facts, section, path)
    return tree


def _read_by_schema(
    node: Node, tree: Tree, facts: Facts, section: str, path: tuple[str, ...]
) -> None:
    collections: list[Facts] = facts.get("collections", [])
    elements: dict[str, Facts] = facts.get("elements", {})
    unknown: list[Node] = []
    items: list[tuple[Node, Facts]] = []
    removed: list[Value] = []
    for child in node.children:
        collection = _collection_of(child.tag, collections)
        if collection is not None:
            what, collected = collection
            if what == "add":
                items.append((child, collected))
            elif what == "clear":
                _put_clear(tree, child, section, path)
            else:
                keys = _schema_keys(child, collected["item"])
                removed.append(_key_label({**keys, **child.attributes}))
        elif child.tag in elements and child.tag not in tree.parts:
            tree.parts[child.tag] = _tree(child, elements[child.tag], section, (*path, child.tag))
        else:
            unknown.append(child)
    if removed:
        tree.values["(remove)"] = removed
    for child, collected in items:
        item = _tree(child, collected["item"], section, (*path, child.tag))
        keys = {} if collected.get("allow_duplicates") else _schema_keys(child, collected["item"])
        known = collected["item"].get("attributes", {})
        exact = any(known[name].get("case_sensitive") for name in keys)
        _put_item(tree, item, keys, section, exact=exact)
        if not keys and "," in collected["add"]:
            item.values["(element)"] = child.tag
    tree.ordered = bool(tree.items) and catalogue.is_ordered(section, ".".join(path))
    if unknown:
        _read_children_by_shape(unknown, tree, section, path)


def _collection_of(tag: str, collections: list[Facts]) -> tuple[str, Facts] | None:
    for collection in collections:
        if tag in collection["add"].split(","):
            return "add", collection
        if tag == collection.get("clear"):
            return "clear", collection
        if tag == collection.get("remove"):
            return "remove", collection
    return None


def _schema_keys(node: Node, item: Facts) -> dict[str, Value]:
    """Give the attributes that make an item's key, in the schema's order."""
    keys: dict[str, Value] = {}
    for name, facts in item.get("attributes", {}).items():
        if facts.get("key") or facts.get("combined_key"):
            text = node.attributes.get(name, facts.get("default"))
            if text is not None:
                keys[name] = text
    return keys


def _read_by_shape(node: Node, tree: Tree, section: str, path: tuple[str, ...]) -> None:
    if node.tag == "dependentAssembly":
        identity = next((c for c in node.children if c.tag == "assemblyIdentity"), None)
        if identity is not None and not (identity.children or identity.text or _shape_keys(node)):
            tree.keys = {
                name: identity.attributes[name]
                for name in (*_IDENTITY, *identity.attributes)
                if name in identity.attributes
            }
            rest = [child for child in node.children if child is not identity]
            _read_children_by_shape(rest, tree, section, path)
            return
    _read_children_by_shape(node.children, tree, section, path)


def _read_children_by_shape(
    children: list[Node], tree: Tree, section: str, path: tuple[str, ...]
) -> None:
    count = Counter(child.tag for child in children)
    removed: list[Value] = list(cast("list[Value]", tree.values.get("(remove)", [])))
    for child in children:
        if child.tag == "clear":
            _put_clear(tree, child, section, path)
            continue
        keys = _shape_keys(child)
        if child.tag == "remove" and keys:
            removed.append(_key_label({**keys, **child.attributes}))
            continue
        below = _tree(child, None, section, (*path, child.tag))
        if keys or below.keys:
            _put_item(tree, below, keys or below.keys, section)
        elif count[child.tag] == 1 and child.tag != "add" and child.tag not in tree.parts:
            tree.parts[child.tag] = below
        else:
            if child.tag != "add":
                below.values["(element)"] = child.tag
            tree.sequence.append(below)
    if removed:
        tree.values["(remove)"] = removed


def _put_clear(tree: Tree, node: Node, section: str, path: tuple[str, ...]) -> None:
    tree.values["(clear)"] = True
    if node.attributes or node.children or node.text:
        tree.sequence.append(_tree(node, None, section, (*path, node.tag)))
        tree.sequence[-1].values["(element)"] = node.tag


def _shape_keys(node: Node) -> dict[str, Value]:
    for name in _KEY_ATTRIBUTES:
        if name in node.attributes:
            return {name: node.attributes[name]}
    return {}


def _put_item(
    tree: Tree, item: Tree, keys: Mapping[str, Value], section: str, *, exact: bool = False
) -> None:
    """Put an item under its key; a key that stands twice gets a number."""
    if not keys:
        tree.sequence.append(item)
        return
    for name in keys:
        item.values.pop(name, None)
        item.ignored.pop(name, None)
    item.keys = dict(keys)
    label = _key_label(keys)
    compared = catalogue.comparable_key(section, label)
    generated = compared != label
    if not exact:
        compared = compared.casefold()
    suffix = _number(compared, tree.items)
    tree.items[compared + suffix] = item
    if generated:
        # What is compared leaves out what is generated, so the names are counted by themselves.
        suffix = _number(label, {one.label for one in tree.items.values()})
    item.label = label + suffix


def _number(name: str, taken: Container[str]) -> str:
    """Give what tells a second one apart: `[2]`."""
    suffix, number = "", 1
    while name + suffix in taken:
        number += 1
        suffix = f"[{number}]"
    return suffix


def _key_label(keys: Mapping[str, Value]) -> str:
    quoted = (
        f"{name}='{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in keys.items()
    )
    return f"[{','.join(quoted)}]"
