"""`doctor`: one screen, with what to do for each line that is not good; it changes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import sqlite3
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bundles import IIS, OWA, WEB, Program, iis, vdir, web
from test_postgres import database  # noqa: F401  a fixture

from changelog_tracker import __version__
from changelog_tracker.normalise.secrets import Fingerprints
from changelog_tracker.pipeline.health import place
from changelog_tracker.pipeline.health.check import Check, age, size
from changelog_tracker.pipeline.health.servers import longest_wait

PASSPHRASE = "correct horse battery"
HEAD = f"""\
ok    program: changelog-tracker {__version__}, PYTHON
ok    catalogue: 1, rules 1
ok    configuration: no file
"""
TAIL = """\
ok    optional parts: PSYCOPG
ok    transports: TRANSPORTS
"""
STORE = "ok    store: FOLDER/changelog.db, SQLite, SIZE, schema 0003 as this program's\n"
SQLITE = "ok    SQLite: VERSION\nok    disk: SIZE free\n"
KEY = """\
ok    key: FOLDER/changelog.key, KEY
ok    snapshots: newest ones were fingerprinted with this key
"""
COPY = """\
note  copy of the key: never exported, and the key lies on the store's disk
      do: changelog-tracker key export FILE, and keep FILE elsewhere, apart from its passphrase
