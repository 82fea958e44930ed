"""A simulated server with collect.ps1 on it, and what its bundle says of Windows."""

from __future__ import annotations

import base64
import json
import zlib

from lab import Lab

from changelog_tracker.collect.script import collector

KINDS = ("Certificate", "FileEntry", "RegistryValue", "Service", "SslBinding")
SOURCES = ("admin-audit-log", "iis-configuration", "iis-history", "msexchange-management")
MARKER = "0123456789abcdef" * 2


class Server:
    """A simulated server with the script on it; `changed` replaces text of the script."""

    def __init__(self, folder, version="2019", changed=()):
        self.lab = Lab(folder, version)
        self.folder, self.runs = folder, 0
        text = collector()
        for old, new in changed:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.script = folder / "collect.ps1"
        self.script.write_bytes(text.encode("ascii"))

    def edit(self, **more):
        self.lab.edit(**more)

    def registry(self, **keys):
        self.edit(registry=self.lab.state["registry"] | keys)

    def bundle(self, *arguments):
        """Run it offline; give the folder of the bundle and the exit code."""
        self.runs += 1
        out = self.folder / f"bundle{self.runs}"
        more = ["-Out", str(out), "-NoZip", *arguments]
        answer = self.lab.run(self.script, *more)
        assert answer.err == "", answer
        return out, answer.code

    def frame(self, *arguments):
        """Run it with a frame; give its entries."""
        answer = self.lab.run(self.script, "-Frame", MARKER, *arguments)
        assert answer.err == "", answer
        begin, end = f"[changelog-frame {MARKER} begin]", f"[changelog-frame {MARKER} end"
        packed = base64.b64decode(answer.out.split(begin)[1].split(end)[0])
        data, held = zlib.decompress(packed, wbits=31), {}
        while data:
            head, _, data = data.partition(b"\n")
            entry = json.loads(head)
            held[entry["path"]], data = data[: entry["size"]], data[entry["size"] :]
        return held


def lines(bundle, kind):
    """Give what a kind's file says: settings, or why not, by name."""
    data = (bundle / "windows" / f"{kind}.jsonl").read_bytes()
    assert data.isascii()
    assert b"\r" not in data
    found = [json.loads(line) for line in data.decode("ascii").split("\n")[:-1]]
    names = [one["name"] for one in found]
    assert names == sorted(names, key=lambda name: (name.lower(), name))
    return {one["name"]: one.get("settings", one.get("unread")) for one in found}


def manifest(bundle):
    return json.loads((bundle / "bundle.json").read_bytes())


def readings(bundle):
    """Give status and reason of each kind of Windows."""
    found = manifest(bundle)["readings"]
    return {one["kind"]: (one["status"], one["reason"]) for one in found if one["kind"] in KINDS}


def source(bundle, name):
    return next(one for one in manifest(bundle)["evidence"] if one["source"] == name)
