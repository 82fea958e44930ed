"""The key: a copy under a passphrase, the way back, and what happens when it is lost."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
import time

import pytest
from bundles import OWA, WEB, Program, rows, vdir, web

from changelog_tracker.normalise.secrets import Fingerprints
from changelog_tracker.store import Store
from changelog_tracker.store.journal import entries
from changelog_tracker.store.sealed_key import unseal

FIRST, SECOND = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"
PASSPHRASE = "correct horse battery"
WRONG = "the passphrase is wrong, or the file was altered"


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.delenv("CHANGELOG_TRACKER_KEY", raising=False)
    monkeypatch.setenv("CHANGELOG_TRACKER_PASSPHRASE", PASSPHRASE)
    return Program(tmp_path / "store")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with one snapshot, and its exported key, made once: sealing takes its time."""
    one = Program(tmp_path_factory.mktemp("made"))
    secret = tmp_path_factory.mktemp("secret") / "passphrase"
    secret.write_text(PASSPHRASE)
    assert one.take(FIRST, {WEB: web(password="x")}).code == 0
    line = ("key", "export", one.folder / "key.json", "--passphrase-file", secret)
    assert one.run(*line).code == 0
    return one.folder


@pytest.fixture
def exported(program, made):
    """A copy of both, with the key."""
    shutil.copytree(made, program.folder, dirs_exist_ok=True)
    return program.folder / "key.json"


def key_of(program: Program):
    return program.folder / "changelog.key"


def key_id(text: str) -> str:
    return Fingerprints(bytes.fromhex(text)).key_id


def names(program: Program) -> list[str]:
    return sorted(file.name for file in program.folder.iterdir() if file.is_file())


def lose(program: Program) -> str:
    """Take the key away, and let an import make another; give its id."""
    key_of(program).unlink()
    assert program.take(SECOND, {WEB: web(password="x")}).code == 0
    return key_id(key_of(program).read_text())


# --- there and back -----------------------------------------------------------------------------


def test_an_exported_key_comes_back(program, exported):
    """What `key export` wrote, `key import` puts back, for its owner alone, byte for byte."""
    key = key_of(program)
    before = key.read_text()
    key.unlink()
    answer = program.run("key", "import", exported)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        f"{key}: key {key_id(before)} is back\nEX01: newest snapshots have this key\n"
    )
    assert (key.read_text(), key.stat().st_mode & 0o777) == (before, 0o600)
    assert program.take(SECOND, {WEB: web(password="y")}).err == ""
    assert len(program.changes()) == 1


def test_an_exported_key_is_for_its_owner_and_tells_no_secret(program, exported):
    """The file is 0600, names the key and how it is sealed; neither key nor passphrase."""
    text, key = exported.read_text(), key_of(program).read_text().strip()
    said = json.loads(text)
    assert exported.stat().st_mode & 0o777 == 0o600
    assert key not in text
    assert PASSPHRASE not in text
    assert {name: said[name] for name in ("format", "key")} == {"format": 1, "key": key_id(key)}
    assert {**said["kdf"], "salt": len(bytes.fromhex(said["kdf"]["salt"]))} == {
        "name": "scrypt",
        "n": 2**17,
        "r": 8,
        "p": 1,
        "salt": 16,
    }
    assert said["cipher"]["name"] == "AES-256-GCM"
    assert names(program) == ["changelog.db", "changelog.key", "key.json"]


def test_no_two_exports_are_alike(program, exported):
    """Salt and nonce are drawn anew each time, and both files open."""
    other = program.folder / "other.json"
    program.run("key", "export", other)
    found = [json.loads(file.read_text()) for file in (exported, other)]
    assert len({one["kdf"]["salt"] for one in found}) == 2
    assert len({one["cipher"]["nonce"] for one in found}) == 2
    keys = {unseal(file.read_text(), "", PASSPHRASE) for file in (exported, other)}
    key = key_of(program).read_text().strip()
    assert keys == {(bytes.fromhex(key), key_id(key))}


def test_an_export_is_an_entry_of_the_journal(program, exported):
    """The journal tells which key was exported; nothing of it but its id."""
    store = Store(str(program.store), key_of(program))
    with store.reading() as connection:
        found = [(e.server, e.at, e.body) for e in entries(connection, "key-export")]
    store.close()
    assert found == [(None, None, {"key": key_id(key_of(program).read_text())})]


