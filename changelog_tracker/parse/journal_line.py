"""
One line of a replay journal: an element with attributes, each checked as it is asked for.

What is wrong is said with file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from changelog_tracker.errors import FileError
from changelog_tracker.parse.xml import attributes_of, read_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.parse.xml import Element

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4}))?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"[ -~]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", re.ASCII)
# The attributes that have a form of their own, and that form in words.
_FORMS = {
    "plan": (re.compile(r"[\w.-]{1,128}", re.ASCII), "the id of a plan"),
    "server": (re.compile(r"(?!\d+$)[\w-]{1,63}"), "the name of a server"),
    "target": (re.compile(r"(?!\d+$)[\w-]{1,63}"), "the name of a server"),
    "id": (re.compile(r"s[0-9]{3,6}(\.[0-9]{1,6})?"), "a step such as s001"),
    "code": (re.compile(r"-?[0-9]{1,9}"), "an exit code"),
}
HINT = "copy the journal again from where the script wrote it; nobody edits it"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """
    One line, or an element in it.

    Args:
        element: What it is.
        attributes: As they stand there.
        place: File and line, for messages.
    """

    element: Element
    attributes: Mapping[str, str]
    place: str

    @classmethod
    def of(cls, line: bytes, file: str, number: int) -> JournalLine:
        """
        Read a line.

        Args:
            line: Its bytes, without what ends it.
            file: The journal's name.
            number: Of the line, from 1.

        Raises:
            FileError: It is not printable ASCII, or not one XML element.
        """
        place = f"{file}, line {number}"
        text = line.decode("ascii", "replace")
        if not _PLAIN.fullmatch(text):
            raise FileError(place, "holds what is not printable ASCII", HINT)
        try:
            element = read_xml(line, place)
        except FileError as error:
            raise FileError(place, error.what, HINT) from error
        return cls(element, attributes_of(element), place)

    @property
    def tag(self) -> str:
        """The element's name."""
        return str(self.element.tag)

    def of_tag(self, tag: str) -> JournalLine:
        """Give the line itself, where it is such an element and holds no text."""
        if self.tag != tag:
            raise self.wrong(f"<{self.tag}> does not belong there; expected <{tag}>")
        if self.element.text or (tag not in {"step", "value"} and len(self.element)):
            raise self.wrong(f"<{tag}> holds what does not belong there")
        return self

    def inner(self, element: Element, tag: str) -> JournalLine:
        """Give an element inside the line."""
        if element.tail:
            raise self.wrong(f"<{self.tag}> holds text")
        return JournalLine(element, attributes_of(element), self.place).of_tag(tag)

    def text(self, name: str) -> str:
        """Give an attribute that must be there."""
        found = self.maybe(name)
        if found is None:
            raise self.wrong(f"<{self.tag}> has no {name}")
        form, words = _FORMS.get(name, (None, ""))
        if form is not None and not form.fullmatch(found):
            raise self.wrong(f"{name}: expected {words}")
        return found

    def maybe(self, name: str) -> str | None:
        """Give an attribute, or None where it is not there."""
        found = self.attributes.get(name)
        return None if found is None else self.unescaped(found)

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        """Give an attribute that is one of some words."""
        found = self.text(name)
        if found not in words:
            raise self.wrong(f"{name}: expected {', '.join(words[:-1])} or {words[-1]}")
        return found

    def time(self, name: str) -> datetime:
        """Give an attribute that is a time."""
        found = self.text(name)
        try:
            if _TIME.fullmatch(found):
                return datetime.fromisoformat(found)
        except ValueError:
            pass
        raise self.wrong(f"{name}: expected a UTC time such as 2026-11-22T10:00:00Z")

    def unescaped(self, text: str) -> str:
        r"""Turn `\uXXXX` back into UTF-16 units; a lone half of a pair stays one."""
        if not _PLAIN.fullmatch(text):
            raise self.wrong("an XML reference to what is not printable ASCII; expected \\uXXXX")
        if any(not found[1] for found in _ESCAPE.finditer(text)):
            raise self.wrong("a backslash by itself; expected \\u and four hexadecimal digits")
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
        if _SURROGATE.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return text

    def wrong(self, what: str, hint: str | None = HINT) -> FileError:
        """Make the error that names the line."""
        return FileError(self.place, what, hint)
