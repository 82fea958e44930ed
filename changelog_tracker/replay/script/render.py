"""
A plan's steps and head as PowerShell data; what runs them is the fixed text in `scripts/`.

Everything that was captured is a single-quoted literal (`powershell.literal`). Names of cmdlets
and parameters come from the catalogue.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.replay.plan import Cmdlet, Element
from changelog_tracker.replay.powershell import literal, new_cmdlet, parameter, quoted
from changelog_tracker.replay.script.data import plan_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from changelog_tracker.catalogue import Noun
    from changelog_tracker.model import Value
    from changelog_tracker.replay.plan import Goal, Hop, Plan, PlanStep

REWRITE = "system.webServer/rewrite/"
# Where one domain controller answers for the whole run, and where nothing is asked.
_ON = "-DomainController $script:Dc -ErrorAction Stop"
_DO = "-DomainController $script:Dc -WhatIf:$script:WhatIfOn -Confirm:$false -ErrorAction Stop"
_LAST = "exit (Invoke-Replay)"


def script(plan: Plan, mode: str, program: str) -> bytes:
    """
    Write the script of a plan, or the one that undoes it.

    Args:
        plan: The plan.
        mode: `replay` or `undo`.
        program: Name and version of this program.

    Returns:
        ASCII, every line ended by CR LF.
    """
    lines = [
        *_parts("head"),
        *_head(plan, mode, program),
        "",
        *_parts("engine"),
        "$Steps = @()",
        *(step_text(step) for step in plan.steps),
        "",
        _LAST,
    ]
    return ("\r\n".join("\n".join(lines).split("\n")) + "\r\n").encode("ascii")


def plan_id(plan: Plan) -> str:
    """Give what tells a plan from every other: a hash of all that it does."""
    text = json.dumps(plan_data(plan), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def step_text(step: PlanStep) -> str:
    """Write one step."""
    pairs: list[tuple[str, str]] = [
        ("Id", quoted(step.id)),
        ("Group", quoted(step.group)),
        ("Op", quoted(step.op)),
        ("Owner", quoted(step.owner)),
        ("Title", _text(step.title)),
        ("ResourceKind", _text(step.kind)),
        ("Resource", _text(step.resource)),
        ("Setting", _text(step.setting)),
        ("Needs", _array(step.needs)),
        ("Recycles", _array(step.recycles)),
        ("ByItself", _truth(step.by_itself)),
        ("Weaker", _text(step.weaker or "")),
        ("Log", _array(step.log)),
        ("Undo", _text(step.undo)),
        ("Goals", _goals(step.goals)),
    ]
    if isinstance(step.target, Cmdlet):
        pairs += _of_cmdlet(step, step.target)
    else:
        pairs += _of_element(step.target)
    inside = ";\n  ".join(f"{name}={value}" for name, value in pairs)
    return f"$Steps += @{{ {inside} }}"


def _parts(folder: str) -> Iterable[str]:
    scripts = importlib.resources.files("changelog_tracker.replay") / "scripts"
    files = sorted(scripts.iterdir(), key=lambda file: file.name)
    for file in files:
        is_head = file.name.startswith("00-")
        if file.name.endswith(".ps1") and is_head == (folder == "head"):
            yield file.read_text(encoding="ascii").rstrip("\n")


def _head(plan: Plan, mode: str, program: str) -> list[str]:
    version = catalogue.versions()[plan.version]
    unread = [_unread(one) for one in plan.unread]
    elements = [step.target for step in plan.steps if isinstance(step.target, Element)]
    pairs: list[tuple[str, str]] = [
        ("Mode", quoted(mode)),
        ("Id", quoted(plan_id(plan))),
        ("Server", _text(plan.server)),
        ("Target", _text(plan.target)),
        ("Version", quoted(plan.version)),
        ("Major", str(version.first[0])),
        ("Minor", str(version.first[1])),
        ("Build", _text(plan.build)),
        ("InstallPath", _text(plan.install_path)),
        ("RegistryKey", quoted(_registry(plan.version))),
        ("Wanted", _text(plan.wanted)),
        ("WantedAt", quoted(plan.wanted_at.strftime("%Y-%m-%dT%H:%M:%SZ"))),
        ("Found", _text(plan.found)),
        ("Assumed", _truth(plan.assumed)),
        ("Unread", _array(unread)),
        ("Modes", _array([f"{kind}: {mode_}" for kind, mode_ in plan.modes])),
        ("NeedsRewrite", _truth(any(one.section.startswith(REWRITE) for one in elements))),
        ("NeedsShell", _truth(any(step.owner == "shell" for step in plan.steps))),
        ("ByHand", str(len(plan.by_hand))),
        ("Program", _text(program)),
    ]
    return ["$Plan = @{", *(f"  {name}={value};" for name, value in pairs), "}"]


def _unread(line: dict[str, Value]) -> str:
    since = f"not read since {line['since']}" if line["since"] else "never read"
    what = " ".join(str(line[key]) for key in ("kind", "resource") if key in line)
    return f"{what}: {since} ({line['unread']}; {line['side']} state)"


def _registry(version: str) -> str:
    generation = "v14" if version == "2010" else "v15"
    return rf"HKLM:\SOFTWARE\Microsoft\ExchangeServer\{generation}"


def _of_cmdlet(step: PlanStep, target: Cmdlet) -> list[tuple[str, str]]:
    noun = catalogue.nouns()[target.noun]
    which = f"{parameter(target.identity_parameter)} {_text(target.identity)}"
    found = [("Get", f"{{ {noun.read} {which} {_ON} }}")]
    values = " ".join(_argument(goal) for goal in step.goals)
    if step.op == "set":
        return [
            ("Cmdlet", quoted(noun.write)),
            *found,
            ("Do", f"{{ param($v) {noun.write} {which} {values} {_DO} }}"),
        ]
    new, remove = new_cmdlet("New", noun.name), new_cmdlet("Remove", noun.name)
    taken_away = f"{{ {remove} {which} {_DO} }}"
    if step.op == "drop":
        return [("Cmdlet", quoted(remove)), *found, ("Do", taken_away)]
    made = f"{{ param($v) {new} {_server(noun, target)}{values} {_DO} }}"
    return [("Cmdlet", quoted(new)), *found, ("Do", made), ("UndoDo", taken_away)]


def _server(noun: Noun, target: Cmdlet) -> str:
    """Say on which server an object is made, where New- asks for it in every version."""
    if noun.name not in {"EcpVirtualDirectory", "MapiVirtualDirectory", "OabVirtualDirectory"}:
        return ""
    return f"-Server {_text(target.identity.partition(chr(92))[0])} "


def _argument(goal: Goal) -> str:
    return f"{parameter(goal.name)} $v.{goal.name}"


def _of_element(target: Element) -> list[tuple[str, str]]:
    return [
        ("File", _text(target.file or "")),
        ("Location", _text(target.location)),
        ("Section", _text(target.section)),
        ("Hops", "@(" + ", ".join(_hop(hop) for hop in target.hops) + ")"),
    ]


def _hop(hop: Hop) -> str:
    keys = ", ".join(f"@{{N={_text(name)}; V={_text(value)}}}" for name, value in hop.keys)
    return f"@{{Tag={_text(hop.tag)}; Keys=@({keys})}}"


def _goals(goals: Iterable[Goal]) -> str:
    found = [
        f"@{{Name={_text(goal.name)}; Kind={quoted(goal.kind)};"
        f" Wanted={_value(goal.wanted)}; Expected={_value(goal.expected)}}}"
        for goal in goals
    ]
    return "@(" + ", ".join(found) + ")"


def _value(value: Value) -> str:
    """Write a value; a list stays one even with a single member or none."""
    if isinstance(value, list):
        return "@(" + (literal(value) if value else "") + ")"
    return literal(value)


def _text(text: str | None) -> str:
    return literal(text)


def _array(texts: Iterable[str]) -> str:
    return "@(" + ", ".join(literal(text) for text in texts) + ")"


def _truth(value: bool) -> str:
    return "$true" if value else "$false"
