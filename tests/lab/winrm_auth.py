"""Who may in: Basic, NTLM bare or in SPNEGO, CredSSP, client certificates; by connection."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import spnego
from spnego._ntlm_raw.crypto import lmowfv1, ntowfv1
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from winrm_http import HttpRequest

CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
SHOWN = {"basic": 'Basic realm="WSMAN"', "negotiate": "Negotiate", "credssp": "CredSSP"}
MESSAGES = {
    "negotiate": "application/HTTP-SPNEGO-session-encrypted",
    "kerberos": "application/HTTP-Kerberos-session-encrypted",
    "credssp": "application/HTTP-CredSSP-session-encrypted",
}
# pyspnego's acceptor finds its accounts by an environment variable, which is the whole process's.
_ACCOUNTS = threading.Lock()


@dataclass(frozen=True)
class Verdict:
    """
    What sign-in says of one request.

    Args:
        user: Who it is; None is refused or not done yet.
        headers: `WWW-Authenticate` lines for the answer.
        done_now: This request ended the sign-in; with an empty body it is all there is to answer.
    """

    user: str | None
    headers: tuple[tuple[str, str], ...] = ()
    done_now: bool = False


@dataclass
class Accounts:
    """
    The accounts and the ways in.

    Args:
        passwords: By user name, as clients write it: `CONTOSO\\anna`, `anna@contoso.com`, `anna`.
        schemes: Of `basic`, `negotiate`, `credssp`, `certificate`, in the order they are offered.
            Another scheme (`kerberos`, where gssapi and a KDC are) needs an entry in `acceptors`.
        store: File for pyspnego's acceptor; written.
        bindings: The server's certificate, DER, where channel bindings are insisted on.
    """

    passwords: dict[str, str]
    schemes: tuple[str, ...]
    store: Path
    bindings: bytes | None = None
    acceptors: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = [
            f"{user}:1000:{lmowfv1(password).hex()}:{ntowfv1(password).hex()}:[U]:LCT-0\n"
            for user, password in self.passwords.items()
        ]
        self.store.write_text("".join(lines), "utf-8", newline="")
        self.acceptors = {"negotiate": negotiate, "credssp": credssp} | self.acceptors

    def challenge(self) -> tuple[tuple[str, str], ...]:
        """Give what a 401 offers."""
        shown = [SHOWN.get(one, one.capitalize()) for one in self.schemes if one != "certificate"]
        return tuple(("WWW-Authenticate", one) for one in shown)

    def step(self, context: Any, token: bytes) -> bytes | None:
        """Take an acceptor one step on."""
        with self._known():
            return context.step(token)

    def new(self, scheme: str, token: bytes) -> Any:
        """Make an acceptor for a first token."""
        found = None
        if self.bindings is not None:
            hashed = hashlib.sha256(self.bindings).digest()
            found = GssChannelBindings(application_data=b"tls-server-end-point:" + hashed)
        with self._known():
            return self.acceptors[scheme](token, found)

    @contextmanager
    def _known(self) -> Iterator[None]:
        with _ACCOUNTS:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(self.store)
            try:
                yield
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before


def negotiate(token: bytes, bindings: GssChannelBindings | None) -> Any:
    """Accept NTLM, bare as Windows also takes it, or in SPNEGO."""
    bare = token.startswith(b"NTLMSSP\0")
    way = spnego.NegotiateOptions.use_ntlm if bare else spnego.NegotiateOptions.use_negotiate
    return spnego.server(
        protocol="ntlm" if bare else "negotiate", options=way, channel_bindings=bindings
    )


def credssp(token: bytes, bindings: GssChannelBindings | None) -> Any:
    """Accept CredSSP with NTLM inside."""
    return spnego.server(protocol="credssp", options=spnego.NegotiateOptions.use_negotiate)


class Door:
    """Sign-in of one connection, and its security context afterwards."""

    def __init__(self, accounts: Accounts, certified: str | None) -> None:
        self._accounts, self._certified = accounts, certified
        self._context: Any = None
        self.scheme = ""
        self.user: str | None = None

    @property
    def context(self) -> Any:
        """What encrypts messages; None before sign-in and where nothing does."""
        return self._context if self.user else None

    def check(self, request: HttpRequest) -> Verdict:
        """Say who sends a request."""
        header = request.headers.get("authorization", "")
        if not header:
            return Verdict(self.user) if self.user else self.refuse()
        scheme, _, text = header.partition(" ")
        scheme = scheme.lower()
        if header == CERTIFICATE and "certificate" in self._accounts.schemes:
            return Verdict(self._certified) if self._certified else self.refuse()
        if scheme not in self._accounts.schemes:
            return self.refuse()
        try:
            token = base64.b64decode(text, validate=True)
        except binascii.Error:
            return self.refuse()
        return self._basic(token) if scheme == "basic" else self._steps(scheme, token)

    def refuse(self) -> Verdict:
        """Forget who it was."""
        self.user = self._context = None
        return Verdict(None, self._accounts.challenge())

    def _basic(self, token: bytes) -> Verdict:
        # Clients do not agree how letters are written here; requests takes Latin-1.
        for codec in ("utf-8", "latin-1"):
            user, _, password = token.decode(codec, "replace").partition(":")
            if self._accounts.passwords.get(user) == password:
                return Verdict(user)
        return self.refuse()

    def _steps(self, scheme: str, token: bytes) -> Verdict:
        try:
            if self.user or self._context is None or self.scheme != scheme:
                self.user, self.scheme = None, scheme
                self._context = self._accounts.new(scheme, token)
            answer = self._accounts.step(self._context, token)
        except (SpnegoError, ValueError):
            return self.refuse()
        shown = scheme.capitalize() if scheme != "credssp" else "CredSSP"
        more = (("WWW-Authenticate", f"{shown} {_text(answer)}"),) if answer else ()
        if not self._context.complete:
            return Verdict(None, more) if answer is not None else self.refuse()
        self.user = str(self._context.client_principal or "")
        return Verdict(self.user, more, done_now=True)


def _text(token: bytes) -> str:
    return base64.b64encode(token).decode("ascii")
