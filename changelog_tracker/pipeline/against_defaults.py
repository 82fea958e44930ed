"""
`drift --against defaults`: a server held against what Setup makes of its build.

Only what a source says is compared. In IIS it is the effect that counts: what stands at a place
itself, else what the place inherits; so a section that is not there and one that says the same as
the default are equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from changelog_tracker import catalogue
from changelog_tracker.catalogue.factory_facts import Factory, Stands, factory_of
from changelog_tracker.diff.compare import compare
from changelog_tracker.model import Change, Tree
from changelog_tracker.normalise.exchange_tree import exchange_tree
from changelog_tracker.pipeline.factory_made import is_below, missing_places, not_there, place_of
from changelog_tracker.pipeline.iis_effect import (
    POOL_DEFAULTS,
    places_above,
    same_in_iis,
    schema_default,
)
from changelog_tracker.pipeline.own_names import said_fqdn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.catalogue.factory_facts import FactoryFact
    from changelog_tracker.model import Action, Settings, Value
    from changelog_tracker.pipeline.server_state import ServerState

# A value of a setting, what Stands says of it, or UNKNOWN.
_Wanted: TypeAlias = Any
# A build in the name of a place, `Exchange Back End/owa/15.2.1118.7`.
_BUILD = re.compile(r"(?<=/)\d+\.\d+\.\d+\.\d+$")
# A binding without an address, `https/:443:`, is one of every address, `https/*:443:`.
_EVERY_ADDRESS = re.compile(r"(?<=/):(?=\d+:)")
_NOWHERE = object()


@dataclass(slots=True)
class Findings:
    """
    What a server differs in from what Setup makes.

    Args:
        compared: How many settings have a known default.
        unknown: How many settings that were found have none.
        changes: What differs: `before` is what Setup makes.
    """

    compared: int = 0
    unknown: int = 0
    changes: list[Change] = field(default_factory=list)


def against_defaults(state: ServerState) -> Findings:
    """
    Hold a server against what Setup makes of its build.

    Raises:
        UsageError: Its build is not known.
    """
    version = catalogue.version_of_build(state.build) or ""
    known = catalogue.versions()[version].factory_defaults
    factory = factory_of(version, state.build) if known else Factory()
    return _Comparison(state, factory, version).findings()


class _Comparison:
    """One server held against the facts of its build."""

    def __init__(self, state: ServerState, factory: Factory, version: str) -> None:
        self._state = state
        self._factory = factory
        self._version = version
        self._names: dict[tuple[str, str], str] = {}
        self._found: dict[tuple[str, str], Settings] = {}
        for key, held in state.known.held.items():
            place = (key[0], _EVERY_ADDRESS.sub("*:", key[1]) if key[0] == "IisBinding" else key[1])
            self._names.setdefault(place, held.resource.name)
            self._found.setdefault(place, {}).update(state.flat(key) or {})
        self._compared: set[tuple[str, str, str]] = set()
        self._changes: list[Change] = []

    def findings(self) -> Findings:
        """Compare everything, and count."""
        self._compare_resources()
        missing = missing_places(self._factory, self._found)
        for fact in self._factory.settings.values():
            for resource in self._resources(fact):
                if fact.kind[:3] != "Iis" or not is_below(place_of(resource), missing):
                    self._compare(fact.kind, resource, fact.setting or "", self._value(fact))
        self._compare_fields()
        unknown = sum(
            (*place, setting) not in self._compared
            for place, settings in self._found.items()
            for setting in settings
        )
        return Findings(len(self._compared), unknown, self._changes)

    def _compare_resources(self) -> None:
        """Find what Setup makes and is not there, and what is there and Setup does not make."""
        known = self._state.known
        for place in not_there(self._factory, self._found, known, self._version):
            fact = self._factory.made[place]
            self._add(fact.kind, fact.resource, None, ("removed", self._made(place), None))
        for place, settings in self._found.items():
            if place[0] in self._factory.complete and place not in self._factory.named:
                self._add(place[0], self._names[place], None, ("added", None, dict(settings)))
                self._compared |= {(*place, setting) for setting in settings}

    def _made(self, place: tuple[str, str]) -> Settings:
        """Give what is known of a resource that Setup makes."""
        known = {
            fact.setting: self._value(fact)
            for (kind, resource, _), fact in self._factory.settings.items()
            if (kind, resource) == place and fact.setting is not None
        }
        return {name: value for name, value in known.items() if value is not catalogue.UNKNOWN}

    def _compare_fields(self) -> None:
        """Compare what the files of the nouns say of their fields."""
        for (kind, _), settings in list(self._found.items()):
            if kind not in catalogue.nouns():
                continue
            name = self._names[kind, _]
            for setting in settings:
                wanted = catalogue.factory_default(kind, name, setting, self._version)
                if (kind, _, setting) not in self._compared:
                    self._compare(kind, name, setting, wanted)

    def _resources(self, fact: FactoryFact) -> Iterator[str]:
        """Give the resources that a fact is about; those with a build in the name as found."""
        if "{build}" not in fact.resource:
            yield self._names.get((fact.kind, fact.resource.casefold()), fact.resource)
            return
        wanted, _, section = fact.resource.partition(" : ")
        places = {
            name.partition(" : ")[0] for (kind, _), name in self._names.items() if kind == fact.kind
        }
        for place in sorted(places):
            if _BUILD.sub("{build}", place).casefold() == wanted.casefold():
                yield f"{place} : {section}"

    def _value(self, fact: FactoryFact) -> _Wanted:
        """Give a fact's value with what is this server's own; UNKNOWN where that is not known."""
        if not isinstance(fact.value, str):
            return fact.value
        value = fact.value
        install, fqdn = self._state.facts.get("InstallPath"), said_fqdn(self._state)
        if "{install}" in value:
            if not isinstance(install, str):
                return catalogue.UNKNOWN
            return value.replace("{install}", install.replace("/", "\\").rstrip("\\"))
        if "{fqdn}" in value:
            if fqdn is None:
                return catalogue.UNKNOWN
            return value.replace("{fqdn}", fqdn.lower())
        return value

    def _compare(self, kind: str, resource: str, setting: str, wanted: _Wanted) -> None:
        place = (kind, resource.casefold())
        if wanted is catalogue.UNKNOWN or not self._can_be_told(place, setting):
            return
        self._compared.add((*place, setting))
        difference = self._difference(place, setting, wanted)
        if difference is not None:
            self._add(kind, resource, setting, difference)

    def _can_be_told(self, place: tuple[str, str], setting: str) -> bool:
        """Tell whether what was read says something of a setting, be it that it is not there."""
        if place[0] == "IisSection":
            return any(kind == "IisSite" for kind, _ in self._found)
        found = self._found.get(place)
        return found is not None and (place[0].startswith("Iis") or setting in found)

    def _difference(
        self, place: tuple[str, str], setting: str, wanted: _Wanted
    ) -> tuple[Action, Value, Value] | None:
        own = self._found.get(place, {})
        if wanted is Stands.INHERITED:
            return ("added", None, own[setting]) if setting in own else None
        if wanted is Stands.PRESENT:
            there = any(name == setting or name.startswith(f"{setting}.") for name in own)
            return None if there else ("removed", {}, None)
        if setting in own:
            same = _is_same(place[0], setting, wanted, own[setting])
            return None if same else ("changed", wanted, own[setting])
        above = self._inherited(place, setting)
        same = above is not _NOWHERE and same_in_iis(wanted, above)
        return None if same else ("removed", wanted, None)

    def _inherited(self, place: tuple[str, str], setting: str) -> _Wanted:
        """
        Give what applies where nothing of its own stands there.

        Where what lies above drifted itself, its default counts: the drift is told there.
        """
        kind, name = place
        if kind == "IisAppPool":
            defaults = self._found.get(("IisSection", POOL_DEFAULTS[0].casefold()), {})
            of_pools = f"{POOL_DEFAULTS[1]}.{setting}"
            return defaults.get(of_pools, schema_default(kind, "", setting))
        if kind != "IisSection" or "[" in setting:
            return _NOWHERE
        at, _, section = name.partition(" : ")
        for above in places_above(at):
            key = ("IisSection", f"{above} : {section}".casefold())
            fact = self._factory.settings.get((*key, setting))
            wanted = self._value(fact) if fact else catalogue.UNKNOWN
            if wanted is not catalogue.UNKNOWN and not isinstance(wanted, Stands):
                return wanted
            if setting in self._found.get(key, {}):
                return self._found[key][setting]
        return schema_default(kind, section, setting)

    def _add(
        self,
        kind: str,
        resource: str,
        setting: str | None,
        difference: tuple[Action, Value, Value],
    ) -> None:
        self._changes.append(Change(kind, resource, setting, *difference))


def _is_same(kind: str, setting: str, wanted: Value, found: Value) -> bool:
    if kind.startswith("Iis"):
        return same_in_iis(wanted, found)
    trees: list[Tree] = [exchange_tree(kind, {setting: value}) for value in (wanted, found)]
    return not compare(*trees)
