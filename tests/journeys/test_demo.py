"""The demo as a journey: one server, six snapshots, and the whole of what a newcomer reads."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from program import run

EXPECTED = Path(__file__).parent / "demo"
TEXTS = {
    "log.txt": ("log", "EX01", "--commands"),
    "log.md": ("log", "EX01", "--format", "md"),
    "log.jsonl": ("log", "EX01", "--json", "--unfold"),
    "drift.txt": ("drift", "EX01", "--commands"),
    "undocumented.txt": ("log", "EX01", "--undocumented"),
    "snapshots.txt": ("snapshots",),
    "show-owa.txt": ("show", "EX01", "OwaVirtualDirectory[owa (Default Web Site)]*"),
    "show-before.txt": ("show", "EX01", "Owa*ExternalUrl", "--at", "2026-09-08T00:00:00Z"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "kept"
    started = time.monotonic()
    told = run("demo", "--keep", str(folder))
    return folder, told, time.monotonic() - started


def compare(name: str, text: str, request) -> None:
    file = EXPECTED / name
    if request.config.getoption("--update-golden"):
        file.write_text(text)
    assert text == file.read_text()


def test_the_demo_tells_its_whole_story(kept, request):
    """What a newcomer reads, line by line."""
    folder, told, _ = kept
    assert (told.returncode, told.stderr) == (0, "")
    compare("story.txt", told.stdout.replace(str(folder), "DIR"), request)


def test_the_demo_takes_less_than_twenty_seconds(kept):
    """A newcomer does not wait."""
    assert kept[2] < 20


@pytest.mark.parametrize("name", TEXTS)
def test_what_the_demo_leaves_can_be_asked(kept, name, request):
    """Each answer about the kept store, whole."""
    folder, _, _ = kept
    got = run("--store", str(folder / "changelog.db"), *TEXTS[name])
    # The head of the journal covers times and the key of this run.
    text = re.sub(r"\b[0-9a-f]{64}\b", "HEAD", got.stdout.replace(str(folder), "DIR"))
    compare(name, text, request)


def test_nothing_secret_is_told(kept):
    """The password in a web.config is in no answer and in no message."""
    folder, told, _ = kept
    store = str(folder / "changelog.db")
    texts = [told.stdout, told.stderr]
    for arguments in (("show", "EX01", "--json"), ("show", "EX01", "--ignored"), ("log", "--json")):
        got = run("--store", store, *arguments)
        texts += [got.stdout, got.stderr]
    assert [text for text in texts if "S3cret" in text] == []


def test_the_demo_does_not_touch_a_folder_with_files(tmp_path):
    """Somebody's files are not mixed with the demo's."""
    (tmp_path / "mine.txt").write_text("mine")
    got = run("demo", "--keep", str(tmp_path))
    assert (got.returncode, sorted(path.name for path in tmp_path.iterdir())) == (1, ["mine.txt"])
    assert got.stderr.startswith(f"error: {tmp_path}: is not empty")


def test_a_folded_change_can_have_a_reason_of_its_own(tmp_path):
    """After a recovery each line of drift is a change that can be documented."""
    assert run("demo", "--keep", str(tmp_path / "kept")).returncode == 0
    store = ("--store", str(tmp_path / "kept" / "changelog.db"))

    def drift() -> dict[str, dict]:
        lines = run(*store, "drift", "EX01", "--json").stdout.splitlines()
        return {line["id"]: line for line in map(json.loads, lines)}

    before = drift()
    one = next(i for i, line in before.items() if line["setting"] == "LogonFormat")
    refused = run(*store, "document", one, "14.1.999", "--reason", "by hand")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: 14.1.999: is the id of no change; nothing was")
    assert drift() == before
    assert run(*store, "document", one, "--reason", "by hand").returncode == 0
    said = {i: line["reason"] for i, line in drift().items() if line["documented"]}
    assert said == {one: "by hand"}
    assert run(*store, "document", "14.1", "--reason", "rebuilt").returncode == 0
    reasons = {line["reason"] for line in drift().values()}
    assert reasons == {"by hand", "rebuilt"}
