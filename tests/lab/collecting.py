"""Runs collect.ps1 on the lab's server, and reads what it gives back."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zlib

from lab import Lab

from changelog_tracker.collect.frame import read_frame
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.collect.script import collector

MARKER = "0123456789abcdef" * 2
AT = "2026-09-01T10:00:00Z"
CONFIG = "files/C/Windows/System32/inetsrv/config"
INSTALL = "files/C/Program Files/Microsoft/Exchange Server/V15"
# What the lab's own bundle does not hold.
MORE = {
    *("AdminAuditLogConfig", "ServerComponentState", "SslBinding", "RegistryValue", "Service"),
    *("FileEntry", "Certificate"),
}


class Collected:
    """A simulated server, and what the script made of it in a folder."""

    def __init__(self, folder, version="2019", **more):
        self.folder = folder
        self.lab = Lab(folder, version, **more)
        self.script = folder / "collect.ps1"
        self.script.write_text(collector(), encoding="ascii", newline="")

    def run(self, *arguments):
        return self.lab.run(self.script, *arguments)

    def offline(self, *arguments):
        """Give the bundle.json and what was said, of a run that has to make a bundle."""
        out = self.folder / "bundle"
        shutil.rmtree(out, ignore_errors=True)
        answer = self.run("-Out", str(out), "-NoZip", "-NoManifest", *arguments)
        assert answer.err == "", answer
        return json.loads((out / "bundle.json").read_text("ascii")), answer

    def frame(self, *arguments):
        """Give the exit code and the entries of a frame, checked."""
        answer = self.run("-Frame", MARKER, *arguments)
        assert answer.err == "", answer
        held = entries(answer.out)
        assert held == read_frame(answer.out.encode(), MARKER, "EX01", DEFAULT_LIMITS)
        return answer.code, held


def entries(out):
    """Read a frame as the contract has it."""
    found = re.findall(
        rf"^\[changelog-frame {MARKER} begin\]\r?$(.*?)"
        rf"^\[changelog-frame {MARKER} end (\d+) ([0-9a-f]{{64}})\]\r?$",
        out,
        re.MULTILINE | re.DOTALL,
    )
    assert len(found) == 1, out[-2000:]
    lines, size, digest = found[0]
    assert max(map(len, lines.split())) <= 8000
    packed = b"".join(base64.b64decode(line, validate=True) for line in lines.split())
    assert (len(packed), hashlib.sha256(packed).hexdigest()) == (int(size), digest)
    data, held = zlib.decompress(packed, wbits=31), {}
    while data:
        head, _, data = data.partition(b"\n")
        entry = json.loads(head.decode("ascii"))
        body, data = data[: entry["size"]], data[entry["size"] :]
        assert hashlib.sha256(body).hexdigest() == entry["sha256"]
        assert entry["path"] not in held
        held[entry["path"]] = body
    return held


def readings(manifest, status=None):
    """Give file, or kind where there is none, with the reason."""
    return {
        one["file"] or one["kind"]: one["reason"]
        for one in manifest["readings"]
        if status in (None, one["status"])
    }


def program(store, *arguments):
    command = [sys.executable, "-m", "changelog_tracker", "--store", str(store)]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


def settings(store):
    """Give what is known of the server, but for what tells where it comes from."""
    code, out, _ = program(store, "show", "EX01", "--json")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    return {
        (line["kind"], line["resource"], line["setting"]): line["value"]
        for line in lines
        if "setting" in line and line["kind"] not in MORE
    }
