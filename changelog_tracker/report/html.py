"""
HTML in one file: no script, nothing from elsewhere, to be read on screen and on paper.

The policy in its head forbids a browser to fetch or run anything, whatever a value holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape as entities
from importlib.resources import files
from typing import TYPE_CHECKING

from changelog_tracker.report import escape, phrases, times, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo
    from typing import TextIO

    from changelog_tracker.report.document import Cell, Column, Document, Table
    from changelog_tracker.report.phrases import Line

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_CLASSES = {"+": "added", "-": "removed", "~": "changed"}


def write(document: Document, out: TextIO) -> None:
    """Write a document: its sum, what it covers, then its tables."""
    tables = [table for table in document.pages if table.lines]
    _write_top(document, tables, out)
    page = _Page(out, document.about.zone, document.about.commands)
    for table in tables:
        page.write_table(table)
    out.write("</main>\n</body>\n</html>\n")


def text(what: str) -> str:
    """Make text that a browser shows as it is, in an element or a quoted attribute."""
    return entities(escape.terminal(what))


def _write_top(document: Document, tables: Sequence[Table], out: TextIO) -> None:
    head = document.about.head
    style = files("changelog_tracker.report").joinpath("page.css").read_text("utf-8")
    title = ": ".join(filter(None, (document.title, head.get("Servers"))))
    out.write(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{text(title)}</h1>\n"
        f'<p class="total">{text(words.sentence(document.total))}</p>\n'
    )
    links = [f'<a href="#{_anchor(table)}">{text(table.title)}</a>' for table in tables]
    if links:
        out.write(f'<nav aria-label="Tables">{" ".join(links)}</nav>\n')
    out.write("</header>\n<main>\n")
    if head:
        out.write('<table class="about">\n<caption>About this document</caption>\n<tbody>\n')
        out.writelines(
            f'<tr><th scope="row">{text(label)}</th><td>{text(said)}</td></tr>\n'
            for label, said in head.items()
        )
        out.write("</tbody>\n</table>\n")


def _anchor(table: Table) -> str:
    return table.title.casefold().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class _Page:
    """Writes tables; each change has its anchor once, though it may stand in several lines."""

    out: TextIO
    zone: tzinfo
    commands: bool
    anchors: set[str] = field(default_factory=set)

    def write_table(self, table: Table) -> None:
        note = f"<small>{text(table.note)}</small>" if table.note else ""
        whole = sum(column.width for column in table.columns)
        columns = "".join(
            f'<col style="width: {100 * column.width / whole:.1f}%">\n' for column in table.columns
        )
        heads = "".join(f'<th scope="col">{text(column.title)}</th>' for column in table.columns)
        self.out.write(
            f'<table class="lines" id="{_anchor(table)}">\n'
            f"<caption>{text(table.title)}{note}</caption>\n"
            f"<colgroup>\n{columns}</colgroup>\n<thead>\n<tr>{heads}</tr>\n</thead>\n"
        )
        for heading, lines in table.groups(self.zone):
            self.out.write("<tbody>\n")
            if heading:
                cell = f'<th scope="rowgroup" colspan="{len(table.columns)}">{text(heading)}</th>'
                self.out.write(f'<tr class="group">{cell}</tr>\n')
            for line in lines:
                self.out.writelines(self._rows(table.columns, line))
            self.out.write("</tbody>\n")
        self.out.write("</table>\n")

    def _rows(self, columns: Sequence[Column], line: Line) -> Iterator[str]:
        """Give the row of a line, and one below it for what does not fit into columns."""
        cells = "".join(self._cell(column, column.cell(line, self.zone)) for column in columns)
        yield f"<tr{self._attributes(line)}>{cells}</tr>\n"
        if notes := "".join(self._notes(line)):
            yield f'<tr class="notes"><td colspan="{len(columns)}"><dl>{notes}</dl></td></tr>\n'

    def _attributes(self, line: Line) -> str:
        name = str(line.get("id") or "")
        anchor = f' id="change-{text(name)}"' if name and name not in self.anchors else ""
        self.anchors.add(name)
        classes = [_CLASSES[phrases.sign(line)]] if "action" in line else []
        classes += ["undocumented"] if phrases.is_undocumented(line) else []
        return f'{anchor} class="{" ".join(classes)}"' if classes else anchor

    def _notes(self, line: Line) -> Iterator[str]:
        for one in line.get("inside") or ():
            before, after = words.sides(one["before"], one["after"])
            place = f"<code>{text(str(one['place']))}</code>"
            yield f"<dt>inside</dt><dd>{place} {text(before)} → {text(after)}</dd>"
        if self.commands:
            for label, said in phrases.commands(line):
                yield f"<dt>{label}</dt><dd><code>{text(said)}</code></dd>"

    def _cell(self, column: Column, cell: Cell) -> str:
        said = "" if cell is None else str(cell)
        if not said:
            return "<td></td>"
        if column.kind == "moment":
            return f'<td class="moment">{self._moment(said)}</td>'
        if column.kind == "share" and isinstance(cell, int | float):
            return f'<td class="number">{times.share(cell)}</td>'
        return _laid_out(column, said)

    def _moment(self, time: str) -> str:
        if times.parsed(time) is None:
            return text(time)
        local = text(words.moment(time, self.zone))
        return f'{local}<time datetime="{text(time)}">{times.utc(time)}</time>'


def _laid_out(column: Column, said: str) -> str:
    if column.kind == "name":
        return f"<td><code>{text(said)}</code></td>"
    if column.kind == "change":
        sign = phrases.SIGNS.get(said.partition(",")[0], "~")
        return f'<td class="change"><span class="sign">{sign}</span> {text(said)}</td>'
    if column.kind == "value":
        return f'<td class="{"nothing" if said == words.NOTHING else "value"}">{text(said)}</td>'
    attribute = ' class="number"' if column.kind == "number" else ""
    return f"<td{attribute}>{text(said)}</td>"
