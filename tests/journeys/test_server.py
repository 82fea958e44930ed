"""`server`: the inventory from the command line, and settings of how servers are collected."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from bundles import OWA, Program, rows, stored, vdir
from whole_store import FIND_ALL, damage

from changelog_tracker.config import load_config
from changelog_tracker.errors import StoreDamagedError, UsageError
from changelog_tracker.pipeline import inventory
from changelog_tracker.pipeline.inventory import ServerEntry
from changelog_tracker.store import Store
from changelog_tracker.store.journal import entries as journal_entries

PASSWORD = "P4ss-w0rd-of-svc"
ADD_EX01 = ("server", "add", "EX01", "--host", "ex01.contoso.com")
EX01 = {
    "name": "EX01",
    "host": "ex01.contoso.com",
    "transport": "winrm",
    "scheme": "https",
    "port": None,
    "auth": "negotiate",
    "user": None,
    "password": None,
    "ca": None,
    "proxy": None,
    "certificate": None,
    "certificate_key": None,
    "exchange_url": "http://ex01.contoso.com/powershell",
    "exchange_auth": "negotiate",
    "groups": [],
    "snapshots": 0,
    "last_snapshot": None,
}


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


def done(answer):
    assert (answer.code, answer.err) == (0, ""), answer.err
    return answer


def store_of(program: Program) -> Store:
    return Store(str(program.store), program.folder / "changelog.key")


def actions(program: Program) -> list[str]:
    return [row[1] for row in rows(program.store)["journal"]]


def test_a_server_is_kept_and_the_next_command_is_said(program):
    """The store is made with it; what was not told is as the reference says."""
    answer = done(program.run(*ADD_EX01, "--group", "farm", "--group", "edge"))
    assert answer.out == (
        "EX01: kept as\n"
        "  transport:        winrm, https, port 5986\n"
        "  host:             ex01.contoso.com\n"
        "  auth:             negotiate\n"
        "  exchange:         http://ex01.contoso.com/powershell, negotiate\n"
        "  groups:           edge, farm\n"
        "next: changelog-tracker server test EX01\n"
    )
    wanted = [{**EX01, "groups": ["edge", "farm"]}]
    assert program.run("server", "list", "--json").lines == wanted
    assert program.run("server", "show", "ex01", "--json").lines == wanted


def test_every_option_is_kept_as_it_was_given(program, tmp_path):
    """Paths whole, references as they are."""
    for name in ("ca.pem", "me.pem", "me.key"):
        (tmp_path / name).write_text("x")
    told = {
        "--transport": "winrm",
        "--scheme": "https",
        "--port": "15986",
        "--auth": "certificate",
        "--user": r"CONTOSO\svc",
        "--password": "keyring:exchange/svc",
        "--ca": str(tmp_path / "ca.pem"),
        "--proxy": "http://proxy.contoso.com:3128",
        "--certificate": str(tmp_path / "me.pem"),
        "--certificate-key": str(tmp_path / "me.key"),
        "--exchange-url": "https://mail.contoso.com/powershell",
        "--exchange-auth": "basic",
        "--group": "farm",
    }
    done(program.run(*ADD_EX01, *(part for pair in told.items() for part in pair)))
    [line] = program.run("server", "show", "EX01", "--json").lines
    wanted = {name[2:].replace("-", "_"): value for name, value in told.items()}
    wanted["groups"] = [wanted.pop("group")]
    assert line == {**EX01, **wanted, "port": 15986}
    [entry] = entries_of(program)
    assert (entry.ca, entry.certificate_key) == (tmp_path / "ca.pem", tmp_path / "me.key")


def entries_of(program: Program, group: str | None = None) -> tuple[ServerEntry, ...]:
    store = store_of(program)
    with store.reading() as connection:
        found = inventory.entries(connection, group)
    store.close()
    return found


def test_a_relative_path_is_kept_whole(program, tmp_path, monkeypatch):
    """So it is the same file wherever the program runs next."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_text("x")
    done(program.run(*ADD_EX01, "--ca", "ca.pem"))
    assert entries_of(program)[0].ca == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("told", "url", "auth"),
    [
        (["--auth", "kerberos"], "http://ex01/powershell", "kerberos"),
        (
            ["--auth", "basic", "--user", "a", "--password", "env:A"],
            "https://ex01/powershell",
            "basic",
        ),
        (["--auth", "credssp", "--user", "a", "--password", "env:A"], None, "credssp"),
        (["--transport", "local"], None, "negotiate"),
        (["--exchange-url", "NONE"], None, "negotiate"),
        (["--exchange-auth", "kerberos"], "http://ex01/powershell", "kerberos"),
        (
            ["--transport", "local", "--exchange-url", "http://ex01/powershell"],
            "http://ex01/powershell",
            "negotiate",
        ),
    ],
)
def test_the_exchange_endpoint_is_the_usual_one_unless_told(program, told, url, auth):
    """The script asks Exchange itself where it can: on this machine, and by a second hop."""
    done(program.run("server", "add", "EX01", "--host", "ex01", *told))
    [entry] = entries_of(program)
    assert (entry.exchange_url, entry.exchange_auth) == (url, auth)


