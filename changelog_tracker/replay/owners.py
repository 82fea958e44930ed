"""
Who must write a setting of IIS: appcmd, or the cmdlet whose copy in Active Directory would differ.

An owner is decided per attribute: a cmdlet owns it only where the noun has a parameter for it in
that version of Exchange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay.notation import place_and_section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Change, Value

SETUP = "owned by Setup: users should not configure it"
ACCESS = "system.webServer/security/access"
AUTHENTICATION = "system.webServer/security/authentication/"
WINDOWS = f"{AUTHENTICATION}windowsAuthentication"
CLIENT_CERTIFICATES = ("SslNegotiateCert", "SslRequireCert")

# What a parameter owns besides the one attribute that mirrors it: section, how the setting
# begins, parameter. RpcHttpConfigurator stamps SSLOffloading and IISAuthenticationMethods of
# Outlook Anywhere over IIS every 15 minutes.
OWNED = (
    (ACCESS, "", "SSLOffloading"),
    (f"{AUTHENTICATION}basicAuthentication", "enabled", "IISAuthenticationMethods"),
    (WINDOWS, "enabled", "IISAuthenticationMethods"),
    (WINDOWS, "extendedProtection.flags", "ExtendedProtectionFlags"),
    (WINDOWS, "extendedProtection.[", "ExtendedProtectionSPNList"),
    ("system.webServer/urlCompression", "", "GzipLevel"),
    ("system.webServer/urlCompression", "", "CompressionEnabled"),
)


def why_not_iis(change: Change, version: str | None) -> str | None:
    """
    Say who else than IIS owns what a change of IIS is about.

    Args:
        change: Of an IIS kind. Of a whole section each attribute counts.
        version: Of Exchange; None counts every parameter of every version.
    """
    owner = catalogue.owner(change.kind, change.resource, change.setting, version)
    if owner == "setup":
        return SETUP
    parted = place_and_section(change.resource) if change.kind == "IisSection" else None
    noun = _noun_at(parted[0]) if parted else None
    if parted is None or noun is None:
        return None
    for setting in _settings(change):
        parameter = _parameter(noun, parted[1], setting, version)
        if parameter is None and _is_client_certificate(change, parted[1], setting):
            parameter = _in_version(noun, "ClientCertAuth", version)
        if parameter is not None:
            return f"{noun.write} -{parameter} owns {setting}"
    return None


def _noun_at(place: str) -> catalogue.Noun | None:
    path = place.partition("/")[2].casefold()
    nouns = catalogue.nouns().values()
    found = (noun for noun in nouns if noun.application and noun.application.casefold() == path)
    return next(found, None)


def _settings(change: Change) -> Iterator[str]:
    if change.setting is not None:
        yield change.setting
        return
    for held in (change.before, change.after):
        if isinstance(held, dict):
            for name, value in held.items():
                yield name
                if isinstance(value, dict):
                    yield from (f"{name}.{inner}" for inner in value)


def _parameter(noun: catalogue.Noun, section: str, setting: str, version: str | None) -> str | None:
    fact = f"{section} : {setting}".casefold()
    mirrors = [
        name for name, field in noun.fields.items() if (field.mirrors or "").casefold() == fact
    ]
    owned = [name for where, front, name in OWNED if where == section and setting.startswith(front)]
    stamped = setting == "enabled" or setting.startswith("providers")
    if noun.name == "OutlookAnywhere" and section.startswith(AUTHENTICATION) and stamped:
        owned.append("IISAuthenticationMethods")
    found = (_in_version(noun, name, version) for name in (*mirrors, *owned))
    return next(filter(None, found), None)


def _in_version(noun: catalogue.Noun, name: str, version: str | None) -> str | None:
    field = noun.fields.get(name)
    if field is None or not field.writable:
        return None
    return name if version is None or version in field.versions else None


def _is_client_certificate(change: Change, section: str, setting: str) -> bool:
    if section != ACCESS or setting != "sslFlags":
        return False
    before, after = _flags(change.before), _flags(change.after)
    return any((flag in before) != (flag in after) for flag in CLIENT_CERTIFICATES)


def _flags(value: Value) -> list[Value]:
    held = value.get("sslFlags") if isinstance(value, dict) else value
    return held if isinstance(held, list) else []