"""
PLACE = "ok    place: on HOST, no server that the store records\n"
FRESH = "ok    server EX01: newest snapshot less than a minute old\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CHANGELOG_TRACKER")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CHANGELOG_TRACKER_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path)
    return Program(tmp_path / "store")


def ago(**passed: float) -> str:
    return (datetime.now(tz=UTC) - timedelta(**passed)).isoformat()


def taken(program: Program) -> Program:
    assert program.take(ago(seconds=5), {OWA: vdir("Owa"), WEB: web(password="x")}).code == 0
    return program


def told(program: Program, *arguments: str) -> tuple[int, str]:
    """Run doctor; what differs from machine to machine is replaced."""
    answer = program.run("doctor", *arguments)
    assert answer.err == ""
    said = answer.out.replace(str(program.folder), "FOLDER").replace(platform.node(), "HOST")
    key = program.folder / "changelog.key"
    with contextlib.suppress(OSError, ValueError):
        said = said.replace(Fingerprints(bytes.fromhex(key.read_text())).key_id, "KEY")
    for pattern, name in (
        (rf"{platform.python_implementation()} {platform.python_version()}", "PYTHON"),
        (r"(?<=SQLite, )[\d.,]+ \w+", "SIZE"),
        (r"(?<=disk: )[\d.,]+ \w+", "SIZE"),
        (r"(?<=SQLite: ).*", "VERSION"),
        (r"(?<=optional parts: ).*", "PSYCOPG"),
        (
            r"(?<=transports: )WinRM \(pywinrm [\d.]+, pypsrp [\d.]+\): .*; files, with import",
            "TRANSPORTS",
        ),
    ):
        said = re.sub(pattern, name, said)
    return answer.code, said


def line_of(program: Program, check: str) -> Check:
    """Give one line of `doctor --json`."""
    (found,) = [one for one in program.run("doctor", "--json").lines if one["check"] == check]
    return Check(**found)


# --- whole screens ------------------------------------------------------------------------------


def test_before_the_first_import_it_says_how_to_begin(program):
    """No store is not bad: exit 0, with what to do first; nothing is made."""
    code, said = told(program)
    assert (code, said) == (
        0,
        (
            f"{HEAD}"
            "note  store: FOLDER/changelog.db: there is no store yet\n"
            "      do: make the first snapshot with: changelog-tracker import PATH\n"
            f"{SQLITE}"
            "ok    key: FOLDER/changelog.key: not there yet; the first import makes it\n"
            f"{TAIL}"
            "nothing is BAD, 1 note\n"
        ),
    )
    assert list(program.folder.iterdir()) == []


def test_one_screen_after_the_first_import(program):
    """Where all is well, each line says ok; a copy of the key is asked for."""
    code, said = told(taken(program))
    assert (code, said) == (
        0,
        (
            f"{HEAD}{STORE}{SQLITE}{KEY}{COPY}{PLACE}"
            "ok    servers: 1 in the store\n"
            f"{FRESH}{TAIL}"
            "nothing is BAD, 1 note\n"
        ),
    )
    assert len(said.splitlines()) <= 24


def test_after_an_export_everything_is_good(program):
    """Since the journal holds the export, doctor tells when it was."""
    taken(program).run("key", "export", program.folder / "key.json")
    code, said = told(program)
    assert (code, said) == (
        0,
        (
            f"{HEAD}{STORE}{SQLITE}{KEY}"
            "ok    copy of the key: exported less than a minute ago\n"
            f"{PLACE}"
            "ok    servers: 1 in the store\n"
            f"{FRESH}{TAIL}"
            "nothing is BAD, 0 notes\n"
        ),
    )


def test_json_has_one_object_a_line(program):
    """Every line of --json has the same four keys, `do` null where nothing is to be done."""
    lines = taken(program).run("doctor", "--json").lines
    assert {tuple(line) for line in lines} == {("check", "state", "what", "do")}
    assert {line["state"]: line["do"] is None for line in lines} == {"ok": True, "note": False}
    assert [line["check"] for line in lines] == [
        "program", "catalogue", "configuration", "store", "SQLite", "disk", "key", "snapshots",
        "copy of the key", "place", "servers", "server EX01", "optional parts", "transports",
    ]  # fmt: skip


def test_it_changes_nothing(program):
    """Files and rows are the same before and after, byte for byte."""
    taken(program)

    def everything() -> dict[str, tuple[bytes, int]]:
        return {
            file.name: (file.read_bytes(), file.stat().st_mtime_ns)
            for file in program.folder.iterdir()
            if file.is_file()
        }

    before = everything()
    told(program)
    told(program, "--json")
    assert everything() == before


def test_the_configuration_file_is_named(program, tmp_path):
    """The file that was read is said, and the key is where it says."""
    file = tmp_path / "changelog-tracker.toml"
    file.write_text(f'key = "{tmp_path}/other/my.key"\n')
    taken(program)
    assert line_of(program, "configuration").what == "changelog-tracker.toml"
    assert line_of(program, "key").what.startswith(f"{tmp_path}/other/my.key, ")


# --- what is bad --------------------------------------------------------------------------------


def garbage(program: Program) -> None:
    program.store.write_text("garbage" * 1000)


def schema(number: str):
    def make(program: Program) -> None:
        with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))

    return make


def other_database(program: Program) -> None:
    program.store.unlink()
    with contextlib.closing(sqlite3.connect(program.store)) as connection:
        connection.execute("CREATE TABLE letters (text)")


def half(program: Program) -> None:
    os.truncate(program.store, program.store.stat().st_size // 2)


def other_rows(program: Program) -> None:
    with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
        connection.execute("UPDATE journal SET body = 'no JSON'")


BAD_STORES = {
    "garbage": (
        garbage,
        "is damaged or not a store: file is not a database",
        "restore it from its last copy",
    ),
    "half of it": (
        half,
        "is damaged or not a store: database disk image is malformed",
        "restore it from its last copy",
    ),
    "other rows": (
        other_rows,
        "is damaged: a row is not what this program writes",
        "restore it from its last copy",
    ),
    "newer": (
        schema("9999"),
        "has schema 9999, written by a newer changelog_tracker; this one knows 0003",
        "update changelog_tracker; nothing was touched",
    ),
    "older": (
        schema("0000"),
        "has schema 0000; this program needs 0003",
        "run: changelog-tracker db upgrade",
    ),
    "another database": (
        other_database,
        "is a database, but not a store of changelog_tracker",
        "put it right, or name another store with --store",
    ),
}


@pytest.mark.parametrize("case", BAD_STORES)
def test_a_store_that_cannot_be_used_is_one_bad_line(program, case):
    """What is wrong with the store is said in its own words; all other lines follow."""
    make, what, do = BAD_STORES[case]
    make(taken(program))
    before = program.store.read_bytes()
    code, said = told(program)
    assert (code, said) == (
        1,
        (
            f"{HEAD}"
            f"BAD   store: FOLDER/changelog.db: {what}\n"
            f"      do: {do}\n"
            f"{SQLITE}"
            "ok    key: FOLDER/changelog.key, KEY\n"
            f"{TAIL}"
            "1 BAD, 0 notes\n"
        ),
    )
    assert program.store.read_bytes() == before


def test_a_folder_in_place_of_the_store_is_one_bad_line(program):
    """Where no store can be at all, the other lines follow too."""
    program.store.mkdir()
    assert told(program) == (
        1,
        (
            f"{HEAD}"
            "BAD   store: FOLDER/changelog.db: is a folder; expected the store's file\n"
            "      do: put it right, or name another store with --store\n"
            "note  key: FOLDER/changelog.key: not there, and the store cannot tell of it\n"
            "      do: if there was one, before the next import: "
            "changelog-tracker key import FILE\n"
            f"{TAIL}"
            "1 BAD, 1 note\n"
        ),
    )


def test_an_empty_file_is_no_store_yet(program):
    """A file that a killed process left empty is what the next import takes."""
    program.store.touch()
    assert line_of(program, "store") == Check(
        "store",
        "note",
        f"{program.store}: there is no store yet",
        "make the first snapshot with: changelog-tracker import PATH",
    )
    assert program.store.stat().st_size == 0


def test_a_lost_key_is_bad(program):
    """The ids that snapshots have are named, with the way to bring the key back."""
    key = program.folder / "changelog.key"
    taken(program)
    id_ = Fingerprints(bytes.fromhex(key.read_text())).key_id
    key.unlink()
    code, said = told(program)
    assert (code, said) == (
        1,
        (
            f"{HEAD}{STORE}{SQLITE}"
            f"BAD   key: FOLDER/changelog.key: the key is lost; newest snapshots have {id_}\n"
            "      do: changelog-tracker key import FILE; "
            "else the next import makes a new one, and secrets cannot be compared\n"
            f"{PLACE}"
            "ok    servers: 1 in the store\n"
            f"{FRESH}{TAIL}"
            "1 BAD, 0 notes\n"
        ),
    )
    assert not key.exists()


def test_another_key_is_bad_until_the_next_import(program):
    """A key that the newest snapshots were not made with is named with theirs."""
    key = program.folder / "changelog.key"
    taken(program)
    id_ = Fingerprints(bytes.fromhex(key.read_text())).key_id
    key.write_text("ab" * 32)
    assert line_of(program, "snapshots") == Check(
        "snapshots",
        "bad",
        f"fingerprinted with another key: EX01: {id_}; secrets cannot be compared with theirs",
        "changelog-tracker key import FILE --force; "
        "or import again, from then on they are compared under this key",
    )
    program.take(ago(seconds=1), {OWA: vdir("Owa"), WEB: web(password="x")})
    assert line_of(program, "snapshots").state == "ok"


def test_a_key_that_others_may_read_is_bad(program):
    """Any right of group or others is too much; the command that takes it away does."""
    key = program.folder / "changelog.key"
    taken(program)
    id_ = Fingerprints(bytes.fromhex(key.read_text())).key_id
    for mode in (0o640, 0o604, 0o666):
        key.chmod(mode)
        found = line_of(program, "key")
        assert found == Check(
            "key",
            "bad",
            f"{key}, {id_}: others may use it, its mode is {mode:04o}",
            f"chmod 600 {key}",
        )
    assert told(program)[0] == 1
    subprocess.run(found.do.split(), check=True)
    assert line_of(program, "key") == Check("key", "ok", f"{key}, {id_}")


def test_a_key_file_that_is_no_key_is_bad(program):
    """What is wrong with the key is said in its own words."""
    key = program.folder / "changelog.key"
    taken(program)
    key.write_text("half a key")
    assert line_of(program, "key") == Check(
        "key",
        "bad",
        f"{key}: is no key: expected hexadecimal digits",
        "bring it back with: changelog-tracker key import FILE --force; "
        "without it, secrets cannot be compared with new ones",
    )


def test_a_store_on_a_server_that_it_records_is_bad(program):
    """When that server is gone, so would be the log of it: case and domain do not matter."""
    here = platform.node().partition(".")[0].upper()
    files = {WEB: web(a="1")}
    assert program.take(ago(seconds=9), files, server=here).code == 0
    assert line_of(program, "place") == Check(
        "place",
        "bad",
        f"the store lies on {here}, a server that it records: both would be lost at once",
        "move it to a machine that it does not record (how-to: Move or copy a store)",
    )
    assert told(program)[0] == 1


def as_nobody(program: Program, *arguments: str) -> list[dict[str, str | None]]:
    """Run a command as an account without rights; root may write everywhere."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, program.run(*arguments).out.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as said:  # noqa: PTH123
        lines = [json.loads(line) for line in said]
    os.waitpid(child, 0)
    return lines


