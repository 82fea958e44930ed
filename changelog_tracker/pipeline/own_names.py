"""What is a server's own: its names, certificates, sites, paths and build, from its snapshot."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from changelog_tracker import catalogue
from changelog_tracker.diff.templates import Own, Templates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Value
    from changelog_tracker.pipeline.server_state import ServerState

CERTIFICATE = "ExchangeCertificate"
BINDING = "IisBinding"
# The host of IIS://EX01.contoso.com/W3SVC/1/ROOT/owa.
_METABASE_HOST = re.compile(r"IIS://([^/]+)/", re.IGNORECASE)
_THUMBPRINT = re.compile(r"[0-9A-F]{40}", re.IGNORECASE)
# Where clients outside are told to go: a name that another server gives them is the farm's.
_PUBLIC = ("ExternalUrl", "ExternalHostname")
_INTERNAL = ("InternalUrl", "AutoDiscoverServiceInternalUri", "InternalHostname")


def own_of_both(one: ServerState, other: ServerState) -> tuple[Own, Own]:
    """Give what is each server's own, with the certificates of both under the same names."""
    first, second = _own(one, other), _own(other, one)
    mine, theirs = _certificates(one, first), _certificates(other, second)
    shared = mine.keys() & theirs.keys()
    for state, found in ((one, mine), (other, theirs)):
        _add_bindings(state, found, shared)
    return (
        replace(first, certificates={p: n for p, n in mine.items() if p not in shared}),
        replace(second, certificates={p: n for p, n in theirs.items() if p not in shared}),
    )


def _own(state: ServerState, other: ServerState) -> Own:
    install, build = state.facts.get("InstallPath"), state.facts.get("Build")
    public = set(_hosts(other, _PUBLIC))
    fqdn = _fqdn(state, public | set(_hosts(other, _INTERNAL)))
    return Own(
        short=state.name,
        fqdn=fqdn,
        namespace=fqdn is not None and fqdn.casefold() in public,
        install=install if isinstance(install, str) else None,
        build=build if isinstance(build, str) else None,
        sites={
            str((state.flat(key) or {}).get("id")): held.resource.name.casefold()
            for key, held in state.known.held.items()
            if key[0] == "IisSite"
        },
    )


def said_fqdn(state: ServerState) -> str | None:
    """Give a server's full name where an export says it."""
    said = state.facts.get("Fqdn")
    if isinstance(said, str) and "." in said:
        return said
    for path in _values(state, ("MetabasePath",)):
        host = _METABASE_HOST.match(path)
        if host and "." in host[1]:
            return host[1]
    for name in _values(state, ("ServerFqdn",)):
        if name.casefold().startswith(f"{state.name.casefold()}."):
            return name
    domain = state.facts.get("Domain")
    return f"{state.name}.{domain}" if isinstance(domain, str) and domain else None


def _fqdn(state: ServerState, taken: set[str]) -> str | None:
    """
    Find a server's full name: what an export says, else a host that begins with its name.

    Args:
        state: The server.
        taken: The hosts that the other server uses too, so that they are no server's name.
    """
    short = state.name.casefold()
    hosts = {host for host in _hosts(state, _INTERNAL) if host.startswith(f"{short}.")}
    return said_fqdn(state) or min(hosts - taken, default=None)


def _hosts(state: ServerState, settings: tuple[str, ...]) -> Iterator[str]:
    for text in _values(state, settings):
        try:
            host = urlsplit(text if "//" in text else f"//{text}").hostname
        except ValueError:
            continue
        if host:
            yield host.casefold()


def _values(state: ServerState, settings: tuple[str, ...]) -> Iterator[str]:
    """Give the texts of some settings of all Exchange objects."""
    for key in state.known.held:
        if key[0] in catalogue.nouns():
            found = state.flat(key) or {}
            yield from (v for name in settings if isinstance(v := found.get(name), str) and v)


def _certificates(state: ServerState, own: Own) -> dict[str, str]:
    """Give each certificate's name on both servers: what it is for, counted where several are."""
    templates = Templates(own)
    alike: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, held in state.known.held.items():
        if key[0] != CERTIFICATE:
            continue
        found = state.flat(key) or {}
        rank = _text([not found.get("Services"), found.get("Services"), found.get("FriendlyName")])
        name = _text(templates.comparable(str(found.get("Subject") or "")))
        alike[name].append((rank, held.resource.name.upper()))
    return {
        thumbprint: f"{name} {number}"
        for name, several in alike.items()
        for number, (_, thumbprint) in enumerate(sorted(several), 1)
    }


def _add_bindings(state: ServerState, found: dict[str, str], shared: set[str]) -> None:
    """Name a certificate that no export tells after the binding that it stands in."""
    for key, held in state.known.held.items():
        if key[0] != BINDING:
            continue
        print_ = (state.flat(key) or {}).get("certificateHash")
        if isinstance(print_, str) and _THUMBPRINT.fullmatch(print_) and print_ not in shared:
            found.setdefault(print_.upper(), f"binding {held.resource.name.casefold()}")


def _text(value: Value) -> str:
    return json.dumps(value)
