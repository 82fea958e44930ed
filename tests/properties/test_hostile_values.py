"""No string leaves its quotes: what is written is what PowerShell's own parser reads back."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hostile_renderers import ANY, FIVE, hostile_strings, rendered
from hostile_steps import MARK, STEPS

from changelog_tracker import catalogue
from changelog_tracker.model import Change
from changelog_tracker.replay import powershell
from changelog_tracker.replay.commands import redo, undo

if TYPE_CHECKING:
    from collections.abc import Iterator

READER = Path(__file__).parents[1] / "pwsh_constants.ps1"
# How many strings of the law are tried at once, and at most in one process of PowerShell.
SAMPLE = 5_000
SLICE = 50_000
STEP_SAMPLE = 200


@pytest.fixture(scope="module")
def read_back(tmp_path_factory):
    """PowerShell's own parser: the elements of each command, None where it is not one command."""
    pwsh = shutil.which("pwsh")
    if pwsh is None:
        pytest.skip("no pwsh on PATH to read the commands back with")
    folder = tmp_path_factory.mktemp("pwsh")

    names = map(str, itertools.count())

    def read(commands: list[str]) -> list[list[str] | None]:
        source = folder / next(names)
        target = source.with_suffix(".constants")
        source.write_bytes(b"".join(map(netstring, commands)))
        run = [pwsh, "-NoProfile", "-NonInteractive", "-File", READER, source, target]
        ended = subprocess.run(run, capture_output=True, check=False, timeout=300)
        assert (ended.returncode, ended.stderr) == (0, b"")
        return list(elements(code_units(target.read_bytes())))

    return read


def netstring(text: str) -> bytes:
    units = text.encode("utf-16-le", "surrogatepass")
    return f"{len(units) // 2}:".encode("utf-16-le") + units


def code_units(utf16: bytes) -> str:
    """A string of UTF-16 code units, so that an astral character has the length it has there."""
    return "".join(map(chr, memoryview(utf16).cast("H")))


def as_units(text: str) -> str:
    return text if text.isascii() else code_units(text.encode("utf-16-le", "surrogatepass"))


def elements(units: str) -> Iterator[list[str] | None]:
    at = 0

    def number() -> int:
        nonlocal at
        colon = units.index(":", at)
        value, at = int(units[at:colon]), colon + 1
        return value

    while at < len(units):
        count = number()
        found: list[str] = []
        for _ in range(count):
            length = number()
            found.append(units[at : at + length])
            at += length
        yield None if count < 0 else found


def misread(read_back, commands: list[str], expected: list[list[str]]) -> list[tuple[str, object]]:
    got = read_back(commands)
    wanted = [list(map(as_units, each)) for each in expected]
    assert len(got) == len(wanted)
    return [
        (command, read)
        for command, read, want in zip(commands, got, wanted, strict=True)
        if read != want
    ]