def test_this_machine_needs_no_host(program):
    """What is not used is not shown."""
    assert done(program.run("server", "add", "EX01", "--transport", "local")).out == (
        "EX01: kept as\n"
        "  transport:        local\n"
        "  host:             localhost\n"
        "  exchange:         asked by the script on the server\n"
        "next: changelog-tracker server test EX01\n"
    )


def test_the_same_entry_again_changes_nothing(program):
    """It is said, and the journal has no second row."""
    done(program.run(*ADD_EX01))
    before = rows(program.store)
    assert done(program.run(*ADD_EX01)).out.startswith("EX01: is in the inventory already, as\n")
    assert rows(program.store) == before


def test_another_entry_of_that_name_needs_force(program):
    """Which options differ is said; both entries are in the journal."""
    done(program.run(*ADD_EX01))
    before = rows(program.store)
    other = ("server", "add", "ex01", "--host", "10.0.0.1", "--exchange-url", "none")
    answer = program.run(*other)
    assert (answer.code, answer.out, answer.err) == (
        2,
        "",
        (
            "error: ex01: is in the inventory already, with another name, host, exchange-url;"
            " nothing was changed\nhint: --force replaces it\n"
        ),
    )
    assert rows(program.store) == before
    done(program.run(*other, "--force"))
    [entry] = entries_of(program)
    assert (entry.name, entry.host) == ("ex01", "10.0.0.1")
    assert actions(program) == ["server-add", "server-add"]
    assert program.run("check", "--read-data").code == 0


