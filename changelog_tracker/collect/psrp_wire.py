"""
pypsrp as this program uses it: one connection to an Exchange endpoint, and the shell behind it.

Nothing is retried and no redirection followed; nothing is taken from the environment; every wait
ends with the deadline; output stays the XML that came.
"""

from __future__ import annotations

import logging
import struct
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from pypsrp.exceptions import FragmentError, WSManFaultError
from pypsrp.powershell import Fragmenter, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.wsman import SelectorSet, WSMan

from changelog_tracker.collect.cutting import Connections
from changelog_tracker.collect.psrp_errors import TIMED_OUT
from changelog_tracker.errors import CollectError, DamagedAnswerError

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    import requests
    from pypsrp.complex_objects import ObjectMeta

    from changelog_tracker.collect.deadline import Deadline
    from changelog_tracker.collect.endpoint import ExchangeEndpoint

CONFIGURATION = "Microsoft.Exchange"
# What parse/xml.py reads of one file, too.
MOST_BYTES = 64 * 1024 * 1024
# A cold Exchange needs minutes for its first session.
_OPERATION_S = 180
_CONNECT_S = 30
_MARGIN_S = 10
_PAUSE_S = 0.1
_FRAGMENT = struct.Struct(">QQBI")
_LAST = 2

# It writes to stderr what comes back as an error anyway, and at debug level whole messages.
logging.getLogger("pypsrp").addHandler(logging.NullHandler())
logging.getLogger("pypsrp").propagate = False


class Connection(WSMan):
    """
    One connection to an Exchange endpoint.

    Args:
        endpoint: Where, and how to sign in.
        deadline: When every wait ends.
    """

    def __init__(self, endpoint: ExchangeEndpoint, deadline: Deadline) -> None:
        url = checked(endpoint)
        self._endpoint, self.deadline = endpoint, deadline
        more: dict[str, Any] = {} if endpoint.certificate is None else _certificate(endpoint)
        super().__init__(
            url.hostname or "",
            port=url.port or (443 if url.scheme == "https" else 80),
            username=endpoint.user,
            password=endpoint.password.reveal() if endpoint.password else None,
            ssl=url.scheme == "https",
            path=url.path.lstrip("/") + (f"?{url.query}" if url.query else ""),
            auth=endpoint.auth,
            connection_timeout=_CONNECT_S,
            encryption="auto" if url.scheme == "https" else "always",
            negotiate_service="HTTP",
            **more,
        )
        self.transport.session = self._session()
        # Whether the other side may have heard of a shell, and whether this side can go on.
        self.asked = self.broken = False

    def _session(self) -> requests.Session:
        with ExitStack() as life:
            connections = life.enter_context(Connections(self.deadline))
            # Made by pypsrp at the first message, and used at once: so it is made here.
            session = self.transport._build_session()  # noqa: SLF001
            connections.mount(session)
            self._life = life.pop_all()
        session.verify = str(self._endpoint.ca) if self._endpoint.ca else True
        proxy = self._endpoint.proxy
        session.proxies = {"http": proxy, "https": proxy} if proxy else {}
        return session

    def close(self) -> None:
        """End every connection."""
        super().close()
        self._life.close()

    def invoke(
        self,
        action: str,
        resource_uri: str,
        resource: ET.Element | None,
        *sets: Any,  # noqa: ANN401  as pypsrp's
        retries_on_read_timeout: int = 0,  # noqa: ARG002  pypsrp would repeat each Receive five times
        **named: Any,  # noqa: ANN401  as pypsrp's
    ) -> ET.Element:
        """Do one operation, within what is left of the time and once."""
        self.deadline.check(self._endpoint.url)
        left = self.deadline.left_s()
        self.operation_timeout = max(1, min(_OPERATION_S, int(left)))
        self.transport.connection_timeout = min(_CONNECT_S, left)  # type: ignore[assignment]
        self.transport.read_timeout = min(self.operation_timeout + _MARGIN_S, left)  # type: ignore[assignment]
        try:
            return super().invoke(action, resource_uri, resource, *sets, **named)
        except WSManFaultError:
            raise
        except BaseException:
            self.broken = True
            raise

    def create(self, *arguments: Any, **named: Any) -> ET.Element:  # noqa: ANN401  as pypsrp's
        """Open a shell."""
        self.asked = True
        return super().create(*arguments, **named)

    def receive(self, *arguments: Any, **named: Any) -> ET.Element:  # noqa: ANN401  as pypsrp's
        """Wait for output, through as many operation time-outs as there is time for."""
        while True:
            started = time.monotonic()
            try:
                found = super().receive(*arguments, **named)
            except WSManFaultError as fault:
                if fault.code != TIMED_OUT:
                    raise
            else:
                if next(found.iterfind(".//{*}Stream"), None) is not None:
                    return found
            # A server that says "nothing yet" at once is not asked as fast as it answers.
            time.sleep(max(0.0, _PAUSE_S - (time.monotonic() - started)))


