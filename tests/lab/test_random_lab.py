"""Random customisations go through the real engine: no drift after, nothing to set again."""

from __future__ import annotations

import random
import shutil

import pytest
from lab import Lab
from random_customisation import customisation
from recovery import AFTER, CUSTOMISED, INSTALLED, LOST, Program, Recovery, states

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH to run scripts in"),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A server as Setup leaves it, and its first snapshot."""
    folder = tmp_path_factory.mktemp("installed") / "server"
    folder.mkdir()
    one = Recovery(folder, Lab(folder), Program(folder / "program"))
    one.take(INSTALLED)
    return one


def put_back(installed, folder, seed):
    """Customise, lose, replay, verify, and replay again."""
    server = installed.copy(folder)
    server.lab.powershell(customisation(server.lab, random.Random(seed)))
    server.take(CUSTOMISED)
    assert server.program.run("baseline", "set", "EX01").code == 0
    server.lab.recover()
    server.lab.clear_log()
    server.take(LOST)
    plan = server.plan()
    assert {one["reason"] for one in plan["by_hand"]} <= {"certificate"}, seed
    asked = ("-Yes", "-IncludeUndocumented", "-AllowWeaker")
    done = server.replay(*asked)
    assert (done.code, done.err) == (0, ""), (seed, done.out)
    assert server.verify(AFTER) == (0, []), seed
    server.lab.clear_log()
    again = server.replay(*asked)
    assert (again.code, server.lab.writes()) == (0, []), (seed, again.out)
    assert set(states(again).values()) <= {"right"}, seed
    shutil.rmtree(folder)


def test_a_random_customisation_comes_back(installed, tmp_path):
    """One server, customised at random."""
    put_back(installed, tmp_path / "1", 1)


@pytest.mark.long
def test_fifty_random_customisations_come_back(installed, tmp_path):
    """Fifty of them."""
    for seed in range(100, 150):
        put_back(installed, tmp_path / str(seed), seed)
