"""The names of files as strangers wrote them: which are refused, and how a message shows one."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_SHOWN = 200
LONGEST_PATH = 1024
_DRIVE = re.compile(r"[A-Za-z]:")


def shown(text: str) -> str:
    """Write a name so that it stays one line and sends nothing to a terminal."""
    safe = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
    return safe if len(safe) <= LONGEST_SHOWN else safe[: LONGEST_SHOWN - 3] + "..."


def broken_name(name: str) -> str | None:
    """Say what makes a name impossible to keep or show, or None when nothing does."""
    if name.isprintable():
        return None
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not valid UTF-8"
    if any(unicodedata.category(c) == "Cc" for c in name):
        return "the name holds a control character"
    return None


def relative_path(name: str) -> str:
    """
    Make the name that a zip or bundle.json gives a path below the root.

    Args:
        name: As written there; Windows PowerShell's zips separate with backslashes.

    Returns:
        Parts joined by forward slashes, no empty part, none that climbs. Empty for the root.

    Raises:
        ValueError: What is wrong with it, in words.
    """
    if broken := broken_name(name):
        raise ValueError(broken)
    if len(name) > LONGEST_PATH:
        raise ValueError(f"the name is longer than {LONGEST_PATH} characters")
    path = name.replace("\\", "/")
    if path.startswith("/"):
        raise ValueError("the name is absolute")
    if _DRIVE.match(path):
        raise ValueError("the name starts with a drive letter")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    for part in parts:
        # Windows drops dots and spaces at the end, so ".. " climbs too.
        if not part.rstrip(". "):
            raise ValueError("the name leads out of its folder")
        if ":" in part:
            raise ValueError("the name holds a colon")
    return "/".join(parts)


def refuse_doubles(place: str, paths: Iterable[str]) -> None:
    """
    Refuse two files of one name: on Windows, names have no case.

    Raises:
        InputError: Names the second of them.
    """
    seen: dict[str, str] = {}
    for path in paths:
        key = path.casefold()
        if key in seen:
            what = f"{shown(path)}: the same name twice"
            if seen[key] != path:
                what = f"{shown(path)}: differs from {shown(seen[key])} in case only"
            raise InputError(place, what, "keep the one that the server has, and import again")
        seen[key] = path
