"""Looks at a port and the certificate behind it, before anybody signs in."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import requests

from changelog_tracker.collect.tls import shared
from changelog_tracker.collect.wire_errors import lost
from changelog_tracker.errors import UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.collect.deadline import Deadline

_LONGEST_S = 10.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """
    What a server shows of itself before it is trusted with a password.

    Args:
        names: What it is issued for; addresses too.
        until: When it ends, UTC.
    """

    names: tuple[str, ...]
    until: datetime | None


def open_port(host: str, port: int, deadline: Deadline) -> None:
    """
    See that something listens.

    Raises:
        UnreachableError: Nothing does, or the name is not known.
    """
    try:
        with socket.create_connection((host, port), min(_LONGEST_S, deadline.left_s())):
            return
    except socket.gaierror as error:
        what = "no connection: no such host"
        raise UnreachableError(f"{host}:{port}", what, "give --host as DNS knows it") from error
    except OSError as error:
        raise lost(error, f"{host}:{port}") from error


def look_at_certificate(
    host: str, port: int, authority: Path | None, deadline: Deadline
) -> Certificate:
    """
    Shake hands as a client that checks the certificate, and tell what it is.

    Raises:
        CollectError: It is not trusted, nothing speaks TLS there, or the authorities are none.
    """
    context = shared(str(authority) if authority else None)
    place = f"{host}:{port}"
    try:
        with (
            socket.create_connection((host, port), min(_LONGEST_S, deadline.left_s())) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            found = wrapped.getpeercert() or {}
    except ssl.SSLError as error:
        # So a test says of it what a snapshot would.
        raise lost(requests.exceptions.SSLError(error), place) from error
    except OSError as error:
        raise lost(error, place) from error
    told = cast("tuple[tuple[str, str], ...]", found.get("subjectAltName", ()))
    names = tuple(value for kind, value in told if kind in {"DNS", "IP Address"})
    ends = ssl.cert_time_to_seconds(str(found["notAfter"])) if "notAfter" in found else None
    return Certificate(names, datetime.fromtimestamp(ends, tz=UTC) if ends is not None else None)
