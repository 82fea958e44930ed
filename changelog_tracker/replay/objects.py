"""
Exchange objects: differences as calls of their cmdlets, what belongs together in one call.

The order and the exclusions are those that Microsoft documents for each cmdlet; see
docs/replay.md for each with its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay.plan import Cmdlet, Goal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.model import Settings, Value
    from changelog_tracker.replay.plan import Group

OUTLOOK_ANYWHERE = "OutlookAnywhere"
# One call takes them together; IIS authentication must never be given with the default method.
TOGETHER = (
    "ExternalHostname", "InternalHostname", "ExternalClientsRequireSsl",
    "InternalClientsRequireSsl", "ExternalClientAuthenticationMethod",
    "InternalClientAuthenticationMethod", "ClientAuthenticationMethod",
    "IISAuthenticationMethods", "SSLOffloading",
)  # fmt: skip
ALONE = "DefaultAuthenticationMethod"
# What a parameter takes along in its call, where the wanted state has it.
COMPANIONS = {"LogonFormat": ("DefaultDomain",)}
FORMS = "FormsAuthentication"
AFTER_FORMS = ("BasicAuthentication", "DigestAuthentication", "WindowsAuthentication")
ADFS = "AdfsAuthentication"
_SITE = re.compile(r".* \((.*)\)", re.DOTALL)
_SERVICES = ("PopSettings", "ImapSettings", "RpcClientAccess")
# What New- takes besides WebSiteName, Path and Role; and which versions have what.
_NO_SITE = {"MapiVirtualDirectory": ("2010", "2013")}
_NO_PATH = ("MapiVirtualDirectory",)
_ROLE_ONLY = {"MapiVirtualDirectory": ("2013",)}


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of Set- on one object.

    Args:
        names: The parameters, in order.
        after: Parameters of the same object whose calls come before.
    """

    names: tuple[str, ...]
    after: tuple[str, ...] = ()


def calls(noun: Noun, names: Sequence[str], wanted: Settings) -> list[Call]:
    """
    Part the parameters of one object into calls, in order.

    Args:
        noun: Of the object.
        names: The parameters that differ.
        wanted: All that is wanted of the object, for what must come along.
    """
    left = sorted(names)
    found: list[Call] = []
    if noun.name == OUTLOOK_ANYWHERE and set(left) & set(TOGETHER):
        told = [name for name in TOGETHER if name in left or _comes_along(name, left, wanted)]
        found.append(Call(tuple(told)))
        left = [name for name in left if name not in told]
    if FORMS in left:
        found.append(Call((FORMS,)))
        left.remove(FORMS)
    for name in left:
        along = tuple(one for one in COMPANIONS.get(name, ()) if _has(wanted, one))
        if any(name in COMPANIONS.get(other, ()) and _has(wanted, name) for other in left):
            continue
        after = (FORMS,) if name in AFTER_FORMS and FORMS in names else ()
        found.append(Call((name, *along), after))
    return found


def goals(noun: Noun, names: Sequence[str], wanted: Settings, found: Settings) -> tuple[Goal, ...]:
    """Give the goals of one call."""
    return tuple(
        Goal(name, noun.fields[name].kind, _or_nothing(wanted.get(name)), found.get(name))
        for name in names
    )


def _or_nothing(value: Value) -> Value:
    """The directory's empty text is nothing, and $null is how a cmdlet is told of it."""
    return None if value == "" else value


def cmdlet(noun: Noun, resource: str, server: str) -> Cmdlet:
    """Name an object of Exchange as its cmdlets do."""
    identity = {"vdir": f"{server}\\{resource}", "server": server}.get(noun.scope, resource)
    return Cmdlet(noun.name, noun.identity, identity)