REFUSED = {
    ("EX01",): "--host: is missing",
    ("EX01", "--host", "https://ex01/"): "--host: is a URL or a path",
    ("EX01", "--host", "svc@ex01"): "--host: is a URL or a path",
    ("EX01", "--host", "ex01:5986"): "--host: holds a port",
    ("EX01", "--host", "ex 01"): "--host: 'ex 01' is no name of a host and no address",
    ("EX01", "--host", "ex01\n"): "--host: 'ex01\\n' is no name of a host and no address",
    ("EX01", "--host", ""): "--host: '' is no name of a host and no address",
    ("EX01", "--host", "-ex01"): "--host: '-ex01' is no name of a host and no address",
    ("EX01", "--host", "ex01..contoso.com"): "--host: 'ex01..contoso.com' is no name",
    ("EX01", "--host", "fe80::1%eth0"): "--host: expected an address without a zone",
    ("ex01.contoso.com", "--host", "a"): "ex01.contoso.com: is no name of a computer",
    ("NAMEOF16LETTERSX", "--host", "a"): "NAMEOF16LETTERSX: is no name of a computer",
    ("EX 01", "--host", "a"): "EX 01: is no name of a computer",
    ("", "--host", "a"): ": is no name of a computer",
    ("EX01", "--host", "a", "--port", "0"): "--port: 0 is no port; expected 1 to 65535",
    ("EX01", "--host", "a", "--port", "65536"): "--port: 65536 is no port",
    ("EX01", "--host", "a", "--auth", "digest"): "changelog-tracker server add: Invalid value",
    ("EX01", "--host", "a", "--group", ""): "--group: '' is no name",
    ("EX01", "--host", "a", "--ca", "/nowhere.pem"): "--ca: there is no file /nowhere.pem",
    ("EX01", "--host", "a", "--auth", "ntlm"): "--user: is missing; signing in by ntlm needs",
    ("EX01", "--host", "a", "--user", "svc"): "--password: is missing; only kerberos signs in",
    ("EX01", "--host", "a", "--user", " "): "--user: is no name of an account",
    ("EX01", "--host", "a", "--password", "env:A"): "--user: is missing; a password needs its user",
    ("EX01", "--host", "a", "--certificate", "/a"): "--certificate: there is no file /a",
    ("EX01", "--host", "a", "--auth", "certificate"): "--exchange-auth: must be told where",
    ("EX01", "--host", "a", "--auth", "certificate", "--exchange-url", "none"): (
        "--certificate: is missing; signing in by certificate needs it and its key"
    ),
    ("EX01", "--host", "a", "--exchange-url", "mail/powershell"): "--exchange-url: is no URL",
    ("EX01", "--host", "a", "--exchange-url", "ftp://a"): "--exchange-url: is no URL",
    ("EX01", "--host", "a", "--exchange-url", "http://a:99999/"): "--exchange-url: is no URL",
    ("EX01", "--host", "a", "--exchange-url", "http://[::1/"): "--exchange-url: is no URL",
    ("EX01", "--host", "a", "--exchange-url", "http://a_/b c"): "--exchange-url: is no URL",
    ("EX01", "--host", "a", "--proxy", "http://-/"): "--proxy: names no host",
}
PASSWORD_REFUSED = {
    ("--password", PASSWORD, "--user", "svc"): "--password: is no reference",
    ("--password", f"ENV:{PASSWORD}", "--user", "svc"): "--password: is no reference",
    ("--password", f"env:A={PASSWORD}", "--user", "svc"): "--password: env: expected the name",
    ("--password", f"file:{PASSWORD}", "--user", "svc"): "--password: file: expected the whole",
    ("--user", f"keyring:{PASSWORD}", "--password", "env:A"): "--user: keyring: expected SERVICE",
    ("--proxy", f"http://svc:{PASSWORD}@proxy:3128"): "--proxy: holds a user or password",
    ("--exchange-url", f"https://svc:{PASSWORD}@a/"): "--exchange-url: holds a user or password",
}
SECURE = ("--user", "svc", "--password", "env:A")
UNENCRYPTED = {
    ("--scheme", "http", "--auth", "basic", *SECURE): "--auth: basic over http is refused",
    ("--scheme", "http", "--auth", "certificate", "--exchange-url", "none"): (
        "--auth: certificate over http is refused"
    ),
    ("--exchange-url", "http://a/powershell", "--exchange-auth", "basic", *SECURE): (
        "--exchange-url: basic over http is refused"
    ),
    ("--exchange-url", "HTTP://a/powershell", "--auth", "basic", *SECURE): (
        "--exchange-url: basic over http is refused"
    ),
}
ON_A = ("EX01", "--host", "a")


