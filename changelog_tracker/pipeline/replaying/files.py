"""The files of a plan: script, undo, manual, runbook and the plan as data."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker import __version__
from changelog_tracker.errors import TrackerError, UsageError
from changelog_tracker.pipeline.replay_facts import replay_facts
from changelog_tracker.replay.script.data import plan_data
from changelog_tracker.replay.script.render import plan_id, script
from changelog_tracker.report.replay.manual import manual
from changelog_tracker.report.replay.runbook import runbook_html, runbook_markdown

if TYPE_CHECKING:
    from changelog_tracker.pipeline.server_state import ServerState
    from changelog_tracker.replay.plan import Plan

PROGRAM = f"changelog_tracker {__version__}"


class Written(NamedTuple):
    """One file that was written, and its SHA-256 in hexadecimal digits."""

    path: Path
    sha256: str


def write_plan(plan: Plan, state: ServerState, folder: Path, *, force: bool) -> list[Written]:
    """
    Write all files of a plan; they are there all, or none is.

    Args:
        plan: The plan.
        state: The wanted state, which the runbook is filled from.
        folder: Where to; it is made where it is missing.
        force: Whether files that are there already may be lost.

    Raises:
        UsageError: A file is there already, or the folder is none.
        TrackerError: The folder cannot be written.
    """
    files = _contents(plan, state)
    if folder.exists() and not folder.is_dir():
        raise UsageError(str(folder), "is no folder; expected the name of one")
    there = next((name for name in files if (folder / name).exists()), None)
    if there is not None and not force:
        what = f"{there} exists already; nothing was written"
        raise UsageError(str(folder), what, "choose another folder, or --force writes over it")
    part = folder / f".changelog-{os.getpid()}.part"
    try:
        part.mkdir(parents=True)
        for name, data in files.items():
            (part / name).write_bytes(data)
        for name in files:
            (part / name).replace(folder / name)
    except OSError as error:
        raise TrackerError(str(folder), f"cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [Written(folder / name, _sha256(data)) for name, data in files.items()]


def _contents(plan: Plan, state: ServerState) -> dict[str, bytes]:
    replay = script(plan, "replay", PROGRAM)
    undo = script(plan, "undo", PROGRAM)
    facts = {
        **replay_facts(state),
        "script_sha256": _sha256(replay),
        "undo_sha256": _sha256(undo),
        "plan": plan_id(plan),
        "program": PROGRAM,
    }
    data = json.dumps({"id": plan_id(plan), **plan_data(plan)}, indent=1, ensure_ascii=True)
    return {
        "replay.ps1": replay,
        "undo.ps1": undo,
        "manual.md": _for_windows(manual(plan, facts)),
        "runbook.md": _for_windows(runbook_markdown(plan, facts)),
        "runbook.html": runbook_html(plan, facts).encode("utf-8"),
        "plan.json": (data + "\n").encode("ascii"),
    }


def _for_windows(text: str) -> bytes:
    """Encode a text for Notepad, which knew no other line end than CR LF until 2018."""
    return text.replace("\n", "\r\n").encode("utf-8")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
