"""
The redo and the undo of one change: a line for the PowerShell prompt, or why there can be none.

Exchange facts go through their Set- cmdlet, pure IIS facts through appcmd. The undo is the redo
of the change turned round.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.model import Change, Command
from changelog_tracker.replay import appcmd, hostile, owners, powershell, windows_kinds
from changelog_tracker.replay.notation import place_and_section
from changelog_tracker.replay.powershell import UnwritableError

if TYPE_CHECKING:
    from changelog_tracker.model import Action, Value

NEVER_KEPT = "a secret is never kept, so it is put back by hand"
BY_HAND = {
    "ConfigFile": "a key of a file: no command sets it, the file is edited by hand",
    "ExchangeCertificate": "a certificate's key is never kept: put it back with"
    " Import-ExchangeCertificate and Enable-ExchangeCertificate",
    "ExchangeServer": "Setup puts back a build; the rest of a server is put back by hand",
    "ServerComponentState": "Set-ServerComponentState needs a requester, which no snapshot tells",
}
# What $null clears; the other kinds have no value for nothing.
CLEARABLE = ("text", "uri", "set", "list", "object")


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a line needs to know of the server.

    Args:
        server: Its short name.
        version: Of Exchange, "2010" to "SE"; None where it is not known.
    """

    server: str
    version: str | None = None


def redo(change: Change, context: Context) -> Command:
    """Write the line that makes the change's `after` stand there."""
    try:
        return Command(_line(change, context))
    except UnwritableError as error:
        return Command(None, error.what)


def undo(change: Change, context: Context) -> Command:
    """Write the line that makes the change's `before` stand there."""
    turned: dict[Action, Action] = {"added": "removed", "removed": "added", "changed": "changed"}
    return redo(
        dataclasses.replace(
            change, action=turned[change.action], before=change.after, after=change.before
        ),
        context,
    )


def _line(change: Change, context: Context) -> str:
    if change.kind in BY_HAND:
        raise _no(BY_HAND[change.kind])
    if change.kind in catalogue.windows_kinds():
        return windows_kinds.line(change)
    if holds_secret(change.after):
        raise _no(NEVER_KEPT)
    broken = hostile.name_breaks(change.resource) or hostile.name_breaks(context.server)
    if broken:
        raise _no(broken)
    if change.kind in appcmd.KINDS:
        return _iis_line(change, context)
    return _exchange_line(change, context)


def _iis_line(change: Change, context: Context) -> str:
    parted = place_and_section(change.resource)
    section = parted[1] if parted else None
    why = hostile.breaks_kind(change.kind, change.setting, change.after, section=section)
    why = why or owners.why_not_iis(change, context.version)
    if why:
        raise _no(why)
    return appcmd.line(change)


def _exchange_line(change: Change, context: Context) -> str:
    noun = catalogue.nouns().get(change.kind)
    if noun is None:
        raise _no(f"no Exchange cmdlet is known for {change.kind}")
    field = None if change.setting is None else noun.fields.get(change.setting)
    kind = field.kind if field else None
    broken = hostile.breaks_kind(change.kind, change.setting, change.after, kind)
    if broken:
        raise _no(broken)
    if catalogue.owner(change.kind, change.resource, None, context.version) == "setup":
        raise _no(owners.SETUP)
    if change.setting is None:
        came = change.after is not None
        raise _no(f"a whole resource {'came: New-' if came else 'went: Remove-'}{noun.name}")
    why = why_no_parameter(noun, change.setting, context.version)
    why = why or why_no_value(kind, change.after)
    if why:
        raise _no(why)
    names = {"vdir": f"{context.server}\\{change.resource}", "server": context.server}
    target = (noun.identity, names.get(noun.scope, change.resource))
    return powershell.call(noun.write, [target, (change.setting, change.after)])


def why_no_parameter(noun: catalogue.Noun, setting: str, version: str | None) -> str | None:
    """Say why no parameter of Set- puts a setting back, or None."""
    field = noun.fields.get(setting)
    cmdlet = noun.write
    # The first that holds counts. Set- takes the Name of a directory and does not use it.
    reasons = (
        (not any(each.writable for each in noun.fields.values()), "it is only read and shown"),
        (setting in noun.secrets or (field and field.kind == "secret"), NEVER_KEPT),
        (noun.scope == "vdir" and setting == "Name", "it is read-only: a directory's name stays"),
        (setting in noun.new_only, f"only New-{noun.name} takes it"),
        (setting in noun.switches, f"{cmdlet} has it as a switch, which is no state"),
        (
            setting in noun.read_only or (field and not field.writable),
            f"it is read-only: {cmdlet} has no parameter for it",
        ),
        (field is None, f"{cmdlet} has no parameter of this name"),
        (
            field and version is not None and version not in field.versions,
            f"{cmdlet} has no -{setting} in Exchange {version}",
        ),
    )
    return next((why for holds, why in reasons if holds), None)


def why_no_value(kind: str | None, value: Value) -> str | None:
    """Say why a value is none that a parameter of this kind takes, or None."""
    if value is None or value == []:
        return None if kind in CLEARABLE else f"nothing stood there, and no {kind} says nothing"
    if kind == "bool" and not isinstance(value, bool):
        return "the value is neither true nor false"
    if kind == "whole" and not (type(value) is int or value == "Unlimited"):
        return "the value is no whole number"
    if kind == "size" and not (type(value) is int or value == "Unlimited"):
        return "the value is no number of bytes"
    if isinstance(value, dict) or (isinstance(value, list) and any(map(_is_nested, value))):
        return "the value is an object, which no one parameter gives back"
    return None


def _is_nested(value: Value) -> bool:
    return isinstance(value, dict | list)


def holds_secret(value: Value) -> bool:
    """Tell whether a value is a secret's fingerprint or holds one."""
    if isinstance(value, dict):
        return "secret" in value or any(map(holds_secret, value.values()))
    return isinstance(value, list) and any(map(holds_secret, value))


def _no(why: str) -> UnwritableError:
    return UnwritableError("command", why)
