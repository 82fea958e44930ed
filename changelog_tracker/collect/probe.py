"""Looks at a port and the certificate behind it, before anybody signs in."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

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
        subject: Its names, the first the one it is issued to.
        until: When it ends, UTC; None where it is not trusted, for then nobody has read it.
        trouble: Why it is not trusted.
    """

    subject: str
    until: datetime | None
    trouble: str | None = None


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
        what = "no such host: the name cannot be looked up"
        raise UnreachableError(f"{host}:{port}", what, "give --host as DNS knows it") from error
    except OSError as error:
        what = f"no connection: {error.strerror or 'no answer in time'}"
        hint = "is the WinRM listener on, and does every firewall between let this port through?"
        raise UnreachableError(f"{host}:{port}", what, hint) from error


def look_at_certificate(
    host: str, port: int, authority: Path | None, deadline: Deadline
) -> Certificate:
    """Shake hands as a client that checks the certificate, and tell what it is or what is wrong."""
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    address = (host, port)
    try:
        with (
            socket.create_connection(address, min(_LONGEST_S, deadline.left_s())) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            found = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Certificate("", None, error.verify_message)
    except (ssl.SSLError, OSError) as error:
        return Certificate("", None, f"no TLS: {error.strerror or type(error).__name__}")
    told = cast("tuple[tuple[str, str], ...]", found.get("subjectAltName", ()))
    names = [value for kind, value in told if kind in {"DNS", "IP Address"}]
    ends = ssl.cert_time_to_seconds(str(found["notAfter"])) if "notAfter" in found else None
    until = datetime.fromtimestamp(ends, tz=UTC) if ends is not None else None
    return Certificate(", ".join(names) or "no name", until)
