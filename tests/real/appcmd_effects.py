"""What a line of appcmd does, as effects that two lines can be compared by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.replay.elements import Operation

SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_QUOTED = re.compile(r"'((?:[^']|'')*)'|(\S+)")
_STEP = re.compile(r"\[((?:[\w-]+='[^']*',?)+)\]|([\w-]+)")
_KEY = re.compile(r"([\w-]+)='([^']*)'")
# An object of appcmd is an element of a section of applicationHost.config.
_OBJECTS = {"site": SITES, "apppool": POOLS, "app": SITES, "vdir": SITES}


class Effect(NamedTuple):
    """
    One thing that stands or no longer stands.

    Args:
        op: `set` an attribute, `add` or `remove` an element.
        place: The location, empty for the server.
        section: Its whole path.
        path: The elements below it, each by its name or the values of its keys; of `set` the
            attribute last.
        values: The value, or the attributes of the element, as IIS compares them.
        commit: `apphost` or `web.config`.
    """

    op: str
    place: str
    section: str
    path: tuple[object, ...]
    values: object
    commit: str

    @property
    def pairs(self) -> frozenset[tuple[object, object]]:
        """Names and values of attributes."""
        if isinstance(self.values, frozenset):
            return self.values
        return frozenset({(self.path[-1], self.values)})

    def is_about(self, tag: str, attributes: set[tuple[str, str]]) -> bool:
        """Tell whether the attribute that is set could be one of such an element."""
        if self.op != "set":
            return True
        if len(self.path) == 1:
            return tag == self.section.rpartition("/")[2]
        holder = self.path[-2]
        return tag == holder if isinstance(holder, str) else holder <= attributes  # type: ignore[operator]


class NoLineError(Exception):
    """A documented line is no command."""


def documented(line: str) -> list[Effect]:
    """Read a line for cmd.exe, as Microsoft prints it."""
    words = [word.replace('"', "") for word in _WORD.findall(line)]
    if not words or words[0].lower() != "appcmd.exe":
        raise NoLineError(f"it begins with {words[:1]}")
    return _effects(words[1:])


def rendered(line: str) -> list[Effect]:
    """Read a line for PowerShell, as this program writes it."""
    _, _, rest = line.partition('appcmd.exe" ')
    return _effects([a.replace("''", "'") if a else b for a, b in _QUOTED.findall(rest)])


def of_operation(operation: Operation, place: str) -> Iterator[Effect]:
    """Give what a step of a plan does; an edit of a file is about the place that the file is of."""
    target = operation.target
    commit = "apphost" if target.file is None else "web.config"
    place = target.location if target.file is None else place
    path = tuple(_keys(hop.keys) if hop.keys else hop.tag for hop in target.hops)
    if operation.op == "attribute":
        for goal in operation.goals:
            value = plain(str(goal.wanted))
            yield Effect("set", place, target.section, (*path, goal.name), value, commit)
    else:
        held = {goal.name: plain(str(goal.wanted)) for goal in operation.goals}
        own = dict(path[-1]) if isinstance(path[-1], frozenset) else {}
        values = frozenset({**own, **held}.items())
        yield Effect(operation.op, place, target.section, path, values, commit)


def same(ours: Effect, theirs: Effect) -> bool:
    """Tell whether two effects are one; a parent that is named by more keys is the same parent."""
    alike = ("op", "section", "values", "commit")
    return (
        all(getattr(ours, name) == getattr(theirs, name) for name in alike)
        and ours.place.casefold() == theirs.place.casefold()
        and len(ours.path) == len(theirs.path)
        and all(map(_same_step, ours.path, theirs.path))
    )


def _same_step(ours: object, theirs: object) -> bool:
    if isinstance(ours, frozenset) and isinstance(theirs, frozenset):
        return ours <= theirs or theirs <= ours
    return ours == theirs


def _effects(words: list[str]) -> list[Effect]:
    verb, thing, *rest = words
    told: dict[str, str] = {}
    options = []
    for word in rest:
        name, _, value = word[1:].partition(":")
        if word[0] not in "/-":
            told["place"] = word.rstrip("/")
        elif name in {"section", "commit", "name", *(f"{each}.name" for each in _OBJECTS)}:
            told[name.partition(".")[2] or name] = value
        else:
            options.append(word[1:])
    if told.get("commit", "apphost") != "apphost":
        raise NoLineError(f"it commits to {told['commit']}")
    if thing in _OBJECTS:
        front = _object(thing, told.get("name") or told["place"])
        where = ("", _OBJECTS[thing], "apphost")
        if verb == "add":
            return [_element("add", where, front)]
        return [_option(option, where, f"{front}.") for option in options]
    if (verb, thing) != ("set", "config"):
        raise NoLineError(f"{verb} {thing} is not read here")
    # Without a place there is no web.config to commit to.
    place = told.get("place", "")
    commit = "apphost" if "commit" in told or not place else "web.config"
    return [_option(option, (place, told.get("section", ""), commit), "") for option in options]


def _object(thing: str, name: str) -> str:
    if thing in {"site", "apppool"}:
        return f"[name='{name}']"
    site, _, path = name.partition("/")
    application = f"[name='{site}'].[path='/{path.rstrip('/')}']"
    # Of a directory that is no application's root the application is not known here.
    return f"{application}.[path='/']" if thing == "vdir" else application


def _option(option: str, where: tuple[str, str, str], front: str) -> Effect:
    if option[0] in "+-":
        return _element({"+": "add", "-": "remove"}[option[0]], where, front + option[1:])
    path, value = _parted(front + option)
    return Effect("set", where[0], where[1], tuple(_steps(path)), plain(value), where[2])


def _parted(option: str) -> tuple[str, str]:
    """Part an attribute from its value at the first colon outside of a key."""
    inside = False
    for at, char in enumerate(option):
        if char == "'":
            inside = not inside
        elif char == ":" and not inside:
            return option[:at], option[at + 1 :]
    raise NoLineError("an attribute without a value")


def _element(op: str, where: tuple[str, str, str], path: str) -> Effect:
    steps = tuple(_steps(path))
    values = steps[-1]
    return Effect(op, where[0], where[1], steps, values, where[2])


def _steps(path: str) -> Iterator[object]:
    for keys, name in _STEP.findall(path):
        yield _keys(_KEY.findall(keys)) if keys else name


def _keys(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((name, plain(value)) for name, value in pairs)


def plain(value: str) -> str:
    """Write a value as IIS compares it: truths and flags without case, flags in any order."""
    return ",".join(sorted(part.strip().casefold() for part in value.split(",")))
