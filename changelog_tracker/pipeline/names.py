"""How the files of a server are named: `%ExchangeInstallPath%/ClientAccess/owa/web.config`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from changelog_tracker.collect.gathered import Gathered

_BELOW_INSTALL = re.compile(r"^(?P<root>[A-Za-z]:/.*?)/(?:ClientAccess|FrontEnd)/", re.IGNORECASE)
_WINDOWS = re.compile(r"^(?P<root>[A-Za-z]:/Windows)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileNames:
    """
    Gives each file of an import its name on the server.

    Args:
        install_path: Where Exchange is installed, with forward slashes; None where unknown.
        windows: Where Windows is.
    """

    install_path: str | None
    windows: str | None

    @classmethod
    def of(cls, gathered: Gathered) -> FileNames:
        """Find the two folders: bundle.json says, else the files' own paths do."""
        manifest = gathered.manifest
        paths = [on_server(file.path) for file in gathered.files]
        install = manifest.exchange.install_path if manifest else None
        windows = manifest.windows.system_root if manifest else None
        return cls(
            _slashed(install) if install else _most(paths, _BELOW_INSTALL),
            _slashed(windows) if windows else _most(paths, _WINDOWS),
        )

    def shown(self, path: str) -> str:
        """Give the name, as users see it, of a file of the import."""
        return _named(self.install_path, self.windows, on_server(path))

    def named(self, name: str) -> str:
        """Give the name, as users see it, of a file on the server, with forward slashes."""
        return _named(self.install_path, self.windows, name)


# The same files lie on every server.
@lru_cache(maxsize=8192)
def _named(install_path: str | None, windows: str | None, name: str) -> str:
    for root, variable in ((install_path, "%ExchangeInstallPath%"), (windows, "%windir%")):
        if root and name.casefold().startswith(f"{root.casefold()}/"):
            return variable + name[len(root) :]
    return name


@lru_cache(maxsize=8192)
def on_server(path: str) -> str:
    """Give a path on the server: `files/C/inetpub/x` is `C:/inetpub/x`."""
    parts = path.split("/")
    for index, part in enumerate(parts[:-1]):
        if len(part) == 1 and part.isalpha():
            return f"{part.upper()}:/" + "/".join(parts[index + 1 :])
    return path


def _most(paths: list[str], pattern: re.Pattern[str]) -> str | None:
    found = Counter(match["root"] for path in paths if (match := pattern.match(path)))
    return found.most_common(1)[0][0] if found else None


def _slashed(path: str) -> str:
    return path.replace("\\", "/").rstrip("/")
