"""The shapes of the facts: a noun and its fields, a version, a rule of noise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.model import Value

# As the schema says it: attributes, elements, collections; see sections.section.
SectionFacts: TypeAlias = "dict[str, Any]"

VERSIONS = ("2010", "2013", "2016", "2019", "SE")
KINDS = (
    "bool",
    "whole",
    "text",
    "enum",
    "uri",
    "set",
    "list",
    "size",
    "duration",
    "secret",
    "object",
)
KEPT_IN = ("directory", "metabase", "file")
OWNERS = ("shell", "iis", "file", "setup")
SCOPES = ("vdir", "server", "org")
READ_BY = ("Server", "Identity", "none")


class Unknown(Enum):
    """The default of which nobody says what it is; None is a default too."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Field:
    """
    One property of a noun.

    Args:
        name: As Get- shows it and Set- takes it.
        kind: One of KINDS; a `whole` and a `size` may also be the text "Unlimited".
        versions: Those that have the parameter, or for what is read only the noun's.
        writable: Whether a cmdlet has a parameter for it.
        kept_in: What is kept in the metabase is unknown in an -ADPropertiesOnly reading.
        accepted: What the documentation lists; empty where it lists none.
        documented_default: Of the parameter page, None where it says none. Not what Setup makes:
            the page of OAB says Basic, Setup gives Windows.
        default: What Setup makes below the Default Web Site; UNKNOWN where no source says it.
        mirrors: The IIS attribute that shows the same fact: "SECTION : ATTRIBUTE" of appcmd.
        source: The page that documents it.
        back_end_default: What Setup makes below Exchange Back End.
        mirror_flag: Which flag of the mirrored attribute it is, where that is a set of flags.
    """

    name: str
    kind: str
    versions: tuple[str, ...]
    writable: bool
    kept_in: str
    accepted: tuple[str, ...]
    documented_default: Value
    default: Value | Unknown
    mirrors: str | None
    source: str
    back_end_default: Value | Unknown = UNKNOWN
    mirror_flag: str | None = None


@dataclass(frozen=True, slots=True)
class Noun:
    """
    One kind of Exchange resource.

    Args:
        name: The cmdlets' noun.
        scope: `vdir` (its Identity names server, directory and site), `server` or `org`.
        read: The cmdlet that reads it.
        write: The cmdlet that writes it, empty where there is none.
        restart: The application pools or services that make a change effective.
        fields: What is writable, what is read only and the secrets, by name. Of a noun that is
            only read and shown: none.
        read_only: Properties without a parameter.
        secrets: Parameters whose value is never kept.
        switches: Parameters that do something and leave no state.
        new_only: Parameters that only New- has.
        identity: The parameter of `write` that says which one.
        versions: Those that have the noun.
        types: How the names of its .NET types end.
        application: The path below its web site, of a virtual directory.
        unconfirmed: What of the above has no source but experience.
        read_by: The parameter of `read` that takes the server, or `none`.
        read_with: Switches of `read` without which it leaves something out.
    """

    name: str
    scope: str
    read: str
    write: str
    managed_by: str
    restart: tuple[str, ...]
    fields: Mapping[str, Field]
    read_only: tuple[str, ...]
    secrets: tuple[str, ...]
    switches: tuple[str, ...]
    new_only: tuple[str, ...]
    source: str
    identity: str = "Identity"
    versions: tuple[str, ...] = VERSIONS
    types: tuple[str, ...] = ()
    application: str | None = None
    unconfirmed: tuple[str, ...] = ()
    read_by: str = "none"
    read_with: tuple[str, ...] = ()

    @property
    def is_written(self) -> bool:
        """Whether any field of it has a parameter; else it is only read and shown."""
        return any(field.writable for field in self.fields.values())


@dataclass(frozen=True, slots=True)
class Version:
    """
    One version of Exchange.

    Args:
        name: One of VERSIONS.
        first: The first build of it, as numbers.
        before: The first build that is no longer of it.
        inherits: The version it follows; what its file does not say is taken from there.
        root: The folder below `Exchange Server` where Setup puts it by default.
        powershell: The first Windows PowerShell that it came with.
        factory_defaults: Whether the defaults of the resource files hold for it.
        unconfirmed: What of the above has no source but experience.
    """

    name: str
    first: tuple[int, ...]
    before: tuple[int, ...]
    inherits: str | None
    root: str
    powershell: str
    factory_defaults: bool
    source: str
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """
    Something that differs without anybody having changed it.

    Args:
        name: What `show --ignored` and reports call it.
        why: One sentence.
        nouns: Globs of Exchange nouns it is about.
        sections: IIS sections it is about; `*` is all.
        properties: Names of properties or attributes.
        pattern: Or a regular expression for them, or for an element's key.
        does: `ignore` leaves it out; `generalise` compares keys without what the pattern finds;
            `unorder` compares without order.
        unconfirmed: Known from experience alone.
    """

    name: str
    why: str
    nouns: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    pattern: str | None = None
    does: str = "ignore"
    unconfirmed: bool = False
