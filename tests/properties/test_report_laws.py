"""Laws of reports: whatever a server holds, lines stay lines and tables stay tables."""

from __future__ import annotations

import json
import re
from datetime import UTC
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker.report import escape, json_lines, markdown, text, words

# All of Unicode; the second half makes what breaks lines and tables common.
CHARS = st.characters(categories=None) | st.sampled_from(
    list("|`\\<>[]()*_~$#-+=& \n\r\t\x1b\x85\x9b\u2028\u202e\ud800\"'{},:")
)
TEXTS = st.text(CHARS, max_size=60)
# JSON cannot tell a pair of lone surrogates from the one character they stand for.
WITHOUT_PAIRS = TEXTS.filter(lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text))


def values(texts):
    scalars = st.none() | st.booleans() | st.integers() | texts
    return st.recursive(
        scalars, lambda held: st.lists(held, max_size=4) | st.dictionaries(texts, held, max_size=3)
    )


@st.composite
def changes(draw):
    words_of = {
        key: draw(TEXTS)
        for key in ("id", "server", "kind", "resource", "class", "reason", "ticket", "by", "build")
    }
    person = {"name": draw(TEXTS), "when": draw(TEXTS), "source": "x", "confidence": draw(TEXTS)}
    return {
        **words_of,
        "seen": "2026-11-20T13:05:00Z",
        "action": draw(st.sampled_from(["added", "removed", "changed"])),
        "setting": draw(st.none() | TEXTS),
        "before": draw(values(TEXTS)),
        "after": draw(values(TEXTS)),
        "who": [person],
        "documented": draw(st.booleans()),
        "expires": draw(st.none() | TEXTS),
        "folded": draw(st.sampled_from([0, 80])),
    }


@given(st.lists(changes(), max_size=3), st.none() | st.integers(1, 200))
def test_text_is_one_line_a_change_without_control_characters(lines, width):
    """Text has one line a change, and only the newlines that end lines are not printable."""
    out = StringIO()
    text.log(
        [{**line, "server": "EX01"} for line in lines], [], out, zone=UTC, colour=False, width=width
    )
    got = out.getvalue()
    assert len(got.splitlines()) == len(lines) + (2 if lines else 1)
    assert all(escape.is_plain(line) for line in got.split("\n"))
    got.encode()


@given(st.lists(changes(), max_size=3), TEXTS)
def test_tables_keep_their_columns(lines, label):
    """Every row of a Markdown table has as many cells as its head, and no tag."""
    out = StringIO()
    unread = [{"server": label, "kind": label, "unread": label, "since": label}]
    markdown.log(lines, out, zone=UTC, head={label: label}, unread=unread)
    widths = None
    for line in out.getvalue().split("\n"):
        assert escape.is_plain(line)
        assert not set("<>") & set(line)
        if not line.startswith("| "):
            widths = None
            continue
        widths = widths or line.count("|")
        assert line.count("|") == widths
        assert all(re.fullmatch(r"[^`]*(`[^`]+`[^`]*)?", cell) for cell in line.split("|"))


@given(st.lists(st.dictionaries(WITHOUT_PAIRS, values(WITHOUT_PAIRS), max_size=4), max_size=4))
def test_json_lines_come_back_the_same(lines):
    """One line an object, encodable and plain, that reads back as it was."""
    out = StringIO()
    json_lines.write(lines, out)
    got = out.getvalue().encode().decode().splitlines()
    assert [json.loads(line) for line in got] == lines
    assert all(escape.is_plain(line) for line in got)


@given(values(WITHOUT_PAIRS), values(WITHOUT_PAIRS), st.integers(40, 300))
def test_a_difference_is_never_cut_away(before, after, room):
    """Two values that differ as JSON are shown differently, cut or not."""
    if json_lines.dumps(before) == json_lines.dumps(after):
        return
    shown = words.sides(before, after, room)
    assert shown[0] != shown[1]


@given(TEXTS, TEXTS, TEXTS)
def test_long_values_show_where_they_differ(start, one, other):
    """Also long values that begin and end alike are shown differently."""
    before, after = (start * 9 + middle + start * 9 for middle in (one, other))
    if before != after:
        shown = words.sides(before, after, 40)
        assert shown[0] != shown[1]


@given(TEXTS)
def test_terminal_text_is_plain_and_stays_so(given_text):
    """What was made harmless once is left as it is."""
    once = escape.terminal(given_text)
    assert escape.is_plain(once)
    assert escape.terminal(once) == once
