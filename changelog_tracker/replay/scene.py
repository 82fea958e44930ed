"""What a plan is made from: the differences, and what is known of both states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from changelog_tracker.model import Change, Settings


@dataclass(frozen=True, slots=True)
class Drifted:
    """
    One difference between the wanted state and the found one.

    Args:
        change: `before` is what stands there, `after` what is wanted.
        documented: Whether the log gives a reason for what is wanted.
        rejected: Whether somebody rejected it.
        log: Ids of the log's changes that made it.
    """

    change: Change
    documented: bool = True
    rejected: bool = False
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """
    What a plan needs to know of both states.

    Args:
        server: The target's short name.
        version: Of Exchange.
        install_path: With a backslash at the end.
        wanted_of: All settings of a resource in the wanted state, by kind and name.
        found_of: The same in the found state; None where it is not there.
        wanted_names: The resources of a kind in the wanted state.
        applications: Every application of both states, in lower case, without a slash at the end.
        files: The configuration files that are found, in lower case.
        include_setup: Whether what Setup owns is put back too.
        documented_only: Whether undocumented changes are left out.
    """

    server: str
    version: str
    install_path: str
    wanted_of: Callable[[str, str], Settings | None]
    found_of: Callable[[str, str], Settings | None]
    wanted_names: Callable[[str], Sequence[str]] = lambda _kind: ()
    applications: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    include_setup: bool = False
    documented_only: bool = False
