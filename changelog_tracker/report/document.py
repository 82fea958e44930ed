"""
What an exported report holds, said once for Markdown, HTML, CSV and XLSX.

A page (Markdown, HTML) is for reading: few columns, grouped. A sheet (CSV, XLSX) is for sorting and
filtering: one column a fact, one row a line. Cells are as captured; each form escapes for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal, TypeAlias

from changelog_tracker.report.phrases import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

Cell: TypeAlias = str | int | float | None
# A moment is ISO 8601 in UTC, or a word in its place; a share is a part of 1.
Kind: TypeAlias = Literal["text", "change", "name", "value", "moment", "number", "share"]


@dataclass(frozen=True, slots=True)
class Column:
    """
    One column.

    Args:
        title: What stands over it.
        cell: Gives the cell of a line, for a reader in a time zone.
        kind: How a form may lay it out.
        width: Characters in a sheet; on a page, the share beside other columns.
    """

    title: str
    cell: Callable[[Line, tzinfo], Cell]
    kind: Kind = "text"
    width: int = 16


@dataclass(frozen=True, slots=True)
class Table:
    """
    One table; `group` gives the heading under which a line stands on a page.

    Args:
        title: What the table is called, and the sheet.
        columns: From left to right.
        lines: As `--json` has them, in the order to be shown.
        group: The heading of a line.
        note: How to read it, in one or two sentences.
    """

    title: str
    columns: Sequence[Column]
    lines: Sequence[Line]
    group: Callable[[Line, tzinfo], str] | None = None
    note: str = ""

    def groups(self, zone: tzinfo) -> Iterator[tuple[str, list[Line]]]:
        """Give the lines by their headings, these in the order in which they come up."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(self.group(line, zone) if self.group else "", []).append(line)
        yield from found.items()


@dataclass(frozen=True, slots=True)
class About:
    """
    What every report is given beside its lines.

    Args:
        head: What it covers and how it was made, label to words, in this order.
        zone: Where the reader sits.
        made: When it is made; aware.
        coverage: As `log --coverage --json` has it.
        unread: The kinds that are not read: `server`, `kind`, `unread` (why), `since`.
        commands: Also redo and undo.
    """

    head: Mapping[str, str]
    zone: tzinfo
    made: datetime
    coverage: Sequence[Line] = ()
    unread: Sequence[Line] = ()
    commands: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """
    One report.

    Args:
        title: What it is.
        total: Its sum, in words.
        about: What it covers.
        pages: The tables for reading; those without lines are left out.
        sheets: The tables for sorting; the same facts.
    """

    title: str
    total: str
    about: About
    pages: Sequence[Table]
    sheets: Sequence[Table]
