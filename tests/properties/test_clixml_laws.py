"""Laws of CLIXML: any text survives, any bytes end in a value or in one kind of error."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker.errors import FileError
from changelog_tracker.normalise.values import ValueReader, duration, moment, size
from changelog_tracker.parse.clixml import clixml_types, parse_clixml, unescape
from changelog_tracker.parse.xml import read_xml

CASES = Path(__file__).parents[1] / "cases" / "clixml"
FILES = [path.read_bytes() for path in sorted(CASES.glob("*/raw.clixml"))]
NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"
SET = "Microsoft.Exchange.Data.MultiValuedProperty`1[[System.String]]"
TEXTS = st.text(st.characters(exclude_categories=()))
JOINED = TEXTS.map(
    lambda text: text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
)


def powershell_escape(text):
    """Escape as PowerShell does: what XML cannot hold, surrogates, and an underscore before x."""
    units = text.encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[i : i + 2], "little") for i in range(0, len(units), 2)]
    written = []
    for at, code in enumerate(codes):
        before_x = code == ord("_") and codes[at + 1 : at + 2] in ([ord("x")], [ord("X")])
        plain = 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
        written.append(chr(code) if plain and not before_x else f"_x{code:04X}_")
    return "".join(written)


def read(body):
    data = f'<Objs xmlns="{NAMESPACE}">{body}</Objs>'.encode()
    reader = ValueReader("raw.clixml", lambda text: {"secret": f"key1:{len(text)}"})
    return [reader.read(found) for found in parse_clixml(read_xml(data, "x"), "x")]


@given(JOINED)
def test_any_text_survives(text):
    """A text comes back as it was, with lone surrogates and with what looks like an escape."""
    assert unescape(powershell_escape(text)) == text
    body = f"<Obj><MS><S N='a'>{escape(powershell_escape(text))}</S></MS></Obj>"
    assert repr(read(body)) == repr([{"a": text}])


@given(st.sampled_from(FILES), st.integers(0, 4000), st.binary(max_size=6), st.integers(0, 40))
def test_any_bytes_end_in_a_value_or_one_kind_of_error(data, at, put, cut):
    """However a file is damaged, it is read or refused with a FileError."""
    damaged = data[:at] + put + data[at + cut :]
    clixml_types(damaged)
    reader = ValueReader("x", lambda text: {"secret": f"key1:{len(text)}"})
    message = ""
    try:
        found = parse_clixml(read_xml(damaged, "x"), "x")
        json.dumps([reader.read(one) for one in found], allow_nan=False)
    except FileError as error:
        message = str(error)
    assert "\n" not in message


@given(st.permutations(["Basic", "Fba", "Ntlm", "OAuth", ""]))
def test_the_order_of_a_set_does_not_matter(values):
    """A MultiValuedProperty reads the same in whatever order a server gave it."""
    items = "".join(f"<S>{value}</S>" for value in values)
    body = f"<Obj><TN><T>{SET}</T></TN><LST>{items}</LST></Obj>"
    whole = f"<Obj><MS><I32 N='n'>1</I32><Obj N='a'>{body[5:]}</MS></Obj>"
    assert read(whole) == [{"n": 1, "a": ["", "Basic", "Fba", "Ntlm", "OAuth"]}]


@given(st.integers(0, 2**62), st.sampled_from(",.'\u2019 \u00a0\u202f"))
def test_a_size_is_its_bytes_in_any_culture(number, separator):
    """The digits in the parentheses count, whatever parts them."""
    assert size(f"1 GB ({number:,} bytes)".replace(",", separator)) == number


@given(st.timedeltas(), st.text(max_size=20))
def test_normalising_twice_is_once(span, text):
    """What has been normalised stays as it is."""
    seconds, days = span.seconds, abs(span.days)
    written = f"P{days}DT{seconds // 3600}H{seconds // 60 % 60}M{seconds % 60}.{span.microseconds}S"
    for value in (written, str(span), text, "2026-11-22T10:00:00.5+01:00", "PT0S", "P", "PT"):
        assert duration(duration(value)) == duration(value)
        assert moment(moment(value)) == moment(value)
