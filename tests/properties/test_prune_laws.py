"""
Laws of pruning: whenever raw files go, and whatever comes in after it, the history is the same.

The snapshots are those of the laws of late snapshots.
"""

from __future__ import annotations

import hashlib
import random
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "journeys"))
from bundles import Program, unpacked
from test_late_laws import snapshot, states, told

READINGS = (
    "SELECT r.kind, r.folded, from_at, until_at, status, mode, reason FROM reading_state s"
    " JOIN reading r ON r.id = s.reading_id ORDER BY 1, 2, 3"
)
MOMENTS = [f"2026-11-{day:02}T12:00:00Z" for day in range(1, 7)]


def readings(program: Program) -> list[tuple]:
    """From when until when each reading was answered how; what follows and says the same is one."""
    merged: list[tuple] = []
    with closing(sqlite3.connect(program.store)) as connection:
        for row in connection.execute(READINGS):
            last = merged[-1] if merged else ((),) * 4
            if (*last[:2], *last[3:]) == (*row[:2], row[2], *row[4:]):
                merged[-1] = (*last[:3], *row[3:])
            else:
                merged.append(row)
    return merged


def shown(program: Program) -> list[str]:
    """What is shown of every moment, without line numbers."""
    answers = [program.run("show", "EX01", "--json", "--at", moment) for moment in MOMENTS]
    return [re.sub(r'("origin":"[^"]*?):\d+"', r'\1"', one.out) + one.err for one in answers]


def contents_are_whole(program: Program) -> bool:
    with closing(sqlite3.connect(program.store)) as connection:
        found = connection.execute("SELECT id, hash, base_id, data FROM content").fetchall()
        bases = {number: unpacked(data) for number, _, base, data in found if base is None}
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    return not dangling and all(
        hashlib.sha256(unpacked(data, bases[base] if base else b"")).digest() == digest
        for _, digest, base, data in found
    )


def same_with_and_without(folder, seed: int) -> int:
    """Import in any order, in one store with pruning in between; give how often it pruned."""
    chance = random.Random(seed)
    imports = [snapshot(folder / f"s{n}", n, chance) for n in range(6)]
    chance.shuffle(imports)
    usual, pruned = Program(folder / "usual"), Program(folder / "pruned")
    done = 0
    for number, arguments in enumerate(imports):
        assert usual.run("import", *arguments).code in {0, 4}
        if number == 0:
            (pruned.folder / "changelog.key").write_bytes(
                (usual.folder / "changelog.key").read_bytes()
            )
            (pruned.folder / "changelog.key").chmod(0o600)
        assert pruned.run("import", *arguments).code in {0, 4}
        if chance.random() < 0.7:
            said = pruned.run("prune", "--older-than", chance.choice(MOMENTS), "--yes")
            assert (said.code, said.err) == (0, "")
            done += said.out.startswith("pruned")
    assert told(pruned) == told(usual)
    assert states(pruned.store) == states(usual.store)
    assert readings(pruned) == readings(usual)
    assert shown(pruned) == shown(usual)
    assert contents_are_whole(pruned)
    return done


@pytest.mark.parametrize("seed", range(12))
def test_pruning_changes_no_history(tmp_path, seed):
    """Log, states and readings are those of a store that was never pruned."""
    same_with_and_without(tmp_path, seed)


@pytest.mark.long
def test_pruning_changes_no_history_many_times(tmp_path):
    """The same, two hundred times; more than half of them do prune."""
    assert sum(same_with_and_without(tmp_path / str(s), s) > 0 for s in range(1000, 1200)) > 100
