"""A step of every kind, and the head of a script, with one text wherever a captured one stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker.replay.plan import Cmdlet, Element, Goal, Hop, Plan, PlanStep
from changelog_tracker.replay.script import render

if TYPE_CHECKING:
    from collections.abc import Callable

# Stands for the text; no other part of a step holds it.
MARK = "mARKkRAm"
NOUN = "OwaVirtualDirectory"


def step(text: str, op: str, target: Cmdlet | Element, goals: tuple[Goal, ...]) -> PlanStep:
    return PlanStep(
        id="s001", group="exchange", op=op, owner="shell", kind=NOUN, resource=text,
        setting=text, target=target, goals=goals, needs=("s000", text), recycles=(text,),
        weaker=text, undo=text, log=(text,),
    )  # fmt: skip


def goals(text: str) -> tuple[Goal, ...]:
    return (
        Goal("DefaultDomain", "text", text, None),
        Goal("BlockedFileTypes", "set", [text, ".exe"], [text]),
        Goal("ExternalUrl", "uri", "a", text),
    )


def element(text: str, file: str | None) -> Element:
    hops = (Hop(text), Hop("add", (("name", text), (text, "b"))), Hop("*", (("key", text),)))
    return Element(file, text, text, hops)


def of_set(text: str) -> str:
    return render.step_text(step(text, "set", Cmdlet(NOUN, "Identity", text), goals(text)))


def of_new(text: str) -> str:
    new = (Goal("WebSiteName", "text", text, None),)
    return render.step_text(step(text, "new", Cmdlet(NOUN, "Identity", text), new))


def of_drop(text: str) -> str:
    return render.step_text(step(text, "drop", Cmdlet(NOUN, "Identity", text), ()))


def of_iis(text: str) -> str:
    values = (Goal(text, "text", text, text), Goal("b", "flags", None, text))
    return render.step_text(step(text, "attribute", element(text, None), values))


def of_file(text: str) -> str:
    return render.step_text(step(text, "add", element(text, text), ()))


def of_head(text: str) -> str:
    unread = {"side": "wanted", "kind": "X", "unread": text, "since": None}
    plan = Plan(
        server=text, target=text, version="2019", build=text, install_path=text, wanted=text,
        wanted_at=datetime(2026, 9, 10, tzinfo=UTC), found=text, assumed=False, unread=(unread,),
        modes=((text, text),),
    )  # fmt: skip
    lines = render._head(plan, "replay", text)
    # The plan's own hash changes with the text.
    return "\n".join(line for line in lines if not line.lstrip().startswith("Id="))


STEPS: dict[str, Callable[[str], str]] = {
    "set": of_set,
    "new": of_new,
    "drop": of_drop,
    "IIS": of_iis,
    "file": of_file,
    "head": of_head,
}
