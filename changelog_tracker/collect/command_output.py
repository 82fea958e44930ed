"""What a command prints, bounded in time and size; without a shell and without input."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from contextlib import suppress

_READ_BYTES = 4096


def first_output(line: str, allowed_s: float, most_bytes: int) -> tuple[int, bytes]:
    """
    Run a command line, and give what it printed to standard output.

    Args:
        line: Program and arguments, quoted as for a POSIX shell; on Windows as it takes them.
        allowed_s: After so many seconds it is ended, with all that it started.
        most_bytes: So much is read, and one byte more, which tells that there is more.

    Returns:
        Its exit code and its output.

    Raises:
        ValueError: A quote is not closed.
        OSError: It cannot be run.
        subprocess.TimeoutExpired: It took too long.
    """
    command = line if os.name == "nt" else shlex.split(line)
    process = subprocess.Popen(  # noqa: S603  it is what the user wrote, and no shell reads it
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name != "nt",
    )
    ends = time.monotonic() + allowed_s
    printed = bytearray()
    # A pipe cannot be read with a time limit on Windows.
    reader = threading.Thread(target=_read, args=(process, printed, most_bytes), daemon=True)
    reader.start()
    try:
        reader.join(max(0.0, allowed_s))
        if reader.is_alive():
            raise subprocess.TimeoutExpired(process.args, allowed_s)
        if len(printed) > most_bytes:
            return 0, bytes(printed)
        return process.wait(max(0.1, ends - time.monotonic())), bytes(printed)
    finally:
        _end(process, reader)


def _read(process: subprocess.Popen[bytes], printed: bytearray, most_bytes: int) -> None:
    if process.stdout is None:
        return
    with suppress(OSError, ValueError):
        while len(printed) <= most_bytes:
            part = os.read(process.stdout.fileno(), _READ_BYTES)
            if not part:
                return
            printed += part


def _end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    """End it with what it started, where that has not ended by itself."""
    with suppress(OSError):
        if os.name == "nt":
            process.kill()
        elif process.poll() is None or reader.is_alive():
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
    reader.join(1)
    # What still reads it would read from another file, were its number given to one.
    if process.stdout is not None and not reader.is_alive():
        process.stdout.close()
