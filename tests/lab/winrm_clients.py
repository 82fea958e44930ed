"""Clients that nobody here wrote, pywinrm and pypsrp, as tests use them; and a listening relay."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import winrm
from pypsrp.wsman import WSMan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = r"CONTOSO\anna", "p:ss w\u00f6rd"
ACCOUNTS = {USER: PASSWORD}


@contextlib.contextmanager
def pywinrm(url: str, way: str = "ntlm", ca: Path | None = None, **more: Any) -> Iterator[Any]:
    """Give a Protocol; its connections are closed afterwards."""
    if way != "certificate":
        more = {"username": USER, "password": PASSWORD} | more
    protocol = winrm.Protocol(
        url, transport=way, ca_trust_path=str(ca) if ca else None, proxy=None, **more
    )
    try:
        yield protocol
    finally:
        protocol.transport.close_session()


def session(url: str, way: str = "ntlm", ca: Path | None = None) -> winrm.Session:
    """Give pywinrm's Session, which closes after each command."""
    trust = str(ca) if ca else None
    return winrm.Session(url, auth=(USER, PASSWORD), transport=way, ca_trust_path=trust, proxy=None)


@contextlib.contextmanager
def pypsrp(url: str, way: str = "ntlm", ca: Path | None = None, **more: Any) -> Iterator[WSMan]:
    """Give a WSMan; its connections are closed afterwards."""
    at = urlsplit(url)
    more = {"username": USER, "password": PASSWORD, "no_proxy": True} | more
    wsman = WSMan(
        at.hostname or "",
        port=at.port,
        path=at.path.lstrip("/"),
        ssl=at.scheme == "https",
        auth=way,
        cert_validation=str(ca) if ca else True,
        **more,
    )
    with wsman:
        yield wsman


def run(protocol: Any, line: str, *stdin: bytes, codepage: int = 65001) -> tuple[bytes, bytes, int]:
    """Open a shell, run a line with input in pieces, and close what was opened."""
    shell = protocol.open_shell(codepage=codepage)
    try:
        command = protocol.run_command(shell, line)
        for piece in stdin:
            protocol.send_command_input(shell, command, piece)
        if stdin:
            protocol.send_command_input(shell, command, b"", end=True)
        said = protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
        return said
    finally:
        protocol.close_shell(shell)


def let_go() -> None:
    """
    Close what errors still hold.

    A connection that an error took out of its pool is closed by nobody, and says so when it is
    collected: that is the libraries' business.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Relay:
    """Stands between a client and the server, and keeps every byte; a context manager."""

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.heard = bytearray()
        self.url = f"{self._to.scheme}://127.0.0.1:{self._listener.getsockname()[1]}{self._to.path}"

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._to.hostname, self._to.port))
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                self.heard += piece
                other.sendall(piece)
            other.shutdown(socket.SHUT_WR)
        one.close()