@pytest.mark.pwsh
@pytest.mark.parametrize("count", [SAMPLE, pytest.param(200_000, marks=pytest.mark.long)])
def test_no_hostile_string_is_misread(count, read_back):
    """Through every renderer, PowerShell reads exactly the string that was captured."""

    slices = -(-count // SLICE)

    def wrong(seed: int) -> list[tuple[str, object]]:
        commands, expected, written = rendered(count // slices, seed)
        assert min(written.values()) > count // slices / 50
        return misread(read_back, commands, expected)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(wrong, range(1, slices + 1)))
    assert found == [[]] * slices


@pytest.mark.pwsh
@pytest.mark.parametrize("count", [STEP_SAMPLE, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", STEPS)
def test_no_step_of_a_script_is_misread(name, count, read_back):
    """A hostile text wherever a step or the head holds a captured one is nothing but that text."""
    write = STEPS[name]
    texts = list(hostile_strings(count, seed=2))
    harmless, *found = read_back([write(MARK), *map(write, texts)])
    assert sum(element.count(MARK) for element in harmless) >= 7
    expected = [[element.replace(MARK, as_units(text)) for element in harmless] for text in texts]
    wrong = [text for text, got, want in zip(texts, found, expected, strict=True) if got != want]
    assert wrong == []


@pytest.mark.pwsh
@pytest.mark.parametrize("quote", FIVE, ids=ascii)
def test_each_quote_character_of_the_table_is_needed(quote, read_back):
    """Without any one of the five, some strings leave their quotes."""
    table = powershell.QUOTES.replace(quote, "")
    assert len(table) == 4
    texts = list(hostile_strings(2_000, seed=1))
    commands = [f"x {powershell.quoted(text, table)}" for text in texts]
    found = misread(read_back, commands, [["bx", f"s{text}"] for text in texts])
    assert len(found) > 100


@pytest.mark.pwsh
def test_a_long_value_does_not_nest_deeply(read_back):
    """A value of 20,000 characters that are no ASCII is still read, and as one constant."""
    text = "\u2019\U0001f600" * 10_000
    command = f"x {powershell.literal(text)}"
    assert misread(read_back, [command], [["bx", f"s{text}"]]) == []
    depth = deepest = 0
    for char in command:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    assert deepest <= 4


SAMPLES: dict[str, tuple[object, object]] = {
    "bool": (True, False),
    "whole": (10, -1),
    "text": ("O\u2019Neill's", None),
    "enum": ("FullDomain", "UserName"),
    "uri": ("https://mail.contoso.com/owa", None),
    "set": (["Basic", "\u2018Fba\u2019"], []),
    "list": (["b", "a"], ["a"]),
    "size": (10_485_760, "Unlimited"),
    "duration": ("01:00:00", "30.00:00:00"),
    "object": ("a", None),
}


@pytest.mark.pwsh
def test_each_writable_field_has_a_redo_and_an_undo_of_one_command(read_back):
    """Every writable field of every noun gives one command of constants, both ways, or a reason."""
    commands, silent = [], []
    for change in writable_changes():
        for command in (redo(change, ANY), undo(change, ANY)):
            if command.text is None:
                silent.append((change.path, command.why_not))
            else:
                commands.append(command.text)
    assert len(commands) > 500
    assert [path for path, why in silent if not why] == []
    for text, read in zip(commands, read_back(commands), strict=True):
        assert read is not None, text
        assert re.fullmatch(r"bSet-[A-Za-z]+", read[0]), text
        assert {element[0] for element in read[1:]} <= set("psnvaz"), text
        variables = {element for element in read if element[0] == "v"}
        assert variables <= {"vtrue", "vfalse", "vnull"}, text


def writable_changes() -> Iterator[Change]:
    for noun in catalogue.nouns().values():
        for field in noun.fields.values():
            if field.writable and field.kind in SAMPLES:
                after, before = SAMPLES[field.kind]
                yield Change(
                    noun.name, "owa (Default Web Site)", field.name, "changed", before, after
                )


# A second reading of the text, without PowerShell: the test's own tokens and quotes.
TOKEN = re.compile(r"\[char\]0x([0-9a-f]{4})|([ ()+,;={}@])|([A-Za-z$&\"-][^ ()+,;={}@']*)")


def constants(command: str) -> list[str]:
    """The words and constants of a command; fails where a quote does not close."""
    found: list[str] = []
    joined = False
    at = 0
    while at < len(command):
        if command[at] in FIVE:
            part, at = string(command, at + 1)
        else:
            token = TOKEN.match(command, at)
            assert token, ascii(command[at:])
            at = token.end()
            if token[2]:
                joined = token[2] == "+" or (joined and token[2] in " (")
                continue
            part = chr(int(token[1], 16)) if token[1] else token[3]
        found = [*found[:-1], found[-1] + part] if joined else [*found, part]
        joined = False
    return found


def string(command: str, at: int) -> tuple[str, int]:
    part = ""
    while True:
        if command[at] not in FIVE:
            part += command[at]
            at += 1
        elif command[at + 1 : at + 2] in FIVE:
            part += command[at + 1]
            at += 2
        else:
            return part, at + 1


def test_every_command_is_one_balanced_line_of_ascii():
    """Without PowerShell: printable ASCII, and a reader with its own quotes finds the string."""
    commands, expected, _ = rendered(SAMPLE)
    for command, want in zip(commands, expected, strict=True):
        as_it_is = want[0] == "bx" and len(want) == 2
        assert as_it_is or re.fullmatch(r"[\x20-\x7e]+", command)
        strings = [as_units(element[1:]) for element in want if element[0] == "s"]
        assert [part for part in map(as_units, constants(command)) if part in strings] == strings
