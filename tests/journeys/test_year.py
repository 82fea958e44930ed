"""
The year of three servers as a journey: 165 snapshots, and every export of them as a whole file.

What happened stands in `year/story.toml`; the expected files in `year/expected` are read by a
person whenever they change.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from itertools import chain
from pathlib import Path

import pytest
import sheets
import year_story
from bundles import Program, path_of
from test_browser import brightness, browser  # noqa: F401  a fixture
from year_bundles import write_bundle
from year_truth import expected

EXPECTED = Path(__file__).parent / "year" / "expected"
# The morning after the year: 2026-11-01T08:00:00Z, read in Munich.
MADE, ZONE = "1793520000", "CET-1CEST,M3.5.0,M10.5.0/3"
DOCUMENTS = ("txt", "json", "md", "html", "csv", "xlsx")
NIGHT = ("--since", "2026-08-13T22:00:00Z", "--until", "2026-08-14T08:00:00Z")
SETTINGS = ("show", "EX01", "*VirtualDirectory*", "--at", "2026-05-18T06:00:00Z")
SISTER = ("drift", "EX01", "--against", "server:EX02")
REBUILD = ("diff", "EX01", "2026-05-11T00:00:00Z", "2026-05-18T00:00:00Z")
# Expected file: exit code and command; its ending is the form.
ASKED = {
    **{f"log.{form}": (0, "log") for form in DOCUMENTS},
    **{f"log-EX02.{form}": (0, "log", "EX02") for form in DOCUMENTS},
    **{f"coverage.{form}": (0, "log", "--coverage") for form in DOCUMENTS},
    "log-all.txt": (0, "log", "EX01", "--all", "--until", "2026-04-30T22:00:00Z"),
    "unfolded.txt": (0, "log", "EX01", "--unfold", "--class", "recovery"),
    "undocumented.txt": (3, "log", "--undocumented"),
    "undocumented.md": (3, "log", "--undocumented"),
    "night.txt": (0, "log", "EX03", *NIGHT, "--commands"),
    "night.md": (0, "log", "EX03", *NIGHT, "--commands"),
    "coverage-night.txt": (0, "log", "EX03", "--coverage", *NIGHT),
    **{f"show.{form}": (0, *SETTINGS) for form in ("txt", "json", "md")},
    **{f"diff.{form}": (0, *REBUILD) for form in ("txt", "md")},
    **{f"drift-baseline.{form}": (3, "drift", "EX01") for form in ("txt", "html", "csv")},
    **{f"drift-sister.{form}": (3, *SISTER) for form in ("txt", "json")},
    "drift-defaults.txt": (3, "drift", "EX01", "--against", "defaults"),
    "snapshots.txt": (0, "snapshots"),
}


@pytest.fixture(scope="module", autouse=True)
def munich():
    """Read in Munich, on the morning after the year."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", MADE)
        patch.setenv("TZ", ZONE)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def year(munich, tmp_path_factory):
    """Live through the year: the program, how each import ended, and the seconds it took."""
    program = Program(tmp_path_factory.mktemp("year"))
    started = time.monotonic()
    codes = {one: live(program, one) for one in year_story.taken()}
    return program, codes, time.monotonic() - started


def live(program: Program, one: year_story.Taken) -> int:
    """Import a snapshot, then say what people said before the next one."""
    answer = program.run("import", write_bundle(one, program.folder / "in"))
    at = f"{one.at:%Y-%m-%dT%H:%M:%SZ}"
    lines = (
        []
        if "\n0 changes" in answer.out
        else program.log(one.server, f"--since={at}", f"--until={at}")
    )
    for line in lines:
        if why := year_story.why(one, path_of(line)):
            said = dict(zip(("--reason", "--ticket", "--by"), why, strict=True))
            assert program.run("document", line["id"], *chain.from_iterable(said.items())).code == 0
    for baseline in year_story.STORY["baseline"]:
        # On the morning after the weekly snapshot.
        if one.server == baseline["on"] and 0 <= (baseline["at"] - one.at).days < 1:
            assert program.run("baseline", "set", one.server, "--by", baseline["by"]).code == 0
    return answer.code


