"""Zips that are too large, damaged or lie about themselves."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import struct
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import pytest

from changelog_tracker.collect.bundle import gather
from changelog_tracker.collect.gathered import FoundFile
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.errors import InputError

MIB = 1024 * 1024
MEASURED = """
import sys, time
from pathlib import Path
from changelog_tracker.collect.bundle import gather
from changelog_tracker.errors import InputError
start = time.perf_counter()
try:
    gather(Path(sys.argv[1]))
except InputError as error:
    print(error.what)
print(time.perf_counter() - start)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """An entry with exactly this name, which zipfile would else tidy up."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = mode << 16
    return info


def packed(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(entry(name) if isinstance(name, str) else name, data)
    return buffer.getvalue()


def refused(tmp_path, data: bytes, limits=DEFAULT_LIMITS, name="EX01.zip") -> str:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(InputError) as caught:
        gather(file, limits)
    assert str(caught.value).isprintable()
    assert caught.value.hint
    assert caught.value.exit_code == 1
    return caught.value.what


def found(path: str, data: bytes) -> FoundFile:
    return FoundFile(path, data, hashlib.sha256(data).digest())


def test_a_zip_bomb_is_refused_in_little_time_and_memory(tmp_path):
    """200 MiB of zeros are seen through after the first 10 MiB."""
    file = tmp_path / "EX01.zip"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("web.config", "w", force_zip64=True) as bomb,
    ):
        for _ in range(200):
            bomb.write(bytes(MIB))
    start = time.perf_counter()
    limits = replace(DEFAULT_LIMITS, zip_total_bytes=1024 * MIB)
    what = refused(tmp_path, file.read_bytes(), limits)
    assert what == "unpacks to more than 200 times its size, as a zip bomb does"
    assert time.perf_counter() - start < 5


def test_what_a_zip_declares_is_not_believed(tmp_path):
    """A bomb that declares ten bytes gives ten bytes, and then its checksum is wrong."""
    data = bytearray(packed(("web.config", bytes(20 * MIB))))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 10)
    assert refused(tmp_path, bytes(data)).startswith("a damaged zip: Bad CRC-32")


def test_many_entries_over_the_same_bytes_are_refused(tmp_path):
    """Entries that share one bomb do not each have their own ratio (a Fifield bomb)."""
    kernel = packed(("a0000", b"\0" * (MIB // 4)))
    start, end = kernel.index(b"PK\x01\x02"), kernel.index(b"PK\x05\x06")
    one = kernel[start:end]
    count = 400
    directory = b"".join(one.replace(b"a0000", b"a%04d" % n) for n in range(count))
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0)
    what = refused(tmp_path, kernel[:start] + directory + tail)
    # zipfile holds the local name against the listed one, so the second entry is the last.
    assert what.startswith("a damaged zip: File name in directory")


def test_a_zip_above_the_total_is_refused(tmp_path):
    """By what it declares, before the first byte is unpacked."""
    limits = replace(DEFAULT_LIMITS, zip_total_bytes=100)
    data = packed(("a", b"x" * 60), ("b", b"y" * 60))
    assert refused(tmp_path, data, limits) == "more than 100 bytes unpacked"


def test_a_zip_with_too_many_entries_is_refused(tmp_path):
    """Folders count."""
    data = packed(*((f"{n}/", b"") for n in range(8)))
    limits = replace(DEFAULT_LIMITS, zip_entries=7)
    assert refused(tmp_path, data, limits) == "more than 7 entries"


def test_a_list_of_entries_without_end_is_refused(tmp_path):
    """The list inside a zip is read as a whole, so its size is bounded before."""
    data = packed(*((f"{n:0200}", b"") for n in range(100)))
    limits = replace(DEFAULT_LIMITS, zip_directory_bytes=2000)
    what = "a damaged zip: its list of files is over 2000 bytes"
    assert refused(tmp_path, data, limits) == what


def test_a_wrong_checksum_is_refused(tmp_path):
    """A stored entry with one other byte."""
    info = entry("web.config")
    info.compress_type = zipfile.ZIP_STORED
    data = packed((info, b"<configuration/>")).replace(b"<conf", b"<cons")
    assert refused(tmp_path, data).startswith("a damaged zip: Bad CRC-32")


def test_a_list_shorter_than_declared_is_refused(tmp_path):
    """A longer comment on the first entry swallows the second, and zipfile does not say so."""
    data = bytearray(packed(("a", b"1"), ("b", b"2")))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[first + 32] = data.index(b"PK\x05\x06") - second
    what = "a damaged zip: its list of files is not as long as its end says"
    assert refused(tmp_path, bytes(data)) == what


def sample() -> bytes:
    return packed(
        ("exchange/OwaVirtualDirectory.clixml", b"<Objs>" + b"<Obj/>" * 200 + b"</Objs>"),
        ("files/C/inetpub/wwwroot/web.config", bytes(range(256)) * 8),
    )


@pytest.mark.parametrize("part", range(50))
def test_a_truncated_zip_is_refused(tmp_path, part):
    """Wherever a download was cut off."""
    whole = sample()
    refused(tmp_path, whole[: len(whole) * part // 50])


def test_a_flipped_bit_is_refused_or_harmless(tmp_path):
    """Either nothing is taken, or what is taken is what was packed."""
    whole, file = sample(), tmp_path / "EX01.zip"
    file.write_bytes(whole)
    expected = {found.path: found.data for found in gather(file).files}
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        file.write_bytes(damaged)
        with contextlib.suppress(InputError):
            assert {found.path: found.data for found in gather(file).files} == expected


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_the_largest_zip_stays_below_400_mb(tmp_path):
    """The most that is ever taken, in one entry with a wrong checksum at its end."""
    file = tmp_path / "EX01.zip"
    noise = random.Random(1).randbytes(MIB)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("noise", noise * 256)
    with file.open("r+b") as damaged:
        damaged.seek(-MIB, os.SEEK_END)
        damaged.write(b"EX01")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(file)], capture_output=True, text=True, check=True
    )
    what, seconds, kibibytes = done.stdout.splitlines()
    assert what == "a damaged zip: Bad CRC-32 for file 'noise'"
    assert float(seconds) < 5
    assert int(kibibytes) < 400_000
