"""`prune`: old raw files go and leave a tombstone; what was recorded stays, and says the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bundles import IIS, OWA, WEB, Program, iis, rows, unpacked, vdir, web
from bundles import bundle as written

from changelog_tracker.pipeline.moments import EXPECTED
from changelog_tracker.store import Store
from changelog_tracker.store.pruning import pruned_digests

ROOT = Path(__file__).resolve().parents[2]
LAST = 6
# At noon of 5 November the readings of 1 to 4 November have ended.
CUT = "2026-11-05T12:00:00Z"
STATES = """
SELECT r.kind, r.folded, from_at, until_at, status, c.hash FROM reading_state s
JOIN reading r ON r.id = s.reading_id LEFT JOIN content c ON c.id = s.raw_id ORDER BY 1, 2, 3
"""
QUESTIONS = (
    ("log", "--all", "--unfold", "--json"),
    ("log", "--all", "--unfold", "--commands"),
    ("log", "--coverage", "--since", "2026-11-01T00:00Z", "--until", "2026-11-07T00:00Z"),
    ("snapshots", "--json"),
    ("diff", "EX01", "1", "latest"),
    ("diff", "EX01", "2", "4", "--json"),
    ("drift", "EX01", "--against", "3", "--json"),
    ("show", "EX01", "--json"),
    ("show", "EX01", "--ignored", "--json"),
    ("show", "EX01", "--effective", "--json"),
    ("show", "EX01", "--at", "2026-11-05T13:00:00Z", "--json"),
    ("show", "EX01", "--at", "2026-11-05T13:00:00Z", "--ignored", "--json"),
)
MISSING = "Missing option '--older-than'.\nhint: changelog-tracker prune --help"
LIST = "hint: list what it knows with: changelog-tracker snapshots"
OLD_MOMENTS = [f"2026-11-{day:02}T13:00:00Z" for day in range(1, 5)]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


def at(day: int) -> str:
    return f"2026-11-{day:02}T10:00:00Z"


def files_of(day: int) -> dict[str, bytes]:
    """Files that are other each day, and large enough to be packed against one another."""
    many = {f"setting{n}": random.Random(n).randbytes(8).hex() for n in range(60)}
    handlers = "".join(f'<add name="h{day}-{n}" verb="*" />' for n in range(3))
    section = f"<system.webServer><handlers>{handlers}</handlers></system.webServer>"
    return {
        OWA: vdir("Owa", ExternalUrl=f"https://mail{day}.contoso.com/owa", WhenChanged=at(day)),
        IIS: iis("Ssl" if day % 2 else "None", extra=f"<!-- day {day} -->{section}"),
        WEB: web(**many, day=str(day)),
    }


def week(program: Program, last: int = LAST) -> Program:
    for day in range(1, last + 1):
        assert program.take(at(day), files_of(day)).code == 0
    return program


def query(program: Program, statement: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(program.store)) as connection:
        return connection.execute(statement).fetchall()


def contents(program: Program) -> dict[bytes, bytes]:
    """Every content by its name; its hash is that of its bytes, and its base is whole."""
    found = query(program, "SELECT id, hash, base_id, data FROM content")
    whole = {number: unpacked(data) for number, _, base, data in found if base is None}
    opened = {
        digest: unpacked(data, whole[base]) if base else whole[number]
        for number, digest, base, data in found
    }
    assert {hashlib.sha256(data).digest() for data in opened.values()} == opened.keys()
    return opened


def raw_of(program: Program, path: str = "") -> dict[str, bytes]:
    """The digests of the raw files that readings have, by the day of each reading's start."""
    return {
        f"{kind} {folded[-10:]} {from_at // 86_400_000_000 - 20_757}": digest
        for kind, folded, from_at, _, _, digest in query(program, STATES)
        if digest is not None and path in kind
    }


def bodies(program: Program, action: str) -> list[dict]:
    [(dictionary,)] = query(program, "SELECT data FROM dictionary")
    found = query(program, f"SELECT body FROM journal WHERE action = '{action}' ORDER BY seq")
    return [json.loads(unpacked(body, dictionary)) for (body,) in found]


