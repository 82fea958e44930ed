"""The key's file: read, made once, put back; and files that are for their owner alone."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from changelog_tracker.errors import StoreDamagedError, StoreError

KEY_BYTES = 32
_HINT = (
    "bring it back with: changelog-tracker key import FILE --force; "
    "without it, secrets cannot be compared with new ones"
)
_OWNER_ONLY = 0o600


def read_key(file: Path) -> bytes:
    """
    Read the key.

    Raises:
        FileNotFoundError: There is none.
        StoreError: The file is there, but no key, or cannot be read.
    """
    try:
        text = file.read_text("ascii")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(str(file), f"the key cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(str(file), "is no key: expected hexadecimal digits", _HINT) from error
    return key_of(text, str(file))


def key_of(text: str, place: str) -> bytes:
    """
    Give the key that a text spells.

    Raises:
        StoreError: It spells none.
    """
    try:
        key = bytes.fromhex(text.strip())
    except ValueError as error:
        raise StoreError(place, "is no key: expected hexadecimal digits", _HINT) from error
    if len(key) < KEY_BYTES:
        raise StoreError(place, f"is shorter than {KEY_BYTES} bytes", _HINT)
    return key


def make_key(file: Path) -> bytes:
    """
    Make a key; another process may make it at the same time, and both give the same one.

    Raises:
        StoreDamagedError: It cannot be written.
    """
    put_key(file, secrets.token_bytes(KEY_BYTES), over=False)
    return read_key(file)


def put_key(file: Path, key: bytes, *, over: bool) -> bool:
    """
    Write a key where it belongs.

    Returns:
        False where there is a file, and nothing was to be written over.

    Raises:
        StoreDamagedError: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return write_private(file, f"{key.hex()}\n", over=over)
    except OSError as error:
        raise StoreDamagedError(
            str(file), f"the key cannot be written: {error.strerror}"
        ) from error


def keep_aside(file: Path, name: str) -> Path:
    """
    Keep a copy of a key's file beside it, as `changelog.key.NAME`.

    Returns:
        The copy; one with the same bytes that was there already is taken.

    Raises:
        StoreDamagedError: It cannot be written.
    """
    try:
        text = file.read_bytes().decode("latin-1")
        number = 1
        while True:
            copy = file.with_name(f"{file.name}.{name}" + (f".{number}" if number > 1 else ""))
            if write_private(copy, text, over=False):
                return copy
            if copy.is_file() and copy.read_bytes().decode("latin-1") == text:
                return copy
            number += 1
    except OSError as error:
        raise StoreDamagedError(
            str(file), f"no copy of it can be kept: {error.strerror}"
        ) from error


def write_private(file: Path, text: str, *, over: bool) -> bool:
    """
    Write a file that its owner alone may read, whole or not at all.

    Args:
        file: Where to.
        text: What it holds: Latin-1.
        over: Whether it may take the place of another.

    Returns:
        False where another is there and nothing was written.

    Raises:
        OSError: It cannot be written.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("latin-1"))
            out.flush()
            os.fsync(out.fileno())
        if over:
            part.replace(file)
            return True
        return _name_once(part, file)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _name_once(part: Path, file: Path) -> bool:
    """Give a file its name, unless another has it by now."""
    try:
        os.link(part, file)
    except FileExistsError:
        return False
    except OSError:
        # Not every file system has hard links.
        if os.path.lexists(file):
            return False
        part.replace(file)
    return True
