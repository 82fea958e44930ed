"""Reports of recorded lines, as files that a person has read: expected.txt and expected.md."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from io import StringIO
from pathlib import Path

import pytest

from changelog_tracker.report import markdown, text

CASES = sorted((Path(__file__).parents[1] / "cases" / "report").iterdir())
HERE = timezone(timedelta(hours=1))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_text_of_recorded_lines(case):
    """The change log in text is what a person found readable."""
    lines, told = _read(case)
    out = StringIO()
    text.log(lines, told["unread"], out, zone=HERE, colour=False, width=None, **told["options"])
    assert out.getvalue() == (case / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_markdown_of_recorded_lines(case):
    """The change log in Markdown is what an auditor can paste."""
    lines, told = _read(case)
    out = StringIO()
    markdown.log(lines, out, zone=HERE, head=told["head"], unread=told["unread"])
    assert out.getvalue() == (case / "expected.md").read_text(encoding="utf-8")


def _read(case):
    told = json.loads((case / "case.json").read_text(encoding="utf-8"))
    text_of_lines = (case / "lines.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text_of_lines.split("\n") if line], told
