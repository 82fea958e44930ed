"""Folders and single files: every byte below, nothing outside, and nothing without end."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from changelog_tracker.collect.bundle import gather
from changelog_tracker.collect.gathered import FoundFile, Gathered, UnreadFile
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.errors import InputError

REAL = Path("../shared/data/exchange/e19-second")
CONFIG = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
posix = pytest.mark.skipif(os.name == "nt", reason="Windows cannot make such a name or file")


def found(path: str, data: bytes) -> FoundFile:
    return FoundFile(path, data, hashlib.sha256(data).digest())


def put(root: Path, path: str, data: bytes = b"<configuration/>") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def refused(path: Path, limits=DEFAULT_LIMITS) -> InputError:
    with pytest.raises(InputError) as caught:
        gather(path, limits)
    error = caught.value
    assert error.exit_code == 1
    assert str(error).isprintable()
    assert error.hint is None or error.hint.isprintable()
    return error


def test_a_folder_is_read_whole(tmp_path):
    """Every file comes out with its path, bytes and digest, sorted, whatever its extension."""
    put(tmp_path, CONFIG, b"<configuration/>\r\n")
    put(tmp_path, "exchange/OwaVirtualDirectory.clixml", b"\xff\xfe<\0")
    put(tmp_path, "notes.txt", b"")
    assert gather(tmp_path) == Gathered(
        place=str(tmp_path),
        files=(
            found("exchange/OwaVirtualDirectory.clixml", b"\xff\xfe<\0"),
            found(CONFIG, b"<configuration/>\r\n"),
            found("notes.txt", b""),
        ),
        unread=(),
        manifest=None,
        single=False,
    )


def test_hidden_folders_are_read_as_others(tmp_path):
    """A folder is not passed over for its name."""
    put(tmp_path, ".git/config", b"[core]")
    assert gather(tmp_path).files == (found(".git/config", b"[core]"),)


def test_a_single_file_is_taken_under_its_own_name(tmp_path):
    """PATH may be one file."""
    file = put(tmp_path, "web.config")
    expected = Gathered(str(file), (found("web.config", b"<configuration/>"),), (), None, True)
    assert gather(file) == expected


@posix
def test_path_itself_may_be_a_link(tmp_path):
    """The user named the link, so it is followed; only links below it are refused."""
    put(tmp_path, "real/web.config")
    (tmp_path / "latest").symlink_to(tmp_path / "real")
    (tmp_path / "one.config").symlink_to(tmp_path / "real/web.config")
    assert [file.path for file in gather(tmp_path / "latest").files] == ["web.config"]
    assert [file.path for file in gather(tmp_path / "one.config").files] == ["one.config"]


def test_a_missing_path_is_refused_with_a_hint(tmp_path):
    """A path that is not there says what could be there."""
    error = refused(tmp_path / "EX01")
    assert str(error) == f"{tmp_path / 'EX01'}: there is no such file or folder"
    assert error.hint == "give a bundle (folder or zip), a backup folder, or a file"


def test_a_path_with_a_nul_is_refused():
    """What cannot be a path at all is an error line."""
    assert str(refused(Path("EX01\0"))) == "EX01\\x00: not a path"


def test_an_empty_folder_is_refused(tmp_path):
    """Folders alone are nothing to import."""
    (tmp_path / "files" / "C").mkdir(parents=True)
    assert refused(tmp_path).what == "holds no files"


@posix
@pytest.mark.parametrize("target", ["outside.config", "outside", "nowhere"])
def test_links_below_a_folder_are_refused(tmp_path, target):
    """A link to a file, to a folder or to nothing may lead out, and is named."""
    put(tmp_path, "outside.config")
    put(tmp_path, "outside/web.config")
    put(tmp_path, "backup/files/web.config")
    (tmp_path / "backup/files/link").symlink_to(tmp_path / target)
    assert refused(tmp_path / "backup").what == "files/link: a symbolic link"


@posix
def test_a_pipe_is_refused_without_opening(tmp_path):
    """Opening a pipe would wait for ever, as PATH and below it."""
    put(tmp_path, "web.config")
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path).what == "pipe: neither a file nor a folder"
    assert refused(tmp_path / "pipe").what == "expected a folder, a zip or a file"
    assert refused(Path("/dev/zero")).what == "expected a folder, a zip or a file"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    """Such a name can be neither kept nor shown; the message shows its bytes escaped."""
    (tmp_path / os.fsdecode(b"w\xe4b.config")).write_bytes(b"")
    assert refused(tmp_path).what == "w\\udce4b.config: the name is not valid UTF-8"
    assert refused(tmp_path / os.fsdecode(b"w\xe4b.config")).what == "the name is not valid UTF-8"


@posix
def test_a_name_with_a_control_character_is_refused(tmp_path):
    """A name cannot add lines to a message or send codes to a terminal."""
    put(tmp_path, "a\n\x1b[31mb")
    assert refused(tmp_path).what == "a\\n\\x1b[31mb: the name holds a control character"


def test_a_name_in_other_letters_is_kept(tmp_path):
    """Letters beyond ASCII and unusual spaces are no reason to refuse."""
    put(tmp_path, "Sicherung\u00a0für EX01/web.config")
    assert [f.path for f in gather(tmp_path).files] == ["Sicherung\u00a0für EX01/web.config"]


@posix
def test_a_name_with_a_backslash_is_refused(tmp_path):
    """It comes from a Windows zip that was unpacked badly; its path would be lost."""
    put(tmp_path, "files\\C\\web.config")
    assert refused(tmp_path).hint == "a zip from Windows was unpacked badly; import the zip itself"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system with case")
def test_names_that_differ_in_case_only_are_refused(tmp_path):
    """On the server they are one file, and nobody knows which."""
    put(tmp_path, "owa/Web.config")
    put(tmp_path, "owa/web.config")
    what = refused(tmp_path).what
    assert what == "owa/web.config: differs from owa/Web.config in case only"


def test_a_file_above_the_limit_is_unread(tmp_path):
    """One file that is too large does not spoil the rest."""
    put(tmp_path, "large.log", b"x" * 101)
    put(tmp_path, "web.config", b"y" * 100)
    gathered = gather(tmp_path, replace(DEFAULT_LIMITS, file_bytes=100))
    assert gathered.files == (found("web.config", b"y" * 100),)
    assert gathered.unread == (UnreadFile("large.log", "larger than 100 bytes"),)


def test_a_single_file_above_the_limit_is_refused(tmp_path):
    """PATH itself one bad file: nothing is imported."""
    file = put(tmp_path, "large.config", b"x" * 101)
    assert refused(file, replace(DEFAULT_LIMITS, file_bytes=100)).what == "larger than 100 bytes"


def test_a_folder_above_the_total_is_refused(tmp_path):
    """The sizes are added up before the first file is read."""
    put(tmp_path, "a", b"x" * 60)
    put(tmp_path, "b", b"x" * 60)
    limits = replace(DEFAULT_LIMITS, total_bytes=100)
    assert refused(tmp_path, limits).what == "more than 100 bytes of files"


def test_a_folder_with_too_many_files_is_refused(tmp_path):
    """Somebody named the whole disk."""
    for number in range(4):
        put(tmp_path, f"{number}/web.config")
    limits = replace(DEFAULT_LIMITS, files=7)
    assert refused(tmp_path, limits).what == "more than 7 files and folders"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user who can be denied")
def test_what_may_not_be_read_is_unread(tmp_path):
    """A file and a folder without permission are unread, with the system's reason."""
    put(tmp_path, "denied.config").chmod(0)
    put(tmp_path, "web.config")
    put(tmp_path, "denied/web.config").parent.chmod(0)
    gathered = gather(tmp_path)
    (tmp_path / "denied").chmod(0o700)
    assert [file.path for file in gathered.files] == ["web.config"]
    assert gathered.unread == (
        UnreadFile("denied", "Permission denied"),
        UnreadFile("denied.config", "Permission denied"),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that grows while it is read")
def test_a_file_that_changes_while_it_is_read_is_refused():
    """A file with more bytes than it was listed with (here the kernel's) is half of something."""
    assert refused(Path("/proc/self/status")).what == "it changed while it was read"


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not here")
def test_real_server_is_read_as_a_bare_walk_would(capsys):
    """The stage yields what a bare walk yields; the times of both are printed."""

    def bare() -> dict[str, bytes]:
        files = {}
        for folder, _, names in os.walk(REAL):
            for name in names:
                data = Path(folder, name).read_bytes()
                relative = Path(folder, name).relative_to(REAL).as_posix()
                files[relative] = hashlib.sha256(data).digest()
        return files

    expected = bare()
    start = time.perf_counter()
    bare()
    middle = time.perf_counter()
    gathered = gather(REAL)
    end = time.perf_counter()
    with capsys.disabled():
        sys.stdout.write(f"\nbare {middle - start:.4f} s, gather {end - middle:.4f} s\n")
    assert {file.path: file.sha256 for file in gathered.files} == expected
