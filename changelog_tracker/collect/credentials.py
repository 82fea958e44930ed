"""
Passwords by reference: what is kept says where a password lies, and is resolved when it is needed.

No message of this module repeats what a reference led to, nor what a command printed.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.collect.command_output import first_output
from changelog_tracker.errors import CollectError, DeadlineError, UsageError

if TYPE_CHECKING:
    from changelog_tracker.collect.deadline import Deadline

FORMS = "env:NAME, file:PATH, keyring:SERVICE/USER or cmd:COMMAND LINE"
_FORM = re.compile(r"(env|file|keyring|cmd):(.*)", re.DOTALL)
_MOST_BYTES = 64 * 1024
_MOST_S = 30.0


class Secret:
    """
    A text that shows itself only to who asks for it.

    Args:
        text: What is kept quiet about.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text; for the one call that signs in."""
        return self._text

    def __repr__(self) -> str:
        """Hide it."""
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str, /) -> str:
        """Hide it."""
        return "***"

    def __eq__(self, other: object) -> bool:
        """Tell whether both hide the same."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """Give the same for the same."""
        return hash(self._text)


class _Source(NamedTuple):
    form: str
    where: str


def is_reference(text: str) -> bool:
    """Tell whether a text has the form of a reference."""
    return _FORM.fullmatch(text) is not None


def check_reference(text: str, place: str) -> None:
    """
    Refuse what is no reference, without looking where it leads.

    Raises:
        UsageError: It has another form; its text is not repeated, for it may be a password.
    """
    _source(text, place)


def resolve(reference: str, place: str, deadline: Deadline) -> Secret:
    """
    Bring what a reference leads to.

    Args:
        reference: `env:NAME`, `file:PATH` (its first line), `keyring:SERVICE/USER`, or
            `cmd:COMMAND LINE` (the first line that it prints; without a shell, for at most 30 s).
        place: Who needs it, for messages.
        deadline: When it has to be there.

    Raises:
        UsageError: It is no reference; its text is not repeated.
        CollectError: It leads to nothing.
    """
    form, where = _source(reference, place)
    deadline.check(place)
    if form == "env":
        text = _of_environment(where, place)
    elif form == "file":
        text = _of_file(Path(where).expanduser(), place)
    elif form == "keyring":
        text = _of_keyring(where, place, deadline)
    else:
        text = _of_command(where, place, deadline)
    return Secret(text)


def _source(text: str, place: str) -> _Source:
    found = _FORM.fullmatch(text)
    if found is None:
        hint = f"expected {FORMS}"
        raise UsageError(place, "is no reference; a password itself is never kept", hint)
    form, where = found.groups()
    if not where.strip():
        raise UsageError(place, f"{form}: leads nowhere; expected {FORMS}")
    if not where.isprintable():
        raise UsageError(place, f"{form}: holds a line end or what else cannot be seen")
    if form == "env" and "=" in where:
        raise UsageError(place, "env: expected the name of a variable alone")
    if form == "keyring" and not all(where.rpartition("/")):
        raise UsageError(place, "keyring: expected SERVICE/USER")
    return _Source(form, where)


def _of_environment(name: str, place: str) -> str:
    found = os.environ.get(name)
    if not found:
        state = "not set" if found is None else "empty"
        hint = f"set {name} where this program runs"
        raise CollectError(place, f"the environment variable {name} is {state}", hint)
    return found


def _of_file(path: Path, place: str) -> str:
    try:
        # A pipe without a writer would hold this program for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                raise CollectError(place, f"{path} is no file")
            if os.name == "posix" and about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                hint = f"run: chmod 600 {path}"
                raise CollectError(place, f"{path} is open to others than its owner", hint)
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CollectError(place, f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise CollectError(place, f"{path} is larger than 64 KiB; expected one line")
    return _first_line(data, str(path), place)


def _of_keyring(where: str, place: str, deadline: Deadline) -> str:
    from changelog_tracker.collect.keyring_entry import password_of  # noqa: PLC0415  an extra

    service, _, user = where.rpartition("/")
    return password_of(service, user, place, min(deadline.left_s(), _MOST_S))


def _of_command(line: str, place: str, deadline: Deadline) -> str:
    allowed_s = min(deadline.left_s(), _MOST_S)
    try:
        code, data = first_output(line, allowed_s, _MOST_BYTES)
    except ValueError as error:
        raise UsageError(place, "cmd: a quote in the command line is not closed") from error
    except subprocess.TimeoutExpired:
        # From nothing: it carries what the command has printed.
        raise DeadlineError(place, f"its command did not end within {allowed_s:.0f} s") from None
    except OSError as error:
        what = f"its command cannot be run: {error.strerror}"
        raise CollectError(place, what, "give a program's path and arguments: no shell") from None
    if len(data) > _MOST_BYTES:
        raise CollectError(place, "its command printed more than 64 KiB; expected one line")
    if code != 0:
        what = f"its command ended with exit code {code}"
        raise CollectError(place, what, "run the command by hand to see what it says")
    return _first_line(data, "its command's output", place)


def _first_line(data: bytes, what: str, place: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # From nothing: it carries the bytes.
        raise CollectError(place, f"{what} is no text in UTF-8") from None
    line = text.partition("\n")[0].removesuffix("\r")
    if not line:
        raise CollectError(place, f"{what} is empty, or its first line is")
    if "\0" in line:
        raise CollectError(place, f"{what} is no text in UTF-8")
    return line
