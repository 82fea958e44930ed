"""The journal of a replay script: a whole one reads as it was written, any other is one error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker.errors import FileError
from changelog_tracker.parse.replay_journal import (
    Run,
    StepLine,
    StepValue,
    is_replay_journal,
    parse_replay_journal,
)

RUN = (
    '<run format="1" plan="4f2a" server="EX01" target="EX03" mode="undo" '
    'operator="CONTOSO\\u005Canna" host="EX03" started="2026-11-02T09:00:00Z" '
    'program="changelog_tracker 0" dc="DC01"/>'
)
SETTING = (
    '<step id="s001" at="2026-11-02T09:00:01.5Z" state="setting" op="set" '
    'kind="OwaVirtualDirectory" resource="owa (Default Web Site)" setting="ExternalUrl">'
    '<value name="ExternalUrl" type="text" found="" wanted="https://mail.contoso.com/owa"/></step>'
)
SET = '<step id="s001" at="2026-11-02T09:00:02Z" state="set"/>'
END = '<end at="2026-11-02T09:00:03Z" code="3"/>'
ABOUT = ("OwaVirtualDirectory", "owa (Default Web Site)", "ExternalUrl")
VALUES = (StepValue("ExternalUrl", "", "https://mail.contoso.com/owa"),)


def at(second: float) -> datetime:
    whole = int(second)
    micros = int((second - whole) * 1_000_000)
    return datetime(2026, 11, 2, 9, 0, whole, micros, tzinfo=UTC)


def data(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogatepass")


def parse(*lines: str) -> Run:
    (run,) = parse_replay_journal(data(*lines), "a.journal")
    return run


def told(value: str) -> StepValue:
    """The one value of a journal that holds it."""
    line = SETTING[: SETTING.index("<value")] + value + "</step>"
    return parse(RUN, line).lines[0].values[0]


def escaped(text: str) -> str:
    """Every UTF-16 unit of a text as \\uXXXX."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def test_a_journal_reads_as_it_was_written():
    """Every part of it comes out, escapes read back."""
    assert parse(RUN, SETTING, SET, END) == Run(
        plan="4f2a",
        server="EX01",
        target="EX03",
        mode="undo",
        operator="CONTOSO\\anna",
        host="EX03",
        started=at(0),
        program="changelog_tracker 0",
        dc="DC01",
        lines=(
            StepLine("s001", at(1.5), "setting", "set", ABOUT, VALUES),
            StepLine("s001", at(2), "set"),
        ),
        ended=at(3),
        code=3,
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('<value name="N" type="null"></value>', (None, None)),
        ('<value name="N" type="text" found="" wanted=""/>', ("", "")),
        ('<value name="N" type="null" wantedtype="text" wanted=" a  b "/>', (None, " a  b ")),
        ('<value name="N" type="text" wantedtype="null" found=""/>', ("", None)),
        ('<value name="N" type="bool" found="true" wanted="false"/>', ("true", "false")),
        (
            '<value name="N" type="int" wantedtype="text" found="1" wanted="Unlimited"/>',
            ("1", "Unlimited"),
        ),
        ('<value name="N" type="list"></value>', ([], [])),
        (
            '<value name="N" type="list"><found> </found><wanted>a</wanted><wanted/></value>',
            ([" "], ["a", ""]),
        ),
        (
            '<value name="N" type="text" wantedtype="list" found="b"><wanted>a</wanted></value>',
            ("b", ["a"]),
        ),
        ('<value name="N" type="list" wantedtype="null"><found>a</found></value>', (["a"], None)),
        ('<value name="N" type="text" found="&lt;&amp;&quot;" wanted="\\u000A"/>', ('<&"', "\n")),
    ],
)
def test_values_keep_what_is_nothing_and_what_is_empty(value, expected):
    """No attribute is nothing; an empty text and an empty list are not."""
    assert told(value) == StepValue("N", *expected)


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_comes_back(text):
    """Control characters, other planes and lone halves of pairs too."""
    found = told(f'<value name="N" type="text" found="" wanted="{escaped(text)}"/>').wanted
    # Two halves that happen to stand together are one character.
    assert found == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def test_a_last_line_that_is_cut_off_is_left_out():
    """Wherever a run is killed, what was written whole is read; the rest is said to be missing."""
    lines = [RUN, SETTING, SET, END]
    whole = data(*lines)
    wholes = {f"{line}{end}".encode() for line in lines for end in ("", "\r")}
    for length in range(len(RUN), len(whole)):
        (found,) = parse_replay_journal(whole[:length], "a.journal")
        *before, rest = whole[:length].split(b"\n")
        assert found.cut_off == (bool(rest) and rest not in wholes)
        read = len(found.lines) + 1 + (found.ended is not None)
        assert read == len(before) + (rest in wholes)


@pytest.mark.parametrize("killed", ["", SETTING[:40], "\0" * 512])
def test_the_next_run_may_go_on_in_the_same_file(killed):
    """An empty line stands between, or what is left of the line in which the run was killed."""
    next_run = RUN.replace("09:00:00", "10:00:00")
    found = parse_replay_journal(data(RUN, SETTING, SET, killed, next_run, END), "a.journal")
    told = [(run.cut_off, len(run.lines), run.started.hour, run.code) for run in found]
    assert told == [(bool(killed), 2, 9, None), (False, 0, 10, 3)]


def test_zeros_at_the_end_are_a_line_that_was_cut_off():
    """A machine that lost its power may leave them where the last line was to stand."""
    (found,) = parse_replay_journal(data(RUN, SETTING, SET) + b"\0" * 512, "a.journal")
    assert (found.cut_off, len(found.lines)) == (True, 2)


