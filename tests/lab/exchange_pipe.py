"""
One shell of the lab's Exchange endpoint: a PowerShell that speaks PSRP on its pipes.

`pwsh -s` reads and writes lines that hold the same fragments as creationXml, Command, Send and
Receive do on the wire. Each line is acknowledged, and the next one waits for that: the engine
handles lines on threads of their own, and now and then hangs when they come too fast.
"""

from __future__ import annotations

import base64
import re
import subprocess
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from binder import functions
from installation import ENCODING, HERE, PWSH, environment

if TYPE_CHECKING:
    from lab import Lab

POOL = "00000000-0000-0000-0000-000000000000"
MOST_AT_ONCE = 100_000
ACKNOWLEDGED_S = 60.0
_DATA = re.compile(r"<Data Stream='\w+' PSGuid='([0-9a-f-]+)'>([^<]*)</Data>")
_SHORT = re.compile(r"<(\w+Ack) PSGuid='([0-9a-f-]+)' ?/>")


class PipeError(Exception):
    """The PowerShell behind a shell is gone, or does not acknowledge."""


class ExchangePipe:
    """
    One PowerShell, locked down as Exchange's endpoint is.

    Args:
        lab: The server whose cmdlets it has, as they are now.
    """

    def __init__(self, lab: Lab) -> None:
        assert PWSH is not None, "no pwsh on PATH"
        written = lab.folder / "functions.ps1"
        fresh = lab.folder / f"functions.{time.monotonic_ns()}"
        fresh.write_text(functions(lab.version, lab.hidden), **ENCODING)
        fresh.replace(written)
        self._process = subprocess.Popen(
            [PWSH, "-NoProfile", "-s", "-Command", f". '{HERE / 'endpoint.ps1'}'"],
            cwd=lab.folder,
            env=environment(lab.folder, lab.machine, lab.state["environment"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="ascii",
            errors="replace",
        )
        self._news = threading.Condition()
        self._waiting: defaultdict[str, list[bytes]] = defaultdict(list)
        self._acknowledged: set[tuple[str, str]] = set()
        self._running: set[str] = set()
        self._gone = False
        self._writing = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                if data := _DATA.match(line):
                    self._waiting[data[1]].append(base64.b64decode(data[2]))
                elif short := _SHORT.match(line):
                    self._acknowledged.add((short[1], short[2]))
                self._news.notify_all()
        with self._news:
            self._gone = True
            self._news.notify_all()

    def _write(self, line: str, kind: str, of: str) -> None:
        """Write one line and wait until it is acknowledged."""
        assert self._process.stdin is not None
        with self._writing:
            self._acknowledged.discard((kind, of))
            try:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
            except OSError as error:
                raise PipeError(kind) from error
            with self._news:
                self._news.wait_for(
                    lambda: self._gone or (kind, of) in self._acknowledged, ACKNOWLEDGED_S
                )
                if (kind, of) not in self._acknowledged:
                    raise PipeError(kind)

    def data(self, fragments: bytes, of: str = POOL) -> None:
        """Hand over fragments for the pool or for one pipeline."""
        text = base64.b64encode(fragments).decode("ascii")
        self._write(f"<Data Stream='Default' PSGuid='{of}'>{text}</Data>", "DataAck", of)

    def command(self, of: str, fragments: bytes) -> None:
        """Begin a pipeline."""
        self._running.add(of)
        self._write(f"<Command PSGuid='{of}' />", "CommandAck", of)
        self.data(fragments, of)

    def stop(self, of: str) -> None:
        """Stop a pipeline."""
        self._write(f"<Signal PSGuid='{of}' />", "SignalAck", of)

    def end(self, of: str) -> None:
        """Let go of a pipeline that has ended."""
        self._running.discard(of)
        self._write(f"<Close PSGuid='{of}' />", "CloseAck", of)

    def receive(self, of: str, longest_s: float) -> bytes | None:
        """Give what has come for the pool or for one pipeline; None when nothing does in time."""
        with self._news:
            self._news.wait_for(lambda: self._gone or self._waiting[of], longest_s)
            waiting = self._waiting[of]
            if not waiting:
                if self._gone:
                    raise PipeError("Receive")
                return None
            # Fragments stay whole, as clients want them.
            taken = [waiting.pop(0)]
            while waiting and sum(map(len, taken)) + len(waiting[0]) < MOST_AT_ONCE:
                taken.append(waiting.pop(0))
            return b"".join(taken)

    def close(self) -> None:
        """End it; the engine acknowledges that only when no pipeline is left."""
        try:
            for of in list(self._running):
                self.stop(of)
                self.end(of)
            self.end(POOL)
        except PipeError:
            pass
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            for one in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if one is not None:
                        one.close()
