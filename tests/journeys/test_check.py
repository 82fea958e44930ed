"""`check`: what is damaged is named, what is still good is said, and sound stores are sound."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3

import pytest
from bundles import IIS, OTHER_WEB, OWA, WEB, Program, iis, vdir, web
from whole_store import FIND_ALL, OWA_CONTENT, OWA_NAME, damage, plain, whole_store

RESTORE = (
    "  keep this store as it is, restore the newest copy that check --read-data calls sound, and"
    " import what came since again"
)
COMMANDS = "  log, show, diff, drift and snapshots give what is whole, and name what is not"
WHOLE_JOURNAL = "  the whole journal, 32 rows, and with it every change and reason"
SOUND = """\
ok    schema: 0003, as this program makes it
ok    database: SQLite finds nothing wrong
ok    journal: 32 rows, the chain holds, head HEAD, row 32
ok    key: KEY, that of the newest snapshots
ok    references: nothing is loose, nothing refers to nothing
"""
READ = """\
ok    contents: N, N bytes, each as it was written
ok    derived rows: N, as the journal makes them
sound
"""
WEB_CONFIG = "ConfigFile[%ExchangeInstallPath%/ClientAccess/owa/web.config : appSettings]"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small store with something in every table but blocks: 32 rows of the journal."""
    return whole_store(tmp_path_factory.mktemp("made") / "store", hours=20)


@pytest.fixture
def program(made, tmp_path):
    """The same store, to be damaged."""
    shutil.copytree(made.folder, tmp_path / "store")
    return Program(tmp_path / "store")


def told(program: Program, *arguments: str) -> list[str]:
    """What a damaged store is told of, without the lines of what is sound; nothing is written."""
    before = program.store.read_bytes(), sorted(program.folder.iterdir())
    answer = program.run("check", *(arguments or ("--read-data",)))
    assert (answer.code, answer.err) == (5, "")
    assert (program.store.read_bytes(), sorted(program.folder.iterdir())) == before
    return [line for line in plain(answer.out).splitlines() if not line.startswith("ok")]


# --- a sound store ------------------------------------------------------------------------------


def test_a_sound_store_is_sound(program):
    """Every check is one line; the head of the journal is the one that reports carry."""
    answer = program.run("check", "--read-data")
    assert (answer.code, plain(answer.out), answer.err) == (0, SOUND + READ, "")
    report = program.run("log", "--format", "md").out
    head = re.search(r"head ([0-9a-f]{64}), row 32", answer.out)
    assert head is not None
    assert f"{head[1]}, row 32" in report


def test_check_without_reading_says_so(program):
    """The quick check leaves the contents unread, and says how to read them."""
    answer = program.run("check")
    assert answer.code == 0
    assert plain(answer.out) == f"{SOUND}sound; contents were not read: check --read-data\n"


def test_check_as_json(program):
    """One object a line, of a sound store and of a damaged one."""
    answer = program.run("check", "--json")
    assert answer.code == 0
    assert [(line["check"], line["state"], line["place"]) for line in answer.lines] == [
        (name, "ok", None) for name in ("schema", "database", "journal", "key", "references")
    ]
    damage(program, "UPDATE journal SET received = received + 1 WHERE seq = 3")
    answer = program.run("check", "--json")
    assert answer.code == 5
    assert [line for line in answer.lines if line["check"] in {"journal", "still good", "do"}] == [
        {
            "check": "journal",
            "state": "bad",
            "what": "not what was written: snapshot of EX01, 2026-11-04T10:00:00Z; "
            "what it says may not be what was recorded",
            "place": "journal row 3",
        },
        {
            "check": "journal",
            "state": "bad",
            "what": "32 rows; the chain is broken at row 3",
            "place": None,
        },
        *(
            {"check": "still good", "state": "ok", "what": what, "place": None}
            for what in (
                "rows 1 to 2 of the journal",
                "all rows of 1 of 2 servers: EX02",
                COMMANDS.strip(),
            )
        ),
        *(
            {"check": "do", "state": "note", "what": what, "place": None}
            for what in (
                RESTORE.strip(),
                "see what else is damaged with: changelog-tracker check --read-data",
            )
        ),
    ]


