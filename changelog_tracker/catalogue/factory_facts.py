"""What Setup makes of IIS and of Exchange objects, by version and build: factory/*.toml."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from changelog_tracker.catalogue.entry import Entry, read_entry
from changelog_tracker.catalogue.loader import HERE
from changelog_tracker.catalogue.shapes import VERSIONS
from changelog_tracker.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from changelog_tracker.model import Value


class Stands(Enum):
    """What a source says of a setting besides its value."""

    INHERITED = "(inherit)"
    PRESENT = "(present)"


# A kind and the name of a resource without case; with a setting.
FactoryResource: TypeAlias = tuple[str, str]
FactorySetting: TypeAlias = tuple[str, str, str]

_AUTHENTICATION = "system.webServer/security/authentication/"
_METHODS = ("anonymous", "basic", "windows")
_MARKS = ("documented", "observed")
_KEYS = (
    *("kind", "section", "setting", "settings", "values", "methods", "resources", "exists"),
    *("versions", "first", "before", "mark", "source"),
)
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FactoryFact:
    """
    One setting of one resource after Setup, or that Setup makes the resource.

    Args:
        kind: A resource kind.
        resource: Its name; `{build}` stands for the server's build.
        setting: None where the fact is that there is such a resource.
        value: With `{install}` and `{fqdn}` for what is each server's own; INHERITED where no
            element of its own stands there, PRESENT where an element does.
        exists: Whether Setup makes the resource on every server.
        versions: Those that it holds for.
        first: The first build of it, empty for any.
        before: The first build that it no longer holds for, empty for none.
        mark: `documented`, or `observed` on installed servers.
        source: The page or files that say it.
    """

    kind: str
    resource: str
    setting: str | None
    value: Value | Stands
    exists: bool
    versions: tuple[str, ...]
    first: tuple[int, ...]
    before: tuple[int, ...]
    mark: str
    source: str

    def holds_for(self, version: str, build: tuple[int, ...]) -> bool:
        """Tell whether it is said of a build of a version."""
        return (
            version in self.versions
            and self.first <= build
            and (not self.before or build < self.before)
        )


@dataclass(frozen=True, slots=True)
class Factory:
    """
    What is known of a build after Setup.

    Args:
        settings: The settings that are known.
        made: The resources that Setup makes on every server of it.
        named: Those that any version of Setup makes, or may make.
        complete: The kinds of which Setup makes no other resource.
    """

    settings: Mapping[FactorySetting, FactoryFact] = field(default_factory=dict)
    made: Mapping[FactoryResource, FactoryFact] = field(default_factory=dict)
    named: frozenset[FactoryResource] = frozenset()
    complete: frozenset[str] = frozenset()


def factory_of(version: str, build: str) -> Factory:
    """
    Give what Setup makes of a build.

    Args:
        version: Of Exchange, as the build tells it.
        build: `15.2.1118.7`.

    Raises:
        CatalogueError: A file of factory/ is wrong.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", build))
    facts, complete = factory_facts()
    held = [fact for fact in facts if fact.holds_for(version, numbers)]
    return Factory(
        settings={
            (fact.kind, fact.resource.casefold(), fact.setting): fact
            for fact in held
            if fact.setting is not None
        },
        made={(fact.kind, fact.resource.casefold()): fact for fact in held if fact.exists},
        named=frozenset((fact.kind, fact.resource.casefold()) for fact in facts),
        complete=frozenset(kind for kind, versions in complete.items() if version in versions),
    )


@functools.cache
def factory_facts() -> tuple[tuple[FactoryFact, ...], Mapping[str, tuple[str, ...]]]:
    """Give every fact, and the versions for which the whole set of a kind is known."""
    return read_facts(HERE / "factory")


def read_facts(folder: Path) -> tuple[tuple[FactoryFact, ...], Mapping[str, tuple[str, ...]]]:
    """
    Read the facts of a folder.

    Raises:
        CatalogueError: A file of it is wrong, or two facts are of one setting and build.
    """
    facts: list[FactoryFact] = []
    complete: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.toml")):
        entry = read_entry(path)
        entry.only(("sources", "complete", "facts"))
        sources = entry.values.get("sources", _NONE)
        for number, values in enumerate(entry.values.get("facts", ()), start=1):
            one = Entry(entry.place, f"facts {number}", values)
            one.only(_KEYS)
            facts += _facts(one, sources)
        for number, values in enumerate(entry.values.get("complete", ()), start=1):
            one = Entry(entry.place, f"complete {number}", values)
            one.only(("kinds", "versions"))
            complete |= dict.fromkeys(one.texts("kinds"), one.choices("versions", VERSIONS))
    _refuse_contradictions(facts)
    return tuple(facts), MappingProxyType(complete)


def _facts(entry: Entry, sources: Mapping[str, str]) -> Iterator[FactoryFact]:
    source = sources.get(entry.text("source"))
    if source is None:
        raise entry.wrong("source", entry.text("source"), f"one of {', '.join(sources)}")
    for kind, resource, setting, value in _said(entry):
        yield FactoryFact(
            kind=kind,
            resource=resource,
            setting=setting,
            value=Stands(value) if value in ("(inherit)", "(present)") else value,
            exists=entry.flag("exists"),
            versions=entry.choices("versions", VERSIONS),
            first=_build(entry, "first"),
            before=_build(entry, "before"),
            mark=entry.choice("mark", _MARKS),
            source=source,
        )


def _said(entry: Entry) -> Iterator[tuple[str, str, str | None, Any]]:
    """Give kind, resource, setting and value of each fact of one table."""
    for place, on in entry.values.get("methods", _NONE).items():
        strange = next((method for method in on if method not in _METHODS), None)
        if strange is not None:
            raise entry.wrong(f"methods of {place}", strange, f"one of {', '.join(_METHODS)}")
        for method in _METHODS:
            name = f"{place} : {_AUTHENTICATION}{method}Authentication"
            yield "IisSection", name, "enabled", method in on
    if "methods" in entry.values:
        return
    kind = entry.text("kind")
    section = f" : {entry.text('section')}" if kind == "IisSection" else ""
    for name, value in entry.values.get("values", _NONE).items():
        yield kind, name + section, entry.text("setting"), value
    settings = entry.values.get("settings", _NONE)
    for name in entry.texts("resources"):
        if not settings:
            yield kind, name + section, None, None
        for setting, value in settings.items():
            yield kind, name + section, setting, value


def _build(entry: Entry, key: str) -> tuple[int, ...]:
    text = entry.maybe(key)
    if text is None:
        return ()
    if not re.fullmatch(r"\d+(\.\d+){2,3}", text):
        raise entry.wrong(key, text, "a build such as 15.2.1544")
    return tuple(int(number) for number in text.split("."))


def _refuse_contradictions(facts: list[FactoryFact]) -> None:
    seen: dict[tuple[str, str, str | None, str], FactoryFact] = {}
    for fact in facts:
        for version in fact.versions:
            key = (fact.kind, fact.resource.casefold(), fact.setting, version)
            other = seen.setdefault(key, fact)
            if other is not fact and fact.setting is not None and other.value != fact.value:
                raise CatalogueError(
                    "factory", f"{fact.kind}[{fact.resource}].{fact.setting} is said twice"
                )
