"""What is known of a server's IIS, and what each file says of a place, in the order that counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from changelog_tracker.diff.product_update import ONE_PER_SERVER, SERVER
from changelog_tracker.parse.iis_config import SERVER_LEVEL
from changelog_tracker.parse.xml import node_of
from changelog_tracker.pipeline.contents import tree_of
from changelog_tracker.pipeline.effective.pieces import Piece, pieces
from changelog_tracker.pipeline.effective.places import Places, file_names, nodes
from changelog_tracker.pipeline.effective.told import Step
from changelog_tracker.pipeline.read import CONFIG_FILE
from changelog_tracker.pipeline.stored import StoredFiles
from changelog_tracker.store.contents import load_contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.model import Held, Known, Node, ReadingKey, ResourceKey
    from changelog_tracker.store.database import Connection

HOST = "applicationHost.config"
LINKED = "assemblyBinding"
SITES = "system.applicationHost/sites"
NEVER = "no such file was given; where there is one, it counts too"
# What a file says: location path, folded -> section -> its resources, each once as a rule.
Index = dict[str, dict[str, list["Held"]]]


class Level(NamedTuple):
    """A file that counts: the place it belongs to, folded, its name, what it is called, says."""

    place: str
    file: str
    words: str
    says: Index


class Input(NamedTuple):
    """What one file says of one section: at which step, for which place, folded, and what."""

    step: Step
    target: str
    piece: Piece


class Chain:
    """
    Reads what is known of a server's IIS.

    Args:
        connection: An open transaction.
        known: Readings, and the resources of configuration files and of the server itself.
        raw: The raw file behind each reading.
    """

    def __init__(self, connection: Connection, known: Known, raw: dict[ReadingKey, bytes]) -> None:
        self._connection = connection
        self._known = known
        self._stored = StoredFiles(connection, raw)
        self._pieces: dict[ResourceKey, Piece] = {}
        self._host = Level("", HOST, HOST, {})
        self._webs: dict[str, Index] = {}
        self._drives = sorted(
            {scope[0].upper() for _kind, scope in known.readings if scope[1:3] == ":/"}
        )
        self.places = Places()
        self.unread: dict[str, str] = {}
        self._install_path = self.fact("InstallPath")
        self._index()
        self._read_sites()

    def _index(self) -> None:
        for key in sorted(self._known.held):
            held = self._known.held[key]
            place, _, section = held.resource.name.rpartition(" : ")
            if held.resource.kind == "IisSection":
                path = "" if place == SERVER_LEVEL else place.strip("/")
                file = self._known.readings[held.reading].reading.id.scope
                self._host = self._host._replace(file=file)
                self.places.shown.setdefault(path.casefold(), path or SERVER_LEVEL)
                _put(self._host.says, path, section, held)
            elif held.resource.kind == CONFIG_FILE:
                path = place[len(held.reading[1]) :].removeprefix(" (").removesuffix(")")
                _put(self._webs.setdefault(held.reading[1], {}), path.strip("/"), section, held)

    def _read_sites(self) -> None:
        found: dict[str, dict[str, tuple[str, Node]]] = {
            kind: {} for kind in ("IisSite", "IisApplication", "IisVirtualDirectory")
        }
        for held in self._known.held.values():
            if held.resource.kind in found:
                name = held.resource.name
                found[held.resource.kind][name.rstrip("/").casefold()] = name, self.node(held)
        whole = [self.node(one) for one in self._host.says.get("", {}).get(SITES, ())]
        for kind, group in found.items():
            for place, (name, node) in group.items():
                above = [one for one in reversed(nodes(place)) if one in found["IisApplication"]][
                    :1
                ]
                near = [found["IisApplication"][one][1] for one in above]
                near += [
                    found["IisSite"][one][1] for one in nodes(place)[:1] if one in found["IisSite"]
                ]
                self.places.add(kind, name, node, [*near, *whole])

    # --- what each resource says ----------------------------------------------------------------

    def node(self, held: Held) -> Node:
        """Give a resource's element, with its lines where the file is stored."""
        return self._stored.node(held) or _without_lines(node_of(self._content(held)))

    def piece(self, held: Held) -> Piece:
        """Give what a resource says."""
        key = held.resource.key
        if key not in self._pieces:
            self._pieces[key] = pieces(held.resource, self.node(held))
        return self._pieces[key]

    def fact(self, name: str) -> str | None:
        """Give what is known of the server itself: `InstallPath`, `WindowsBuild`."""
        held = self._known.held.get((SERVER, ONE_PER_SERVER.casefold(), name))
        if held is None:
            return None
        value = tree_of(held.resource, self._content(held)).values.get(name)
        return str(value) if value is not None else None

    def _content(self, held: Held) -> bytes:
        return load_contents(self._connection, [held.digest])[held.digest]

    # --- what counts at a place -----------------------------------------------------------------

    def levels(self, place: str, *, linked: bool) -> list[Level]:
        """
        Give the files that count at a place, the outermost first; note those that were not read.

        Args:
            place: As users write it.
            linked: Also what a web.config links to.
        """
        found = [self._host]
        for node in nodes(place):
            folder = self.places.folder(node)
            if folder is None:
                continue
            file, says = self._file(f"{folder}/web.config")
            if linked:
                found += self._linked(node, says)
            found.append(Level(node.casefold(), file, f"web.config of {node}", says))
        return found

    def inputs(self, levels: list[Level], place: str) -> dict[str, list[Input]]:
        """
        Give what files say of a place, by section, in the order in which it counts.

        Level by level of the path, from the server down: what outer files say of it under
        <location> first, then the file that belongs to it.

        Args:
            levels: The files.
            place: As users write it; "" is the server.

        Source:
            .NET's BaseConfigurationRecord.Evaluate: parent, location inputs, file input. Microsoft
            does not write down the order of IIS; that an outer <location> conflicts with an inner
            web.config's lock of the folder above (deep-dive-into-iis-configuration) agrees with it.
        """
        found: dict[str, list[Input]] = {}
        for node in ("", *nodes(place)):
            for level in levels:
                path = _below(node.casefold(), level.place)
                if path is None:
                    continue
                for section, says in level.says.get(path, {}).items():
                    for piece in map(self.piece, says):
                        words = _words(level, node, path, piece)
                        step = Step(words, level.file, level.place, node != place)
                        one = Input(step, node.casefold(), piece)
                        found.setdefault(section, []).append(one)
        return found

    def note(self, file: str, why: str) -> None:
        """Note a file that would count and is not known."""
        self.unread.setdefault(file, why)

    def _linked(self, node: str, says: Index) -> Iterator[Level]:
        """Give the files that <linkedConfiguration> of a web.config names."""
        for held in says.get("", {}).get(LINKED, ()):
            for child in self.node(held).children:
                href = child.attributes.get("href", "")
                if child.tag == "linkedConfiguration" and href:
                    path = href.removeprefix("file:").replace("\\", "/").lstrip("/")
                    file, linked = self._file(path)
                    words = f"{file.rpartition('/')[2]}, linked by web.config of {node}"
                    yield Level(node.casefold(), file, words, {"": linked.get("", {})})

    def _file(self, path: str) -> tuple[str, Index]:
        """Find a file by its path on the server; give its name and what it says."""
        names = list(file_names(path, self._install_path, self._drives))
        known = [name for name in names if (CONFIG_FILE, name.casefold()) in self._known.readings]
        if not known:
            self.note(names[0], NEVER)
            return names[0], {}
        last = self._known.readings[CONFIG_FILE, known[0].casefold()]
        name = last.reading.id.scope
        if last.reading.status == "unread":
            self.note(name, last.reading.reason or "no reason given")
        return name, self._webs.get(name.casefold(), {})


def _without_lines(node: Node) -> Node:
    """Leave out the lines of what is kept, which are not those of the file."""
    return replace(node, line=0, children=[_without_lines(child) for child in node.children])


def _put(index: Index, path: str, section: str, held: Held) -> None:
    named, _, number = section.rpartition(" (")
    name = named if named and number.rstrip(")").isdigit() else section
    index.setdefault(path.casefold(), {}).setdefault(name, []).append(held)


def _below(target: str, place: str) -> str | None:
    """Give the path of a place below another one; "" is itself, None is none."""
    if not place:
        return target
    if target == place:
        return ""
    return target.removeprefix(f"{place}/") if target.startswith(f"{place}/") else None


def _words(level: Level, node: str, path: str, piece: Piece) -> str:
    """Say which step of inheritance it is."""
    if path:
        spelt = "/".join(node.split("/")[-path.count("/") - 1 :])
        return f"location {spelt} in {level.words}"
    return f'location "" in {level.words}' if piece.location else level.words
