"""
Reads the names of IIS settings: `PLACE : SECTION`, and appcmd's `a.b.[key='v'].c`.

Nothing is guessed: what is not exactly in this notation has no steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SERVER_LEVEL = "MACHINE/WEBROOT/APPHOST"

_NAME = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_KEY = re.compile(r"([A-Za-z_][\w-]*)='((?:[^']|'')*)'", re.ASCII)
_SECTION = re.compile(r"[A-Za-z][\w.-]*(?:/[A-Za-z][\w.-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a collection, by its keys in the order of the setting's name."""

    keys: tuple[tuple[str, str], ...]


# A name of an element or attribute, or an element of a collection.
Step = str | Element


def steps(setting: str) -> tuple[Step, ...] | None:
    """
    Part a setting's name into its steps.

    Returns:
        None for what is no attribute or element by key: `(order)`, `[1]`.
    """
    found: list[Step] = []
    at = 0
    while at < len(setting):
        if found:
            if setting[at] != ".":
                return None
            at += 1
        step, at = _element(setting, at) if setting[at : at + 1] == "[" else _name(setting, at)
        if step is None:
            return None
        found.append(step)
    return tuple(found) or None


def place_and_section(resource: str) -> tuple[str, str] | None:
    """Part the name of an IisSection; None where it is none."""
    place, colon, section = resource.rpartition(" : ")
    return (place, section) if colon and place and _SECTION.fullmatch(section) else None


def _name(setting: str, at: int) -> tuple[Step | None, int]:
    found = _NAME.match(setting, at)
    return (found.group(), found.end()) if found else (None, at)


def _element(setting: str, at: int) -> tuple[Step | None, int]:
    keys: list[tuple[str, str]] = []
    while setting[at : at + 1] in ("[", ","):
        found = _KEY.match(setting, at + 1)
        if found is None or (keys and setting[at] == "["):
            return None, at
        keys.append((found[1], found[2].replace("''", "'")))
        at = found.end()
    return (Element(tuple(keys)), at + 1) if setting[at : at + 1] == "]" else (None, at)
