"""
Gathers what `import PATH` gets: a bundle, a backup folder, loose exports, as folder, zip or file.

A bundle is held against its own list: what the list does not cover is not trusted.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from changelog_tracker.collect.archive import is_archive, read_archive
from changelog_tracker.collect.folder import read_folder, read_single, reason_of
from changelog_tracker.collect.gathered import Contents, Gathered
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.collect.manifest import NAME, read_manifest
from changelog_tracker.collect.names import shown
from changelog_tracker.collect.trust import held_against
from changelog_tracker.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.collect.limits import Limits


def gather(path: Path, limits: Limits = DEFAULT_LIMITS) -> Gathered:
    """
    Read everything that a path holds; a bundle is checked against its bundle.json.

    Args:
        path: A folder, a zip (told by its content), or one file.
        limits: What is too much.

    Returns:
        Files and what could not be read, by path below the folder. A folder or zip that holds
        nothing but the folder of a bundle is taken as that bundle.

    Raises:
        InputError: Nothing there, a hostile or damaged container, a bundle that does not fit
            its own list.
    """
    place, root = shown(str(path)), os.fspath(path)
    mode = _mode(root, place)
    if stat.S_ISDIR(mode):
        return _gathered(place, read_folder(root, place, limits))
    if not stat.S_ISREG(mode):
        raise InputError(place, "expected a folder, a zip or a file", "copy it to a file first")
    try:
        archive = is_archive(root)
    except OSError as error:
        raise InputError(place, f"cannot be read: {reason_of(error)}") from error
    if archive:
        return _gathered(place, read_archive(root, place, limits))
    if root.casefold().endswith(".zip"):
        raise InputError(place, "not a zip, though its name says so", "copy it again")
    return Gathered(place, (read_single(root, place, limits),), (), None, single=True)


def _mode(root: str, place: str) -> int:
    try:
        return os.stat(root).st_mode  # noqa: PTH116 - paths are text in this stage
    except FileNotFoundError as error:
        hint = "give a bundle (folder or zip), a backup folder, or a file"
        raise InputError(place, "there is no such file or folder", hint) from error
    except OSError as error:
        raise InputError(place, f"cannot be read: {reason_of(error)}") from error
    except ValueError as error:
        raise InputError(place, "not a path") from error


def _gathered(place: str, contents: Contents) -> Gathered:
    if not contents.files and not contents.unread:
        hint = "give the folder or zip that holds the exports and configuration files"
        raise InputError(place, "holds no files", hint)
    contents = _without_top_folder(contents)
    listed = next((file for file in contents.files if file.path.casefold() == NAME), None)
    if listed is None:
        _refuse_hidden_bundle(place, contents)
        return Gathered(place, contents.files, contents.unread, None, single=False)
    manifest = read_manifest(place, listed.data)
    manifest, contents = held_against(manifest, contents, place)
    return Gathered(place, contents.files, contents.unread, manifest, single=False)


def _without_top_folder(contents: Contents) -> Contents:
    """Take a bundle out of the one folder that Windows puts around what it zips."""
    paths = contents.paths
    top = paths[0].partition("/")[0] + "/"
    holds_bundle = any(path.casefold() == top.casefold() + NAME for path in paths)
    if not holds_bundle or not all(path.startswith(top) for path in paths):
        return contents
    return Contents(
        tuple(replace(file, path=file.path[len(top) :]) for file in contents.files),
        tuple(replace(left, path=left.path[len(top) :]) for left in contents.unread),
    )


def _refuse_hidden_bundle(place: str, contents: Contents) -> None:
    """Refuse bundles beside other things: their hashes and times would count for nothing."""
    for path in contents.paths:
        folder, _, name = path.rpartition("/")
        if name.casefold() == NAME and not folder:
            raise InputError(place, f"{shown(path)}: cannot be read")
        if name.casefold() == NAME and "/" not in folder:
            what = f"{shown(folder)}: a bundle beside other files, expected one bundle alone"
            raise InputError(place, what, "import each bundle by its own path")
