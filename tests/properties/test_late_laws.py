"""
Laws of late snapshots: in whatever order a server's snapshots come in, the end is the same.

The snapshots are small and hold any part of what could be read: kinds that were left out, that
were not read, or that are not there; of a collector and of none.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "journeys"))
from bundles import (
    ABSENT,
    ECP,
    IIS,
    OTHER_WEB,
    OWA,
    WEB,
    Program,
    ad_only,
    bundle,
    content,
    iis,
    lines,
    vdir,
    web,
)
from bundles import write as write_files

TOLD = (
    "action", "kind", "resource", "setting", "before", "after", "class", "seen", "not_before",
    "folded", "also",
)  # fmt: skip
STATES = (
    "SELECT r.kind, r.folded, r.aspect, from_at, until_at, c.hash FROM version v JOIN resource r"
    " ON r.id = v.resource_id JOIN content c ON c.id = v.content_id ORDER BY 1, 2, 3, 4"
)
FILES = "windows/FileEntry.jsonl"
A, B = "C:\\inetpub\\wwwroot\\a.htm", "C:\\inetpub\\wwwroot\\below\\b.htm"
CHOICES = {
    FILES: [
        lines(**{A: content("1"), B: content("1")}),
        lines(**{A: content("2"), B: content("1")}),
        lines(**{A: "in use", B: content("2")}),
        lines(**{A: "denied", B: content("2")}),
        lines(**{A: content("2"), "C:\\inetpub\\wwwroot\\below\\": "denied"}),
        lines(**{A: content("1")}),
        "denied",
        ABSENT,
    ],
    OWA: [
        vdir("Owa", ExternalUrl="https://a.contoso.com/owa"),
        vdir("Owa", ExternalUrl="https://b.contoso.com/owa", BasicAuthentication=False),
        ad_only("Owa", ExternalUrl="https://a.contoso.com/owa"),
        "denied",
    ],
    ECP: [vdir("Ecp"), vdir("Ecp", Guid="00000000-0000-0000-0000-00000000ecec"), ABSENT],
    IIS: [iis(), iis("None"), iis(folder="15.2.922.7"), b"<configuration>", "denied"],
    WEB: [web(a="1"), web(a="2", b="1"), ABSENT],
    OTHER_WEB: [web(c="1"), web(c="2")],
}


def snapshot(folder: Path, number: int, chance: random.Random) -> list[str]:
    """Write some files of some moment; give the arguments that import them."""
    at = f"2026-11-{number + 1:02}T10:00:00Z"
    files = {path: chance.choice(many) for path, many in CHOICES.items() if chance.random() < 0.7}
    files = files or {WEB: web(a="1")}
    if chance.random() < 0.7:
        build = chance.choice(["15.2.922.7", "15.2.1118.7"])
        bundle(folder, at, files, build=build)
        return [str(folder)]
    loose = {path: data for path, data in files.items() if isinstance(data, bytes)}
    write_files(folder, loose or {WEB: web(a="2")})
    return [str(folder), "--server", "EX01", "--at", at]


def states(store: Path) -> list[tuple]:
    """The interval rows of every resource but the facts of the server, which are told by others."""
    with closing(sqlite3.connect(store)) as connection:
        return [row for row in connection.execute(STATES) if row[0] != "ExchangeServer"]


def told(program: Program) -> list[str]:
    lines = [line for line in program.log("--unfold") if line["kind"] != "ExchangeServer"]
    return sorted(json.dumps([line.get(key) for key in TOLD]) for line in lines)


def same_in_any_order(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    imports = [snapshot(folder / f"s{n}", n, chance) for n in range(6)]
    order = list(range(len(imports)))
    chance.shuffle(order)
    usual, mixed = Program(folder / "usual"), Program(folder / "mixed")
    for program, numbers in ((usual, sorted(order)), (mixed, order)):
        for number in numbers:
            answer = program.run("import", *imports[number])
            assert answer.code in {0, 4}, answer.err
    assert told(mixed) == told(usual)
    assert states(mixed.store) == states(usual.store)


@pytest.mark.parametrize("seed", range(25))
def test_the_order_of_any_snapshots_does_not_matter(tmp_path, seed):
    """Log and interval rows are those of the usual order, of whatever is no fact of the server."""
    same_in_any_order(tmp_path, seed)


@pytest.mark.long
def test_the_order_of_many_snapshots_does_not_matter(tmp_path):
    """The same, five hundred times."""
    for seed in range(1000, 1500):
        same_in_any_order(tmp_path / str(seed), seed)


def test_the_first_file_that_was_ever_read_may_come_in_last(tmp_path):
    """Then a file that is new at a later snapshot, of the same collector, did come there."""
    files = [{WEB: web(a="1")}, {ECP: vdir("Ecp")}, {OTHER_WEB: web(c="1")}, {WEB: web(a="2")}]
    found = []
    for order in ((0, 1, 2, 3), (1, 2, 3, 0)):
        program = Program(tmp_path / str(order[0]))
        for n in order:
            program.take(f"2026-11-{n + 1:02}T10:00:00Z", files[n])
        found.append(told(program))
    assert len(found[0]) == 2
    assert found[0] == found[1]
