"""
The page docs/replay-coverage.md: how each setting of the catalogue is put back, or why it is not.

It is made by planning one change of each, so that it says what a plan does and not what it should.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.catalogue.sections import sections
from changelog_tracker.model import Change
from changelog_tracker.replay import coverage_samples as samples
from changelog_tracker.replay.planner import plan_steps
from changelog_tracker.replay.scene import Drifted, Scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.model import Action, Value
    from changelog_tracker.replay.plan import ByHand, PlanStep

SITE = "Default Web Site"
# A place that no cmdlet knows, so that IIS alone is asked.
PLACE = f"{SITE}/x"

_HEAD = """\
# What a replay puts back

Made by `replay.coverage_page.markdown()`, which plans one change of each setting that the
[catalogue](catalogue.md) knows; a test compares the two. Groups are those of `-Group`. What is done
by hand stands in `manual.md` beside the script, with how. Besides: a value that breaks its kind is
never put back, and one that protects less than what is found needs `-AllowWeaker`, whatever its row
says here.
"""
_EXCHANGE = """
## Parameters of Exchange

A plan writes a parameter only where the version has it (`changelog-tracker catalogue` says which).
Below Exchange Back End each is done by hand: {setup}.
"""
_READ_ONLY = """
Read and shown, and never written by a script: {nouns}.
"""
_OBJECTS = """
## Resources of IIS and files
"""
_SECTIONS = """
## Sections of IIS and ASP.NET

One attribute or element by its key, in applicationHost.config through WebAdministration (appcmd
where that is missing), in a web.config by an edit of the file (group `files`), wherever it stood.
"""
_OWNED = """
## Attributes of IIS that a cmdlet owns

At these places below the Default Web Site IIS is not written. Where one parameter shows just this
fact, its cmdlet is called with it; else what differs in IIS alone is looked at by hand after the
cmdlet wrote its own values.
"""
_WINDOWS = """
## What Windows keeps