def checked(endpoint: ExchangeEndpoint) -> SplitResult:
    """
    Take an endpoint's address apart.

    Raises:
        CollectError: It is no address of an endpoint, or the password would travel in the clear.
    """
    url = urlsplit(endpoint.url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        what = "is no address of an Exchange endpoint"
        raise CollectError(endpoint.url, what, "as http://ex01.contoso.com/powershell")
    if url.scheme == "http" and endpoint.auth in {"basic", "certificate"}:
        what = f"{endpoint.auth} over http would not be encrypted"
        raise CollectError(endpoint.url, what, "use https, or kerberos, which encrypts over http")
    if endpoint.auth == "certificate" and not (endpoint.certificate and endpoint.certificate_key):
        raise CollectError(endpoint.url, "signing in by certificate needs one, and its key")
    if endpoint.auth in {"basic", "credssp", "ntlm"} and not (endpoint.user and endpoint.password):
        raise CollectError(endpoint.url, f"signing in by {endpoint.auth} needs user and password")
    return url


def _certificate(endpoint: ExchangeEndpoint) -> dict[str, str]:
    return {
        "certificate_pem": str(endpoint.certificate),
        "certificate_key_pem": str(endpoint.certificate_key),
    }


class Output(Fragmenter):
    """
    Takes fragments as they come, and finds what must not be believed: cut, doubled, too much.

    Args:
        pool: Whose.
        place: The server, for messages.
    """

    def __init__(self, pool: RunspacePool, place: str) -> None:
        self.as_came = _AsItCame()
        super().__init__(pool.connection.max_payload_size, self.as_came)
        self._place, self._bytes = place, 0
        self._ended: set[int] = set()

    def begin(self, *, as_it_came: bool = True) -> None:
        """Begin to count anew, for the next answer; output stays XML, or pypsrp reads it."""
        self._bytes, self.as_came.on = 0, as_it_came
        self._ended.clear()

    def defragment(self, data: bytes) -> list[Any]:
        """Give the messages that are whole by now."""
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            what = f"its answer is too long; at most {MOST_BYTES:,} bytes are read"
            raise DamagedAnswerError(self._place, what)
        at = 0
        while at < len(data):
            number, _, flags, size = _FRAGMENT.unpack_from(data, at)
            at += _FRAGMENT.size + size
            if flags & _LAST:
                if number in self._ended:
                    raise FragmentError("twice")
                self._ended.add(number)
        if at != len(data):
            raise FragmentError("cut")
        return super().defragment(data)


class _AsItCame(Serializer):
    """Leaves the objects of a pipeline's output as XML; reads the rest as pypsrp does."""

    on = True

    def deserialize(
        self,
        element: ET.Element | str,
        metadata: ObjectMeta | None = None,
        clear: bool = True,
    ) -> Any:  # noqa: ANN401  as pypsrp's
        """Read one message."""
        if self.on and metadata is None and clear and isinstance(element, str):
            return element
        return super().deserialize(element, metadata, clear)


def new_pool(connection: Connection, place: str) -> tuple[RunspacePool, Output]:
    """Make the client's side of a session of one runspace."""
    pool = RunspacePool(connection, configuration_name=CONFIGURATION)
    output = Output(pool, place)
    pool._fragmenter, pool._serializer = output, output.as_came  # noqa: SLF001  no other way in
    return pool, output


def delete_shell(pool: RunspacePool, connection: Connection) -> None:
    """Delete a shell, also one of which the answer to its creation was lost."""
    selectors = pool.shell._selector_set  # noqa: SLF001  what the server called it
    if selectors is None:
        selectors = SelectorSet()
        selectors.add_option("ShellId", pool.id)
    connection.delete(pool.shell.resource_uri, selector_set=selectors)
