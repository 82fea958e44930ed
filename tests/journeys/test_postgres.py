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
