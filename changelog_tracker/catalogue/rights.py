"""Which right of Exchange brings a cmdlet: management roles and role groups (rights.toml)."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from changelog_tracker.catalogue.loader import HERE
from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEYS = {"role", "groups", "cmdlets", "source", "confirmed"}


@dataclass(frozen=True, slots=True)
class Right:
    """
    What an account needs so that it sees a cmdlet.

    Args:
        role: The smallest management role.
        groups: Built-in role groups that bring it, the smallest first.
        source: Where that is said.
        confirmed: Whether the source names what the cmdlet reads.
    """

    role: str
    groups: tuple[str, ...]
    source: str
    confirmed: bool

    def __str__(self) -> str:
        """Say it in a line, for somebody who lacks it."""
        sure = "" if self.confirmed else "; unconfirmed"
        return f"{self.role} (role group {' or '.join(self.groups)}{sure})"


def right_for(cmdlet: str) -> Right | None:
    """Give what brings a cmdlet; None where this program does not know."""
    return rights().get(cmdlet)


@functools.cache
def rights() -> Mapping[str, Right]:
    """Give the right for each cmdlet that this program calls."""
    return read_rights(HERE / "rights.toml")


def read_rights(file: Path) -> Mapping[str, Right]:
    """
    Read the table.

    Raises:
        CatalogueError: A key is missing, unknown, or a cmdlet stands there twice.
    """
    found: dict[str, Right] = {}
    for entry in tomllib.loads(file.read_text("utf-8")).get("right", ()):
        if entry.keys() != _KEYS:
            wrong = ", ".join(sorted(entry.keys() ^ _KEYS))
            raise CatalogueError(file.name, f"missing or unknown keys: {wrong}")
        right = Right(entry["role"], tuple(entry["groups"]), entry["source"], entry["confirmed"])
        for cmdlet in entry["cmdlets"]:
            if cmdlet in found:
                raise CatalogueError(file.name, f"{cmdlet} twice")
            found[cmdlet] = right
    return MappingProxyType(found)
