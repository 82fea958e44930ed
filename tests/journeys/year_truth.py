"""
Tells what a change log of the year must hold, from the story alone.

It holds the states of a server against each other, snapshot by snapshot, and asks no program.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from year_story import State, parts, state, taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from year_story import Taken

# Seen, server, path, before, after.
Told = tuple[datetime, str, str, Any, Any]


def expected() -> list[Told]:
    """Tell every change of the year, by the snapshot that first shows it."""
    found: list[Told] = []
    for server, ones in groupby(sorted(taken(), key=lambda one: (one.server, one.at)), _server):
        known: State = {}
        for one in ones:
            now = {**state(server, one.at), **_not_told(one, known)}
            found += [(one.at, server, *change) for change in _changes(known, now)]
            known = now
    return found


def _server(one: Taken) -> str:
    return one.server


def _not_told(one: Taken, known: State) -> State:
    """Give as they were known the resources of files that were not read, or of IIS in AD alone."""
    kept = {r: s for r, s in known.items() if any(f"[{file} : " in r for file in one.unread)}
    if one.is_ad_only:
        for resource, settings in state(one.server, one.at).items():
            if resource in known and "BasicAuthentication" in settings:
                was = known[resource]["BasicAuthentication"]
                kept[resource] = {**settings, "BasicAuthentication": was}
    return kept


def _changes(known: State, now: State) -> Iterator[tuple[str, Any, Any]]:
    kinds = {parts(resource)[0] for resource in known}
    for resource in {**known, **now}:
        before, after = known.get(resource), now.get(resource)
        if parts(resource)[0] not in kinds:
            # The first reading of a kind.
            continue
        if before is None or after is None:
            yield resource, _whole(before), _whole(after)
            continue
        for setting in {**before, **after}:
            yield from _setting(f"{resource}.{setting}", before.get(setting), after.get(setting))


def _whole(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    """Give the settings of a resource that came or went; an element's key stands in its name."""
    if settings is None:
        return None
    found = {}
    for setting, value in settings.items():
        if isinstance(value, dict):
            rest = {k: v for k, v in value.items() if f"[{k}='" not in setting}
            found |= {f"{setting}.{name}": each for name, each in rest.items()}
        else:
            found[setting] = value
    return found


def _setting(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _setting(f"{path}.{name}", old.get(name), new.get(name))
    elif old != new:
        yield path, old, new
