"""
The kinds of Windows in a replay: no script writes any of them, and this says who does it, and how.

Only the start type of a service has a line for the prompt, in the log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker import catalogue
from changelog_tracker.replay import hostile, powershell
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from changelog_tracker.model import Change

# A binding of the back end is checked, and not set back.
BACK_END_PORT = ":444"
_START_TYPES = {"Auto": "Automatic", "Manual": "Manual", "Disabled": "Disabled"}
_SERVICE_NAME = re.compile(r"[A-Za-z0-9_.$-]{1,256}", re.ASCII)

WHY = {
    "SslBinding": "a certificate binding of http.sys: no script writes it, for the thumbprint of a"
    " renewed certificate is another",
    "RegistryValue": "a value of the registry: no script writes it",
    "Service": "a service: no script changes how it starts, nor its account",
    "FileEntry": "a file's content is never kept, only its hash",
    "Certificate": "a certificate of the computer: its key is never kept",
}
NOT_WANTED = "a file that the wanted state does not have"
# By reason; never a captured value in it.
HOW = {
    "binding": "Compare by subject and names, never by the old thumbprint: the settings of"
    " Certificate say which one that was; find the one that has its names now. For port 443"
    " give it to IIS by Enable-ExchangeCertificate -Services IIS, then read it back by: netsh http"
    " show sslcert.",
    "back-end-binding": "Port 444 is the Exchange Back End: it needs a valid certificate of this"
    " server itself, the self-signed one named Microsoft Exchange, and not the old thumbprint. A"
    " wrong one is a blank page. Read it by: netsh http show sslcert ipport=0.0.0.0:444; bind the"
    " server's own in IIS Manager, at Exchange Back End, https, port 444.",
    "service": "Set the start type by Set-Service -StartupType (Auto is Automatic), and a delayed"
    " start by sc.exe config NAME start= delayed-auto. POP and IMAP are manual after Setup. Give a"
    " service another account in services.msc, for it asks for the password. Where the Emergency"
    " Mitigation service has disabled it, leave it so: look at Get-ExchangeServer | Format-List"
    " MitigationsApplied.",
    "registry": "Set it by reg.exe add or in regedit.exe with the type that stands there; where"
    " nothing was wanted, take it away. The page of the catalogue says what each does. Many count"
    " only after a restart of the service or of Windows.",
    "file-content": "Take it from the backup, hold its SHA-256 (certutil.exe -hashfile FILE"
    " SHA256) against the one under wanted, and look at it before you copy it: the file of this"
    " build may differ from the one that was customised, and then the customisation is to be made"
    " in it again.",
    "file-unwanted": "Look at it before the server goes back into rotation: a page or library that"
    " neither Setup nor one of you put there is what an attack leaves behind. Keep a copy for the"
    " investigation, then take it away.",
    "computer-certificate": "Import the certificate with its private key by"
    " Import-ExchangeCertificate. A self-signed one, and one that was renewed since, is not put"
    " back: compare by subject and names. One that is not wanted is removed only when nothing uses"
    " it.",
}


class Left(NamedTuple):
    """Why a difference is left to a person, and the key of `HOW`."""

    why: str
    reason: str


def left_to_hands(change: Change) -> Left | None:
    """
    Say why a difference of a kind of Windows has no step; None of other kinds.

    Args:
        change: `after` is what is wanted.
    """
    if change.kind not in catalogue.windows_kinds():
        return None
    is_back_end = change.resource.endswith(BACK_END_PORT)
    is_unwanted = change.setting is None and change.after is None
    reasons = {
        "SslBinding": "back-end-binding" if is_back_end else "binding",
        "RegistryValue": "registry",
        "Service": "service",
        "FileEntry": "file-unwanted" if is_unwanted else "file-content",
        "Certificate": "computer-certificate",
    }
    why = NOT_WANTED if reasons[change.kind] == "file-unwanted" else WHY[change.kind]
    return Left(why, reasons[change.kind])


def line(change: Change) -> str:
    """
    Write the line that makes a change's `after` stand there.

    Raises:
        UnwritableError: There is none; `what` says why.
    """
    if (change.kind, change.setting) != ("Service", "StartMode"):
        raise UnwritableError("command", WHY[change.kind])
    broken = hostile.name_breaks(change.resource)
    mode = _START_TYPES.get(str(change.after))
    if broken or mode is None or not _SERVICE_NAME.fullmatch(change.resource):
        why = "its start type is none that Set-Service has" if mode is None else "a strange name"
        raise UnwritableError("command", broken or why)
    return powershell.call("Set-Service", [("Name", change.resource), ("StartupType", mode)])
