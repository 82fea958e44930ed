"""`show` and `snapshots`: what is known of a server at any moment, and what was not read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.diff.flatten import flatten_lines, ignored
from changelog_tracker.diff.product_update import SERVER
from changelog_tracker.diff.unsaid import is_part, whole_of
from changelog_tracker.errors import StoreDamagedError, UsageError
from changelog_tracker.model import ReadingId
from changelog_tracker.pipeline.contents import tree_of
from changelog_tracker.pipeline.lines import context_of, known_server, utc
from changelog_tracker.pipeline.read import CONFIG_FILE, IIS_CONFIG, NOT_USED
from changelog_tracker.pipeline.stored import StoredFiles
from changelog_tracker.store.changes import load_changes
from changelog_tracker.store.contents import load_what_is_whole
from changelog_tracker.store.damage import lost
from changelog_tracker.store.lookups import raw_files
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import server_names
from changelog_tracker.store.states import (
    COLLECTOR,
    load_held,
    load_known,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from changelog_tracker.model import Held, Known, ReadingKey, ResourceId, Value
    from changelog_tracker.pipeline.lines import Line
    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection

IIS_KINDS = (
    "IisSite", "IisApplication", "IisVirtualDirectory", "IisBinding", "IisAppPool", "IisSection",
)  # fmt: skip
NO_EXPORT = "no export of it was given"
HIDDEN = frozenset({NOT_USED, COLLECTOR.kind})


def unread_lines(connection: Connection, server: str, at: int | None = None) -> Iterator[Line]:
    """Give what a server did not answer, as of a time: `kind`, `unread`, `since`."""
    number, name = known_server(connection, server)
    known = load_known(connection, number, at)
    for key in sorted(known.readings):
        last = known.readings[key]
        reading = last.reading
        if reading.status != "unread" or reading.id.kind in HIDDEN:
            continue
        if reading.id.scope and reading.id.kind in catalogue.nouns():
            whole = known.readings.get(ReadingId(reading.id.kind).key)
            if reading.id.kind == SERVER or whole is None or whole.reading.status == "unread":
                # Facts are no kind; what is kept of one object is unread with its kind.
                continue
        if is_part(reading.id) and not _is_read(known, whole_of(reading.id)):
            continue
        kinds = IIS_KINDS if reading.id.kind == IIS_CONFIG else (reading.id.kind,)
        for kind in kinds:
            line: Line = {"server": name, "kind": kind}
            if reading.id.scope and kind not in IIS_KINDS:
                line["resource"] = reading.id.scope
            line["unread"] = reading.reason or "no reason given"
            line["since"] = utc(micros(last.read_at)) if last.read_at else None
            yield line


def _is_read(known: Known, key: ReadingKey) -> bool:
    return key in known.readings and known.readings[key].reading.status == "read"


def unread_everywhere(connection: Connection, server: str | None) -> Iterator[Line]:
    """Give what is not read now of one server, or of all."""
    names = [known_server(connection, server)[1]] if server else server_names(connection)
    for name in names:
        yield from unread_lines(connection, name)


def _never_read(known: Known, name: str, version: str | None) -> Iterator[Line]:
    """Give the tracked kinds that nobody ever exported."""
    read = {last.reading.id.kind for last in known.readings.values()}
    if IIS_CONFIG in read:
        read |= set(IIS_KINDS)
    for kind in tracked_kinds(version, read):
        if kind not in read:
            yield {"server": name, "kind": kind, "unread": NO_EXPORT, "since": None}


def tracked_kinds(version: str | None, read: set[str]) -> list[str]:
    """Give the kinds that a server of this version has; one of Server and Service is enough."""
    kinds = [
        noun.name
        for noun in catalogue.nouns().values()
        if noun.is_written and (version is None or version in noun.versions)
    ]
    both = {"ClientAccessServer", "ClientAccessService"}
    if both & read:
        kinds = [kind for kind in kinds if kind not in both]
    # Nobody but a collector gives what Windows keeps: it is asked for where one was.
    windows = catalogue.windows_kinds()
    return [*kinds, *IIS_KINDS, CONFIG_FILE, *(windows if read & windows.keys() else ())]


def show_lines(
    connection: Connection,
    server: str,
    glob: str | None,
    at: datetime | None,
    *,
    left_out: bool = False,
) -> Iterator[Line]:
    """Give a server's settings as they were known at a time."""
    number, name = known_server(connection, server)
    at_micros = micros(at) if at else None
    known = load_known(connection, number, at_micros)
    if known.at is None:
        raise UsageError(name, "has no snapshot of that time or before")
    load_held(connection, number, known, at=at_micros)
    version = context_of(connection, name).version
    since = _Since(load_changes(connection, number, until=at_micros))
    wanted = matcher(glob)
    held = [
        known.held[key]
        for key in sorted(known.held)
        if wanted(str(known.held[key].resource), None, whole=False)
    ]
    contents, damaged = load_what_is_whole(connection, list({one.digest for one in held}))
    for one in held:
        if one.digest in damaged:
            what = f"{one.resource}: {damaged[one.digest]}"
            lost(connection, StoreDamagedError(name, what))
    files = StoredFiles(connection, raw_files(connection, number, at_micros))
    for one in (one for one in held if one.digest in contents):
        for setting, value, source in _settings(one, contents, files, left_out=left_out):
            if not wanted(str(one.resource), setting, whole=True):
                continue
            line: Line = {
                "server": name,
                "at": utc(micros(known.at)),
                "kind": one.resource.kind,
                "resource": one.resource.name,
                "setting": setting,
                "value": value,
                "since": utc(since.of(one.resource, setting)),
                "origin": _origin(one, known, None if left_out else source),
            }
            if left_out:
                line["rule"] = source
            yield line
    of_kind = kind_matcher(glob)
    yield from (
        line
        for line in (*unread_lines(connection, name, at_micros), *_never_read(known, name, version))
        if of_kind(line["kind"])
    )


