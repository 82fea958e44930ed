"""
What the pages read of a plan.

Stages never import each other, so the pages say here what they need; a Plan of the replay stage
has it all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from changelog_tracker.model import Value


class Goal(Protocol):
    """One value that a step puts in its place."""

    @property
    def name(self) -> str:
        """The parameter or the attribute."""

    @property
    def wanted(self) -> Value:
        """What is to stand there."""

    @property
    def expected(self) -> Value:
        """What the plan expects to find."""


class Step(Protocol):
    """One operation of a plan."""

    @property
    def id(self) -> str:
        """`s001`, in the order in which they run."""

    @property
    def group(self) -> str:
        """What the user can choose or leave out as one."""

    @property
    def op(self) -> str:
        """How it is done: `set`, `new`, `drop`, `attribute`, `clear`, `add`, `remove`."""

    @property
    def owner(self) -> str:
        """`shell`, `iis` or `file`."""

    @property
    def setting(self) -> str | None:
        """The setting as the log names it; None for a whole resource."""

    @property
    def title(self) -> str:
        """The name that the log uses."""

    @property
    def target(self) -> object:
        """What it is about; read by attribute, for it is of two kinds."""

    @property
    def goals(self) -> Sequence[Goal]:
        """The values."""

    @property
    def needs(self) -> Sequence[str]:
        """The steps that have to be right before."""

    @property
    def recycles(self) -> Sequence[str]:
        """Application pools or services to restart, so that it counts."""

    @property
    def by_itself(self) -> bool:
        """Whether the write itself recycles something."""

    @property
    def weaker(self) -> str | None:
        """What it would lower, in words."""

    @property
    def documented(self) -> bool:
        """Whether somebody gave the reason."""

    @property
    def undo(self) -> str:
        """What undoes it, in words."""

    @property
    def log(self) -> Sequence[str]:
        """Ids of the log's changes that it comes from."""


class ByHand(Protocol):
    """What the script does not do."""

    @property
    def title(self) -> str:
        """The name that the log uses."""

    @property
    def why(self) -> str:
        """Why not, one sentence."""

    @property
    def how(self) -> str:
        """What a person does instead."""

    @property
    def reason(self) -> str:
        """`secret`, `compromise`, `certificate` and so on."""

    @property
    def wanted(self) -> Value:
        """What stood there; a secret is its fingerprint."""

    @property
    def found(self) -> Value:
        """What stands there."""

    @property
    def log(self) -> Sequence[str]:
        """Ids of the log's changes that it comes from."""


class Plan(Protocol):
    """What is to be put back on one server."""

    @property
    def server(self) -> str:
        """Whose state is wanted."""

    @property
    def target(self) -> str:
        """On which server."""

    @property
    def version(self) -> str:
        """Of Exchange, "2010" to "SE"."""

    @property
    def build(self) -> str:
        """Of the wanted state."""

    @property
    def install_path(self) -> str:
        """Where Exchange is installed."""

    @property
    def wanted(self) -> str:
        """The wanted state in words."""

    @property
    def wanted_at(self) -> datetime:
        """Its time."""

    @property
    def found(self) -> str:
        """The found state in words."""

    @property
    def assumed(self) -> bool:
        """Whether the found state is the factory defaults."""

    @property
    def unread(self) -> Sequence[Mapping[str, Value]]:
        """Kinds that were not read: `kind`, `unread`, `since`, `side`."""

    @property
    def modes(self) -> Sequence[tuple[str, str]]:
        """Of each Exchange kind how it was read."""

    @property
    def steps(self) -> Sequence[Step]:
        """In the order in which they run."""

    @property
    def by_hand(self) -> Sequence[ByHand]:
        """Everything else that differs."""
