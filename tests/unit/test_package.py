"""The wheel holds all that the program needs, and runs without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from changelog_tracker import __version__

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel from a copy of what is packed, so that nothing is left in the checkout."""
    python = _python_with_pip()
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    for name in ("changelog_tracker", "migrations"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignore)
    out = tmp_path_factory.mktemp("wheel")
    line = [*python, "-m", "pip", "--disable-pip-version-check", "wheel"]
    done = _run([*line, "-q", "--no-deps", "-w", str(out), str(source)], out)
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel, without its dependencies, into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    line = [*_python_with_pip(), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    done = _run([*line, "--no-deps", "--no-index", "--target", str(target), str(wheel)], target)
    assert done.returncode == 0, done.stderr
    return target


def _python_with_pip() -> list[str]:
    """Give a Python with pip; the environment of make has none of its own."""
    outer = Path(sys.base_prefix) / ("python.exe" if os.name == "nt" else "bin/python3")
    for python in (sys.executable, str(outer)):
        if Path(python).exists() and _run([python, "-m", "pip", "--version"], ROOT).returncode == 0:
            return [python]
    pytest.skip("no Python with pip was found to build the wheel with")


def _run(line: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CHANGELOG_"))}
    return subprocess.run(
        line,
        cwd=folder,
        env={**clean, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def _program(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program; -S keeps out the editable install of the checkout."""
    path = os.pathsep.join([str(installed), sysconfig.get_path("purelib")])
    line = [sys.executable, "-S", *arguments]
    return _run(line, folder, PYTHONPATH=path, TZ="UTC")


def _files(folder: str) -> set[str]:
    """Give the files of the checkout as they are named in the wheel."""
    below = ROOT / folder
    prefix = "" if folder == "changelog_tracker" else "changelog_tracker/"
    return {
        prefix + file.relative_to(ROOT).as_posix()
        for file in below.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_wheel_holds_every_file_of_the_program(wheel):
    """Code, catalogue, sample servers, migrations and the marker of types are in, and no more."""
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n and not n.endswith("/")}
    assert names == _files("changelog_tracker") | _files("migrations")
    assert "changelog_tracker/py.typed" in names
    assert "changelog_tracker/migrations/versions/0001_first.py" in names


def test_the_installed_program_is_not_the_checkout(installed, tmp_path):
    """What runs below is the wheel's program, with its own migrations."""
    code = (
        "from changelog_tracker.store import schema\n"
        "print(schema.__file__, schema.migrations_folder(), sep='\\n')"
    )
    done = _program(installed, tmp_path, "-c", code)
    package = installed.resolve() / "changelog_tracker"
    told = [str(Path(line).resolve()) for line in done.stdout.splitlines()]
    assert told == [str(package / "store" / "schema.py"), str(package / "migrations")], done.stderr


def test_the_installed_program_runs(installed, tmp_path):
    """Help, the demo with its migrations, and the log of its store work from the wheel."""
    module = ("-m", "changelog_tracker")
    version = _program(installed, tmp_path, *module, "--version")
    assert (version.returncode, version.stdout) == (0, f"changelog-tracker {__version__}\n")
    usage = _program(installed, tmp_path, *module, "--help")
    assert (usage.returncode, usage.stderr) == (0, "")
    demo = _program(installed, tmp_path, *module, "demo", "--keep", "demo")
    assert (demo.returncode, demo.stderr) == (0, "")
    store = ("--store", "demo/changelog.db")
    log = _program(installed, tmp_path, *module, *store, "log", "EX01", "--undocumented")
    assert (log.returncode, log.stderr) == (3, "")
    current = _program(installed, tmp_path, *module, *store, "db", "current")
    assert current.stdout == "demo/changelog.db: schema 0003; this program knows 0003\n"
