"""Which settings are each server's own, read from own.toml."""

from __future__ import annotations

import functools

from changelog_tracker.catalogue.entry import read_entry
from changelog_tracker.catalogue.loader import HERE

# In place of settings: all of them.
_EVERY = "*"


def is_own(kind: str, setting: str) -> bool:
    """Tell whether no two servers have the same of a setting: a Guid, the day it was installed."""
    own = _own()
    return setting in own["*"] or setting in own.get(kind, ()) or is_own_kind(kind)


def is_own_kind(kind: str) -> bool:
    """Tell whether no two servers have the same of any resource of a kind."""
    return _EVERY in _own().get(kind, ())


@functools.cache
def _own() -> dict[str, frozenset[str]]:
    entry = read_entry(HERE / "own.toml")
    entry.only(("source", "own"))
    own = entry.values["own"]
    if not isinstance(own, dict) or "*" not in own:
        raise entry.wrong("own", own, 'a table of lists, with one for every kind: "*"')
    return {kind: frozenset(settings) for kind, settings in own.items()}
