"""
What a page says, before it is Markdown or HTML: sections of paragraphs, boxes to tick and tables.

Text is made of spans, so that a captured value is never taken for the sentence around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARKED = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*)")
_FIELD = re.compile(r"\{(\w+)\}")
# What may stand in a command line that a person copies: no name of a server needs more.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Span(NamedTuple):
    """Characters that look alike."""

    text: str
    look: Literal["plain", "code", "strong"] = "plain"


Text: TypeAlias = tuple[Span, ...]


def said(template: str, **values: str) -> Text:
    """
    Make text of a sentence of ours and values that were captured.

    Args:
        template: A sentence; code in backticks, what is loud in double asterisks, values as
            `{name}`.
        values: What stands there; never read as markup.
    """

    def put(part: str) -> str:
        return _FIELD.sub(lambda field: values[field[1]], part)

    spans = []
    for part in _MARKED.split(template):
        if part.startswith("`"):
            spans.append(Span(put(part[1:-1]), "code"))
        elif part.startswith("**"):
            spans.append(Span(put(part[2:-2]), "strong"))
        elif part:
            spans.append(Span(put(part)))
    return tuple(spans)


def plain(text: str) -> Text:
    """Make text of what was captured, and nothing else."""
    return (Span(text),) if text else ()


def code(text: str) -> Text:
    """Make text of a name."""
    return (Span(text, "code"),)


def listed(names: Sequence[str]) -> Text:
    """Make text of several names."""
    spans: list[Span] = []
    for name in names:
        spans += [Span(", "), Span(name, "code")] if spans else [Span(name, "code")]
    return tuple(spans)


def in_command(name: str | None, placeholder: str) -> str:
    """Give a name where a command line can hold it as it is, else what to put there."""
    return name if name is not None and _NAME.fullmatch(name) else f"<{placeholder}>"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences; loud ones must not be overlooked."""

    text: Text
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """
    One thing to do or to look at, with a box to tick.

    Args:
        text: What.
        commands: Lines to type; nothing in them that was captured and could act.
        look_up: What no snapshot tells, and where to look for it.
        notes: What else is to be known, label and text.
        sources: Whose word it is; keys of `sources.SOURCES`.
    """

    text: Text
    commands: tuple[str, ...] = ()
    look_up: Text = ()
    notes: tuple[tuple[str, Text], ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table; its notes are in the order of the table's `note_heads`."""

    cells: tuple[Text, ...]
    notes: tuple[Text, ...] = ()
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table.

    Args:
        heads: Over its columns.
        rows: From top to bottom.
        note_heads: Of what stands below a row on a page, and in more columns in Markdown.
        widths: The share of each column on a page.
        boxes: Whether each row has a box to tick.
    """

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    note_heads: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    boxes: bool = False


Block: TypeAlias = "Paragraph | Item | Table"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a level from 2 on, and what stands below it."""

    title: str
    blocks: tuple[Block, ...] = ()
    level: int = 2


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page: its title, what it is about, and its sections."""

    title: str
    about: tuple[tuple[str, Text], ...]
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]

    def used(self) -> Iterator[str]:
        """Give the sources that its items name, in order, each once."""
        seen: set[str] = set()
        for section in self.sections:
            for block in section.blocks:
                for source in block.sources if isinstance(block, Item) else ():
                    if source not in seen:
                        seen.add(source)
                        yield source
