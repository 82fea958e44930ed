"""
Exchange values as JSON values: sizes in bytes, durations, UTC times, sets, secrets.

One value must read the same however it was taken (on the server, through a remote shell, one
version later), or the change log would show changes that nobody made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias, Union

from changelog_tracker.errors import FileError

if TYPE_CHECKING:
    from changelog_tracker.model import Value

Raw: TypeAlias = Union[bool, int, float, str, Sequence["Raw"], Mapping[str, "Raw"], "Clix", None]
Fingerprint: TypeAlias = Callable[[str], "dict[str, Value]"]

# References let a small file say the same object again and again, each time one level deeper.
MOST_VALUES = 1_000_000
MOST_LEVELS = 100
TICKS_PER_SECOND = 10_000_000

# A kept raw file holds this where a secret stood (design 4.3).
_SECRET_READ_BACK = re.compile(r"\{secret:([^:{}\s]+:[^:{}\s]+)\}")
# Separators are those of the culture that wrote it: comma, point, spaces, apostrophes.
_SIZE = re.compile(r"[^()]*\((\d[\d.,'\u2019\s]{0,40})\s?[^\W\d]+\)")
_WHOLE = re.compile("-?[0-9]{1,18}")
_TRUTH = {"True": True, "False": False}
_ISO_DURATION = re.compile(
    r"(-?)P(?=.)(?:(\d{1,9})D)?(?:T(?=.)(?:(\d{1,9})H)?(?:(\d{1,9})M)?"
    r"(?:(\d{1,9})(?:\.(\d{1,7}))?S)?)?"
)
_DURATION = re.compile(r"(-?)(?:(\d{1,9})\.)?(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,7}))?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d)?")
_VALUE_TYPE = re.compile(r"Microsoft\.Exchange\.Data\.[^.]+(?:`|$)")
_AD_OBJECT_ID = "Microsoft.Exchange.Data.Directory.ADObjectId"
_CREDENTIAL = "System.Management.Automation.PSCredential"
_BLOB = "SerializationData"


class Clix(Protocol):
    """An object as CLIXML had it; parse.clixml makes them."""

    @property
    def tag(self) -> str:
        """The CLIXML tag: Obj, or that of a value that JSON has no kind for."""

    @property
    def types(self) -> tuple[str, ...]:
        """.NET type names, the most derived first."""

    @property
    def text(self) -> str | None:
        """What its ToString said, or the value as written."""

    @property
    def value(self) -> Raw:
        """What it wraps."""

    @property
    def members(self) -> Mapping[str, Raw]:
        """Its properties."""

    @property
    def sealed(self) -> str | None:
        """The encrypted text of a SecureString."""


def size(text: str) -> int | str:
    """Read "10 MB (10,485,760 bytes)" as bytes; anything else ("Unlimited") stays as written."""
    found = _SIZE.fullmatch(text)
    return int(re.sub(r"\D", "", found[1])) if found else text


def duration(text: str) -> str:
    """Write PT30M, P1DT2H or 1.02:00:00 as [d.]hh:mm:ss[.fffffff]; anything else stays."""
    found = _ISO_DURATION.fullmatch(text) or _DURATION.fullmatch(text)
    if not found:
        return text
    sign, days, hours, minutes, seconds, fraction = found.groups()
    total = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    more_days, total = divmod(total, 24 * 60 * 60)
    days = int(days or 0) + more_days
    rest = f".{fraction.ljust(7, '0')}" if fraction and fraction.strip("0") else ""
    clock = f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}{rest}"
    return f"{sign}{days}.{clock}" if days else f"{sign}{clock}"


def moment(text: str) -> str:
    """Write a time in UTC with Z; one that names no offset stays as written, without Z."""
    found = _TIME.fullmatch(text)
    if not found:
        return text
    clock, fraction, offset = found.groups()
    if offset not in {None, "Z"}:
        try:
            then = datetime.fromisoformat(clock + offset).astimezone(UTC)
        except (ValueError, OverflowError):
            return text
        clock = then.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    fraction = (fraction or "").rstrip("0")
    return clock + (f".{fraction}" if fraction else "") + ("Z" if offset else "")


def flags(text: str) -> list[Value]:
    """Read what .NET says of flags, "IMAP, IIS", as a sorted list; None is no flag."""
    return [] if text == "None" else as_set(text.split(", "))


def as_set(values: Sequence[Value]) -> list[Value]:
    """Sort by kind, then value; texts by code point."""
    return sorted(values, key=_order)


def _order(value: Value) -> tuple[int, str]:
    if isinstance(value, str):
        return (1, value)
    return (0, json.dumps(value, sort_keys=True))


def secret(text: str, fingerprint: Fingerprint) -> Value:
    """Give what stands for a secret; a file kept by this program already holds it."""
    kept = _SECRET_READ_BACK.fullmatch(text)
    if kept:
        return {"secret": kept[1]}
    return fingerprint(text) if text else text


class ValueReader:
    """
    Turns raw values of one file into JSON values, and keeps what noise rules left out of them.

    Args:
        place: The file's name, for messages.
        fingerprint: Gives {"secret": "<key id>:<fingerprint>"} for a text.
        noise: Names the rule that leaves a property of a nested object out, or gives None.
    """

    def __init__(
        self, place: str, fingerprint: Fingerprint, noise: Callable[[str], str | None] | None = None
    ) -> None:
        self._place = place
        self._fingerprint = fingerprint
        self._noise = noise or (lambda _name: None)
        self.left_out: dict[str, tuple[list[Value], str]] = {}
        self._count = 0
        self._level = 0

    def read(self, raw: Raw, kind: str = "") -> Value:
        """
        Give one value.

        Args:
            raw: As parse.clixml gave it.
            kind: The field's kind in the catalogue, or nothing where that is not known.

        Raises:
            FileError: Nested without end, or the same object repeated past any use.
        """
        self._count += 1 + len(raw) // 64 if isinstance(raw, str) else 1
        if self._count > MOST_VALUES or self._level >= MOST_LEVELS:
            raise FileError(self._place, "objects that hold themselves; expected an export")
        if isinstance(raw, str):
            return self._read_text(raw, kind)
        if raw is None or isinstance(raw, (bool, int, float)):
            return raw if kind != "secret" or raw is None else self._seal(str(raw))
        self._level += 1
        value = self._read_nested(raw, kind)
        self._level -= 1
        return value

    def _seal(self, text: str) -> Value:
        return secret(text, self._fingerprint)

    def _read_text(self, text: str, kind: str) -> Value:
        if kind == "secret":
            return self._seal(text)
        if kind == "whole" and _WHOLE.fullmatch(text):
            return int(text)
        if kind == "bool":
            return _TRUTH.get(text, text)
        if kind == "set" and text:
            return flags(text)
        if kind == "size":
            return size(text)
        return duration(text) if kind == "duration" else text

    def _read_nested(self, raw: Sequence[Raw] | Mapping[str, Raw] | Clix, kind: str) -> Value:
        inner = "secret" if kind == "secret" else ""
        if isinstance(raw, Mapping):
            return {name: self.read(value, inner) for name, value in raw.items()}
        if isinstance(raw, Sequence):
            values = [self.read(value, inner) for value in raw]
            return as_set(values) if kind == "set" else values
        if raw.sealed is not None:
            return self._seal(raw.sealed)
        if _CREDENTIAL in raw.types:
            return self.read(raw.members.get("Password"), "secret")
        if raw.tag != "Obj":
            return self._read_tagged(raw, kind)
        return self._read_object(raw, kind)

    def _read_tagged(self, raw: Clix, kind: str) -> Value:
        if raw.text is None:
            return self.read(raw.value, kind)
        if kind == "secret":
            return self._seal(raw.text)
        if raw.tag == "TS":
            return duration(raw.text)
        return moment(raw.text) if raw.tag == "DT" else raw.text

    def _read_object(self, raw: Clix, kind: str) -> Value:
        is_enum = "System.Enum" in raw.types
        if raw.value is not None and not (is_enum and raw.text is not None):
            is_set = any("MultiValuedProperty" in name for name in raw.types)
            return self.read(raw.value, "set" if is_set and kind != "secret" else kind)
        if raw.text is not None and (is_enum or _speaks_by_text(raw)):
            return self._read_text(raw.text, kind or _kind_of_type(raw))
        inner = "secret" if kind == "secret" else ""
        values: dict[str, Value] = {}
        for name, member in raw.members.items():
            rule = self._noise(name)
            if name == _BLOB:
                continue
            value = self.read(member, inner)
            if rule is None:
                values[name] = value
            else:
                self.left_out.setdefault(name, ([], rule))[0].append(value)
        return values


def _speaks_by_text(raw: Clix) -> bool:
    """
    Tell an id or a measure (its text says it all) from an object with settings of its own.

    Exchange gives SerializationData to what it can make again from one value; exports of 2016
    and 2019 show it on ids, sizes, versions, addresses and paths.
    """
    first = raw.types[0] if raw.types else ""
    if raw.text == first:
        return False
    return (
        _BLOB in raw.members
        or not raw.members
        or first == _AD_OBJECT_ID
        or _VALUE_TYPE.match(first) is not None
    )


def _kind_of_type(raw: Clix) -> str:
    first = raw.types[0] if raw.types else ""
    if "ByteQuantifiedSize" in first:
        return "size"
    if "TimeSpan" in first:
        return "duration"
    return "whole" if "Unlimited`1" in first else ""
