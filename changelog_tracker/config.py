"""
Settings of the program: option, else environment, else configuration file, else default.

The file is TOML; every setting has one name everywhere: `--store`, `CHANGELOG_TRACKER_STORE`,
`store = "..."`.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from changelog_tracker.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = "changelog-tracker"
FILE = "changelog-tracker.toml"
TEXTS = ("store", "key")
# Each with its least, its most, and what it is where nothing says otherwise.
NUMBERS = {"workers": (1, 256, 8), "deadline": (5, 86_400, 300)}
# What `document` may be asked to be told besides the reason.
REQUIRABLE = ("ticket", "by", "expires")
SETTINGS = (*TEXTS, *NUMBERS, "require")


@dataclass(frozen=True, slots=True)
class Config:
    """
    Where things are, and how servers are collected.

    Args:
        store: A file's path, or a database URL.
        key: The file with the key of all fingerprints.
        file: The configuration file that was read, or None.
        workers: How many servers are collected at once.
        deadline_s: How long the collection of one may take.
        require: What must be said of a change besides the reason.
    """

    store: str
    key: Path
    file: Path | None = None
    workers: int = NUMBERS["workers"][2]
    deadline_s: int = NUMBERS["deadline"][2]
    require: tuple[str, ...] = ()


def load_config(store: str | None = None, config: str | None = None) -> Config:
    """
    Find out where the store and its key lie, and what else is set.

    Args:
        store: What --store said.
        config: What --config said.

    Raises:
        UsageError: The configuration file is missing or no TOML, or a setting cannot be.
    """
    file = _file(config or os.environ.get("CHANGELOG_TRACKER_CONFIG"))
    settings = _read(file) if file else {}
    location = store or os.environ.get("CHANGELOG_TRACKER_STORE") or _text(settings, "store")
    if location is None:
        location = str(data_folder() / "changelog.db")
    elif "://" not in location:
        location = str(Path(location).expanduser())
    key = os.environ.get("CHANGELOG_TRACKER_KEY") or _text(settings, "key")
    return Config(
        location,
        Path(key).expanduser() if key else _key_beside(location),
        file,
        _number(settings, "workers", file),
        _number(settings, "deadline", file),
        _required(settings, file),
    )


def data_folder() -> Path:
    """Give the user's data folder for this program."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / PROGRAM
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / PROGRAM


def config_folder() -> Path:
    """Give the user's configuration folder for this program."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "~")).expanduser() / PROGRAM
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / PROGRAM


def _key_beside(location: str) -> Path:
    folder = data_folder() if "://" in location else Path(location).parent
    return folder / "changelog.key"


def _file(said: str | None) -> Path | None:
    if said is not None:
        file = Path(said).expanduser()
        if not file.is_file():
            raise UsageError(said, "there is no such configuration file")
        return file
    for folder in (Path(), config_folder()):
        try:
            if (folder / FILE).is_file():
                return folder / FILE
        except PermissionError:
            # A home folder that this account may not enter holds no settings for it.
            continue
    return None


def _text(settings: Mapping[str, object], name: str) -> str | None:
    found = settings.get(name)
    return found if isinstance(found, str) else None


def _number(settings: Mapping[str, object], name: str, file: Path | None) -> int:
    """Give a whole number: environment, else file, else default."""
    least, most, usual = NUMBERS[name]
    variable = f"CHANGELOG_TRACKER_{name.upper()}"
    said = os.environ.get(variable)
    found: object
    if said:
        # int() takes spaces, signs and the digits of every script.
        place, found = variable, int(said) if re.fullmatch(r"[0-9]{1,9}", said) else said
    else:
        place, found = f"{file}: {name}", settings.get(name, usual)
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        what = f"{found!r} cannot be; expected a whole number from {least} to {most}"
        raise UsageError(place, what)
    return found


def _required(settings: Mapping[str, object], file: Path | None) -> tuple[str, ...]:
    """Give what must be said of a change: environment (`ticket,by`), else file."""
    variable = "CHANGELOG_TRACKER_REQUIRE"
    said = os.environ.get(variable)
    place, found = f"{file}: require", settings.get("require", [])
    if said:
        place, found = variable, [name.strip() for name in said.split(",")]
    if not isinstance(found, list) or any(name not in REQUIRABLE for name in found):
        raise UsageError(place, f"{found!r} cannot be; expected any of {', '.join(REQUIRABLE)}")
    return tuple(found)


def _read(file: Path) -> Mapping[str, object]:
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(str(file), f"is no TOML that can be read: {error}") from error
    for name, value in found.items():
        if name not in SETTINGS:
            raise UsageError(str(file), f"has setting {name!r}; known are {', '.join(SETTINGS)}")
        if name in TEXTS and not isinstance(value, str):
            raise UsageError(str(file), f"setting {name} is no text in quotes")
    return found
