"""
Changes -> the few lines that tell a person what happened.

A rebuilt server and a product update are one line each, with the rest folded into it; what AD and
IIS both show is one line under its owner; what a service of Exchange did by itself says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.compare import same
from changelog_tracker.diff.product_update import (
    ONE_PER_SERVER,
    SERVER,
    product_update,
)
from changelog_tracker.model import Change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from changelog_tracker.model import Settings, Value

# A new Windows under the same name: Setup /m:RecoverServer ran on it, or is about to.
REBUILD_SIGNS = ("MachineSid", "WindowsInstallDate")
# What every rebuilt server has anew.
IDENTITY = frozenset({*REBUILD_SIGNS, "Guid", "WhenCreated"})
# One certificate, as the cmdlet of Exchange and as Windows tell it.
CERTIFICATE, WINDOWS_CERTIFICATE = "ExchangeCertificate", "Certificate"
_RPC_PLACES = ("Default Web Site/Rpc", "Exchange Back End/Rpc")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What the class of a change depends on, besides the change.

    Args:
        directories: How many virtual directories both readings hold.
        mitigations: MitigationsApplied of the Emergency Mitigation service.
        outlook_anywhere: What AD says of /Rpc, by web site.
    """

    directories: int = 0
    mitigations: frozenset[str] = frozenset()
    outlook_anywhere: Mapping[str, Settings] = field(default_factory=dict)


def classify(changes: Sequence[Change], around: Surroundings) -> list[Change]:
    """Give each change its class, fold what belongs to one event, and join what is one fact."""
    single = _joined_mirrors(_one_recreation(_joined_aspects(changes)))
    single = _joined_certificates(single)
    recovery = _recovery(single, around)
    if recovery is not None:
        return [recovery]
    return [_by_itself(change, around) for change in product_update(single)]


def without_identity(recovery: Change) -> list[Change]:
    """
    Part a recovery into what any rebuilt server differs in, and what is missing on it.

    Returns:
        The recovery with the first folded into it, then the others, each a change of its own.
    """
    own = [c for c in recovery.folded if c.setting in IDENTITY]
    others = [c for c in recovery.folded if c.setting not in IDENTITY]
    return [replace(recovery, folded=tuple(own)), *others]


def _joined_aspects(changes: Sequence[Change]) -> list[Change]:
    """Make one line of an object whose parts were told by different readings."""
    joined: dict[tuple[str, str, str], Change] = {}
    rest: list[Change] = []
    for change in changes:
        if change.setting is not None:
            rest.append(change)
            continue
        key = (change.kind, change.resource.casefold(), change.action)
        first = joined.get(key)
        if first is None:
            joined[key] = change
        else:
            joined[key] = replace(
                first,
                before=_joined(first.before, change.before),
                after=_joined(first.after, change.after),
            )
    return [*joined.values(), *rest]


def _joined(first: Value, second: Value) -> Value:
    if isinstance(first, dict) and isinstance(second, dict):
        return {**first, **second}
    return first


def _one_recreation(changes: Sequence[Change]) -> list[Change]:
    """A re-created object shows by its Guid; the new WhenCreated says the same again."""
    recreated = {(c.kind, c.resource) for c in changes if c.setting == "Guid"}
    return [
        change
        for change in changes
        if change.setting != "WhenCreated" or (change.kind, change.resource) not in recreated
    ]


def _recovery(changes: Sequence[Change], around: Surroundings) -> Change | None:
    for sign in REBUILD_SIGNS:
        for change in changes:
            if (change.kind, change.resource, change.setting) == (SERVER, ONE_PER_SERVER, sign):
                rest = tuple(one for one in changes if one is not change)
                return replace(change, category="recovery", folded=rest)
    new = [
        change
        for change in changes
        if change.setting in {"Guid", "WhenCreated"}
        and change.kind.endswith("VirtualDirectory")
        and change.action == "changed"
    ]
    if around.directories >= 2 and len(new) * 2 > around.directories:
        return Change(
            kind=SERVER,
            resource=ONE_PER_SERVER,
            setting="VirtualDirectoryGuids",
            action="changed",
            before=[str(change.before) for change in new],
            after=[str(change.after) for change in new],
            category="recovery",
            folded=tuple(changes),
            not_before=new[0].not_before,
        )
    return None