def chain_holds(program: Program, tmp_path: Path) -> bool:
    """Verify the journal as docs/reference.md shows it."""
    text = (ROOT / "docs/reference.md").read_text("utf-8")
    snippet = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0]
    script = tmp_path / "verify.py"
    script.write_text(snippet, encoding="utf-8")
    line = [sys.executable, str(script), str(program.store)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "rows, head" in done.stdout


def without_lines(text: str) -> str:
    """What `show` says without the line numbers of origins."""
    return re.sub(r'("origin":"[^"]*?):\d+"', r'\1"', text)


def copy_of(program: Program, folder: Path) -> Program:
    shutil.copytree(program.folder, folder)
    return Program(folder)


# --- what it says and does ----------------------------------------------------------------------


def test_without_yes_it_only_says_what_would_go(program):
    """Count, servers, time and bytes; the store stays byte for byte as it was."""
    week(program)
    before = program.store.read_bytes()
    said = program.run("prune", "--older-than", CUT)
    assert (said.code, said.err) == (0, "")
    freed = re.search(r"^([\d.]+ \w+) fewer in the store", said.out, re.MULTILINE)[1]
    assert said.out == (
        "12 raw files would go: EX01 12\n"
        "needed from 2026-11-01 10:00 +00:00 to 2026-11-05 10:00 +00:00,"
        " and not since 2026-11-05 12:00 +00:00\n"
        f"{freed} fewer in the store; line numbers and --ignored of that time go too\n"
        "nothing was changed: --yes does it\n"
    )
    assert program.run("prune", "--older-than", CUT, "--dry-run") == said
    assert program.store.read_bytes() == before


def test_it_takes_raw_files_away_and_leaves_a_tombstone(program, tmp_path):
    """The files are gone, everything else is there, and one journal row says what was done."""
    week(program)
    before, old, states = rows(program.store), contents(program), raw_of(program)
    going = {digest for name, digest in states.items() if int(name.split()[-1]) < 5}
    said = program.run("prune", "--older-than", CUT, "--yes", "--by", "Anna Berger")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0] == "pruned 12 raw files: EX01 12"
    assert said.out.splitlines()[3] == "their tombstone is row 7 of the journal"
    assert len(going) == 12
    assert contents(program) == {name: data for name, data in old.items() if name not in going}
    assert raw_of(program) == {name: one for name, one in states.items() if one not in going}
    after = rows(program.store)
    same = set(before) - {"content", "reading_state", "journal"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["journal"][:-1] == before["journal"]
    assert [row[:-1] for row in after["reading_state"]] == [
        row[:-1] for row in before["reading_state"]
    ]
    digests = sorted(going)
    [body] = bodies(program, "prune")
    assert body == {
        "what": "raw-files",
        "before": 1_793_880_000_000_000,
        "server": None,
        "from": 1_793_527_200_000_000,
        "to": 1_793_872_800_000_000,
        "count": 12,
        "bytes": sum(len(old[digest]) for digest in going),
        "hash": hashlib.sha256(b"".join(digests)).hexdigest(),
        "digests": [digest.hex() for digest in digests],
        "by": "Anna Berger",
    }
    assert chain_holds(program, tmp_path)
    store = Store(str(program.store), program.folder / "changelog.key")
    with store.reading() as connection:
        assert pruned_digests(connection) == going
    store.close()


def test_a_second_time_there_is_nothing_to_prune(program):
    """The same age again: it says so, and writes nothing, not even a row of the journal."""
    week(program)
    program.run("prune", "--older-than", CUT, "--yes")
    before = program.store.read_bytes()
    for yes in (["--yes"], []):
        again = program.run("prune", "--older-than", CUT, *yes)
        assert (again.code, again.err) == (0, "")
        assert again.out.splitlines()[0] == (
            "nothing to prune: each raw file was needed since 2026-11-05 12:00 +00:00,"
            " or is the newest of its kind or name"
        )
    assert program.store.read_bytes() == before


# --- nothing else changes -----------------------------------------------------------------------


def test_every_answer_is_the_same_afterwards(program):
    """Log, differences and states are the same; of old moments only line numbers are gone."""
    week(program)
    asked = [
        *QUESTIONS,
        *(("show", "EX01", "--at", old, "--json") for old in OLD_MOMENTS),
        *(("show", "EX01", "--at", old, "--effective", "--json") for old in OLD_MOMENTS),
    ]
    before = [program.run(*question) for question in asked]
    assert program.run("prune", "--older-than", CUT, "--yes").code == 0
    after = [program.run(*question) for question in asked]
    number = len(QUESTIONS)
    assert after[:number] == before[:number]
    assert [without_lines(one.out) for one in after] == [without_lines(one.out) for one in before]
    assert all(".config:" in one.out for one in before[number:])
    assert not any(".config:" in one.out for one in after[number:])


def test_what_rules_left_out_of_old_exports_is_said_to_be_gone(program):
    """`show --ignored` of a pruned moment shows less, and says why."""
    week(program)
    asked = ("show", "EX01", "Owa*", "--ignored", "--at", OLD_MOMENTS[1])
    assert "WhenChanged" in program.run(*asked).out
    program.run("prune", "--older-than", CUT, "--yes")
    answer = program.run(*asked)
    assert (answer.code, "WhenChanged" in answer.out) == (0, False)
    assert answer.err == (
        "note: raw files of that time were pruned (row 7 of the journal);"
        " what rules left out of them is not known any more\n"
    )
    assert program.run(*asked[:-1], "2026-11-05T13:00:00Z").err == ""


@pytest.mark.parametrize("day", [0, 2.5, 5.5, 7], ids=["before", "inside", "behind", "newest"])
def test_an_import_says_the_same_as_without_pruning(program, tmp_path, day):
    """A snapshot before, inside, behind the pruned time, or the newest, makes the same history."""
    week(program)
    pruned = copy_of(program, tmp_path / "pruned")
    assert pruned.run("prune", "--older-than", CUT, "--yes").code == 0
    # So that the numbers of the rows that follow are the same.
    assert program.run("baseline", "set", "EX01", "1").code == 0
    when = f"2026-11-{int(day):02}T22:00:00Z" if day else "2026-10-31T10:00:00Z"
    late = written(tmp_path / "late", when, {**files_of(3), WEB: web(day="3", a="new")})
    answers = [one.run("import", late) for one in (program, pruned)]
    assert answers[0] == answers[1]
    assert answers[0].code == 0
    for question in QUESTIONS:
        if question[0] == "snapshots":
            # When it was received.
            continue
        said = [without_lines(one.run(*question).out) for one in (program, pruned)]
        if "--coverage" in question:
            # Noise is counted against the last export; what a late one held back of a pruned one
            # cannot be.
            said = [re.sub("timestamps: [0-9]+", "", one) for one in said]
        assert said[0] == said[1]
    versions = "SELECT * FROM version ORDER BY 1, 2"
    times = [[row[:3] for row in query(one, versions)] for one in (program, pruned)]
    assert times[0] == times[1]
    assert contents(pruned).items() <= contents(program).items()
    assert chain_holds(pruned, tmp_path)


def test_the_very_file_that_was_pruned_comes_back_with_a_late_snapshot(program, tmp_path):
    """Its bytes are stored again, and can be pruned again; each time a tombstone says so."""
    week(program)
    program.run("prune", "--older-than", CUT, "--yes")
    assert program.take("2026-11-02T22:00:00Z", files_of(3)).code == 0
    back = program.run("show", "EX01", "--json", "--at", "2026-11-02T23:00:00Z")
    assert ".config:" in back.out
    assert program.run("prune", "--older-than", CUT, "--yes").code == 0
    assert [body["count"] for body in bodies(program, "prune")] == [12, 3]
    assert set(bodies(program, "prune")[1]["digests"]) < set(bodies(program, "prune")[0]["digests"])
    assert len(raw_of(program)) == 6
    assert chain_holds(program, tmp_path)


# --- what stays ---------------------------------------------------------------------------------


def test_the_newest_of_each_reading_stays(program):
    """Also of a file that is not read now; the next one is held against it."""
    week(program, 3)
    program.take(at(4), {OWA: files_of(4)[OWA], WEB: "denied"})
    newest = raw_of(program)
    assert program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes").code == 0
    kept = raw_of(program)
    assert sorted(name.split()[-1] for name in kept) == ["3", "3", "4"]
    assert kept.items() <= newest.items()


def test_what_is_packed_against_a_pruned_file_is_packed_anew(program):
    """The others of its group are packed against one that stays, and hold the same bytes."""
    week(program)
    bases = {base for (base,) in query(program, "SELECT base_id FROM content WHERE base_id > 0")}
    raws = "SELECT raw_id FROM reading_state WHERE until_at < 1793880000000000"
    assert bases & {number for (number,) in query(program, raws)}
    old = contents(program)
    program.run("prune", "--older-than", CUT, "--yes")
    assert contents(program).items() < old.items()
    again = {base for (base,) in query(program, "SELECT base_id FROM content WHERE base_id > 0")}
    assert again <= {number for (number,) in query(program, "SELECT id FROM content")}
    assert query(program, "SELECT count(*) FROM content WHERE base_id IS NOT NULL") != [(0,)]
    # What comes next is packed as ever.
    assert program.take(at(9), files_of(9)).code == 0
    contents(program)


def test_of_one_server_only_what_is_its_alone_goes(program):
    """A file that another server has too stays; without --server it goes for both."""
    for day in (1, 2, 3):
        for server in ("EX01", "EX02"):
            own = vdir("Owa", ExternalUrl=f"https://{server}-{day}.contoso.com", server=server)
            files = {OWA: own, WEB: web(day=str(day))}
            assert program.take(at(day), files, server=server).code == 0
    said = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--server", "ex01", "--yes")
    assert said.out.splitlines()[0] == "pruned 2 raw files: EX01 2"
    assert bodies(program, "prune")[0]["server"] == "EX01"
    again = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--server", "EX01")
    assert again.out.startswith("nothing to prune: each raw file of EX01 was needed since ")
    said = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes")
    assert said.out.splitlines()[0] == "pruned 4 raw files: EX01 2, EX02 4"
    assert len([row for row in query(program, STATES) if row[-1] is not None]) == 4


def test_a_damaged_raw_file_ends_it(program):
    """Nothing is pruned where something that goes cannot be read; exit code 5."""
    week(program)
    with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
        connection.execute(
            "UPDATE content SET data = x'00' WHERE id = (SELECT min(raw_id) FROM reading_state)"
        )
    before = rows(program.store)
    answer = program.run("prune", "--older-than", CUT, "--yes")
    assert (answer.code, answer.out) == (5, "")
    assert re.match(r"error: \S+: content \w{12}.* is not what was written\n", answer.err)
    assert rows(program.store) == before


# --- in the middle ------------------------------------------------------------------------------


def test_a_killed_prune_is_whole_or_not_at_all(program):
    """After kill -9 at any point either nothing or all of it was done."""
    week(program)
    source, old = program.store.read_bytes(), contents(program)
    counts = {len(old): 0, len(old) - 12: 1}
    spread, hit, ends = random.Random(1), 0, set()
    for _ in range(40):
        program.store.write_bytes(source)
        for left in program.folder.glob("changelog.db-*"):
            left.unlink()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                program.run("prune", "--older-than", CUT, "--yes")
            os._exit(0)
        time.sleep(spread.uniform(0, 0.06))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        hit += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert program.run("snapshots").code == 0
        assert query(program, "PRAGMA integrity_check") == [("ok",)]
        assert query(program, "PRAGMA foreign_key_check") == []
        left_over = contents(program)
        assert counts[len(left_over)] == len(bodies(program, "prune"))
        ends.add(len(left_over))
    assert hit > 10


# --- the file -----------------------------------------------------------------------------------


def packed_of(program: Program, digests: set[bytes]) -> list[bytes]:
    found = query(program, "SELECT hash, data FROM content")
    return [data for digest, data in found if digest in digests]


def big_week(program: Program) -> Program:
    """Raw files of 100 KB that do not pack: their bytes are found in the store's file."""
    for day in (1, 2, 3):
        noise = "".join(
            random.Random(day).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=99_999)
        )
        config = f"<configuration><!-- {noise} --><appSettings /></configuration>"
        assert program.take(at(day), {WEB: config.encode()}).code == 0
    return program


