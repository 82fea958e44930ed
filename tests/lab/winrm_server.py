"""
A simulated WinRM server on loopback: HTTP or HTTPS, sign-in, message encryption, WS-Management.

    with WinRmServer({"CONTOSO\\anna": "secret"}) as server:
        server.mount("/wsman", WinRsShells(Canned(lambda line, stdin: (b"out", b"", 0))))
        ...  # a client talks to server.url
        assert server.counters.still_open == set()

**Mounting a resource.** `server.mount(path, resource, uri=..., blank=...)`: requests to `path`
whose ResourceURI begins with `uri` go to `resource`, which is anything with

    def answer(self, request: winrm_soap.Request) -> winrm_soap.Answer: ...
    def close(self) -> None: ...

`answer` is called in the connection's own thread, after sign-in and decryption; it may block for
`request.operation_timeout_s` at most. `request.verb` is Create, Command, Send, Receive, Signal,
Delete, ...; `request.body` the inside of the SOAP body as text (`winrm_soap.value` and its like
read elements from it); `request.shell_id`, `request.options`, `request.user`, `request.url` the
rest. It returns `Answer(body)` (the inside of the answer's SOAP body, with the prefixes s, a, x, w,
rsp, p bound as Windows binds them) or raises `winrm_soap.RefusedError(fault)` (`TIMED_OUT`,
`NO_SHELL`, ... or a `Fault` of its own). The answer to a Create must hold
`<rsp:ShellId>...</rsp:ShellId>`: from that, and from each Delete that is answered, the server
counts shells. `blank=True` encrypts with Exchange's boundary `-- Encrypted Boundary`.
`close` is called when the server stops. Paths that nothing is mounted on are 404.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import winrm_tls
from winrm_auth import Accounts
from winrm_connection import Connection
from winrm_faults import Faults
from winrm_http import Wire

if TYPE_CHECKING:
    from types import TracebackType

    from winrm_soap import Answer, Request

IDLE_S = 120.0
HANDSHAKE_S = 20.0


class Resource(Protocol):
    """What a path can be mounted with."""

    def answer(self, request: Request) -> Answer:
        """Do one operation."""

    def close(self) -> None:
        """End what still runs."""


@dataclass(frozen=True)
class Mount:
    """One resource at one path."""

    path: str
    uri: str
    resource: Resource
    blank: bool


@dataclass
class Counters:
    """
    What happened since the server started.

    Args:
        unheard: Shells whose id came to the client spoilt or never, so that it may not close them.
        verbs: How often each operation was asked for.
    """

    connections: int = 0
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    opened: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    unheard: set[str] = field(default_factory=set)
    verbs: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def still_open(self) -> set[str]:
        """Shells that nobody closed."""
        return self.opened - self.closed

    def connected(self) -> None:
        """Count a connection."""
        with self._lock:
            self.connections += 1

    def came(self, size: int) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            self.bytes_in += size

    def went(self, size: int) -> None:
        """Count bytes sent."""
        with self._lock:
            self.bytes_out += size

    def asked(self, verb: str) -> None:
        """Count an operation."""
        with self._lock:
            self.verbs[verb] += 1

    def did(self, verb: str, shell: str) -> None:
        """Count a shell that was opened or closed."""
        if verb == "Create":
            self.opened.add(shell)
        elif verb == "Delete":
            self.closed.add(shell)

    def numbers(self) -> dict[str, Any]:
        """Give all as plain numbers."""
        return {
            "connections": self.connections,
            "requests": self.requests,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "opened": len(self.opened),
            "closed": len(self.closed),
            "still_open": len(self.still_open),
            "unheard": len(self.unheard),
            "verbs": dict(self.verbs),
        }


class WinRmServer:
    """
    The server; a context manager. It stops by itself after `life_s` at the latest.

    Args:
        passwords: By user name, as clients write it.
        tls: The certificate for HTTPS; None is HTTP.
        clients: The authority (PEM) of people's certificates, for scheme `certificate`.
        schemes: What sign-in offers; by default Negotiate, and Basic where messages may be open.
        allow_unencrypted: Over HTTP, take messages that are not encrypted, and Basic.
        strict_bindings: Over HTTPS, refuse NTLM without channel bindings.
        acceptors: More schemes, see `winrm_auth.Accounts`.
        max_envelope: Largest request in bytes; above it, 413.
        machine: The name that faults give.
        host: How `url` names this machine.

    `failures` holds what the server itself did wrong; a test should find it empty.
    """

    def __init__(
        self,
        passwords: dict[str, str],
        *,
        tls: winrm_tls.Pair | None = None,
        clients: Path | None = None,
        schemes: tuple[str, ...] | None = None,
        allow_unencrypted: bool = False,
        strict_bindings: bool = False,
        acceptors: dict[str, Any] | None = None,
        faults: Faults | None = None,
        max_envelope: int = 512_000,
        machine: str = "EX01",
        host: str = "127.0.0.1",
        life_s: float = 600,
    ) -> None:
        self.faults, self.machine, self.max_envelope = faults or Faults(), machine, max_envelope
        self.open_messages = tls is not None or allow_unencrypted
        self.counters, self.stopping = Counters(), threading.Event()
        self.mounts: dict[str, list[Mount]] = {}
        self.failures: list[BaseException] = []
        self._tls = winrm_tls.server_context(tls, clients) if tls else None
        self._host, self._life_s = host, life_s
        self._folder = tempfile.TemporaryDirectory(prefix="winrm-")
        self.accounts = Accounts(
            passwords,
            schemes or (("negotiate", "basic") if self.open_messages else ("negotiate",)),
            Path(self._folder.name) / "accounts",
            tls.der if tls and strict_bindings else None,
            acceptors or {},
        )
        self._listener = _Listener(self)
        self._sockets: set[socket.socket] = set()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """The endpoint for shells."""
        return self.url_of("/wsman")

    def url_of(self, path: str) -> str:
        """Give the address of a path."""
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}{path}"

    def mount(self, path: str, resource: Resource, *, uri: str = "", blank: bool = False) -> None:
        """Let a resource answer at a path; see above."""
        self.mounts.setdefault(path.lower(), []).append(Mount(path, uri, resource, blank))

    # ---- life

    def __enter__(self) -> WinRmServer:
        threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        self._watchdog = threading.Timer(self._life_s, self.stop)
        self._watchdog.daemon = True
        self._watchdog.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the listener, every connection and every command; safe to call twice."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._watchdog.cancel()
        self._listener.shutdown()
        self._listener.server_close()
        for mount in [one for mounts in self.mounts.values() for one in mounts]:
            mount.resource.close()
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._folder.cleanup()

    def talk(self, sock: socket.socket, client: str) -> None:
        """Serve one accepted connection, in its own thread."""
        self.counters.connected()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(HANDSHAKE_S)
        certified = None
        if self._tls:
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
            certified = winrm_tls.principal(sock) if isinstance(sock, ssl.SSLSocket) else None
        sock.settimeout(IDLE_S)
        self._sockets.add(sock)
        try:
            Connection(self, Wire(sock), client, certified).serve()
        finally:
            self._sockets.discard(sock)


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, server: WinRmServer) -> None:
        self._server = server
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._server.talk(request, str(client_address[0]))

    def shutdown_request(self, request: Any) -> None:
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        error = sys.exc_info()[1]
        if error is not None:
            self._server.failures.append(error)
