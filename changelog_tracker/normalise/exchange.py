"""
Exchange objects as settings: their names, servers and values, with noise and secrets set apart.

Names are those of design 4.1: the identity without its server, `(server)` where a server has one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.normalise.values import Clix, Fingerprint, Raw, ValueReader

if TYPE_CHECKING:
    from changelog_tracker.model import Mode, Value

ONE_OF_A_SERVER = "(server)"
CERTIFICATE = "ExchangeCertificate"
CERTIFICATE_RULE = "certificate-blob"
_IDS_RULE = "ids"
_ONE_PROTOCOL = {"PopSettings", "ImapSettings"}
_VERSION = re.compile(r"Version (\d+)\.(\d+) \(Build (\d+)\.(\d+)\)")
_METABASE_HOST = re.compile(r"IIS://([^/]+)/")
_CERTIFICATE_PART = re.compile(r"\[(Subject|Issuer|Serial Number|Thumbprint)\]\r?\n([^\r\n]+)")
_DN_PART = re.compile(r"CN=((?:\\.|[^,\\])+)")


@dataclass(frozen=True, slots=True)
class ExchangeObject:
    """
    One resource that an Exchange cmdlet gave.

    Args:
        noun: The cmdlet's noun, which is the resource kind.
        server: Its server's short name as written; None where it has none or does not say.
        name: The resource's name, without its server.
        settings: Value by property.
        ignored: What a rule leaves out: value and the rule's name, by property.
        mode: What the answer can tell at all.
        build: "15.2.986.5", as AdminDisplayVersion says, which security updates do not move.
        fqdn: The server's full name, where something says it.
    """

    noun: str
    server: str | None
    name: str
    settings: dict[str, Value]
    ignored: dict[str, tuple[Value, str]]
    mode: Mode = "full"
    build: str | None = None
    fqdn: str | None = None


def exchange_objects(
    objects: Sequence[Clix], place: str, fingerprint: Fingerprint
) -> list[ExchangeObject]:
    """
    Read the Exchange objects of one file; what is none is left to `unused_types`.

    Args:
        objects: From parse.clixml, in file order.
        place: The file's name, for messages.
        fingerprint: Gives {"secret": "<key id>:<fingerprint>"} for a text.

    Raises:
        FileError: Objects nested without end.
    """
    readers: dict[str, ValueReader] = {}
    result = []
    for found in objects:
        noun = _noun(found)
        if noun is None:
            continue
        if noun not in readers:
            readers[noun] = ValueReader(place, fingerprint, partial(_nested_noise, noun))
        result.append(_read(noun, found, readers[noun]))
    return result


def unused_types(objects: Sequence[Clix]) -> tuple[str, ...]:
    """Name the types of objects that are of no known noun, sorted: Get-Web* answers, tables."""
    names = {found.types[0] if found.types else found.tag for found in objects if not _noun(found)}
    return tuple(sorted(names))


def _noun(found: Clix) -> str | None:
    return catalogue.noun_of_type(found.types[0]) if found.types else None


def _nested_noise(noun: str, prop: str) -> str | None:
    """Name the rule for a nested object; what names an object there is no repetition."""
    rule = catalogue.noise_rule(noun, prop)
    return None if rule == _IDS_RULE else rule


def _read(noun: str, found: Clix, reader: ValueReader) -> ExchangeObject:
    scope = catalogue.nouns()[noun].scope
    settings, ignored = _settings(noun, found, reader)
    fqdn = _fqdn(found)
    return ExchangeObject(
        noun=noun,
        server=_server(scope, found, fqdn),
        name=_name(noun, scope, found),
        settings=settings,
        ignored=ignored,
        mode=_mode(noun, found.members),
        build=_build(found),
        fqdn=fqdn,
    )


def _settings(
    noun: str, found: Clix, reader: ValueReader
) -> tuple[dict[str, Value], dict[str, tuple[Value, str]]]:
    """Part the properties into settings and what a rule leaves out."""
    fields = catalogue.nouns()[noun].fields
    settings: dict[str, Value] = {}
    ignored: dict[str, tuple[Value, str]] = {}
    for prop, raw in found.members.items():
        field = fields.get(prop)
        kind = field.kind if field else ""
        rule = catalogue.noise_rule(noun, prop)
        if rule is None and noun == CERTIFICATE and field is None:
            rule = CERTIFICATE_RULE
        if rule is not None:
            ignored[prop] = (_left_out(raw, reader, kind), rule)
            continue
        reader.left_out = {}
        settings[prop] = reader.read(raw, kind)
        for name, (values, why) in reader.left_out.items():
            ignored[f"{prop}.{name}"] = (values, why)
    if noun == CERTIFICATE:
        for prop, text in _about_certificate(found).items():
            if prop in fields:
                settings.setdefault(prop, text)
    return settings, ignored


def _left_out(raw: Raw, reader: ValueReader, kind: str) -> Value:
    """Give what was left out; of bytes only how many, for a blob may hold anything."""
    tag = getattr(raw, "tag", None)
    if tag == "BA":
        blob = getattr(raw, "text", None) or ""
        return f"({len(blob) * 3 // 4 - blob[-2:].count('=')} bytes)"
    return reader.read(raw, kind)


def _mode(noun: str, members: Mapping[str, Raw]) -> Mode:
    """-ADPropertiesOnly gives neutral values for what lives in IIS; empty places betray it."""
    places = [_text(members.get(prop)) for prop in ("Path", "WebSite") if prop in members]
    bare = noun.endswith("VirtualDirectory") and len(places) == 2 and not any(places)
    return "ad-only" if bare else "full"


def _build(found: Clix) -> str | None:
    version = _VERSION.match(_text(found.members.get("AdminDisplayVersion")))
    return ".".join(version.groups()) if version else None


def _name(noun: str, scope: str, found: Clix) -> str:
    name = _text(found.members.get("Name"))
    if noun == CERTIFICATE:
        return _thumbprint(found)
    if noun in _ONE_PROTOCOL:
        return "1"
    if scope == "server":
        return _text(found.members.get("Component")) or ONE_OF_A_SERVER
    identity = _identity(found)
    if scope == "vdir" and "\\" in identity:
        return identity.partition("\\")[2]
    return name or _first_of_dn(identity) or found.text or "?"


def _thumbprint(found: Clix) -> str:
    """A certificate's thumbprint is the SHA-1 of its bytes, whoever wrote it down."""
    written = _text(found.members.get("Thumbprint"))
    if written:
        return written.upper()
    try:
        blob = base64.b64decode(_text(found.members.get("RawData")), validate=True)
    except binascii.Error:
        blob = b""
    if blob:
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest().upper()
    return _identity(found).rpartition("\\")[2] or "?"


