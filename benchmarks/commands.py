"""What `--help` costs, against a bare typer program."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Result, at_most, in_turns

_BARE = """\
import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def one(name: str = "x") -> None:
    "Do one thing."


@app.command()
def two(name: str = "x") -> None:
    "Do another."


app()
"""


def measure() -> list[Result]:
    """Give the ratio of whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(_BARE)
        times = in_turns(
            lambda: _run("-m", "changelog_tracker", "--help"), lambda: _run(str(bare), "--help"), 15
        )
    return [at_most("help_vs_typer", 1.5, times, "--help to that of a bare typer program")]


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
