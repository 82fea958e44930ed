"""What the class of a change depends on besides the change: gathered from what is known."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from changelog_tracker.diff.classify import Surroundings, classify

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.model import Change, Known, Settings, Step

# What tells of a rebuilt server and of the RPC servicelet, whether or not it was read anew.
_DIRECTORIES = (
    "OwaVirtualDirectory", "EcpVirtualDirectory", "ActiveSyncVirtualDirectory",
    "WebServicesVirtualDirectory", "OabVirtualDirectory", "AutodiscoverVirtualDirectory",
    "MapiVirtualDirectory", "PowerShellVirtualDirectory",
)  # fmt: skip
OUTLOOK_ANYWHERE = "OutlookAnywhere"
# Every kind that the class of a change of another kind may depend on.
AROUND = frozenset({*_DIRECTORIES, OUTLOOK_ANYWHERE, "ExchangeServer"})


def kinds_around(done: Step) -> tuple[str, ...]:
    """Give the kinds whose resources the classes of these changes depend on."""
    recreated = any(change.setting in {"Guid", "WhenCreated"} for change in done.changes)
    stamped = any("/rpc : " in change.resource.casefold() for change in done.changes)
    return (*(_DIRECTORIES if recreated else ()), *((OUTLOOK_ANYWHERE,) if stamped else ()))


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
        if kind in _DIRECTORIES and not aspect:
            directories += key in known.held
        if kind == "ExchangeServer" and not aspect:
            settings = json.loads(load(one.digest))
            applied |= {str(word) for word in settings.get("MitigationsApplied") or []}
        if kind == OUTLOOK_ANYWHERE and not aspect:
            site = re.search(r"\((.*)\)$", one.resource.name)
            anywhere[site[1] if site else name] = json.loads(load(one.digest))
    return classify(done.changes, Surroundings(directories, frozenset(applied - {""}), anywhere))
