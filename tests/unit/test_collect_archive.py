"""Zips: told by content, never unpacked to disk, never believed."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile

import pytest

from changelog_tracker.collect.bundle import gather
from changelog_tracker.collect.gathered import FoundFile, Gathered
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.errors import InputError


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


def test_a_zip_is_told_by_its_content(tmp_path):
    """Its name does not matter, and its files come out as those of a folder, sorted."""
    file = tmp_path / "EX01.bak"
    file.write_bytes(packed(("owa/", b""), ("owa/web.config", b"<a/>"), ("b.xml", b"")))
    files = (found("b.xml", b""), found("owa/web.config", b"<a/>"))
    assert gather(file) == Gathered(str(file), files, (), None, False)


def test_backslashes_separate(tmp_path):
    """The zips of Windows PowerShell have backslashes in their names, folders too."""
    file = tmp_path / "EX01.zip"
    file.write_bytes(packed(("files\\C\\", b""), ("files\\C\\web.config", b"<a/>")))
    assert gather(file).files == (found("files/C/web.config", b"<a/>"),)


def test_a_zip_inside_a_zip_stays_closed(tmp_path):
    """A nested zip is a file as any other."""
    inner = packed(("../../x", b"x"))
    file = tmp_path / "EX01.zip"
    file.write_bytes(packed(("inner.zip", inner)))
    assert gather(file).files == (found("inner.zip", inner),)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../web.config", "the name leads out of its folder"),
        ("files/../../web.config", "the name leads out of its folder"),
        ("files\\..\\..\\web.config", "the name leads out of its folder"),
        ("files/.. /web.config", "the name leads out of its folder"),
        ("/etc/passwd", "the name is absolute"),
        ("\\\\server\\share\\x", "the name is absolute"),
        ("C:\\Windows\\x", "the name starts with a drive letter"),
        ("C:/Windows/x", "the name starts with a drive letter"),
        ("c:x", "the name starts with a drive letter"),
        ("files/C:/x", "the name holds a colon"),
        ("web.config:stream", "the name holds a colon"),
        ("web.config\0.txt", "the name holds a control character"),
        ("a\nerror: b", "the name holds a control character"),
        ("../", "the name leads out of its folder"),
        ("x" * 1025, "the name is longer than 1024 characters"),
    ],
)
def test_names_that_lead_out_are_refused(tmp_path, name, reason):
    """One such entry, of a file or a folder, and nothing of the zip is taken."""
    what = refused(tmp_path, packed(("web.config", b""), (name, b"x" * (name[-1] != "/"))))
    assert what.endswith(f": {reason}")


def test_an_entry_without_a_name_is_refused(tmp_path):
    """A file has a name."""
    assert refused(tmp_path, packed(("", b"x"))) == "an entry without a name"


def test_the_letter_of_a_drive_as_a_folder_is_no_drive(tmp_path):
    """`files/C/...` is how bundles write a drive."""
    file = tmp_path / "EX01.zip"
    file.write_bytes(packed(("files/C/x", b"x"), ("./C/y", b"y")))
    assert [file.path for file in gather(file).files] == ["C/y", "files/C/x"]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (stat.S_IFLNK | 0o777, "a link"),
        (stat.S_IFIFO | 0o600, "neither a file nor a folder"),
        (stat.S_IFCHR | 0o600, "neither a file nor a folder"),
    ],
)
def test_links_and_devices_are_refused(tmp_path, mode, reason):
    """A zip may say that an entry is a link or a device."""
    assert refused(tmp_path, packed((entry("link", mode), b"/etc"))) == f"link: {reason}"


def test_windows_links_are_refused(tmp_path):
    """So may Windows' own attributes."""
    info = entry("link")
    info.external_attr = 0x400
    assert refused(tmp_path, packed((info, b"x"))) == "link: a link"


def test_encrypted_entries_are_refused(tmp_path):
    """No password is ever asked for."""
    data = bytearray(packed(("web.config", b"<a/>")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refused(tmp_path, bytes(data)) == "web.config: encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, method):
    """Windows writes stored and deflated entries; LZMA could ask for gigabytes."""
    info = entry("web.config")
    info.compress_type = method
    what = f"web.config: packed with method {method}, expected stored or deflated"
    assert refused(tmp_path, packed((info, b"<a/>"))) == what


def test_the_same_name_twice_is_refused(tmp_path):
    """Two programs could read two different files out of it."""
    what = refused(tmp_path, packed(("a/web.config", b"1"), ("a\\web.config", b"2")))
    assert what == "a/web.config: the same name twice"


def test_names_that_differ_in_case_only_are_refused(tmp_path):
    """On the server they are one file."""
    what = refused(tmp_path, packed(("Web.config", b"1"), ("web.config", b"2")))
    assert what == "web.config: differs from Web.config in case only"


def test_a_zip_of_nothing_is_refused(tmp_path):
    """An empty zip, and one with folders alone."""
    assert refused(tmp_path, packed()) == "holds no files"
    assert refused(tmp_path, packed(("files/", b""))) == "holds no files"


@pytest.mark.parametrize("data", [b"", b"PK", b"Rar!\x1a\x07", b"<html>"])
def test_a_zip_by_name_alone_is_refused(tmp_path, data):
    """A download that went wrong is not mistaken for an export."""
    assert refused(tmp_path, data, name="EX01.ZIP") == "not a zip, though its name says so"


def test_a_zip_with_a_comment_is_read(tmp_path):
    """A comment changes nothing."""
    file = tmp_path / "EX01.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("web.config", b"<a/>")
        archive.comment = b"made on EX01"
    assert gather(file).files == (found("web.config", b"<a/>"),)
