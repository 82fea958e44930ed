"""The key: where it is, who may read it, whether snapshots were made with it, and its copy."""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreError
from changelog_tracker.pipeline.health.check import Check, age
from changelog_tracker.pipeline.health.place import nearest_folder
from changelog_tracker.pipeline.keys import BRING_BACK, key_id_of
from changelog_tracker.store.key import read_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

_EXPORT = "changelog-tracker key export FILE, and keep FILE elsewhere, apart from its passphrase"


def key_id_at(file: Path) -> str | None:
    """Give the id of the key in a file; None where there is none that can be used."""
    try:
        return key_id_of(read_key(file))
    except (FileNotFoundError, StoreError):
        return None


def key_checks(file: Path, newest: Mapping[str, str] | None) -> Iterator[Check]:
    """
    Tell of the key.

    Args:
        file: Where it belongs.
        newest: The key id of each server's newest snapshot; None where the store cannot tell.
    """
    try:
        key_id = key_id_of(read_key(file))
    except FileNotFoundError:
        yield _no_key(file, newest)
        return
    except StoreError as error:
        do = error.hint or "let this account read it, or run this as the account that imports"
        yield Check("key", "bad", f"{error.place}: {error.what}", do)
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        what = f"{file}, {key_id}: others may use it, its mode is {mode:04o}"
        yield Check("key", "bad", what, f"chmod 600 {shlex.quote(str(file))}")
    else:
        yield Check("key", "ok", f"{file}, {key_id}")
    if newest:
        yield _fits(key_id, newest)


def copy_check(file: Path, store: Path | None, exported: datetime | None, now: datetime) -> Check:
    """Tell when the key was last exported."""
    if exported is not None:
        return Check("copy of the key", "ok", f"exported {age(now - exported)} ago")
    same = store is not None and _disk(file) == _disk(store)
    where = ", and the key lies on the store's disk" if same else ""
    return Check("copy of the key", "note", f"never exported{where}", _EXPORT)


def _no_key(file: Path, newest: Mapping[str, str] | None) -> Check:
    if newest is None:
        do = f"if there was one, before the next import: {BRING_BACK}"
        return Check("key", "note", f"{file}: not there, and the store cannot tell of it", do)
    if newest:
        ids = ", ".join(sorted(set(newest.values())))
        what = f"{file}: the key is lost; newest snapshots have {ids}"
        do = f"{BRING_BACK}; else the next import makes a new one, and secrets cannot be compared"
        return Check("key", "bad", what, do)
    return Check("key", "ok", f"{file}: not there yet; the first import makes it")


def _fits(key_id: str, newest: Mapping[str, str]) -> Check:
    """Tell whether the newest snapshots were fingerprinted with this key."""
    others = {name: one for name, one in newest.items() if one != key_id}
    if not others:
        return Check("snapshots", "ok", "newest ones were fingerprinted with this key")
    named = "; ".join(
        f"{', '.join(name for name in others if others[name] == one)}: {one}"
        for one in sorted(set(others.values()))
    )
    what = f"fingerprinted with another key: {named}; secrets cannot be compared with theirs"
    do = f"{BRING_BACK} --force; or import again, from then on they are compared under this key"
    return Check("snapshots", "bad", what, do)


def _disk(path: Path) -> int | None:
    try:
        return nearest_folder(path).stat().st_dev
    except OSError:
        return None
