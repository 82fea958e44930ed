"""
Signs that an IIS configuration of before a rebuild was put back as a whole.

Microsoft says not to restore the metabase or applicationHost.config on a rebuilt server: what it
holds belongs to the old machine and the old installation. Each sign says what, where, and what to
do instead of patching it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.compare import is_secret
from changelog_tracker.diff.flatten import ignored
from changelog_tracker.diff.product_update import BUILD
from changelog_tracker.pipeline.orphans import BACK_END, orphans
from changelog_tracker.pipeline.own_names import CERTIFICATE
from changelog_tracker.pipeline.read import CONFIG_FILE
from changelog_tracker.pipeline.same_server import guids
from changelog_tracker.pipeline.sign import AGAIN, Sign
from changelog_tracker.pipeline.sister import answered
from changelog_tracker.pipeline.still_differs import fact, is_encrypted, other_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Held, ResourceKey, Value
    from changelog_tracker.pipeline.server_state import ServerState

_SESSION_KEY = "session-key"
_FOLDER = re.compile(r"[/\\](\d{1,2}\.\d{1,3}\.\d{1,5}\.\d{1,5})(?=[/\\ ]|$)")
_THUMBPRINT = re.compile(r"(?<![0-9A-F])[0-9A-F]{40}(?![0-9A-F])", re.IGNORECASE)
_RAW_THUMBPRINT = re.compile(rb"[0-9A-Fa-f]{40}")
# Where ExSetup.exe or the bundle says the build; the other sources are what is judged here.
_SURE_BUILDS = ("ExSetupBuild", "BundleBuild")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """
    The wanted state of a server, and what was found after it was recovered.

    Args:
        builds: The builds that it had since it was rebuilt, as the log tells.
    """

    wanted: ServerState
    found: ServerState
    builds: frozenset[str] = frozenset()


def signs(both: Rebuilt) -> list[Sign]:
    """
    Give the signs of a restored IIS configuration, in the order in which they weigh.

    Only what the newest snapshot read is judged. Where nothing tells that the machine is another
    one, encrypted values, Guids and version folders tell nothing.
    """
    found: list[Sign] = []
    if other_machine(both.wanted, both.found):
        found += [*_encrypted(both), *_old_guids(both), *_other_builds(both)]
    return [*found, *orphans(both.found), *_dead_certificates(both)]


def _read(state: ServerState, *prefixes: str) -> Iterator[tuple[ResourceKey, Held]]:
    """Give the resources of some kinds that a snapshot read, in the order of their names."""
    for key in sorted(state.known.held):
        held = state.known.held[key]
        if key[0].startswith(prefixes) and answered(state.known, held.reading):
            yield key, held


# --- [enc:] ---------------------------------------------------------------------------------------


def _encrypted(both: Rebuilt) -> Iterator[Sign]:
    """Give what was encrypted on the machine before: keys, and values by the same fingerprint."""
    for key, held in _read(both.found, "Iis"):
        old = both.wanted.known.held.get(key)
        if old is None:
            continue
        before = {name: value for name, value, _ in ignored(both.wanted.tree(old))}
        for name, value, rule in ignored(both.found.tree(held)):
            if rule == _SESSION_KEY and _is_kept(before.get(name), value):
                yield Sign(
                    "the session key of the machine before the rebuild: applicationHost.config "
                    "was restored, and [enc:...] in it cannot be read",
                    f"{held.resource}.{name}",
                    f"{AGAIN} (an image with IIS in it shows the same: UNCONFIRMED)",
                )
        flat = both.wanted.flat(key) or {}
        for name, value in (both.found.flat(key) or {}).items():
            if is_encrypted(key[0], name, value) and _is_kept(flat.get(name), value):
                yield Sign(
                    "encrypted by the machine before the rebuild, which this one cannot read: "
                    "the value was restored and not entered anew",
                    f"{held.resource}.{name}",
                    f"{AGAIN}, then enter the password anew",
                )


def _is_kept(before: Value, after: Value) -> bool:
    """Tell whether a secret is the very one of before; of another key nobody can tell."""
    return is_secret(before) and before == after


# --- Guids ----------------------------------------------------------------------------------------


def _old_guids(both: Rebuilt) -> Iterator[Sign]:
    """
    Give the directories with a Guid of before, where most were made anew.

    Whether Setup keeps objects that it finds in Active Directory is UNCONFIRMED: where it kept
    most, an old Guid tells nothing.
    """
    old, new = guids(both.wanted), guids(both.found)
    shared = old.keys() & new.keys()
    kept = sorted(key for key in shared if old[key] == new[key])
    if len(kept) * 2 >= len(shared):
        return
    for kind, name in kept:
        resource = both.found.known.held[kind, name, ""].resource
        yield Sign(
            "the Guid of before the rebuild, while most directories were made anew",
            str(resource),
            _made_anew(kind, name),
        )


def _made_anew(kind: str, name: str) -> str:
    if kind == "PowerShellVirtualDirectory" or name.endswith(f"({BACK_END.casefold()})"):
        return f"{AGAIN}; never remove this one by hand (UNCONFIRMED: what Setup keeps)"
    return (
        f"do not patch it: Remove-{kind}, then New-{kind}, then all its settings "
        "(UNCONFIRMED: what Setup keeps)"
    )


# --- version folders ------------------------------------------------------------------------------


def _other_builds(both: Rebuilt) -> Iterator[Sign]:
    """Give the version folders in IIS of builds that the rebuilt server never had."""
    state = both.found
    builds = both.builds | {str(state.facts.get(BUILD))}
    if not any(fact(state, name) for name in _SURE_BUILDS):
        return
    strange: dict[str, list[str]] = defaultdict(list)
    for key, held in _read(state, "Iis"):
        path = (state.flat(key) or {}).get("physicalPath")
        text = f"{held.resource.name.partition(' : ')[0]} {path if isinstance(path, str) else ''}"
        for build in dict.fromkeys(_FOLDER.findall(text)):
            if build not in builds and catalogue.version_of_build(build) is not None:
                strange[build].append(str(held.resource))
    for build, places in sorted(strange.items()):
        more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
        yield Sign(
            f"a version folder of build {build}, which this server never had since it was "
            f"rebuilt; its build is {state.facts.get(BUILD)}",
            f"{places[0]}{more}",
            AGAIN,
        )


# --- certificates ---------------------------------------------------------------------------------


def _dead_certificates(both: Rebuilt) -> Iterator[Sign]:
    """Give the references to certificates that the server does not have (any more)."""
    read = both.found.known.readings.get((CERTIFICATE, ""))
    if read is None or read.reading.status != "read":
        return
    now, then = (
        {key[1].upper() for key in state.known.held if key[0] == CERTIFICATE}
        for state in (both.found, both.wanted)
    )
    for key, held in _read(both.found, "Iis", CONFIG_FILE):
        if _RAW_THUMBPRINT.search(both.found.load(held.digest)) is None:
            continue
        flat = both.found.flat(key) or {}
        store = flat.get("certificateStoreName")
        of_machine = store is None or str(store).upper() in {"", "MY"}
        for name, value in flat.items():
            for thumbprint in sorted({one.upper() for one in _THUMBPRINT.findall(str(value))}):
                bound = name == "certificateHash" and of_machine
                if thumbprint not in now and (bound or thumbprint in then):
                    yield Sign(
                        f"names certificate {thumbprint}, which this server does not have",
                        f"{held.resource}.{name}",
                        "do not patch it: import the certificate with its private key, then "
                        "Enable-ExchangeCertificate -Services IIS, which binds it",
                    )
