"""Part 3 of the runbook: the checks that no tool makes, then the proof, then back to work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.report.replay.content import (
    Item,
    Paragraph,
    Section,
    in_command,
    listed,
    plain,
    said,
)
from changelog_tracker.report.replay.machine import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block
    from changelog_tracker.report.replay.planned import Plan

_PROTOCOLS = (
    "owa", "ecp", "EWS", "mapi", "rpc", "OAB", "Microsoft-Server-ActiveSync", "Autodiscover",
)  # fmt: skip
_LOGONS = (
    ("Outlook on the web", "sign in, open a message, send one"),
    ("Exchange admin center", "sign in"),
    ("Outlook", "new profile; it finds the mailbox by itself, and asks for no password twice"),
    ("Mobile device", "synchronises"),
    ("Free/busy and out of office", "of a mailbox on another server"),
    ("Address book", "Outlook downloads it"),
    ("POP and IMAP", "where they are in use"),
)


def checks(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Section]:
    """Give part 3."""
    since_2013 = plan.version != "2010"
    yield Section(
        "Part 3: After the replay",
        (Paragraph(plain("Nothing of 3.1 to 3.3 is checked by a tool. Look at each.")),),
    )
    yield Section("3.1 Certificates", tuple(_certificates(plan, facts, since_2013)), 3)
    yield Section("3.2 Health", tuple(_health(plan, facts, since_2013)), 3)
    yield Section("3.3 Logons", tuple(_logons()), 3)
    yield Section("3.4 Proof", tuple(_proof(plan)), 3)
    yield Section("3.5 Back into rotation", tuple(_back(plan, facts)), 3)


def _certificates(plan: Plan, facts: Mapping[str, Value], since_2013: bool) -> Iterator[Block]:
    server = in_command(plan.target, "SERVER")
    yield Item(
        plain('Certificates are there, valid, with their services as in "Keys at hand".'),
        commands=(f"Get-ExchangeCertificate -Server {server} | Format-List *",),
        sources=("cmdlets",),
    )
    iis = _thumbprints_of_iis(facts)
    yield Item(
        said(
            "Port **443** of `Default Web Site` has the certificate that clients are to see."
            " Compare subject and names; a renewed one has another thumbprint."
        ),
        commands=("netsh http show sslcert",),
        notes=(("with the service IIS before", listed(iis)),) if iis else (),
    )
    if not since_2013:
        return
    yield Item(
        said(
            "Port **444** of `Exchange Back End` has a valid local self-signed certificate, named"
            " Microsoft Exchange. A blank page of Outlook on the web, or event 15021, says that it"
            " has not."
        ),
        commands=("netsh http show sslcert",),
        sources=("back-end",),
    )
    yield Item(
        plain(
            "The Auth Certificate is on the server and not expired. Expired, Outlook on the web"
            " answers with error 500."
        ),
        commands=(
            "Get-AuthConfig | Format-List CurrentCertificateThumbprint",
            f"Get-ExchangeCertificate -Server {server} | Format-List Thumbprint,NotAfter,Subject",
        ),
        sources=("auth",),
    )


def _thumbprints_of_iis(facts: Mapping[str, Value]) -> list[str]:
    held = facts.get("Certificates")
    found = []
    for one in held if isinstance(held, list) else ():
        services = one.get("Services") if isinstance(one, dict) else None
        if isinstance(one, dict) and isinstance(services, list | str) and "IIS" in services:
            found.append(str(one.get("Thumbprint")))
    return found


def _health(plan: Plan, facts: Mapping[str, Value], since_2013: bool) -> Iterator[Block]:
    server = in_command(plan.target, "SERVER")
    yield Item(plain("Restart the server once, before it serves anybody."), sources=("recover",))
    yield Item(
        plain("The services that start by themselves run."),
        commands=("Get-Service MSExchange*, W3SVC | Format-Table Name,Status -AutoSize",),
        sources=("recover",),
    )
    yield Item(
        plain(
            "POP and IMAP are started by hand by default. Their settings come back, their start"
            " type does not (unconfirmed)."
        ),
        look_up=plain("their start type. Look at another member."),
    )
    if not since_2013:
        return
    yield Item(
        plain(
            "Every component is Active. They may stay Inactive after a recovery (unconfirmed)."
            " Some are Inactive on every server: compare with another member (unconfirmed)."
        ),
        commands=(f"Get-ServerComponentState -Identity {server}",),
        notes=(
            (
                "to set one, with the requester that took it off",
                said(
                    "`Set-ServerComponentState -Identity {server} -Component ServerWideOffline"
                    " -State Active -Requester Functional`",
                    server=server,
                ),
            ),
        ),
        sources=("cmdlets",),
    )
    fqdn = text_of(facts, "Fqdn") if plan.target == plan.server else None
    host = in_command(fqdn, "FQDN OF THE SERVER")
    yield Item(
        plain("Each of these pages answers 200 OK. Ask the server itself, past the load balancer."),
        commands=tuple(f"https://{host}/{one}/healthcheck.htm" for one in _PROTOCOLS),
        look_up=() if fqdn else plain("the full name of the server. Look in DNS."),
        sources=("health",),
    )


def _logons() -> Iterator[Block]:
    yield Item(
        plain("Have a test mailbox, and its password."),
        look_up=plain("the test mailbox. Ask the help desk."),
    )
    for what, how in _LOGONS:
        yield Item(said("**{what}**: {how}.", what=what, how=how))
    yield Item(plain("Once by the inside names, once by the outside ones, from outside."))


def _proof(plan: Plan) -> Iterator[Block]:
    target = in_command(plan.target, "SERVER")
    yield Item(
        plain("Take a new snapshot and import it, with the journal of the script."),
        commands=("changelog-tracker import PATH", "changelog-tracker import FILE.journal"),
    )
    yield Item(
        plain("Nothing differs any more: exit code 0."),
        commands=(f"changelog-tracker verify {target}",),
        notes=(
            (
                "it names a sign of a restored configuration",
                plain("do not patch it; run RecoverServer again"),
            ),
        ),
    )
    yield Item(
        said(
            "Wait **20 minutes**. Then a new snapshot and verify once more: RpcHttpConfigurator"
            " writes /Rpc anew from Active Directory every 15 minutes (for 2013 and later"
            " unconfirmed)."
        ),
        commands=("changelog-tracker import PATH", f"changelog-tracker verify {target}"),
        sources=("servicelet",),
    )
    yield Item(
        said(
            "The machine of changelog-tracker is down? Run the script again, now and after 20"
            " minutes. With nothing to set, all that it knows is right. Verify later."
        ),
        commands=(".\\replay.ps1 -WhatIf",),
    )


def _back(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    target = in_command(plan.target, "SERVER")
    if plan.target == plan.server and (text_of(facts, "Dag") or "Dag" not in facts):
        group = in_command(text_of(facts, "Dag"), "DAG")
        yield Item(
            plain("It was in a group of 1.2? Add it, then each copy with the lag noted there."),
            commands=(
                f"Add-DatabaseAvailabilityGroupServer -Identity {group} -MailboxServer {target}",
                f"Add-MailboxDatabaseCopy -Identity <DATABASE> -MailboxServer {target}",
                f"Test-ReplicationHealth {target}",
                f"Get-MailboxDatabaseCopyStatus -Server {target}",
            ),
            sources=("dag",),
        )
    yield Item(
        plain("Accept the state as the new baseline. Not before every box above is ticked."),
        commands=(f"changelog-tracker baseline set {target}",),
    )
    yield Item(
        said("Put `{target}` back into rotation. Watch the first logons.", target=plan.target),
        look_up=plain("load balancer and DNS records. Look them up there."),
    )
    yield Item(plain("Keep this folder, ticked, with the ticket of the recovery."))
