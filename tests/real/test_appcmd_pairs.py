"""
From a fragment of configuration this program writes what Microsoft documents for it.

`../shared/data/iis-appcmd-samples` holds fragments (`*.xml`) and the commands that write them
(`*.cmd`). Which pairs have the same effect and which not, and why, stands in appcmd_pairs.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from appcmd_effects import (
    Effect,
    NoLineError,
    documented,
    of_operation,
    plain,
    rendered,
    same,
)

from changelog_tracker.diff.compare import compare, whole
from changelog_tracker.diff.flatten import flatten
from changelog_tracker.errors import TrackerError
from changelog_tracker.model import Change, Tree
from changelog_tracker.normalise.iis import iis_tree
from changelog_tracker.normalise.secrets import Fingerprints, redact
from changelog_tracker.parse.iis_config import application_host_records, web_config_records
from changelog_tracker.parse.xml import node_of, read_xml
from changelog_tracker.replay import elements
from changelog_tracker.replay.commands import Context, redo
from changelog_tracker.replay.powershell import UnwritableError
from changelog_tracker.replay.where import where

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "iis-appcmd-samples"
TABLE = Path(__file__).with_name("appcmd_pairs.md")
FINGERPRINTS = Fingerprints(b"k" * 32)
WEB_CONFIG = "C:/site/web.config"


DIFFER = "the documents differ: the fragment does not hold all that the command writes"


class Pair(NamedTuple):
    """A fragment and one file of commands; what each way to write it makes of it."""

    name: str
    line: str
    step: str


class BrokenError(Exception):
    """A fragment or a command that cannot be read."""


def pairs() -> list[Pair]:
    found = []
    for command in sorted(SAMPLES.rglob("*.cmd")):
        name = command.relative_to(SAMPLES).as_posix().replace("/samples/", "/")
        try:
            theirs = effects_of(command)
            fragment = fragment_of(command, theirs)
            found.append(Pair(f"{name} of {fragment.name}", *verdicts(fragment, theirs)))
        except BrokenError as error:
            found.append(Pair(name, f"broken: {error}", f"broken: {error}"))
    return found


def effects_of(command: Path) -> list[Effect]:
    theirs: list[Effect] = []
    for line in command.read_text("utf-8-sig").splitlines():
        if line.strip() and not line.upper().startswith("REM"):
            try:
                theirs += documented(line)
            except NoLineError as error:
                raise BrokenError(f"the command: {error}") from error
    return theirs


def fragment_of(command: Path, theirs: list[Effect]) -> Path:
    """Give the fragment before a command that holds most of what it writes; the last of them."""
    before = sorted(each for each in command.parent.glob("*.xml") if each.stem < command.stem)
    return max(before, key=lambda each: (-len(not_held(each, theirs)), each.stem))


def not_held(fragment: Path, theirs: list[Effect]) -> list[Effect]:
    """Give what no element of a fragment has, read without this program's parsers."""
    try:
        root = ET.fromstring(fragment.read_text("utf-8-sig"))
    except ET.ParseError as error:
        raise BrokenError("the fragment is not well-formed") from error
    held = [
        (element.tag, {(name, plain(value)) for name, value in element.attrib.items()})
        for element in root.iter()
    ]
    return [
        effect
        for effect in theirs
        if effect.op == "remove"
        or not any(effect.is_about(tag, pairs) and effect.pairs <= pairs for tag, pairs in held)
    ]


def verdicts(fragment: Path, theirs: list[Effect]) -> tuple[str, str]:
    """Say for the line of appcmd and for the steps of a plan: `same`, or why not."""
    place = next((effect.place for effect in theirs if effect.place), "")
    in_file = any(effect.commit == "web.config" for effect in theirs)
    keys = (effect.path[0] for effect in theirs if isinstance(effect.path[0], frozenset))
    site = next((str(dict(key).get("name")) for key in keys), "")
    changes = list(changes_of(fragment, place, site, in_file=in_file))
    absent = not_held(fragment, theirs)
    found = []
    for write in (by_line, lambda change: by_steps(change, place)):
        ours = [(change, write(change)) for change in changes]
        whys = {why_missing(wanted, ours) for wanted in theirs if wanted not in absent}
        found.append("; ".join(sorted((whys | ({DIFFER} if absent else set())) - {""})) or "same")
    return found[0], found[1]


def why_missing(wanted: Effect, ours: list[tuple[Change, list[Effect] | str]]) -> str:
    """Say why what a fragment holds is not written as documented; empty where it is."""
    written = [one for _, effects in ours if not isinstance(effects, str) for one in effects]
    if any(same(one, wanted) for one in written):
        return ""
    for name in ("commit", "place", "op"):
        as_theirs = [one._replace(**{name: getattr(wanted, name)}) for one in written]
        if any(same(one, wanted) for one in as_theirs):
            return f"another {name}"
    held = [value for _, value in wanted.pairs]
    told = {
        why
        for change, why in ours
        if isinstance(why, str) and all(value in str(change).casefold() for value in held)
    }
    every = {why for _, why in ours if isinstance(why, str)}
    return "; ".join(sorted(told or every)) or "another form"


