"""What a connection can fail with, below any protocol, as one of this program's errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import requests

from changelog_tracker.collect.names import shown
from changelog_tracker.errors import CollectError, UnreachableError

if TYPE_CHECKING:
    from changelog_tracker.collect.endpoint import Auth

LONGEST_REASON = 500
_AGAIN = "try again; see server test"
_FIREWALL = "is the server up, and does every firewall between let this port through?"
_LISTENER = "is the WinRM listener on? winrm enumerate winrm/config/listener tells, on the server"
_PLAIN = "does it speak TLS there? 5986 does by default, 5985 takes --scheme http"
_OLD_TLS = "turn TLS 1.2 on there (Windows 2008 R2 needs an update for it), or take --scheme http"
_KNOWN = (
    (requests.exceptions.ProxyError, "the proxy does not lead there", "see --proxy"),
    (requests.ReadTimeout, "fell silent in the middle", _AGAIN),
    (
        requests.TooManyRedirects,
        "answers with a redirection, which is not followed",
        "give the server's own address",
    ),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError),
        "is no address",
        "give --host as DNS knows it, without scheme and path",
    ),
)
# What the operating system says, deep inside of what urllib3 wrapped it in.
_SAID = (
    ("not looked up in time", "the name was not looked up in time", "does DNS answer here?"),
    ("NameResolution", "no such host", "give --host as DNS knows it"),
    ("ConnectTimeout", "no answer in time", _FIREWALL),
    ("refused", "nothing listens there", _LISTENER),
    ("timed out", "no answer in time", _FIREWALL),
    ("unreachable", "no route to it", _FIREWALL),
    ("No route", "no route to it", _FIREWALL),
    ("reset", "it was reset", _AGAIN),
    ("IncompleteRead", "it was closed in the middle of an answer", _AGAIN),
    ("closed", "it was closed", _AGAIN),
    ("aborted", "it was closed", _AGAIN),
    ("EOF", "it was closed", _AGAIN),
)
# By what OpenSSL says of a certificate, and of a handshake.
_TLS = (
    (
        "certificate has expired",
        "its certificate has expired",
        "renew it, and give the new one to the WinRM listener",
    ),
    (
        "certificate is not yet valid",
        "its certificate is not valid yet",
        "are the clocks alike, there and here?",
    ),
    (
        "mismatch, certificate is not valid for",
        "its certificate is for another name",
        "give --host as the certificate names it",
    ),
    (
        "self-signed certificate",
        "its certificate is signed by nobody that is trusted here",
        "give it, or the authority that issued it, with --ca FILE",
    ),
    (
        "unable to get",
        "its certificate is from an authority that is not trusted here",
        "give that authority with --ca FILE",
    ),
    ("UNSUPPORTED_PROTOCOL", "speaks no TLS later than 1.1", _OLD_TLS),
    ("ALERT_PROTOCOL_VERSION", "speaks no TLS later than 1.1", _OLD_TLS),
    ("WRONG_VERSION_NUMBER", "speaks no TLS there", _PLAIN),
    ("HTTP_REQUEST", "speaks no TLS there", _PLAIN),
)
_REASON = re.compile(r"\[SSL: ([A-Z0-9_]+)\]")
_EXTRAS = {"gssapi": "kerberos", "krb5": "kerberos", "kerberos": "kerberos", "credssp": "credssp"}


def one_line(text: str, secret: str | None = None) -> str:
    """Write a server's words as one line of bearable length, without the password."""
    line = " ".join(text.split())
    if secret:
        line = line.replace(secret, "***")
    safe = "".join(c if c.isprintable() else shown(c) for c in line)
    return safe if len(safe) <= LONGEST_REASON else f"{safe[: LONGEST_REASON - 3]}..."


def lost(error: Exception, place: str) -> CollectError:
    """Say how a connection was lost, or never came about."""
    what, hint = _lost(error)
    return UnreachableError(place, what, hint)


def _lost(error: Exception) -> tuple[str, str | None]:
    text = f"{error!r} {error}"
    if isinstance(error, requests.exceptions.SSLError):
        return _no_tls(text)
    for kind, what, hint in _KNOWN:
        if isinstance(error, kind):
            return what, hint
    for sign, said, hint in _SAID:
        if sign in text:
            return f"no connection: {said}", hint
    if isinstance(error, requests.ConnectionError | OSError):
        return "no connection: it was lost", _AGAIN
    return f"cannot be asked ({type(error).__name__})", _AGAIN


def _no_tls(text: str) -> tuple[str, str]:
    for sign, what, hint in _TLS:
        if sign in text:
            return what, hint
    found = _REASON.search(text)
    reason = f" ({found[1].lower().replace('_', ' ')})" if found else ""
    return f"the TLS handshake failed{reason}", _PLAIN


def missing_library(text: str, auth: Auth, place: str) -> CollectError:
    """Say which extra brings what signing in needs."""
    low = text.lower()
    extra = next((e for word, e in _EXTRAS.items() if word in low), "kerberos")
    what = f"signing in by {auth} needs a library that is not installed here"
    return CollectError(place, what, f'pip install "changelog-tracker[{extra}]"')
