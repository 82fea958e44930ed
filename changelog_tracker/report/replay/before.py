"""Part 1 of the runbook: the machine, Active Directory, keys and Setup, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.report.replay.content import (
    Item,
    Paragraph,
    Row,
    Section,
    Table,
    code,
    in_command,
    plain,
    said,
)
from changelog_tracker.report.replay.machine import machine, new_member, text_of
from changelog_tracker.report.replay.setup_line import setup_items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block, Text
    from changelog_tracker.report.replay.planned import Plan


def before(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Section]:
    """Give part 1."""
    about = said(
        "Filled from the snapshot that is wanted. Tick each box. What no snapshot tells is marked"
        " **Not recorded** and says where to look it up."
    )
    if plan.version == "2010":
        about += plain(" The sources are about 2013 and later; for 2010 all of it is unconfirmed.")
    yield Section("Part 1: Before the replay", (Paragraph(about),))
    yield Section("1.1 First", tuple(_first(plan)), 3)
    if plan.target == plan.server:
        yield Section("1.2 Database availability group", tuple(_dag(plan, facts)), 3)
        yield Section("1.3 The machine", tuple(machine(plan, facts)), 3)
    else:
        yield Section("1.2 The machine", tuple(new_member(plan, facts)), 3)
    number = 4 if plan.target == plan.server else 3
    yield Section(f"1.{number} Keys at hand", tuple(_keys(facts)), 3)
    if plan.target == plan.server:
        yield Section("1.5 Run Setup", tuple(setup_items(plan, facts)), 3)
        yield Section("1.6 Active Directory older than the snapshot", tuple(_older(plan)), 3)


def _first(plan: Plan) -> Iterator[Block]:
    yield Item(
        said("Keep `{target}` out of rotation until part 3 is done.", target=plan.target),
        look_up=plain("load balancer and DNS records. Look them up there."),
    )
    yield Item(
        said(
            "Do not restore the IIS metabase or `applicationHost.config`, neither now nor later."
            " After RecoverServer it breaks the server."
        ),
        sources=("metabase",),
    )
    yield Item(
        plain("Use an account in Domain Admins and in Organization Management."),
        sources=("recover",),
    )


def _dag(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    server, dag = in_command(plan.server, "SERVER"), text_of(facts, "Dag")
    if "Dag" in facts and dag is None:
        yield Item(said("Nothing to do: `{server}` was in no group.", server=plan.server))
        return
    if dag is None:
        yield Item(
            plain("Find out whether the server was in a group. If it was not, go to 1.3."),
            commands=("Get-DatabaseAvailabilityGroup | Format-List Name,Servers",),
            look_up=plain("the group. Ask in the shell of another Exchange server."),
        )
    group = in_command(dag, "DAG")
    out = f"Remove-DatabaseAvailabilityGroupServer -Identity {group} -MailboxServer {server}"
    named = said("of `{dag}`", dag=dag) if dag else plain("of the group")
    yield Item(
        (*plain("In the shell of another member "), *named, *plain(": note the lag settings.")),
        commands=("Get-MailboxDatabase | Format-List Name,*lag*",),
        sources=("dag",),
    )
    yield Item(
        plain("Remove each database copy of the lost server. One line for each database."),
        commands=(f"Remove-MailboxDatabaseCopy <DATABASE>\\{server}",),
        sources=("dag",),
    )
    yield Item(
        plain(
            "Take the lost server out of the group. With -ConfigurationOnly also evict its node"
            " from the cluster by hand."
        ),
        commands=(f"{out} -ConfigurationOnly",),
        sources=("dag",),
    )


def _keys(facts: Mapping[str, Value]) -> Iterator[Block]:
    held = facts.get("Certificates")
    told = [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
    if told:
        rows = tuple(Row(tuple(_certificate(one))) for one in told)
        heads = ("Thumbprint", "Subject", "Services", "Valid until")
        yield Paragraph(
            plain("These certificates were on the server. None of their keys was saved.")
        )
        yield Table(heads, rows, widths=(34, 30, 20, 16))
    yield Item(
        plain(
            "Have the .pfx file and its password at hand for each certificate from a certification"
            " authority. RecoverServer gives every service a new self-signed one."
        ),
        look_up=()
        if told
        else plain(
            "which certificates there were. Look at another member, or ask who issues them."
        ),
        notes=(("where it is kept", plain("____________________________")),),
        sources=("recover",),
    )
    yield Item(
        plain(
            "Have the other secrets at hand: account of the alternate service account, credentials"
            " of pools, keys in configuration files. manual.md lists those that differ."
        )
    )


def _certificate(one: Mapping[str, Value]) -> Iterator[Text]:
    yield code(str(one.get("Thumbprint") or "not recorded"))
    yield plain(str(one.get("Subject") or "not recorded"))
    services = one.get("Services")
    yield plain(
        ", ".join(map(str, services))
        if isinstance(services, list)
        else str(services or "not recorded")
    )
    yield plain(str(one.get("NotAfter") or "not recorded"))


def _older(plan: Plan) -> Iterator[Block]:
    when = f"{plan.wanted_at:%Y-%m-%d}"
    yield Item(
        said(
            "Was Active Directory restored from a backup? Write down the day of the backup. Is it"
            " before **{when}**? Then what Active Directory keeps is older than what is wanted"
            " here.",
            when=when,
        ),
        look_up=plain("restores of Active Directory. Ask whoever runs the domain controllers."),
    )
    yield Item(
        plain(
            "Then expect stops: the script finds values that are neither expected nor wanted, and"
            " leaves each as it is. Read each stop. Set those that you are sure of with -Force and"
            " the number of the step."
        )
    )
    yield Item(
        plain(
            "Is the server's object missing there? Then RecoverServer has nothing to read."
            " Restore Active Directory first."
        ),
        sources=("dag",),
    )
