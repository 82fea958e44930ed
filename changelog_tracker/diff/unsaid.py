"""
Resources of which a reading of their kind said that they are there and were not read.

Each is a reading of its own, named like the resource, and unread; one whose name ends with a slash
is a folder with all that is below it. Nothing else that the reading of the kind said is about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.model import ReadingId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from changelog_tracker.model import KnownReading, Reading, ReadingKey, ResourceKey


def is_part(reading: ReadingId) -> bool:
    """Tell whether a reading is of one resource of a kind that is told as a whole."""
    return bool(reading.scope) and reading.kind in catalogue.windows_kinds()


def whole_of(reading: ReadingId) -> ReadingKey:
    """Give the reading of the kind that a part belongs to."""
    return ReadingId(reading.kind).key


class Unsaid:
    """
    Tells which resources were not read, though their kind was.

    Args:
        readings: What a snapshot answered, or the last answers.
    """

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._scopes: dict[str, set[str]] = {}
        for one in readings:
            if one.status == "unread" and is_part(one.id):
                kind, scope = one.id.key
                self._scopes.setdefault(kind, set()).add(scope)

    @classmethod
    def of_known(cls, readings: Mapping[ReadingKey, KnownReading]) -> Unsaid:
        """Take the last answers of a server."""
        return cls(last.reading for last in readings.values())

    def part_of(self, resource: ResourceKey) -> ReadingKey | None:
        """Give the reading that says that a resource, or a folder above it, was not read."""
        kind, name, _ = resource
        scopes = self._scopes.get(kind)
        if not scopes:
            return None
        return next(((kind, one) for one in _upwards(name) if one in scopes), None)

    def __contains__(self, resource: ResourceKey) -> bool:
        return self.part_of(resource) is not None


def _upwards(name: str) -> Iterator[str]:
    """Give a name and each folder above it, with its slash."""
    yield name
    at = name.rfind("/")
    while at >= 0:
        yield name[: at + 1]
        at = name.rfind("/", 0, at)
