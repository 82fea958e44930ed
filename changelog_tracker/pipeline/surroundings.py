"""What the class of a change depends on besides the change: gathered from what is known."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from changelog_tracker.diff.classify import Surroundings, classify

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.model import Change, Known, Settings, Step

Load = "Callable[[bytes], bytes]"


def classified(known: Known, done: Step, load: Callable[[bytes], bytes]) -> list[Change]:
    """
    Give a step's changes with their classes.

    Args:
        known: What was known before it.
        done: The step.
        load: Gives a content by its digest.
    """
    if not done.changes:
        return []
    held = {**known.held, **done.opened}
    applied: set[str] = set()
    anywhere: dict[str, Settings] = {}
    directories = 0
    for key, one in held.items():
        kind, name, aspect = key
        if kind.endswith("VirtualDirectory") and kind != "IisVirtualDirectory" and not aspect:
            directories += key in known.held
        if kind == "ExchangeServer" and not aspect:
            settings = json.loads(load(one.digest))
            applied |= {str(word) for word in settings.get("MitigationsApplied") or []}
        if kind == "OutlookAnywhere" and not aspect:
            site = re.search(r"\((.*)\)$", one.resource.name)
            anywhere[site[1] if site else name] = json.loads(load(one.digest))
    return classify(done.changes, Surroundings(directories, frozenset(applied - {""}), anywhere))
