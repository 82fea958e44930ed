"""What applies at one place, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker import catalogue
from changelog_tracker.catalogue.sections import NEWEST, sections
from changelog_tracker.parse.iis_config import SERVER_LEVEL
from changelog_tracker.pipeline.effective.sections import IIS, Where, applied, declared_in
from changelog_tracker.pipeline.state import matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.pipeline.effective.chain import Chain, Input, Level
    from changelog_tracker.pipeline.effective.sections import Declared
    from changelog_tracker.pipeline.effective.told import Said, Told
    from changelog_tracker.pipeline.lines import Line

KIND = "IisSection"
MACHINE = "machine.config and web.config of .NET"
NOT_COLLECTED = "not collected; what they say of sections that are not IIS's own counts first"
UNSURE = "its schema is not known: how its steps merge is a guess"
_DECLARATIONS = "configSections"
_SERVERS_OWN = "system.applicationHost/"
# What Windows says of itself, and the IIS that it has.
_WINDOWS = {"6.0": "7.0", "6.1": "7.5", "6.2": "8.0", "6.3": "8.5"}


class Wish(NamedTuple):
    """What a pattern asks for: the whole of it, place and section; None where it says neither."""

    glob: str
    place: str | None
    section: str | None


def is_glob(text: str) -> bool:
    """Tell whether anything in it is special."""
    return "*" in text or "?" in text


class Answer:
    """
    What applies at one place.

    Args:
        chain: What is known of the server's IIS.
        wish: What is asked for.
        head: The keys that every line has.
        place: Which place.

    `sections` is how many sections were told, once `lines` is through.
    """

    def __init__(self, chain: Chain, wish: Wish, head: Line, place: str) -> None:
        self._chain = chain
        self._wish = wish
        self._head = head
        self._shown = place
        self.sections = 0
        self._place = "" if place == SERVER_LEVEL else place
        self._exact = wish.section is not None and not is_glob(wish.section)
        self._matches = matcher(wish.glob)
        self._iis = _WINDOWS.get(
            ".".join((chain.fact("WindowsBuild") or "").split(".")[:2]), NEWEST
        )

    def lines(self) -> Iterator[Line]:
        """Give the lines, by section."""
        levels = self._chain.levels(self._place, linked=self._exact)
        inputs = self._chain.inputs(levels, self._place)
        declared = self._declared(levels)
        where = Where(self._place.casefold(), self._chain.places)
        names = self._sections(inputs)
        self.sections = len(names)
        for section in names:
            facts = catalogue.section(section, self._iis)
            said = inputs.get(section, [])
            self._note(section, said)
            found = applied((section, facts), said, declared, where)
            unsure = facts is None and len(said) > 1
            for one in found.told(defaults=self._exact):
                if self._matches(self._resource(section), one.setting, whole=True):
                    line = self._line(section, one)
                    yield {**line, "unsure": UNSURE} if unsure else line

    def _sections(self, inputs: dict[str, list[Input]]) -> list[str]:
        names = set(inputs)
        if self._exact and self._wish.section is not None:
            wanted = self._wish.section.casefold()
            names |= {name for name in sections() if name.casefold() == wanted}
        return sorted(
            name
            for name in names - {_DECLARATIONS, "location"}
            if (not self._place or not name.startswith(_SERVERS_OWN))
            and self._matches(self._resource(name), None, whole=False)
        )

    def _resource(self, section: str) -> str:
        return f"{KIND}[{self._shown} : {section}]"

    def _declared(self, levels: list[Level]) -> dict[str, Declared]:
        found: dict[str, Declared] = {}
        for level in levels:
            for held in level.says.get("", {}).get(_DECLARATIONS, ()):
                node = self._chain.node(held)
                found = {**declared_in(node, level.place, level.file), **found}
        return found

    def _note(self, section: str, said: list[Input]) -> None:
        """Note the files that are part of a section and are not known."""
        if not section.startswith(IIS) and section.partition("/")[0] != "system.applicationHost":
            self._chain.note(MACHINE, NOT_COLLECTED)
        for one in said:
            for tree in one.piece.trees:
                for name in ("configSource", *(("file",) if section == "appSettings" else ())):
                    file = tree.values.get(name)
                    if isinstance(file, str) and file:
                        folder = one.step.file.rpartition("/")[0]
                        self._chain.note(
                            f"{folder}/{file}".replace("\\", "/"),
                            f"{name} of {section} in {one.step.file}; such files are not read",
                        )

    def _line(self, section: str, one: Told) -> Line:
        line: Line = {
            **self._head,
            "resource": f"{self._shown} : {section}",
            "setting": one.setting,
            "value": one.said.value,
            "since": None,
            **_where(one.said),
            "inherited": one.said.step.inherited,
        }
        if one.over:
            line["over"] = [{"value": said.value, **_where(said)} for said in one.over]
        if one.refused:
            line["refused"] = one.refused
        return line


def _where(said: Said) -> Line:
    return {"origin": said.origin, "step": said.step.words}
