"""Where a passphrase comes from: a file, the environment, or a person at a terminal."""

from __future__ import annotations

import getpass
import os
import sys
import unicodedata
from typing import TYPE_CHECKING

from changelog_tracker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "CHANGELOG_TRACKER_PASSPHRASE"
LEAST = 12
_MOST_BYTES = 4096


def passphrase_from(file: Path | None, *, new: bool) -> str:
    """
    Give the passphrase; asked for at a terminal only.

    Args:
        file: What --passphrase-file said.
        new: Whether something is sealed with it: then it is asked twice and must be long enough.

    Raises:
        UsageError: There is none, or it is too short.
    """
    place, found = _given(file) or ("passphrase", _asked(new=new))
    # The same letters have more than one spelling; keyboards differ in which they give.
    found = unicodedata.normalize("NFC", found)
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise UsageError(place, "is no text in UTF-8") from error
    if new and len(found) < LEAST:
        raise UsageError(place, f"the passphrase is too short; at least {LEAST} characters")
    return found


def _given(file: Path | None) -> tuple[str, str] | None:
    if file is not None:
        return str(file), _of_file(file)
    said = os.environ.get(VARIABLE)
    return (VARIABLE, said) if said else None


def _of_file(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(str(file), f"cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise UsageError(str(file), f"is longer than {_MOST_BYTES:,} bytes, and no passphrase")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(str(file), "is no text in UTF-8") from error
    if not text:
        raise UsageError(str(file), "is empty; expected a passphrase")
    return text


def _asked(*, new: bool) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "--passphrase-file",
            "is needed, for there is no terminal to ask on",
            f"or set {VARIABLE}",
        )
    try:
        first = getpass.getpass("Passphrase: ")
        if new and getpass.getpass("The same again: ") != first:
            raise UsageError("passphrase", "the two are not the same; nothing was written")
    except EOFError as error:
        raise UsageError("passphrase", "none was given") from error
    return first