@pytest.mark.parametrize("told", [*REFUSED, *PASSWORD_REFUSED, *UNENCRYPTED])
def test_what_cannot_work_is_refused_in_one_line(program, told):
    """It names the option and what was expected, makes no store, and repeats no password."""
    arguments = told if told in REFUSED else (*ON_A, *told)
    answer = program.run("server", "add", *arguments)
    wanted = {**REFUSED, **PASSWORD_REFUSED, **UNENCRYPTED}[told]
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {wanted}")
    assert PASSWORD not in answer.err
    assert len(answer.err.splitlines()) <= 2
    assert not program.store.exists()


def test_a_certificate_is_for_signing_in_by_one(program, tmp_path):
    """Given for another way it would count for nothing."""
    (tmp_path / "me.pem").write_text("x")
    answer = program.run(*ADD_EX01, "--certificate", tmp_path / "me.pem")
    assert (answer.code, answer.err) == (
        2,
        "error: --certificate: is for --auth certificate alone\n",
    )


@pytest.mark.parametrize(
    "host", ["ex01", "EX01.contoso.com.", "ex_01.contoso.com", "10.0.0.1", "::1", "xn--bcher-kva"]
)
def test_names_and_addresses_are_hosts(program, host):
    """Of either kind; an IPv6 address stands in brackets in a URL."""
    done(program.run("server", "add", "EX01", "--host", host))
    url = f"http://{f'[{host}]' if ':' in host else host}/powershell"
    assert [(one.host, one.exchange_url) for one in entries_of(program)] == [(host, url)]


def test_no_password_reaches_the_store_or_what_is_printed(program, monkeypatch, tmp_path):
    """References alone lie there, also after commands that list and check all of it."""
    monkeypatch.setenv("EX_PASSWORD", PASSWORD)
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "password").chmod(0o600)
    said = []
    references = ("env:EX_PASSWORD", f"file:{tmp_path / 'password'}", "keyring:a/b", "cmd:pass x")
    for n, reference in enumerate(references):
        options = ("--user", "svc", "--password", reference)
        said.append(done(program.run("server", "add", f"EX0{n}", "--host", "a", *options)))
        said.append(program.run("server", "add", f"EX0{n}", "--host", "b", *options))
    said += [done(program.run("server", "list", "--json")), done(program.run("check"))]
    said.append(done(program.run("server", "remove", "EX00")))
    whole = stored(program) + program.store.read_bytes()
    assert b"env:EX_PASSWORD" in whole
    assert PASSWORD.encode() not in whole
    assert not any(PASSWORD in answer.out + answer.err for answer in said)


def test_the_list_is_sorted_and_of_one_group_where_one_is_named(program):
    """Case does not matter; the newest snapshot of each stands beside it."""
    done(program.run("server", "add", "ex02", "--transport", "local", "--group", "Farm"))
    done(program.run(*ADD_EX01, "--group", "farm", "--group", "edge"))
    done(program.run("server", "add", "EX03", "--host", "10.0.0.3", "--auth", "kerberos"))
    at = "2026-11-01T10:00:00Z"
    done(program.take(at, {OWA: vdir("Owa")}))
    lines = program.run("server", "list").out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["SERVER", "HOST", "TRANSPORT"],
        ["EX01", "ex01.contoso.com", "winrm"],
        ["ex02", "localhost", "local"],
        ["EX03", "10.0.0.3", "winrm"],
        ["3", "servers"],
    ]
    assert "edge, farm  2026-11-01" in lines[1]
    found = program.run("server", "list", "--group", "FARM", "--json").lines
    assert [(one["name"], one["snapshots"], one["last_snapshot"]) for one in found] == [
        ("EX01", 1, at),
        ("ex02", 0, None),
    ]
    assert program.run("server", "list", "--group", "none").out == "no servers\n"


def test_an_entry_alone_is_no_server_of_the_store(program):
    """What reads snapshots does not know it yet, and the store is sound with it."""
    done(program.run(*ADD_EX01))
    assert done(program.run("snapshots")).out == "no snapshots\n"
    assert done(program.run("log")).out == "no changes\n"
    assert done(program.run("baseline", "show")).out == ""
    assert "server EX01" not in program.run("doctor").out
    assert program.run("show", "EX01").code == 2
    assert program.run("check", "--read-data").code == 0


