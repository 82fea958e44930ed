"""What every command needs: the store, the time zone, and where output goes."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path
    from typing import TextIO

    import typer

    from changelog_tracker.report.look import LookOptions
    from changelog_tracker.store import Store


@dataclass(frozen=True, slots=True)
class Globals:
    """What stands before the command."""

    store: str | None = None
    config: str | None = None


@contextmanager
def open_store(ctx: typer.Context | Globals) -> Iterator[Store]:
    """Open the store that options, environment and configuration name."""
    from changelog_tracker.config import load_config
    from changelog_tracker.store import Store

    said = ctx if isinstance(ctx, Globals) else ctx.obj or Globals()
    config = load_config(said.store, said.config)
    store = Store(config.store, config.key)
    try:
        yield store
    finally:
        store.close()


def local_zone() -> tzinfo:
    """Give the reader's time zone."""
    zone = datetime.now().astimezone().tzinfo
    if zone is None:
        msg = "the system has no time zone"
        raise RuntimeError(msg)
    return zone


def look(out: TextIO, *, commands: bool = False, times: bool = False) -> LookOptions:
    """Give how text is laid out here: colour and width only on a terminal."""
    terminal = out.isatty()
    return {
        "zone": local_zone(),
        "colour": terminal and not os.environ.get("NO_COLOR"),
        "width": shutil.get_terminal_size().columns if terminal else None,
        "commands": commands,
        "times": times,
    }


def write_json(lines: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line to standard output."""
    from changelog_tracker.report import json_lines

    json_lines.write(lines, sys.stdout)


@contextmanager
def output(file: Path | None) -> Iterator[TextIO]:
    """
    Open where a report goes: standard output, or a file that appears whole or not at all.

    Raises:
        TrackerError: The file cannot be written.
    """
    if file is None:
        yield sys.stdout
        return
    from changelog_tracker.errors import TrackerError

    part = file.with_name(file.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            yield out
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TrackerError(str(file), f"cannot be written: {error.strerror}") from error
