"""All that is known of one server at one moment, ready to be held against something."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.flatten import flatten
from changelog_tracker.diff.product_update import BUILD, ONE_PER_SERVER, SERVER
from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.contents import tree_of
from changelog_tracker.store.contents import load_contents
from changelog_tracker.store.states import load_held, load_known

if TYPE_CHECKING:
    from changelog_tracker.model import Held, Known, ResourceKey, Settings, Tree
    from changelog_tracker.store.database import Connection
    from changelog_tracker.store.snapshots import Snapshot


@dataclass(slots=True)
class ServerState:
    """
    What one snapshot knows of a server.

    Args:
        name: The server.
        snapshot: Which one.
        known: Its readings and resources.
        contents: The content of each resource, by digest.
        facts: What is known of the server itself: `Build`, `InstallPath`, `Fqdn` and others.
    """

    name: str
    snapshot: Snapshot
    known: Known
    contents: dict[bytes, bytes]
    facts: Settings = field(default_factory=dict)
    _flat: dict[ResourceKey, Settings] = field(default_factory=dict)

    @property
    def build(self) -> str:
        """
        The build.

        Raises:
            UsageError: Nothing tells it.
        """
        build = self.facts.get(BUILD)
        if not isinstance(build, str) or catalogue.version_of_build(build) is None:
            raise UsageError(
                self.name,
                "its build is not known, and with it what Setup makes",
                "say it once with: changelog-tracker import PATH --build BUILD",
            )
        return build

    @property
    def version(self) -> str | None:
        """The version of Exchange, or None where nothing tells it."""
        build = self.facts.get(BUILD)
        return catalogue.version_of_build(build) if isinstance(build, str) else None

    def tree(self, held: Held) -> Tree:
        """Give the settings of one resource."""
        return tree_of(held.resource, self.contents[held.digest])

    def flat(self, key: ResourceKey) -> Settings | None:
        """Give the settings of one resource by name; None where it is not there."""
        held = self.known.held.get(key)
        if held is None:
            return None
        if key not in self._flat:
            self._flat[key] = dict(flatten(self.tree(held)))
        return self._flat[key]

    def load(self, digest: bytes) -> bytes:
        """Give a content by its digest."""
        return self.contents[digest]


def server_state(connection: Connection, number: int, name: str, snapshot: Snapshot) -> ServerState:
    """
    Load what a snapshot knows of a server.

    Args:
        connection: An open transaction.
        number: The server.
        name: Its name.
        snapshot: Which one.
    """
    known = load_known(connection, number, snapshot.at)
    load_held(connection, number, known, at=snapshot.at)
    contents = load_contents(connection, list({one.digest for one in known.held.values()}))
    state = ServerState(name, snapshot, known, contents)
    for (kind, resource, aspect), held in known.held.items():
        if (kind, resource) == (SERVER, ONE_PER_SERVER):
            told = json.loads(contents[held.digest])
            # The object's own properties stand behind what the program found out.
            state.facts = {**state.facts, **told} if aspect else {**told, **state.facts}
    return state
