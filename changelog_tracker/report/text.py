"""
Text for a person at a terminal: the change log, drift, settings and snapshots.

One line a change, so that it can be searched; the parts of a line stand two spaces apart. Colour
repeats the sign and never replaces it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Unpack

from changelog_tracker.report import escape, phrases, words
from changelog_tracker.report.look import Look
from changelog_tracker.report.tables import catalogue, coverage, snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TextIO

    from changelog_tracker.report.look import LookOptions
    from changelog_tracker.report.phrases import Line

# Longer paths push their own values to the right, not those of their neighbours.
_PATH_COLUMN = 64

__all__ = ["catalogue", "coverage", "diff", "drift", "log", "show", "snapshots"]


def log(
    lines: Iterable[Line],
    unread: Sequence[Line],
    out: TextIO,
    **options: Unpack[LookOptions],
) -> None:
    """
    Write the change log, one block a snapshot.

    Args:
        lines: As `log --json` has them, in the order to be shown.
        unread: The kinds that are not read now: `server`, `kind`, `unread` (why), `since`.
        out: Where to.
        options: See `LookOptions`.
    """
    look = Look(**options)
    left = list(unread)
    changes = undocumented = 0
    server: object = None
    for (seen, server), found in groupby(lines, lambda line: (line["seen"], line["server"])):
        block = list(found)
        out.write("\n" if changes else "")
        parts = [words.moment(str(seen), look.zone), *_named(server, block[0].get("build"))]
        out.write("  ".join(parts) + "\n")
        _write_changes(block, out, look, _seen)
        changes += len(block)
        undocumented += sum(map(phrases.is_undocumented, block))
    # What is not read now stands below the newest block of its server, else below its name.
    _write_unread([line for line in left if line.get("server", server) == server], out, look)
    others = [line for line in left if line.get("server", server) != server]
    for name, found in groupby(others, lambda line: line["server"]):
        out.write(("\n" if changes else "") + "".join(_named(name)) + "\n")
        _write_unread(found, out, look)
    out.write(words.total(changes, undocumented, len(left)) + "\n")


def diff(
    lines: Iterable[Line],
    out: TextIO,
    *,
    between: tuple[str, str],
    unread: Sequence[Line] = (),
    **options: Unpack[LookOptions],
) -> None:
    """
    Write what differs between two moments, the older on the left.

    Args:
        lines: As `diff --json` has them.
        out: Where to.
        between: What was taken as before and as after, in words.
        unread: Kinds that one of both did not read, so that nothing can be said of them.
        options: See `LookOptions`.
    """
    look = Look(**options)
    before, after = map(escape.terminal, between)
    out.write(f"before: {before}\nafter:  {after}\n")
    changes = _write_blocks(lines, out, look, _seen)
    _write_unread(unread, out, look)
    out.write(words.total(len(changes), 0, len(unread), "difference") + "\n")


def drift(
    lines: Iterable[Line],
    out: TextIO,
    *,
    against: str,
    unread: Sequence[Line] = (),
    **options: Unpack[LookOptions],
) -> None:
    """
    Write what is not as wanted; ends with what it was compared with, and the count.

    Args:
        lines: As `drift --json` and `verify --json` have them.
        out: Where to.
        against: What was taken as wanted, in words.
        unread: Kinds that cannot be compared because they were not read.
        options: See `LookOptions`.
    """
    look = Look(**options)
    changes = _write_blocks(lines, out, look, _wanted)
    _write_unread(unread, out, look)
    undocumented = sum(map(phrases.is_undocumented, changes))
    total = words.total(len(changes), undocumented, len(unread), "difference")
    out.write(f"compared with {escape.terminal(against)}: {total}\n")


def show(lines: Iterable[Line], out: TextIO, **options: Unpack[LookOptions]) -> None:
    """Write the settings of one moment, one a line: path, value, since when, from where."""
    look = Look(**options)
    settings = 0
    unread: list[Line] = []
    block: tuple[object, object] | None = None
    for line in lines:
        if "unread" in line:
            unread.append(line)
            continue
        if block != (block := (line.get("server"), line.get("at"))):
            _write_heading(block, out, look)
        settings += 1
        path = escape.terminal(phrases.path(line))
        parts = [f"{path} = {words.cut(words.value(line.get('value')), look.room(len(path), 1))}"]
        if line.get("since"):
            parts.append(f"since {words.moment(str(line['since']), look.zone)}")
        if line.get("origin"):
            parts.append(f"from {escape.terminal(str(line['origin']))}")
        if line.get("step"):
            parts.append(f"({escape.terminal(str(line['step']))})")
        if line.get("refused"):
            parts.append(f"does not count: {escape.terminal(str(line['refused']))}")
        if line.get("rule"):
            parts.append(f"ignored by {escape.terminal(str(line['rule']))}")
        out.write("  ".join(parts) + "\n")
    _write_unread(unread, out, look)
    out.write(words.total(settings, 0, len(unread), "setting") + "\n")


def _write_heading(block: tuple[object, object], out: TextIO, look: Look) -> None:
    server, at = block
    times = [words.moment(str(at), look.zone)] if at else []
    if heading := "  ".join([*times, *_named(server)]):
        out.write(heading + "\n")


def _named(*names: object) -> list[str]:
    return [escape.terminal(str(name)) for name in names if name is not None]


def _write_blocks(
    lines: Iterable[Line], out: TextIO, look: Look, values: Callable[[Line, int], str]
) -> list[Line]:
    written: list[Line] = []
    for server, found in groupby(lines, lambda line: line.get("server")):
        block = list(found)
        out.write("".join(f"{name}\n" for name in _named(server)))
        _write_changes(block, out, look, values)
        written += block
    return written


def _write_changes(
    block: Sequence[Line], out: TextIO, look: Look, values: Callable[[Line, int], str]
) -> None:
    names = [escape.terminal(phrases.path(line)) for line in block]
    column = max((len(name) for name in names if len(name) <= _PATH_COLUMN), default=0)
    for line, name in zip(block, names, strict=True):
        used = 4 + max(len(name), column) + 2
        flag = look.sign("!") if phrases.is_undocumented(line) else " "
        sides = 1 if values is _seen and line.get("action") in ("added", "removed") else 2
        parts = [values(line, look.room(used + 4 * sides, sides)), *_tail(line, look)]
        if line.get("folded"):
            event = f"{line.get('class')}: {line.get('setting') or ''}".rstrip()
            parts[0] = f"{escape.terminal(event)} {parts[0]}"
        else:
            parts.insert(0, name.ljust(column))
        lead = f"{flag} {look.sign(phrases.sign(line))} "
        out.write(lead + "  ".join(parts) + "\n")
        _write_inside(line, out, look)
        if look.commands:
            _write_commands(line, out)


def _seen(line: Line, room: int) -> str:
    before, after = line.get("before"), line.get("after")
    word = words.whole if line.get("setting") is None else words.value
    if line.get("action") == "added":
        return words.cut(word(after), room)
    if line.get("action") == "removed":
        return words.cut(word(before), room)
    return " -> ".join(words.sides(before, after, room))


def _wanted(line: Line, room: int) -> str:
    wanted, found = line.get("wanted"), line.get("found")
    if line.get("setting") is None:
        sides = words.cut(words.whole(wanted), room), words.cut(words.whole(found), room)
    else:
        sides = words.sides(wanted, found, room)
    return f"wanted {sides[0]}, found {sides[1]}"


def _tail(line: Line, look: Look) -> list[str]:
    parts = [phrases.folded(line)] if line.get("folded") else []
    if marks := phrases.marks(line):
        parts.append(f"({', '.join(marks)})")
    if who := phrases.who(line, look.zone):
        parts.append(who)
    if look.times and line.get("not_before"):
        early, late = (words.moment(str(line[key]), look.zone) for key in ("not_before", "seen"))
        parts.append(f"between {early} and {late}")
    name = f"[{escape.terminal(str(line['id']))}]" if line.get("id") is not None else ""
    if said := " ".join(filter(None, (name, phrases.why(line, look.zone)))):
        parts.append(said)
    return parts


def _write_inside(line: Line, out: TextIO, look: Look) -> None:
    """Write what differs inside a value that holds others."""
    for one in line.get("inside") or ():
        place = escape.terminal(str(one["place"]))
        sides = words.sides(one["before"], one["after"], look.room(10 + len(place), 2))
        out.write(f"      inside: {place}  {' -> '.join(sides)}\n")


def _write_commands(line: Line, out: TextIO) -> None:
    out.writelines(
        f"      {label}: {escape.terminal(said)}\n" for label, said in phrases.commands(line)
    )


def _write_unread(lines: Iterable[Mapping[str, object]], out: TextIO, look: Look) -> None:
    for line in lines:
        path = escape.terminal(phrases.path(line))
        out.write(f"  {look.sign('?')} {path}  {phrases.unread(line, look.zone)}\n")
