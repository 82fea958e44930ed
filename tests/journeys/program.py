"""Runs the program as a user does: as a process, in UTC."""

from __future__ import annotations

import os
import subprocess
import sys

# The time at which reports are made: 2026-11-23T08:00:00Z.
MADE = "1795420800"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "changelog_tracker", *arguments],
        env={**os.environ, "TZ": "UTC", "SOURCE_DATE_EPOCH": MADE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