def test_a_key_can_be_brought_before_there_is_a_store(program, exported, tmp_path):
    """On a new machine the key comes first; no store is made for it."""
    fresh = Program(tmp_path / "fresh" / "deep")
    answer = fresh.run("key", "import", exported)
    id_ = key_id(key_of(program).read_text())
    assert (answer.code, answer.out, answer.err) == (0, f"{key_of(fresh)}: key {id_} is back\n", "")
    assert names(fresh) == ["changelog.key"]
    assert fresh.run("key", "export", fresh.folder / "again.json").code == 0
    assert names(fresh) == ["again.json", "changelog.key"]


def test_the_key_lies_where_the_settings_say(program, exported, tmp_path, monkeypatch):
    """CHANGELOG_TRACKER_KEY says where the key is put, as it says where it is read."""
    place = tmp_path / "elsewhere" / "my.key"
    monkeypatch.setenv("CHANGELOG_TRACKER_KEY", str(place))
    assert program.run("key", "import", exported).out.startswith(f"{place}: key ")
    assert place.read_text() == key_of(program).read_text()


def test_the_same_key_again_is_no_failure(program, exported):
    """A key that is there already is said, and nothing is written."""
    before = key_of(program).stat().st_mtime_ns, key_of(program).stat().st_ino
    answer = program.run("key", "import", exported)
    id_ = key_id(key_of(program).read_text())
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == (
        f"{key_of(program)}: key {id_} was already there\nEX01: newest snapshots have this key\n"
    )
    assert (key_of(program).stat().st_mtime_ns, key_of(program).stat().st_ino) == before


def test_a_plain_copy_comes_back_too(program, exported, tmp_path, monkeypatch):
    """Whoever copied changelog.key needs no passphrase to bring it back."""
    monkeypatch.delenv("CHANGELOG_TRACKER_PASSPHRASE")
    copy = tmp_path / "copy"
    key_of(program).rename(copy)
    assert program.run("key", "import", copy).code == 0
    assert key_of(program).read_text() == copy.read_text()


# --- another key --------------------------------------------------------------------------------


def test_another_key_is_not_replaced_unasked(program, exported):
    """Where another key is, nothing is written, and both are named."""
    wanted = json.loads(exported.read_text())["key"]
    there = lose(program)
    before = key_of(program).read_text()
    answer = program.run("key", "import", exported)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        f"error: {key_of(program)}: another key is there ({there}, not {wanted}); "
        "nothing was written\n"
        "hint: --force puts this one in its place, and keeps the other beside it\n"
    )
    assert key_of(program).read_text() == before
    assert names(program) == ["changelog.db", "changelog.key", "key.json"]


def test_a_replaced_key_is_kept(program, exported):
    """--force keeps the key that was there, for its owner alone; and it can come back itself."""
    wanted = json.loads(exported.read_text())["key"]
    there = lose(program)
    before = key_of(program).read_text()
    kept = program.folder / f"changelog.key.{there}"
    answer = program.run("key", "import", exported, "--force")
    assert (answer.code, answer.out, answer.err) == (
        0,
        f"{key_of(program)}: key {wanted} is back\n{kept}: the key that was there before\n",
        f"note: EX01: newest snapshots have key {there}, not this one\n",
    )
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (before, 0o600)
    assert program.run("key", "import", kept, "--force").code == 0
    assert key_of(program).read_text() == before
    both = sorted(f"changelog.key.{one}" for one in (there, wanted))
    assert names(program) == ["changelog.db", "changelog.key", *both, "key.json"]


def test_a_broken_key_is_kept_too(program, exported):
    """A key's file that holds no key is replaced with --force only, and no byte of it is lost."""
    before = key_of(program).read_text()
    for number, garbage in enumerate((b"\xff half a key", b"ab\n"), 1):
        key_of(program).write_bytes(garbage)
        assert program.run("key", "import", exported).code == 1
        assert key_of(program).read_bytes() == garbage
        answer = program.run("key", "import", exported, "--force")
        kept = program.folder / ("changelog.key.broken" + (".2" if number == 2 else ""))
        assert f"{kept}: the key that was there before\n" in answer.out
        assert (key_of(program).read_text(), kept.read_bytes()) == (before, garbage)


# --- lost ---------------------------------------------------------------------------------------


