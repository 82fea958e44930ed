"""How the Exchange nouns are read on one server: which, by which cmdlet, with which parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.catalogue.loader import nouns
from changelog_tracker.catalogue.shapes import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.catalogue.shapes import Noun

# Of what is never written these are read too: what a server takes part in, and
# what the audit log leaves out.
_ALSO = ("AdminAuditLogConfig", "ServerComponentState")
# An older noun tells the same as the one that took its place.
_NEWER = {"ClientAccessServer": "ClientAccessService"}


class Ask(NamedTuple):
    """
    One call that reads a noun.

    Args:
        noun: Its name.
        cmdlet: The Get- cmdlet.
        parameters: By name, without hyphen; True for a switch.
    """

    noun: str
    cmdlet: str
    parameters: Mapping[str, str | bool]


def queries(version: str, server: str) -> tuple[Ask, ...]:
    """
    Give every call that reads a server of a version, in the order of the nouns' names.

    Args:
        version: One of VERSIONS.
        server: Its name, as the cmdlets take it.
    """
    return tuple(
        Ask(name, nouns()[name].read, _parameters(nouns()[name], server))
        for name, versions in read_by_default().items()
        if version in versions
    )


def read_by_default() -> dict[str, tuple[str, ...]]:
    """Give each noun that a collector reads, by name, with the versions in which it does."""
    found = {}
    for name, noun in sorted(nouns().items()):
        if not noun.is_written and name not in _ALSO:
            continue
        newer = nouns()[_NEWER[name]].versions if name in _NEWER else ()
        found[name] = tuple(v for v in VERSIONS if v in noun.versions and v not in newer)
    return found


def reads_directory_alone(noun: Noun) -> bool:
    """Tell whether its Get- cmdlet has -ADPropertiesOnly."""
    return noun.scope == "vdir"


def _parameters(noun: Noun, server: str) -> dict[str, str | bool]:
    by: dict[str, str | bool] = {} if noun.read_by == "none" else {noun.read_by: server}
    return by | dict.fromkeys(noun.read_with, True)
