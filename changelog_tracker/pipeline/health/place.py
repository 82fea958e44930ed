"""Where the store lies: room on its disk, a network share, a server that it records."""

from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from changelog_tracker.pipeline.health.check import Check, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from changelog_tracker.store.glance import Glance

LEAST_FREE = 100_000_000
_MOUNTS = Path("/proc/mounts")
_SHARES = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "fuse.glusterfs"}
)
_OCTAL = re.compile(r"\\([0-7]{3})")
# The host in what a share is mounted from: //EX01/logs, \\EX01\logs, ex01:/logs, me@ex01:/logs.
_SHARE_HOST = re.compile(r"(?:[\\/]{2}|[^@/]*@)?(?P<host>[^\\/:@]+)(?:[\\/:]|$)")
_MOVE = "move it to a machine that it does not record (how-to: Move or copy a store)"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: from where, at which folder, of which type."""

    source: str
    folder: str
    type: str

    @property
    def host(self) -> str | None:
        """The machine that a share comes from."""
        found = _SHARE_HOST.match(self.source)
        return found["host"] if found else None

    @property
    def is_share(self) -> bool:
        """Whether it comes over the network."""
        return self.type in _SHARES


def disk_checks(store: Glance, store_bytes: int) -> Iterator[Check]:
    """Tell of the disk that a store's file lies on; nothing of a database on a server."""
    if store.path is None:
        return
    folder = nearest_folder(store.path)
    mount = share_of(folder)
    if mount is not None:
        yield Check(
            "file system",
            "note",
            f"{mount.source} is a network share ({mount.type}), where SQLite's locks may not hold",
            "keep the store on a local disk, or in PostgreSQL",
        )
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Check("disk", "note", f"free space is unknown: {error.strerror}", "look at the disk")
        return
    yield room(free, store_bytes)


def room(free: int, store_bytes: int) -> Check:
    """Tell whether there is room for the store to grow: its own size, and 100 MB at least."""
    if free >= max(LEAST_FREE, store_bytes):
        return Check("disk", "ok", f"{size(free)} free")
    return Check(
        "disk",
        "bad",
        f"{size(free)} free, less than {size(max(LEAST_FREE, store_bytes))}",
        "free some space, or move the store to a bigger disk",
    )


def host_check(store: Glance, servers: Iterable[str]) -> Check:
    """Tell whether the store lies on a server that it records: both would be lost together."""
    hosts = {store.host or platform.node()}
    mount = share_of(nearest_folder(store.path)) if store.path else None
    if mount is not None and mount.host is not None:
        hosts.add(mount.host)
    known = {name.casefold(): name for name in servers}
    for host in sorted(hosts):
        found = known.get(_short(host).casefold())
        if found is not None:
            what = (
                f"the store lies on {found}, a server that it records: both would be lost at once"
            )
            return Check("place", "bad", what, _MOVE)
    return Check("place", "ok", f"on {', '.join(sorted(hosts))}, no server that the store records")


def share_of(folder: Path) -> Mount | None:
    """Give the network share that a folder lies on, where this system tells."""
    place = str(folder)
    if place.startswith(("\\\\", "//")):
        return Mount(place, place, "UNC path")
    try:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    found = mount_of(place, mounts)
    return found if found is not None and found.is_share else None


def mount_of(folder: str, mounts: str) -> Mount | None:
    r"""
    Give the mount that a folder lies on.

    Args:
        folder: Its absolute path, without links.
        mounts: /proc/mounts: source, folder, type and more on each line, blanks as `\040`.
    """
    found: Mount | None = None
    for line in mounts.splitlines():
        fields = [_OCTAL.sub(lambda m: chr(int(m[1], 8)), part) for part in line.split(" ")]
        if len(fields) < 3:
            continue
        one = Mount(*fields[:3])
        below = one.folder == "/" or f"{folder}/".startswith(f"{one.folder}/")
        # Of two mounts at one folder the later one counts.
        if below and (found is None or len(one.folder) >= len(found.folder)):
            found = one
    return found


def nearest_folder(path: Path) -> Path:
    """Give the folder in which a file lies or would be made: the nearest that is there."""
    folder = Path(os.path.realpath(path)).parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _short(host: str) -> str:
    """Give a host's short name; an address stays whole."""
    return host if re.fullmatch(r"[\d.]+|.*:.*", host) else host.partition(".")[0]