def _about_certificate(found: Clix) -> dict[str, str]:
    """
    Read what a certificate's ToString says of it; a remote shell gives nothing else but bytes.

    The dates there are those of a culture and a time zone, so they are left alone.
    """
    sections = dict(_CERTIFICATE_PART.findall(found.text or ""))
    return {name.replace(" ", ""): text.strip() for name, text in sections.items()}


def _server(scope: str, found: Clix, fqdn: str | None) -> str | None:
    """Find the server; organisation-wide objects have none, and a certificate may not say."""
    if scope not in {"vdir", "server"}:
        return None
    identity = _identity(found)
    dn = _DN_PART.findall(identity)
    written = (
        _text(found.members.get("Server")),
        _text(found.members.get("ServerName")),
        identity.partition("\\")[0] if "\\" in identity else "",
        dn[dn.index("Servers") - 1] if "Servers" in dn[1:] else "",
        identity.partition("/Servers/")[2].partition("/")[0],
        identity or _text(found.members.get("Name")) if scope == "server" else "",
        fqdn or "",
    )
    return next((_short(name) for name in written if name), None)


def _fqdn(found: Clix) -> str | None:
    """Find the server's full name; OriginatingServer and PSComputerName are other machines'."""
    for prop in ("Fqdn", "ServerFqdn"):
        written = _text(found.members.get(prop))
        if "." in written:
            return written
    host = _METABASE_HOST.match(_text(found.members.get("MetabasePath")))
    if host and "." in host[1]:
        return host[1]
    before, slash, _ = _identity(found).partition("\\")
    return before if slash and "." in before else None


def _identity(found: Clix) -> str:
    """Give the identity; the text of a certificate is a page about it, and no identity."""
    about = found.text if found.text and "\n" not in found.text else ""
    return _text(found.members.get("Identity")) or about


def _short(name: str) -> str:
    """EX01 of EX01.contoso.com, of CN=EX01,CN=Servers,... and of contoso.com/.../EX01."""
    return (_first_of_dn(name) or name).rpartition("/")[2].partition(".")[0]


def _first_of_dn(text: str) -> str:
    first = _DN_PART.match(text)
    return first[1] if first else ""


def _text(raw: Raw | None) -> str:
    """Give what a value says as text; an object its ToString, nothing for null."""
    if isinstance(raw, str):
        return raw
    if raw is None or isinstance(raw, (bool, int, float, Sequence, Mapping)):
        return ""
    return raw.text or ""
