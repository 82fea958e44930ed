"""Reports that are handed on: every form of every command, where they go, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys

import pytest
import sheets
from bundles import IIS, OWA, Program, iis, vdir
from program import MADE

SETTING = "OwaVirtualDirectory[owa (Default Web Site)].ExternalUrl"
FIRST, SECOND, THIRD = (f"2026-11-2{day}T09:00:00Z" for day in (0, 1, 2))
LABELS = [
    "Query", "Since", "Until", "Servers", "Coverage of EX01", "Gaps of EX01", "Made", "Time zone",
    "Program", "Catalogue", "Journal head",
]  # fmt: skip
COMMANDS = {
    "log": ("log", "EX01"),
    "show": ("show", "EX01", "Owa*"),
    "drift": ("drift", "EX01", "--against", "previous"),
    "diff": ("diff", "EX01", "previous", "latest"),
    "coverage": ("log", "EX01", "--coverage"),
}


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", MADE)
    made = Program(tmp_path)
    made.take(FIRST, {OWA: vdir("Owa"), IIS: iis()})
    made.take(SECOND, {OWA: vdir("Owa", ExternalUrl="=cmd|' /C calc'!A0"), IIS: iis()})
    made.take(THIRD, {OWA: vdir("Owa", ExternalUrl="<script>x</script>"), IIS: iis("None")})
    return made


def written(program, tmp_path, command, form):
    file = tmp_path / f"report.{form}"
    answer = program.run(*COMMANDS[command], "-o", file)
    assert (answer.code in (0, 3), answer.out) == (True, ""), answer.err
    return file


@pytest.mark.parametrize("command", COMMANDS)
def test_each_form_tells_the_same_head_and_ends_with_coverage(command, program, tmp_path):
    """Markdown, HTML, CSV and XLSX have the same labels, in this order, and the coverage last."""
    workbook = sheets.sheets(written(program, tmp_path, command, "xlsx").read_bytes())
    about = dict(workbook["About"])
    assert list(workbook)[-3:] == ["Coverage", "Gaps", "About"]
    assert [label for label in about if label in LABELS] == LABELS
    rows = list(
        csv.reader(io.StringIO(written(program, tmp_path, command, "csv").read_text("utf-8-sig")))
    )
    assert dict(rows[: len(about)]) == {f"# {label}": said for label, said in about.items()}
    assert [row[0] for row in rows if row and row[0].startswith("# ")][-2:] == [
        "# Coverage",
        "# Gaps",
    ]
    markdown = written(program, tmp_path, command, "md").read_text()
    assert [line for line in markdown.splitlines() if line.startswith("## ")][-2:] == [
        "## Coverage",
        "## Gaps",
    ]
    page = written(program, tmp_path, command, "html").read_text()
    for label in LABELS:
        assert f"\n| {label} | " in markdown
        assert f'<th scope="row">{label}</th>' in page
    assert page.rindex("<caption>") == page.index("<caption>Gaps")


def test_json_lines_are_the_same_in_a_file(program, tmp_path):
    """The form that FILE's ending tells is the one that --json prints."""
    said = program.run("log", "EX01", "--json").out
    assert written(program, tmp_path, "log", "json").read_text() == said
    assert written(program, tmp_path, "log", "jsonl").read_text() == said


def test_what_is_said_counts_more_than_how_the_file_ends(program, tmp_path):
    """--format wins over the ending; an ending that means nothing is text."""
    program.run("log", "EX01", "--format", "md", "-o", tmp_path / "log.html")
    assert (tmp_path / "log.html").read_text().startswith("# Change log\n")
    program.run("log", "EX01", "-o", tmp_path / "log.out")
    assert (tmp_path / "log.out").read_text() == program.run("log", "EX01").out


def test_the_same_store_makes_the_same_files(program, tmp_path):
    """Made at the same moment, reports are equal byte by byte."""
    for form in ("md", "html", "csv", "xlsx"):
        first = written(program, tmp_path, "log", form)
        whole = first.read_bytes()
        assert program.run("log", "EX01", "-o", first, "--force").code == 0
        assert first.read_bytes() == whole


def test_values_of_a_workbook_are_text_and_its_times_are_times(program, tmp_path):
    """What looks like a formula is text; a moment is a date in UTC and one of the reader."""
    rows = sheets.sheets(written(program, tmp_path, "log", "xlsx").read_bytes())["Changes"]
    first = dict(zip(rows[0], rows[1], strict=False))
    assert (first["Seen (UTC)"], first["After"]) == ("2026-11-21 09:00:00", "=cmd|' /C calc'!A0")
    assert str(first["Seen (local)"]).startswith("2026-11-2")
    assert first["State"] == "undocumented"
    assert b"<f>" not in b"".join(
        p.encode() for p in sheets.parts((tmp_path / "report.xlsx").read_bytes()).values()
    )


