"""What is told of one setting in the end, and the elements of collections behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.diff.flatten import flatten_lines
from changelog_tracker.model import Tree
from changelog_tracker.pipeline.effective.locks import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value


@dataclass(frozen=True, slots=True)
class Step:
    """
    One step of inheritance.

    Args:
        words: How it is told.
        file: The file's name as users see it.
        level: The place that the file belongs to, folded; "" is applicationHost.config.
        inherited: Whether it speaks of a place above the one that is asked for.
    """

    words: str
    file: str
    level: str
    inherited: bool


DEFAULT = Step("default of the schema", "default", "", inherited=True)


@dataclass(frozen=True, slots=True)
class Said:
    """A value and where it stands."""

    value: Value
    step: Step
    line: int

    @property
    def origin(self) -> str:
        """File and line."""
        return f"{self.step.file}:{self.line}" if self.line else self.step.file


class Told(NamedTuple):
    """One setting in the end: what it overrode, nearest last, and why it does not count."""

    setting: str
    said: Said
    over: tuple[Said, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One element of a collection, or with no tree its removal; and what stood there before."""

    tree: Tree | None
    label: str
    at: Said
    before: tuple[Item, ...] = ()

    def told(self, prefix: str) -> Iterator[Told]:
        """Give its settings, or that it was taken away, each under its name."""
        if self.tree is None:
            yield Told(prefix + self.label, self.at, tuple(one.at for one in self.before))
            return
        earlier = [(one, dict(one.lines())) for one in self.before]
        for name, said in self.lines():
            over = [
                lines.get(name) or one.at
                for one, lines in earlier
                if one.tree is None or name in lines
            ]
            was_there = any(name in lines for _one, lines in earlier)
            yield Told(prefix + name, said, tuple(over) if was_there else ())

    def lines(self) -> Iterator[tuple[str, Said]]:
        """Give its settings without what stood there before."""
        if self.tree is None:
            return
        shown = replace(bare(self.tree), label=self.label)
        for name, value, line in flatten_lines(Tree(items={"": shown})):
            yield name, Said(value, self.at.step, line)