def test_a_new_store_is_sound(tmp_path):
    """A store that was only made is sound; its key comes with the first import."""
    program = Program(tmp_path)
    assert program.run("db", "upgrade").code == 0
    answer = program.run("check", "--read-data")
    assert (answer.code, plain(answer.out)) == (
        0,
        "ok    schema: 0003, as this program makes it\n"
        "ok    database: SQLite finds nothing wrong\n"
        "ok    journal: 0 rows, the chain holds\n"
        "ok    key: not there yet; nothing was fingerprinted\n"
        "ok    references: nothing is loose, nothing refers to nothing\n" + READ,
    )


def test_what_was_pruned_is_no_damage(program):
    """A raw file that a tombstone names may be gone; one that is lost beside it may not."""
    assert program.run("prune", "--older-than", "1d", "--yes").code == 0
    answer = program.run("check", "--read-data")
    assert answer.code == 0
    assert re.search(r"each as it was written; \d+ pruned\n", answer.out)
    damage(program, "DELETE FROM content WHERE id = (SELECT MAX(raw_id) FROM reading_state)")
    assert "BAD   contents: 1 of N cannot be read" in told(program)


def test_a_late_history_is_sound(tmp_path):
    """What late snapshots laid is what the journal makes, also where a kind was missing."""
    program = Program(tmp_path / "store")
    for day, files in (
        (1, {OWA: vdir("Owa"), WEB: web(a="1")}),
        (7, {WEB: web(a="2"), OTHER_WEB: web(c="1")}),
        (4, {OWA: vdir("Owa", ExternalUrl="https://mail.contoso.com/owa")}),
        (2, {WEB: web(a="1"), IIS: iis()}),
        (5, {OTHER_WEB: web(c="2"), IIS: iis("None")}),
    ):
        assert program.take(f"2026-11-0{day}T10:00:00Z", files).code == 0
    assert program.run("check", "--read-data").code == 0


# --- the journal --------------------------------------------------------------------------------

JOURNAL = {
    "altered": (
        "UPDATE journal SET source = 'elsewhere' WHERE seq = 3",
        (
            "journal row 3: not what was written: snapshot of EX01, 2026-11-04T10:00:00Z; "
            "what it says may not be what was recorded"
        ),
    ),
    "given to another server": (
        "UPDATE journal SET server_id = 2 WHERE seq = 3",
        (
            "journal row 3: not what was written: snapshot of EX02, 2026-11-04T10:00:00Z; "
            "what it says may not be what was recorded"
        ),
    ),
    "with another hash": (
        "UPDATE journal SET hash = (SELECT hash FROM journal WHERE seq = 2) WHERE seq = 3",
        (
            "journal row 3: not what was written: snapshot of EX01, 2026-11-04T10:00:00Z; "
            "what it says may not be what was recorded"
        ),
    ),
    "unreadable": (
        "UPDATE journal SET body = SUBSTR(body, 1, LENGTH(body) - 9) WHERE seq = 3",
        "journal row 3: a packed value cannot be read: ",
    ),
    "without what it refers to": (
        "UPDATE journal SET origin_id = 9 WHERE seq = 3",
        (
            "journal row 3: refers to origin 9, which is not there: snapshot of EX01, "
            "2026-11-04T10:00:00Z; log cannot show the changes that it brought"
        ),
    ),
}


@pytest.mark.parametrize("case", JOURNAL)
def test_a_damaged_row_of_the_journal_is_named(program, case):
    """Its number, what it is about, and what that costs; the row after it is not blamed."""
    statement, wanted = JOURNAL[case]
    damage(program, statement)
    lines = told(program)
    assert "BAD   journal: 32 rows; the chain is broken at row 3" in lines
    found = lines[lines.index("damaged, journal:") + 1 :]
    assert found[0].startswith(f"  {wanted}")
    good = found.index("still good:")
    assert found[good + 1] == "  rows 1 to 2 of the journal"
    assert found[-2:] == ["do:", RESTORE]
    assert [line for line in found[1:good] if line.startswith("  journal")] == []


