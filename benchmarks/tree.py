"""A copy of a real server's files, the peers that read it, and edits in it."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from changelog_tracker.normalise.secrets import Fingerprints
from changelog_tracker.pipeline.importing import Wish, import_path
from changelog_tracker.store import Store
from changelog_tracker.store.database import journal_mode

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "exchange" / "e19-second"
APPLICATION_HOST = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
SHARED = (
    "files/C/Program Files/Microsoft/Exchange Server/V15/FrontEnd/HttpProxy/SharedWebConfig.config"
)
_QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
_WHO = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]


class Tree:
    """The files, a store that has them, and a git repository made anew for each commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files-of-a-server"
        shutil.copytree(REAL, self.files)
        for path in self.files.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        self._times = (
            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in itertools.count()
        )
        self._numbers = itertools.count()
        self.store = self.new_store()
        self.snapshot()

    def new_store(self) -> Store:
        """Make an empty store, as `git init` makes an empty repository."""
        number = next(self._numbers)
        store = Store(str(self.folder / f"store-{number}" / "changelog.db"), self._key())
        store.database.create()
        store.close()
        return store

    def snapshot(self, store: Store | None = None) -> None:
        """Import the files as they are; each time on a new connection to the store."""
        known = store or self.store
        import_path(known, Fingerprints(known.key), self.files, Wish(at=next(self._times)))

    def floor(self) -> None:
        """Walk, read and hash the same files, then commit one row in a fresh SQLite."""
        for root, _folders, names in os.walk(self.files):
            for name in names:
                with open(os.path.join(root, name), "rb") as file:
                    hashlib.sha256(file.read()).digest()
        file = self.folder / f"floor-{next(self._numbers)}.db"
        connection = sqlite3.connect(file)
        connection.execute(f"PRAGMA journal_mode={journal_mode()}")
        mode = "FULL" if journal_mode() == "WAL" else "EXTRA"
        connection.execute(f"PRAGMA synchronous={mode}")
        connection.execute("CREATE TABLE snapshot (at INTEGER, hash BLOB)")
        connection.execute("INSERT INTO snapshot VALUES (1, zeroblob(32))")
        connection.commit()
        connection.close()

    def git_init(self) -> None:
        """Make an empty repository; not part of any time."""
        shutil.rmtree(self.folder / "git", ignore_errors=True)
        self._git("init", "-q")

    def git_commit(self) -> None:
        """Add and commit the tree."""
        self._git("add", "-A")
        self._git(*_WHO, "commit", "-q", "--allow-empty", "-m", "snapshot")

    def edit(self, path: str, first: str, second: str) -> None:
        """Change one value to and fro."""
        file = self.files / path
        text = file.read_bytes()
        old, new = first.encode(), second.encode()
        if old not in text:
            old, new = new, old
        file.write_bytes(text.replace(old, new, 1))

    def _git(self, *arguments: str) -> None:
        where = ["--git-dir", str(self.folder / "git"), "--work-tree", str(self.files)]
        subprocess.run(
            ["git", *where, *arguments], check=True, env={**os.environ, **_QUIET}, cwd=self.files
        )

    def _key(self) -> Path:
        return self.folder / "changelog.key"
