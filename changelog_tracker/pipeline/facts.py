"""Facts about the server itself: build, Windows, where Exchange is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from changelog_tracker.diff.product_update import BUILD_SOURCES, ONE_PER_SERVER, SERVER
from changelog_tracker.model import Reading, ReadingId, Record, ResourceId
from changelog_tracker.pipeline.read import canonical_settings
from changelog_tracker.store.contents import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from changelog_tracker.collect.gathered import Manifest
    from changelog_tracker.model import Value
    from changelog_tracker.pipeline.read import Contents


# A fact, and the mark of the file that told it where it came out of one.
Facts: TypeAlias = "dict[str, tuple[Value, bytes | None]]"


class Earlier(Mapping[str, str]):
    """
    What earlier readings said; read from the store only where it is not what is told now.

    Args:
        digests: Of what is kept of each fact.
        told: What is told now.
        load: Gives a content by its digest.
    """

    def __init__(
        self, digests: Mapping[str, bytes], told: Facts, load: Callable[[bytes], bytes]
    ) -> None:
        self._digests, self._told, self._load = digests, told, load

    def __getitem__(self, fact: str) -> str:
        digest = self._digests[fact]
        if fact in self._told:
            value, _ = self._told[fact]
            if digest_of(canonical_settings({fact: value})) == digest:
                return str(value)
        return str(json.loads(self._load(digest))[fact])

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


def told_facts(
    contents: Contents, manifest: Manifest | None, install_path: str | None, said_build: str | None
) -> Facts:
    """
    Give what the files say of the server itself.

    Args:
        contents: What the files hold.
        manifest: bundle.json, where there is one.
        install_path: Where Exchange is installed, as far as the paths tell.
        said_build: --build, which counts where nothing else tells.
    """
    facts: Facts = dict(contents.facts)
    if manifest is not None:
        for fact, told in _of_manifest(manifest).items():
            if told is not None:
                facts.setdefault(fact, (told, None))
    if install_path is not None:
        facts["InstallPath"] = (install_path, None)
    if said_build is not None:
        facts["SaidBuild"] = (said_build, None)
    return facts


def add_facts(contents: Contents, told: Facts, known: Mapping[str, str]) -> str | None:
    """
    Put what the files say of the server itself among its resources.

    Args:
        contents: What the files hold; changed.
        told: What they say of the server.
        known: What earlier readings said.

    Returns:
        The build, or None where nothing tells.
    """
    facts = dict(told)
    build = _build(facts, known)
    if build is not None:
        facts["Build"] = (build, None)
    for fact, (value, fingerprint) in facts.items():
        reading = ReadingId(SERVER, fact)
        contents.readings[reading.key] = Reading(reading, fingerprint=fingerprint)
        contents.unchanged.discard(reading.key)
        contents.records[reading.key] = [
            Record(ResourceId(SERVER, ONE_PER_SERVER, fact), canonical_settings({fact: value}))
        ]
    return build


def _of_manifest(manifest: Manifest) -> dict[str, Value]:
    exchange, windows = manifest.exchange, manifest.windows
    return {
        "ExSetupBuild": _plain(exchange.exsetup),
        "BundleBuild": _plain(exchange.build),
        "WindowsBuild": windows.build,
        "WindowsInstallDate": windows.install_date,
        "MachineSid": windows.machine_sid,
        "TimeZone": manifest.time_zone,
        "WindowsFeatures": None if windows.features is None else [*windows.features],
        "UrlRewriteVersion": windows.url_rewrite,
        "IisSchemaFiles": None if windows.iis_schema is None else [*windows.iis_schema],
        "PowerShellVersion": windows.powershell,
    }


def _build(facts: Mapping[str, tuple[Value, bytes | None]], known: Mapping[str, str]) -> str | None:
    """
    Give the build by the best source; one that is not told now still says what it said.

    But for where another source tells a new build now: then the old word counts no more.
    """
    told = {fact: str(facts[fact][0]) for fact in BUILD_SOURCES if fact in facts}
    is_new = any(fact in known and known[fact] != build for fact, build in told.items())
    for fact in BUILD_SOURCES:
        if fact in told:
            return told[fact]
        if fact in known and not is_new:
            return known[fact]
    return None


def _plain(build: str | None) -> str | None:
    """Spell ExSetup.exe's 15.02.1118.007 as everybody does, 15.2.1118.7."""
    if build is None or re.fullmatch(r"\d+(\.\d+)+", build) is None:
        return build
    return ".".join(str(int(part)) for part in build.split("."))
