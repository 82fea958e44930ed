"""Text tables for a terminal: snapshots, coverage, and what the catalogue tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from changelog_tracker.report import escape, times, words
from changelog_tracker.report.look import Look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from changelog_tracker.report.document import Cell, Column, Document
    from changelog_tracker.report.look import LookOptions
    from changelog_tracker.report.phrases import Line

_NUMBERS = frozenset({"READ", "NOT READ", "CHANGES", "WATCHED", "MISSING", "SNAPSHOT", "SECONDS"})
# On a terminal; what goes to a file is whole.
_MOST_OF_A_CELL = 60


def snapshots(lines: Iterable[Line], out: TextIO, **options: Unpack[LookOptions]) -> None:
    """
    Write a table of snapshots, in the order given.

    Args:
        lines: As `snapshots --json` has them; kinds as numbers or as lists of their names.
        out: Where to.
        options: See `LookOptions`; the time zone counts.
    """
    look = Look(**options)
    rows = [
        {
            "ID": escape.terminal(str(line["id"])),
            "AT": words.moment(str(line["at"]), look.zone),
            "SERVER": escape.terminal(str(line["server"])),
            "ITS CLOCK": times.clock(
                str(line["at"]), line.get("utc_offset_min"), line.get("skew_ms")
            ),
            "READ": str(_number(line.get("kinds_read"))),
            "NOT READ": str(_number(line.get("kinds_unread"))),
            "CHANGES": str(line.get("changes") or 0),
            "SOURCE": escape.terminal(str(line.get("source") or "")),
        }
        for line in lines
    ]
    if all(row["ITS CLOCK"] == times.NO_CLOCK for row in rows):
        rows = [{name: row[name] for name in row if name != "ITS CLOCK"} for row in rows]
    write_table(rows, out)
    out.write(words.total(len(rows), 0, 0, "snapshot") + "\n")


def coverage(document: Document, out: TextIO, **options: Unpack[LookOptions]) -> None:
    """Write what was watched, then the gaps, then the sum; times are local."""
    look = Look(**options)
    for table in document.pages:
        rows = [
            {
                column.title.upper(): _text(column, column.cell(line, look.zone), look)
                for column in table.columns
            }
            for line in table.lines
        ]
        write_table(rows, out)
        out.write("\n" if rows else "")
    out.write(f"{document.total}\n")


def _text(column: Column, cell: Cell, look: Look) -> str:
    if column.kind == "moment" and cell:
        return words.moment(str(cell), look.zone)
    if column.kind == "share" and isinstance(cell, int | float):
        return times.share(cell)
    shown = escape.terminal("" if cell is None else str(cell))
    return words.cut(shown, _MOST_OF_A_CELL) if look.width else shown


def catalogue(lines: Iterable[Line], out: TextIO) -> None:
    """Write what is tracked, one setting a row, and how many documented ones that covers."""
    rows, documented, covered = [], 0, 0
    for line in lines:
        if line.get("documented") and line.get("writable"):
            documented += 1
            covered += bool(line.get("tracked"))
        rows.append(
            {
                "SETTING": escape.terminal(f"{line['kind']}.{line['setting']}"),
                "TRACKED": words.value(bool(line.get("tracked"))),
                "WRITABLE": words.value(bool(line.get("writable"))),
                "MANAGED BY": escape.terminal(str(line.get("managed_by") or "")),
                "KEPT IN": escape.terminal(str(line.get("kept_in") or "")),
                "DEFAULT": words.cut(words.value(line.get("default")), 40),
                "VERSIONS": words.value(line.get("versions")),
            }
        )
    write_table(rows, out)
    total = words.total(len(rows), 0, 0, "setting")
    out.write(f"{total}; {covered} of {documented} documented writable parameters tracked\n")


def _number(kinds: object) -> object:
    return len(kinds) if isinstance(kinds, list) else kinds or 0


def write_table(rows: Sequence[Mapping[str, str]], out: TextIO) -> None:
    """Write aligned columns under their names; a column of numbers by its name to the right."""
    if not rows:
        return
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for row in ({name: name for name in rows[0]}, *rows):
        cells = [
            text.rjust(widths[name]) if name in _NUMBERS else text.ljust(widths[name])
            for name, text in row.items()
        ]
        out.write("  ".join(cells).rstrip() + "\n")
