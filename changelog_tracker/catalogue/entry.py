"""One table of a catalogue file, read with errors that say file, field and what is expected."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A table of a TOML file.

    Args:
        place: The file's name.
        label: What the table is about ("field LoginType"), or nothing for the whole file.
        values: Its content.
    """

    place: str
    label: str
    values: Mapping[str, Any]

    def text(self, key: str, default: str | None = None) -> str:
        """Give a text; without a default it must be there."""
        found = self.values.get(key, default)
        if not isinstance(found, str):
            raise self.wrong(key, found, "a text")
        return found

    def maybe(self, key: str) -> str | None:
        """Give a text, or None where there is none."""
        return self.text(key) if key in self.values else None

    def texts(self, key: str, default: Iterable[str] = ()) -> tuple[str, ...]:
        """Give a list of texts."""
        found = self.values.get(key, list(default))
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self.wrong(key, found, "a list of texts")
        return tuple(found)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Give true or false."""
        found = self.values.get(key, default)
        if not isinstance(found, bool):
            raise self.wrong(key, found, "true or false")
        return found

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Give one of the allowed texts."""
        found = self.text(key, default)
        if found not in allowed:
            raise self.wrong(key, found, f"one of {', '.join(allowed)}")
        return found

    def choices(
        self, key: str, allowed: Iterable[str], default: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Give some of the allowed texts."""
        found = self.texts(key, default)
        strange = next((item for item in found if item not in allowed), None)
        if strange is not None:
            raise self.wrong(key, strange, f"one of {', '.join(allowed)}")
        return found

    def table(self, key: str) -> dict[str, dict[str, Any]]:
        """Give a table of tables, empty where there is none."""
        found = self.values.get(key, {})
        if not isinstance(found, dict):
            raise self.wrong(key, found, "a table")
        for name, inner in found.items():
            if not isinstance(inner, dict):
                raise self.wrong(f"{key}.{name}", inner, "a table in braces")
        return found

    def only(self, known: Iterable[str]) -> None:
        """
        Refuse a key that nobody reads.

        Raises:
            CatalogueError: There is one.
        """
        strange = next((key for key in self.values if key not in known), None)
        if strange is not None:
            what = f"{self.label} has" if self.label else "there is"
            raise CatalogueError(
                self.place, f"{what} the key {strange!r}; expected one of {', '.join(known)}"
            )

    def wrong(self, key: str, found: object, expected: str) -> CatalogueError:
        """Say what stands there and what should."""
        subject = f"{self.label} has " if self.label else ""
        what = "no " + key if found is None else f"{key} {found!r}"
        return CatalogueError(self.place, f"{subject}{what}; expected {expected}")


def read_entry(path: Path) -> Entry:
    """
    Read one TOML file.

    Raises:
        CatalogueError: It is not there, not UTF-8 or no TOML.
    """
    try:
        return Entry(path.name, "", tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(path.name, f"cannot be read: {type(error).__name__}") from error
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(path.name, f"no TOML: {error}") from error