class _Since:
    """
    Tells since when a setting is so: the last change of it, or of what it is part of.

    Args:
        changes: Of one server, oldest first.
    """

    def __init__(self, changes: list[Recorded]) -> None:
        self._seen: dict[tuple[str, str], dict[str, int]] = {}
        for one in changes:
            for change in (one.change, *one.change.folded):
                settings = self._seen.setdefault((change.kind, change.resource.casefold()), {})
                settings[change.setting or ""] = one.seen

    def of(self, resource: ResourceId, setting: str) -> int | None:
        """Give the time, microseconds; None where it was so from the first."""
        settings = self._seen.get((resource.kind, resource.name.casefold()))
        if settings is None:
            return None
        found = [
            seen
            for changed, seen in settings.items()
            if changed in {"", setting} or setting.startswith(f"{changed}.")
        ]
        return max(found, default=None)


def _settings(
    held: Held, contents: dict[bytes, bytes], files: StoredFiles, *, left_out: bool
) -> Iterator[tuple[str, Value, str | int]]:
    """Give name, value, and line or rule of each setting, or of what rules leave out."""
    if left_out and held.resource.kind in catalogue.nouns():
        yield from files.left_out(held)
        return
    in_file = files.tree(held)
    tree = in_file or tree_of(held.resource, contents[held.digest])
    if left_out:
        yield from ignored(tree)
        return
    for name, value, line in flatten_lines(tree):
        # Without the file, lines are those of what is kept of it.
        yield name, value, line if in_file else 0


def _origin(held: Held, known: Known, line: str | int | None) -> str:
    """Give the file and line that say it, or the cmdlet, or where Windows keeps it."""
    if held.reading[0] in {CONFIG_FILE, IIS_CONFIG}:
        file = known.readings[held.reading].reading.id.scope
        return f"{file}:{line}" if line else file
    windows = catalogue.windows_kinds().get(held.resource.kind)
    if windows is not None:
        return windows.origin
    noun = catalogue.nouns().get(held.resource.kind)
    return noun.read if noun else held.resource.kind


def kind_matcher(glob: str | None) -> Callable[[str], bool]:
    """Make the test whether a pattern may name something of a kind."""
    if glob is None or glob.startswith("*"):
        return lambda _kind: True
    kind_of = _regex(glob.partition("[")[0])
    return lambda kind: kind_of.fullmatch(kind) is not None


def matcher(glob: str | None) -> Callable[..., bool]:
    """
    Make the test of a pattern in which only `*` and `?` are special, without case.

    A pattern without a dot after its resource names all settings of what it matches.
    """
    if glob is None:
        return lambda *_args, **_kwargs: True
    pattern = _regex(glob)
    prefix = _regex(glob.partition("]")[0] + "]") if "]" in glob else pattern

    def matches(resource: str, setting: str | None, *, whole: bool) -> bool:
        if not whole:
            kind = resource.partition("[")[0]
            return bool(
                prefix.fullmatch(resource) or pattern.fullmatch(resource) or pattern.fullmatch(kind)
            ) or ("[" not in glob)
        path = resource if setting is None else f"{resource}.{setting}"
        kind = resource.partition("[")[0]
        return any(pattern.fullmatch(text) for text in (path, resource, kind))

    return matches


def _regex(glob: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in glob), re.IGNORECASE | re.DOTALL)
