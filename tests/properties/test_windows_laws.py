"""Laws of windows/KIND.jsonl: any bytes end in lines or in one kind of error."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker import catalogue
from changelog_tracker.errors import FileError
from changelog_tracker.parse.windows_lines import windows_lines

KINDS = st.sampled_from([*catalogue.windows_kinds()])
NAMES = st.sampled_from(
    ["name", "settings", "unread", "Content", "sha256", "size", "version", "Data", "Type", "x"]
)
TEXTS = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just("a" * 64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=4),
    max_leaves=12,
)
LINES = st.fixed_dictionaries(
    {"name": TEXTS}, optional={"settings": st.dictionaries(NAMES, VALUES), "unread": TEXTS}
)
WRITTEN = st.lists(LINES | VALUES, max_size=4).map(
    lambda many: "".join(f"{json.dumps(one)}\n" for one in many).encode()
)


def storable(data: object) -> None:
    """What was read can be stored, and read back as it is."""
    assert json.loads(json.dumps(data)) == data
    json.dumps(data, ensure_ascii=False).encode("utf-8")


@given(KINDS, st.binary() | st.binary().map(lambda data: data + b"\n") | WRITTEN)
def test_any_bytes_are_read_or_refused(kind, data):
    """Never another error; and what is read is whole, each name once without case."""
    try:
        read = windows_lines(kind, data, "windows/x.jsonl")
    except FileError as error:
        told = (error.place.startswith("windows/x.jsonl"), str(error).isprintable())
        assert told == (True, True)
        return
    storable(dict(read.settings))
    storable(dict(read.unread))
    assert len(read.settings) + len(read.unread) == data.count(b"\n")
    names = [name.casefold() for name in read.settings]
    assert len(set(names)) == len(names)


@given(KINDS, WRITTEN, st.data())
def test_a_cut_or_altered_file_is_read_or_refused(kind, data, draw):
    """The same of a file of which a byte is another, or the end is missing."""
    at = draw.draw(st.integers(0, max(len(data) - 1, 0)))
    altered = bytearray(data)
    if altered:
        altered[at] = draw.draw(st.integers(0, 255))
    for one in (bytes(altered), data[:at]):
        try:
            windows_lines(kind, one, "x")
        except FileError as error:
            place = error.place
            assert place.startswith("x")
