"""
CSV (RFC 4180, UTF-8 with a byte order mark) that spreadsheets open and scripts read.

A row whose first cell begins with `# ` is no data: it is a line of the head, or the title of the
table that follows. An empty row stands before each title.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from changelog_tracker.report import escape, times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo
    from typing import TextIO

    from changelog_tracker.report.document import Cell, Column, Document
    from changelog_tracker.report.phrases import Line

# What spreadsheets take for a formula at the start of a cell, after spaces and quotes too; also
# after a semicolon, at which they split where the comma is the decimal sign. An apostrophe that
# stands there is doubled, so that taking one away gives back what was.
_FORMULA = re.compile("(?:^|(?<=;))(?=[ \"]*[=+@\\-\t\r＝＋－＠'])")


def write(document: Document, out: TextIO) -> None:
    """Write a document; moments have two columns, in UTC and with the reader's offset."""
    out.write("\ufeff")
    rows = csv.writer(out, lineterminator="\r\n")
    zone = document.about.zone
    rows.writerow(["# Report", as_text(document.title)])
    rows.writerow(["# Total", as_text(document.total)])
    for label, said in document.about.head.items():
        rows.writerow([f"# {escape.terminal(label)}", as_text(said)])
    for table in document.sheets:
        rows.writerow([])
        rows.writerow([f"# {table.title}"])
        rows.writerow([title for column in table.columns for title in _titles(column)])
        rows.writerows(list(_row(table.columns, line, zone)) for line in table.lines)


def as_text(what: str) -> str:
    """Make a cell that no spreadsheet takes for a formula."""
    return _FORMULA.sub("'", escape.terminal(what))


def _titles(column: Column) -> Sequence[str]:
    if column.kind == "moment":
        return f"{column.title} (UTC)", f"{column.title} (local)"
    return (column.title,)


def _row(columns: Sequence[Column], line: Line, zone: tzinfo) -> Iterator[str]:
    for column in columns:
        cell = column.cell(line, zone)
        if column.kind == "moment":
            time = str(cell or "")
            yield as_text(time)
            yield as_text(times.local_iso(time, zone))
        else:
            yield _cell(cell)


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return as_text(cell) if isinstance(cell, str) else str(cell)