def test_an_existing_file_is_not_written_over(program, tmp_path):
    """Somebody's file stays as it is, unless --force says that it may go."""
    file = tmp_path / "mine.md"
    file.write_text("mine")
    for command in COMMANDS.values():
        answer = program.run(*command, "-o", file)
        assert (answer.code, answer.out, file.read_text()) == (2, "", "mine")
        assert answer.err == (
            f"error: {file}: exists already; nothing was written\nhint: --force writes over it\n"
        )
    assert program.run("log", "-o", file, "--force").code == 0
    assert file.read_text().startswith("# Change log\n")
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("log", "--since", "2026-11-22", "--until", "2026-11-20"),
            (
                "error: --since: 2026-11-22 lies after --until 2026-11-20; "
                "expected the earlier time first\n"
            ),
        ),
        (
            ("log", "EX99", "--format", "html"),
            (
                "error: EX99: is no server of this store\n"
                "hint: list what it knows with: changelog-tracker snapshots\n"
            ),
        ),
        (
            ("log", "EX99", "--coverage"),
            (
                "error: EX99: is no server of this store\n"
                "hint: list what it knows with: changelog-tracker snapshots\n"
            ),
        ),
        (
            ("show", "EX01", "OwaVirtualDirectori*"),
            (
                "error: OwaVirtualDirectori*: matches nothing that is known of EX01\n"
                "hint: list it all with: changelog-tracker show EX01\n"
            ),
        ),
        (
            ("show", "EX01", "Nothing", "--ignored"),
            (
                "error: Nothing: matches nothing that is known of EX01\n"
                "hint: list it all with: changelog-tracker show EX01\n"
            ),
        ),
        (
            ("log", "--json", "--format", "csv"),
            "error: --json: contradicts --format csv; expected one of them\n",
        ),
        (
            ("log", "--coverage", "--undocumented"),
            (
                "error: --coverage: shows no changes; expected besides only SERVER, --since, "
                "--until and where it goes\n"
            ),
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_line(arguments, error, program):
    """A wrong question ends with 2 and says what is wrong with it."""
    answer = program.run(*arguments)
    assert (answer.code, answer.out, answer.err) == (2, "", error)


def test_a_pattern_of_what_is_only_unread_or_only_known_is_no_error(program):
    """A kind that nobody exported is known, and so is what no rule leaves anything out of."""
    unread = program.run("show", "EX01", "PopSettings")
    assert (unread.code, "never read" in unread.out) == (0, True)
    ignored = program.run("show", "EX01", SETTING, "--ignored")
    assert (ignored.code, ignored.out) == (0, "no settings\n")


def test_coverage_in_text_and_json(program):
    """What was watched stands in place of the changes; in text, kinds alike are one row."""
    lines = program.run("log", "EX01", "--coverage", "--json").lines
    kinds = [line["kind"] for line in lines]
    assert ("OwaVirtualDirectory" in kinds, "IisSection" in kinds) == (True, True)
    text = program.run("log", "EX01", "--coverage").out
    heads = [line.split()[:2] for line in text.splitlines() if line.startswith("SERVER")]
    assert heads == [["SERVER", "FROM"], ["SERVER", "FROM"]]
    assert text.count("OwaVirtualDirectory") < 4
    never = sum(line["gaps"][0]["reason"] == "no export of it was given" for line in lines)
    assert text.endswith(f"\n{len(kinds)} kinds of 1 server, {never} with gaps\n")


def run_on(store, stdout, *arguments, **environment):
    line = [sys.executable, "-m", "changelog_tracker", "--store", store, *arguments]
    return subprocess.run(
        line, stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, **environment}, check=False
    )


def test_a_workbook_goes_to_a_pipe_and_not_to_a_terminal(program):
    """Bytes on a terminal help nobody; a pipe gets the very file."""
    master, slave = pty.openpty()
    refused = run_on(program.store, slave, "log", "--format", "xlsx")
    os.close(slave)
    os.close(master)
    assert (refused.returncode, refused.stderr.decode()) == (
        2,
        (
            "error: --format: xlsx is bytes, which a terminal cannot show\n"
            "hint: write it to a file: -o FILE.xlsx\n"
        ),
    )
    piped = run_on(program.store, subprocess.PIPE, "log", "--format", "xlsx")
    assert list(sheets.sheets(piped.stdout)) == ["Changes", "Not read", "Coverage", "Gaps", "About"]


def test_csv_on_standard_output_has_its_own_line_ends(program):
    """A pipe gets the bytes of the file: byte order mark, and lines that end as RFC 4180 says."""
    piped = run_on(program.store, subprocess.PIPE, "log", "--format", "csv").stdout
    assert piped.startswith(b"\xef\xbb\xbf# Report,Change log\r\n# Total,")
    assert piped.count(b"\n") == piped.count(b"\r\n")


def test_local_times_have_the_offset_of_their_own_season(program):
    """A moment in summer is told in summer time, though the report is made in winter."""
    program.take("2026-07-01T09:00:00Z", {OWA: vdir("Owa"), IIS: iis("Ssl128")})
    told = run_on(program.store, subprocess.PIPE, "snapshots", TZ="Europe/Berlin").stdout.decode()
    assert "2026-07-01 11:00 +02:00" in told
    assert "2026-11-20 10:00 +01:00" in told


def test_a_time_of_making_that_is_none_is_refused(program, monkeypatch):
    """SOURCE_DATE_EPOCH is seconds since 1970."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    answer = program.run("log", "--format", "html")
    assert (answer.code, answer.err) == (
        2,
        "error: SOURCE_DATE_EPOCH: 'today' is no time; expected seconds since 1970\n",
    )


def test_nothing_is_left_of_a_report_that_failed(program, tmp_path):
    """A report that cannot be made whole leaves neither the file nor a part of it."""
    answer = program.run("show", "EX01", "--at", "2020-01-01", "-o", tmp_path / "show.txt")
    assert (answer.code, answer.err.startswith("error: EX01: has no snapshot")) == (2, True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "show"))] == []


def test_the_query_is_told_in_words(program):
    """An auditor reads what was asked, as it was said and as it was understood."""
    answer = program.run(
        "log", "ex01", "--since", "2026-11-20T10:00+01:00", "--undocumented",
        "--class", "customisation", "--all", "--format", "html",
    )  # fmt: skip
    assert (
        "<td>changes of ex01; only: undocumented, class customisation; also: superseded</td>"
        in answer.out
    )
    assert "(2026-11-20 09:00:00Z), asked as 2026-11-20T10:00+01:00</td>" in answer.out
    assert (
        json.loads(program.run("log", "--json").out.splitlines()[0])["kind"]
        == "OwaVirtualDirectory"
    )
