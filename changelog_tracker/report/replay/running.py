"""Part 2 of the runbook: how to get the script to run, its steps, and what it leaves to hands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker.report import times, words
from changelog_tracker.report.replay.content import (
    Item,
    Paragraph,
    Row,
    Section,
    Table,
    code,
    plain,
    said,
)
from changelog_tracker.report.replay.machine import text_of
from changelog_tracker.report.replay.manual import by_reason, place_of
from changelog_tracker.report.replay.steps import steps_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value
    from changelog_tracker.report.replay.content import Block, Text
    from changelog_tracker.report.replay.planned import Plan

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_CODES = (
    ("0", "all right"),
    ("1", "a step failed, or was not permitted"),
    ("2", "wrong usage, or a guard refused; nothing was written"),
    ("3", "a step was stopped, blocked or declined"),
)


def running(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Section]:
    """Give part 2."""
    yield Section("Part 2: The replay")
    yield Section("2.1 Get the script to run", tuple(_allow(plan, facts)), 3)
    yield Section("2.2 Run it", tuple(_run(plan, facts)), 3)
    yield Section("2.3 The steps", tuple(_steps(plan)), 3)
    if plan.by_hand:
        yield Section("2.4 Not in the script", tuple(_by_hand(plan)), 3)
    if plan.unread or any(mode != "full" for _, mode in plan.modes):
        number = 5 if plan.by_hand else 4
        yield Section(f"2.{number} What nobody read", tuple(_unread(plan)), 3)


def _allow(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    yield Item(
        said(
            "Copy the folder to a local disk of `{target}`. Open an elevated 64-bit Windows"
            " PowerShell in it; best the Exchange Management Shell, as administrator.",
            target=plan.target,
        )
    )
    yield _hash("replay.ps1", text_of(facts, "script_sha256"))
    yield Item(
        said(
            "Unblock it. On Windows PowerShell 2.0: Properties of the file in Explorer,"
            " **Unblock**."
        ),
        commands=("Unblock-File .\\replay.ps1, .\\undo.ps1",),
        sources=("powershell",),
    )
    yield Item(
        plain("See which execution policy is in force, and who set it."),
        commands=("Get-ExecutionPolicy -List",),
        sources=("powershell",),
    )
    yield Item(
        said(
            "`MachinePolicy` and `UserPolicy` are `Undefined`? Allow scripts in this window alone;"
            " it ends with the window."
        ),
        commands=("Set-ExecutionPolicy -Scope Process -ExecutionPolicy RemoteSigned",),
        sources=("powershell",),
    )
    yield Item(
        said(
            "A group policy demands `AllSigned`? Sign both scripts with a certificate that the"
            " policy trusts. Compare the SHA-256 first: signing changes the file."
        ),
        commands=(
            "$signer = @(Get-ChildItem Cert:\\CurrentUser\\My -CodeSigningCert)[0]",
            "Set-AuthenticodeSignature -FilePath .\\replay.ps1, .\\undo.ps1 -Certificate $signer",
        ),
        sources=("powershell",),
    )
    yield Item(
        said(
            "A group policy says `Restricted`? No script runs. Ask whoever owns the policy for an"
            " exception, or set the steps of 2.3 by hand."
        ),
        sources=("powershell",),
    )


def _hash(file: str, sha256: str | None) -> Item:
    known = sha256 if sha256 is not None and _SHA256.fullmatch(sha256) else None
    return Item(
        said("Compare the SHA-256 of `{file}`. It differs? Do not run it.", file=file),
        commands=(f"certutil -hashfile {file} SHA256",),
        look_up=() if known else plain("its SHA-256. Compute it where the folder was made."),
        notes=(("must be", code(known.lower())),) if known else (),
    )


def _run(plan: Plan, facts: Mapping[str, Value]) -> Iterator[Block]:
    yield Item(
        plain("First without a write. Read the first screen and the table at the end."),
        commands=(".\\replay.ps1 -WhatIf",),
    )
    if plan.assumed:
        yield Item(
            said(
                "Nobody looked at the server after Setup: what is found is **assumed**, the"
                " factory defaults of the build. The script shows found and wanted and asks,"
                " resource by resource. Read before you say yes."
            )
        )
    yield Item(
        plain("Then for real. It reads, compares, sets, and reads back each step."),
        commands=(".\\replay.ps1",),
        notes=tuple(_switches(plan)),
    )
    yield Item(plain("Write down the exit code, and keep the journal: the file *.journal."))
    rows = tuple(Row((code(number), plain(means))) for number, means in _CODES)
    yield Table(("Exit code", "Means"), rows, widths=(15, 85))
    yield Item(plain("It was interrupted? Run it again: it goes on where it was."))
    yield Item(
        plain("The shell does not open? One of these."),
        notes=(
            ("another server's shell", said("`-ExchangeServer NAME`")),
            ("no Exchange shell, IIS and files alone", said("`-IisOnly`")),
            ("the snap-in, where nothing else is left", said("`-AllowSnapin`")),
        ),
    )
    yield _hash("undo.ps1", text_of(facts, "undo_sha256"))
    yield Item(
        plain("Only if it must all go back: undo what the journal says was set."),
        commands=(".\\undo.ps1 -Journal FILE",),
    )


def _switches(plan: Plan) -> Iterator[tuple[str, Text]]:
    weaker = [step for step in plan.steps if step.weaker is not None]
    removals = [step for step in plan.steps if step.op == "drop"]
    undocumented = [step for step in plan.steps if not step.documented]
    for switch, steps, what in (
        ("-AllowWeaker", weaker, "would lower protection"),
        ("-AllowRemove", removals, "removes an object"),
        ("-IncludeUndocumented", undocumented, "has no reason that anybody gave"),
    ):
        if steps:
            names = ", ".join(step.id for step in steps)
            yield f"only with {switch}", plain(f"what {what}: {names}")


def _steps(plan: Plan) -> Iterator[Block]:
    if not plan.steps:
        yield Paragraph(plain("None: nothing differs that a script can set."))
        return
    yield Paragraph(
        plain(
            f"{words.count(len(plan.steps), 'step')}, in the order in which they run. Without the"
            " script: set them by hand in this order, through the owner that is named, and tick"
            " them off."
        )
    )
    yield steps_table(plan)


def _by_hand(plan: Plan) -> Iterator[Block]:
    yield Paragraph(said("`manual.md` says how. Have it beside this page."))
    rows = []
    for reason, many in by_reason(plan):
        heading = f"{reason.title} ({len(many)})"
        for one in many:
            rows.append(Row((place_of(one), plain(one.why)), heading=heading))
            heading = ""
    yield Table(("What", "Why not"), tuple(rows), widths=(50, 50), boxes=True)


def _unread(plan: Plan) -> Iterator[Block]:
    yield Paragraph(
        plain("No step is made of what was not read. Compare these with another member by eye.")
    )
    rows = [
        Row(
            (
                code(str(one.get("kind"))),
                plain(str(one.get("side") or "")),
                plain(str(one.get("unread") or "not read")),
                plain(times.utc(str(one["since"])) if one.get("since") else "never read"),
            )
        )
        for one in plan.unread
    ]
    rows += [
        Row((code(kind), (), plain(f"read {mode}: what lives in IIS is unknown"), ()))
        for kind, mode in plan.modes
        if mode != "full"
    ]
    yield Table(("Kind", "Side", "Why", "Last read"), tuple(rows), widths=(30, 15, 35, 20))
