"""
Answers as collect.ps1 does, from a bundle in memory and without any engine: for many collections.

It knows of the script's protocol what docs/architecture.md says: arguments in the second line of
standard input, one frame back.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

# Listed by their digest, and sent when they are asked for.
LATER = "files/"


class CannedFrames:
    """
    One server's bundle.

    Args:
        manifest: Its bundle.json.
        files: Its other files by path.
        level: Of compression; made once for the list.
    """

    def __init__(self, manifest: dict[str, Any], files: dict[str, bytes], level: int = 6) -> None:
        self._manifest, self._files, self._level = manifest, files, level
        listed = {path: data for path, data in files.items() if not path.startswith(LATER)}
        self._list = self._packed(listed, manifest)
        self._fetched: dict[bytes, bytes] = {}

    def answer(self, _line: str, stdin: bytes) -> tuple[bytes, bytes, int]:
        """Answer one command, as `winrs.Canned` asks."""
        told = base64.b64decode(stdin.split(b"\r\n", 2)[1]).decode()
        arguments = dict(one.split("=", 1) for one in told.split("\n"))
        packed = self._list
        if arguments["Mode"] == "fetch":
            packed = self._fetch(arguments["Fetch"])
        return framed(arguments["Frame"], packed), b"", 0

    def _fetch(self, wanted: str) -> bytes:
        key = wanted.encode()
        if key not in self._fetched:
            paths = base64.b64decode(wanted).decode().split("\n")
            kept = [one for one in self._manifest["readings"] if one["file"] in set(paths)]
            files = {path: self._files[path] for path in paths}
            self._fetched[key] = self._packed(files, self._manifest | {"readings": kept})
        return self._fetched[key]

    def _packed(self, files: dict[str, bytes], manifest: dict[str, Any]) -> bytes:
        text = json.dumps(manifest).encode()
        parts = [entry(path, data) for path, data in {**files, "bundle.json": text}.items()]
        return gzip.compress(b"".join(parts), self._level, mtime=0)


def entry(path: str, data: bytes) -> bytes:
    head = {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return json.dumps(head).encode("ascii") + b"\n" + data


def framed(marker: str, packed: bytes) -> bytes:
    text = base64.b64encode(packed)
    lines = b"\n".join(text[at : at + 8000] for at in range(0, len(text), 8000))
    end = f"[changelog-frame {marker} end {len(packed)} {hashlib.sha256(packed).hexdigest()}]\n"
    return f"\n[changelog-frame {marker} begin]\n".encode() + lines + b"\n" + end.encode()