def _joined_mirrors(changes: Sequence[Change]) -> list[Change]:
    """Put an IIS change that its owner's line says too under that line."""
    in_iis = {
        (c.resource.casefold(), (c.setting or "").casefold()): c
        for c in changes
        if c.kind == "IisSection"
    }
    joined: set[int] = set()
    result = []
    for change in changes:
        mirror = in_iis.get(_mirror_of(change)) if in_iis else None
        if mirror is not None and _is_one_fact(change, mirror):
            joined.add(id(mirror))
            result.append(replace(change, also=(mirror.path,)))
        else:
            result.append(change)
    return [change for change in result if id(change) not in joined]


def _joined_certificates(changes: Sequence[Change]) -> list[Change]:
    """Put what the store of Windows says of a certificate too under the line of Exchange."""
    in_windows = {
        (c.resource.casefold(), c.setting, c.action): c
        for c in changes
        if c.kind == WINDOWS_CERTIFICATE
    }
    joined: set[int] = set()
    result = []
    for change in changes:
        of_exchange = in_windows and change.kind == CERTIFICATE
        key = (change.resource.casefold(), change.setting, change.action)
        mirror = in_windows.get(key) if of_exchange else None
        if mirror is not None and (mirror.setting is None or same(mirror.after, change.after)):
            joined.add(id(mirror))
            result.append(replace(change, also=(*change.also, mirror.path)))
        else:
            result.append(change)
    return [change for change in result if id(change) not in joined]


def _mirror_of(change: Change) -> tuple[str, str]:
    """Give resource and setting of the IIS attribute that shows the same fact."""
    noun = catalogue.nouns().get(change.kind)
    known = noun.fields.get(change.setting or "") if noun else None
    place = re.fullmatch(r"(.*) \((.*)\)", change.resource)
    if known is None or known.mirrors is None or place is None:
        return ("", "")
    section, _, setting = known.mirrors.partition(" : ")
    return (f"{place[2]}/{place[1]} : {section}".casefold(), setting.casefold())


def _is_one_fact(change: Change, mirror: Change) -> bool:
    """Tell whether IIS shows what the owner's line says, and nothing besides."""
    before, after = mirror.before, mirror.after
    if isinstance(before, list) and isinstance(after, list):
        # RequireSSL is Ssl among the flags, which Ssl128 comes and goes with.
        moved = {str(flag) for flag in before} ^ {str(flag) for flag in after}
        return "Ssl" in moved and moved <= {"Ssl", "Ssl128"} and same(change.after, "Ssl" in after)
    return same(change.after, after)


def _by_itself(change: Change, around: Surroundings) -> Change:
    """Mark what the Emergency Mitigation service or the RPC servicelet did."""
    if change.kind != "IisSection" or change.category != "customisation":
        return change
    if "/rewrite/" in change.resource and any(
        name.casefold() in (change.setting or "").casefold() for name in around.mitigations
    ):
        return replace(change, category="mitigation")
    if _is_stamped(change, around.outlook_anywhere):
        return replace(change, category="servicelet")
    return change


def _is_stamped(change: Change, outlook_anywhere: Mapping[str, Settings]) -> bool:
    """Tell whether RpcHttpConfigurator set back to IIS what AD says of /Rpc."""
    place, _, section = change.resource.partition(" : ")
    settings = outlook_anywhere.get(place.partition("/")[0])
    if place not in _RPC_PLACES or settings is None:
        return False
    methods = settings.get("IISAuthenticationMethods")
    wanted: Value = None
    if section.endswith("/access") and change.setting == "sslFlags":
        offloading = settings.get("SSLOffloading")
        if isinstance(offloading, bool):
            wanted = [] if offloading else ["Ssl", "Ssl128"]
    elif change.setting == "enabled" and isinstance(methods, list):
        said = {str(method).casefold() for method in methods}
        if section.endswith("/basicAuthentication"):
            wanted = "basic" in said
        elif section.endswith("/windowsAuthentication"):
            wanted = bool(said & {"ntlm", "negotiate"})
    return wanted is not None and same(change.after, wanted)
