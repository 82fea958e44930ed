"""
A cumulative or security update: one line, with what it brought along folded into it.

Only the builds of the update itself are erased before two values are held against each other; any
other number that looks like one stays what it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from changelog_tracker.model import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SERVER = "ExchangeServer"
ONE_PER_SERVER = "(server)"
BUILD = "Build"
# Where a build is read from, the best first: security updates move ExSetup.exe and the version
# folders, but not AdminDisplayVersion.
BUILD_SOURCES = (
    "ExSetupBuild", "BundleBuild", "FolderBuild", "AdminDisplayBuild", "SaidBuild",
    "AdminDisplayVersion",
)  # fmt: skip
BUILD_FACTS = frozenset({BUILD, *BUILD_SOURCES})
_BUILD_NUMBER = re.compile(r"\d+\.\d+\.\d+\.\d+")
# Gives a text without the builds of an update.
Eraser: TypeAlias = "Callable[[str], str]"
# What Setup brings: files elsewhere are a site's own.
FILE_ENTRY = "FileEntry"
_BELOW_EXCHANGE = "%exchangeinstallpath%/"
_ASSEMBLIES = re.compile(r"^(assemblyBinding|dependentAssembly|\[name=)")


def product_update(changes: Sequence[Change]) -> list[Change]:
    """Fold what a cumulative or security update brings along into the change of the build."""
    of_server = {
        change.setting: change
        for change in changes
        if (change.kind, change.resource, change.action) == (SERVER, ONE_PER_SERVER, "changed")
    }
    source = next((of_server[name] for name in BUILD_SOURCES if name in of_server), None)
    if source is None:
        # A better source told it for the first time, and nothing was updated.
        return [change for change in changes if change is not of_server.get(BUILD)]
    head = of_server.get(BUILD, source)
    without = _eraser(of_server.values())
    rest, folded = _pairs([change for change in changes if change is not head], without)
    stay: list[Change] = []
    for change in rest:
        (folded if _is_of_the_build(change, without) else stay).append(change)
    update = replace(
        head,
        setting=BUILD,
        category="product-update",
        folded=tuple(replace(change, category="product-update") for change in folded),
    )
    return [update, *stay]


def _is_of_the_build(change: Change, without: Eraser) -> bool:
    if change.kind == SERVER and change.setting in BUILD_FACTS:
        return True
    if change.kind == FILE_ENTRY and change.resource.casefold().startswith(_BELOW_EXCHANGE):
        return True
    if change.action == "changed":
        return without(repr(change.before)) == without(repr(change.after))
    section = change.resource.rpartition(" : ")[2]
    return (
        change.kind == "ConfigFile"
        and section in {"runtime", "assemblyBinding"}
        and (_ASSEMBLIES.match(change.setting or "") is not None)
    )


def _pairs(changes: Sequence[Change], without: Eraser) -> tuple[list[Change], list[Change]]:
    """
    Find what left under one version folder and came back under another.

    Returns:
        What stays, with the settings that differ between the two, and what folds.
    """
    removed = {_paired_key(c, without): c for c in changes if c.action == "removed"}
    stay: list[Change] = []
    folded: list[Change] = []
    for change in changes:
        key = _paired_key(change, without)
        if change.action != "added" or key not in removed or change.path == removed[key].path:
            continue
        old = removed.pop(key)
        folded += [old, change]
        stay += _real_differences(old, change, without)
    gone = {id(change) for change in folded}
    return [*(change for change in changes if id(change) not in gone), *stay], folded


def _paired_key(change: Change, without: Eraser) -> tuple[str, str]:
    return (change.kind, without(change.path).casefold())


def _real_differences(old: Change, new: Change, without: Eraser) -> list[Change]:
    if not isinstance(old.before, dict) or not isinstance(new.after, dict):
        return []
    changes = []
    for name in dict.fromkeys((*old.before, *new.after)):
        before, after = old.before.get(name), new.after.get(name)
        if without(repr(before)) != without(repr(after)):
            action = "changed" if name in old.before and name in new.after else new.action
            if name not in new.after:
                action = "removed"
            setting = name if new.setting is None else f"{new.setting}.{name}"
            changes.append(replace(new, setting=setting, action=action, before=before, after=after))
    return changes


def _eraser(changes: Iterable[Change]) -> Eraser:
    """Make the function that erases the builds of an update, and no other number, from a text."""
    builds = {
        number
        for change in changes
        if change.setting in BUILD_FACTS
        for number in _BUILD_NUMBER.findall(f"{change.before} {change.after}")
    }
    if not builds:
        return str
    any_of = "|".join(re.escape(build) for build in sorted(builds))
    pattern = re.compile(rf"(?<![\d.])(?:{any_of})(?![\d.])")
    return lambda text: pattern.sub("{build}", text)
