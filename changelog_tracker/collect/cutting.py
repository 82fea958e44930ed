"""
Connections that a deadline can cut: an adapter for requests whose sockets are known.

A deadline covers the look-up of a name, connecting, TLS, signing in, and each read. Nothing is
taken from the environment: neither a proxy nor an authority, for both could read along.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from changelog_tracker.collect.tls import shared, trusting, with_certificate
from changelog_tracker.errors import DamagedAnswerError

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from changelog_tracker.collect.deadline import Deadline

# Of one answer. Windows' largest envelope is 500 KiB by default.
MOST_BYTES = 8 * 1024 * 1024
_SHORTEST_S = 0.05
# Of each address of a name.
_CONNECT_S = 15.0
_WAYS = re.compile(r"(?:^|,)\s*(Basic|CredSSP|Digest|Kerberos|Negotiate|NTLM)\b", re.IGNORECASE)

# They write to stderr what comes back as an error anyway, and at debug level whole messages.
for _name in ("pypsrp", "requests_credssp", "requests_ntlm", "spnego", "urllib3", "winrm"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class Connections:
    """
    The connections of one conversation, all of which end with it, or at its deadline.

    Each is held by a second descriptor: TLS takes the first one over, and an answer that ends its
    connection is still read when the connection has been given up.

    `doing` is what goes on, for messages; `offered` are the ways of signing in that the server
    named when it asked for one.

    Args:
        deadline: When they are shut down.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.doing = "signing in"
        self.offered: tuple[str, ...] = ()
        self._held: list[socket.socket] = []
        self._opened: list[HTTPConnection] = []
        self._answers: list[requests.Response] = []
        self._key = deadline.watch(self._shut_all)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.deadline.forget(self._key)
        self._shut_all()
        for held in self._held:
            held.close()
        # Those of answers that nobody read to the end are in no pool that would close them; one
        # that ends its connection has taken the socket over.
        for opened in self._opened:
            opened.close()
        for answer in self._answers:
            answer.close()

    def mount(self, session: requests.Session) -> None:
        """Have a session of requests open its connections here, and guess and follow nothing."""
        adapter = CuttingAdapter(self)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        # Else a .netrc and the variables of curl count; and NTLM answers whoever is redirected to.
        session.trust_env, session.max_redirects = False, 0
        session.headers["Accept-Encoding"] = "identity"

    def check(self, place: str) -> None:
        """
        Go on only while there is time.

        Raises:
            DeadlineError: There is none left; it says what was going on.
        """
        if self.deadline.is_over:
            raise self.deadline.error(place, self.doing)

    def hold(self, connection: HTTPConnection, opened: socket.socket) -> None:
        """Take note of a connection; one that is opened too late is shut down at once."""
        self._held.append(opened.dup())
        self._opened.append(connection)
        if self.deadline.is_over:
            self._shut_all()

    def keep(self, answer: requests.Response) -> None:
        """Take note of an answer that somebody else reads, or nobody."""
        self._answers.append(answer)

    def _shut_all(self) -> None:
        for one in list(self._held):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class CuttingAdapter(HTTPAdapter):
    """
    Opens connections that are known, waits for none beyond their deadline, reads no endless answer.

    Args:
        connections: Where they are known.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._own: ssl.SSLContext | None = None
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  as urllib3's
        """Have the pools open connections that are known."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self._connections)

    def proxy_manager_for(self, proxy: Any, **named: Any) -> Any:  # noqa: ANN401  as urllib3's
        """Have those to a proxy do the same."""
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = _pools(self._connections)
        return manager

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ANN401  as requests'
        cert: Any = None,  # noqa: ANN401  as requests'
    ) -> Any:  # noqa: ANN401  as requests'
        """Say which connections are alike; what checks certificates is made here alone."""
        where, _ = super().build_connection_pool_key_attributes(request, verify, None)
        if where["scheme"] != "https":
            return where, {}
        ca = verify if isinstance(verify, str) else None
        if cert is not None and self._own is None:
            # Of its own, for a shared one would show the certificate to other servers too.
            self._own = with_certificate(trusting(ca), *cert)
        return where, {"ssl_context": self._own or shared(ca)}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401
        """Leave it at that: requests would add its own authorities to those that were given."""

    def send(self, *arguments: Any, **named: Any) -> requests.Response:  # noqa: ANN401  as requests'
        """Send a request; no wait of it is longer than what is left."""
        left = max(_SHORTEST_S, self._connections.deadline.left_s())
        timeout = named.get("timeout")
        waits = timeout if isinstance(timeout, tuple) else (_CONNECT_S, timeout)
        named["timeout"] = tuple(min(wait or left, left) for wait in waits)
        response = super().send(*arguments, **named)
        if response.status_code == requests.codes.unauthorized:
            # Not read here: NTLM looks at the connection's certificate, which is gone afterwards.
            self._connections.keep(response)
            told = response.headers.get("WWW-Authenticate", "")
            self._connections.offered = self._connections.offered or tuple(_WAYS.findall(told))
            return response
        try:
            return _read(response)
        except BaseException:
            response.close()
            raise


