"""The frame: all of it comes out, or nothing does."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "lab"))

from canned_frames import entry, framed

from changelog_tracker.collect.frame import has_ended, read_frame
from changelog_tracker.collect.limits import DEFAULT_LIMITS, Limits
from changelog_tracker.errors import DamagedAnswerError

MARKER = "0123456789abcdef" * 2
FILES = {
    "files/C/Windows/System32/inetsrv/config/applicationHost.config": random.Random(7).randbytes(
        20_000
    ),
    "exchange/OwaVirtualDirectory.clixml": b"",
    "bundle.json": b"{}\n",
}
AGAIN = "take it again; if it stays so, look at what is between here and the server"
HEADER = "its answer has an entry whose header cannot be read"


def packed(files):
    return gzip.compress(b"".join(entry(*one) for one in files.items()), mtime=0)


def head(path, size, digest):
    return json.dumps({"path": path, "size": size, "sha256": digest}).encode("ascii") + b"\n"


WHOLE = framed(MARKER, packed(FILES))
SHA = hashlib.sha256(b"x").hexdigest()


def refused(output, limits=DEFAULT_LIMITS):
    """Read what must not be believed; give what is told of it."""
    with pytest.raises(DamagedAnswerError) as raised:
        read_frame(output, MARKER, "EX01", limits)
    assert raised.value.place == "EX01"
    assert raised.value.hint == AGAIN
    what, end, rest = raised.value.what.partition("; nothing of it was taken")
    assert (end, rest) == ("; nothing of it was taken", "")
    return what


def unpacked(*parts):
    return framed(MARKER, gzip.compress(b"".join(parts), mtime=0))


def test_a_whole_frame_gives_each_entry_in_its_order():
    assert list(read_frame(WHOLE, MARKER, "EX01", DEFAULT_LIMITS).items()) == list(FILES.items())


@pytest.mark.parametrize(
    "output",
    [
        b"Willkommen auf EX01\r\n" + WHOLE,
        WHOLE + b"WARNING: the end\r\n",
        WHOLE.replace(b"\n", b"\r\n"),
        b"\xff\xfe\x00" + WHOLE + b"\x00",
        framed("f" * 32, packed({"bundle.json": b"another"})) + WHOLE,
        WHOLE.replace(b"a", b"a", 1) + b"text [changelog-frame %b begin] text" % MARKER.encode(),
    ],
)
def test_what_stands_around_the_frame_does_not_matter(output):
    assert read_frame(output, MARKER, "EX01", DEFAULT_LIMITS) == FILES


def test_backslashes_and_no_case_are_read_as_windows_does():
    read = read_frame(unpacked(head("a\\B.txt", 1, SHA), b"x"), MARKER, "EX01", DEFAULT_LIMITS)
    assert read == {"a/B.txt": b"x"}


def test_it_is_told_whether_a_frame_came_to_its_end():
    assert has_ended(WHOLE, MARKER)
    assert not has_ended(WHOLE[:-100], MARKER)
    assert not has_ended(WHOLE, "f" * 32)


def test_an_answer_without_a_frame_is_refused():
    told = "it gave no answer that begins as one"
    assert refused(b"") == told
    assert refused(b"hello\r\n") == told
    assert refused(framed("f" * 32, packed(FILES))) == told
    assert refused(b"x" + WHOLE.lstrip(b"\n")) == told


def test_a_frame_that_is_cut_anywhere_is_refused():
    for end in range(0, len(WHOLE.rstrip()), 97):
        assert refused(WHOLE[:end])


def test_a_frame_without_its_beginning_is_refused():
    for start in range(2, len(WHOLE), 97):
        assert refused(WHOLE[start:])


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (WHOLE + WHOLE, "its answer has 2 beginnings and 2 ends; expected one of each"),
        (
            WHOLE + WHOLE.splitlines(keepends=True)[-1],
            "its answer has 1 beginnings and 2 ends; expected one of each",
        ),
        (
            WHOLE[:5001] + b"\n" + WHOLE,
            "its answer has 2 beginnings and 1 ends; expected one of each",
        ),
        (
            b"".join(reversed(WHOLE.splitlines(keepends=True))),
            "its answer ends before it begins",
        ),
    ],
)
def test_a_frame_that_is_doubled_or_turned_round_is_refused(output, told):
    assert refused(output) == told


def test_a_piece_that_came_twice_or_never_is_refused():
    start, end = WHOLE.index(b"]\n") + 2, WHOLE.rindex(b"\n[")
    for at in range(start, end - 500, 997):
        piece = WHOLE[at : at + 500]
        assert refused(WHOLE[:at] + piece + WHOLE[at:])
        assert refused(WHOLE[:at] + WHOLE[at + 500 :])


def test_one_changed_byte_is_refused_wherever_it_is():
    start, end = WHOLE.index(b"]\n") + 2, WHOLE.rindex(b"\n[")
    for at in range(start, end, 53):
        other = b"A" if WHOLE[at : at + 1] != b"A" else b"B"
        assert refused(WHOLE[:at] + other + WHOLE[at + 1 :])


def test_text_within_the_frame_is_refused():
    lines = WHOLE.splitlines(keepends=True)
    told = "its answer is not base64"
    assert refused(b"".join([*lines[:2], b"WARNING: disk is full!\r\n", *lines[2:]])) == told
    assert refused(b"".join([*lines[:2], b"====\n", *lines[2:]])) == told
    assert refused(b"".join([*lines[:2], "\u00fc\n".encode(), *lines[2:]])) == told


def test_a_wrong_length_or_hash_is_refused():
    size = len(packed(FILES))
    more = WHOLE.replace(b" end %d " % size, b" end %d " % (size + 1))
    assert refused(more) == f"its answer has {size:,} bytes; it says {size + 1:,}"
    digest = hashlib.sha256(packed(FILES)).hexdigest().encode()
    other = WHOLE.replace(digest, hashlib.sha256(b"").hexdigest().encode())
    assert refused(other) == "its answer was changed on the way: the SHA-256 is another"


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (b"", "its answer is not one whole gzip"),
        (b"no gzip at all", "its answer is no gzip"),
        (packed(FILES)[:-20], "its answer is not one whole gzip"),
        (packed(FILES) + b"more", "its answer is not one whole gzip"),
        (packed(FILES) + packed(FILES), "its answer is not one whole gzip"),
        (gzip.compress(b"", mtime=0), "its answer is empty"),
    ],
)
def test_what_is_no_whole_gzip_is_refused(inside, told):
    assert refused(framed(MARKER, inside)) == told


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((head("a", 2, SHA), b"x"), "its answer ends inside an entry"),
        ((head("a", 1, SHA), b"y"), "its answer has an entry with another SHA-256"),
        ((head("a", 1, SHA), b"x", b"more"), "its answer has an entry without a header"),
        ((b"x" * 70_000,), "its answer has an entry without a header"),
        ((head("a", 1, SHA), b"x") * 2, "its answer has an entry twice"),
        (
            (head("a", 1, SHA), b"x", head("A", 1, SHA), b"x"),
            "its answer has an entry twice: A: differs from a in case only",
        ),
        ((head("../a", 1, SHA), b"x"), HEADER),
        ((head("a/../../b", 1, SHA), b"x"), HEADER),
        ((head("a/.. /b", 1, SHA), b"x"), HEADER),
        ((head("/etc/passwd", 1, SHA), b"x"), HEADER),
        ((head("C:\\Windows\\a", 1, SHA), b"x"), HEADER),
        ((head("a:stream", 1, SHA), b"x"), HEADER),
        ((head("a\n", 1, SHA), b"x"), HEADER),
        ((head("", 1, SHA), b"x"), HEADER),
        ((head("a" * 2000, 1, SHA), b"x"), HEADER),
        ((head(["a"], 1, SHA), b"x"), HEADER),
        ((head("a", True, SHA), b"x"), HEADER),
        ((head("a", -1, SHA), b"x"), HEADER),
        ((head("a", 1.0, SHA), b"x"), HEADER),
        ((head("a", "1", SHA), b"x"), HEADER),
        ((head("a", 1, SHA[:-2]), b"x"), HEADER),
        ((head("a", 1, "z" * 64), b"x"), HEADER),
        ((head("a", 1, None), b"x"), HEADER),
        ((b"[]\n",), HEADER),
        ((b"null\n",), HEADER),
        ((b"\n",), HEADER),
        ((b'{"path": "a"}\n',), HEADER),
        ((b"[" * 60_000 + b"\n",), HEADER),
        ((b"\xff\xfe{\n",), HEADER),
        ((b'{"path":"a","size":' + b"9" * 5000 + b',"sha256":""}\n',), HEADER),
    ],
)
def test_a_wrong_entry_is_refused_with_all_the_others(parts, told):
    assert refused(unpacked(head("good", 1, SHA), b"x", *parts)) == told


def test_more_than_the_limits_is_refused():
    by_hand = "make a bundle on the server, and import that"
    for limits, told in (
        (DEFAULT_LIMITS, "its answer unpacks to more than 11 MiB"),
        (Limits(zip_total_bytes=1000), "its answer unpacks to more than 1000 bytes"),
    ):
        with pytest.raises(DamagedAnswerError) as raised:
            read_frame(unpacked(b"\0" * 60_000_000), MARKER, "EX01", limits)
        assert (raised.value.what, raised.value.hint) == (told, by_hand)
    assert refused(WHOLE, Limits(zip_entries=2)) == "its answer has more than 2 entries"