def test_a_removed_server_leaves_its_snapshots(program):
    """The journal says that it went, and what its entry was."""
    done(program.run(*ADD_EX01))
    done(program.take("2026-11-01T10:00:00Z", {OWA: vdir("Owa")}))
    before = program.run("show", "EX01").out
    answer = done(program.run("server", "remove", "ex01"))
    assert answer.out == ("EX01: removed from the inventory; 1 snapshot of it stays in the store\n")
    assert done(program.run("server", "list")).out == "no servers\n"
    assert program.run("show", "EX01").out == before
    assert actions(program) == ["server-add", "snapshot", "server-remove"]
    assert program.run("check", "--read-data").code == 0
    done(program.run(*ADD_EX01))
    assert [one.name for one in entries_of(program)] == ["EX01"]
    assert program.run("check", "--read-data").code == 0


@pytest.mark.parametrize("command", ["show", "remove"])
def test_an_unknown_server_is_told_with_those_that_are_known(program, command):
    """Or with the command that adds one; without a store, that there is none."""
    answer = program.run("server", command, "EX09")
    assert (answer.code, answer.err.splitlines()[0].endswith("there is no store yet")) == (1, True)
    done(program.run(*ADD_EX01))
    answer = program.run("server", command, "EX09")
    assert (answer.code, answer.err) == (
        2,
        "error: EX09: is no server of the inventory\nhint: known are: EX01\n",
    )
    done(program.run("server", "remove", "EX01"))
    assert program.run("server", command, "EX09").err.endswith(
        "hint: add one with: changelog-tracker server add EX01 --host ex01.contoso.com\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "X'7B'",
        "X'7B7D'",
        "X'FF'",
        "CAST(REPLACE(body, 'winrm', 'telnet') AS BLOB)",
        "CAST(REPLACE(body, '[]', '[5]') AS BLOB)",
        "CAST(REPLACE(body, 'ca\":null', 'ca\":5') AS BLOB)",
        "CAST(REPLACE(body, 'port\":null', 'port\":\"5\"') AS BLOB)",
        "'5'",
    ],
)
def test_an_entry_that_is_damaged_is_named(program, body):
    """Nothing is collected by it, and `check` knows the row."""
    done(program.run(*ADD_EX01))
    damage(program, f"UPDATE inventory SET body = {body}")
    answer = program.run("server", "list")
    assert (answer.code, answer.out, answer.err) == (
        StoreDamagedError.exit_code,
        "",
        f"error: inventory: the entry of ex01 is not what this program writes\n{FIND_ALL}",
    )
    answer = program.run("check", "--read-data")
    assert answer.code == 5
    assert "  inventory ex01: " in answer.out


def test_a_store_of_the_schema_before_gets_an_inventory(program):
    """It is refused until it is upgraded; then all is as it was, and servers can be added."""
    done(program.take("2026-11-01T10:00:00Z", {OWA: vdir("Owa")}))
    damage(program, "DROP TABLE inventory", "UPDATE alembic_version SET version_num = '0002'")
    before = rows(program.store)
    answer = program.run("server", "list")
    assert (answer.code, answer.err) == (
        1,
        (
            f"error: {program.store}: has schema 0002; this program needs 0003\n"
            "hint: run: changelog-tracker db upgrade\n"
        ),
    )
    done(program.run("db", "upgrade"))
    assert rows(program.store) == {**before, "inventory": [], "alembic_version": [("0003",)]}
    done(program.run(*ADD_EX01))
    assert program.run("check", "--read-data").code == 0


