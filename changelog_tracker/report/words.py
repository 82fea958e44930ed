"""How values, times and counts are worded, the same in text and in Markdown."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from changelog_tracker.report import escape, json_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from changelog_tracker.model import Value

NOTHING = "(nothing)"
# What stands between two parts of a line; a value that holds one of them is quoted.
_SEPARATORS = ("  ", " -> ", ", found ")
_BETWEEN_ITEMS = frozenset(",{}[]")
# Of what is cut, the least that is shown: at its beginning, before a difference.
_BEGIN, _LEAD = 4, 6


def value(what: Value) -> str:
    r"""
    Word one value: bare is literal, in double quotes backslashes escape.

    Returns:
        One printable line, never cut: `(nothing)`, `true`, `a, b`, `(secret k1:9f3c)`,
        `{name: x, verb: *}`, `" spaced"`, `"\x1b[31m"`.
    """
    if isinstance(what, list):
        return ", ".join(map(_item, what)) or "(empty list)"
    if isinstance(what, str):
        return _text(what)
    return _item(what)


def _item(what: Value) -> str:
    if what is None:
        return NOTHING
    if isinstance(what, bool):
        return "true" if what else "false"
    if isinstance(what, str):
        return quoted(what) if _BETWEEN_ITEMS.intersection(what) else _text(what)
    if isinstance(what, list):
        return "[" + ", ".join(map(_item, what)) + "]"
    if isinstance(what, dict):
        return _object(what)
    return str(what)


def _object(what: Mapping[str, Value]) -> str:
    if list(what) == ["secret"]:
        return f"(secret {escape.terminal(str(what['secret']))})"
    return "{" + ", ".join(f"{_item(key)}: {_item(held)}" for key, held in what.items()) + "}"


def _text(text: str) -> str:
    bare = (
        escape.is_plain(text)
        and text.strip() == text != ""
        and text[0] not in '"({'
        and not any(part in text for part in _SEPARATORS)
    )
    return text if bare else quoted(text)


def quoted(text: str) -> str:
    """Put text in double quotes, for where it could be mistaken bare."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escape.terminal(inside)}"'


def whole(settings: Value) -> str:
    """Word a resource that came or went: how many settings, then which."""
    if not isinstance(settings, dict) or list(settings) == ["secret"]:
        return value(settings)
    if not settings:
        return "no settings"
    held = ", ".join(f"{_item(key)}: {_item(what)}" for key, what in settings.items())
    return f"{count(len(settings), 'setting')}: {held}"


def sides(before: Value, after: Value, room: int | None = None) -> tuple[str, str]:
    """
    Word two values that differ so that the difference is seen.

    Args:
        before: What stood there (or what is wanted).
        after: What stands there (or what was found).
        room: Characters for each; None where nothing is cut.

    Returns:
        Both, different whenever the values are: JSON where the same words would stand for text
        and number, cut near the difference where they are long.
    """
    texts = value(before), value(after)
    if texts[0] == texts[1]:
        texts = json_lines.dumps(before), json_lines.dumps(after)
    if room is None or max(map(len, texts)) <= room:
        return texts
    if isinstance(before, list) and isinstance(after, list):
        came, went = _more(after, before), _more(before, after)
        if came or went:
            parts = [f"{name} {value(many)}" for name, many in (("+", came), ("-", went)) if many]
            now = f"{count(len(after), 'value')}: {'; '.join(parts)}"
            return count(len(before), "value"), cut(now, room)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    if alike <= room // 3 - _LEAD:
        return cut(texts[0], room), cut(texts[1], room)
    return _from(texts[0], alike - _LEAD, room), _from(texts[1], alike - _LEAD, room)


def _from(text: str, start: int, room: int) -> str:
    """Show the beginning of what is longer than `room`, and what stands at `start`."""
    if len(text) <= room:
        return text
    lead = f"{text[:_BEGIN]}{_mark(text)}"
    end = start + max(room - len(lead), 2 * _LEAD)
    return f"{lead}{text[start:end]}" + ("[...]" if end < len(text) else "")


def _mark(text: str) -> str:
    return f"[...{len(text)} chars...]"


def _more(many: Sequence[Value], than: Sequence[Value]) -> list[Value]:
    left = Counter(map(json_lines.dumps, than))
    found: list[Value] = []
    for one in many:
        key = json_lines.dumps(one)
        if left[key]:
            left[key] -= 1
        else:
            found.append(one)
    return found


def cut(text: str, room: int) -> str:
    """Take out the middle of what is longer than `room`, and say how long it was."""
    if len(text) <= room:
        return text
    mark = _mark(text)
    head = max(room // 3, _LEAD)
    tail = max(room - head - len(mark), _LEAD)
    return text if head + tail >= len(text) else f"{text[:head]}{mark}{text[-tail:]}"


def moment(time: str, zone: tzinfo) -> str:
    """
    Word a time as people of `zone` read it, with its offset.

    Args:
        time: ISO 8601 with Z or an offset. What is no such time is shown as it is.
        zone: Where the reader sits.

    Returns:
        `2026-11-20 14:05 +01:00`.
    """
    try:
        local = datetime.fromisoformat(time).astimezone(zone)
    except (ValueError, OverflowError):
        return escape.terminal(time)
    text = local.isoformat(sep=" ", timespec="minutes")
    return f"{text[:16]} {text[16:]}"


def count(number: int, noun: str) -> str:
    """Word a number of things: `1 change`, `2 changes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def total(changes: int, undocumented: int, unread: int, noun: str = "change") -> str:
    """Word the sum that ends a report: `2 changes (1 undocumented), 1 kind not read`."""
    text = count(changes, noun) if changes else f"no {noun}s"
    if undocumented:
        text += f" ({undocumented} undocumented)"
    return f"{text}, {count(unread, 'kind')} not read" if unread else text


def sentence(said: str) -> str:
    """Make a sentence of words that end a report."""
    return f"{said[:1].upper()}{said[1:]}."
