"""What is installed, and what this version can do."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from changelog_tracker import __version__, catalogue
from changelog_tracker.collect.local import windows_powershell
from changelog_tracker.pipeline.health.check import Check
from changelog_tracker.store.database import journal_mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.config import Config

_OPTIONAL = (
    ("psycopg", "a store in PostgreSQL"),
    ("keyring", "passwords in the system's keyring"),
    ("pykerberos", "Kerberos"),
    ("requests-credssp", "CredSSP"),
)


def program_checks(config: Config) -> Iterator[Check]:
    """Tell of program, facts and settings."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield Check("program", "ok", f"changelog-tracker {__version__}, {python}")
    facts = f"{catalogue.CATALOGUE_VERSION}, rules {catalogue.RULE_VERSION}"
    yield Check("catalogue", "ok", facts)
    yield Check("configuration", "ok", str(config.file) if config.file else "no file")


def sqlite_check() -> Check:
    """Tell which SQLite there is, and how it keeps a store safe."""
    if journal_mode() == "WAL":
        how = "journal WAL, synchronous FULL"
    else:
        how = "journal DELETE, synchronous EXTRA, for it lacks the WAL-reset fix"
    return Check("SQLite", "ok", f"{sqlite3.sqlite_version}, {how}")


def part_checks() -> Iterator[Check]:
    """Tell which optional parts are there, and how servers are reached."""
    parts = "; ".join(_part(name, purpose) for name, purpose in _OPTIONAL)
    yield Check("optional parts", "ok", parts)
    yield Check("transports", "ok", f"{_wire()}; this machine: {_shell()}; files, with import")


def _wire() -> str:
    ways = ["NTLM", "Basic and certificates over HTTPS"]
    if _is_there("pykerberos") or _is_there("winkerberos"):
        ways.insert(0, "Kerberos")
    if _is_there("requests-credssp"):
        ways.append("CredSSP")
    return f"WinRM (pywinrm {version('pywinrm')}, pypsrp {version('pypsrp')}): {', '.join(ways)}"


def _shell() -> str:
    return windows_powershell() or "no Windows PowerShell"


def _is_there(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _part(name: str, purpose: str) -> str:
    try:
        return f"{name} {version(name)}, for {purpose}"
    except PackageNotFoundError:
        return f"{name} is not installed; only {purpose} needs it"