def some_of(data: bytes) -> bytes:
    return data[len(data) // 2 : len(data) // 2 + 200]


def test_compact_gives_the_room_back(program):
    """The file stays as large until --compact, which leaves no byte of a pruned file in it."""
    big_week(program)
    raw = raw_of(program)
    going = {digest for name, digest in raw.items() if not name.endswith("3")}
    packed = packed_of(program, going)
    size = program.store.stat().st_size
    said = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes")
    assert re.fullmatch(
        r"the store's file stays at [\d.]+ KB, of which 1[\d.]+ KB are free for what comes;"
        r" --compact gives them back to the disk",
        said.out.splitlines()[-1],
    )
    assert program.store.stat().st_size == size
    shown = program.run("show", "EX01", "--json")
    answer = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes", "--compact")
    assert (answer.code, answer.err) == (0, "")
    assert re.fullmatch(r"the store's file: [\d.]+ KB -> [\d.]+ KB", answer.out.splitlines()[-1])
    assert program.store.stat().st_size < size - 100_000
    whole = b"".join(file.read_bytes() for file in program.folder.glob("changelog.db*"))
    assert [some_of(data) in whole for data in packed] == [False, False]
    assert [some_of(data) in whole for data in packed_of(program, set(raw.values()))] == [True]
    assert program.run("show", "EX01", "--json") == shown


def test_prune_and_compact_at_once(program):
    """Both in one command: first the tombstone, then the smaller file."""
    big_week(program)
    answer = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes", "--compact")
    assert [line.split()[0] for line in answer.out.splitlines()] == [
        "pruned", "needed", f"{answer.out.splitlines()[2].split()[0]}", "their", "the",
    ]  # fmt: skip
    assert "->" in answer.out.splitlines()[-1]


def test_compact_without_room_is_one_line(program):
    """Where the disk is full the raw files are pruned, and the file is as it was; exit code 5."""
    big_week(program)
    size = program.store.stat().st_size
    program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes")
    before = program.store.read_bytes()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        with contextlib.suppress(BaseException):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
            answer = program.run("prune", "--older-than", "2026-11-20T00:00Z", "--yes", "--compact")
            os.write(writer, answer.err.encode())
            code = answer.code
        os._exit(code)
    os.close(writer)
    with open(reader, encoding="utf-8") as errors:  # noqa: PTH123
        said = errors.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    lines = said.splitlines()
    assert re.fullmatch(
        re.escape(f"error: {program.store}: not compacted: ") + ".*; the file is as it was",
        lines[0],
    )
    assert lines[1].startswith("hint: it needs up to twice the file's size of free room")
    assert len(lines) == 2
    assert program.run("log").code == 0
    assert (program.store.read_bytes(), program.store.stat().st_size) == (before, size)


# --- what it refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--older-than", "soon"], f"error: --older-than: 'soon' is no time; {EXPECTED}\n"),
        (["--older-than", "365"], f"error: --older-than: '365' is no time; {EXPECTED}\n"),
        (["--older-than", ""], f"error: --older-than: '' is no time; {EXPECTED}\n"),
        ([], f"error: changelog-tracker prune: {MISSING}\n"),
        (
            ["--older-than", "1d", "--server", "EX99"],
            f"error: EX99: is no server of this store\n{LIST}\n",
        ),
        (["--older-than", "1d", "--yes", "--dry-run"], "error: --dry-run: cannot go with --yes\n"),
    ],
)
def test_what_cannot_be_is_one_line(program, arguments, said):
    """Wrong usage: exit code 2, and the store as it was."""
    week(program, 2)
    before = rows(program.store)
    for yes in (["--yes"], []):
        answer = program.run("prune", *arguments, *yes)
        if "--dry-run" in arguments and not yes:
            continue
        assert (answer.code, answer.out, answer.err) == (2, "", said)
    assert rows(program.store) == before


def test_a_time_ahead_is_refused(program):
    """Nothing is needed in the future, so all but the newest would go; that is no wish."""
    week(program, 2)
    answer = program.run("prune", "--older-than", "2100-01-01", "--yes")
    assert (answer.code, answer.out) == (2, "")
    assert re.fullmatch(
        r"error: --older-than: '2100-01-01' lies ahead of this machine's clock \(\S+Z\);"
        r" expected a time that is past, or an age such as 365d\n",
        answer.err,
    )


def test_without_a_store_it_says_so(program):
    """It makes none."""
    answer = program.run("prune", "--older-than", "1d", "--yes")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"error: {program.store}: there is no store yet\n")
    assert not program.store.exists()


def test_only_a_file_can_be_compacted(program):
    """In PostgreSQL --compact is refused before anything is asked of it."""
    place = "postgresql+psycopg://tracker:secret@127.0.0.1:1/none"
    answer = program.run("--store", place, "prune", "--older-than", "1d", "--yes", "--compact")
    refused = f"error: --compact: is for a store that is a file; {place} is none\n"
    refused = refused.replace("secret", "***") + "hint: PostgreSQL has VACUUM FULL for it\n"
    assert (answer.code, answer.out, answer.err) == (2, "", refused)
