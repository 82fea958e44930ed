"""What every command needs: the store, the time zone, and where output goes."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO, TextIO

    import typer

    from changelog_tracker.report.look import LookOptions
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection


# What a row that nobody wrote so makes of a command.
_ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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
    except _ODD as error:
        from changelog_tracker.pipeline.check import refuse_damaged

        refuse_damaged(config, error)
        raise
    finally:
        store.close()


@contextmanager
def reading(ctx: typer.Context | Globals) -> Iterator[tuple[Connection, Callable[[], None]]]:
    """
    Open the store to read what is whole of it.

    Yields:
        The transaction, and what ends the command, once all else is written, where something in the
        store could not be read: it raises StoreDamagedError.
    """
    from changelog_tracker.store.damage import note_damage, refuse_damage

    with open_store(ctx) as store, store.reading() as connection:
        noted = note_damage(connection)
        yield connection, partial(refuse_damage, noted, store.place)


class _LocalZone(tzinfo):
    """The time zone of this machine, with the offset that each moment had there."""

    def utcoffset(self, when: datetime | None, /) -> timedelta | None:
        """Give the offset of a local time."""
        return _here(when or datetime.now()).utcoffset()  # noqa: DTZ005  local is what is asked for

    def tzname(self, when: datetime | None, /) -> str | None:
        """Give the zone's name at a local time."""
        return _here(when or datetime.now()).tzname()  # noqa: DTZ005

    def dst(self, _when: datetime | None, /) -> timedelta | None:
        """Say nothing: the offset has it in it."""
        return None

    def fromutc(self, when: datetime, /) -> datetime:
        """Give a moment in UTC as local time; `fold` tells the two hours of an autumn night."""
        there = when.replace(tzinfo=UTC).astimezone()
        local = there.replace(tzinfo=None)
        fold = local.astimezone().utcoffset() != there.utcoffset()
        return local.replace(tzinfo=self, fold=int(fold))


def _here(when: datetime) -> datetime:
    return when.replace(tzinfo=None).astimezone()


def local_zone() -> tzinfo:
    """Give the reader's time zone."""
    return _LocalZone()


def now() -> datetime:
    """
    Give the time at which a report is made; SOURCE_DATE_EPOCH says another, to make one again.

    Raises:
        UsageError: That is no time.
    """
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if not said:
        return datetime.now(tz=UTC).replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(said), tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        from changelog_tracker.errors import UsageError

        what = f"{said!r} is no time; expected seconds since 1970"
        raise UsageError("SOURCE_DATE_EPOCH", what) from error


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


def refuse_existing(file: Path | None, *, force: bool) -> None:
    """
    Refuse to write over a file that nobody said may be lost.

    Raises:
        UsageError: It exists, or is a folder.
    """
    from changelog_tracker.errors import UsageError

    if file is None:
        return
    if file.is_dir():
        raise UsageError(str(file), "is a folder; expected the name of a file")
    if file.is_file() and not force:
        what = "exists already; nothing was written"
        raise UsageError(str(file), what, "--force writes over it")


@contextmanager
def output(file: Path | None, *, force: bool = False) -> Iterator[TextIO]:
    """
    Open where a report goes: standard output, or a file that appears whole or not at all.

    Raises:
        UsageError: The file exists, and `force` does not say that it may be lost.
        TrackerError: It cannot be written.
    """
    if file is None:
        yield sys.stdout
        return
    with _appearing(file, force=force) as part, part.open("w", encoding="utf-8", newline="") as out:
        yield out


@contextmanager
def exact_output(file: Path | None, *, force: bool = False) -> Iterator[TextIO]:
    """Open the same for a form that says itself what its encoding and its line ends are."""
    buffer = None if file else getattr(sys.stdout, "buffer", None)
    if buffer is None:
        with output(file, force=force) as out:
            yield out
        return
    sys.stdout.flush()
    exact = TextIOWrapper(buffer, encoding="utf-8", newline="")
    try:
        yield exact
    finally:
        exact.detach()


@contextmanager
def binary_output(file: Path | None, *, force: bool = False) -> Iterator[BinaryIO]:
    """Open the same for bytes; what goes to standard output can be sought in until it is whole."""
    if file is None:
        whole = BytesIO()
        yield whole
        sys.stdout.buffer.write(whole.getvalue())
        return
    with _appearing(file, force=force) as part, part.open("wb") as out:
        yield out


@contextmanager
def _appearing(file: Path, *, force: bool) -> Iterator[Path]:
    """Give the path to write to; the file is there when all was written, and else is as before."""
    from changelog_tracker.errors import TrackerError

    refuse_existing(file, force=force)
    if file.exists() and not file.is_file():
        # A device or a pipe, such as /dev/null.
        yield file
        return
    whole = Path(os.path.realpath(file))
    part = whole.with_name(f".changelog-{os.getpid()}.part")
    try:
        yield part
        refuse_existing(file, force=force)
        part.replace(whole)
    except OSError as error:
        raise TrackerError(str(file), f"cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
