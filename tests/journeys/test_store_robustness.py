"""The store when things go wrong: locks, kills, full disks, damage, other people's files."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bundles import IIS, OWA, WEB, Program, bundle, iis, rows, vdir, web

from changelog_tracker.store import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST, SECOND = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"
FULL_HINT = "free some space or give write permission, then run the command again"
# Imports the second argument into the first; says so on standard output just before.
ONE_IMPORT = """
import signal
import sys
# A shell's background jobs ignore Ctrl-C, and so would what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
from changelog_tracker import cli, __main__
import changelog_tracker.pipeline.importing, changelog_tracker.store.database
print("ready", flush=True)
try:
    sys.stdin.readline()
    sys.exit(cli.run(["--store", sys.argv[1], "import", sys.argv[2]]))
except KeyboardInterrupt:
    # It came before the command or after it: a signal waits for no command to begin.
    sys.exit(130)
"""


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


@pytest.fixture
def second(tmp_path):
    """A bundle with enough in it that writing it takes a moment."""
    files = {OWA: vdir("Owa", ExternalUrl="https://mail.contoso.com/owa"), IIS: iis("None")}
    return bundle(tmp_path / "second", SECOND, {**files, WEB: web(a="2")})


def taken_once(program: Program) -> Program:
    assert program.take(FIRST, {OWA: vdir("Owa"), IIS: iis(), WEB: web(a="1")}).code == 0
    return program


def importing(store: Path, path: Path, **options) -> subprocess.Popen[str]:
    """A process that imports as soon as a line is written to it."""
    child = subprocess.Popen(
        [sys.executable, "-c", ONE_IMPORT, str(store), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert child.stdout.readline() == "ready\n"
    return child


def command(program: Program, *arguments: object) -> list[str]:
    return [
        sys.executable, "-m", "changelog_tracker", "--store", str(program.store),
        *map(str, arguments),
    ]  # fmt: skip


def sequence(program: Program) -> list[int]:
    return [row[0] for row in rows(program.store).get("journal", [])]


# --- at the same time ---------------------------------------------------------------------------


def test_imports_at_the_same_time_all_end_well(program, tmp_path):
    """Processes that import at once, into a store that none of them has made yet, take turns."""
    paths = [
        bundle(tmp_path / f"b{day}", f"2026-11-0{day}T10:00:00Z", {WEB: web(a=str(day))})
        for day in (1, 2, 3, 4)
    ]
    children = [importing(program.store, path) for path in paths]
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    ends = [child.communicate(timeout=60)[1] for child in children]
    assert [(child.returncode, err) for child, err in zip(children, ends, strict=True)] == [
        (0, "")
    ] * 4
    snapshots = program.run("snapshots", "--json").lines
    assert [line["at"][:10] for line in snapshots] == [f"2026-11-0{day}" for day in (1, 2, 3, 4)]
    assert sequence(program) == list(range(1, len(sequence(program)) + 1))
    live = [(line["before"], line["after"]) for line in program.log()]
    assert live == [("1", "2"), ("2", "3"), ("3", "4")]


def test_a_store_that_stays_locked_is_one_line(program, second, monkeypatch):
    """A store that another process holds for longer than the wait: exit 1, nothing stored."""
    taken_once(program)
    monkeypatch.setattr(database, "LOCK_WAIT_S", 0)
    before = rows(program.store)
    with contextlib.closing(sqlite3.connect(program.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = program.run("import", second)
        reading = program.run("log")
    assert (answer.code, answer.out) == (1, "")
    what = "another process held the store for more than 0 s; nothing was stored"
    hint = "wait until it has ended, then run the command again"
    assert answer.err == f"error: {program.store}: {what}\nhint: {hint}\n"
    assert reading.code == 0
    assert rows(program.store) == before


def test_a_store_that_is_released_in_time_is_taken(program, second):
    """An import waits for another's transaction to end."""
    taken_once(program)
    with contextlib.closing(sqlite3.connect(program.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        child = importing(program.store, second)
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(0.3)
        assert child.poll() is None
        other.execute("ROLLBACK")
        assert child.communicate(timeout=30)[1] == ""
    assert child.returncode == 0


# --- ended from outside -------------------------------------------------------------------------


def killed_at(program: Program, path: Path, delay_s: float, sign: signal.Signals) -> int:
    """Import in a process, end it so long after it began; give how it ended."""
    child = importing(program.store, path)
    child.stdin.write("\n")
    child.stdin.flush()
    time.sleep(delay_s)
    child.send_signal(sign)
    child.communicate(timeout=30)
    return child.returncode


def forks_killed(program: Program, path: Path, delays_s: list[float]) -> int:
    """
    Import in forks of this process, each killed so long after it began.

    A fork needs no 0.4 s to import Python's modules, so many kills hit the import itself.
    """
    hit = 0
    for delay_s in delays_s:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                program.run("import", path)
            os._exit(0)
        time.sleep(delay_s)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        hit += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        whole_or_not_at_all(program)
    return hit


def whole_or_not_at_all(program: Program) -> None:
    """The store opens, is sound to the last value, and holds one or two whole snapshots."""
    found = len(program.run("snapshots", "--json").lines)
    checked = program.run("check", "--read-data")
    assert (checked.code, checked.err) == (0, ""), checked.out
    assert found in {1, 2}
    assert sequence(program) == list(range(1, found + 1))
    assert len(program.changes()) == (3 if found == 2 else 0)


def killed_many_times(program: Program, second: Path, tmp_path: Path, count: int) -> None:
    taken_once(program)
    source = program.store.read_bytes()
    spread = random.Random(count)
    program.run("import", second)
    hit = 0
    for _ in range(count):
        program.store.write_bytes(source)
        for left in program.folder.glob("changelog.db-*"):
            left.unlink()
        hit += forks_killed(program, second, [spread.uniform(0, 0.06)])
        again = program.run("import", second)
        assert (again.code, again.err) == (0, "")
        assert len(program.changes()) == 3
    assert hit > count // 4


def test_a_killed_import_is_whole_or_not_at_all(program, second, tmp_path):
    """After kill -9 at any point the store opens, and takes the import again."""
    killed_many_times(program, second, tmp_path, 25)


@pytest.mark.long
def test_a_thousand_killed_imports(program, second, tmp_path):
    """The same, a thousand times."""
    killed_many_times(program, second, tmp_path, 1000)


def test_a_killed_first_import_leaves_what_the_next_one_takes(tmp_path, second):
    """Nor does a kill while store and key are made for the first time leave half of them."""
    spread = random.Random(1)
    for number in range(20):
        fresh = Program(tmp_path / str(number))
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                fresh.run("import", second)
            os._exit(0)
        time.sleep(spread.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        again = fresh.run("import", second)
        assert (again.code, again.err) == (0, "")
        assert sequence(fresh) == [1]


def test_ctrl_c_rolls_everything_back(program, second):
    """SIGINT in the middle of an import: exit 130, one line, the store as it was."""
    taken_once(program)
    before = rows(program.store)
    with contextlib.closing(sqlite3.connect(program.store, isolation_level=None)) as other:
        # Held up here, the import is certainly inside its command.
        other.execute("BEGIN IMMEDIATE")
        child = importing(program.store, second)
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        other.execute("ROLLBACK")
        out, err = child.communicate(timeout=40)
    assert (child.returncode, out, err) == (
        130,
        "",
        "error: interrupted: everything of this command was rolled back\n",
    )
    assert rows(program.store) == before


def test_ctrl_c_at_any_moment(program, second):
    """Wherever SIGINT comes, an import ends with 130 or 0, and is whole or not at all."""
    taken_once(program)
    source = program.store.read_bytes()
    for delay_s in (0, 0.01, 0.02, 0.03, 0.05):
        program.store.write_bytes(source)
        assert killed_at(program, second, delay_s, signal.SIGINT) in {0, 130}
        whole_or_not_at_all(program)


# --- no room ------------------------------------------------------------------------------------


def in_a_small_world(program: Program, path: Path, most_bytes: int) -> tuple[int, str]:
    """Import where no file may grow beyond a size: what the disk says when it is full."""
    return elsewhere(program, ["import", path], lambda: no_file_beyond(most_bytes))


def no_file_beyond(most_bytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def as_somebody_else() -> None:
    """Become an account that owns nothing here; root may write anywhere."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def elsewhere(
    program: Program, arguments: list[object], enter: Callable[[], None]
) -> tuple[int, str]:
    """Run a command in a fork that has entered some other world; give exit code and errors."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        with contextlib.suppress(BaseException):
            enter()
            answer = program.run(*arguments)
            os.write(writer, answer.err.encode())
            code = answer.code
        os._exit(code)
    os.close(writer)
    with open(reader, encoding="utf-8") as errors:  # noqa: PTH123
        said = errors.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def test_a_full_disk_is_one_line(program, tmp_path):
    """However little room is left: exit 5, one line, and the store as it was before."""
    taken_once(program)
    before = rows(program.store)
    big = {WEB: web(**{f"k{n}": random.Random(n).randbytes(40).hex() for n in range(2000)})}
    path = bundle(tmp_path / "big", SECOND, {**big, OWA: vdir("Owa", LogonFormat="UserName")})
    size = program.store.stat().st_size
    ends = set()
    for most_bytes in (512, 4096, 8192, 20_000, size - 1, size, size + 4096, size + 40_960):
        code, err = in_a_small_world(program, path, most_bytes)
        assert rows(program.store) == before
        assert code == 5
        ends.add(err.partition("; ")[0].partition(": cannot")[0])
        assert err.count("\n") == 2
        assert err.endswith(f"hint: {FULL_HINT}\n")
    assert ends == {f"error: {program.store}"}
    assert program.run("import", path).code == 0


WRITING = {
    "import": lambda folder: ["import", folder / "second"],
    "late": lambda folder: ["import", folder / "late"],
    "document": lambda _: ["document", "2.1", "2.2", "--reason", "asked for"],
    "baseline": lambda _: ["baseline", "set", "EX01", "latest"],
    "prune": lambda _: ["prune", "--older-than", "1d", "--yes"],
}


@pytest.fixture
def grown():
    """A store that every writing command has something to do in, in a folder that all may enter."""
    with tempfile.TemporaryDirectory(prefix="changelog-tracker-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        program = taken_once(Program(folder / "store"))
        program.take("2026-11-03T10:00:00Z", {OWA: vdir("Owa"), IIS: iis("None"), WEB: web(a="2")})
        program.take("2026-11-04T10:00:00Z", {OWA: vdir("Owa"), IIS: iis("None"), WEB: web(a="3")})
        files = {OWA: vdir("Owa", ExternalUrl="https://mail.contoso.com/owa"), WEB: web(a="2")}
        bundle(folder / "second", "2026-11-05T10:00:00Z", files)
        bundle(folder / "late", SECOND, files)
        (folder / "passphrase").write_text("twelve or more characters")
        yield program
        program.folder.chmod(0o755)


@pytest.mark.parametrize("name", WRITING)
def test_every_command_that_writes_minds_a_full_disk(grown, name):
    """At whatever byte the room ends: one line, exit 5, and the store as it was before."""
    arguments = WRITING[name](grown.folder.parent)
    before, source = rows(grown.store), grown.store.read_bytes()
    full = 0
    for most_bytes in (0, 512, 1024, 4096, 10_000, len(source) // 2, len(source) - 1):
        code, err = elsewhere(grown, arguments, lambda most=most_bytes: no_file_beyond(most))
        if code == 0:
            # What is written lies all before this byte.
            grown.store.write_bytes(source)
            continue
        full += 1
        assert rows(grown.store) == before
        assert (code, err.count("\n")) == (5, 2)
        assert err.startswith(f"error: {grown.store}: cannot be written: ")
        assert err.endswith(f"; the store is as it was before\nhint: {FULL_HINT}\n")
    assert full >= 4
    assert grown.run("check", "--read-data").code == 0
    assert grown.run(*arguments).code == 0


@contextlib.contextmanager
def small_file_system(folder: Path, size: int) -> Iterator[None]:
    """Mount a file system of so many bytes over a folder; only root may."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: that takes root on Linux")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", WRITING)
def test_every_command_that_writes_minds_a_small_file_system(grown, name, tmp_path):
    """On a disk that is really full: one line, exit 5, and the store as it was before."""
    arguments = WRITING[name](grown.folder.parent)
    before = rows(grown.store)
    small = Program(tmp_path / "small")
    with small_file_system(small.folder, grown.store.stat().st_size + 65_536):
        for file in ("changelog.db", "changelog.key"):
            shutil.copy(grown.folder / file, small.folder / file)
        filler = small.folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as out:
            while True:
                out.write(bytes(4096))
                out.flush()
        answer = small.run(*arguments)
        assert (answer.code, answer.err) == (
            5,
            (
                f"error: {small.store}: cannot be written: database or disk is full; "
                f"the store is as it was before\nhint: {FULL_HINT}\n"
            ),
        )
        assert rows(small.store) == before
        filler.unlink()
        assert small.run("check", "--read-data").code == 0
        assert small.run(*arguments).code == 0


MODES = {
    "nothing may be written": (0o444, 0o555),
    "the folder": (0o666, 0o555),
    "the file": (0o444, 0o777),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_command_that_writes_minds_a_read_only_store(grown, mode):
    """A file or folder that may not be written to: one line that says so, exit 5; reading works."""
    file_mode, folder_mode = MODES[mode]
    before = rows(grown.store)
    (grown.folder / "changelog.key").chmod(0o644)
    grown.store.chmod(file_mode)
    grown.folder.chmod(folder_mode)
    for arguments in (make(grown.folder.parent) for make in WRITING.values()):
        assert elsewhere(grown, arguments, as_somebody_else) == (
            5,
            (
                f"error: {grown.store}: cannot be written: attempt to write a readonly database; "
                f"the store is as it was before\nhint: {FULL_HINT}\n"
            ),
        )
    for arguments in (["log"], ["show", "EX01"], ["check", "--read-data"]):
        assert elsewhere(grown, arguments, as_somebody_else) == (0, "")
    grown.folder.chmod(0o755)
    assert rows(grown.store) == before


def test_a_key_is_exported_though_the_store_cannot_take_note(grown):
    """Without room in the store the copy is made, and one line says what is not noted."""
    out = grown.folder.parent / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    before = rows(grown.store)
    (grown.folder / "changelog.key").chmod(0o644)
    grown.store.chmod(0o444)
    passphrase = grown.folder.parent / "passphrase"
    arguments = ["key", "export", out / "key.json", "--passphrase-file", passphrase]
    code, err = elsewhere(grown, arguments, as_somebody_else)
    assert (code, err) == (
        0,
        (
            f"note: the store took no note of it: {grown.store}: cannot be written: "
            "attempt to write a readonly database; the store is as it was before\n"
        ),
    )
    assert (out / "key.json").is_file()
    assert rows(grown.store) == before


def test_a_store_that_may_not_be_opened_is_one_line(grown):
    """Nor may a store that this account cannot even read be taken for a full one."""
    grown.store.chmod(0o600)
    if os.geteuid() != 0:
        grown.store.chmod(0)
    for arguments in (["log"], ["check"], ["document", "2.1", "--reason", "x"]):
        assert elsewhere(grown, arguments, as_somebody_else) == (
            5,
            (
                f"error: {grown.store}: cannot be opened or written: unable to open database file; "
                f"the store is as it was before\nhint: {FULL_HINT}\n"
            ),
        )


def test_a_new_store_without_room_is_one_line(tmp_path, second):
    """Where not even a new store has room, the same line, and the next import works."""
    for most_bytes in (100, 4096, 40_000):
        fresh = Program(tmp_path / f"fresh{most_bytes}")
        code, err = in_a_small_world(fresh, second, most_bytes)
        assert (code, err.count("\n")) == (5, 2)
        assert err.startswith(f"error: {fresh.store}: cannot be written: ")
        assert err.endswith(f"hint: {FULL_HINT}\n")
        assert fresh.run("import", second).code == 0


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, second):
    """A place where no file can be made: exit 5, and it is named."""
    program = Program(tmp_path / "store")
    program.store = tmp_path / "notes.txt" / "changelog.db"
    (tmp_path / "notes.txt").write_text("hello")
    answer = program.run("import", second)
    assert (answer.code, answer.out, answer.err.count("error: ")) == (1, "", 1)
    assert answer.err.count("\n") <= 2


# --- what is no store ---------------------------------------------------------------------------


def other_database(store: Path) -> None:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE letters (text)")


def with_schema(number: str):
    def make(store: Path) -> None:
        taken_once(Program(store.parent))
        with contextlib.closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))

    return make


def cut(share: float):
    def make(store: Path) -> None:
        taken_once(Program(store.parent))
        os.truncate(store, int(store.stat().st_size * share))

    return make


DAMAGED = "is damaged or not a store: "
NO_STORES = {
    "a folder": (lambda store: store.mkdir(), 1, "is a folder; expected the store's file"),
    "a text": (
        lambda store: store.write_text("hello\n" * 1000),
        5,
        f"{DAMAGED}file is not a database",
    ),
    "another database": (other_database, 1, "is a database, but not a store of changelog_tracker"),
    "newer": (
        with_schema("9999"),
        1,
        "has schema 9999, written by a newer changelog_tracker; this one knows 0003",
    ),
    "older": (with_schema("0000"), 1, "has schema 0000; this program needs 0003"),
    "half of it": (cut(0.5), 5, f"{DAMAGED}database disk image is malformed"),
    "most of it": (cut(0.95), 5, f"{DAMAGED}database disk image is malformed"),
    "its first bytes": (cut(0.01), 5, f"{DAMAGED}database disk image is malformed"),
}


@pytest.mark.parametrize("case", NO_STORES)
def test_what_is_no_store_is_left_alone(program, second, case):
    """What cannot be used as a store is one line, whatever the command, and is not touched."""
    make, code, what = NO_STORES[case]
    make(program.store)
    before = program.store.read_bytes() if program.store.is_file() else None
    for arguments in (
        ["import", second],
        ["log"],
        ["show", "EX01"],
        ["document", "1.1", "--reason", "x"],
    ):
        answer = program.run(*arguments)
        assert (answer.code, answer.out) == (code, "")
        assert answer.err.splitlines()[0] == f"error: {program.store}: {what}"
        assert len(answer.err.splitlines()) <= 2
    assert (program.store.read_bytes() if program.store.is_file() else None) == before


@pytest.mark.parametrize("case", ["a folder", "a text", "another database", "newer", "older"])
def test_upgrade_leaves_alone_what_it_cannot_upgrade(program, case):
    """`db upgrade` never writes its tables into somebody else's file."""
    make, code, _ = NO_STORES[case]
    make(program.store)
    before = program.store.read_bytes() if program.store.is_file() else None
    answer = program.run("db", "upgrade")
    assert (answer.code, answer.out, answer.err.count("error: ")) == (code, "", 1)
    assert (program.store.read_bytes() if program.store.is_file() else None) == before


def test_reading_does_not_make_a_store(program):
    """A command that only reads says that there is no store, and makes none."""
    for arguments in (
        ["log"],
        ["show", "EX01"],
        ["snapshots"],
        ["drift", "EX01"],
        ["document", "1.1", "--reason", "x"],
    ):
        answer = program.run(*arguments)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == (
            f"error: {program.store}: there is no store yet\n"
            "hint: make the first snapshot with: changelog-tracker import PATH\n"
        )
    assert list(program.folder.iterdir()) == []


def test_a_key_that_is_none_is_one_line(program, second):
    """A key file that cannot be one is said; it is not replaced."""
    key = program.folder / "changelog.key"
    for text, what in (
        ("no key", "is no key: expected hexadecimal digits"),
        ("abcd", "is shorter than 32 bytes"),
        ("", "is shorter than 32 bytes"),
    ):
        key.write_text(text)
        answer = program.run("import", second)
        assert (answer.code, answer.err.splitlines()[0]) == (1, f"error: {key}: {what}")
        assert key.read_text() == text


def test_the_key_is_for_its_owner_alone(program):
    """The key is made beside the store, readable by nobody else, and stays as it is."""
    taken_once(program)
    key = program.folder / "changelog.key"
    first = key.read_text()
    assert (key.stat().st_mode & 0o777, len(bytes.fromhex(first))) == (0o600, 32)
    program.take(SECOND, {OWA: vdir("Owa")})
    assert key.read_text() == first
    assert [file.name for file in program.folder.glob("changelog.key*")] == ["changelog.key"]


# --- where output goes --------------------------------------------------------------------------


def test_a_reader_that_leaves_is_no_error(program):
    """`log | head -1` ends quietly, with 0."""
    settings = {f"k{n}": "x" * 100 for n in range(3000)}
    program.take(FIRST, {OWA: vdir("Owa"), WEB: web(**settings)})
    for arguments in (["show", "EX01"], ["show", "EX01", "--json"]):
        child = subprocess.Popen(
            command(program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert child.stdout.readline()
        child.stdout.close()
        assert (child.stderr.read(), child.wait(timeout=30)) == (b"", 0)
        child.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_output_that_cannot_be_written_is_one_line(program):
    """A full disk behind standard output is said, not a traceback."""
    settings = {f"k{n}": "x" * 100 for n in range(1000)}
    program.take(FIRST, {OWA: vdir("Owa"), WEB: web(**settings)})
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            command(program, "show", "EX01"), stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "error: output: failed: No space left on device\n")


def test_a_report_file_appears_whole_or_not_at_all(program, tmp_path):
    """`log -o FILE` in a folder that is not there is one line."""
    taken_once(program)
    answer = program.run("log", "-o", tmp_path / "no" / "log.txt")
    assert (answer.code, answer.err) == (
        1,
        f"error: {tmp_path / 'no' / 'log.txt'}: cannot be written: No such file or directory\n",
    )
