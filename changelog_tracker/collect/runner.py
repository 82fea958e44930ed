"""What runs the script on a server, wherever that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.collect.deadline import Deadline


class Runner(Protocol):
    """Runs a script there: over WinRM, or on this machine."""

    @property
    def place(self) -> str:
        """Where it runs, for messages."""
        ...

    def run(self, script: str, arguments: Mapping[str, str], deadline: Deadline) -> bytes:
        """
        Run the script to its end.

        Args:
            script: ASCII.
            arguments: Its parameters by name; `true` is a switch. `Frame` is among them.
            deadline: When it has to have ended.

        Returns:
            Its standard output.

        Raises:
            CollectError: It could not be run, or did not end.
        """
        ...
