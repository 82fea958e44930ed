"""The columns of each report, for reading and for sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.report import phrases, words
from changelog_tracker.report.document import Column

if TYPE_CHECKING:
    from datetime import tzinfo

    from changelog_tracker.report.document import Cell, Kind
    from changelog_tracker.report.phrases import Line


def of(key: str, title: str, kind: Kind = "text", width: int = 16, empty: str = "") -> Column:
    """Make the column of one key; `empty` stands where it is null."""

    def cell(line: Line, _zone: tzinfo) -> Cell:
        held = line.get(key)
        return empty if held is None else held if kind in ("number", "share") else str(held)

    return Column(title, cell, kind, width)


def change(line: Line, _zone: tzinfo) -> str:
    """Word what happened: `changed, recovery, 50 settings folded`."""
    parts = [str(line.get("action", "changed")), *phrases.marks(line)]
    if line.get("folded"):
        parts += [str(line.get("class")), f"{words.count(line['folded'], 'setting')} folded"]
    return ", ".join(parts)


def _path(line: Line, _zone: tzinfo) -> str:
    return phrases.path(line)


def _value(line: Line, _zone: tzinfo) -> str:
    return words.value(line.get("value"))


def _state(line: Line, _zone: tzinfo) -> str:
    return phrases.state(line)


def _superseded_by(line: Line, _zone: tzinfo) -> str:
    return phrases.superseded_by(line)


def _everyone(line: Line, zone: tzinfo) -> str:
    return phrases.who(line, zone, None)


def _also(line: Line, _zone: tzinfo) -> str:
    return ", ".join(map(str, line.get("also") or ()))


def _sides(before: str, after: str) -> tuple[Column, Column]:
    """Make the two columns of old and new, or of wanted and found."""

    def both(line: Line) -> tuple[str, str]:
        if line.get("setting") is None:
            return words.whole(line.get(before)), words.whole(line.get(after))
        return words.sides(line.get(before), line.get(after))

    def side(key: str, place: int) -> Column:
        def cell(line: Line, _zone: tzinfo) -> str:
            return both(line)[place]

        return Column(key.capitalize(), cell, "value", 40)

    return side(before, 0), side(after, 1)


_ID = of("id", "Id", width=12)
_SERVER = of("server", "Server", width=12)
_SETTING = Column("Setting", _path, "name", 48)
_WHO = Column("Who", phrases.who, width=14)
_WHY = Column("Why", phrases.why, width=30)
_NAMES = (
    of("kind", "Kind", width=28),
    of("resource", "Resource", width=40),
    of("setting", "Setting", width=32),
)
_PEOPLE = (
    Column("Who", _everyone, width=24),
    Column("State", _state, width=16),
    of("reason", "Reason", width=40),
    of("ticket", "Ticket", width=12),
    of("by", "By"),
    of("approved_by", "Approved by"),
    of("expires", "Expires", "moment", 23),
)
COMMANDS = (
    of("redo", "Redo", width=60),
    of("undo", "Undo", width=60),
    of("why_not", "No command because", width=40),
)
_CHANGED = (
    of("action", "Action", width=10),
    of("class", "Class", width=15),
    of("folded", "Folded", "number", 8),
)

_BOTH, _WANTED = _sides("before", "after"), _sides("wanted", "found")

LOG = (
    of("seen", "Seen", "moment", 30),
    _ID,
    Column("Change", change, "change", 17),
    _SETTING,
    *_BOTH,
    _WHO,
    _WHY,
)
LOG_SHEET = (
    of("seen", "Seen", "moment", 23),
    of("not_before", "Not before", "moment", 23),
    _ID,
    _SERVER,
    *_CHANGED,
    *_NAMES,
    *_BOTH,
    Column("Also", _also, width=24),
    *_PEOPLE,
    Column("Superseded by", _superseded_by, width=14),
)


def _compared(sides: tuple[Column, Column]) -> tuple[Column, ...]:
    return (_ID, Column("Difference", change, "change", 17), _SETTING, *sides, _WHO, _WHY)


def _compared_sheet(sides: tuple[Column, Column]) -> tuple[Column, ...]:
    return (_SERVER, _ID, *_CHANGED, *_NAMES, *sides, Column("Also", _also, width=24), *_PEOPLE)


DRIFT, DRIFT_SHEET = _compared(_WANTED), _compared_sheet(_WANTED)
DIFF, DIFF_SHEET = _compared(_BOTH), _compared_sheet(_BOTH)

_VALUE = Column("Value", _value, "value", 60)
_SINCE = of("since", "Since", "moment", 23)
_ORIGIN = of("origin", "Origin", width=40)
_RULE = of("rule", "Ignored by", width=20)
SHOW = (_SETTING, _VALUE, _SINCE, _ORIGIN)
SHOW_IGNORED = (_SETTING, _VALUE, _SINCE, _RULE)
_EFFECTIVE = (
    of("step", "Step of inheritance", width=40),
    of("refused", "Does not count because", width=40),
)
SHOW_EFFECTIVE = (_SETTING, _VALUE, _ORIGIN, *_EFFECTIVE)
SHOW_SHEET = (
    _SERVER,
    of("at", "As known at", "moment", 23),
    *_NAMES,
    _VALUE,
    _SINCE,
    _ORIGIN,
    _RULE,
)

SHOW_EFFECTIVE_SHEET = (*SHOW_SHEET[:-1], *_EFFECTIVE)

_NEVER = of("since", "Not read since", "moment", 23, "never read")
_REASON = of("unread", "Why", width=60)
UNREAD = (_SERVER, Column("Kind", _path, "name", 48), _NEVER, _REASON)
UNREAD_SHEET = (_SERVER, *_NAMES[:2], _NEVER, _REASON)


def day_and_server(line: Line, zone: tzinfo) -> str:
    """Give the heading of a change on a page: its server, and its day where the reader sits."""
    return f"{line['server']}, {words.moment(str(line['seen']), zone)[:10]}"


def server(line: Line, _zone: tzinfo) -> str:
    """Give the heading of a setting or difference on a page."""
    return str(line.get("server", ""))
