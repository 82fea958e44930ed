"""
The nouns that every stage shares: plain frozen data, no input or output.

A *record* is one resource as a format wrote it; its settings are made from it when somebody
compares or reads. Everything that is kept of a server is a record, so an unchanged server costs
no more than the hashes of its files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

# A JSON value. Sets are sorted lists; a secret is {"secret": "<key id>:<fingerprint>"}.
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Settings: TypeAlias = "dict[str, Value]"

ReadingKey: TypeAlias = tuple[str, str]
ResourceKey: TypeAlias = tuple[str, str, str]
Mode = Literal["full", "ad-only", "files-only"]
Status = Literal["read", "absent", "unread"]
Action = Literal["added", "removed", "changed"]
Class = Literal["customisation", "product-update", "recovery", "mitigation", "servicelet", "replay"]
# The reason of the gap since a server's newest snapshot, while that is no older than usual.
WAITING = "waiting for the next snapshot"
CLASSES: tuple[Class, ...] = (
    "customisation",
    "product-update",
    "recovery",
    "mitigation",
    "servicelet",
    "replay",
)


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """One resource of one server; `aspect` parts what different reading modes tell of it."""

    kind: str
    name: str
    aspect: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity: Exchange, IIS and Windows paths have no case."""
        return (self.kind, self.name.casefold(), self.aspect)

    def __str__(self) -> str:
        return f"{self.kind}[{self.name}]"


@dataclass(frozen=True, slots=True)
class Record:
    """
    One resource as it was read.

    Args:
        resource: Which one.
        content: Its canonical bytes: JSON of an Exchange object, XML of a section. Secrets are
            already fingerprints, what is noise by nature (timestamps) is already left out.
    """

    resource: ResourceId
    content: bytes


@dataclass(frozen=True, slots=True)
class ReadingId:
    """What is read or not read as one: an Exchange noun, or one file."""

    kind: str
    scope: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The identity, without case."""
        return (self.kind, self.scope.casefold())

    def __str__(self) -> str:
        return f"{self.kind} {self.scope}".strip()


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What a server answered for one kind or file, or why it could not.

    Args:
        id: Which kind or file.
        status: `absent` is an answer that there is none; `unread` is no answer.
        mode: What the answer can tell at all.
        reason: Why it was not read; one line.
        fingerprint: HMAC of the file's SHA-256 under the store's key.
    """

    id: ReadingId
    status: Status = "read"
    mode: Mode = "full"
    reason: str | None = None
    fingerprint: bytes | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """
    A setting that differs between two snapshots of one server.

    `setting` is None where a whole resource came or went, `[key]` where a collection element did.
    `before` and `after` are what stands there, None where nothing does.
    """

    kind: str
    resource: str
    setting: str | None
    action: Action
    before: Value
    after: Value
    category: Class = "customisation"
    also: tuple[str, ...] = ()
    folded: tuple[Change, ...] = ()
    not_before: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What is changed, without case."""
        return (self.kind, self.resource.casefold(), self.setting)

    @property
    def path(self) -> str:
        """The name that log, globs and policies use."""
        place = f"{self.kind}[{self.resource}]"
        return place if self.setting is None else f"{place}.{self.setting}"


@dataclass(frozen=True, slots=True)
class Command:
    """A line for the PowerShell prompt, or why there can be none."""

    text: str | None
    why_not: str | None = None


@dataclass(slots=True)
class Node:
    """One element of a configuration file as plain data; `line` is 0 where it is not known."""

    tag: str
    attributes: dict[str, str]
    children: list[Node]
    text: str
    line: int


@dataclass(slots=True)
class Tree:
    """
    The settings of one resource with their structure, so that they can be compared.

    Args:
        values: Attributes, `(text)`, `(clear)`, `(remove)` and the like, by name.
        parts: Elements that stand once, by name.
        items: Elements of a collection by what compares them; the label is what is shown.
        sequence: Elements of a collection that have no key, in order.
        keys: The attributes that make this item's key.
        label: How this item is shown: `[name='X']`.
        ordered: Whether the order of `items` means something.
        compared: What stands for a value in a comparison, where that is not the value itself
            (a host name has no case; null and the empty string mean the same in the directory).
        ignored: Which values no comparison looks at, and the noise rule that says so.
        line: The line of the element, 0 where it is not known.
    """

    values: dict[str, Value] = field(default_factory=dict)
    parts: dict[str, Tree] = field(default_factory=dict)
    items: dict[str, Tree] = field(default_factory=dict)
    sequence: list[Tree] = field(default_factory=list)
    keys: dict[str, Value] = field(default_factory=dict)
    label: str = ""
    ordered: bool = False
    compared: dict[str, Value] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A resource as it is held: who it is, which reading tells it, the SHA-256 of its content."""

    resource: ResourceId
    reading: ReadingKey
    digest: bytes


@dataclass(frozen=True, slots=True)
class KnownReading:
    """A reading's last answer, when the server last answered at all, and since when it is so."""

    reading: Reading
    read_at: datetime | None = None
    since: datetime | None = None


@dataclass(slots=True)
class Known:
    """What is known of a server at a moment."""

    at: datetime | None = None
    collector: str | None = None
    readings: dict[ReadingKey, KnownReading] = field(default_factory=dict)
    held: dict[ResourceKey, Held] = field(default_factory=dict)


@dataclass(slots=True)
class Taken:
    """
    What one snapshot read.

    Args:
        at: When.
        collector: Who made the bundle, as `name version`; None where it is no bundle. A bundle
            lists every file that was looked for.
        readings: Every answer.
        held: The resources of each reading whose bytes are new.
        unchanged: Readings whose bytes are those that are known.
        touched: Of readings that were compared in part before, the resources of the other part.
    """

    at: datetime
    collector: str | None
    readings: dict[ReadingKey, Reading]
    held: dict[ReadingKey, dict[ResourceKey, Held]]
    unchanged: set[ReadingKey]
    touched: dict[ReadingKey, set[ResourceKey]] = field(default_factory=dict)


@dataclass(slots=True)
class Step:
    """What one snapshot did to what is known."""

    changes: list[Change] = field(default_factory=list)
    opened: dict[ResourceKey, Held] = field(default_factory=dict)
    closed: dict[ResourceKey, Held] = field(default_factory=dict)
    readings: dict[ReadingKey, Reading] = field(default_factory=dict)
