"""The page about collecting tells what script, catalogue and commands really have."""

from __future__ import annotations

import re
from pathlib import Path

from changelog_tracker.catalogue.rights import rights
from changelog_tracker.collect.script import collector

PAGE = (Path(__file__).resolve().parents[2] / "docs/collect.md").read_text("utf-8")
# What `take` itself passes, and nobody types.
OF_THE_PROGRAM = {"Frame", "Mode", "Fetch"}


def test_each_right_is_told_in_the_row_of_its_cmdlet():
    """With its role, and marked where the source does not name the cmdlet."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    for cmdlet, right in rights().items():
        if cmdlet == "Search-AdminAuditLog":
            (row,) = (one for one in rows if "records of the admin audit log" in one)
        else:
            (row,) = (one for one in rows if f"`{cmdlet.removeprefix('Get-')}`" in one)
        assert f"*{right.role}*" in row or "the same role" in row, cmdlet
        assert ("*unconfirmed*" in row) == (not right.confirmed), cmdlet


def test_each_parameter_of_the_script_is_told():
    head = collector().split("param(")[1].split("\r\n)")[0]
    named = set(re.findall(r"\[(?:string|switch)\]\$(\w+)", head)) - OF_THE_PROGRAM
    assert {name for name in named if f"`-{name}" not in PAGE} == set()
    assert len(named) > 6
