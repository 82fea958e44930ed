"""HTTP as far as WinRM uses it: one connection, its requests read and its answers written."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from http import HTTPStatus

LONGEST_HEAD = 65536
LONGEST_BODY = 8 << 20


class BadHttpError(Exception):
    """What came is no HTTP request that this server reads."""


@dataclass(frozen=True)
class HttpRequest:
    """
    One request as it came.

    Args:
        headers: Names in lower case.
        size: Bytes on the wire, TLS not counted.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    size: int


@dataclass(frozen=True)
class HttpAnswer:
    """One answer: `headers` besides Content-Length, in order; names may repeat."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def render(self) -> bytes:
        """Give the bytes for the wire."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {text}" for name, text in self.headers]
        lines += ["Server: Microsoft-HTTPAPI/2.0", f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


class Wire:
    """One accepted connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", 65536)

    def read(self) -> HttpRequest | None:
        """
        Wait for the next request; None where the client has closed.

        Raises:
            BadHttpError: It is no request.
            OSError: The connection broke, or nothing came in time.
        """
        line = self._file.readline(LONGEST_HEAD)
        if not line.strip():
            return None
        words = line.decode("latin-1").split()
        if len(words) != 3:
            raise BadHttpError(line[:80])
        headers, size = {}, len(line)
        while (line := self._file.readline(LONGEST_HEAD)) not in {b"\r\n", b"\n", b""}:
            name, _, text = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = text.strip()
            size += len(line)
            if size > LONGEST_HEAD:
                raise BadHttpError("head")
        length = int(headers.get("content-length") or 0)
        if length > LONGEST_BODY:
            raise BadHttpError("body")
        body = self._file.read(length) if length else b""
        if len(body) < length:
            return None
        return HttpRequest(words[0], words[1], headers, body, size + length)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._sock.sendall(data)

    def reset(self) -> None:
        """End the connection by RST, as a firewall or a crash does."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """End the connection."""
        for one in (self._file, self._sock):
            try:
                one.close()
            except OSError:
                continue
