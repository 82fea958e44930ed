"""What no script does, with why and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay import hostile, owners, windows_kinds
from changelog_tracker.replay.commands import BY_HAND, NEVER_KEPT, holds_secret
from changelog_tracker.replay.notation import place_and_section
from changelog_tracker.replay.objects import can_be_made
from changelog_tracker.replay.plan import ByHand

if TYPE_CHECKING:
    from changelog_tracker.model import Value
    from changelog_tracker.replay.scene import Drifted, Scene

MITIGATION = "the Emergency Mitigation service made it"
NO_FILE = "the file is not there, and a whole file is never written"
NOT_WRITTEN = frozenset(BY_HAND) - {"ConfigFile"}
HOW = {
    "secret": "The value was never kept. Set it by hand; what is stored only shows that it"
    " changed.",
    "compromise": "Treat the old server as attacked. Find out how the value came there, and keep it"
    " for the investigation; never put it back.",
    "certificate": "Import the certificate with its private key by Import-ExchangeCertificate, then"
    " give it its services by Enable-ExchangeCertificate.",
    "setup": "Setup owns it. Compare it with a healthy server of this build; if it is wrong, repair"
    " Exchange, or ask for it by --include-setup.",
    "mitigation": "The Emergency Mitigation service puts its own mitigations back within an hour."
    " Look at Get-ExchangeServer | Format-List MitigationsApplied.",
    "rejected": "Somebody rejected this change, so it is left out. Put it back by hand if that was"
    " a mistake.",
    "undocumented": "Nobody gave a reason for this change, and --documented-only leaves it out."
    " Document it and make the plan again, or put it back by hand.",
    "file": "Copy the file back from the backup, hold its SHA-256 against the one that is stored,"
    " and look at it before you do: a build of its own may have come with Setup.",
    "folder": "Copy the folder back from the backup, and give it the rights that it had. The script"
    " makes the virtual directory only.",
    "form": "No command is confirmed for it. Set it by hand as it stands under wanted.",
    "organisation": "It is kept in Active Directory for the whole organisation, and a lost server"
    " does not lose it. If it differs, somebody changed it: look who, before you set it.",
    "read-only": "It has no parameter of its own; it follows from the server or from other"
    " settings. Look at it again after the replay.",
    "owned": "The cmdlet that owns it writes it too. Run verify after the replay; where it still"
    " differs, set the parameter once more, and look at it in IIS Manager.",
    "update": "Setup puts back a build. Install the cumulative and security updates of the wanted"
    " state, then take a new snapshot.",
    **windows_kinds.HOW,
}


def because(one: Drifted, why: str, reason: str) -> ByHand:
    """Say that one difference is left to a person."""
    change = one.change
    if reason == "form" and "read-only" in why:
        reason = "read-only"
    return ByHand(
        change.kind, change.resource, change.setting, why, HOW[reason], reason,
        change.after, change.before, one.log,
    )  # fmt: skip


def reason(one: Drifted, scene: Scene) -> ByHand | None:
    """Say why a difference has no step; None where it may have one."""
    change = one.change
    section = None
    if change.kind == "IisSection":
        parted = place_and_section(change.resource)
        section = parted[1] if parted else None
    elif change.kind == "ConfigFile":
        section = change.resource.rpartition(" : ")[2]
    broken = hostile.name_breaks(change.resource) or _broken_value(one, section)
    if broken:
        return because(one, broken, "compromise")
    if one.rejected:
        return because(one, "the change was rejected", "rejected")
    if scene.documented_only and not one.documented:
        return because(one, "nobody documented the change", "undocumented")
    return _by_kind(one, scene)


def _broken_value(one: Drifted, section: str | None) -> str | None:
    change = one.change
    noun = catalogue.nouns().get(change.kind)
    values: dict[str | None, Value] = {change.setting: change.after}
    if noun is not None and change.setting is None and isinstance(change.after, dict):
        values = dict(change.after.items())
    for name, value in values.items():
        field = noun.fields.get(name or "") if noun else None
        kind = field.kind if field else None
        broken = hostile.breaks_kind(change.kind, name, value, kind, section)
        if broken:
            return broken
    return None


def _by_kind(one: Drifted, scene: Scene) -> ByHand | None:
    change = one.change
    is_build = (change.kind, change.setting) == ("ExchangeServer", "Build")
    owner = catalogue.owner(change.kind, change.resource, None, scene.version)
    # The first that holds counts.
    reasons = (
        (change.category == "mitigation", MITIGATION, "mitigation"),
        (is_build or change.category == "product-update", BY_HAND["ExchangeServer"], "update"),
        (change.kind == "ExchangeCertificate", BY_HAND["ExchangeCertificate"], "certificate"),
        (change.kind in NOT_WRITTEN, BY_HAND.get(change.kind, ""), "read-only"),
        (holds_secret(change.after), NEVER_KEPT, "secret"),
        (_is_in_no_file(one, scene), NO_FILE, "file"),
        (owner == "setup" and not scene.include_setup, owners.SETUP, "setup"),
    )
    left = next(((why, reason) for holds, why, reason in reasons if holds), None)
    left = left or windows_kinds.left_to_hands(change)
    if left is not None:
        return because(one, *left)
    if change.kind.startswith("Iis") or change.kind == "ConfigFile":
        return None
    return _of_noun(one)


def _is_in_no_file(one: Drifted, scene: Scene) -> bool:
    if one.change.kind != "ConfigFile" or not scene.files:
        return False
    file = one.change.resource.rpartition(" : ")[0].partition(".config")[0] + ".config"
    return file.casefold() not in scene.files


def _of_noun(one: Drifted) -> ByHand | None:
    kind = one.change.kind
    noun = catalogue.nouns().get(kind)
    if noun is None or not noun.is_written:
        return because(one, f"no Exchange cmdlet is known for {kind}", "read-only")
    if noun.scope == "org":
        return because(one, "it belongs to the whole organisation", "organisation")
    if one.change.setting is not None or can_be_made(noun):
        return None
    what = "come" if one.change.after is not None else "go"
    return because(one, f"no script makes a {kind} {what}", "setup")
