"""JSON of strangers: broken, ambiguous, bottomless and endless ones end in one line."""

from __future__ import annotations

import pytest

from changelog_tracker.collect.manifest import LONGEST_BYTES, read_manifest
from changelog_tracker.errors import InputError


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_manifest("EX01.zip", data)
    assert str(caught.value).isprintable()
    return caught.value.what


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not valid JSON: line 1 column 1: Expecting value"),
        (
            b"{",
            "not valid JSON: line 1 column 2: Expecting property name enclosed in double quotes",
        ),
        (b"\xff\xff", "not valid JSON: not valid text"),
        (b"[]", "expected one JSON object"),
        (b'{"a": 1, "a": 1}', "not valid JSON: the key 'a' twice in one object"),
        (b'{"x": {"b": 0, "a": 1, "a": 1}}', "not valid JSON: the key 'a' twice in one object"),
        (b'{"a": NaN}', "not valid JSON: the number nan cannot be kept"),
        (b'{"a": 1e999}', "not valid JSON: the number 1e999 cannot be kept"),
        (b'{"a": "\\ud800"}', "not valid JSON: not valid text"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b" " * (LONGEST_BYTES + 1), "larger than 8 MiB"),
    ],
)
def test_what_is_no_json_object_is_refused(data, what):
    """Broken, ambiguous, bottomless or endless JSON ends in one line."""
    assert refused(data).lower() == f"bundle.json: {what}".lower()


def test_a_number_of_too_many_digits_is_refused():
    """Python itself refuses these, with a message of its own."""
    assert refused(b'{"a": ' + b"1" * 5000 + b"}").startswith("bundle.json: not valid JSON: ")
