"""The names of IIS settings, as appcmd writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from changelog_tracker.replay.notation import Element, steps

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "iis-appcmd-samples"


@pytest.mark.parametrize(
    ("setting", "parted"),
    [
        ("sslFlags", ("sslFlags",)),
        ("a.b-c.d", ("a", "b-c", "d")),
        ("[key='O''Neill'].value", (Element((("key", "O'Neill"),)), "value")),
        ("x.[a='1',b='].[c=']", ("x", Element((("a", "1"), ("b", "].[c="))))),
        ("", None),
        ("(order)", None),
        ("[1]", None),
        ("a.", None),
        ("a b", None),
        ("[a='1'", None),
        ("[a='1'[b='2']", None),
    ],
)
def test_a_settings_name_is_read_exactly_or_not_at_all(setting, parted):
    """Names, elements by key, and nothing else."""
    assert steps(setting) == parted


@pytest.mark.real
def test_each_option_that_microsoft_prints_is_one_of_ours():
    """The options of the sample commands have the form that this program reads and writes."""
    if not SAMPLES.is_dir():
        pytest.skip("no ../shared/data/iis-appcmd-samples to compare with")
    options = []
    for file in SAMPLES.rglob("*.cmd"):
        for line in file.read_text("utf-8", "replace").splitlines():
            if "appcmd" in line.casefold() and " set config" in line.casefold():
                options.extend(re.findall(r' /("?[+-]?"?[^ :"]*\[[^"]*|[A-Za-z][^ :"]*)', line))
    found = {option.replace('"', "").lstrip("+-").partition(":")[0] for option in options}
    found -= {"commit", "commit:apphost"}
    plain = {option for option in found if "[" not in option}
    assert len(plain) > 50
    assert {option for option in plain if steps(option) is None} == set()
