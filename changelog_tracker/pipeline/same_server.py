"""Whether a server is the one that was backed up: told in one line by `verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.diff.product_update import BUILD
from changelog_tracker.pipeline.sister import answered
from changelog_tracker.pipeline.still_differs import fact, other_machine

if TYPE_CHECKING:
    from changelog_tracker.pipeline.server_state import ServerState

_WORDS = {
    "MachineSid": "machine SID",
    "WindowsInstallDate": "Windows installation date",
    BUILD: "build",
}


def same_server(wanted: ServerState, found: ServerState) -> str:
    """
    Say whether this is the server of the wanted state, and by what.

    Returns:
        One sentence without its full stop. Where the files tell no machine, it says so.
    """
    same: list[str] = []
    others: list[str] = []
    for name, called in _WORDS.items():
        old, new = wanted.facts.get(name), fact(found, name)
        if old is None or new is None:
            continue
        if old == new:
            same.append(called)
        else:
            others.append(f"{called} {new} where it was {old}")
    alike, all_ = _guids(wanted, found)
    if all_ and alike == all_:
        same.append(_count(all_))
    elif all_:
        others.append(f"{all_ - alike} of {_count(all_)} anew")
    rebuilt = other_machine(wanted, found)
    if rebuilt is None:
        return (
            "whether it is the one of that time cannot be told: no machine SID and no Windows "
            "installation date now, or none then" + (f"; {_listed(others)}" if others else "")
        )
    if not others:
        return f"it is the one of that time: {_listed(same)} are as they were"
    if rebuilt:
        return f"it is not the one of that time, but rebuilt: {_listed(others)}"
    return f"it is the machine of that time, but not as it was then: {_listed(others)}"


def guids(state: ServerState) -> dict[tuple[str, str], str]:
    """Give the Guid of each virtual directory in Active Directory, by kind and folded name."""
    found = {}
    for key, held in state.known.held.items():
        kind, name, aspect = key
        is_of_exchange = kind.endswith("VirtualDirectory") and not kind.startswith("Iis")
        if is_of_exchange and not aspect and answered(state.known, held.reading):
            guid = (state.flat(key) or {}).get("Guid")
            if isinstance(guid, str):
                found[kind, name] = guid.casefold()
    return found


def _guids(wanted: ServerState, found: ServerState) -> tuple[int, int]:
    """Give how many Guids are the same, of how many that both states have."""
    old, new = guids(wanted), guids(found)
    both = old.keys() & new.keys()
    return sum(old[key] == new[key] for key in both), len(both)


def _count(number: int) -> str:
    return f"{number} Guid" + ("" if number == 1 else "s")


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
