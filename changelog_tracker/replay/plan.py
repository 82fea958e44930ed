"""
What a plan is: the ordered steps that would remove the drift of a server, as plain data.

A plan holds no PowerShell and no sentences for a terminal; `replay/script` renders it, `report`
tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from changelog_tracker.model import Value

# How a step is done. `set` and `new` are a cmdlet's; `attribute`, `clear`, `add` and `remove` are
# about one element of applicationHost.config or of a file; `drop` removes an Exchange object.
Op = Literal["set", "new", "drop", "attribute", "clear", "add", "remove"]
# In the order in which they run (domain: order of a replay).
Group = Literal[
    "autodiscover-url", "iis-objects", "create", "exchange", "outlook-anywhere", "iis",
    "extended-protection", "files", "services", "powershell", "root", "remove", "undocumented",
]  # fmt: skip
GROUPS: tuple[Group, ...] = (
    "autodiscover-url", "iis-objects", "create", "exchange", "outlook-anywhere", "iis",
    "extended-protection", "files", "services", "powershell", "root", "remove", "undocumented",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Goal:
    """
    One value that a step puts in its place.

    Args:
        name: The parameter or the attribute.
        kind: How two values are held against each other: a field kind of the catalogue (`uri`,
            `set`, ...) or of the IIS schema (`flags`, `bool`, `int`, `timeSpan`, `text`).
        wanted: What is to stand there; None where nothing is to.
        expected: What the plan expects to find; None where nothing stands.
    """

    name: str
    kind: str
    wanted: Value
    expected: Value


@dataclass(frozen=True, slots=True)
class Hop:
    """
    One element on the way from a section to what a step is about.

    Args:
        tag: Its name; `*` where only its keys tell it.
        keys: Attributes that tell it from its sisters, in order.
    """

    tag: str
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """An object of Exchange: its noun and its identity with the server's name in it."""

    noun: str
    identity_parameter: str
    identity: str


@dataclass(frozen=True, slots=True)
class Element:
    """
    An element of a configuration file.

    Args:
        file: The file on the server by its Windows path; None is applicationHost.config.
        location: The path of its `<location>`; empty for the whole file's level.
        section: The section's path, `system.webServer/security/access`.
        hops: The way below the section. Of `add` and `remove` the last is the element itself.
    """

    file: str | None
    location: str
    section: str
    hops: tuple[Hop, ...] = ()


Target: TypeAlias = "Cmdlet | Element"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """
    One operation of a plan.

    Args:
        id: `s001`, in the order in which they run.
        group: What the user can choose or leave out as one.
        op: How it is done.
        owner: `shell`, `iis` or `file`.
        kind: The resource kind.
        resource: The resource.
        setting: The setting as the log names it; None for a whole resource.
        target: What it is about.
        goals: The values; of `add` also the other attributes of the new element.
        needs: The steps that have to be right before.
        recycles: Application pools or services to restart, so that it counts.
        by_itself: Whether the write itself recycles something, and is asked for.
        weaker: What it would lower, in words; None where it lowers nothing.
        documented: Whether somebody gave the reason.
        undo: What undoes it, in words.
        log: Ids of the log's changes that it comes from.
    """

    id: str
    group: Group
    op: Op
    owner: str
    kind: str
    resource: str
    setting: str | None
    target: Target
    goals: tuple[Goal, ...]
    needs: tuple[str, ...] = ()
    recycles: tuple[str, ...] = ()
    by_itself: bool = False
    weaker: str | None = None
    documented: bool = True
    undo: str = ""
    log: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name that the log uses."""
        place = f"{self.kind}[{self.resource}]"
        return place if self.setting is None else f"{place}.{self.setting}"


@dataclass(frozen=True, slots=True)
class ByHand:
    """
    What the script does not do.

    Args:
        kind: The resource kind.
        resource: The resource.
        setting: The setting; None for a whole resource.
        why: Why not, one sentence.
        how: What a person does instead, one or more sentences; never holds a captured value.
        reason: One of the keys of `by_hand.HOW`.
        wanted: What stood there; a secret is its fingerprint.
        found: What stands there.
        log: Ids of the log's changes that it comes from.
    """

    kind: str
    resource: str
    setting: str | None
    why: str
    how: str
    reason: str
    wanted: Value = None
    found: Value = None
    log: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name that the log uses."""
        place = f"{self.kind}[{self.resource}]"
        return place if self.setting is None else f"{place}.{self.setting}"


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is to be put back on one server.

    Args:
        server: Whose state is wanted.
        target: On which server; another one with --as.
        version: Of Exchange, "2010" to "SE".
        build: Of the wanted state.
        install_path: Where Exchange is installed, with a backslash at the end.
        wanted: The wanted state in words: "baseline, snapshot 7 of 2026-09-10T15:30:00Z".
        wanted_at: Its time.
        found: The found state in words.
        assumed: Whether the found state is the factory defaults, and nobody looked.
        unread: Kinds that were not read in the wanted state or the found one: `kind`, `unread`,
            `since` as in `show --json`, and `side`.
        modes: Of each Exchange kind how it was read: full, ad-only.
        steps: In the order in which they run.
        by_hand: Everything else that differs.
    """

    server: str
    target: str
    version: str
    build: str
    install_path: str
    wanted: str
    wanted_at: datetime
    found: str
    assumed: bool
    unread: tuple[dict[str, Value], ...] = ()
    modes: tuple[tuple[str, str], ...] = ()
    steps: tuple[PlanStep, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
