"""The exact line for Setup, by version and build, and what goes wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker.report.replay.content import Item, plain, said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block, Text
    from changelog_tracker.report.replay.planned import Plan

# The first builds whose Setup knows the licence switches with DiagnosticData (September 2021):
# Exchange 2016 CU22 and 2019 CU11. Source: "recover" of sources, and its build numbers.
_TWO_SWITCHES = {"15.1": 2375, "15.2": 986}
# A folder that can stand between double quotes for cmd.exe; nothing else goes into the line.
_FOLDER = re.compile(r"[A-Za-z]:(?:\\[A-Za-z0-9][A-Za-z0-9 ()._-]*)+")
_ON = "/IAcceptExchangeServerLicenseTerms_DiagnosticDataON"
_OFF = "/IAcceptExchangeServerLicenseTerms_DiagnosticDataOFF"
_OLD = "/IAcceptExchangeServerLicenseTerms"


def windows_path(path: str) -> str:
    """Write a path as Windows does; no backslash at its end, which would take a quote with it."""
    return path.replace("/", "\\").rstrip("\\")


def setup_items(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    """Give what to do with Setup, in order."""
    told = facts.get("Build")
    build = told if isinstance(told, str) and told else plan.build
    yield _media(build)
    path = facts.get("InstallPath")
    yield _line(plan, build, windows_path(path if isinstance(path, str) else plan.install_path))
    yield Item(
        said(
            "Setup names `ScriptingAgentConfig.xml`? Run this in the shell of another Exchange"
            " server, run Setup again, and enable the agent afterwards."
        ),
        commands=('Disable-CmdletExtensionAgent -Identity "Scripting Agent"',),
        notes=(
            (
                "the only Exchange server",
                said(
                    "rename `ScriptingAgentConfig.xml.sample` in `Bin\\CmdletExtensionAgents` to"
                    " `ScriptingAgentConfig.xml` instead"
                ),
            ),
        ),
        sources=("recover",),
    )
    if plan.version == "2019":
        yield Item(
            said(
                "Media of 2019 CU14, and Setup fails at `New-PushNotificationsVirtualDirectory`?"
                " It is known: KB 5036404."
            ),
            sources=("cu14",),
        )
    yield Item(
        said(
            "Install security updates now, not after the replay: an update may write over"
            " configuration files. Start the update from an elevated prompt. Go on at build"
            " **{build}** or later.",
            build=build or "of before",
        ),
        sources=("updates", "web-config"),
    )
    yield Item(
        plain(
            "Is the machine of changelog-tracker up? Take the files of the server now, import"
            " them, and make this folder again: a plan against what is there beats one against"
            " what is thought to be there."
        ),
        commands=(
            "changelog-tracker import PATH",
            f"changelog-tracker replay {_name(plan)} -o DIR",
        ),
    )


def _name(plan: Plan) -> str:
    return plan.server if re.fullmatch(r"[A-Za-z0-9-]+", plan.server) else "<SERVER>"


def _media(build: str) -> Item:
    media = ".".join(build.split(".")[:3])
    if not build:
        look_up = plain(
            "the build. Look at AdminDisplayVersion: Get-ExchangeServer on another server."
        )
        return Item(plain("Mount the media of the same cumulative update."), look_up=look_up)
    return Item(
        said(
            "Mount the media of the same cumulative update: build `{media}`, the first three"
            " numbers of `{build}`. Is it not to be had? Then the latest of the same version.",
            media=media,
            build=build,
        ),
        notes=(
            (
                "with the latest",
                plain("AdminDisplayVersion goes on showing the old build; it is cosmetic"),
            ),
        ),
        sources=("recover",),
    )


def _line(plan: Plan, build: str, path: str) -> Item:
    is_safe = _FOLDER.fullmatch(path) is not None
    target = f'/TargetDir:"{path if is_safe else "<INSTALLATION FOLDER>"}"'
    look_up: Text = ()
    if not is_safe:
        look_up = plain(
            "the folder of Exchange, or it is none that can be written here. Look at"
            " msExchInstallPath of the server's object in ADSIEDIT.MSC."
        )
    if plan.version == "2010":
        return Item(
            plain("Run Setup from an elevated command prompt (unconfirmed for 2010)."),
            commands=(f"E:\\Setup.com /m:RecoverServer {target}",),
            look_up=look_up,
            notes=(("drive E", plain("that of the media")),),
        )
    switch, notes = _licence(build)
    return Item(
        plain("Run Setup from an elevated command prompt."),
        commands=(f"E:\\Setup.exe {switch} /Mode:RecoverServer {target}",),
        look_up=look_up,
        notes=(
            ("drive E", plain("that of the mounted media")),
            *notes,
            (
                "Setup picks a domain controller by itself",
                said("name one with `/DomainController:NAME`"),
            ),
            ("it fails", said("read `C:\\ExchangeSetupLogs\\ExchangeSetup.log`")),
        ),
        sources=("recover-2013" if plan.version == "2013" else "recover",),
    )


def _licence(build: str) -> tuple[str, tuple[tuple[str, Text], ...]]:
    numbers = build.split(".")
    first = _TWO_SWITCHES.get(".".join(numbers[:2]))
    if first is None and build:
        return _OLD, ()
    if first is not None and len(numbers) > 2 and numbers[2].isdigit() and int(numbers[2]) < first:
        later = said("media of September 2021 or later want `{off}`", off=_OFF)
        return _OLD, (("licence switch", later),)
    also = said("`{on}` sends optional data to Microsoft, OFF does not", on=_ON)
    return _OFF, (("licence switch", also),)
