"""docs/replay-coverage.md is what a plan does with each setting, and leaves none out."""

from __future__ import annotations

import re
from pathlib import Path

from changelog_tracker.catalogue.count import documented
from changelog_tracker.catalogue.sections import sections
from changelog_tracker.replay import coverage_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "replay-coverage.md"


def rows(heading):
    """The cells of a table, without its head."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    table = re.findall(r"^\| (.*) \|$", rest.partition("\n## ")[0], re.MULTILINE)
    return [row.split(" | ") for row in table[2:]]


def test_the_page_is_what_a_plan_does():
    """What a plan does otherwise changes the page."""
    assert PAGE.read_text(encoding="utf-8") == coverage_page.markdown()


def test_every_documented_parameter_stands_in_one_row():
    """A parameter that can be written is put back by its cmdlet, or the row says why not."""
    told = [
        (noun, name)
        for noun, _, parameters in rows("Parameters of Exchange")
        for name in parameters.partition(": ")[2].split(", ")
    ]
    assert len(told) == len(set(told))
    of_docs = {
        (noun, name)
        for noun, versions in documented().items()
        for names in versions.values()
        for name in names
    }
    assert of_docs - set(told) == set()


def test_every_section_stands_in_one_row():
    """A section of the schema is put back by its keys, or the row says why not."""
    told = [
        name.strip("`")
        for names, *_ in rows("Sections of IIS and ASP.NET")
        for name in names.split(", ")
    ]
    assert sorted(told) == sorted(sections())
