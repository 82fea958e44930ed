"""The rules of noise of noise.toml: what differs without anybody having changed it."""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from changelog_tracker.catalogue.entry import Entry, read_entry
from changelog_tracker.catalogue.loader import HERE, nouns
from changelog_tracker.catalogue.shapes import NoiseRule
from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from pathlib import Path

_KEYS = (*("name", "why", "nouns", "sections", "properties", "pattern", "does", "unconfirmed"),)
_DOES = ("ignore", "generalise", "unorder")


@functools.cache
def noise_rules() -> tuple[NoiseRule, ...]:
    """
    Give every rule, in the order of the file.

    Raises:
        CatalogueError: noise.toml is wrong.
    """
    return read_rules(HERE / "noise.toml")


@functools.lru_cache(maxsize=4096)
def noise_rule(noun: str, prop: str) -> str | None:
    """
    Name the rule by which a property is left out, or None where it is kept.

    A property that has a Set- parameter is never noise.

    Args:
        noun: An Exchange noun, or the name of an IIS section.
        prop: A property; of a section an attribute in appcmd's notation.
    """
    known = nouns().get(noun)
    field = known.fields.get(prop) if known else None
    if field is not None and field.writable:
        return None
    is_section = known is None and noun[:1].islower()
    for rule in noise_rules():
        if rule.does == "ignore" and _is_about(rule, noun, is_section) and _names(rule, prop):
            return rule.name
    return None


def comparable_key(section: str, label: str) -> str:
    """
    Give the key of a collection's element as it is compared: without what is generated in it.

    Args:
        section: The IIS section.
        label: The key in appcmd's notation, `[name='AboMapperCustom-5782']`.
    """
    for rule in noise_rules():
        if rule.does == "generalise" and rule.pattern and section in rule.sections:
            label = re.sub(rule.pattern, r"\1*", label)
    return label


def read_rules(path: Path) -> tuple[NoiseRule, ...]:
    """
    Read a file of rules.

    Raises:
        CatalogueError: It is wrong.
    """
    entry = read_entry(path)
    entry.only(("rule",))
    found = entry.values.get("rule")
    if not isinstance(found, list):
        raise entry.wrong("rule", found, "[[rule]] tables")
    return tuple(
        _rule(Entry(entry.place, f"rule {number}", values))
        for number, values in enumerate(found, start=1)
    )


def _rule(entry: Entry) -> NoiseRule:
    entry.only(_KEYS)
    pattern = entry.maybe("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            raise CatalogueError(
                entry.place, f"{entry.label} has pattern {pattern!r}: {error}"
            ) from error
    return NoiseRule(
        name=entry.text("name"),
        why=entry.text("why"),
        nouns=entry.texts("nouns"),
        sections=entry.texts("sections"),
        properties=entry.texts("properties"),
        pattern=pattern,
        does=entry.choice("does", _DOES, "ignore"),
        unconfirmed=entry.flag("unconfirmed"),
    )


def _is_about(rule: NoiseRule, noun: str, is_section: bool) -> bool:
    globs = rule.sections if is_section else rule.nouns
    return any(fnmatchcase(noun, glob) for glob in globs)


def _names(rule: NoiseRule, prop: str) -> bool:
    if prop in rule.properties:
        return True
    return rule.pattern is not None and re.search(rule.pattern, prop) is not None