def test_a_missing_row_of_the_journal_is_named(program):
    """A gap in the numbers is a missing row, and nobody knows whose."""
    damage(program, "DELETE FROM journal WHERE seq = 7")
    assert told(program) == [
        "BAD   journal: 31 rows; the chain is broken at row 7",
        "BAD   references: 1 damaged",
        *(
            f"note  derived rows: rows of {whose}: not compared: "
            "rows of the journal are missing before row 8"
            for whose in ("what people said", "EX01", "EX02")
        ),
        "note  derived rows: N compared, as the journal makes them",
        "damaged, journal:",
        "  journal row 7: missing: lost, or taken out",
        "damaged, references:",
        "  change 7.1: was brought by no row of the journal",
        "still good:",
        "  rows 1 to 6 of the journal",
        COMMANDS,
        "do:",
        RESTORE,
    ]


def test_a_row_put_into_the_journal_is_named(program):
    """A row that nobody wrote does not fit between two others."""
    damage(
        program,
        "UPDATE unchanged SET seq = seq + 100 WHERE seq > 20",
        "INSERT INTO unchanged SELECT seq + 1, server_id, at + 1, received, origin_id, source,"
        " body, hash FROM unchanged WHERE seq = 20",
    )
    assert "  journal row 21: not what was written: snapshot of EX01, " in "\n".join(told(program))


def test_a_lost_end_of_the_journal_shows_in_what_derives_from_it(program):
    """The chain cannot tell that its end is gone; the reason that it brought can."""
    damage(program, "DELETE FROM journal WHERE seq = 32")
    lines = told(program)
    assert lines[:2] == [
        "BAD   database: 1 damaged",
        "BAD   derived rows: N of N are not what the journal says",
    ]
    what = "is there, but nothing in the journal makes it; log may tell it wrong"
    assert f"  documentation 7.1.0.32: {what}" in lines


def test_a_damaged_block_is_named(tmp_path):
    """Of quiet snapshots that are packed together: whose, from when to when; the rest is good."""
    program = whole_store(tmp_path / "store", hours=140)
    damage(program, "UPDATE unchanged_block SET data = SUBSTR(data, 1, LENGTH(data) - 3)")
    first = program.run("snapshots", "--json")
    assert (first.code, len(first.lines)) == (5, 6 + 12)
    assert first.err == (
        f"error: {program.store}: block 11-138 cannot be read; what is not named is whole\n"
        f"{FIND_ALL}"
    )
    lines = told(program)
    assert [line for line in lines if line.startswith("  journal")] == [
        line for line in lines if "quiet snapshots of EX01, 2026-11-05T10:00:00Z to 2026-11-10T17:0"
        "0:00Z; snapshots cannot list them; they brought no change" in line
    ]  # fmt: skip
    assert "  all rows of 1 of 2 servers: EX02" in lines


def test_an_altered_block_is_named(tmp_path):
    """A block whose end has another hash: its rows cannot be told apart, so all are named."""
    program = whole_store(tmp_path / "store", hours=140)
    damage(program, "UPDATE unchanged_block SET hash = ZEROBLOB(32)")
    found = [line for line in told(program) if line.startswith("  journal")]
    assert found == [
        (
            "  journal rows 11 to 138: not what was written: snapshot of EX01, "
            "2026-11-10T17:00:00Z; what it says may not be what was recorded"
        )
    ]


def test_a_damaged_reason_is_of_no_server(program):
    """A row that is about no server leaves the servers' rows to be compared."""
    damage(program, "UPDATE journal SET received = received + 1 WHERE seq = 8")
    lines = told(program)
    assert lines == [
        "BAD   journal: 32 rows; the chain is broken at row 8",
        (
            "note  derived rows: rows of what people said: not compared: "
            "the journal is damaged from row 8 on"
        ),
        "note  derived rows: N compared, as the journal makes them",
        "damaged, journal:",
        (
            "  journal row 8: not what was written: document; "
            "what it says may not be what was recorded"
        ),
        "still good:",
        "  rows 1 to 7 of the journal",
        "  all rows of 2 of 2 servers: EX01, EX02",
        COMMANDS,
        "do:",
        RESTORE,
    ]


