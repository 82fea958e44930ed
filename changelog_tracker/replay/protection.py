"""
What lowers a server's protection, so that a replay never does it without being told to.

Extended Protection, SSL, authentication, address restrictions, block lists and logging. Where
nothing stands a place inherits, and nobody can say what; then the weaker reading counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.model import Value

_EXTENDED = {"none": 0, "allow": 1, "require": 2}
_CLIENT_CERTIFICATES = {"ignore": 0, "accepted": 1, "required": 2}
_LOGIN = {"plaintextlogin": 0, "plaintextauthentication": 1, "securelogin": 2}
_ATTACHMENTS = {"allow": 0, "forcesave": 1, "block": 2}
# Values from the weakest to the strongest, by parameter or attribute.
RANKS: Mapping[str, Mapping[str, int]] = {
    "ExtendedProtectionTokenChecking": _EXTENDED,
    "ExtendedProtectionPolicy": _EXTENDED,
    "tokenChecking": _EXTENDED,
    "ClientCertAuth": _CLIENT_CERTIFICATES,
    "LoginType": _LOGIN,
    "ActionForUnknownFileAndMIMETypes": _ATTACHMENTS,
    "RemoteDocumentsActionForUnknownServers": {"allow": 0, "block": 1},
}
# Truths: what each must not become.
NOT_TRUE = {
    "SSLOffloading": "SSL",
    "BasicAuthentication": "authentication",
    "BasicAuthEnabled": "authentication",
}
NOT_FALSE = {
    "RequireSSL": "SSL",
    "ExternalClientsRequireSsl": "SSL",
    "InternalClientsRequireSsl": "SSL",
    "EncryptionRequired": "SSL",
    "ProtocolLogEnabled": "logging",
    "IrmLogEnabled": "logging",
    "ForceSaveAttachmentFilteringEnabled": "block lists",
}
# Sets that may lose nothing, and sets that may win nothing.
KEEP = dict.fromkeys(
    (
        "BlockedFileTypes", "BlockedMimeTypes", "ForceSaveFileTypes", "ForceSaveMimeTypes",
        "RemoteDocumentsBlockedServers", "BlockedClientVersions",
    ),
    "block lists",
)  # fmt: skip
ADD_NONE = {
    "AllowedFileTypes": "block lists",
    "AllowedMimeTypes": "block lists",
    "RemoteDocumentsAllowedServers": "block lists",
    "ExtendedProtectionFlags": "Extended Protection",
}
_METHODS = frozenset({
    "IISAuthenticationMethods", "InternalAuthenticationMethods", "ExternalAuthenticationMethods",
    "ExternalClientAuthenticationMethod", "InternalClientAuthenticationMethod",
    "ClientAuthenticationMethod", "DefaultAuthenticationMethod",
})  # fmt: skip
_ADDRESSES = ("ipSecurity", "dynamicIpSecurity")
_SSL = ("Ssl", "Ssl128", "SslNegotiateCert", "SslRequireCert")


def weaker_parameter(name: str, wanted: Value, found: Value) -> str | None:
    """
    Say what of its protection an Exchange object would lose.

    Args:
        name: The parameter.
        wanted: What would be set.
        found: What stands there.

    Returns:
        "Extended Protection", "SSL", "authentication", "block lists" or "logging"; or None.
    """
    if name in RANKS:
        ranks = RANKS[name]
        less = ranks.get(_folded(wanted), 0) < ranks.get(_folded(found), 0)
        return _subject(name) if less else None
    if (name in NOT_TRUE and wanted is True) or (name in NOT_FALSE and wanted is False):
        return {**NOT_TRUE, **NOT_FALSE}[name]
    if name in KEEP and _members(found) - _members(wanted):
        return KEEP[name]
    if name in ADD_NONE and _members(wanted) - _members(found):
        return ADD_NONE[name]
    if name in _METHODS and "basic" in _members(wanted) - _members(found):
        return "authentication"
    return None


def weaker_attribute(
    section: str, path: tuple[str, ...], wanted: Value, found: Value
) -> str | None:
    """
    Say what of its protection a place of IIS would lose.

    Args:
        section: The section's path.
        path: Elements below it and the attribute.
        wanted: What would stand there; None where nothing would.
        found: What stands there; None where nothing does.
    """
    name = path[-1]
    below = section.rpartition("/")[2]
    extended = "Extended Protection"
    given_up = wanted is None and below == "anonymousAuthentication"
    switch = name == "enabled" and below in {"anonymousAuthentication", "basicAuthentication"}
    logs = name == "enabled" and "logFile" in path
    less_checked = name == "tokenChecking" and weaker_parameter(name, wanted, found)
    flags = name == "flags" and "extendedProtection" in path
    more_flags = flags and weaker_parameter("ExtendedProtectionFlags", wanted, found)
    # The first that holds counts.
    lowered = (
        (below == "access" and name == "sslFlags" and _less_ssl(wanted, found), "SSL"),
        (less_checked or more_flags, extended),
        (switch and (wanted is True or given_up), "authentication"),
        (below in _ADDRESSES and _less_restricted(name, wanted, found), "address restrictions"),
        (below == "requestFiltering" and _lets_more_pass(name, wanted), "block lists"),
        ((name == "dontLog" and wanted is True) or (logs and wanted is False), "logging"),
    )
    return next((subject for holds, subject in lowered if holds), None)


def _less_ssl(wanted: Value, found: Value) -> bool:
    kept = _flags(wanted)
    if found is None:
        return "Ssl" not in kept
    return any(flag in _flags(found) and flag not in kept for flag in _SSL)


def _lets_more_pass(name: str, wanted: Value) -> bool:
    return (name == "allowUnlisted" and wanted is not False) or (
        name == "allowDoubleEscaping" and wanted is True
    )


def weaker_element(section: str, keys: Mapping[str, str], *, comes: bool) -> str | None:
    """
    Say what of its protection a place loses by an element that comes or goes.

    Args:
        section: The section's path.
        keys: The element's attributes.
        comes: Whether it comes.
    """
    below = section.rpartition("/")[2]
    allowed = _folded(keys.get("allowed", keys.get("allow", "false"))) == "true"
    if below == "ipSecurity" or (below == "requestFiltering" and len(keys) > 0):
        if "allowed" in keys or "allow" in keys:
            return _of(below) if comes is allowed else None
        return _of(below) if not comes else None
    return None


def _of(section: str) -> str:
    return "address restrictions" if section == "ipSecurity" else "block lists"


def _less_restricted(name: str, wanted: Value, found: Value) -> bool:
    if name == "allowUnlisted":
        return wanted is not False
    return name.startswith(("enable", "deny")) and found is True and wanted is not True


def _subject(name: str) -> str:
    if RANKS[name] is _EXTENDED:
        return "Extended Protection"
    return "block lists" if RANKS[name] is _ATTACHMENTS else "authentication"


def _folded(value: Value) -> str:
    return str(value).casefold()


def _members(value: Value) -> set[str]:
    if value is None or value == "":
        return set()
    return {_folded(item) for item in (value if isinstance(value, list) else [value])} - {"none"}


def _flags(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []
