"""The settings of an Exchange object as a tree, with what compares each value."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from changelog_tracker import catalogue
from changelog_tracker.model import Tree

if TYPE_CHECKING:
    from changelog_tracker.model import Settings, Value


_SERVER = "Server"


def exchange_tree(kind: str, settings: Settings) -> Tree:
    """
    Give an object's settings, each with what compares it.

    Two named rules fold here, and only here: `empty-text` (null, the empty string and the empty
    list are one to the directory) and `host-case` (scheme and host of a URL, and the name of a
    server, have no case).
    """
    noun = catalogue.nouns().get(kind)
    tree = Tree(values=settings)
    for name, value in settings.items():
        field = noun.fields.get(name) if noun else None
        if value in ("", []):
            tree.compared[name] = None
        elif field is not None and field.kind == "uri" and isinstance(value, str):
            tree.compared[name] = _folded_url(value)
        elif name == _SERVER and isinstance(value, str):
            tree.compared[name] = value.casefold()
        elif field is not None and field.kind == "set" and isinstance(value, list):
            tree.compared[name] = _folded_set(value)
    return tree


def _folded_url(text: str) -> Value:
    try:
        parts = urlsplit(text)
        return urlunsplit(
            (parts.scheme.lower(), parts.netloc.lower(), parts.path, parts.query, parts.fragment)
        )
    except ValueError:
        return text


def _folded_set(values: list[Value]) -> Value:
    return sorted(values, key=repr)
