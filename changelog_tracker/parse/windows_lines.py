"""
The kinds of Windows as a collector writes them: one JSON object a line, `windows/KIND.jsonl`.

`{"name": ..., "settings": {...}}` is a resource; `{"name": ..., "unread": "reason"}` is one that is
there and was not read. Everything else is an error with its line.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from changelog_tracker import catalogue
from changelog_tracker.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.catalogue import WindowsField
    from changelog_tracker.model import Settings, Value

MOST_LINES = 300_000
# A value of the registry may have a megabyte; as hexadecimal digits it has two.
LONGEST_LINE_BYTES = 4 * 1024 * 1024
LONGEST_NAME = 65_535
# A longer name is kept by its beginning and its hash: databases bound what they index.
LONGEST_KEPT_NAME = 800
MOST_SETTINGS = 200
MOST_ITEMS = 20_000
# With more than these it is the kind that was not read, and not some of its resources.
MOST_UNREAD = 500
HINT = "make the bundle again on the server; nobody edits these files"

_MOST_WHOLE = 2**64 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# NUL and the like, and half of a surrogate pair, which is no character and cannot be stored.
_NO_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")
_CONTENT = {"sha256", "size", "version"}


@dataclass(frozen=True, slots=True)
class WindowsLines:
    """
    What a file of lines tells.

    Args:
        settings: Of each resource that was read, by its name as written.
        unread: Why each of the others was not, by its name; a name that ends with a backslash is a
            folder with all that is below it.
    """

    settings: Mapping[str, Settings]
    unread: Mapping[str, str]


def windows_lines(kind: str, data: bytes, place: str) -> WindowsLines:
    """
    Read a file of one kind.

    Args:
        kind: One of `catalogue.windows_kinds`.
        data: Its bytes; none of them is an answer too: there is nothing of this kind.
        place: The file's name, for messages.

    Raises:
        FileError: Not such lines, one name twice, too much of anything.
    """
    if data and not data.endswith(b"\n"):
        raise FileError(place, "is cut off in its last line", HINT)
    if data.count(b"\n") > MOST_LINES:
        raise FileError(place, f"has more than {MOST_LINES:,} lines", HINT)
    fields = catalogue.windows_kinds()[kind].fields
    settings: dict[str, Settings] = {}
    unread: dict[str, str] = {}
    alike: dict[str, str] = {}
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        where = _Where(f"{place}, line {number}", fields)
        read = _object(line, where)
        name = _name(read, where)
        if name in settings or name in unread:
            raise where.wrong(f"the name {name[:80]!r} is there twice")
        other = alike.setdefault(name.casefold(), name)
        if "unread" in read:
            unread[name] = _reason(read, where)
        elif other == name:
            settings[name] = _settings(read, where)
        else:
            # Which of two names without case is meant, nothing that is kept could tell.
            unread[name] = f"its name differs from {_HALF.sub('?', other)} in case only"
    for name in {alike[one.casefold()] for one in unread} & settings.keys():
        del settings[name]
        unread[name] = "another name differs from it in case only"
    if len(unread) > MOST_UNREAD:
        name, reason = next(iter(unread.items()))
        what = f"{len(unread):,} resources in it were not read, the first {name}: {reason}"
        raise FileError(place, what)
    return WindowsLines(settings, unread)


@dataclass(frozen=True, slots=True)
class _Where:
    """A line being read: its place for messages, and the settings that its kind has."""

    place: str
    fields: Mapping[str, WindowsField]

    def wrong(self, what: str) -> FileError:
        """Make the error that names the line."""
        return FileError(self.place, _NO_CHARACTER.sub("?", what), HINT)


def _object(line: bytes, where: _Where) -> dict[str, Value]:
    if len(line) > LONGEST_LINE_BYTES:
        raise where.wrong(f"is longer than {LONGEST_LINE_BYTES:,} bytes")
    try:
        read = json.loads(
            line.decode(),
            object_pairs_hook=_pairs,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except RecursionError as error:
        raise FileError(where.place, "is nested too deeply", HINT) from error
    except UnicodeDecodeError as error:
        raise FileError(where.place, "is not UTF-8", HINT) from error
    except ValueError as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise FileError(where.place, f"is not valid JSON: {what}", HINT) from error
    if not isinstance(read, dict) or read.keys() not in ({"name", "settings"}, {"name", "unread"}):
        raise where.wrong("expected an object with name and settings, or name and unread")
    return read


def _pairs(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key twice in one object")
    return values


def _no_number(_text: str) -> NoReturn:
    raise ValueError("a number that is not whole")


def _name(read: Mapping[str, Value], where: _Where) -> str:
    """Take the name; what is no character in it is written as its number, and the end is cut."""
    name = read["name"]
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise where.wrong(f"name: expected text of 1 to {LONGEST_NAME:,} characters")
    kept = _NO_CHARACTER.sub(lambda found: f"[U+{ord(found[0]):04X}]", name)
    if len(kept) <= LONGEST_KEPT_NAME:
        return kept
    if kept.endswith("\\"):
        # What is below it could not be told by its name.
        raise where.wrong(f"the name of a folder has more than {LONGEST_KEPT_NAME} characters")
    return f"{kept[:LONGEST_KEPT_NAME]}[{hashlib.sha256(kept.encode()).hexdigest()[:16]}]"


def _reason(read: Mapping[str, Value], where: _Where) -> str:
    reason = read["unread"]
    if not isinstance(reason, str) or not reason.strip():
        raise where.wrong("unread: expected the reason as text")
    return " ".join(_NO_CHARACTER.sub(" ", reason).split())[:500]


def _settings(read: Mapping[str, Value], where: _Where) -> Settings:
    settings = read["settings"]
    if not isinstance(settings, dict) or not 0 < len(settings) <= MOST_SETTINGS:
        raise where.wrong(f"settings: expected an object of 1 to {MOST_SETTINGS} settings")
    for name in where.fields:
        # What a newer collector tells besides is taken; what makes the kind must be there.
        if name not in settings and where.fields[name].kind in {"content", "any"}:
            raise where.wrong(f"settings: expected {name}")
    return {_told(name): _value(name, value, where) for name, value in settings.items()}


def _value(name: str, value: Value, where: _Where) -> Value:
    field = where.fields.get(name)
    kind = field.kind if field else "any"
    if kind == "content":
        return _content(value, where)
    if value is None:
        return None
    if field is not None and not _fits(field, value):
        words = f"one of {', '.join(field.accepted)}" if field.accepted else _WORDS[kind]
        raise where.wrong(f"{name}: expected {words}")
    if isinstance(value, str):
        return _told(value)
    if isinstance(value, list):
        return _list(name, value, where, is_set=kind == "set")
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _MOST_WHOLE):
        return value
    raise where.wrong(f"{_told(name)[:80]}: expected {_WORDS['any']}")


_WORDS = {
    "any": "a whole number, text, or a list of texts",
    "bool": "true or false",
    "enum": "text",
    "set": "a list of texts",
    "text": "text",
    "whole": "a whole number",
}
_TYPES = {"bool": bool, "enum": str, "set": list, "text": str, "whole": int}


def _fits(field: WindowsField, value: Value) -> bool:
    if field.kind == "any":
        return True
    is_of = isinstance(value, _TYPES[field.kind])
    if isinstance(value, bool) and field.kind == "whole":
        return False
    return is_of and (not field.accepted or value in field.accepted)


def _list(name: str, value: list[Value], where: _Where, *, is_set: bool) -> Value:
    if len(value) > MOST_ITEMS or not all(isinstance(one, str) for one in value):
        raise where.wrong(f"{_told(name)[:80]}: expected a list of at most {MOST_ITEMS:,} texts")
    told = [_told(str(one)) for one in value]
    return [*sorted(set(told))] if is_set else [*told]


def _content(value: Value, where: _Where) -> Value:
    """Take what a file holds: hash, size, version; nothing else is a change of it."""
    if isinstance(value, dict) and value.keys() == _CONTENT:
        digest, size, version = (value[name] for name in ("sha256", "size", "version"))
        is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= _MOST_WHOLE
        is_version = version is None or (isinstance(version, str) and len(version) <= LONGEST_NAME)
        if isinstance(digest, str) and _SHA256.fullmatch(digest) and is_size and is_version:
            told = _told(version) if isinstance(version, str) else None
            return {"sha256": digest, "size": size, "version": told}
    raise where.wrong("Content: expected sha256 (64 digits in small letters), size and version")


def _told(text: str) -> str:
    """Give a text that can be stored."""
    return _HALF.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
