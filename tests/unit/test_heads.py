"""The head of a report: how gaps of many kinds are told in one line, and what was asked."""

from __future__ import annotations

import pytest

from changelog_tracker.pipeline.change_log import LogWish
from changelog_tracker.pipeline.heads import gap_words, log_query


def of_kinds(*gaps):
    """Make coverage lines from hours of one day: `of_kinds([(1, 3)], [])`."""
    return [
        {
            "server": "EX01",
            "gaps": [
                {"from": f"2026-11-20T{a:02}:00:00Z", "until": f"2026-11-20T{b:02}:00:00Z"}
                for a, b in hours
            ],
        }
        for hours in gaps
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "nothing was watched in this period"),
        (of_kinds([], []), "none"),
        (of_kinds([(1, 3)], [(1, 3)]), "1 gap, 2 h in all"),
        (of_kinds([(1, 2), (2, 4)], [(1, 4)]), "1 gap, 3 h in all"),
        (
            of_kinds([(1, 2), (6, 9)], [(1, 2), (6, 7)]),
            "2 gaps, 2 h in all; 1 of 2 kinds have more",
        ),
        (of_kinds([(0, 23)], [(5, 6)]), "1 gap, 1 h in all; 1 of 2 kinds have more"),
        (of_kinds([(0, 23)], []), "none; 1 of 2 kinds have more"),
        (of_kinds([(1, 2)], [(2, 3)]), "none; 2 of 2 kinds have more"),
    ],
)
def test_a_gap_of_the_server_is_one_of_every_kind(lines, said):
    """What is a gap of each kind is one of the server; other gaps are counted by kind."""
    assert gap_words(lines) == said


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (LogWish(), "changes of all servers"),
        (LogWish("EX01", unfold=True), "changes of EX01; also: folded"),
        (
            LogWish("EX01", undocumented=True, classes=("recovery",), all=True),
            "changes of EX01; only: undocumented, class recovery; also: superseded",
        ),
    ],
)
def test_a_query_is_worded_by_its_filters(wish, said):
    """An auditor reads what was left out, and what was added."""
    assert log_query(wish) == said
