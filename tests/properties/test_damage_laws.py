"""
Laws of damage: whatever touches a recorded value is found, and a sound store is sound.

A value counts as touched where it reads otherwise, unpacked, through SQLite alone. A bit of a page
that nothing lies in, or that only changes how a value is packed, touches none.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "journeys"))
from bundles import Program
from test_late_laws import snapshot
from whole_store import recorded, whole_store

COMMANDS = (["log", "--json"], ["show", "EX01", "--json"], ["snapshots", "--json"])
# What a line cannot tell any more where something else than its own value is damaged.
BESIDE = ("redo", "undo", "why_not", "since", "origin", "utc_offset_min", "skew_ms")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with rows in every table; three hundred quiet hours make two blocks."""
    program = whole_store(tmp_path_factory.mktemp("made") / "store")
    assert all(recorded(program.store).values())
    return program


@pytest.fixture
def program(made, tmp_path):
    shutil.copytree(made.folder, tmp_path / "store")
    return Program(tmp_path / "store")


def found_damage(program: Program) -> bool:
    """Whether `check --read-data` finds something; it then ends with 5 and names it."""
    answer = program.run("check", "--read-data", "--json")
    assert answer.code in {0, 5}
    if answer.code == 5:
        bad = [line for line in answer.lines if line["state"] == "bad"]
        assert bad or answer.err.startswith("error: ")
    return answer.code == 5


def in_one_line(program: Program) -> None:
    """Commands answer or refuse; none ends with a traceback."""
    for arguments in COMMANDS:
        answer = program.run(*arguments)
        assert answer.code in {0, 1, 2, 5}
        said = [line for line in answer.err.splitlines() if line.startswith("error: ")]
        assert len(said) == (answer.code != 0)


def flip_bits(program: Program, seed: int, count: int) -> None:
    chance = random.Random(seed)
    sound, values = program.store.read_bytes(), recorded(program.store)
    touched = 0
    for number in range(count):
        data = bytearray(sound)
        place, bit = chance.randrange(len(data)), chance.randrange(8)
        data[place] ^= 1 << bit
        program.store.write_bytes(data)
        if recorded(program.store) != values:
            touched += 1
            assert found_damage(program), f"byte {place}, bit {bit}"
        if number % 4 == 0:
            in_one_line(program)
    assert touched > count // 5


def test_a_flipped_bit_is_found(program):
    """Sixty bits anywhere in the file: each that touches a recorded value is found."""
    flip_bits(program, 1, 60)


@pytest.mark.long
def test_a_thousand_flipped_bits_are_found(program):
    """The same, a thousand times."""
    flip_bits(program, 2, 1000)


# --- rows that were edited, removed or swapped --------------------------------------------------


def other_value(value: Any, chance: random.Random) -> Any:
    """Give a value that could stand there just as well, or could not."""
    if value is None:
        return chance.choice([1, "x", b"x", 1_793_000_000_000_000])
    if isinstance(value, int):
        return chance.choice([value + 1, value - 1, value + 3_600_000_000, 0, None, 2**62])
    if isinstance(value, str):
        return chance.choice([f"{value}x", value.swapcase(), value[:-1], "other", None, ""])
    flipped = bytearray(value or b"x")
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return chance.choice([bytes(flipped), bytes(flipped), value[:-1], value + b"x", b"", None])


def edit(connection: sqlite3.Connection, table: str, chance: random.Random) -> str:
    """Edit, remove or swap rows of a table; say what was done."""
    info = connection.execute(f"PRAGMA table_info({table})").fetchall()
    columns = [column[1] for column in info]
    keys = [column[1] for column in info if column[5]] or columns
    rows = [
        dict(zip(columns, row, strict=True)) for row in connection.execute(f"SELECT * FROM {table}")
    ]
    row, other, column = chance.choice(rows), chance.choice(rows), chance.choice(columns)
    where = " AND ".join(f"{key} IS ?" for key in keys)
    key, other_key = ([one[name] for name in keys] for one in (row, other))
    match chance.choice(["edit", "edit", "remove", "swap"]):
        case "remove":
            connection.execute(f"DELETE FROM {table} WHERE {where}", key)
            return f"{table} {key} removed"
        case "swap" if column not in keys:
            swap = f"UPDATE {table} SET {column} = ? WHERE {where}"
            connection.execute(swap, [other[column], *key])
            connection.execute(swap, [row[column], *other_key])
            return f"{table}.{column} of {key} and {other_key} swapped"
    value = other_value(row[column], chance)
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [value, *key])
    return f"{table}.{column} of {key} is {value!r:.60}"


