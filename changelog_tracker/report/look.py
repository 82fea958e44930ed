"""How text is laid out for one reader: time zone, colour, width, and how much is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from datetime import tzinfo

_COLOURS = {"+": 32, "-": 31, "~": 33, "?": 35, "!": 31}
_ROOM, _LEAST_ROOM = 200, 40


class LookOptions(TypedDict):
    """
    The keyword arguments that every function of `text` takes.

    `zone`: where the reader sits. `width`: columns of the terminal, None where it is none.
    `commands`: also redo and undo. `times`: also when the setting was last seen as before.
    """

    zone: tzinfo
    colour: bool
    width: int | None
    commands: NotRequired[bool]
    times: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class Look:
    """The options, with their defaults."""

    zone: tzinfo
    colour: bool
    width: int | None
    commands: bool = False
    times: bool = False

    def sign(self, sign: str) -> str:
        """Return a sign, coloured where asked: colour repeats it and never replaces it."""
        if not self.colour or sign not in _COLOURS:
            return sign
        return f"\x1b[{_COLOURS[sign]}m{sign}\x1b[0m"

    def room(self, used: int, sides: int) -> int:
        """Return the characters each of `sides` values may take on a line that has `used`."""
        if self.width is None:
            return _ROOM
        return max(_LEAST_ROOM, (self.width - used) // sides)