def test_a_store_that_this_account_cannot_write_is_bad(program):
    """Store and key without rights are said before an import fails."""
    with tempfile.TemporaryDirectory() as folder:
        program = taken(Program(Path(folder, "store")))
        program.run("doctor")
        Path(folder).chmod(0o755)
        key = program.folder / "changelog.key"
        key.chmod(0o000)
        program.store.chmod(0o444)
        program.folder.chmod(0o555)
        found = {line["check"]: Check(**line) for line in as_nobody(program, "doctor", "--json")}
        program.folder.chmod(0o755)
    assert found["store"].what.endswith(", schema 0003 as this program's; cannot be written")
    assert (found["store"].state, found["store"].do) == (
        "bad",
        "give this account write permission on the store and its folder",
    )
    assert found["key"] == Check(
        "key",
        "bad",
        f"{key}: the key cannot be read: Permission denied",
        "let this account read it, or run this as the account that imports",
    )


def test_a_locked_store_is_not_waited_for(program):
    """While another process writes, doctor says so within seconds, and ends."""
    taken(program)
    with contextlib.closing(sqlite3.connect(program.store, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        found = line_of(program, "store")
        passed = time.monotonic() - began
    assert found == Check(
        "store",
        "bad",
        f"{program.store}: another process is writing to it",
        "wait until it has ended",
    )
    assert passed < 10


def test_a_database_server_that_does_not_answer_is_bad(program, monkeypatch):
    """A PostgreSQL that is not there is one line; its password is not in it."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgres]'")
    monkeypatch.setenv("CHANGELOG_TRACKER_KEY", str(program.folder / "changelog.key"))
    program.store = "postgresql+psycopg://tracker:hidden@127.0.0.1:9/changelog"
    answer = program.run("doctor", "--json")
    (found,) = [line for line in answer.lines if line["check"] == "store"]
    assert (answer.code, found["state"]) == (1, "bad")
    assert found["what"].startswith("postgresql+psycopg://tracker:***@127.0.0.1:9/changelog: ")
    assert "hidden" not in answer.out
    assert [line["check"] for line in answer.lines if line["check"] in {"SQLite", "disk"}] == []


@pytest.mark.postgres
def test_a_store_in_postgresql_is_looked_at_too(program, database, monkeypatch):  # noqa: F811
    """Its size, schema and key are told as of a file; an empty database is no store yet."""
    monkeypatch.setenv("CHANGELOG_TRACKER_KEY", str(program.folder / "changelog.key"))
    program.store = database
    empty = line_of(program, "store")
    assert (empty.state, empty.what) == ("note", f"{database}: there is no store yet")
    assert program.run("log").code == 1
    taken(program)
    program.run("key", "export", program.folder / "key.json")
    lines = program.run("doctor", "--json").lines
    assert {line["check"]: line["state"] for line in lines} == dict.fromkeys(
        (
            "program", "catalogue", "configuration", "store", "key", "snapshots",
            "copy of the key", "place", "servers", "server EX01", "optional parts", "transports",
        ),
        "ok",
    )  # fmt: skip
    what = re.sub(r"[\d.]+ MB", "SIZE", line_of(program, "store").what)
    assert what == f"{database}, postgresql, SIZE, schema 0003 as this program's"


# --- servers ------------------------------------------------------------------------------------


def test_a_server_tells_what_waits_for_somebody(program):
    """Age, kinds that are not read and changes without a reason stand on the server's line."""
    files = {OWA: vdir("Owa"), WEB: web(a="1"), IIS: iis()}
    program.take(ago(days=3), files)
    changed = {OWA: "access denied", WEB: web(a="2"), IIS: iis("None")}
    program.take(ago(days=2, hours=1), changed)
    assert line_of(program, "server EX01") == Check(
        "server EX01",
        "note",
        "newest snapshot 2 days old; 1 kind not read; 2 undocumented changes",
        "changelog-tracker import PATH; why: changelog-tracker show EX01; "
        "changelog-tracker log EX01 --undocumented",
    )
    ids = [line["id"] for line in program.log()]
    program.run("document", *ids, "--reason", "planned")
    assert "undocumented" not in line_of(program, "server EX01").what
    assert told(program)[0] == 0


def test_a_snapshot_is_old_by_what_is_usual():
    """Three times the usual interval is old, an hour never; two snapshots make nothing usual."""
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def every(count: int, **interval: float) -> timedelta:
        return longest_wait([now + n * timedelta(**interval) for n in range(count)])

    assert every(1, hours=1) == timedelta(days=2)
    assert every(2, hours=1) == timedelta(days=2)
    assert every(3, hours=1) == timedelta(hours=3)
    assert every(30, days=7) == timedelta(days=21)
    assert every(30, minutes=1) == timedelta(hours=1)


def test_a_server_that_is_taken_hourly_is_late_after_a_morning(program):
    """What is usual for a server is said where its newest snapshot is older."""
    for hours in (9, 8, 7, 6):
        program.take(ago(hours=hours), {WEB: web(a="1")})
    assert line_of(program, "server EX01") == Check(
        "server EX01",
        "note",
        "newest snapshot 6 hours old, usual is 1 hour",
        "changelog-tracker import PATH",
    )


def test_many_servers_leave_one_screen(program):
    """Of many servers those are shown that wait for somebody; --json has them all."""
    for number in range(1, 12):
        old = {"seconds": 5} if number < 10 else {"days": 5}
        name = f"EX{number:02}"
        program.take(ago(**old), {WEB: web(a=name)}, server=name)
    code, said = told(program)
    servers = said.partition("ok    servers")[2].partition("ok    optional")[0]
    assert (code, servers) == (
        0,
        (
            ": 11 in the store\n"
            "note  server EX10: newest snapshot 5 days old\n"
            "      do: changelog-tracker import PATH\n"
            "note  server EX11: newest snapshot 5 days old\n"
            "      do: changelog-tracker import PATH\n"
            "      9 more servers: doctor --json lists them\n"
        ),
    )
    assert len(said.splitlines()) <= 24
    lines = program.run("doctor", "--json").lines
    assert len([line for line in lines if line["check"].startswith("server ")]) == 11


# --- disks and mounts ---------------------------------------------------------------------------


def test_a_disk_with_little_room_is_bad():
    """100 MB must be free, and as much as the store is big."""
    assert place.room(100_000_000, 5) == Check("disk", "ok", "100.0 MB free")
    assert place.room(99_000_000, 5) == Check(
        "disk",
        "bad",
        "99.0 MB free, less than 100.0 MB",
        "free some space, or move the store to a bigger disk",
    )
    assert place.room(2_000_000_000, 3_000_000_000).what == "2.0 GB free, less than 3.0 GB"


MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
//EX01/logs /srv/change\\040log cifs rw,vers=3.0 0 0
files.contoso.com:/export /srv/nfs nfs4 rw 0 0
tmpfs /srv/nfs/local tmpfs rw 0 0
/dev/sdb1 /srv/nfsdata ext4 rw 0 0
half a
"""


def test_a_folder_belongs_to_the_nearest_mount():
    """The longest folder counts, whole names only, and blanks are written as octal numbers."""
    found = {
        folder: place.mount_of(folder, MOUNTS)
        for folder in ("/srv", "/srv/change log/a", "/srv/nfs", "/srv/nfs/local/a", "/srv/nfsdata")
    }
    assert {folder: (one.source, one.type, one.is_share) for folder, one in found.items()} == {
        "/srv": ("/dev/sda1", "ext4", False),
        "/srv/change log/a": ("//EX01/logs", "cifs", True),
        "/srv/nfs": ("files.contoso.com:/export", "nfs4", True),
        "/srv/nfs/local/a": ("tmpfs", "tmpfs", False),
        "/srv/nfsdata": ("/dev/sdb1", "ext4", False),
    }


def test_the_machine_of_a_share_is_known():
    """However a share is written, its host is found: a store on EX01's share lies on EX01."""
    sources = ("//EX01/logs", r"\\EX01\logs", "EX01:/logs", "me@EX01:/logs", "//EX01")
    assert [place.Mount(one, "/srv", "cifs").host for one in sources] == ["EX01"] * 5


def test_ages_and_sizes_are_round():
    """The biggest unit that fits, and never a negative one."""
    assert [age(timedelta(seconds=s)) for s in (0, 59, 60, 7200, 86_399, 200_000)] == [
        "less than a minute", "less than a minute", "1 minute", "2 hours", "23 hours", "2 days",
    ]  # fmt: skip
    assert [size(n) for n in (1, 999, 1000, 1_250_000, 1_234_000_000_000)] == [
        "1 byte", "999 bytes", "1.0 KB", "1.2 MB", "1,234.0 GB",
    ]  # fmt: skip
