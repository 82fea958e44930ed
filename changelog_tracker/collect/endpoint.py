"""Where a server listens, and how one signs in there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.collect.credentials import Secret

Scheme = Literal["https", "http"]
Auth = Literal["kerberos", "negotiate", "ntlm", "credssp", "certificate", "basic"]
PORTS: dict[Scheme, int] = {"http": 5985, "https": 5986}


@dataclass(frozen=True, slots=True)
class Endpoint:
    r"""
    A server's WinRM listener.

    Args:
        host: Its name as DNS and its certificate know it, or an address.
        scheme: What is spoken below; over http each message is encrypted by the sign-in.
        port: None for the usual one.
        auth: How to sign in.
        user: Who, as `CONTOSO\svc` or `svc@contoso.com`; None for Kerberos' own ticket.
        password: Its password.
        ca: The authorities that are trusted, instead of the machine's; PEM.
        proxy: A proxy's URL; none is ever taken from the environment.
        certificate: The client's certificate, PEM, for `certificate`.
        certificate_key: Its key, PEM.
    """

    host: str
    scheme: Scheme = "https"
    port: int | None = None
    auth: Auth = "negotiate"
    user: str | None = None
    password: Secret | None = None
    ca: Path | None = None
    proxy: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None

    @property
    def url(self) -> str:
        """Its address, an IPv6 one in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port or PORTS[self.scheme]}/wsman"


@dataclass(frozen=True, slots=True)
class ExchangeEndpoint:
    """
    A server's own Exchange endpoint, which is on IIS's port and no WinRM listener.

    Args:
        url: `http://ex01.contoso.com/powershell`.
        auth: As for `Endpoint`.
        user: As for `Endpoint`.
        password: Its password.
        ca: As for `Endpoint`.
        proxy: As for `Endpoint`.
        certificate: As for `Endpoint`.
        certificate_key: Its key.
    """

    url: str
    auth: Auth = "kerberos"
    user: str | None = None
    password: Secret | None = None
    ca: Path | None = None
    proxy: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
