"""Lines of `--json` -> the document that Markdown, HTML, CSV and XLSX write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.report import columns, coverage, phrases, words
from changelog_tracker.report.document import Document, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from changelog_tracker.report.document import About, Column
    from changelog_tracker.report.phrases import Line

_SEEN = (
    "Seen is when a snapshot first showed the change; it was made at some time between then and "
    "the reading before."
)


def log(lines: Sequence[Line], about: About) -> Document:
    """
    Make the change log.

    Args:
        lines: As `log --json` has them, in the order to be shown.
        about: What it covers.
    """
    page = Table("Changes", columns.LOG, lines, columns.day_and_server, _SEEN)
    sheet = Table("Changes", (*columns.LOG_SHEET, *_commands(about)), lines, note=_SEEN)
    return _document("Change log", _total(lines, about, "change"), about, page, sheet)


def drift(lines: Sequence[Line], about: About, against: str) -> Document:
    """Make the report of what is not as wanted; `against` says what was taken as wanted."""
    page = Table("Differences", columns.DRIFT, lines, columns.server)
    sheet = Table("Drift", (*columns.DRIFT_SHEET, *_commands(about)), lines)
    total = f"compared with {against}: {_total(lines, about, 'difference')}"
    return _document("Drift", total, about, page, sheet)


def diff(lines: Sequence[Line], about: About) -> Document:
    """Make the report of what differs between two moments, the older on the left."""
    page = Table("Differences", columns.DIFF, lines, columns.server)
    sheet = Table("Difference", (*columns.DIFF_SHEET, *_commands(about)), lines)
    return _document("Difference", _total(lines, about, "difference"), about, page, sheet)


def show(lines: Sequence[Line], about: About) -> Document:
    """Make the report of the settings of one moment; `unread` of `about` is what was not read."""
    ignored = any("rule" in line for line in lines)
    page_columns: Sequence[Column] = columns.SHOW_IGNORED if ignored else columns.SHOW
    sheet_columns: Sequence[Column] = columns.SHOW_SHEET
    if any("step" in line for line in lines):
        page_columns, sheet_columns = columns.SHOW_EFFECTIVE, columns.SHOW_EFFECTIVE_SHEET
    page = Table("Settings", page_columns, lines, columns.server)
    sheet = Table("Settings", sheet_columns, lines)
    total = words.total(len(lines), 0, len(about.unread), "setting")
    return _document("Settings", total, about, page, sheet)


def watched(about: About) -> Document:
    """Make the report of coverage alone."""
    total = coverage.total(about.coverage)
    return Document(
        "Coverage", total, about, coverage.pages(about.coverage), coverage.sheets(about.coverage)
    )


def _document(title: str, total: str, about: About, page: Table, sheet: Table) -> Document:
    unread_page = Table("Not read", columns.UNREAD, about.unread)
    unread_sheet = Table("Not read", columns.UNREAD_SHEET, about.unread)
    return Document(
        title,
        total,
        about,
        [page, unread_page, *coverage.pages(about.coverage)],
        [sheet, unread_sheet, *coverage.sheets(about.coverage)],
    )


def _commands(about: About) -> Sequence[Column]:
    return columns.COMMANDS if about.commands else ()


def _total(lines: Sequence[Line], about: About, noun: str) -> str:
    undocumented = sum(map(phrases.is_undocumented, lines))
    return words.total(len(lines), undocumented, len(about.unread), noun)
