"""Whether the key is there, and whether it is the one that newest snapshots were made with."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreError
from changelog_tracker.pipeline.check.finding import Finding
from changelog_tracker.pipeline.keys import key_id_of, key_ids
from changelog_tracker.store.key import read_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from changelog_tracker.store.database import Connection

CHECK = "key"
_FITS, _NONE = ", that of the newest snapshots", "; no snapshot tells which key it was made with"
_CANNOT = "without it secrets and files cannot be compared with those of new snapshots"


def key_findings(connection: Connection, file: Path) -> Iterator[Finding]:
    """Tell of the key."""
    try:
        newest = key_ids(connection)
    except StoreError as error:
        what = f"the journal does not tell which key newest snapshots were made with: {error.what}"
        yield Finding(CHECK, "note", what)
        newest = {}
    try:
        key_id = key_id_of(read_key(file))
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        if newest:
            ids = ", ".join(sorted(set(newest.values())))
            what = f"not there; newest snapshots were made with {ids}; {_CANNOT}"
            yield Finding(CHECK, "bad", what, str(file))
        else:
            yield Finding(CHECK, "ok", "not there yet; nothing was fingerprinted")
        return
    except StoreError as error:
        yield Finding(CHECK, "bad", f"{error.what}; {_CANNOT}", error.place)
        return
    others = {name: one for name, one in newest.items() if one != key_id}
    for one in sorted(set(others.values())):
        whose = ", ".join(name for name in others if others[name] == one)
        what = f"is {key_id}, but the newest snapshot of {whose} was made with {one}"
        yield Finding(CHECK, "bad", f"{what}; secrets of the two cannot be compared", str(file))
    if not others:
        yield Finding(CHECK, "ok", f"{key_id}{_FITS if newest else _NONE}")
    if os.name == "posix" and mode & 0o077:
        yield Finding(CHECK, "note", f"others may read it, its mode is {mode:04o}", str(file))
