"""A page as Markdown: to be read as it is, rendered, or printed from an editor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker.report import escape
from changelog_tracker.report.replay.content import Item, Paragraph, Table
from changelog_tracker.report.replay.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from changelog_tracker.report.replay.content import Block, Page, Text

# A Windows path can stand in code as it is; what every renderer takes for code, and nothing else.
_IN_CODE = re.compile(
    r"[A-Za-z0-9%\"'({\[](?:[\w .,:;/\\()'\"={}\[\]%+*-]*[\w.)'\"}%*\]-])?", re.ASCII
)
NOT_RECORDED = "Not recorded:"


def markdown(page: Page) -> str:
    """Write a page; no value in it is read as markup."""
    numbers = {source: number for number, source in enumerate(page.used(), 1)}
    parts = [f"# {escape.markdown(page.title)}\n"]
    if page.about:
        rows = [[escape.markdown(label), _text(text)] for label, text in page.about]
        parts.append("".join(_rows(("About", "this page"), rows)))
    parts += _blocks(page.lead, numbers)
    for section in page.sections:
        parts.append(f"{'#' * section.level} {escape.markdown(section.title)}\n")
        parts += _blocks(section.blocks, numbers)
    if numbers:
        parts.append("## Sources\n")
        named = ((numbers[key], *SOURCES[key]) for key in numbers)
        parts.append(
            "".join(f"{n}. {escape.markdown(f'{title}. {place}')}\n" for n, title, place in named)
        )
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def _blocks(blocks: Sequence[Block], numbers: Mapping[str, int]) -> Iterator[str]:
    items: list[str] = []
    for block in blocks:
        if isinstance(block, Item):
            items.append("".join(_item(block, numbers)))
            continue
        if items:
            yield "".join(items)
            items = []
        yield _paragraph(block) if isinstance(block, Paragraph) else "".join(_table(block))
    if items:
        yield "".join(items)


def _paragraph(block: Paragraph) -> str:
    return f"{'> **!** ' if block.loud else ''}{_text(block.text)}\n"


def _item(item: Item, numbers: Mapping[str, int]) -> Iterator[str]:
    marks = "".join(f" [{numbers[source]}]" for source in item.sources)
    yield f"- [ ] {_text(item.text)}{marks}\n"
    if item.look_up:
        yield f"  - **{NOT_RECORDED}** {_text(item.look_up)}\n"
    for label, text in item.notes:
        yield f"  - {escape.markdown(label)}: {_text(text)}\n"
    if item.commands:
        yield from _fenced(item.commands)


def _fenced(lines: Sequence[str]) -> Iterator[str]:
    shown = [escape.terminal(line) for line in lines]
    longest = max((len(run) for run in re.findall("`+", "".join(shown))), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"\n  {fence}\n"
    yield from (f"  {line}\n" for line in shown)
    yield f"  {fence}\n\n"


def _table(table: Table) -> Iterator[str]:
    heads = (*(("Done",) if table.boxes else ()), *table.heads, *table.note_heads)
    written = False
    rows: list[list[str]] = []
    for row in table.rows:
        if row.heading:
            yield from _rows(heads, rows) if rows else ()
            rows = []
            yield f"{chr(10) if written else ''}**{escape.markdown(row.heading)}**\n\n"
            written = True
        cells = [_text(cell) for cell in (*row.cells, *row.notes)]
        rows.append([*(["[ ]"] if table.boxes else []), *cells])
    yield from _rows(heads, rows)


def _rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |\n| {' | '.join(['---'] * len(heads))} |\n"
    yield from (f"| {' | '.join(row)} |\n" for row in rows)


def _text(text: Text) -> str:
    return "".join(_span(span.text, span.look) for span in text)


def _span(text: str, look: str) -> str:
    if look == "code":
        return f"`{text}`" if _IN_CODE.fullmatch(text) else escape.markdown_name(text)
    lead = len(text) - len(text.lstrip(" "))
    # A blank between two spans is ours, and not to be shown as an entity.
    safe = text[:lead] + escape.markdown(text[lead:]) if text[lead:] else text
    return f"**{safe}**" if look == "strong" else safe
