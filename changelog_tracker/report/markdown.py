"""Markdown for an auditor: whole values in tables, each cell escaped, nothing cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.report import escape, times, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo
    from typing import TextIO

    from changelog_tracker.report.document import Cell, Column, Document, Table
    from changelog_tracker.report.phrases import Line


def write(document: Document, out: TextIO) -> None:
    """Write a document: its sum, what it covers, then its tables; a moment has two columns."""
    about = document.about
    out.write(f"# {escape.markdown(document.title)}\n\n")
    out.write(f"{escape.markdown(words.sentence(document.total))}\n\n")
    if about.head:
        rows = [list(map(escape.markdown, pair)) for pair in about.head.items()]
        _write_rows(("About", "this document"), rows, out)
    for table in document.pages:
        if table.lines:
            _write_table(table, about.zone, out)


def _write_table(table: Table, zone: tzinfo, out: TextIO) -> None:
    titles = [escape.markdown(title) for column in table.columns for title in _titles(column)]
    for heading, lines in table.groups(zone):
        out.write(f"## {escape.markdown(heading or table.title)}\n\n")
        _write_rows(titles, (list(_row(table.columns, line, zone)) for line in lines), out)
    if table.note:
        out.write(f"{escape.markdown(table.note)}\n\n")


def _titles(column: Column) -> Sequence[str]:
    if column.kind == "moment":
        return f"{column.title} (local)", f"{column.title} (UTC)"
    return (column.title,)


def _row(columns: Sequence[Column], line: Line, zone: tzinfo) -> Iterator[str]:
    for column in columns:
        cell = column.cell(line, zone)
        if column.kind == "moment":
            time = str(cell or "")
            yield escape.markdown(words.moment(time, zone))
            yield escape.markdown(times.utc(time) if times.parsed(time) else "")
        else:
            yield _cell(column, cell)


def _cell(column: Column, cell: Cell) -> str:
    if cell is None:
        return ""
    if column.kind == "name":
        return escape.markdown_name(str(cell))
    if column.kind == "share" and isinstance(cell, int | float):
        return times.share(cell)
    return escape.markdown(str(cell))


def _write_rows(columns: Sequence[str], rows: Iterable[Sequence[str]], out: TextIO) -> None:
    out.write(f"| {' | '.join(columns)} |\n| {' | '.join(['---'] * len(columns))} |\n")
    out.writelines(f"| {' | '.join(row)} |\n" for row in rows)
    out.write("\n")
