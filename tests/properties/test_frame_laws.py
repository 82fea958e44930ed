"""The frame's law: what comes out is exactly what went in, or a typed error."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "lab"))

from canned_frames import entry, framed

from changelog_tracker.collect.frame import read_frame
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.errors import DamagedAnswerError

MARKER = "0123456789abcdef" * 2
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_ ()", min_size=1, max_size=12).map(
    lambda name: f"files/C/x{name}x.config"
)
ENTRIES = st.dictionaries(NAMES, st.binary(max_size=400), min_size=1, max_size=6)
AROUND = st.binary(max_size=100).filter(lambda text: b"changelog-frame" not in text)


def frame_of(files):
    inside = b"".join(entry(*one) for one in files.items())
    return framed(MARKER, gzip.compress(inside, mtime=0))


def read(output):
    """Give what is read; None where it is refused."""
    try:
        return read_frame(output, MARKER, "EX01", DEFAULT_LIMITS)
    except DamagedAnswerError:
        return None


@settings(deadline=None)
@given(ENTRIES, AROUND, AROUND)
def test_what_was_framed_is_read_whatever_stands_around_it(files, before, after):
    assert read(before + frame_of(files) + after) == files


@settings(deadline=None)
@given(ENTRIES, st.data())
def test_a_damaged_frame_gives_all_that_was_framed_or_nothing(files, data):
    whole = frame_of(files)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    put = data.draw(st.one_of(st.just(b""), st.binary(max_size=50), st.just(whole[start:end] * 2)))
    assert read(whole[:start] + put + whole[end:]) in (files, None)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_within_an_honest_frame_are_read_or_refused(inside):
    for packed in (inside, gzip.compress(inside, mtime=0)):
        read(framed(MARKER, packed))