def test_an_import_without_the_key_says_that_it_was_lost(program, exported):
    """A new key is made, and said with the id of the old one and the way to bring it back."""
    old = json.loads(exported.read_text())["key"]
    key_of(program).unlink()
    answer = program.take(SECOND, {WEB: web(password="y")})
    assert answer.code == 0
    assert answer.err == (
        f"note: {key_of(program)}: the key was lost, and a new one was made; snapshots have {old}, "
        "bring it back with: changelog-tracker key import FILE --force\n"
        "note: EX01: earlier snapshots were fingerprinted with another key, so secrets are not "
        "comparable with theirs; if you have it: changelog-tracker key import FILE --force\n"
    )
    assert program.changes() == []


def test_a_lost_key_is_said_though_the_import_fails(program, exported):
    """The note comes when the key is made, for the next import finds a key."""
    key_of(program).unlink()
    answer = program.run("import", program.folder / "nothing")
    assert answer.code == 1
    assert [line[:6] for line in answer.err.splitlines()] == ["note: ", "error:", "hint: "]


def test_a_first_import_says_nothing_of_keys(program):
    """Where nothing was fingerprinted yet, no key is lost."""
    assert program.take(FIRST, {OWA: vdir("Owa")}).err.count("key") == 0


def test_only_an_import_makes_a_key(program, exported):
    """No command that reads, nor `key export`, makes a key where it is lost."""
    key_of(program).unlink()
    for arguments in (
        ["log"],
        ["show", "EX01"],
        ["snapshots"],
        ["doctor"],
        ["key", "export", program.folder / "new.json"],
    ):
        program.run(*arguments)
        assert not key_of(program).exists()
    answer = program.run("key", "export", program.folder / "new.json")
    assert (answer.code, answer.err) == (
        1,
        (
            f"error: {key_of(program)}: there is no key; the first import makes one\n"
            "hint: bring a lost one back with: changelog-tracker key import FILE\n"
        ),
    )


# --- the passphrase -----------------------------------------------------------------------------


def test_a_passphrase_comes_from_a_file(program, exported, tmp_path, monkeypatch):
    """--passphrase-file counts before the environment; line ends and a byte order mark do not."""
    monkeypatch.setenv("CHANGELOG_TRACKER_PASSPHRASE", "another one, longer")
    file = tmp_path / "passphrase"
    for data in (PASSPHRASE, f"{PASSPHRASE}\n", f"\ufeff{PASSPHRASE}\r\n"):
        file.write_bytes(data.encode())
        key_of(program).unlink()
        assert program.run("key", "import", exported, "--passphrase-file", file).code == 0


def test_letters_are_the_same_however_they_are_composed(program, exported, monkeypatch):
    """An u with two dots is one letter, whether a keyboard gives it as one character or two."""
    file = program.folder / "umlaut.json"
    monkeypatch.setenv("CHANGELOG_TRACKER_PASSPHRASE", "zw\u00f6lf B\u00fccher hier")
    program.run("key", "export", file)
    monkeypatch.setenv("CHANGELOG_TRACKER_PASSPHRASE", "zwo\u0308lf Bu\u0308cher hier")
    assert program.run("key", "import", file).code == 0


def test_a_passphrase_that_cannot_serve_is_one_line(program, exported, tmp_path, monkeypatch):
    """None, a short one, or a file that holds none: exit 2, one line, nothing written."""
    monkeypatch.delenv("CHANGELOG_TRACKER_PASSPHRASE")
    short, empty, utf16, big = (tmp_path / name for name in ("short", "empty", "utf16", "big"))
    short.write_text("eleven char\n")
    empty.write_text("\n")
    utf16.write_bytes(PASSPHRASE.encode("utf-16"))
    big.write_text("x" * 5000)
    new = program.folder / "new.json"
    said = {}
    for file in (short, empty, utf16, big, tmp_path / "no"):
        answer = program.run("key", "export", new, "--passphrase-file", file)
        assert (answer.code, answer.out) == (2, "")
        said[file.name] = answer.err.removeprefix(f"error: {file}: ")
    assert said == {
        "short": "the passphrase is too short; at least 12 characters\n",
        "empty": "is empty; expected a passphrase\n",
        "utf16": "is no text in UTF-8\n",
        "big": "is longer than 4,096 bytes, and no passphrase\n",
        "no": "cannot be read: No such file or directory\n",
    }
    for arguments in (["export", new], ["import", exported]):
        answer = program.run("key", *arguments)
        assert (answer.code, answer.out, answer.err) == (
            2,
            "",
            (
                "error: --passphrase-file: is needed, for there is no terminal to ask on\n"
                "hint: or set CHANGELOG_TRACKER_PASSPHRASE\n"
            ),
        )
    assert not new.exists()


