"""What a call of pywinrm can end with, as one of this program's errors."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests
from spnego.exceptions import BadMICError, SpnegoError
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from changelog_tracker.collect.sign_in_errors import not_let_in, ticket
from changelog_tracker.collect.wire_errors import lost, missing_library, one_line
from changelog_tracker.errors import (
    CollectError,
    DamagedAnswerError,
    RefusedError,
    TrackerError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from changelog_tracker.collect.cutting import Connections
    from changelog_tracker.collect.endpoint import Endpoint

# [MS-WSMV] 2.2.4.43.1; winrm.h of the Windows SDK.
ACCESS_DENIED, NO_SHELL, NO_RESOURCE = 5, 2150858843, 2150858811
_TOO_MANY = {2150859173: "shells", 2150859174: "operations"}
_RIGHTS = "let the account be an administrator there, or a member of Remote Management Users"
_BETWEEN = "is something between that answers in its place? --port and --proxy say where to"
_LISTENS = "WinRM listens on 5985 or 5986; the Exchange endpoint is given by --exchange-url"
_QUOTA = "wait until older sessions of the account have ended, or raise its quota (winrm/config)"
# requests_credssp cannot be imported where the extra is not installed; nor pywinrm's Kerberos.
_CREDSSP = {"AuthenticationException", "NTStatusException"}
_KERBEROS = {"KerberosExchangeError", "MutualAuthenticationError"}


@contextmanager
def translated(endpoint: Endpoint, held: Connections) -> Iterator[None]:
    """
    Turn whatever a library raises inside into a CollectError.

    Raises:
        CollectError: What went wrong, and where.
    """
    try:
        yield
    except TrackerError:
        # A connection that was cut can also look like an answer that makes no sense.
        held.check(endpoint.url)
        raise
    # What these libraries raise is no closed set: XML errors, index errors, bad signatures.
    except Exception as error:  # noqa: BLE001
        # The chain is cut: requests' errors hold the request, and that the password.
        held.check(endpoint.url)
        told = _translate(error, endpoint, held.offered)
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from None


def not_ours(place: str) -> DamagedAnswerError:
    """Make the error of an answer that is no message of WS-Management."""
    return DamagedAnswerError(place, "its answer is none of a WinRM listener", _BETWEEN)


def no_answer(place: str) -> DamagedAnswerError:
    """Make the error of an answer to something else."""
    return DamagedAnswerError(place, "answers to another question than was asked", _BETWEEN)


def _translate(error: Exception, endpoint: Endpoint, offered: tuple[str, ...]) -> CollectError:
    name = type(error).__name__
    if name in _KERBEROS:
        return ticket(str(error), endpoint)
    if name in _CREDSSP or isinstance(error, AuthenticationError | PermissionError | SpnegoError):
        return not_let_in(error, endpoint, offered)
    if isinstance(error, UnicodeDecodeError) and (status := _status(error)):
        # Pywinrm takes the page of a proxy for UTF-8.
        return _http(WinRMTransportError("http", status, ""), endpoint)
    return next(told for kinds, told in _TOLD if isinstance(error, kinds))(error, endpoint)


def _status(error: BaseException) -> int | None:
    """Give the HTTP status that was being handled when another error came."""
    before = error.__context__
    if isinstance(before, requests.HTTPError) and before.response is not None:
        return int(before.response.status_code)
    return None


def _library(error: Exception, endpoint: Endpoint) -> CollectError:
    """Read what pywinrm says of itself."""
    said = str(error)
    if "not installed" in said:
        return missing_library(said, endpoint.auth, endpoint.url)
    if "tampered" in said:
        return _undecryptable(error, endpoint)
    return CollectError(endpoint.url, one_line(said, _secret(endpoint)))


def _lost(error: Exception, endpoint: Endpoint) -> CollectError:
    return lost(error, endpoint.url)


def _undecryptable(_: Exception, endpoint: Endpoint) -> CollectError:
    what = "its answer cannot be decrypted: it was changed on its way"
    return DamagedAnswerError(endpoint.url, what, _BETWEEN)


def _foreign(_: Exception, endpoint: Endpoint) -> CollectError:
    return not_ours(endpoint.url)


def _late(_: Exception, endpoint: Endpoint) -> CollectError:
    hint = "is the server very busy? try again"
    return UnreachableError(endpoint.url, "could not do what was asked in its time", hint)


def _http(error: WinRMTransportError, endpoint: Endpoint) -> CollectError:
    status, place = int(error.code), endpoint.url
    if status == 400:
        what = "does not understand what was sent (HTTP 400): the session was lost"
        return UnreachableError(place, what, "try again; see server test")
    if status == 403:
        return RefusedError(place, "does not let this account in (HTTP 403)", _RIGHTS)
    if status == 404:
        return UnreachableError(place, "has no WinRM listener there (HTTP 404)", _LISTENS)
    if status == 407:
        return RefusedError(place, "the proxy asks for a sign-in (HTTP 407)", "see --proxy")
    if status == 503:
        hint = "is the service WinRM running there? try again later"
        return UnreachableError(place, "is not ready (HTTP 503)", hint)
    return UnreachableError(place, f"answered HTTP {status}", _BETWEEN)


def _fault(error: WSManFaultError, endpoint: Endpoint) -> CollectError:
    place, code = endpoint.url, error.wsman_fault_code
    if code == ACCESS_DENIED:
        return RefusedError(place, "refuses this account: access is denied", _RIGHTS)
    if code in _TOO_MANY:
        what = f"has too many {_TOO_MANY[code]} of this account open"
        return RefusedError(place, what, _QUOTA)
    if code == NO_RESOURCE:
        return UnreachableError(place, "has no WinRM listener there", _LISTENS)
    if code == NO_SHELL:
        return CollectError(place, "lost the session in the middle", "try again")
    said = one_line(re.sub(r"^The WS-Management service ", "", error.reason), _secret(endpoint))
    number = f" ({code})" if code is not None else ""
    return CollectError(place, f"refuses{number}: {said}")


def _secret(endpoint: Endpoint) -> str | None:
    return endpoint.password.reveal() if endpoint.password else None


# In this order: what these libraries raise are subclasses of each other and of the system's.
_TOLD: tuple[tuple[tuple[type[Exception], ...], Callable[[Any, Endpoint], CollectError]], ...] = (
    ((WSManFaultError,), _fault),
    ((WinRMTransportError,), _http),
    ((WinRMOperationTimeoutError,), _late),
    ((requests.RequestException,), _lost),
    ((BadMICError,), _undecryptable),
    ((WinRMError,), _library),
    ((OSError,), _lost),
    ((Exception,), _foreign),
)
