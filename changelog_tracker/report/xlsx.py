"""
XLSX: one sheet a table, then what the report covers; values are text and never formulas.

XlsxWriter enters here. Rows go to a temporary file as they come, so that a long log takes little
memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from changelog_tracker.errors import TrackerError
from changelog_tracker.report import escape, times, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from changelog_tracker.report.document import Cell, Column, Document, Table
    from changelog_tracker.report.phrases import Line

# Of Excel: characters of a cell (UTF-16 units), rows of a sheet, the first day that it can count.
MOST_CHARS = 32_767
MOST_ROWS = 1_048_576
_FIRST_YEAR = 1900
_A4 = 9
_MOMENT = "yyyy-mm-dd hh:mm:ss"
_NO_GUESSING = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write(document: Document, out: BinaryIO) -> None:
    """
    Write a document as a workbook.

    Raises:
        TrackerError: A table has more rows than a sheet can hold.
        OSError: It cannot be written.
    """
    for table in document.sheets:
        if len(table.lines) >= MOST_ROWS:
            what = f"{len(table.lines)} rows, but a sheet holds {MOST_ROWS - 1}"
            raise TrackerError(table.title, what, "ask for a shorter period, or for csv")
    with TemporaryDirectory() as folder:
        book = Workbook(out, {**_NO_GUESSING, "tmpdir": folder})
        made = document.about.made.astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"title": document.title, "created": made})
        sheets = _Sheets(book, document.about.zone)
        for table in document.sheets:
            sheets.add_table(table)
        head = {"Report": document.title, "Total": document.total, **document.about.head}
        sheets.add_pairs("About", head)
        try:
            book.close()
        except FileCreateError as error:
            raise OSError(*getattr(error.args[0], "args", (str(error),))) from error


def as_text(what: str) -> str:
    """Make text that a cell can hold whole, or its beginning with a mark."""
    shown = escape.terminal(what)
    if shown.startswith("<r>"):
        # XlsxWriter takes a cell that begins and ends so for formatted text, written unescaped.
        shown = words.quoted(what)
    if len(shown) * 2 <= MOST_CHARS or _units(shown) <= MOST_CHARS:
        return shown
    mark = f" [... cut: {len(shown)} characters; --json has all of them]"
    start = shown.encode("utf-16-le")[: 2 * (MOST_CHARS - len(mark))]
    return start.decode("utf-16-le", "ignore") + mark


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@dataclass(frozen=True, slots=True)
class _Sheets:
    """Adds sheets to one workbook; the formats of its cells are made once."""

    book: Workbook
    zone: tzinfo
    formats: dict[str, Format] = field(default_factory=dict)

    def add_table(self, table: Table) -> None:
        sheet = self._sheet(table.title)
        column_at = 0
        for column in table.columns:
            for title in _titles(column):
                sheet.set_column(column_at, column_at, column.width)
                sheet.write_string(0, column_at, title, self._format(bold=True))
                column_at += 1
        sheet.autofilter(0, 0, max(1, len(table.lines)), column_at - 1)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        for row, line in enumerate(table.lines, 1):
            self._write_row(sheet, row, table.columns, line)

    def add_pairs(self, title: str, pairs: dict[str, str]) -> None:
        sheet = self._sheet(title)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 100)
        for row, (label, said) in enumerate(pairs.items()):
            sheet.write_string(row, 0, as_text(label), self._format(bold=True))
            sheet.write_string(row, 1, as_text(said), self._format())

    def _sheet(self, title: str) -> Worksheet:
        sheet = self.book.add_worksheet(title)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        return sheet

    def _format(self, shape: str = "", *, bold: bool = False) -> Format:
        key = f"{bold}{shape}"
        if key not in self.formats:
            look = {"text_wrap": True, "valign": "top", "bold": bold}
            # "@" keeps a value text when somebody edits it.
            self.formats[key] = self.book.add_format({**look, "num_format": shape or "@"})
        return self.formats[key]

    def _write_row(self, sheet: Worksheet, row: int, columns: Sequence[Column], line: Line) -> None:
        place = 0
        for column in columns:
            cell = column.cell(line, self.zone)
            if column.kind == "moment":
                self._write_moment(sheet, row, place, str(cell or ""))
                place += 2
            else:
                self._write_cell(sheet, row, place, column, cell)
                place += 1

    def _write_cell(
        self, sheet: Worksheet, row: int, place: int, column: Column, cell: Cell
    ) -> None:
        if isinstance(cell, str):
            if cell:
                sheet.write_string(row, place, as_text(cell), self._format())
        elif cell is not None:
            shape = "0.00%" if column.kind == "share" else "0"
            sheet.write_number(row, place, cell, self._format(shape))

    def _write_moment(self, sheet: Worksheet, row: int, place: int, time: str) -> None:
        moment = times.parsed(time)
        local = None if moment is None else _at(moment, self.zone)
        if moment is None or local is None:
            if time:
                sheet.write_string(row, place, as_text(time), self._format())
                sheet.write_string(row, place + 1, as_text(time), self._format())
            return
        offset = words.moment(time, self.zone)[17:]
        utc = moment.replace(tzinfo=None)
        sheet.write_datetime(row, place, utc, self._format(_MOMENT))
        sheet.write_datetime(
            row, place + 1, local.replace(tzinfo=None), self._format(f'{_MOMENT} "{offset}"')
        )


def _at(moment: datetime, zone: tzinfo) -> datetime | None:
    """Give a moment in a zone; None where Excel could not count it."""
    try:
        local = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return local if min(moment.year, local.year) > _FIRST_YEAR else None


def _titles(column: Column) -> Sequence[str]:
    if column.kind == "moment":
        return f"{column.title} (UTC)", f"{column.title} (local)"
    return (column.title,)
