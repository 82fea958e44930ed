"""In what form a report goes where: what `--format`, `--json`, `-o` and `--force` say together."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.cli.session import (
    binary_output,
    exact_output,
    local_zone,
    now,
    output,
    refuse_existing,
)
from changelog_tracker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.cli.options import Format
    from changelog_tracker.pipeline.heads import Reader
    from changelog_tracker.report.document import Document

_SUFFIXES: dict[str, Format] = {
    ".json": "json",
    ".jsonl": "json",
    ".md": "md",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".xlsx": "xlsx",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The form of a report, the file it goes to or None, and whether that may be written over."""

    form: Format
    file: Path | None
    force: bool

    @property
    def is_document(self) -> bool:
        """Tell whether it is a form for handing on, with a head and coverage."""
        return self.form not in {"text", "json"}


def target(form: Format | None, json: bool, file: Path | None, force: bool) -> Target:
    """
    Find out where a report goes, before anything is read for it.

    Raises:
        UsageError: The options contradict each other, or it cannot go there.
    """
    if json and form not in {None, "json"}:
        raise UsageError("--json", f"contradicts --format {form}; expected one of them")
    refuse_existing(file, force=force)
    chosen = "json" if json else form
    if chosen is None:
        chosen = _SUFFIXES.get(file.suffix.casefold(), "text") if file else "text"
    if chosen == "xlsx" and file is None and sys.stdout.isatty():
        what = "xlsx is bytes, which a terminal cannot show"
        raise UsageError("--format", what, "write it to a file: -o FILE.xlsx")
    return Target(chosen, file, force)


def reader() -> Reader:
    """Give for whom a report is made, and when."""
    from changelog_tracker.pipeline.heads import Reader

    return Reader(local_zone(), now())


def write_document(document: Document, to: Target) -> None:
    """
    Write a report that is handed on.

    Raises:
        TrackerError: It cannot be written.
    """
    from changelog_tracker.report import csv_rows, html, markdown

    if to.form == "xlsx":
        from changelog_tracker.report import xlsx

        with binary_output(to.file, force=to.force) as bytes_out:
            xlsx.write(document, bytes_out)
        return
    if to.form == "md":
        with output(to.file, force=to.force) as out:
            markdown.write(document, out)
        return
    write = html.write if to.form == "html" else csv_rows.write
    with exact_output(to.file, force=to.force) as out:
        write(document, out)
