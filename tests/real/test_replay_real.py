"""Plans from one real Exchange 2019 server at two moments: what their scripts call."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from changelog_tracker.cli import run

ROOT = Path(__file__).parents[2]
SHARED = ROOT / ".." / "shared"
REAL = SHARED / "data" / "exchange"
CMDLETS = SHARED / "reference" / "exchange_cmdlets.json"
FIRST, SECOND = "2022-06-01T10:00:00Z", "2022-09-01T10:00:00Z"
CALLED = """
using namespace System.Management.Automation.Language
$errors = $null
$tree = [Parser]::ParseFile($args[0], [ref]$null, [ref]$errors)
foreach ($one in $errors) { 'error ' + $one.Message }
foreach ($call in $tree.FindAll({ $args[0] -is [CommandAst] }, $true)) {
    $names = @($call.CommandElements | Where-Object { $_ -is [CommandParameterAst] })
    $given = @($names | ForEach-Object { $_.ParameterName }) -join ' '
    'call ' + $call.GetCommandName() + ' ' + $given
}
"""
pytestmark = [
    pytest.mark.real,
    pytest.mark.pwsh,
    pytest.mark.skipif(not REAL.exists(), reason="../shared/data/exchange is absent"),
    pytest.mark.skipif(shutil.which("pwsh") is None, reason="no pwsh on PATH to parse with"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = tmp_path_factory.mktemp("store") / "changelog.db"
    for name, at in (("e19-first", FIRST), ("e19-second", SECOND)):
        assert run(["--store", str(store), "import", str(REAL / name), "--at", at]) == 0
    return store


@pytest.mark.parametrize(("wanted", "found"), [(SECOND, FIRST), (FIRST, SECOND)])
def test_every_cmdlet_and_parameter_is_documented_for_2019(tmp_path, store, wanted, found):
    """From the first moment to the second, and back: the script parses, and invents nothing."""
    out = tmp_path / "out"
    arguments = ["replay", "SOLO-E19A", "--from", found, "--to", wanted, "-o", str(out)]
    assert run(["--store", str(store), *arguments]) == 0
    documented = json.loads(CMDLETS.read_text())["cmdlets"]
    plan = json.loads((out / "plan.json").read_text())
    seen = set()
    for call in called(out / "replay.ps1", tmp_path):
        # A command that is an expression, such as a step's script block, has no name.
        name, *parameters = call.split() or [""]
        if re.fullmatch(r"(Get|Set|New|Remove|Enable)-\w+", name) and name in documented:
            cmdlet = documented[name]
            known = {p["name"] for p in cmdlet["parameters"] if "2019" in p["versions"]}
            assert "2019" in cmdlet["versions"], name
            assert set(parameters) <= known | {"ErrorAction"}, call
            seen.add(name)
    nouns = {step["target"]["noun"] for step in plan["steps"] if step["owner"] == "shell"}
    assert {f"Set-{noun}" for noun in nouns} <= seen
    assert len(plan["steps"]) >= 15


def called(script, folder):
    """Give each call of a script: the command's name and its parameters' names."""
    reader = folder / "called.ps1"
    reader.write_text(CALLED)
    ended = subprocess.run(
        ["pwsh", "-NoProfile", "-NonInteractive", "-File", reader, script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.startswith("error ")] == []
    return [line.removeprefix("call ") for line in lines]
