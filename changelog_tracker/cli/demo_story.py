"""
What the demo tells: real commands on sample servers, each printed before it runs.

Nothing is staged: the bundles are imported, documented and compared by the program itself.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from changelog_tracker.cli.session import Globals, open_store
from changelog_tracker.errors import TrackerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from changelog_tracker.demo.story import Chapter, Words

SERVER = "EX01"
_INTRO = """\
EX01 is a made-up Exchange 2019 server of contoso.com. A collector made a bundle of its
configuration each evening for a week; nothing here touches a real server.
"""
_OUTRO = """\
What you saw: the log kept itself; one change that nobody documented made exit code 3, which a
scheduled job can alert on; the rebuilt server was one line, not fifty; and what is missing now
is listed with the command that sets it back. A person runs these, the program never does."""


def tell(keep: Path | None) -> None:
    """
    Tell the story.

    Args:
        keep: Where to leave bundles and store; None for a folder that goes away again.

    Raises:
        TrackerError: The folder is not empty or cannot be written.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="changelog-tracker-demo-") as folder:
            _tell_in(Path(folder))
        typer.echo("\nTo play with it yourself: changelog-tracker demo --keep DIR")
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise TrackerError(str(keep), "is not empty", "give --keep a new folder")
        _tell_in(keep)
    except OSError as error:
        raise TrackerError(str(keep), f"cannot be written: {error.strerror}") from error
    store = keep / "changelog.db"
    typer.echo(f"\nBundles and store are in {keep}. Try:")
    typer.echo(f"  changelog-tracker --store {shlex.quote(str(store))} log {SERVER} --commands")
    typer.echo(f"  changelog-tracker --store {shlex.quote(str(store))} show {SERVER} 'Owa*'")


def _tell_in(folder: Path) -> None:
    from changelog_tracker.cli import run
    from changelog_tracker.demo.story import chapters, write_bundle

    store = str(folder / "changelog.db")

    def command(*arguments: str) -> int:
        typer.secho("$ changelog-tracker " + shlex.join(arguments), bold=True)
        sys.stdout.flush()
        code = run(["--store", store, *arguments])
        sys.stdout.flush()
        return code

    typer.echo(_INTRO)
    *week, night, recovered = chapters()
    for chapter in week:
        _import(chapter, write_bundle(chapter, folder / "bundles"), command)
        for words in chapter.document:
            _document(store, words, command)
    _say("The week's work is accepted as what is wanted.")
    command("baseline", "set", SERVER, "--by", "Anna Berger")
    _import(night, write_bundle(night, folder / "bundles"), command)
    _say("Nobody documented that. Exit code 3 is for this: a job that runs the line alerts.")
    code = command("log", SERVER, "--undocumented", "--commands")
    typer.echo(f"exit code {code}\n")
    _import(recovered, write_bundle(recovered, folder / "bundles"), command)
    _say("The whole change log: the rebuilt server is one line, and what was before stays wanted.")
    command("log", SERVER)
    _say("What is missing now, held against the baseline, and the command that sets it back.")
    code = command("drift", SERVER, "--commands")
    typer.echo(f"exit code {code}\n")
    typer.echo(_OUTRO)


def _import(chapter: Chapter, bundle: Path, command: Callable[..., int]) -> None:
    _say(f"{chapter.title}.")
    command("import", str(bundle))


def _document(store: str, words: Words, command: Callable[..., int]) -> None:
    """Document the changes that a pattern names, as an administrator would by their ids."""
    from changelog_tracker.pipeline.change_log import LogWish, log_lines
    from changelog_tracker.pipeline.state import matcher

    wanted = matcher(words.changes)
    with open_store(Globals(store)) as opened, opened.reading() as connection:
        lines = log_lines(connection, LogWish(SERVER, undocumented=True))
        ids = [
            line["id"]
            for line in lines
            if wanted(f"{line['kind']}[{line['resource']}]", line["setting"], whole=True)
        ]
    if ids:
        options = ("--reason", words.reason, "--ticket", words.ticket, "--by", words.by)
        command("document", *ids, *options)


def _say(text: str) -> None:
    typer.echo("\n" + textwrap.fill(text, 96))
