"""
What a generated script says that its shell does not understand, or that nobody allowed.

The engine of the tests is PowerShell 7 and takes more than the shell of an Exchange server does,
so the syntax tree is looked over: `syntax.ps1` does it, in one process for all scripts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CMDLETS = HERE / "cmdlets.json"
PWSH = shutil.which("pwsh")


def findings(scripts: list[Path], version: str, shell: str) -> list[str]:
    """
    Look over scripts, in order.

    Args:
        scripts: Files of Windows PowerShell.
        version: Of Exchange, "2010" to "SE": whose cmdlets and parameters are known.
        shell: Of Windows PowerShell, "2.0" to "5.1".

    Returns:
        `NAME:LINE: WHAT`, empty where nothing is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder)
        (job / "scripts").write_text("".join(f"{path.absolute()}\n" for path in scripts))
        (job / "cmdlets").write_text(listed(exchange(version)))
        (job / "commands").write_text(listed(allowed()))
        run = [PWSH, "-NoProfile", "-NonInteractive", "-File", HERE / "syntax.ps1", job, shell]
        ended = subprocess.run(run, capture_output=True, check=False, timeout=300, text=True)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout.splitlines()


def listed(known: dict[str, list[str]]) -> str:
    return "".join(f"{name}={','.join(names)}\n" for name, names in known.items())


def exchange(version: str) -> dict[str, list[str]]:
    """The cmdlets of a version of Exchange with the names of their parameters."""
    held = json.loads(CMDLETS.read_text())["cmdlets"]
    return {
        name: [
            each
            for each, facts in cmdlet["parameters"].items()
            if version in facts.get("versions", cmdlet["versions"])
        ]
        for name, cmdlet in held.items()
        if version in cmdlet["versions"]
    }


def allowed() -> dict[str, list[str]]:
    """The other commands that a script may call, with their parameters in PowerShell 2.0."""
    known: dict[str, list[str]] = {}
    for line in (HERE / "allowed_commands.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, parameters, _why = (part.strip() for part in line.split("|"))
            known[name] = parameters.split()
    return known
