"""What the documents say is there, and what they show happens."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.main

from changelog_tracker import catalogue, config, errors
from changelog_tracker.catalogue.noise import noise_rules
from changelog_tracker.cli import app
from changelog_tracker.model import CLASSES
from changelog_tracker.pipeline.state import IIS_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
REFERENCE = (ROOT / "docs/reference.md").read_text("utf-8")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MACHINE_PATH = re.compile(r"(?<![\w$%{.])/(?:work|root|home|tmp|Users)/")
OTHER_KINDS = ("ConfigFile", "ExchangeServer")


@dataclass
class Shown:
    """A command line as a document shows it, with its output and exit code."""

    line: str
    exit_code: int = 0
    output: list[str] = field(default_factory=list)


def commands(tree=None, path=()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Give every command with the words that call it, the program itself first."""
    tree = tree or typer.main.get_command(app)
    yield path, tree
    for name, below in getattr(tree, "commands", {}).items():
        yield from commands(below, (*path, name))


def exit_codes() -> set[int]:
    """Give the exit code of every error, and those that no error has."""
    found, waiting = {0, 2, 3, 130}, [errors.TrackerError]
    while waiting:
        one = waiting.pop()
        found.add(one.exit_code)
        waiting += one.__subclasses__()
    return found


def fences(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shown(text: str) -> list[Shown]:
    """Read the console blocks of a document."""
    found: list[Shown] = []
    for line in "".join(fences(text, "console")).splitlines():
        if line.startswith("$ "):
            found.append(Shown(line[2:].removesuffix('; echo "exit code $?"')))
        elif code := re.fullmatch(r"exit code (\d+)", line):
            found[-1].exit_code = int(code[1])
        else:
            found[-1].output.append(line)
    return found


def anchors(file: Path) -> set[str]:
    """Give the anchors of a document's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in headings}


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(line)
    assert program == "changelog-tracker"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CHANGELOG_TRACKER")}
    environment |= {
        "CHANGELOG_TRACKER_STORE": "demo/changelog.db",
        "TZ": "UTC",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "changelog_tracker", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def holds(output: list[str], wanted: list[str]) -> bool:
    """Tell whether lines stand there in this order; ` ...` at an end, or as a line, is any rest."""
    if not wanted:
        return True
    pattern = "".join(
        r"(?:.*\n)*?"
        if line == "..."
        else re.escape(line.removesuffix(" ...")) + (".*\n" if line.endswith(" ...") else "\n")
        for line in wanted
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in output)) is not None


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """Make the demo's store in a folder named demo."""
    folder = tmp_path_factory.mktemp("docs")
    done = run("changelog-tracker demo --keep demo", folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.mark.parametrize("path", [path for path, _ in commands() if path], ids=" ".join)
def test_every_command_is_named_in_the_reference(path):
    """Every command has its place in the reference."""
    assert f"`{' '.join(path)}" in REFERENCE or f"### {' '.join(path)}\n" in REFERENCE


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=lambda v: str(v)[:30])
def test_every_option_is_named_with_its_command(path, command):
    """Every option stands in the part of the reference that is about its command."""
    part = REFERENCE
    if path:
        part = re.split(rf"^### {path[0]}$", REFERENCE, flags=re.MULTILINE)[1]
        part = re.split(r"^##", part, flags=re.MULTILINE)[0]
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", part))
    options = {name for one in command.params for name in one.opts if name.startswith("-")}
    assert options - {"--help", "-h"} - named == set()


def test_settings_and_their_variables_are_named():
    """Every setting, its environment variable and the configuration file are in the reference."""
    said = {name for name in config.SETTINGS if f"`{name}`" in REFERENCE}
    variables = {f"CHANGELOG_TRACKER_{name.upper()}" for name in (*config.SETTINGS, "config")}
    assert said == set(config.SETTINGS)
    assert {name for name in variables if f"`{name}`" in REFERENCE} == variables
    assert f"`{config.FILE}`" in REFERENCE


@pytest.mark.parametrize("file", ["README.md", "docs/reference.md"])
def test_exit_codes_are_those_of_the_errors(file):
    """The table of exit codes names each code that there is, and no other."""
    part = (ROOT / file).read_text("utf-8").split("## Exit codes\n")[1].split("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", part, re.MULTILINE)} == exit_codes()


def test_resource_kinds_classes_and_noise_rules_are_named():
    """Every resource kind, class and noise rule is in the reference."""
    kinds = [noun.name for noun in catalogue.nouns().values() if noun.is_written]
    kinds += [*IIS_KINDS, *OTHER_KINDS, *catalogue.windows_kinds()]
    names = [*kinds, *CLASSES, *(rule.name for rule in noise_rules())]
    assert [name for name in names if f"`{name}`" not in REFERENCE] == []


