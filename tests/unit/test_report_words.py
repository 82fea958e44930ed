"""Words: how values, times and names are shown, and made harmless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from io import StringIO

import pytest

from changelog_tracker.report import (
    compose,
    csv_rows,
    escape,
    json_lines,
    markdown,
    times,
    words,
    xlsx,
)
from changelog_tracker.report.document import About

HERE = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "(nothing)"),
        (True, "true"),
        (480, "480"),
        ("", '""'),
        ("a b", "a b"),
        (" a", '" a"'),
        ("C:\\Windows", "C:\\Windows"),
        ("C:\\a  b", '"C:\\\\a  b"'),
        ("(nothing)", '"(nothing)"'),
        ("a\u00a0b", '"a\\xa0b"'),
        ([], "(empty list)"),
        (["a", "b, c", None], 'a, "b, c", (nothing)'),
        ({"secret": "k1:9f3c"}, "(secret k1:9f3c)"),
        ({"name": "x", "deny": [{"verb": "*"}]}, "{name: x, deny: [{verb: *}]}"),
    ],
)
def test_values_are_bare_when_simple(value, shown):
    """A bare value is literal; what could be mistaken is quoted."""
    assert words.value(value) == shown


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a", "b", ("a", "b")),
        ("1", 1, ('"1"', "1")),
        ("true", True, ('"true"', "true")),
        ("b" * 50, "c", ("bbbbbbbbbbbbb[...50 chars...]bbbbbbbbbbb", "c")),
        ("x" * 90, "x" * 91, ("xxxx[...90 chars...]xxxxxx", "xxxx[...91 chars...]xxxxxxx")),
        (["aa" * 20, "b"], ["b", "cc"], ("2 values", "2 values: + c[...58 chars...]" + "a" * 11)),
    ],
)
def test_two_values_show_their_difference(before, after, shown):
    """However two values are cut or worded, they are seen to differ."""
    assert words.sides(before, after, 40) == shown


def test_times_are_local_with_their_offset():
    """A time is shown where the reader sits; what is no time is shown as it is."""
    times = [
        "2026-11-20T13:05:59Z",
        "2026-11-20T23:30:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "\x1b",
    ]
    assert [words.moment(time, HERE) for time in times] == [
        "2026-11-20 14:05 +01:00",
        "2026-11-21 00:30 +01:00",
        "0001-01-01T00:00:00+14:00",
        r"\x1b",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x9b0m\x07\x7f", r"\x1b[31mred\x9b0m\x07\x7f"),
        ("abc\u202ecba\u2066", r"abc\u202ecba\u2066"),
        ("a\nb\r\tc\u2028d\x85", r"a\nb\r\tc\u2028d\x85"),
        ("\ud800 \U000e0041 \u3164", r"\ud800 \U000e0041 \u3164"),
        ("C:\\Büro\\x1b", "C:\\Büro\\x1b"),
    ],
)
def test_nothing_acts_on_the_terminal(text, shown):
    """What would move, colour, turn or hide is shown as an escape; the rest is left alone."""
    assert escape.terminal(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a|b`c`", "a&#124;b&#96;c&#96;"),
        ("a\\|b", "a\\\\&#124;b"),
        ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
        ("# a", "\\# a"),
        ("- a", "\\- a"),
        ("1. a", "1\\. a"),
        ("15.2.1118.7", "15.2.1118.7"),
        ("    a", "&#32;   a"),
        ("*a* _b_ ~c~ $d$ &lt;", "\\*a\\* \\_b\\_ \\~c\\~ \\$d\\$ &amp;lt;"),
        ("https://contoso.com www.contoso.com", "https\\://contoso.com www\\.contoso.com"),
        ("a\nb\u202e", "a\\\\nb\\\\u202e"),
    ],
)
def test_markdown_shows_text_as_text(text, shown):
    """No value makes markup, a link, a cell or a line."""
    assert escape.markdown(text) == shown


def test_names_are_code_unless_they_could_leave_it():
    """A plain path is code, to be copied; a hostile one is escaped text."""
    assert escape.markdown_name("A[b].C") == "`A[b].C`"
    assert escape.markdown_name("A[b`|].C") == "A\\[b&#96;&#124;\\].C"


def test_json_lines_are_compact_and_always_encodable():
    """One object a line, keys in order, letters as they are, what cannot be shown escaped."""
    out = StringIO()
    json_lines.write([{"b": "Büro", "a": "\ud800\x1b\x9b\u202e\u2028"}, {"c": None}], out)
    assert out.getvalue() == (
        '{"b":"Büro","a":"\\ud800\\u001b\\u009b\\u202e\\u2028"}\n{"c":null}\n'
    )


def test_markdown_of_drift_and_settings():
    """Drift and settings are tables with the same escapes, and say what was compared."""
    line = {"server": "EX01", "kind": "PopSettings", "resource": "1", "setting": "Banner"}
    drift, show = StringIO(), StringIO()
    differs = {**line, "action": "changed", "wanted": "a|b", "found": None, "documented": False}
    made = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
    markdown.write(compose.drift([differs], About({}, HERE, made), "baseline <3>"), drift)
    held = {**line, "value": "*", "since": "2026-11-20T13:05:00Z", "origin": "Get-PopSettings"}
    unread = {"server": "EX01", "kind": "ImapSettings", "unread": "denied", "since": None}
    about = About({"Until": "now"}, HERE, made, unread=[unread])
    markdown.write(compose.show([held], about), show)
    assert drift.getvalue() == (
        "# Drift\n\nCompared with baseline &lt;3&gt;: 1 difference (1 undocumented).\n\n"
        "## EX01\n\n"
        "| Id | Difference | Setting | Wanted | Found | Who | Why |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "|  | changed | `PopSettings[1].Banner` | a&#124;b | (nothing) |  | undocumented |\n\n"
    )
    assert show.getvalue() == (
        "# Settings\n\n1 setting, 1 kind not read.\n\n"
        "| About | this document |\n| --- | --- |\n| Until | now |\n\n## EX01\n\n"
        "| Setting | Value | Since (local) | Since (UTC) | Origin |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `PopSettings[1].Banner` | \\* | 2026-11-20 14:05 +01:00 | 2026-11-20 13:05:00Z "
        "| Get-PopSettings |\n\n"
        "## Not read\n\n"
        "| Server | Kind | Not read since (local) | Not read since (UTC) | Why |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| EX01 | `ImapSettings` | never read |  | denied |\n\n"
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_725, "1 h 2 min"),
        (86_400, "1 d"),
        (86_401, "1 d"),
        (187_200, "2 d 4 h"),
    ],
)
def test_lengths_are_worded_by_their_largest_units(seconds, shown):
    """Two units that adjoin say how long something took."""
    assert times.length(seconds) == shown


def test_only_all_of_it_is_a_hundred_percent():
    """A share is cut, so that what was missed for a second is not rounded away."""
    shown = [times.share(part) for part in (0.0, 0.0057, 0.7863, 0.99999, 1.0)]
    assert shown == ["0.00 %", "0.57 %", "78.63 %", "99.99 %", "100 %"]


def test_times_are_said_in_utc_too():
    """Where a day begins in between, both say their own."""
    assert times.both("2026-11-20T23:30:09Z", HERE) == (
        "2026-11-21 00:30 +01:00 (2026-11-20 23:30:09Z)"
    )
    assert times.local_iso("2026-11-20T23:30:09Z", HERE) == "2026-11-21T00:30:09+01:00"
    assert times.both_inside("snapshot 3 of 2026-11-20T13:05:00Z: a", HERE) == (
        "snapshot 3 of 2026-11-20 14:05 +01:00 (2026-11-20 13:05:00Z): a"
    )
    assert [times.both("\x1b", HERE), times.utc("\x1b")] == [r"\x1b", r"\x1b"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("=1", "'=1"),
        (" =1", "' =1"),
        ("＝1", "'＝1"),
        ("-1", "'-1"),
        ("'a", "''a"),
        ("a;=1", "a;'=1"),
        ('a; "@b', "a;' \"@b"),
        ("a=1, b-c", "a=1, b-c"),
    ],
)
def test_no_cell_of_csv_is_a_formula(text, cell):
    """An apostrophe stands before whatever a spreadsheet would calculate."""
    assert csv_rows.as_text(text) == cell


def test_a_cell_of_excel_says_what_it_cannot_hold():
    """Excel holds 32,767 UTF-16 units: the rest is named, and no character is split."""
    mark = " [... cut: 40000 characters; --json has all of them]"
    assert xlsx.as_text("a" * 32_767) == "a" * 32_767
    assert xlsx.as_text("a" * 40_000) == "a" * (32_767 - len(mark)) + mark
    assert xlsx.as_text("\U0001f600" * 40_000) == "\U0001f600" * 16_357 + mark
