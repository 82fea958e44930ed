"""What one snapshot tells of the machine itself, for the runbook: nothing is made up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker.pipeline.own_names import BINDING, CERTIFICATE, said_fqdn

if TYPE_CHECKING:
    from changelog_tracker.model import Settings, Value
    from changelog_tracker.pipeline.server_state import ServerState

_FACTS = ("Build", "InstallPath", "WindowsBuild", "TimeZone", "MachineSid")
_OF_CERTIFICATE = ("Thumbprint", "Subject", "Services", "NotAfter")
_MODULES = "machine/webroot/apphost : system.webserver/globalmodules"
_MAILBOX_SERVER = "MailboxServer"
_DAG = "DatabaseAvailabilityGroup"
# `https/192.0.2.10:443:mail.contoso.com`, `http/[2001:db8::1]:80:`
_ADDRESS = re.compile(r"https?/(\[[^\]]*\]|[^:]*):\d+:", re.IGNORECASE)
_EVERY_ADDRESS = ("", "*", "0.0.0.0", "[::]")  # noqa: S104 - read, not bound to
_LOOPBACK = ("127.0.0.1", "[::1]")


def replay_facts(state: ServerState) -> dict[str, Value]:
    """
    Gather what the runbook is filled from.

    Args:
        state: The snapshot that is wanted.

    Returns:
        `Build`, `InstallPath`, `Fqdn`, `WindowsBuild`, `TimeZone`, `MachineSid`, `Dag` (None where
        the server is known to be in none), `Certificates`, `Rewrite`, `addresses`. What the
        snapshot does not tell is missing; empty means that there was none.
    """
    facts: dict[str, Value] = {
        name: told for name in _FACTS if isinstance(told := state.facts.get(name), str)
    }
    fqdn = said_fqdn(state)
    if fqdn is not None:
        facts["Fqdn"] = fqdn
    certificates = _all(state, CERTIFICATE)
    if certificates or _was_read(state, CERTIFICATE):
        facts["Certificates"] = [
            {name: one[name] for name in _OF_CERTIFICATE if name in one} for one in certificates
        ]
    modules = state.flat(("IisSection", _MODULES, ""))
    if modules is not None:
        facts["Rewrite"] = any("'rewritemodule'" in name.casefold() for name in modules)
    for one in _all(state, _MAILBOX_SERVER):
        if _DAG in one:
            facts["Dag"] = one[_DAG] or None
    addresses = _addresses(state)
    if addresses is not None:
        facts["addresses"] = addresses
    return facts


def _was_read(state: ServerState, kind: str) -> bool:
    readings = (one.reading for one in state.known.readings.values())
    return any(one.id.kind == kind and one.status != "unread" for one in readings)


def _all(state: ServerState, kind: str) -> list[Settings]:
    return [state.flat(key) or {} for key in sorted(state.known.held) if key[0] == kind]


def _addresses(state: ServerState) -> list[Value] | None:
    """Give the addresses that http bindings name; None where no binding was read."""
    names = [held.resource.name for key, held in state.known.held.items() if key[0] == BINDING]
    if not names:
        return None
    found = (_ADDRESS.match(name.rpartition(" : ")[2]) for name in names)
    told = {one[1] for one in found if one}
    return [*sorted(told - {*_EVERY_ADDRESS, *_LOOPBACK})]