# --- contents -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"UPDATE content SET data = X'7B7D' WHERE id = {OWA_CONTENT}", "is not what was written"),
        (
            f"UPDATE content SET data = SUBSTR(data, 1, 20) WHERE id = {OWA_CONTENT}",
            "a packed value cannot be read: ",
        ),
    ],
)
def test_a_damaged_content_is_named_with_what_needs_it(program, statement, what):
    """Which resource of which server, and from which snapshot until which."""
    damage(program, statement)
    lines = told(program)
    assert "BAD   contents: 1 of N cannot be read" in lines
    [found] = [line for line in lines if line.startswith("  content X")]
    assert found.startswith(f"  content X: {what}")
    assert f"; needed by: EX01 {OWA_NAME}, from snapshot " in found
    assert lines[lines.index("still good:") :] == [
        "still good:",
        WHOLE_JOURNAL,
        "  N of N contents",
        COMMANDS,
        "do:",
        RESTORE,
    ]


def test_a_missing_raw_file_is_named_with_what_needs_it(program):
    """A raw file that no tombstone explains is lost."""
    newest = (
        "(SELECT raw_id FROM reading_state s JOIN reading r ON r.id = s.reading_id"
        " WHERE r.kind = 'IisConfig' AND raw_id IS NOT NULL ORDER BY from_at DESC LIMIT 1)"
    )
    damage(program, f"DELETE FROM content WHERE id = {newest}")
    lines = told(program)
    [found] = [line for line in lines if line.startswith("  content X: is missing")]
    assert found.startswith(
        "  content X: is missing; needed by: raw file of EX01 IisConfig "
        "%windir%/System32/inetsrv/config/applicationHost.config, from snapshot "
    )
    assert "BAD   database: 1 damaged" in lines or "BAD   database: 2 damaged" in lines


# --- derived rows and references ----------------------------------------------------------------

ROWS = {
    "UPDATE version SET until_at = until_at + 1 WHERE resource_id = 1 AND from_at = (SELECT"
    " MIN(from_at) FROM version WHERE resource_id = 1)": (
        "version of EX01: ",
        "; show, diff and drift of EX01 may tell it wrong",
    ),
    "UPDATE reading_state SET status = 'absent' WHERE reading_id = 1": (
        "reading_state of EX01: ",
        (
            "status is absent, by the journal read; show, snapshots and log --coverage of EX01 may"
            " tell it wrong"
        ),
    ),
    "UPDATE reading SET scope = 'other' WHERE id = 1": (
        "reading of EX01: ",
        "; show and snapshots of EX01 may tell it wrong",
    ),
    "UPDATE resource SET name = 'other' WHERE id = 1": (
        "resource of EX01: ",
        "; show, diff and drift of EX01 may tell it wrong",
    ),
    "UPDATE change SET snapshot = 1 WHERE seq = 2 AND n = 1": (
        "change of EX01 2.1: ",
        "snapshot is 1, by the journal 2; log of EX01 may tell it wrong",
    ),
    "UPDATE documentation SET body = CAST(REPLACE(body, 'twice', 'often') AS BLOB)": (
        "documentation ",
        "log may tell it wrong",
    ),
    "UPDATE baseline SET snapshot = 3": (
        "baseline 10: ",
        "snapshot is 3, by the journal 2; drift may tell it wrong",
    ),
    "UPDATE inventory SET body = CAST(REPLACE(body, 'ex01.', 'ex66.') AS BLOB)": (
        "inventory ex01: ",
        "; server list and take may tell it wrong",
    ),
    "DELETE FROM inventory": (
        "inventory ex01: ",
        "is missing; the journal has it; server list and take may tell it wrong",
    ),
    "INSERT INTO inventory VALUES ('ex09', X'7B7D')": (
        "inventory ex09: ",
        "is there, but nothing in the journal makes it; server list and take may tell it wrong",
    ),
}


