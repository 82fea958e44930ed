"""A page as HTML in one file: on screen in light and dark, and on A4 paper."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from changelog_tracker.report import html
from changelog_tracker.report.replay.content import Item, Paragraph, Table
from changelog_tracker.report.replay.form_markdown import NOT_RECORDED
from changelog_tracker.report.replay.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from changelog_tracker.report.replay.content import Block, Page, Row, Section, Text

_BOX = '<span class="box" role="img" aria-label="not done"></span>'
_LOOKS = {"code": ("<code>", "</code>"), "strong": ("<strong>", "</strong>"), "plain": ("", "")}


def written(page: Page) -> str:
    """Write a page; no value in it is read as markup, and it fetches and runs nothing."""
    return "".join(_parts(page))


def _parts(page: Page) -> Iterator[str]:
    numbers = {source: number for number, source in enumerate(page.used(), 1)}
    title = html.text(page.title)
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{title}</h1>\n</header>\n<main>\n"
    )
    yield from _about(page)
    yield from _blocks(page.lead, numbers)
    for section in page.sections:
        yield from _section(section, numbers)
    if numbers:
        yield '<h2>Sources</h2>\n<ol class="sources">\n'
        for key in numbers:
            said, place = SOURCES[key]
            yield f"<li>{html.text(said)}. {html.text(place)}</li>\n"
        yield "</ol>\n"
    yield "</main>\n</body>\n</html>\n"


def _style() -> str:
    shared = files("changelog_tracker.report").joinpath("page.css").read_text("utf-8")
    return shared + files("changelog_tracker.report.replay").joinpath("page.css").read_text("utf-8")


def _about(page: Page) -> Iterator[str]:
    if page.about:
        yield '<table class="about">\n<caption>About this page</caption>\n<tbody>\n'
        for label, text in page.about:
            yield f'<tr><th scope="row">{html.text(label)}</th><td>{_text(text)}</td></tr>\n'
        yield "</tbody>\n</table>\n"


def _section(section: Section, numbers: Mapping[str, int]) -> Iterator[str]:
    yield f"<h{section.level}>{html.text(section.title)}</h{section.level}>\n"
    yield from _blocks(section.blocks, numbers)


def _blocks(blocks: Sequence[Block], numbers: Mapping[str, int]) -> Iterator[str]:
    is_open = False
    for block in blocks:
        if isinstance(block, Item) is not is_open:
            yield "</ul>\n" if is_open else '<ul class="todo">\n'
            is_open = not is_open
        if isinstance(block, Item):
            yield from _item(block, numbers)
        elif isinstance(block, Paragraph):
            opened = '<p class="loud">' if block.loud else "<p>"
            yield f"{opened}{_text(block.text)}</p>\n"
        else:
            yield from _table(block)
    if is_open:
        yield "</ul>\n"


def _item(item: Item, numbers: Mapping[str, int]) -> Iterator[str]:
    marks = "".join(f"<sup>[{numbers[source]}]</sup>" for source in item.sources)
    yield f"<li>{_BOX}{_text(item.text)}{marks}"
    if item.look_up:
        yield f'<p class="look-up"><strong>{NOT_RECORDED}</strong> {_text(item.look_up)}</p>'
    for label, text in item.notes:
        yield f'<p class="note"><span>{html.text(label)}:</span> {_text(text)}</p>'
    if item.commands:
        lines = "\n".join(map(html.text, item.commands))
        yield f"<pre>{lines}</pre>"
    yield "</li>\n"


def _table(table: Table) -> Iterator[str]:
    yield '<table class="lines">\n'
    whole = sum(table.widths)
    for width in table.widths:
        yield f'<col style="width: {100 * width / whole:.1f}%">\n'
    heads = "".join(f'<th scope="col">{html.text(head)}</th>' for head in table.heads)
    yield f"<thead>\n<tr>{heads}</tr>\n</thead>\n<tbody>\n"
    for row in table.rows:
        if row.heading:
            head = (
                f'<th scope="rowgroup" colspan="{len(table.heads)}">{html.text(row.heading)}</th>'
            )
            yield f'<tr class="group">{head}</tr>\n'
        box = _BOX if table.boxes else ""
        cells = "".join(
            f"<td>{box if not place else ''}{_text(cell)}</td>"
            for place, cell in enumerate(row.cells)
        )
        yield f"<tr>{cells}</tr>\n"
        yield from _notes(table, row)
    yield "</tbody>\n</table>\n"


def _notes(table: Table, row: Row) -> Iterator[str]:
    pairs = zip(table.note_heads, row.notes, strict=True) if row.notes else ()
    notes = "".join(
        f"<dt>{html.text(label)}</dt><dd>{_text(text)}</dd>" for label, text in pairs if text
    )
    if notes:
        yield (f'<tr class="notes"><td colspan="{len(table.heads)}"><dl>{notes}</dl></td></tr>\n')


def _text(text: Text) -> str:
    return "".join(
        f"{_LOOKS[span.look][0]}{html.text(span.text)}{_LOOKS[span.look][1]}" for span in text
    )
