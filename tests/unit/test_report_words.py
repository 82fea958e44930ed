"""Words: how values, times and names are shown, and made harmless."""

from __future__ import annotations

from datetime import timedelta, timezone
from io import StringIO

import pytest

from changelog_tracker.report import escape, json_lines, markdown, words

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
    markdown.drift([differs], drift, against="baseline <3>", zone=HERE, head={})
    held = {**line, "value": "*", "since": "2026-11-20T13:05:00Z", "origin": "Get-PopSettings"}
    unread = {"server": "EX01", "kind": "ImapSettings", "unread": "denied", "since": None}
    markdown.show([held, unread], show, zone=HERE, head={"at": "now"})
    assert drift.getvalue() == (
        "# Drift\n\n## EX01\n\n"
        "| Difference | Setting | Wanted | Found | Who | Why |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| changed | `PopSettings[1].Banner` | a&#124;b | (nothing) |  | undocumented |\n\n"
        "Compared with baseline &lt;3&gt;: 1 difference (1 undocumented).\n"
    )
    assert show.getvalue() == (
        "# Settings\n\n| About | this document |\n| --- | --- |\n| At | now |\n\n## EX01\n\n"
        "| Setting | Value | Since | Origin |\n| --- | --- | --- | --- |\n"
        "| `PopSettings[1].Banner` | \\* | 2026-11-20 14:05 +01:00 | Get-PopSettings |\n\n"
        "## Not read\n\n| Server | Kind | Since | Why |\n| --- | --- | --- | --- |\n"
        "| EX01 | `ImapSettings` | never read | denied |\n\n"
        "1 setting, 1 kind not read.\n"
    )
