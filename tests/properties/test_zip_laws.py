"""Laws of reading zips: whatever is in one, a typed error or safe paths come out."""

from __future__ import annotations

import hashlib
import io
import tempfile
import warnings
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from hypothesis import given, settings
from hypothesis import strategies as st

from changelog_tracker.collect.bundle import gather
from changelog_tracker.errors import InputError

PARTS = st.sampled_from(
    ["..", ".", "", " ", ".. ", "...", "C:", "c:x", "C", "files", "a", "A", "~", "con", "x\0y"]
) | st.text(max_size=6)
SEPARATORS = st.sampled_from(["/", "\\", "//", "/./"])
ENTRIES = st.lists(
    st.tuples(
        st.builds(lambda join, parts: join.join(parts), SEPARATORS, st.lists(PARTS, max_size=5)),
        st.binary(max_size=40),
        st.sampled_from([0, 0o100644, 0o040755, 0o120777, 0o010600]),
    ),
    max_size=4,
)


def packed(entries: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        for name, data, mode in entries:
            info = zipfile.ZipInfo("x")
            info.filename = name.encode("utf-8", "replace").decode()
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def paths_in(data: bytes) -> dict[str, bytes] | InputError:
    """What is read from a zip, or the error; anything else fails the law."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "EX01.zip")
        file.write_bytes(data)
        try:
            files = gather(file).files
        except InputError as error:
            return error
    assert all(hashlib.sha256(found.data).digest() == found.sha256 for found in files)
    return {found.path: found.data for found in files}


def is_safe(path: str) -> bool:
    """Whether a path stays below any folder, on Windows and elsewhere."""
    windows = PureWindowsPath(path)
    return (
        path == PurePosixPath(path).as_posix()
        and not windows.drive
        and not windows.root
        and not PurePosixPath(path).is_absolute()
        and all(part.strip(" .") for part in windows.parts)
        and "\\" not in path
        and "\0" not in path
    )


@given(ENTRIES)
@settings(deadline=None, max_examples=200)
def test_no_name_leads_out_of_a_zip(entries):
    """Either one line says what is wrong, or every path is relative and every file is there."""
    got = paths_in(packed(entries))
    if isinstance(got, InputError):
        assert str(got).isprintable()
        return
    assert all(is_safe(path) for path in got)
    assert len({path.casefold() for path in got}) == len(got)
    files = [data for name, data, _ in entries if not name.endswith(("/", "\\"))]
    assert sorted(got.values()) == sorted(files)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), st.data())
@settings(deadline=None, max_examples=300)
def test_a_damaged_zip_is_an_error_or_its_files(changes, data):
    """Bytes that changed are found, or did not matter."""
    entries = [("exchange/Owa.clixml", b"<Objs/>" * 9, 0), ("files/C/web.config", b"<a/>", 0)]
    damaged = bytearray(packed(entries))
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    cut = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    got = paths_in(bytes(damaged[:cut]))
    if not isinstance(got, InputError):
        assert sorted(got.values()) == sorted(content for _, content, _ in entries)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=300)
def test_any_bytes_named_zip_are_an_error(data):
    """What only pretends to be a zip never ends in a traceback."""
    assert isinstance(paths_in(b"PK\x03\x04" + data), InputError)
