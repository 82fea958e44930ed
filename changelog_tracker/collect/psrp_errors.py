"""What a call of pypsrp can end with, as one of this program's errors; what a cmdlet refuses."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from spnego.exceptions import BadMICError, FeatureMissingError, SpnegoError
from urllib3.exceptions import HTTPError as BaseHttpError

from changelog_tracker.collect.wire_errors import lost, missing_library, one_line
from changelog_tracker.errors import (
    CollectError,
    DamagedAnswerError,
    RefusedError,
    TrackerError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from pypsrp.complex_objects import ErrorRecord

    from changelog_tracker.collect.deadline import Deadline
    from changelog_tracker.collect.endpoint import ExchangeEndpoint

_SYNTAX = "ScriptsNotAllowed"
# [MS-WSMV] 2.2.4.43.1; winrm.h of the Windows SDK.
ACCESS_DENIED, NO_SHELL, TIMED_OUT, NO_RESOURCE = 5, 2150858843, 2150858793, 2150858811
_QUOTAS = (2150859173, 2150859174)
_HINTS: dict[type[CollectError], str] = {
    RefusedError: "are user and password right, and may the account use remote PowerShell?",
    UnreachableError: "the Exchange endpoint is on IIS's port: http://HOST/powershell",
}
_HTTP: dict[object, tuple[type[CollectError], str]] = {
    401: (RefusedError, "does not let this account in (HTTP 401)"),
    403: (RefusedError, "does not let this account in (HTTP 403)"),
    404: (UnreachableError, "has no Exchange endpoint there (HTTP 404)"),
}


@contextmanager
def translated(endpoint: ExchangeEndpoint, deadline: Deadline) -> Iterator[None]:
    """
    Turn whatever a library raises inside into a CollectError.

    Raises:
        CollectError: What went wrong, and where.
    """
    try:
        yield
    except TrackerError:
        raise
    # What these libraries raise is no closed set: XML errors, index errors, bad signatures.
    except Exception as error:  # noqa: BLE001
        if deadline.is_over:
            raise deadline.error(endpoint.url) from None
        # The chain is cut: requests' errors hold the request, and that the password.
        raise _translate(error, endpoint) from None


def never_arrived(error: BaseException) -> bool:
    """Tell whether a request that failed cannot have reached the service behind the sign-in."""
    cause = error.__context__
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    return isinstance(error, RefusedError) or "NewConnectionError" in repr(cause)


def _translate(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    for kinds, make in _KINDS:
        if isinstance(error, kinds):
            return make(error, endpoint)
    what = f"its answer is none of an Exchange endpoint ({type(error).__name__})"
    return DamagedAnswerError(endpoint.url, what, "does something else answer in its place?")


def _http(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    code = getattr(error, "code", None)
    kind, what = _HTTP.get(code, (CollectError, f"answered HTTP {code}"))
    return kind(endpoint.url, what, _HINTS.get(kind))


def _changed(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:  # noqa: ARG001
    return DamagedAnswerError(endpoint.url, "its answer was changed on its way")


def _signing_in(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    what = f"signing in by {endpoint.auth} failed"
    if isinstance(error, SpnegoError):
        what = f"{what}: {one_line(str(error), _secret(endpoint))}"
    return RefusedError(endpoint.url, what, _HINTS[RefusedError])


def _system(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    said = getattr(error, "strerror", None) or str(error)
    return UnreachableError(endpoint.url, one_line(said, _secret(endpoint)))


def _fault(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    assert isinstance(error, WSManFaultError)
    place = endpoint.url
    told = error.provider_fault or error.reason or "no reason given"
    said = one_line(str(told), _secret(endpoint))
    if error.code == ACCESS_DENIED:
        hint = "let the account in with: Set-User ACCOUNT -RemotePowerShellEnabled $true"
        return RefusedError(place, f"refuses this account: {said}", hint)
    if error.code in _QUOTAS:
        hint = "wait until older sessions of the account have ended, or raise its quota"
        return RefusedError(place, f"has too many sessions open: {said}", hint)
    if error.code == NO_RESOURCE:
        hint = "the Exchange endpoint is on IIS's port: http://HOST/powershell"
        return UnreachableError(place, f"has no Exchange endpoint there: {said}", hint)
    if error.code == NO_SHELL:
        return CollectError(place, f"ended the session: {said}", "try again")
    return CollectError(place, f"refuses ({error.code}): {said}")


def _lost(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    assert isinstance(error, requests.RequestException)
    return lost(error, endpoint.url)


def _library(error: Exception, endpoint: ExchangeEndpoint) -> CollectError:
    return missing_library(str(error), endpoint.auth, endpoint.url)


def _secret(endpoint: ExchangeEndpoint) -> str | None:
    return endpoint.password.reveal() if endpoint.password else None


# The first that fits: the more special ones come first.
_KINDS: tuple[tuple[tuple[type[Exception], ...], Callable[..., CollectError]], ...] = (
    ((WSManFaultError,), _fault),
    ((WinRMTransportError,), _http),
    ((ImportError, FeatureMissingError), _library),
    ((requests.RequestException,), _lost),
    ((BadMICError,), _changed),
    ((AuthenticationError, PermissionError, SpnegoError), _signing_in),
    ((OSError, BaseHttpError), _system),
)


def refusal(
    record: ErrorRecord, cmdlet: str, parameters: Collection[str], secret: str | None
) -> str:
    """
    Say in one line why a cmdlet gave an error.

    Missing rights are told by the error's id, for its words are in the server's language: RBAC
    makes a cmdlet or a parameter invisible, as if it did not exist.
    """
    identity = str(record.fq_error or "").partition(",")[0]
    if identity == "CommandNotFoundException":
        return f"no role of yours brings {cmdlet}"
    message = _message(record)
    if identity == "NamedParameterNotFound":
        named = next((one for one in parameters if re.search(rf"\b{one}\b", message)), None)
        return f"no role of yours brings {cmdlet} -{named}" if named else one_line(message, secret)
    if identity == _SYNTAX:
        return f"the endpoint runs cmdlets alone: {one_line(message, secret)}"
    return one_line(message, secret) or f"{cmdlet} failed and did not say why"


def _message(record: ErrorRecord) -> str:
    if record.details_message:
        return str(record.details_message)
    told = getattr(record.exception, "adapted_properties", None) or {}
    return str(told.get("Message") or record)
