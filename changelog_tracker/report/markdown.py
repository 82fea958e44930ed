"""
Markdown for an auditor: whole values in tables, each cell escaped, nothing cut.

A document begins with what it covers (`head`) and ends with its sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.report import escape, phrases, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo
    from typing import TextIO

    from changelog_tracker.model import Value
    from changelog_tracker.report.phrases import Line

_LOG = ("Time", "Id", "Change", "Setting", "Before", "After", "Who", "Why")
_DRIFT = ("Difference", "Setting", "Wanted", "Found", "Who", "Why")
_SHOW = ("Setting", "Value", "Since", "Origin")


@dataclass(frozen=True, slots=True)
class _Table:
    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]]


def log(
    lines: Iterable[Line],
    out: TextIO,
    *,
    zone: tzinfo,
    head: Mapping[str, Value],
    unread: Sequence[Line] = (),
) -> None:
    """
    Write the change log, one table a server and day.

    Args:
        lines: As `log --json` has them, in the order to be shown.
        out: Where to.
        zone: The time zone of the reader; it decides what a day is.
        head: What the document covers, label to value (`head_hash` reads `Head hash`): servers,
            period, program and catalogue version, hash of the newest journal entry, coverage.
        unread: The kinds that are not read now: `server`, `kind`, `unread` (why), `since`.
    """
    tables: dict[tuple[str, str], _Table] = {}
    changes = undocumented = 0
    for line in lines:
        seen, server = words.moment(str(line["seen"]), zone), str(line["server"])
        key = (seen[:10], server)
        if key not in tables:
            title = f"{escape.markdown(server)}, {escape.markdown(seen[:10])}"
            tables[key] = _Table(title, _LOG, [])
        cells = (seen[11:], str(line.get("id", "")))
        tables[key].rows.append(
            [*map(escape.markdown, cells), *_cells(line, "before", "after", zone)]
        )
        changes += 1
        undocumented += phrases.is_undocumented(line)
    _write_head("Change log", head, out)
    _write_tables([*tables.values(), *_unread(unread, zone)], out)
    out.write(words.total(changes, undocumented, len(unread)) + ".\n")


def drift(
    lines: Iterable[Line],
    out: TextIO,
    *,
    against: str,
    zone: tzinfo,
    head: Mapping[str, Value],
    unread: Sequence[Line] = (),
) -> None:
    """Write what is not as wanted, one table a server; ends with what it was compared with."""
    tables: dict[str, _Table] = {}
    changes = undocumented = 0
    for line in lines:
        server = str(line["server"])
        table = tables.setdefault(server, _Table(escape.markdown(server), _DRIFT, []))
        table.rows.append(_cells(line, "wanted", "found", zone))
        changes += 1
        undocumented += phrases.is_undocumented(line)
    _write_head("Drift", head, out)
    _write_tables([*tables.values(), *_unread(unread, zone)], out)
    total = words.total(changes, undocumented, len(unread), "difference")
    out.write(f"Compared with {escape.markdown(against)}: {total}.\n")


def show(lines: Iterable[Line], out: TextIO, *, zone: tzinfo, head: Mapping[str, Value]) -> None:
    """Write the settings of one moment, one table a server, then the kinds that were not read."""
    tables: dict[str, _Table] = {}
    unread = []
    settings = 0
    for line in lines:
        if "unread" in line:
            unread.append(line)
            continue
        server = str(line["server"])
        table = tables.setdefault(server, _Table(escape.markdown(server), _SHOW, []))
        origin = line.get("rule") or line.get("origin") or ""
        cells = map(
            escape.markdown, (words.value(line.get("value")), _since(line, zone), str(origin))
        )
        table.rows.append([_setting(line), *cells])
        settings += 1
    _write_head("Settings", head, out)
    _write_tables([*tables.values(), *_unread(unread, zone)], out)
    out.write(words.total(settings, 0, len(unread), "setting") + ".\n")


def _cells(line: Line, before: str, after: str, zone: tzinfo) -> list[str]:
    people = map(escape.markdown, (phrases.who(line, zone), phrases.why(line, zone)))
    return [_change(line), _setting(line), *_values(line, before, after), *people]


def _change(line: Line) -> str:
    parts = [str(line.get("action", "changed")), *phrases.marks(line)]
    if line.get("folded"):
        parts.insert(1, str(line.get("class")))
    return escape.markdown(", ".join(parts))


def _setting(line: Line) -> str:
    name = escape.markdown_name(phrases.path(line))
    if not line.get("folded"):
        return name
    return f"{name} ({words.count(line['folded'], 'setting')} folded)"


def _values(line: Line, before: str, after: str) -> tuple[str, str]:
    if line.get("setting") is None:
        sides = words.whole(line.get(before)), words.whole(line.get(after))
    else:
        sides = words.sides(line.get(before), line.get(after))
    return escape.markdown(sides[0]), escape.markdown(sides[1])


def _since(line: Line, zone: tzinfo) -> str:
    return words.moment(str(line["since"]), zone) if line.get("since") else ""


def _unread(lines: Sequence[Line], zone: tzinfo) -> list[_Table]:
    rows: list[Sequence[str]] = [
        [
            escape.markdown(str(line.get("server") or "")),
            escape.markdown_name(phrases.path(line)),
            escape.markdown(_since(line, zone) or "never read"),
            escape.markdown(str(line.get("unread") or "")),
        ]
        for line in lines
    ]
    return [_Table("Not read", ("Server", "Kind", "Since", "Why"), rows)] if rows else []


def _write_head(title: str, head: Mapping[str, Value], out: TextIO) -> None:
    out.write(f"# {escape.markdown(title)}\n\n")
    rows = [
        [escape.markdown(_label(key)), escape.markdown(words.value(held))]
        for key, held in head.items()
    ]
    if rows:
        _write_rows(("About", "this document"), rows, out)


def _label(key: str) -> str:
    return key[:1].upper() + key[1:].replace("_", " ")


def _write_tables(tables: Iterable[_Table], out: TextIO) -> None:
    for table in tables:
        out.write(f"## {table.title}\n\n")
        _write_rows(table.columns, table.rows, out)


def _write_rows(columns: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO) -> None:
    whole = (columns, ["---"] * len(columns), *rows)
    out.writelines(f"| {' | '.join(row)} |\n" for row in whole)
    out.write("\n")