A script writes none of it.
"""
_UNCONFIRMED = re.compile("no command is confirmed for .*")


def markdown() -> str:
    """Write the page."""
    parts = [
        _HEAD,
        _EXCHANGE.format(setup=_setup()),
        _table(("noun", "how", "parameters"), _exchange()),
        _READ_ONLY.format(nouns=", ".join(_read_only())),
        _OBJECTS,
        _table(
            ("kind", "for example", "a setting", "the whole comes", "the whole goes"), _objects()
        ),
        _SECTIONS,
        _table(("sections", "put back", "by hand"), _sections()),
        _OWNED,
        _table(("place", "how", "attributes"), _owned()),
        _WINDOWS,
        _table(("kind", "for example", "how"), _windows()),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _plan(
    change: Change, version: str = "2019", wanted: dict[str, Value] | None = None
) -> tuple[tuple[PlanStep, ...], tuple[ByHand, ...]]:
    scene = Scene("EX01", version, "C:\\", lambda _kind, _name: wanted or {}, lambda *_: {})
    return plan_steps([Drifted(change)], scene)


def _how(steps: Sequence[PlanStep], left: Sequence[ByHand]) -> str:
    if not steps:
        return "by hand: " + "; ".join(dict.fromkeys(one.why for one in left))
    groups = dict.fromkeys(f"`{step.group}`" for step in steps)
    return f"group {', '.join(groups)}"


# --- Exchange ---


def _resource(noun: Noun, site: str = SITE) -> str:
    return {"vdir": f"{noun.application} ({site})", "server": "(server)"}.get(noun.scope, "X")


def _setup() -> str:
    noun = catalogue.nouns()["OwaVirtualDirectory"]
    change = Change(
        noun.name, _resource(noun, "Exchange Back End"), "ExternalUrl", "changed", None, "https://x"
    )
    return _plan(change)[1][0].why


def _exchange() -> Iterator[tuple[str, str, str]]:
    for _, noun in sorted(catalogue.nouns().items()):
        answers: dict[str, list[str]] = {}
        for name in sorted({*_writable(noun), *noun.secrets, *noun.switches, *noun.new_only}):
            answers.setdefault(_of_parameter(noun, name), []).append(name)
        # What is put back comes first, `Set-` before `New-`.
        for how in sorted(answers, key=lambda how: ("`Set", "`New", "by h").index(how[:4])):
            yield noun.name, how, f"{len(answers[how])}: {', '.join(answers[how])}"


def _writable(noun: Noun) -> list[str]:
    return [name for name, field in noun.fields.items() if field.writable]


def _of_parameter(noun: Noun, name: str) -> str:
    field = noun.fields.get(name)
    version = (field.versions if field else noun.versions)[-1]
    kind = "secret" if name in noun.secrets else field.kind if field else "text"
    before, after = samples.of_kind(kind)
    steps, left = _plan(Change(noun.name, _resource(noun), name, "changed", before, after), version)
    if not steps and name in noun.new_only and name in _of_new(noun, version):
        return f"`New-{noun.name}` where it is made anew, group `create`"
    if not steps:
        return _how(steps, left)
    return f"`{noun.write}`, {_how(steps, left)}"


def _of_new(noun: Noun, version: str) -> list[str]:
    wanted: dict[str, Value] = {"Path": "C:\\x"}
    steps, _ = _plan(
        Change(noun.name, _resource(noun), None, "added", None, {**wanted}), version, wanted
    )
    return [goal.name for step in steps if step.op == "new" for goal in step.goals]


def _read_only() -> list[str]:
    return sorted(name for name, noun in catalogue.nouns().items() if not noun.is_written)


# --- IIS ---


def _objects() -> Iterator[tuple[str, ...]]:
    for kind, resource, setting, held in samples.OBJECTS:
        before, after = samples.of_kind("text")
        yield (
            kind,
            f"`{resource}`",
            _how(*_plan(Change(kind, resource, setting, "changed", before, after))),
            _how(*_plan(Change(kind, resource, None, "added", None, {**held}))),
            _how(*_plan(Change(kind, resource, None, "removed", {**held}, None))),
        )


def _sections() -> Iterator[tuple[str, str, str]]:
    """Give sections with the same answer in one row, those with an answer of their own last."""
    rows: dict[tuple[str, str], list[str]] = {}
    for name in sections():
        rows.setdefault(_of_section(name), []).append(f"`{name}`")
    for (put_back, by_hand), names in sorted(rows.items(), key=lambda row: -len(row[1])):
        yield ", ".join(names), put_back, by_hand


def _of_section(section: str) -> tuple[str, str]:
    left: dict[str, list[str]] = {}
    all_of = samples.of_section(section)
    for one in all_of:
        steps, by_hand = _change(f"{PLACE} : {section}", one)
        if not steps:
            why = _UNCONFIRMED.sub("no command is confirmed for it", by_hand[0].why)
            left.setdefault(why, []).append(f"`{one.shown}`")
    if sum(map(len, left.values())) == len(all_of):
        return "", "; ".join(left)
    told = "all others" if left else "all"
    return told, "; ".join(f"{', '.join(names)}: {why}" for why, names in left.items())


def _change(
    resource: str, one: samples.Sample, version: str = "2019"
) -> tuple[tuple[PlanStep, ...], tuple[ByHand, ...]]:
    action: Action = "added" if one.before is None else "changed"
    return _plan(
        Change("IisSection", resource, one.setting, action, one.before, one.after), version
    )


def _owned() -> Iterator[tuple[str, str, str]]:
    for _, noun in sorted(catalogue.nouns().items()):
        answers: dict[str, list[str]] = {}
        for section in sections() if noun.scope == "vdir" else ():
            for how, names in _owned_of(noun, section).items():
                answers.setdefault(how, []).append(f"`{section}`: {', '.join(names)}")
        for how, attributes in answers.items():
            yield noun.application or "", how, "; ".join(attributes)


def _owned_of(noun: Noun, section: str) -> dict[str, list[str]]:
    answers: dict[str, list[str]] = {}
    # What lies below an element goes with it.
    all_of = [one for one in samples.of_section(section) if "]." not in one.shown]
    for one in all_of:
        resource = f"{SITE}/{noun.application} : {section}"
        steps, left = _change(resource, one, noun.versions[-1])
        if steps and steps[0].owner == "shell":
            how = f"called: `{noun.write} -{steps[0].goals[0].name}`"
        elif left and left[0].reason == "owned":
            how = f"looked at by hand: `{left[0].why.partition(' owns ')[0]}` owns it"
        else:
            continue
        answers.setdefault(how, []).append(f"`{one.shown}`")
    if len(answers) == 1 and sum(map(len, answers.values())) == len(all_of) > 1:
        return {how: ["all"] for how in answers}
    return answers


def _windows() -> Iterator[tuple[str, str, str]]:
    before, after = samples.of_kind("text")
    for kind in catalogue.windows_kinds().values():
        setting = next(iter(kind.fields))
        how = _how(*_plan(Change(kind.name, kind.example, setting, "changed", before, after)))
        yield kind.name, f"`{kind.example}`", how


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_row(line) for line in (head, ["---"] * len(head), *rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