def new_parameters(
    noun: Noun, resource: str, wanted: Settings, application: Settings, version: str
) -> Iterator[Goal]:
    """
    Give what New- takes that nobody can set later.

    Args:
        noun: Of the object.
        resource: Its name.
        wanted: What is wanted of it.
        application: What is wanted of its application in IIS, where that was read.
        version: Of Exchange.
    """
    site = _SITE.fullmatch(resource)
    if site and version not in _NO_SITE.get(noun.name, ()):
        yield Goal("WebSiteName", "text", site[1], None)
    if noun.name not in _NO_PATH and isinstance(wanted.get("Path"), str) and wanted["Path"]:
        yield Goal("Path", "text", wanted["Path"], None)
    pool = application.get("applicationPool")
    if "AppPoolId" in noun.new_only and isinstance(pool, str):
        yield Goal("AppPoolId", "text", pool, None)
    if version != "2010" and version in _ROLE_ONLY.get(noun.name, (version,)):
        yield Goal("Role", "enum", "ClientAccess", None)


def application_of(resource: str) -> str:
    """Name the application of a virtual directory as IIS does."""
    path, _, site = resource.rpartition(" (")
    return f"{site.removesuffix(')')}/{path}"


def can_be_made(noun: Noun) -> bool:
    """Tell whether New- makes such an object; PowerShell's only on the advice of support."""
    return noun.scope == "vdir" and noun.name not in {
        OUTLOOK_ANYWHERE,
        "PowerShellVirtualDirectory",
    }


def group_of(noun: Noun, name: str) -> Group:
    """Say in which part of a replay a parameter is put back."""
    if name == "AutoDiscoverServiceInternalUri":
        return "autodiscover-url"
    if noun.name == OUTLOOK_ANYWHERE:
        return "outlook-anywhere"
    if noun.name == "PowerShellVirtualDirectory":
        return "powershell"
    return "services" if noun.name in _SERVICES else "exchange"


def noun_at(place: str) -> Noun | None:
    """Give the noun whose application lies at a place of IIS."""
    path = place.partition("/")[2].casefold()
    nouns = catalogue.nouns().values()
    found = (n for n in nouns if n.application and path and n.application.casefold() == path)
    return next(found, None)


def owner_of(
    noun: Noun, section: str, setting: str, version: str, values: tuple[Value, Value]
) -> tuple[str, tuple[Value, Value]] | None:
    """
    Give the parameter that owns an attribute of IIS, and the values as it takes them.

    Args:
        noun: Whose application it is.
        section: Of IIS.
        setting: The attribute.
        version: Of Exchange.
        values: Wanted and found in IIS.

    Returns:
        None where no parameter shows just this fact.
    """
    fact = f"{section} : {setting}".casefold()
    for name, field in noun.fields.items():
        if (field.mirrors or "").casefold() != fact or not field.writable:
            continue
        if version not in field.versions:
            continue
        if field.mirror_flag is None:
            return name, values
        return _of_flags(name, field.mirror_flag, values)
    return None


def why_not_set(noun: Noun, name: str, wanted: Value, shown: Settings) -> str | None:
    """
    Say why no call of Set- puts back an attribute of IIS that a parameter owns, or None.

    Args:
        noun: Whose application it is.
        name: The parameter.
        wanted: Its value in IIS; None where nothing is to stand there.
        shown: The object as it is found; empty where it is not there.
    """
    if wanted is None:
        return f"{noun.write} -{name} owns it, and cannot make it be inherited"
    if name in shown and shown[name] == wanted:
        return f"{noun.write} -{name} owns it, and shows the same in both states"
    return None


def _of_flags(
    name: str, flag: str, values: tuple[Value, Value]
) -> tuple[str, tuple[Value, Value]] | None:
    """Read a truth out of flags; None where other flags differ too, which it cannot say."""
    if not isinstance(values[0], list):
        return None
    told = [{str(each) for each in value} if isinstance(value, list) else set() for value in values]
    if (told[0] ^ told[1]) - {flag, f"{flag}128"}:
        return None
    wanted, found = (flag in each for each in told)
    return (name, (wanted, found)) if wanted != found else None


def _comes_along(name: str, left: Sequence[str], wanted: Settings) -> bool:
    """Tell whether a host name must be given with the SSL and the authentication of its side."""
    for side in ("External", "Internal"):
        if name in {f"{side}ClientsRequireSsl", f"{side}ClientAuthenticationMethod"}:
            return f"{side}Hostname" in left and _has(wanted, name)
    return False


def _has(wanted: Settings, name: str) -> bool:
    return wanted.get(name) not in (None, "", [])
