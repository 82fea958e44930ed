"""
Collecting many servers over WinRM, against a bare pywinrm loop that keeps nothing.

The servers are canned and run in a process of their own on loopback; each has the files of a real
one. Both sides sign in by Basic over TLS, and send the same requests in the same run.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import canned_servers as canned
from benchmarks.bare_loop import BareLoop
from benchmarks.measure import Result, faster, in_turns
from changelog_tracker.normalise.secrets import Fingerprints
from changelog_tracker.pipeline.inventory import ServerEntry
from changelog_tracker.pipeline.take import Options, take
from changelog_tracker.store import Store

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "lab"))

from winrm_process import WinRmProcess
from winrm_tls import Authority

PASSWORD = "Xk7-quarz-Laube"
SERVERS, FEW, RUNS = 256, 64, 3
FIRST = 8
# Who signs in so sees edits of its own: else two listings would lie between two of ours.
BARE = "-bare"


class Case(NamedTuple):
    """What is collected: how many servers by how many workers, and how much of them is new."""

    name: str
    servers: int
    workers: int
    edited: bool = False
    full: bool = False


CASES = (
    Case("hash list", SERVERS, 8),
    Case("hash list", SERVERS, 256),
    Case("0.3 MB changed", SERVERS, 8, edited=True),
    Case("0.3 MB changed", SERVERS, 256, edited=True),
    Case("all files", FEW, 8, full=True),
    Case("all files", FEW, 256, full=True),
)


def measure() -> list[Result]:
    """Give the ratio that has a target, and print the others beside it."""
    os.environ["BENCH_PASSWORD"] = PASSWORD
    results = []
    with ExitStack() as life:
        folder = Path(
            life.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()))
        )
        bench = life.enter_context(_Bench(folder))
        started = time.perf_counter()
        bench.take(bench.entries(SERVERS, edited=False), FIRST)
        a_minute = SERVERS / (time.perf_counter() - started) * 60
        print(f"  first snapshots, {FIRST} workers: {a_minute:,.0f} a minute")
        bench.take(bench.entries(SERVERS, edited=True), FIRST)
        for case in CASES:
            results += bench.measure(case)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"  peak memory of the client, with 256 workers: {peak_mb} MB")
    return results


class _Bench:
    """The canned servers, and a store on the disk that the project lies on."""

    def __init__(self, folder: Path) -> None:
        self._authority = Authority(folder / "authority")
        users = [user for edited in (False, True) for user in _users(SERVERS, edited=edited)]
        users += [user + BARE for user in users]
        self._server = WinRmProcess(
            dict.fromkeys(users, PASSWORD),
            "benchmarks.canned_servers:runner",
            folder=Path.cwd(),
            tls=self._authority.server(),
            schemes=("basic",),
            life_s=3600,
        )
        self._store = Store(str(folder / "changelog.db"), folder / "changelog.key")

    def __enter__(self) -> _Bench:
        self._server.__enter__()
        self._store.database.create()
        return self

    def __exit__(self, *error: object) -> None:
        self._store.close()
        self._server.__exit__(*error)

    def entries(self, count: int, *, edited: bool) -> list[ServerEntry]:
        port = urlsplit(self._server.url).port
        return [
            ServerEntry(
                name=user.removesuffix(canned.EDITED),
                host="127.0.0.1",
                port=port,
                auth="basic",
                user=user,
                password="env:BENCH_PASSWORD",
                ca=self._authority.file,
            )
            for user in _users(count, edited=edited)
        ]

    def take(self, entries: list[ServerEntry], workers: int, *, full: bool = False) -> None:
        options = Options(workers=workers, full=full)
        for one in take(self._store, Fingerprints(self._store.key), entries, options):
            if one.error is not None:
                raise one.error

    def measure(self, case: Case) -> list[Result]:
        entries = self.entries(case.servers, edited=case.edited)
        fetched = [canned.HOST, canned.PROXY] if case.edited else []
        if case.full:
            fetched = list(canned.files())
        users = [user + BARE for user in _users(case.servers, edited=case.edited)]
        bare = BareLoop(self._server.url, PASSWORD, self._authority.file, fetched)
        # Warm on both sides, and what one collection costs besides time.
        before, started = self._wire(), time.process_time()
        self.take(entries, case.workers, full=case.full)
        cpu_ms = (time.process_time() - started) / case.servers * 1000
        wire = (self._wire() - before) // case.servers
        times = in_turns(
            lambda: self.take(entries, case.workers, full=case.full),
            lambda: bare.run(users, case.workers),
            RUNS,
        )
        each = [case.servers / ms * 60_000 for ms in times]
        print(
            f"  {case.name}, {case.workers} workers: {each[0]:,.0f} a minute, bare"
            f" {each[1]:,.0f} (ratio {each[0] / each[1]:.2f}); {cpu_ms:.1f} ms CPU,"
            f" {wire:,} bytes on the wire each"
        )
        if (case.name, case.workers) == ("hash list", 8):
            return [faster("take_vs_bare", 0.8, times, "servers in turn, hash list, 8 workers")]
        if (case.name, case.workers) == ("all files", 8):
            raw = sum(map(len, canned.files().values()))
            what = f"{raw:,} bytes of files to {wire:,} on the wire"
            return [Result("wire_vs_raw", raw / wire, 18, False, what)]
        return []

    def _wire(self) -> int:
        numbers = self._server.numbers()
        return int(numbers["bytes_in"] + numbers["bytes_out"])


def _users(count: int, *, edited: bool) -> list[str]:
    """Name servers; those whose files change have names of their own."""
    first = SERVERS if edited else 0
    end = canned.EDITED if edited else ""
    return [f"EX{n:04}{end}" for n in range(first + 1, first + count + 1)]