@pytest.mark.parametrize("statement", ROWS)
def test_a_derived_row_that_the_journal_does_not_make_is_named(program, statement):
    """Which row, what it holds and what the journal says; the journal itself is whole."""
    start, end = ROWS[statement]
    damage(program, statement)
    assert program.run("check").code == 0
    lines = told(program)
    assert lines[:2] == [
        "BAD   derived rows: N of N are not what the journal says",
        "damaged, derived rows:",
    ]
    found = lines[2 : lines.index("still good:")]
    assert all(line.startswith(f"  {start}") and line.endswith(end) for line in found)
    assert found
    assert lines[lines.index("still good:") :] == [
        "still good:", WHOLE_JOURNAL, COMMANDS, "do:", RESTORE,
    ]  # fmt: skip


LOOSE = {
    "UPDATE change SET seq = 29 WHERE seq = 2 AND n = 2": (
        "references", "change 29.2: was brought by no row of the journal",
    ),
    "UPDATE documentation SET change_n = 99 WHERE seq = 32": (
        "references", "documentation 7.99: is about no change",
    ),
    "INSERT INTO origin VALUES (7, 'somebody', 'elsewhere', 'changelog-tracker 0')": (
        "references", "origin 7: is there, but no row of the journal names it",
    ),
    "INSERT INTO server VALUES (7, 'EX07', 'ex07')": (
        "references", "server EX07: is there, but no row of the journal is about it",
    ),
    "UPDATE server SET folded = 'ex03' WHERE id = 2": (
        "references", "server EX02: is looked up as ex03; so commands do not find it",
    ),
    "INSERT INTO content VALUES (99, X'0102030405060708', X'00', NULL)": (
        "references", "content 010203040506: is there, but nothing in the journal names it",
    ),
    "UPDATE content SET base_id = 99 WHERE id = 1": (
        "references", "content 1: is packed against a content that is not there",
    ),
    "DELETE FROM resource WHERE id = 1": (
        "database", "table version, a row: refers to a row of resource that is not there",
    ),
    "UPDATE baseline SET snapshot = 'two'": (
        "database", "baseline 10: snapshot holds text, which is not what this program writes there",
    ),
    "UPDATE dictionary SET data = SUBSTR(data, 1, 100)": (
        "database",
        ("table dictionary: is not the one that this program makes; what is packed against it may"
        " not be read"),
    ),
    "DROP INDEX journal_by_server": (
        "schema", "table journal: index journal_by_server is missing",
    ),
    "ALTER TABLE server ADD COLUMN note TEXT": (
        "schema", "table server: column note is not as this program makes it",
    ),
    "DROP TABLE baseline": ("schema", "table baseline: is missing"),
    "DELETE FROM alembic_version": (
        "schema",
        "table alembic_version: the schema's number is missing, but the tables are those of 0003",
    ),
    "UPDATE alembic_version SET version_num = '0007'": (
        "schema",
        ("table alembic_version: the schema's number is 0007, but the tables are those of 0003; "
        "unless a newer changelog_tracker wrote it, it is damaged"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("statement", LOOSE)
def test_the_quick_check_names_what_is_loose(program, statement):
    """What refers to nothing, what nothing refers to, and tables that are not this program's."""
    check, wanted = LOOSE[statement]
    damage(program, statement)
    answer = program.run("check")
    assert (answer.code, answer.err) == (5, "")
    lines = answer.out.splitlines()
    assert any(line.startswith(f"BAD   {check}: ") for line in lines)
    assert f"  {wanted}" in lines[lines.index(f"damaged, {check}:") :]


def test_a_damaged_number_of_the_schema_is_never_upgraded(program):
    """`db upgrade` on tables that are there already fails in one line, and changes nothing."""
    damage(program, "UPDATE alembic_version SET version_num = '0001'")
    before = program.store.read_bytes()
    answer = program.run("db", "upgrade")
    assert (answer.code in {1, 5}, answer.err.count("error: ")) == (True, 1)
    assert program.store.read_bytes() == before
    assert "the schema's number is 0001, but the tables" in "\n".join(told(program))


# --- the key ------------------------------------------------------------------------------------

BRING_BACK = "  changelog-tracker key import FILE --force brings back a copy of the key"


def key_lines(program: Program) -> list[str]:
    """What is told of the key alone."""
    key = str(program.folder / "changelog.key")
    lines = [line.replace(key, "KEYFILE") for line in told(program)]
    return [re.sub(r"\b[0-9a-f]{8}\b", "ID", line) for line in lines]


def test_a_lost_key_is_named(program):
    """The store is whole; what the key is needed for is said, and how to bring it back."""
    (program.folder / "changelog.key").unlink()
    what = "not there; newest snapshots were made with ID; without it secrets and files"
    assert key_lines(program) == [
        "damaged, key:",
        f"  KEYFILE: {what} cannot be compared with those of new snapshots",
        "do:",
        BRING_BACK,
    ]


def test_another_key_is_named(program):
    """A key that no snapshot was made with: one wrong digit is enough."""
    (program.folder / "changelog.key").write_text("22" * 32)
    assert key_lines(program) == [
        "damaged, key:",
        (
            "  KEYFILE: is ID, but the newest snapshot of EX01, EX02 was made with ID; "
            "secrets of the two cannot be compared"
        ),
        "do:",
        BRING_BACK,
    ]


def test_a_key_that_is_none_is_named(program):
    """A garbled file is no key."""
    (program.folder / "changelog.key").write_text("garbled")
    assert key_lines(program) == [
        "damaged, key:",
        (
            "  KEYFILE: is no key: expected hexadecimal digits; without it secrets and files"
            " cannot be compared with those of new snapshots"
        ),
        "do:",
        BRING_BACK,
    ]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_key_that_others_may_read_is_a_note(program):
    """It is no damage, but it is said."""
    key = program.folder / "changelog.key"
    key.chmod(0o644)
    answer = program.run("check")
    assert answer.code == 0
    assert f"note  key: {key}: others may read it, its mode is 0644" in answer.out.splitlines()


# --- what is no store, or cannot be opened ------------------------------------------------------


def test_without_a_store_there_is_nothing_to_check(tmp_path):
    """No store is said as by every command, and none is made."""
    program = Program(tmp_path)
    answer = program.run("check", "--read-data")
    assert (answer.code, answer.out, list(tmp_path.iterdir())) == (1, "", [])
    assert answer.err.startswith(f"error: {program.store}: there is no store yet\n")


def test_what_cannot_be_opened_is_one_line(program):
    """A file that is no database any more: exit 5, one line, and what to do."""
    program.store.write_bytes(b"hello, this is no database" * 100)
    for arguments in (["check"], ["check", "--read-data"], ["check", "--json"]):
        answer = program.run(*arguments)
        assert (answer.code, answer.out, answer.err) == (
            5,
            "",
            (
                f"error: {program.store}: is damaged or not a store: file is not a database\n"
                "hint: restore it from its last copy\n"
            ),
        )


def test_a_torn_store_says_what_could_not_be_looked_at(program):
    """Half of the file is gone: each check says how far it came, and the exit code is 5."""
    os.truncate(program.store, program.store.stat().st_size // 2)
    answer = program.run("check", "--read-data")
    assert answer.code == 5
    assert answer.out + answer.err != ""
    assert "Traceback" not in answer.err


def test_a_newer_store_is_refused(program):
    """A store of a newer program, with tables that this one does not know: exit 1 as ever."""
    damage(
        program,
        "UPDATE alembic_version SET version_num = '0099'",
        "ALTER TABLE journal RENAME COLUMN source TO came_from",
    )
    answer = program.run("check")
    assert (answer.code, answer.out) == (1, "")
    assert "has schema 0099, written by a newer changelog_tracker" in answer.err


def test_another_database_is_no_store(tmp_path):
    """A database of somebody else is not checked."""
    program = Program(tmp_path)
    with contextlib.closing(sqlite3.connect(program.store)) as connection:
        connection.execute("CREATE TABLE letters (text)")
    answer = program.run("check")
    assert (answer.code, answer.out, answer.err) == (
        1,
        "",
        f"error: {program.store}: is a database, but not a store of changelog_tracker\n",
    )
