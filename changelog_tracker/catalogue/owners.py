"""Who writes a setting: the shell, IIS, an edit of a file, Windows, or nobody but Setup."""

from __future__ import annotations

from changelog_tracker.catalogue.loader import nouns
from changelog_tracker.catalogue.sections import back_end, setup_owned
from changelog_tracker.catalogue.windows import WINDOWS_OWNER, windows_kinds


def owner(kind: str, resource: str, setting: str | None = None, version: str | None = None) -> str:
    """
    Say who owns a setting: `shell`, `iis`, `file`, `windows` or `setup`.

    A cmdlet owns what it has a parameter for in that version; what it has none for belongs to IIS
    where IIS keeps it, else to Setup. Whether a cmdlet owns the fact behind an IIS attribute is
    said by Field.mirrors.

    Args:
        kind: An Exchange noun, an IIS kind, ConfigFile or a kind of Windows.
        resource: Its name, as everywhere: `owa (Default Web Site)`, `PLACE : SECTION`.
        setting: None for the whole resource.
        version: Of Exchange; None for any that has the parameter.
    """
    if kind == "ConfigFile":
        return "file"
    if kind.startswith("Iis"):
        return _of_iis(resource)
    if kind in windows_kinds():
        return WINDOWS_OWNER
    return _of_noun(kind, resource, setting, version)


def _of_iis(resource: str) -> str:
    place, _, section = resource.partition(" : ")
    site = place.partition("/")[0].strip()
    if site.casefold() == back_end().casefold():
        return "setup"
    owned = {name.casefold() for name in setup_owned()}
    return "setup" if section.strip().casefold() in owned else "iis"


def _of_noun(kind: str, resource: str, setting: str | None, version: str | None) -> str:
    noun = nouns().get(kind)
    if noun is None:
        return "setup"
    if noun.scope == "vdir" and resource.casefold().endswith(f"({back_end().casefold()})"):
        return "setup"
    if setting is None or not noun.is_written:
        return noun.managed_by
    field = noun.fields.get(setting)
    if field is None:
        return "setup"
    if field.writable and (version is None or version in field.versions):
        return noun.managed_by
    return "iis" if field.kept_in == "metabase" else "setup"
