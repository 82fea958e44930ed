"""What stands for powershell.exe on the lab's server: runs a script file in the lab."""

from __future__ import annotations

import sys
from pathlib import Path

import lab


def run(folder: str) -> None:
    """Run `-File SCRIPT ARGUMENTS...` in the lab that lies in a folder, and end as it ends."""
    words = sys.argv[1:]
    at = words.index("-File")
    there = lab.Lab(Path(folder))
    answer = there.run(Path(words[at + 1]), *words[at + 2 :])
    sys.stdout.write(answer.out)
    sys.stderr.write(answer.err)
    sys.stdout.flush()
    raise SystemExit(answer.code)