def by_line(change: Change) -> list[Effect] | str:
    command = redo(change, Context("EX01"))
    return command.why_not or "" if command.text is None else rendered(command.text)


def by_steps(change: Change, place: str) -> list[Effect] | str:
    try:
        at = where(change, "C:\\", frozenset({"contoso/shoppingcart", "default web site/myapp"}))
        return [
            effect for one in elements.operations(change, at) for effect in of_operation(one, place)
        ]
    except UnwritableError as error:
        return error.what


def changes_of(fragment: Path, place: str, site: str, *, in_file: bool) -> Iterator[Change]:
    """Give each attribute, element and resource of a fragment as a change that brought it."""
    for kind, name, tree in trees_of(fragment, place, site, in_file=in_file):
        differences = [*whole(None, tree), *compare(Tree(), tree)]
        for setting, _, before, after in (
            (d.setting, d.action, d.before, d.after) for d in differences
        ):
            yield Change(kind, name, setting, "added", before, after)
        for setting, value in flatten(tree):
            yield Change(kind, name, setting, "added", None, value)


def trees_of(
    fragment: Path, place: str, site: str, *, in_file: bool
) -> Iterator[tuple[str, str, Tree]]:
    try:
        root = read_xml(
            redact(as_whole(fragment, place, site, in_file=in_file), FINGERPRINTS), fragment.name
        )
        records = (
            web_config_records(root, WEB_CONFIG) if in_file else application_host_records(root)
        )
        for record in records:
            resource = record.resource
            yield (
                resource.kind,
                resource.name,
                iis_tree(resource.kind, resource.name, node_of(record.content)),
            )
    except TrackerError as error:
        raise BrokenError("the fragment is not well-formed") from error


def as_whole(fragment: Path, place: str, site: str, *, in_file: bool) -> bytes:
    """Put a fragment where its folder says that it belongs, and at the place of the command."""
    text = fragment.read_text("utf-8-sig").strip()
    root = re.match(r"(?:<\?.*?\?>\s*)?<([\w.]+)", text)
    if root is None:
        raise BrokenError("the fragment is no XML")
    if root[1] == "configuration":
        return text.encode()
    above: list[str] = []
    if root[1] != "location":
        folders = fragment.parent.parent.relative_to(SAMPLES).parts
        above = list(folders[: folders.index(root[1])]) if root[1] in folders else []
        if place and not in_file:
            above = [f'location path="{place}"', *above]
        # A fragment of a site does not say of which; the command does.
        above = [f'site name="{site}"' if name == "site" else name for name in above]
    for name in reversed(above):
        text = f"<{name}>{text}</{name.partition(' ')[0]}>"
    return f"<configuration>{text}</configuration>".encode()


def table() -> str:
    found = pairs()
    broken = [pair for pair in found if pair.line.startswith("broken")]
    differ = [pair for pair in found if DIFFER in pair.line]
    counted = [pair for pair in found if pair not in broken and pair not in differ]
    lines = sum(pair.line == "same" for pair in counted)
    steps = sum(pair.step == "same" for pair in counted)
    rows = [
        f"| {pair.name} | {pair.line} | {pair.step} |"
        for pair in counted
        if {pair.line, pair.step} != {"same"}
    ]
    other = [pair for pair in differ if {pair.line, pair.step} != {DIFFER}]
    return HEAD.format(
        found=len(found), broken=len(broken), differ=len(differ), counted=len(counted),
        lines=lines, steps=steps,
        rows="\n".join(rows),
        others="\n".join(
            f"- {pair.name}" + ("" if pair not in other else f": {rest(pair)}") for pair in differ
        ),
        ill="\n".join(f"- {pair.name}: {pair.line.partition(': ')[2]}" for pair in broken),
    )  # fmt: skip


def rest(pair: Pair) -> str:
    """What else is wrong in a pair whose documents differ."""
    parts = {
        way: "; ".join(part for part in said.split("; ") if part not in {DIFFER, "same"})
        for way, said in (("line", pair.line), ("steps", pair.step))
    }
    return ". ".join(f"As {way}: {said}" for way, said in parts.items() if said)


HEAD = """\
# Documented commands, and what this program writes from the same fragment

Made by `pytest --update-golden`. A line is the redo of the log, one line of appcmd; steps are those
of a replay. The same is: the same place, section, path, value and file to commit to.

- {found} pairs: {broken} broken, {differ} whose fragment does not hold all that the command writes
- {lines} of the other {counted} the same as a line
- {steps} of the other {counted} the same as steps

| pair | line | steps |
| --- | --- | --- |
{rows}

## The fragment does not hold all that the command writes

{others}

## Broken

{ill}
"""


@pytest.mark.real
def test_a_documented_pair_is_written_alike_or_listed(request):
    """Each pair that differs is listed with the reason, and nothing else is."""
    if not SAMPLES.exists():
        pytest.skip("../shared/data/iis-appcmd-samples is absent: no documented pairs")
    if request.config.getoption("--update-golden"):
        TABLE.write_text(table(), encoding="utf-8")
    assert TABLE.read_text("utf-8") == table()
