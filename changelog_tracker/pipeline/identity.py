"""Which server an import is of: bundle.json, --server, or the exports say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.errors import InputError, UsageError
from changelog_tracker.model import Known
from changelog_tracker.store.journal import find_server
from changelog_tracker.store.lookups import servers_with
from changelog_tracker.store.states import load_known

if TYPE_CHECKING:
    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.read import Contents
    from changelog_tracker.store.database import Connection

# A computer name: letters, digits, hyphen and underscore, and not digits alone.
_NAME = re.compile(r"(?!\d+$)[\w-]{1,63}")


@dataclass(frozen=True, slots=True)
class Likely:
    """
    The server that the files are probably of.

    Args:
        said: Its name where bundle.json or --server says it.
        found: Its name in the store, where it is there.
        number: Its number there.
        known: What is known of it.
    """

    said: str | None
    found: str | None
    number: int | None
    known: Known


@dataclass(frozen=True, slots=True)
class Prior:
    """
    What was known of a server some time ago, in another transaction.

    Args:
        head: The number of the journal's newest row then.
        number: Of the server.
        name: As recorded.
        known: What was known.
    """

    head: int
    number: int
    name: str
    known: Known


def likely_server(
    connection: Connection,
    gathered: Gathered,
    fingerprints: Fingerprints,
    option: str | None,
    prior: Prior | None = None,
) -> Likely:
    """
    Find the server before anything is parsed, so that what is known need not be.

    Args:
        connection: An open transaction.
        gathered: The files.
        fingerprints: Under the store's key.
        option: --server.
        prior: What is known of it, where that still holds.

    Raises:
        InputError: bundle.json and --server disagree.
        UsageError: --server is no name.
    """
    said = _said(gathered, option)
    if prior is not None and said is not None and said.casefold() == prior.name.casefold():
        return Likely(said, prior.name, prior.number, prior.known)
    if said is not None:
        row = find_server(connection, said)
    else:
        # Configuration files of two servers may be the same; exports name their server.
        marks = [
            fingerprints.of_file(file.sha256)
            for file in gathered.files
            if not file.path.endswith(".config")
        ]
        found = servers_with(connection, marks, _of_one_server())
        row = found[0] if len(found) == 1 else None
    if row is None:
        return Likely(said, None, None, Known())
    return Likely(said, row[1], row[0], load_known(connection, row[0]))


def server_of(gathered: Gathered, contents: Contents, likely: Likely) -> str:
    """
    Find the server of what was read.

    Raises:
        InputError: Nothing says it, or two things say different.
    """
    found = {name.casefold(): name for name in contents.servers}
    if likely.found and any(key[0] in _of_one_server() for key in contents.unchanged):
        found.setdefault(likely.found.casefold(), likely.found)
    if likely.said is not None:
        _refuse_another(gathered, likely.said, found)
        return likely.found or found.get(likely.said.casefold(), likely.said)
    if len(found) > 1:
        raise InputError(
            gathered.place,
            f"holds exports of {len(found)} servers: {', '.join(sorted(found.values()))}",
            "say which one with --server NAME",
        )
    if not found:
        raise InputError(
            gathered.place,
            "nothing in it says which server it is of",
            "say it with --server NAME",
        )
    return next(iter(found.values()))


@cache
def _of_one_server() -> frozenset[str]:
    """Give the nouns whose objects name their server; two servers share what is of the rest."""
    return frozenset(noun.name for noun in catalogue.nouns().values() if noun.scope != "org")


def _said(gathered: Gathered, option: str | None) -> str | None:
    manifest = gathered.manifest
    said = option.partition(".")[0].strip() if option is not None else None
    if said is not None and _NAME.fullmatch(said) is None:
        raise UsageError("--server", f"{option!r} is no server name; expected such as EX01")
    if manifest is None:
        return said
    if said is not None and manifest.server.casefold() != said.casefold():
        raise InputError(
            gathered.place,
            f"is a bundle of {manifest.server}, but --server says {said}",
            "leave --server out",
        )
    return manifest.server


def _refuse_another(gathered: Gathered, said: str, found: dict[str, str]) -> None:
    if found and said.casefold() not in found:
        raise InputError(
            gathered.place,
            f"its exports are of {', '.join(sorted(found.values()))}, "
            f"but the server is said to be {said}",
            "leave --server out, or give the files of that server",
        )
