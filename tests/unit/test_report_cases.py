"""Reports of recorded lines, as files that a person has read: expected.txt, .md, .html, ..."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO, StringIO
from pathlib import Path

import pytest
import sheets

from changelog_tracker.report import compose, csv_rows, html, markdown, text, xlsx
from changelog_tracker.report.document import About

CASES = sorted((Path(__file__).parents[1] / "cases" / "report").iterdir())
HERE = timezone(timedelta(hours=1))
MADE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_text_of_recorded_lines(case, request):
    """The change log in text is what a person found readable."""
    lines, told = _read(case)
    out = StringIO()
    text.log(lines, told["unread"], out, zone=HERE, colour=False, width=None, **told["options"])
    _compare(case / "expected.txt", out.getvalue(), request)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_markdown_of_recorded_lines(case, request):
    """The change log in Markdown is what an auditor can paste."""
    out = StringIO()
    markdown.write(_document(case), out)
    _compare(case / "expected.md", out.getvalue(), request)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_html_of_recorded_lines(case, request):
    """The change log in HTML, but for its style sheet, which is the same for all."""
    out = StringIO()
    html.write(_document(case), out)
    shown, styles = re.subn(
        "<style>.*</style>", "<style>...</style>", out.getvalue(), flags=re.DOTALL
    )
    assert styles == 1
    _compare(case / "expected.html", shown, request)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_csv_of_recorded_lines(case, request):
    """The change log in CSV, with its byte order mark and line ends."""
    out = StringIO()
    csv_rows.write(_document(case), out)
    got = out.getvalue()
    assert got.startswith("\ufeff# Report,Change log\r\n")
    assert got.count("\n") == got.count("\r\n")
    _compare(case / "expected.csv", got.removeprefix("\ufeff").replace("\r\n", "\n"), request)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_xlsx_of_recorded_lines(case, request):
    """The change log as a workbook: every cell of every sheet."""
    out = BytesIO()
    xlsx.write(_document(case), out)
    _compare(case / "expected.xlsx.txt", sheets.told(out.getvalue()), request)


def _compare(file, got, request):
    if request.config.getoption("--update-golden"):
        file.write_text(got, encoding="utf-8")
    assert got == file.read_text(encoding="utf-8")


def _document(case):
    lines, told = _read(case)
    commands = told["options"].get("commands", False)
    coverage, unread = told.get("coverage", ()), told["unread"]
    return compose.log(lines, About(told["head"], HERE, MADE, coverage, unread, commands))


def _read(case):
    told = json.loads((case / "case.json").read_text(encoding="utf-8"))
    text_of_lines = (case / "lines.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text_of_lines.split("\n") if line], told
