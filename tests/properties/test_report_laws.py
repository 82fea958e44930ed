"""Laws of reports: whatever a server holds, lines stay lines and tables stay tables."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO, StringIO
from xml.etree import ElementTree as ET

import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

from changelog_tracker.report import (
    compose,
    csv_rows,
    escape,
    html,
    json_lines,
    markdown,
    text,
    words,
    xlsx,
)
from changelog_tracker.report.document import About

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


def document(lines, label):
    unread = [{"server": label, "kind": label, "unread": label, "since": label}]
    gap = {"from": label, "until": "2026-11-20T13:05:00Z", "reason": label}
    watched = {"watched_s": 1, "share": 0.5, "snapshots": 1, "held_back": {label: 1}}
    coverage = [{"server": label, "kind": label, **gap, **watched, "gaps": [gap]}]
    made = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
    return compose.log(lines, About({label: label}, UTC, made, coverage, unread, commands=True))


@given(st.lists(changes(), max_size=3), TEXTS)
def test_tables_keep_their_columns(lines, label):
    """Every row of a Markdown table has as many cells as its head, and no tag."""
    out = StringIO()
    markdown.write(document(lines, label), out)
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


TAGS = (
    "a body br caption code col colgroup dd dl dt h1 head header html main meta nav p small span "
    "style table tbody td th thead time title tr"
)
ATTRIBUTES = (
    "aria-label charset class colspan content datetime href http-equiv id lang name scope style"
)


class Seen(HTMLParser):
    """The tags and texts that a browser finds in a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.texts.append(data)


@given(st.lists(changes(), max_size=3), TEXTS)
def test_no_value_makes_markup(lines, label):
    """A page has no other tags and attributes than its own, and shows every value as it is."""
    out = StringIO()
    html.write(document(lines, label), out)
    seen = Seen(out.getvalue())
    assert seen.tags <= set(TAGS.split())
    assert seen.attributes <= set(ATTRIBUTES.split())
    assert all(escape.is_plain(line) for line in out.getvalue().split("\n"))
    for line in lines:
        said = words.whole(line["before"]), words.whole(line["after"])
        for shown in (
            said if line["setting"] is None else words.sides(line["before"], line["after"])
        ):
            assert shown in seen.texts


@given(st.lists(changes(), max_size=3), TEXTS)
def test_csv_reads_back_without_a_formula(lines, label):
    """Every row has the cells of its head, whole, and none begins as a formula does."""
    out = StringIO()
    csv_rows.write(document(lines, label), out)
    got = out.getvalue().encode().decode()
    rows = list(csv.reader(StringIO(got.removeprefix("\ufeff"), newline="")))
    titles = [place for place, row in enumerate(rows) if row and row[0] == "# Changes"]
    head = rows[titles[0] + 1]
    changed = rows[titles[0] + 2 : titles[0] + 2 + len(lines)]
    assert [len(row) for row in changed] == [len(head)] * len(lines)
    for line, row in zip(lines, changed, strict=True):
        said = words.whole if line["setting"] is None else words.value
        if words.sides(line["before"], line["after"])[0] == words.value(line["before"]):
            bare = re.sub("(^|;)'", r"\1", row[head.index("Before")])
            expected = re.sub("(^|;)'", r"\1", said(line["before"]))
            assert bare == expected
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if re.match(r"[\s\"]*[=+@\-\t\r＝＋－＠]", cell)]
    assert not [cell for cell in cells if re.search(r";[\s\"]*[=+@\-＝＋－＠]", cell)]


@settings(max_examples=30)
@given(st.lists(changes(), max_size=3), TEXTS | st.sampled_from(["<r></r>", "<r><f>1</f></r>"]))
def test_a_workbook_holds_text_and_no_formula(lines, label):
    """No cell is a formula or formatted text, and every value is in its cell."""
    out = BytesIO()
    lines = [{**line, "reason": label} for line in lines]
    xlsx.write(document(lines, label), out)
    for name, part in sheets.parts(out.getvalue()).items():
        tags = {tag.rpartition("}")[2] for tag in map(str, tags_of(part))}
        assert not tags & {"f", "r", "hyperlink", "oleObject"}, name
    rows = sheets.sheets(out.getvalue())["Changes"]
    place = rows[0].index("Reason")
    got = [row[place] if len(row) > place else None for row in rows[1:]]
    whole = re.sub("(_x[0-9a-fA-F]{4}_)", r"_x005F\1", xlsx.as_text(label))
    assert got == [whole or None] * len(lines)


def tags_of(part):
    return [one.tag for one in ET.fromstring(part).iter()]


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