def test_settings_of_windows_are_named():
    """The catalogue's page names every setting of Windows, and the glossary every kind."""
    page = (ROOT / "docs/catalogue.md").read_text("utf-8")
    glossary = (ROOT / "docs/glossary.md").read_text("utf-8")
    for kind in catalogue.windows_kinds().values():
        assert f"| {kind.name} |" in page
        assert f"`{kind.name}`" in glossary
        assert [name for name in kind.fields if name not in page] == []


def test_noise_rules_are_told_as_the_catalogue_has_them():
    """The reference gives the very properties and reasons of noise.toml."""
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*)$", REFERENCE, re.MULTILINE))
    for rule in noise_rules():
        assert [text for text in (*rule.properties, rule.why) if text not in rows[rule.name]] == []


@pytest.mark.parametrize("file", ["README.md", "docs/quickstart.md"])
def test_commands_that_are_shown_do_what_is_shown(file, demo, tmp_path):
    """Every console block ends with the exit code and gives the lines that the document shows."""
    if file == "README.md":
        shutil.copytree(demo / "demo", tmp_path / "demo")
    for one in shown((ROOT / file).read_text("utf-8")):
        done = run(one.line, tmp_path)
        assert (one.line, done.returncode, done.stderr) == (one.line, one.exit_code, "")
        output = done.stdout.splitlines()
        assert holds(output, one.output), f"{one.line}\n{done.stdout}"


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("log", "log --unfold"),
        ("log", "log --all"),
        ("show", "show EX01"),
        ("show", "show EX01 --ignored"),
        ("snapshots", "snapshots"),
        ("diff and drift", "diff EX01 1 latest"),
        ("diff and drift", "drift EX01 --unfold"),
        ("catalogue", "catalogue"),
        ("baseline show", "baseline show"),
        ("coverage", "log --coverage"),
        ("doctor", "doctor"),
    ],
)
def test_every_key_of_json_lines_is_explained(heading, line, demo):
    """The reference explains each key that a command's JSON lines have."""
    part = REFERENCE.split(f"### Lines of {heading}\n")[1].split("\n#")[0]
    if heading == "diff and drift":
        part += REFERENCE.split("### Lines of log\n")[1].split("\n#")[0]
    done = run(f"changelog-tracker {line} --json", demo)
    keys = {key for one in done.stdout.splitlines() for key in json.loads(one)}
    assert keys, done.stderr
    assert {key for key in keys if f"`{key}`" not in part} == set()


@pytest.mark.parametrize("file", DOCS, ids=lambda file: file.name)
def test_relative_links_resolve(file):
    """A link leads to a file that is there, and to a heading that is there."""
    broken = []
    for target in _LINK.findall(file.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        aim = file.parent / path if path else file
        if not aim.is_file() or (anchor and anchor not in anchors(aim)):
            broken.append(target)
    assert broken == []


def test_first_screen_of_the_readme():
    """The first 40 lines have the one sentence, and the two commands for a newcomer."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()[:40]
    sentence = " ".join(lines[2 : lines.index("", 2)])
    assert sentence.startswith("Keeps the change log of an Exchange Client Access server by itself")
    assert sentence.count(".") == 1
    told = [line.split("#")[0].strip() for line in lines]
    assert [one for one in ("make demo", "make test") if one in told] == ["make demo", "make test"]


@pytest.mark.parametrize("file", [*DOCS, ROOT / "mkdocs.yml"], ids=lambda file: file.name)
def test_no_path_of_a_machine(file):
    """No document names a folder of the machine that it was written on."""
    assert _MACHINE_PATH.findall(file.read_text("utf-8")) == []


def test_every_page_is_in_the_navigation():
    """mkdocs.yml names every page of docs, once."""
    named = re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(file.name for file in (ROOT / "docs").glob("*.md"))


def test_the_journal_is_verified_by_the_snippet(demo, tmp_path):
    """The snippet of the reference accepts a real store, and finds one altered byte."""
    (snippet,) = fences(REFERENCE, "python")
    script = tmp_path / "verify.py"
    script.write_text(snippet, encoding="utf-8")
    store = tmp_path / "changelog.db"
    store.write_bytes((demo / "demo" / "changelog.db").read_bytes())

    def verify() -> tuple[int, str]:
        line = [sys.executable, str(script), str(store)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    code, said = verify()
    assert (code, re.sub("[0-9a-f]{64}", "HASH", said)) == (0, f"{rows(store)} rows, head HASH\n")
    head = re.findall("[0-9a-f]{64}", said)
    log = run(f"changelog-tracker --store '{store}' log --format md", tmp_path).stdout
    assert re.findall(r"Journal head \| (\w+)", log) == head
    connection = sqlite3.connect(store)
    connection.execute("UPDATE journal SET received = received + 1 WHERE seq = 3")
    connection.commit()
    connection.close()
    assert verify() == (1, "row 3: missing or altered\n")


def rows(store: Path) -> int:
    connection = sqlite3.connect(store)
    try:
        return connection.execute(
            "SELECT MAX(seq) FROM (SELECT seq FROM journal UNION SELECT seq FROM unchanged)"
        ).fetchone()[0]
    finally:
        connection.close()
