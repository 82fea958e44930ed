"""The peer of collecting: pywinrm's own calls in as many threads; what comes back is dropped."""

from __future__ import annotations

import base64
import queue
import secrets
import threading
from typing import TYPE_CHECKING

from winrm.protocol import Protocol

from changelog_tracker.collect import bootstrap
from changelog_tracker.collect.script import collector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PIECE_BYTES = 90_000


class BareLoop:
    """
    Sends the same requests with the same payload as a collection does.

    Args:
        url: Of the servers.
        password: Of all of them.
        ca: Who signed their certificate.
        fetched: What is fetched after the list.
    """

    def __init__(self, url: str, password: str, ca: Path, fetched: Sequence[str]) -> None:
        self._url, self._password, self._ca = url, password, ca
        asked = [{"Mode": "list"}]
        if fetched:
            wanted = base64.b64encode("\n".join(fetched).encode()).decode()
            asked.append({"Mode": "fetch", "Fetch": wanted})
        self._payloads = [bootstrap.payload(*_payload(one)) for one in asked]
        self._command = bootstrap.command_line()

    def run(self, users: Sequence[str], workers: int) -> None:
        """Ask every server once."""
        waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        for one in [*users, *[None] * workers]:
            waiting.put(one)

        def work() -> None:
            while (user := waiting.get()) is not None:
                self._one(user)

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _one(self, user: str) -> None:
        for payload in self._payloads:
            self._run(self._protocol(user), payload)

    def _protocol(self, user: str) -> Protocol:
        return Protocol(
            self._url,
            transport="basic",
            username=user,
            password=self._password,
            ca_trust_path=str(self._ca),
        )

    def _run(self, protocol: Protocol, payload: bytes) -> None:
        program, *arguments = self._command
        shell = protocol.open_shell(noprofile=True, codepage=65001)
        command = protocol.run_command(shell, program, arguments, console_mode_stdin=False)
        for at in range(0, len(payload), _PIECE_BYTES):
            end = at + _PIECE_BYTES >= len(payload)
            protocol.send_command_input(shell, command, payload[at : at + _PIECE_BYTES], end=end)
        protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)


def _payload(asked: dict[str, str]) -> tuple[str, dict[str, str]]:
    return collector(), {**asked, "Frame": secrets.token_hex(16)}
