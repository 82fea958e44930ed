"""The sample server EX01: as Setup leaves it, and with what an administrator does to it."""

from __future__ import annotations

import tomllib
import uuid
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from changelog_tracker.demo.exports import Kinds, Object, clixml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from importlib.resources.abc import Traversable

_ORIGIN = "DC01.contoso.com"


@dataclass(slots=True)
class Noun:
    """
    The objects of one Exchange noun.

    Args:
        type_name: Their .NET type.
        life: `setup` makes them anew on each installation; the `directory` keeps them when the
            server is lost; what is on the `machine` has no entry in the directory.
        objects: Their properties, in file order.
    """

    type_name: str
    life: str
    objects: list[Object]


@dataclass(slots=True)
class Sample:
    """
    Everything that a collector finds on the server.

    Args:
        server: What bundle.json says of it.
        files: Text by path in the bundle, `files/C/...`, with line feeds.
        nouns: Exchange objects by noun.
    """

    server: dict[str, Any]
    files: dict[str, str]
    nouns: dict[str, Noun]

    def edit(self, script: Mapping[str, Any]) -> None:
        """
        Do what a chapter says happened.

        Args:
            script: `server` and `exchange` hold new values, `file` edits of text: `find` becomes
                `put` once in the file, or once in each place of `within`.

        Raises:
            ValueError: There is no such object, or not one such text; the story is wrong.
        """
        for part, values in script.get("server", {}).items():
            self.server[part] = {**self.server[part], **values}
        for noun, by_identity in script.get("exchange", {}).items():
            for identity, values in by_identity.items():
                self._object(noun, identity).update(values)
        for change in script.get("file", []):
            text = self.files[change["path"]]
            for place in change.get("within", [None]):
                text = _replaced(text, place, change["find"], change["put"])
            self.files[change["path"]] = text

    def bundle_files(self, name: str, taken_at: datetime) -> dict[str, bytes]:
        """
        Give the bytes of every file of the bundle, sorted by path.

        Args:
            name: Of the chapter; it makes what is different in each remote session.
            taken_at: When the objects were read.
        """
        kinds = Kinds(**_table(_folder() / "base" / "kinds.toml"))
        found = {
            path: text.replace("\n", "\r\n").encode("utf-8") for path, text in self.files.items()
        }
        for noun, kept in self.nouns.items():
            told = [self._as_told(noun, each, name, taken_at) for each in kept.objects]
            found[f"exchange/{noun}.clixml"] = clixml(kept.type_name, told, kinds)
        return dict(sorted(found.items()))

    def _as_told(self, noun: str, each: Object, name: str, taken_at: datetime) -> Object:
        """Add what the directory and the remote session say of every object."""
        session: Object = {"RunspaceId": str(_guid(f"session {name}"))}
        life = self.nouns[noun].life
        if life == "machine":
            return {**each, **session}
        made_at = self.server["setup"]["last" if life == "setup" else "first"]
        return {
            **each,
            "Guid": str(_guid(f"{noun} {each['Identity']} {made_at.isoformat()}")),
            "WhenCreated": made_at,
            "WhenChanged": taken_at,
            "OriginatingServer": _ORIGIN,
            "IsValid": True,
            "ObjectState": "Unchanged",
            **session,
        }

    def _object(self, noun: str, identity: str) -> Object:
        for each in self.nouns[noun].objects:
            if each["Identity"] == identity:
                return each
        raise ValueError(f"{noun} {identity}: there is no such object")


def installed() -> Sample:
    """Give EX01 as Setup leaves it."""
    base = _folder() / "base"
    nouns = {}
    for file in (base / "exchange").iterdir():
        table = _table(file)
        objects = [{**each, **_rest(table, each)} for each in table["object"]]
        nouns[file.name.removesuffix(".toml")] = Noun(table["type"], table["life"], objects)
    files = {
        f"files/{path}": file.read_text(encoding="utf-8") for path, file in _below(base / "files")
    }
    return Sample(_table(base / "server.toml"), files, dict(sorted(nouns.items())))


def scripts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give name and content of each chapter's file, in order."""
    for file in sorted((_folder() / "chapters").iterdir(), key=lambda file: file.name):
        yield file.name.removesuffix(".toml"), _table(file)


def _rest(table: Mapping[str, Any], each: Object) -> Object:
    every: Object = table.get("every", {})
    return {name: value for name, value in every.items() if name not in each}


def _replaced(text: str, place: str | None, find: str, put: str) -> str:
    """Put one text for another, inside one <location> or anywhere; it has to stand there once."""
    start, end = 0, len(text)
    if place is not None:
        start = text.index(f'<location path="{place}">')
        end = text.index("</location>", start)
    if text.count(find, start, end) != 1:
        raise ValueError(f"{place or 'the file'}: expected once: {find}")
    return text[:start] + text[start:end].replace(find, put) + text[end:]


def _folder() -> Traversable:
    return resources.files("changelog_tracker.demo")


def _below(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _below(each, f"{path}{each.name}/")
        else:
            yield path + each.name, each


def _table(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _guid(what: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{what}.ex01.contoso.com")