def step(old: str, new: str) -> list[str]:
    assert old in SETTING
    return [RUN, SETTING.replace(old, new), SET, END]


def head(old: str, new: str) -> list[str]:
    assert old in RUN
    return [RUN.replace(old, new), SETTING, SET, END]


MALFORMED = {
    "format": (head('format="1"', 'format="2"'), 1, "journal format '2'; this program reads 1"),
    "no format": (head('format="1" ', ""), 1, "<run> has no format"),
    "no operator": (head('operator="CONTOSO\\u005Canna" ', ""), 1, "<run> has no operator"),
    "mode": (head("undo", "redo"), 1, "mode: expected replay or undo"),
    "plan": (head("4f2a", "a b"), 1, "plan: expected the id of a plan"),
    "target": (head("EX03", "..\\u005CEX03"), 1, "target: expected the name of a server"),
    "started": (head("09:00:00Z", "09:00:00"), 1, "started: expected a UTC time such as"),
    "no such day": (head("11-02", "02-30"), 1, "started: expected a UTC time such as"),
    "a backslash": (head("\\u005C", "\\"), 1, "a backslash by itself; expected"),
    "half an escape": (head("\\u005C", "\\u5C"), 1, "a backslash by itself; expected"),
    "run with text": ([RUN[:-2] + ">x</run>", SET], 1, "<run> holds what does not belong there"),
    "run with steps": ([RUN[:-2] + ">" + SET + "</run>"], 1, "<run> holds what does not belong"),
    "id": (step("s001", "001"), 2, "id: expected a step such as s001"),
    "state": (step('"setting" op', '"done" op'), 2, "state: expected setting, set, would-set"),
    "a kind alone": (step(' resource="owa (Default Web Site)"', ""), 2, "has a kind or a resource"),
    "type": (step('"text"', '"blob"'), 2, "type: expected null, bool, int, text or list"),
    "no name": (step('<value name="ExternalUrl"', "<value"), 2, "<value> has no name"),
    "not a value": (step("<value", "<set"), 2, "<set> does not belong there; expected <value>"),
    "text in a step": (step("</step>", "x</step>"), 2, "<step> holds text"),
    "items of a text": (
        step('owa"/></step>', 'owa"><found>a</found></value></step>'),
        2,
        "the value 'ExternalUrl' holds <found>, which does not belong there",
    ),
    "no XML": ([RUN, "hello"], 2, "not well-formed XML"),
    "no XML before an empty line": ([RUN, "hello", "", RUN], 2, "not well-formed XML"),
    "op": (step('"set"', '"put"'), 2, "op: expected set, new, drop, attribute, clear, add or"),
    "type wanted": (step('"text"', '"text" wantedtype="x"'), 2, "wantedtype: expected null, bool"),
    "nothing, yet a text": (
        step('"text"', '"null"'),
        2,
        "the value 'ExternalUrl' has a text that does not fit its type",
    ),
    "two on a line": ([RUN, SETTING + SET], 2, "not well-formed XML"),
    "over two lines": ([RUN, *SETTING.split("setting=")], 2, "not well-formed XML"),
    "an attribute twice": (step('id="s001"', 'id="s001" id="s002"'), 2, "not well-formed XML"),
    "an entity": ([RUN, '<!DOCTYPE a [<!ENTITY x "y">]>' + SET], 2, "has a DOCTYPE"),
    "a namespace": (step("<step", '<step xmlns="urn:x"'), 2, "does not belong there"),
    "beyond ASCII": (step("mail", "m\u00e4il"), 2, "holds what is not printable ASCII"),
    "a control character": (step("mail", "\t"), 2, "holds what is not printable ASCII"),
    "a reference": (step("mail", "&#233;"), 2, "an XML reference to what is not printable ASCII"),
    "an end in between": ([RUN, END, SET], 2, "<end> does not belong there; expected <step>"),
    "no run": ([SET, RUN], 1, "<step> does not belong there; expected <run>"),
    "an exit code": ([RUN, END.replace('"3"', '"ok"')], 2, "code: expected an exit code"),
    "two settings": (
        [RUN, SETTING, SETTING.replace("External", "Internal")],
        3,
        "step s001 is about another setting than on an earlier line",
    ),
    "set, but not what": ([RUN, SET], 2, "step s001 was done, but no line says what it is about"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_no_script_writes_is_one_error(case):
    """It names file and line, and says what was expected."""
    lines, number, what = MALFORMED[case]
    with pytest.raises(FileError) as error:
        parse(*lines)
    assert error.value.place == f"a.journal, line {number}"
    assert error.value.what.startswith(what) or what in error.value.what


@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_journal_reads_or_is_one_error(junk, place):
    """Whatever stands in it, and wherever."""
    whole = data(RUN, SETTING, SET, END)
    for made in (b"<run " + junk, whole[:place] + junk + whole[place:]):
        try:
            parse_replay_journal(made, "a.journal")
        except FileError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_journal_is_told_by_its_first_line():
    """Its name does not count."""
    assert is_replay_journal(data(RUN))
    assert not is_replay_journal(b"<runs/>")
    assert not is_replay_journal(b'<Objs Version="1.1.0.1">')


def test_a_journal_without_end_is_not_read():
    """A file of any size is refused before it is looked at."""
    with pytest.raises(FileError, match="at most 16,777,216 are read"):
        parse_replay_journal(b"<run " * 4_000_000, "a.journal")