def at_a_terminal(program: Program, typed: list[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command on a terminal of its own, and type what it asks for."""
    main, other = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CHANGELOG_TRACKER")}
    child = subprocess.Popen(
        [sys.executable, "-m", "changelog_tracker", "--store", str(program.store),
         *map(str, arguments)],
        stdin=other, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=environment,
    )  # fmt: skip
    os.close(other)
    asked = ""
    for line in typed:
        while not asked.endswith(": "):
            asked += child.stderr.read(1)
        # getpass lets go of what was typed before it turned the echo off.
        time.sleep(0.2)
        os.write(main, f"{line}\n".encode())
        asked += " "
    out, err = child.communicate(timeout=30)
    echoed = b""
    os.set_blocking(main, False)
    with contextlib.suppress(OSError):
        echoed = os.read(main, 1000)
    os.close(main)
    assert not any(line.encode() in echoed for line in typed if line)
    return child.returncode, out, asked + err


def test_a_terminal_is_asked_twice_and_shows_nothing(program, exported):
    """At a terminal the passphrase is asked for: twice for a new file, and not shown."""
    new, id_ = program.folder / "new.json", json.loads(exported.read_text())["key"]
    code, out, asked = at_a_terminal(program, [PASSPHRASE, PASSPHRASE], "key", "export", new)
    assert (code, out) == (0, f"{new}: key {id_} under the passphrase; keep them apart\n")
    assert asked.split("\n")[0].split(": ")[0] == "Passphrase"
    assert asked.count("The same again: ") == 1
    code, out, _ = at_a_terminal(program, [PASSPHRASE], "key", "import", new)
    assert (code, out.splitlines()[0]) == (0, f"{key_of(program)}: key {id_} was already there")


def test_two_different_passphrases_write_nothing(program, exported):
    """A slip in one of the two is said."""
    new = program.folder / "new.json"
    typed = [PASSPHRASE, PASSPHRASE + "x"]
    code, out, asked = at_a_terminal(program, typed, "key", "export", new)
    assert (code, out, new.exists()) == (2, "", False)
    assert asked.endswith("error: passphrase: the two are not the same; nothing was written\n")


# --- files that are not what they should be -----------------------------------------------------


def test_a_wrong_passphrase_is_one_line(program, exported, monkeypatch):
    """Exit 1, one line without either passphrase, nothing written."""
    monkeypatch.setenv("CHANGELOG_TRACKER_PASSPHRASE", "wrong horse battery")
    key_of(program).unlink()
    answer = program.run("key", "import", exported)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"error: {exported}: cannot be opened: {WRONG}\n"
    assert not key_of(program).exists()


def other(digit: str) -> str:
    """Another hexadecimal digit."""
    return "1" if digit == "0" else "0"


def test_no_field_of_an_export_can_be_altered(program, exported):
    """Whatever is altered in the file, it does not open, and nothing is written."""
    key_of(program).unlink()
    good = json.loads(exported.read_text())
    zeros = "00" * 16
    altered = {
        "program": {**good, "program": "changelog-tracker 9"},
        "made": {**good, "made": "2020-01-01T00:00:00Z"},
        "key": {**good, "key": "00000000"},
        "more": {**good, "more": 1},
        "salt": {**good, "kdf": {**good["kdf"], "salt": zeros}},
        "n": {**good, "kdf": {**good["kdf"], "n": 2**10}},
        "nonce": {**good, "cipher": {**good["cipher"], "nonce": zeros[:24]}},
        "sealed": {**good, "sealed": other(good["sealed"][0]) + good["sealed"][1:]},
        "tag": {**good, "sealed": good["sealed"][:-1] + other(good["sealed"][-1])},
    }
    file = program.folder / "altered.json"
    for name, one in altered.items():
        file.write_text(json.dumps(one))
        answer = program.run("key", "import", file)
        said = (answer.code, answer.out, answer.err)
        assert (name, *said) == (name, 1, "", f"error: {file}: cannot be opened: {WRONG}\n")
    assert not key_of(program).exists()


HOSTILE = {
    "an empty file": b"",
    "a text": b"hello\n",
    "a picture": bytes(range(256)) * 4,
    "deep": b"[" * 15_000,
    "a list": b"[1]",
    "big": b"x" * 20_000,
    "another object": b'{"format": 1}',
    "half a key": b"ab" * 16,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_exported_key_is_one_line(program, tmp_path, case):
    """A file that is no export: exit 1, one line, nothing asked or written."""
    file = tmp_path / "file"
    file.write_bytes(HOSTILE[case])
    answer = program.run("key", "import", file)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"error: {file}: is no exported key")
    assert names(program) == []


def test_numbers_of_a_hostile_file_are_bounded(program, exported):
    """A file cannot make the program work for minutes, or take more than a gigabyte."""
    key_of(program).unlink()
    good = json.loads(exported.read_text())
    file = program.folder / "hostile.json"
    too_much = "asks for more work than an exported key ever needs"
    wrong = "is no whole exported key: a field is missing or wrong"
    cases = [
        *(({"n": n}, too_much) for n in (0, 1, -1, 3, 2**17 + 1, 2**21, 2**4000)),
        *(({"r": r}, too_much) for r in (0, 33, 10**30)),
        *(({"p": p}, too_much) for p in (0, 17, 10**30)),
        ({"n": 2**20, "r": 16}, too_much),
        *(({"n": n}, wrong) for n in (True, "131072", None, 1.0, [])),
        *(({"salt": s}, wrong) for s in ("", "00", "zz", None, 5)),
        ({"name": "md5"}, wrong),
    ]
    began = time.monotonic()
    for change, what in cases:
        file.write_text(json.dumps({**good, "kdf": {**good["kdf"], **change}}))
        answer = program.run("key", "import", file)
        assert (change, answer.code, answer.err) == (change, 1, f"error: {file}: {what}\n")
    for change in ({"cipher": []}, {"cipher": None}, {"kdf": 1}, {"sealed": ""}, {"sealed": 1}):
        file.write_text(json.dumps({**good, **change}))
        answer = program.run("key", "import", file)
        assert (change, answer.code, answer.err) == (change, 1, f"error: {file}: {wrong}\n")
    assert time.monotonic() - began < 5
    assert not key_of(program).exists()


def test_a_later_format_is_said(program, exported):
    """A file of a later program is not taken for a broken one."""
    exported.write_text(json.dumps({**json.loads(exported.read_text()), "format": 2}))
    answer = program.run("key", "import", exported)
    assert (answer.code, answer.err) == (
        1,
        (
            f"error: {exported}: has format 2; this program knows 1\n"
            "hint: import it with the changelog_tracker that made it, or a newer one\n"
        ),
    )


def test_an_export_writes_over_nothing_but_an_older_export(program, exported):
    """An export needs --force to take an older one's place; key, store and others never fall."""
    before = exported.read_text()
    answer = program.run("key", "export", exported)
    assert (answer.code, answer.err) == (
        1,
        (
            f"error: {exported}: is there already; nothing was written\n"
            "hint: give another name, or --force to write over it\n"
        ),
    )
    assert exported.read_text() == before
    assert program.run("key", "export", exported, "--force").code == 0
    assert exported.read_text() != before
    for file in (key_of(program), program.store):
        data = file.read_bytes()
        answer = program.run("key", "export", file, "--force")
        assert (answer.code, answer.err) == (
            1,
            (
                f"error: {file}: is there already; nothing was written\n"
                "hint: give another name; nothing but an older export is ever written over\n"
            ),
        )
        assert file.read_bytes() == data


def test_an_export_that_cannot_be_written_is_one_line(program, exported):
    """A folder that is missing, or FILE that is one: exit 1, one line, no trace in the journal."""
    before = rows(program.store)
    missing = program.folder / "no" / "key.json"
    for file, what in (
        (missing, "cannot be written: No such file or directory"),
        (program.folder, "is a folder; expected the name of a new file"),
    ):
        answer = program.run("key", "export", file)
        assert (answer.code, answer.out, answer.err) == (1, "", f"error: {file}: {what}\n")
    assert rows(program.store) == before


def test_a_key_is_saved_from_beside_a_damaged_store(program, exported):
    """Though the store cannot take note of it, the key is exported and imported, and it is said."""
    program.store.write_text("garbage" * 1000)
    new = program.folder / "new.json"
    damaged = f"{program.store}: is damaged or not a store: file is not a database"
    answer = program.run("key", "export", new)
    assert (answer.code, answer.err) == (0, f"note: the store took no note of it: {damaged}\n")
    key_of(program).unlink()
    answer = program.run("key", "import", new)
    assert (answer.code, answer.err) == (
        0,
        f"note: the store does not tell which key its snapshots have: {damaged}\n",
    )
    assert key_of(program).exists()
