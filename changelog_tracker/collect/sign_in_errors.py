"""Why a server does not let one in: the way, the account, or the ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.collect.wire_errors import one_line
from changelog_tracker.errors import RefusedError

if TYPE_CHECKING:
    from changelog_tracker.collect.endpoint import Auth, Endpoint

# What a server has to offer for each way; a certificate is never offered.
_OFFERS: dict[Auth, tuple[str, ...]] = {
    "kerberos": ("kerberos", "negotiate"),
    "negotiate": ("kerberos", "negotiate", "ntlm"),
    "ntlm": ("negotiate", "ntlm"),
    "credssp": ("credssp",),
    "basic": ("basic",),
}
_SETTING: dict[Auth, str] = {
    "kerberos": "Kerberos",
    "negotiate": "Negotiate",
    "ntlm": "Negotiate",
    "credssp": "CredSSP",
    "basic": "Basic",
    "certificate": "Certificate",
}
# By what MIT Kerberos and Heimdal say; the words of Windows' own are in its language.
_TICKETS = (
    ("Clock skew", "the clocks are more than 5 minutes apart", "set both: w32tm /resync there"),
    ("expired", "the Kerberos ticket has expired", "get a new one: kinit {user}"),
    (
        "not found in Kerberos database",
        "the domain knows no server of this name",
        "give --host as the domain names the server, in full: no address, no alias",
    ),
    (
        "KDC",
        "no domain controller answers",
        "does krb5.conf, or DNS, name the domain's controllers, and can they be reached?",
    ),
    ("credentials", "there is no Kerberos ticket", "get one: kinit {user}"),
    ("Matching credential", "there is no Kerberos ticket", "get one: kinit {user}"),
)


def not_let_in(error: Exception, endpoint: Endpoint, offered: tuple[str, ...]) -> RefusedError:
    """
    Make the error of a sign-in that was refused.

    Args:
        error: What the library said; used only where it is about a ticket.
        endpoint: Where, and as whom.
        offered: The ways that the server named.
    """
    auth, place = endpoint.auth, endpoint.url
    if auth == "certificate":
        hint = "map it to an account there: New-Item WSMan:\\localhost\\ClientCertificate"
        return RefusedError(place, "knows no account for the certificate", hint)
    ways = list(dict.fromkeys(one.lower() for one in offered))
    if ways and not set(ways) & set(_OFFERS[auth]):
        hint = f"take one of these with --auth, or turn it on there: {turn_on(auth)}"
        what = f"offers no sign-in by {auth}, only by {' and '.join(ways)}"
        return RefusedError(place, what, hint)
    if endpoint.password is None:
        return ticket(str(error), endpoint)
    who = f" as {one_line(endpoint.user)}" if endpoint.user else ""
    hint = (
        "are user (CONTOSO\\name or name@contoso.com) and password right, the account not locked?"
    )
    return RefusedError(place, f"does not let in by {auth}{who}", hint)


def ticket(said: str, endpoint: Endpoint) -> RefusedError:
    """
    Make the error of a sign-in by a ticket.

    Args:
        said: What Kerberos said.
        endpoint: Where, and as whom.
    """
    user = one_line(endpoint.user) if endpoint.user else "USER@CONTOSO.COM"
    for sign, what, hint in _TICKETS:
        if sign.lower() in said.lower():
            return RefusedError(endpoint.url, what, hint.format(user=user))
    what = f"does not let in by {endpoint.auth}, with the ticket that is there"
    hint = f"is it the right one? klist shows it, kinit {user} gets another"
    return RefusedError(endpoint.url, what, hint)


def turn_on(auth: Auth) -> str:
    """Give the command that turns a way of signing in on, for a prompt on the server."""
    return f'winrm set winrm/config/service/auth @{{{_SETTING[auth]}="true"}}'