@pytest.fixture(scope="module")
def exported(year):
    """Give what a command exports: exit code and text, a workbook as its cells."""
    program, _, _ = year

    def export(name: str) -> tuple[int, str]:
        command = ASKED[name][1:]
        if name == "snapshots.txt":
            answer = program.run(*command)
            return answer.code, steady(answer.out, program)
        form = name.rpartition(".")[2].replace("txt", "text")
        file = program.folder / name
        answer = program.run(*command, "--format", form, "-o", file, "--force")
        assert answer.out == ""
        data = file.read_bytes()
        text = sheets.told(data) if form == "xlsx" else data.decode("utf-8")
        return answer.code, steady(text, program)

    return export


def steady(text: str, program: Program) -> str:
    """Put words for what another run or version says otherwise."""
    text = text.replace(str(program.folder), "DIR")
    text = re.sub(r"changelog-tracker \d[\w.]*", "changelog-tracker VERSION", text)
    # The head of the journal covers the times and the key of this run.
    return re.sub(r"\b[0-9a-f]{64}\b", "HEAD", text)


def test_a_year_is_imported_in_less_than_forty_seconds(year):
    """All snapshots are stored; only those with the broken file are incomplete."""
    _, codes, seconds = year
    assert seconds < 40
    broken = [one for one in codes if one.unread]
    assert (len(codes), len(broken)) == (165, 2)
    assert {one: code for one, code in codes.items() if code} == dict.fromkeys(broken, 4)


def test_the_log_holds_exactly_what_happened(year):
    """Each change of the story is there once, and nothing else is."""
    program, _, _ = year
    lines = program.log("--unfold")
    found = [
        (
            datetime.fromisoformat(line["seen"]),
            line["server"],
            path_of(line),
            line["before"],
            line["after"],
        )
        for line in lines
    ]
    assert sorted(found, key=repr) == sorted(expected(), key=repr)


def test_words_of_people_stay_with_a_change_that_is_told_more_exactly(year):
    """The bundle from the stick parts one change into two; what was documented still is."""
    program, _, _ = year
    found = [
        line for line in program.log("EX01") if line["setting"] == "[key='LogonSettings'].value"
    ]
    said = [(line["before"], line["after"], line["ticket"]) for line in found]
    assert said[:2] == [("Basic", "Basic,Fba", None), ("Basic,Fba", "Fba", "CHG1019")]


@pytest.mark.parametrize("name", ASKED)
def test_each_export_is_the_expected_file(name, exported, request):
    """What a person is handed, whole."""
    code, text = exported(name)
    file = EXPECTED / (f"{name}.txt" if name.endswith("xlsx") else name)
    if request.config.getoption("--update-golden"):
        file.write_bytes(text.encode("utf-8"))
    assert (code, text) == (ASKED[name][0], file.read_bytes().decode("utf-8"))


def test_pruning_changes_nothing_that_is_told(year):
    """Raw files of the first months go; log, drift and settings say what they said before."""
    program, _, _ = year
    asked = [ASKED[name][1:] for name in ("log.json", "log-all.txt", "drift-sister.txt")]
    asked.append(("show", "EX01"))
    before = [program.run(*command) for command in asked]
    pruned = program.run("prune", "--older-than", "2026-03-01T00:00:00Z", "--yes")
    assert (pruned.code, pruned.out.startswith("pruned ")) == (0, True), pruned.err
    assert [program.run(*command) for command in asked] == before


PAGES = ("log.html", "coverage.html", "drift-baseline.html")


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_light_dark_and_printed(name, exported, browser, tmp_path):  # noqa: F811
    """Light paper, dark paper, and A4 lying down with no colour, of each page of the year."""
    page = tmp_path / name
    page.write_bytes(exported(name)[1].encode("utf-8"))
    for scheme, is_dark in (("0", True), ("1", False)):
        picture = tmp_path / "page.png"
        browser(page, f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={scheme}")
        levels = brightness(picture.read_bytes())
        assert (levels[0] < 60, max(levels) > 180, min(levels) < 60) == (is_dark, True, True)
    file = tmp_path / "page.pdf"
    browser(page, f"--print-to-pdf={file}", "--blink-settings=preferredColorScheme=0")
    boxes = re.findall(rb"/MediaBox \[([\d. ]+)\]", file.read_bytes())
    sizes = {tuple(round(float(number)) for number in box.split()[2:]) for box in boxes}
    assert (sizes, len(boxes) > 1) == ({(842, 595)}, True)
