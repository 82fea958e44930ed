"""The script that reads a server: the pieces of `scripts/`, and what the catalogue says to read."""

from __future__ import annotations

import functools
import importlib.resources
from typing import TYPE_CHECKING

from changelog_tracker import __version__, catalogue
from changelog_tracker.catalogue.reading import reads_directory_alone
from changelog_tracker.catalogue.registry import registry_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.catalogue.registry import RegistryRow

_LAST = "exit (Invoke-Collector)"
# The warnings of an imported session would stand in the middle of a frame.
_CALL = "-ErrorAction Stop -WarningAction SilentlyContinue"


@functools.cache
def collector() -> str:
    """
    Give the whole text of collect.ps1.

    Returns:
        ASCII, every line ended by CR LF.
    """
    head, *pieces = _pieces()
    lines = [head, *_tables(), *pieces, _LAST]
    text = "\r\n".join("\n".join(lines).split("\n")) + "\r\n"
    text.encode("ascii")
    return text


def quoted(text: str) -> str:
    """Write a text of the catalogue as PowerShell's; it holds no quotes but straight ones."""
    return "'" + text.replace("'", "''") + "'"


def array(texts: Iterable[str]) -> str:
    """Write texts as a PowerShell array, also of one or none."""
    return "@(" + ", ".join(quoted(text) for text in texts) + ")"


def _pieces() -> list[str]:
    """Read the pieces in the order of their names; the first holds the parameters."""
    scripts = importlib.resources.files("changelog_tracker.collect") / "scripts"
    files = sorted(scripts.iterdir(), key=lambda file: file.name)
    return [
        file.read_text(encoding="ascii").rstrip("\n")
        for file in files
        if file.name.endswith(".ps1")
    ]


def _tables() -> list[str]:
    """Write what the catalogue says as PowerShell data."""
    versions = [
        f"$ExchangeVersions += @{{ Name={quoted(version.name)};"
        f" First=@({', '.join(map(str, version.first))}) }}"
        for version in catalogue.versions().values()
    ]
    return [
        f"$CollectorVersion = {quoted(__version__)}",
        "$ExchangeVersions = @()",
        *versions,
        "$Nouns = @()",
        *(_noun(noun, of) for noun, of in catalogue.read_by_default().items()),
        "$RegistryValues = @()",
        *map(_registry, registry_rows()),
    ]


def _registry(row: RegistryRow) -> str:
    return (
        f"$RegistryValues += @{{ Key={quoted(row.key)}; Names={array(row.names)};"
        f" Tree={'$true' if row.tree else '$false'}; Versions={array(row.versions)} }}"
    )


def _noun(name: str, versions: tuple[str, ...]) -> str:
    noun = catalogue.nouns()[name]
    get = f"{noun.read}{_which(noun)}"
    alone = f"@{{ Get={{ {get} -ADPropertiesOnly {_CALL} }} }}"
    ad_only = alone if reads_directory_alone(noun) else "$null"
    return (
        f"$Nouns += @{{ Name={quoted(name)}; Cmdlet={quoted(noun.read)};"
        f" Versions={array(versions)};\n"
        f"  Get={{ {get} {_CALL} }};\n"
        f"  AdOnly={ad_only} }}"
    )


def _which(noun: Noun) -> str:
    switches = "".join(f" -{name}" for name in noun.read_with)
    return switches if noun.read_by == "none" else f" -{noun.read_by} $script:Server{switches}"