def _read(response: requests.Response) -> requests.Response:
    """Read an answer whole, if it is no longer than one can be."""
    if int(response.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise _too_long(response)
    held = bytearray()
    for part in response.iter_content(65536):
        held += part
        if len(held) > MOST_BYTES:
            raise _too_long(response)
    # What requests itself does where nobody asks it to stream.
    response._content, response._content_consumed = bytes(held), True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def _too_long(response: requests.Response) -> DamagedAnswerError:
    hint = "is something between that answers in its place?"
    return DamagedAnswerError(response.url, "its answer is longer than any message", hint)


class _Plain(HTTPConnection):
    def __init__(self, *arguments: Any, connections: Connections, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self._connections = connections

    def _new_conn(self) -> socket.socket:
        return _opened(self, super()._new_conn, self._connections)


class _Wrapped(HTTPSConnection):
    def __init__(self, *arguments: Any, connections: Connections, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self._connections = connections

    def _new_conn(self) -> socket.socket:
        return _opened(self, super()._new_conn, self._connections)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _WrappedPool(HTTPSConnectionPool):
    ConnectionCls = _Wrapped


def _pools(connections: Connections) -> dict[str, Any]:
    """Give what makes the pools whose connections are known."""
    # What a pool does not know it hands on to its connections.
    return {
        "http": partial(_PlainPool, connections=connections),
        "https": partial(_WrappedPool, connections=connections),
    }


def _opened(connection: Any, connect: Any, connections: Connections) -> socket.socket:  # noqa: ANN401  urllib3's
    """Open a connection to the first address that takes it, none longer than what is left."""
    name, timeout = connection._dns_host, connection.timeout  # noqa: SLF001  what is looked up
    failed: Exception | None = None
    try:
        for address in _addresses(connection, connections.deadline):
            connection._dns_host = address  # noqa: SLF001
            left = max(_SHORTEST_S, connections.deadline.left_s())
            connection.timeout = min(timeout or left, left)
            try:
                opened: socket.socket = connect()
            except (NewConnectionError, ConnectTimeoutError) as error:
                failed = error
                continue
            connections.hold(connection, opened)
            return opened
    finally:
        connection._dns_host, connection.timeout = name, timeout  # noqa: SLF001
    raise failed or NewConnectionError(connection, "no address")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _addresses(connection: Any, deadline: Deadline) -> list[str]:  # noqa: ANN401  urllib3's
    """Look a name up; who waits for a resolver can leave it, which no library offers."""
    name = connection._dns_host  # noqa: SLF001
    if _is_address(name):
        return [name]
    found: list[str] = []
    failed: list[Exception] = []

    def look_up() -> None:
        try:
            told = socket.getaddrinfo(name, connection.port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(one[4][0]) for one in told))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    looking = threading.Thread(target=look_up, daemon=True)
    looking.start()
    looking.join(max(_SHORTEST_S, deadline.left_s()))
    if failed:
        raise NameResolutionError(name, connection, socket.gaierror(str(failed[0])))
    if looking.is_alive():
        raise ConnectTimeoutError(connection, "its name was not looked up in time")
    return found