def edit_rows(program: Program, seed: int, count: int) -> None:
    chance = random.Random(seed)
    sound, values = program.store.read_bytes(), recorded(program.store)
    tables = sorted(values)
    while count:
        program.store.write_bytes(sound)
        with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
            try:
                what = edit(connection, tables[count % len(tables)], chance)
            except sqlite3.IntegrityError:
                # The database itself refuses it.
                continue
        if recorded(program.store) == values:
            continue
        assert found_damage(program), what
        in_one_line(program)
        count -= 1


def test_an_edited_row_is_found(program):
    """Twenty rows edited, removed or swapped, in every table: each is found."""
    edit_rows(program, 1, 20)


@pytest.mark.long
def test_hundreds_of_edited_rows_are_found(program):
    """The same, three hundred times."""
    edit_rows(program, 2, 300)


# --- what can still be read ---------------------------------------------------------------------


def kept(program: Program, arguments: list[str]) -> tuple[int, list[str]]:
    """The exit code of a command, and its lines without what they cannot tell any more."""
    answer = program.run(*arguments)
    lines = [{**line, **dict.fromkeys(BESIDE)} for line in answer.lines]
    return answer.code, [json.dumps(line, sort_keys=True) for line in lines]


PACKED = (
    ("content", "data"), ("journal", "body"), ("change", "body"), ("unchanged_block", "data"),
    ("unchanged", "body"),
)  # fmt: skip


def test_what_is_whole_is_read(program):
    """A value that cannot be unpacked costs its own lines; all others are as they were."""
    chance = random.Random(5)
    sound = program.store.read_bytes()
    wanted = {arguments[0]: kept(program, arguments)[1] for arguments in COMMANDS}
    for number in range(10):
        program.store.write_bytes(sound)
        table, column = PACKED[number % len(PACKED)]
        with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
            cells = connection.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
            ).fetchall()
            cell = chance.choice(sorted(cells))[0]
            # Cut in the middle, no JSON and no frame is whole.
            broken = cell[: len(cell) // 2] if cell[:1] != b"{" else b"{"
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [broken, cell]
            )
        lost = 0
        for arguments in COMMANDS:
            code, found = kept(program, arguments)
            assert [line for line in wanted[arguments[0]] if line in set(found)] == found
            assert code == 5 or found == wanted[arguments[0]]
            lost += len(wanted[arguments[0]]) - len(found)
        assert lost < sum(map(len, wanted.values()))
        assert found_damage(program)


# --- no false alarm -----------------------------------------------------------------------------


def sound_whatever_comes(folder: Path, seed: int) -> None:
    """Snapshots in any order, words, baselines and pruning between them: the store is sound."""
    chance = random.Random(seed)
    program = Program(folder / "store")
    imports = [snapshot(folder / f"s{n}", n, chance) for n in range(8)]
    chance.shuffle(imports)
    for arguments in imports:
        answer = program.run("import", *arguments)
        assert answer.code in {0, 4}, answer.err
        ids = [line["id"] for line in program.log("--unfold")]
        if ids and chance.random() < 0.3:
            some = chance.sample(ids, min(2, len(ids)))
            assert program.run("document", *some, "--reason", "as planned").code == 0
        if chance.random() < 0.2:
            assert program.run("baseline", "set", "EX01", "latest").code == 0
        if chance.random() < 0.2:
            assert program.run("prune", "--older-than", "1d", "--yes").code == 0
    answer = program.run("check", "--read-data")
    assert (answer.code, answer.err) == (0, ""), answer.out


@pytest.mark.parametrize("seed", range(6))
def test_an_untouched_store_is_sound(tmp_path, seed):
    """Nothing is found in a store that nobody touched, however it came to be."""
    sound_whatever_comes(tmp_path, seed)


@pytest.mark.long
def test_hundreds_of_untouched_stores_are_sound(tmp_path):
    """The same, three hundred times."""
    for seed in range(1000, 1300):
        sound_whatever_comes(tmp_path / str(seed), seed)
        shutil.rmtree(tmp_path / str(seed))
