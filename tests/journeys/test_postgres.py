"""The same journey in PostgreSQL: a real server on loopback, made for the test and taken away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from program import run

pytestmark = pytest.mark.postgres


def _bin() -> Path | None:
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if found is None else []
    return Path(found).parent if found else (folders[-1] if folders else None)


def _account() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package makes this account."""
    return "postgres" if os.geteuid() == 0 else None


@pytest.fixture(scope="module")
def database():
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgres]'")
    binaries = _bin()
    if binaries is None:
        pytest.skip("no PostgreSQL is installed (Debian: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="changelog-tracker-pg-"))
    if _account():
        shutil.chown(folder, _account())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def control(*arguments: str) -> None:
        subprocess.run(
            [*arguments], check=True, user=_account(), cwd=folder, timeout=60,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    data = str(folder / "data")
    control(str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    control(
        str(binaries / "pg_ctl"), "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start"
    )
    try:
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
    finally:
        control(str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_the_log_is_the_same_in_postgresql(database, tmp_path, monkeypatch):
    """What SQLite says of the demo's week, PostgreSQL says too."""
    monkeypatch.setenv("CHANGELOG_TRACKER_KEY", str(tmp_path / "changelog.key"))
    bundles = tmp_path / "kept"
    assert run("demo", "--keep", str(bundles)).returncode == 0
    stores = [str(tmp_path / "again.db"), database]
    for store in stores:
        for bundle in sorted((bundles / "bundles").iterdir()):
            got = run("--store", store, "import", str(bundle))
            assert (got.returncode, got.stderr) == (0, "")
        assert run("--store", store, "document", "2.1", "--reason", "planned").returncode == 0
        assert run("--store", store, "baseline", "set", "EX01", "4").returncode == 0
    for question in (
        ("log", "EX01", "--json", "--unfold"),
        ("drift", "EX01", "--json"),
        ("show", "EX01", "--json"),
        ("diff", "EX01", "1", "latest", "--json"),
    ):
        answers = [run("--store", store, *question) for store in stores]
        assert answers[0].stdout == answers[1].stdout
        assert answers[0].stdout


def test_pruning_takes_the_same_files_in_postgresql(database, tmp_path, monkeypatch):
    """The same raw files go, once, and `show` says the same of old moments as in SQLite."""
    monkeypatch.setenv("CHANGELOG_TRACKER_KEY", str(tmp_path / "changelog.key"))
    # The first test's store has another key.
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    kept = tmp_path / "kept"
    assert run("demo", "--keep", str(kept)).returncode == 0
    stores = [str(tmp_path / "again.db"), database]
    for store in stores:
        for bundle in sorted((kept / "bundles").iterdir()):
            assert run("--store", store, "import", str(bundle)).returncode == 0
    prune = ("prune", "--older-than", "2026-09-12", "--yes")
    done, again = ([run("--store", store, *prune) for store in stores] for _ in range(2))
    told = [one.stdout.splitlines() for one in done]
    assert told[0][:4] == told[1]
    assert told[1][0] == "pruned 7 raw files: EX01 7"
    assert again[1].stdout.startswith("nothing to prune")
    for question in (("show", "EX01", "--at", "2026-09-08", "--json"), ("log", "--json")):
        answers = [run("--store", store, *question) for store in stores]
        assert answers[0].stdout == answers[1].stdout
        assert answers[0].stdout


def test_damage_is_found_in_postgresql(database, tmp_path, monkeypatch):
    """`check --read-data` calls the same store sound, and names what was changed in it."""
    monkeypatch.setenv("CHANGELOG_TRACKER_KEY", str(tmp_path / "changelog.key"))
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        kept = tmp_path / "kept"
        assert run("demo", "--keep", str(kept)).returncode == 0
        for bundle in sorted((kept / "bundles").iterdir()):
            assert run("--store", database, "import", str(bundle)).returncode == 0
        sound = run("--store", database, "check", "--read-data")
        assert (sound.returncode, sound.stderr) == (0, "")
        assert sound.stdout.endswith("\nsound\n")
        connection.execute("UPDATE content SET data = '\\x00' WHERE id = 5")
        connection.execute("UPDATE journal SET received = received + 1 WHERE seq = 4")
        connection.execute("UPDATE version SET from_at = from_at - 1 WHERE resource_id = 2")
        connection.execute("DROP INDEX journal_by_server")
    damaged = run("--store", database, "check", "--read-data")
    assert (damaged.returncode, damaged.stderr) == (5, "")
    for wanted in (
        "table journal: index journal_by_server is missing",
        "journal row 4: not what was written: snapshot of ",
        ": is not what was written; needed by: EX01 ",
    ):
        assert wanted in damaged.stdout
    shown = run("--store", database, "show", "EX01")
    assert (shown.returncode, shown.stderr.count("error: ")) == (5, 1)
