"""What the new machine must have: name, Windows, domain, drives, addresses, features."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker.report.replay.content import Item, in_command, listed, plain, said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block, Text
    from changelog_tracker.report.replay.planned import Plan

# The third part of Windows' build, as Microsoft lists it ("windows" of sources).
_WINDOWS = {
    "7601": "Windows Server 2008 R2 SP1",
    "9200": "Windows Server 2012",
    "9600": "Windows Server 2012 R2",
    "14393": "Windows Server 2016",
    "17763": "Windows Server 2019",
    "20348": "Windows Server 2022",
    "26100": "Windows Server 2025",
}
_DRIVE = re.compile(r"([A-Za-z]):[\\/]")


def text_of(facts: Mapping[str, Value], name: str) -> str | None:
    """Give a fact that is text; None where it is missing."""
    value = facts.get(name)
    return value if isinstance(value, str) and value else None


def machine(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    """Give what to do before Setup can recover a lost server."""
    yield Item(
        said(
            "Reset the computer account of `{server}` in Active Directory Users and Computers."
            " Reset it; do not delete it.",
            server=plan.server,
        ),
        sources=("recover",),
    )
    yield from _windows(facts)
    yield Item(
        said(
            "Name it `{server}`. With another name recovery does not succeed.", server=plan.server
        ),
        sources=("recover",),
    )
    fqdn = text_of(facts, "Fqdn")
    domain = (fqdn or "").partition(".")[2]
    yield Item(
        said("Join it to `{domain}`.", domain=domain)
        if domain
        else plain("Join it to the same domain as before."),
        look_up=() if domain else plain("the domain. Look at the computer account."),
        sources=("recover",),
    )
    yield from _drives(plan, facts)
    yield from _addresses(facts)
    yield from _modules(plan, facts)


def new_member(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    """Give what to do where another server is set up like this one."""
    yield Item(
        said(
            "`{target}` is a new member, set up like `{server}`. Install Exchange on it as on any"
            " new server. RecoverServer is not for it.",
            target=plan.target,
            server=plan.server,
        ),
        notes=(("major version", plain(f"Exchange {plan.version}, the same as the other's")),),
    )
    yield from _modules(plan, facts)


def _windows(facts: Mapping[str, Value]) -> Iterator[Block]:
    build = text_of(facts, "WindowsBuild")
    if build is None:
        yield Item(
            plain("Install the same version of Windows Server as before."),
            look_up=plain(
                "the version. Look at operatingSystem of the computer account in Active Directory."
            ),
            sources=("recover",),
        )
    else:
        name = next((_WINDOWS[part] for part in build.split(".") if part in _WINDOWS), None)
        what = said("`{build}`", build=build)
        named = (*plain(f"{name}, build "), *what) if name else (*plain("the build "), *what)
        yield Item(
            (*plain("Install the same version of Windows Server: "), *named, *plain(".")),
            sources=("recover", *(("windows",) if name else ())),
        )
    zone = text_of(facts, "TimeZone")
    yield Item(
        said("Set the time zone: `{zone}`.", zone=zone) if zone else plain("Set the time zone."),
        look_up=() if zone else plain("the time zone. Look at another member."),
    )


def _drives(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    path = text_of(facts, "InstallPath") or plan.install_path
    drive = _DRIVE.match(path)
    server = in_command(plan.server, "SERVER")
    yield Item(
        plain("Give it the same drive letters as before, at least those of databases and logs."),
        commands=(
            f"Get-MailboxDatabase -Server {server} | Format-List Name,EdbFilePath,LogFolderPath",
        ),
        look_up=plain(
            "drives and mount points. Active Directory knows the paths of the databases: ask in"
            " the shell of another Exchange server."
        ),
        notes=(("Exchange was on", plain(f"{drive[1].upper()}:")),) if drive else (),
        sources=("recover",),
    )


def _addresses(facts: Mapping[str, Value]) -> Iterator[Block]:
    addresses = facts.get("addresses")
    notes: tuple[tuple[str, Text], ...] = ()
    if isinstance(addresses, list):
        named = [str(one) for one in addresses]
        told = listed(named) if named else plain("none; they listen on every address")
        notes = (("addresses that IIS bindings name", told),)
    yield Item(
        plain("Give it the same addresses as before."),
        look_up=plain(
            "address, mask, gateway, DNS servers. Look them up in DNS, in DHCP or in the network"
            " plan."
        ),
        notes=notes,
    )


def _modules(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    yield Item(
        said(
            "Install the Windows features and prerequisites of Exchange {version}.",
            version=plan.version,
        ),
        look_up=plain(
            "which features were there besides. Look at Microsoft's list of prerequisites, and at"
            " Get-WindowsFeature on another member."
        ),
        sources=("recover",),
    )
    rewrite = facts.get("Rewrite")
    if rewrite is False:
        yield Item(plain("URL Rewrite was not installed. Nothing to do."))
        return
    yield Item(
        plain(
            "Install the URL Rewrite module, before the replay. A rewrite rule without it makes"
            " the whole site answer with error 500.19."
        ),
        look_up=()
        if rewrite
        else plain("whether it was there. Look at the modules of IIS on another member."),
    )
    yield Item(
        plain("Install the modules and agents of other makers that IIS had."),
        look_up=plain("their installation media. Look in your software list."),
    )
