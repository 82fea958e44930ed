"""Reads a JSON object of a stranger field by field, each with its type."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker.collect.names import shown
from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value

LONGEST_LIST = 100_000
HINT = "make the bundle again on the server with the collector of this program"


@dataclass(frozen=True, slots=True)
class Fields:
    """
    One JSON object.

    Args:
        place: PATH as given, for messages.
        file: The name of the file below it.
        way: The way to the object inside the file, `readings[3]`; empty for the whole.
        values: Its fields. A missing one and null are the same.
    """

    place: str
    file: str
    way: str
    values: Mapping[str, Value]

    def wrong(self, key: str, expected: str) -> InputError:
        """Make the error that names a field and what was expected there."""
        return InputError(self.place, f"{self.file}: {self._to(key)}: expected {expected}", HINT)

    def optional_text(self, key: str) -> str | None:
        """Take a text; an empty one is None."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "text")
        return value or None

    def text(self, key: str) -> str:
        """Take a text that has to be there."""
        value = self.optional_text(key)
        if value is None:
            raise self.wrong(key, "text that is not empty")
        return value

    def whole(self, key: str, least: int, most: int) -> int | None:
        """Take a whole number within bounds."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def flag(self, key: str) -> bool | None:
        """Take true or false."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def time(self, key: str) -> datetime | None:
        """Take an ISO 8601 time with offset, as UTC."""
        text = self.optional_text(key)
        if text is None:
            return None
        expected = "an ISO 8601 time with offset, as 2026-11-22T10:00:00Z"
        try:
            time = datetime.fromisoformat(text)
            if time.tzinfo is None:
                raise self.wrong(key, expected)
            return time.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.wrong(key, expected) from error

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """Take one of a closed list of words."""
        value = self.optional_text(key)
        if value is not None and value not in choices:
            raise self.wrong(key, " or ".join(choices))
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Take a list of texts as a sorted set; a missing one is None."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and len(value) <= LONGEST_LIST:
            found = {one for one in value if isinstance(one, str)}
            if all(isinstance(one, str) for one in value):
                return tuple(sorted(found))
        raise self.wrong(key, f"a list of at most {LONGEST_LIST} texts")

    def part(self, key: str) -> Fields:
        """Take an object; a missing one is empty."""
        value = self.values.get(key)
        return self._object(key, {} if value is None else value)

    def parts(self, key: str) -> Iterator[Fields]:
        """Take a list of objects, one by one; a missing one is empty."""
        value = self.values.get(key)
        if value is None:
            return
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            raise self.wrong(key, f"a list of at most {LONGEST_LIST} objects")
        for index, item in enumerate(value):
            yield self._object(f"{key}[{index}]", item)

    def _to(self, key: str) -> str:
        return f"{self.way}.{key}" if self.way else key

    def _object(self, key: str, value: Value) -> Fields:
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Fields(self.place, self.file, self._to(key), value)


def read_object(place: str, file: str, data: bytes) -> Fields:
    """
    Read the bytes of a JSON file that holds one object.

    Args:
        place: PATH as given, for messages.
        file: The name of the file in it.
        data: UTF-8, UTF-16 or UTF-32, with or without a byte order mark, as PowerShell writes.

    Raises:
        InputError: Not JSON, not one object, a key twice, nested too deeply, no valid text.
    """
    try:
        text = data.decode(json.detect_encoding(data))
        value: Value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_number, parse_float=_number
        )
        # JSON can escape half of a surrogate pair, which is no character and cannot be stored.
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise InputError(place, f"{file}: nested too deeply", HINT) from error
    except ValueError as error:
        raise InputError(place, f"{file}: not valid JSON: {_reason(error)}", HINT) from error
    if not isinstance(value, dict):
        raise InputError(place, f"{file}: expected one JSON object", HINT)
    return Fields(place, file, "", value)


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno} column {error.colno}: {error.msg}"
    if isinstance(error, UnicodeError):
        return "not valid text"
    return shown(str(error))


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    values = dict(pairs)
    if len(values) != len(pairs):
        last = {key: index for index, (key, _) in enumerate(pairs)}
        twice = next(key for index, (key, _) in enumerate(pairs) if last[key] != index)
        raise ValueError(f"the key {twice!r} twice in one object")
    return values


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} cannot be kept")
    return number