def test_an_entry_can_be_read_while_the_store_is_read(program):
    """As `take` does it: by name, by group, all of them; unknown ones are refused."""
    done(program.run(*ADD_EX01))
    store = store_of(program)
    with store.reading() as connection:
        one = inventory.entry(connection, "eX01")
        assert one == ServerEntry(
            "EX01", "ex01.contoso.com", exchange_url="http://ex01.contoso.com/powershell",
            exchange_auth="negotiate",
        )  # fmt: skip
        assert inventory.entries(connection) == (one,)
        assert inventory.entries(connection, "farm") == ()
        with pytest.raises(UsageError):
            inventory.entry(connection, "EX02")
    store.close()


def test_the_journal_holds_the_entry(program):
    """Its name, and what was kept: enough to make the inventory again."""
    done(program.run(*ADD_EX01, "--user", "svc", "--password", "env:A", "--group", "farm"))
    kept = {name: value for name, value in EX01.items() if "snapshot" not in name}
    kept |= {"user": "svc", "password": "env:A", "groups": ["farm"]}
    store = store_of(program)
    with store.reading() as connection:
        [entry] = journal_entries(connection)
    store.close()
    assert (entry.action, entry.server, entry.at, entry.body) == (
        "server-add",
        None,
        None,
        {"name": "EX01", "entry": kept},
    )


def test_settings_of_collecting_come_from_environment_then_file(tmp_path, monkeypatch):
    """Else they are 8 at once and 300 seconds."""
    for name in ("WORKERS", "DEADLINE", "CONFIG"):
        monkeypatch.delenv(f"CHANGELOG_TRACKER_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    assert numbers() == (8, 300)
    (tmp_path / "changelog-tracker.toml").write_text("workers = 16\ndeadline = 600\n")
    assert numbers() == (16, 600)
    monkeypatch.setenv("CHANGELOG_TRACKER_WORKERS", "4")
    monkeypatch.setenv("CHANGELOG_TRACKER_DEADLINE", "")
    assert numbers() == (4, 600)


def numbers() -> tuple[int, int]:
    found = load_config()
    return found.workers, found.deadline_s


@pytest.mark.parametrize("value", ["0", "257", "-1", "8.5", "eight", " 8", "٨", "99999999999"])
def test_a_wrong_number_in_the_environment_is_refused(monkeypatch, value):
    """It says which variable, and what was expected."""
    monkeypatch.setenv("CHANGELOG_TRACKER_WORKERS", value)
    with pytest.raises(UsageError) as caught:
        load_config()
    assert str(caught.value).startswith("CHANGELOG_TRACKER_WORKERS: ")
    assert str(caught.value).endswith("cannot be; expected a whole number from 1 to 256")


@pytest.mark.parametrize("value", ["4", "90000", "true", "'300'", "300.0", "[300]"])
def test_a_wrong_number_in_the_file_is_refused(tmp_path, monkeypatch, value):
    """It says which file and setting, and what was expected."""
    monkeypatch.delenv("CHANGELOG_TRACKER_DEADLINE", raising=False)
    file = tmp_path / "a.toml"
    file.write_text(f"deadline = {value}\n")
    with pytest.raises(UsageError) as caught:
        load_config(config=str(file))
    assert str(caught.value).startswith(f"{file}: deadline: ")
    assert str(caught.value).endswith("cannot be; expected a whole number from 5 to 86400")


def test_what_is_unknown_in_the_file_is_told_with_what_is_known(tmp_path):
    """All settings by name."""
    file = tmp_path / "a.toml"
    file.write_text("threads = 3\n")
    with pytest.raises(UsageError, match=r"known are store, key, workers, deadline, require$"):
        load_config(config=str(file))


def test_nothing_of_an_interrupted_add_stays(program):
    """Journal and inventory are written in one transaction."""
    done(program.run(*ADD_EX01))
    before = rows(program.store)
    with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON inventory BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    answer = program.run("server", "add", "EX02", "--host", "a")
    assert (answer.code, answer.out) == (1, "")
    assert rows(program.store) == before
