"""
Many servers behind one address, for benchmarks: whoever signs in as EX0001 finds EX0001.

Whoever signs in as `EX0001-edited` finds the same server, two of whose files differ each time that
they are listed to that user. Runs in the process of the simulated server.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.tree import REAL

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "lab"))

from canned_frames import entry, framed

if TYPE_CHECKING:
    from winrm_shells import Command

EDITED = "-edited"
HOST = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
_EXCHANGE = "files/C/Program Files/Microsoft/Exchange Server/V15"
PROXY = f"{_EXCHANGE}/ClientAccess/PowerShell-Proxy/web.config"
_EDITS = {HOST: (b'sslFlags="Ssl, Ssl128"', b'sslFlags="Ssl"'), PROXY: (b"15.0.0.0", b"15.0.0.1")}
# They name no server, so that they are any server's; exports of Exchange's own nouns are not.
_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_MADE = threading.Lock()
_EXPORTS = ("GetWebSite", "GetWebApplication", "GetExchangeAppPoolsInformation", "GetWebBinding")


def files(*, edited: bool = False) -> dict[str, bytes]:
    """Give a server's files by their paths in a bundle."""
    found = {
        path.relative_to(REAL).as_posix(): path.read_bytes()
        for path in sorted((REAL / "files").rglob("*"))
        if path.is_file()
    }
    for name in _EXPORTS:
        found[f"files/C/Exports/{name}.xml"] = (REAL / "exchange" / f"{name}.xml").read_bytes()
    for path, (old, new) in _EDITS.items() if edited else ():
        assert old in found[path], path
        found[path] = found[path].replace(old, new, 1)
    return found


def manifest(server: str, held: dict[str, bytes]) -> dict[str, Any]:
    """Write the bundle.json of a server."""
    return {
        "format": 1,
        "server": server,
        "taken_at": "2026-01-01T10:00:00Z",
        "utc_offset_min": 60,
        "time_zone": "W. Europe Standard Time",
        "collector": {"name": "collect.ps1", "version": "1.0"},
        "exchange": {"version": "2019", "build": "15.2.1118.7"},
        "windows": {"build": "10.0.17763", "system_root": "C:\\Windows"},
        "readings": [
            {
                "kind": "IisConfig" if path == HOST else "ConfigFile",
                "file": path,
                "mode": "full",
                "status": "read",
                "reason": None,
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            for path, data in held.items()
        ],
        "evidence": [],
    }


class Frame:
    """
    What every server answers to one question; only its name differs from one to the next.

    Args:
        sent: The files whose bytes are in it.
        listed: The files that its bundle.json lists.
    """

    def __init__(self, sent: dict[str, bytes], listed: dict[str, bytes]) -> None:
        data = b"".join(entry(path, one) for path, one in sent.items())
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._begin = _GZIP + packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
        self._crc, self._size = zlib.crc32(data), len(data)
        self._manifest = json.dumps(manifest("@", listed))
        self.raw_bytes = sum(map(len, sent.values()))

    def of(self, server: str) -> bytes:
        """Give it packed."""
        data = entry("bundle.json", self._manifest.replace('"@"', f'"{server}"', 1).encode())
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        end = packer.compress(data) + packer.flush()
        size = (self._size + len(data)) & 0xFFFFFFFF
        return self._begin + end + struct.pack("<II", zlib.crc32(data, self._crc), size)


class Servers:
    """Runs their command lines, as `winrs.Canned` does, but knows who signed in."""

    def __init__(self) -> None:
        self._files = (files(), files(edited=True))
        self._frames: dict[tuple[str, bool], Frame] = {}
        self._is_edited: dict[str, bool] = {}

    def ready(self, command: Command, *, asked: bool) -> bool:
        """Start once stdin has ended."""
        del asked
        return command.stdin_ended

    def run(self, command: Command) -> None:
        """Answer at once."""
        user, told = command.shell.owner, bytes(command.stdin).split(b"\r\n", 2)[1]
        arguments = dict(one.split("=", 1) for one in base64.b64decode(told).decode().split("\n"))
        if EDITED in user and arguments["Mode"] == "list":
            self._is_edited[user] = not self._is_edited.get(user)
        frame = self._frame(arguments.get("Fetch", ""), edited=self._is_edited.get(user, False))
        packed = frame.of(user.partition("-")[0])
        command.write("stdout", framed(arguments["Frame"], packed))
        command.end(0)

    def kill(self, command: Command) -> None:
        """Nothing runs."""

    def _frame(self, wanted: str, *, edited: bool) -> Frame:
        """Give the answer to a question, made once."""
        with _MADE:
            if (wanted, edited) not in self._frames:
                held, paths = self._files[edited], base64.b64decode(wanted).decode()
                sent = {path: held[path] for path in paths.split("\n") if path}
                self._frames[wanted, edited] = Frame(sent, sent or held)
            return self._frames[wanted, edited]


runner = Servers()
