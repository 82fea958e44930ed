"""Runs the script on this machine, in its own Windows PowerShell."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from changelog_tracker.collect.frame import has_ended
from changelog_tracker.collect.limits import DEFAULT_LIMITS, in_words
from changelog_tracker.collect.winrm_said import said_instead
from changelog_tracker.errors import CollectError, DamagedAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changelog_tracker.collect.deadline import Deadline

_PIECE_BYTES = 64 * 1024
_KEPT_BYTES = 64 * 1024


class Local:
    """
    This machine, as what runs a script.

    Args:
        program: The PowerShell; None for the 64-bit Windows PowerShell.
        most_bytes: How much output is taken.
    """

    place = "this machine"

    def __init__(
        self, program: str | None = None, most_bytes: int = DEFAULT_LIMITS.zip_total_bytes
    ) -> None:
        self._program = program or windows_powershell()
        self._most_bytes = most_bytes

    def run(self, script: str, arguments: Mapping[str, str], deadline: Deadline) -> bytes:
        """
        Run the script, and give what it printed.

        Raises:
            CollectError: It could not be started, did not end in time, or never began its answer.
        """
        deadline.check(self.place)
        if self._program is None:
            what = "has no Windows PowerShell; expected on the Exchange server itself"
            raise CollectError(self.place, what, "take it over the network: --transport winrm")
        with tempfile.TemporaryDirectory(prefix="changelog-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "collect.ps1"
            file.write_bytes(script.encode("ascii"))
            stdout, stderr, code = self._run(self._command(file, arguments), deadline)
        if not has_ended(stdout, arguments["Frame"]):
            raise said_instead(self.place, stdout, stderr, code)
        return stdout

    def _command(self, file: Path, arguments: Mapping[str, str]) -> list[str]:
        bypass = ["-ExecutionPolicy", "Bypass"] if sys.platform == "win32" else []
        command = [str(self._program), "-NoProfile", "-NonInteractive", *bypass, "-File", str(file)]
        for name, value in arguments.items():
            command += [f"-{name}"] if value == "true" else [f"-{name}", value]
        return command

    def _run(self, command: list[str], deadline: Deadline) -> tuple[bytes, bytes, int]:
        try:
            process = subprocess.Popen(  # noqa: S603  the program is ours or Windows' own
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            what = f"{command[0]} cannot be started: {error.strerror}"
            raise CollectError(self.place, what) from error
        key = deadline.watch(lambda: _kill(process))
        try:
            with process:
                out, err = _pipe(process.stdout), _pipe(process.stderr)
                errors = bytearray()
                reader = threading.Thread(target=_keep, args=(err, errors), daemon=True)
                reader.start()
                output = self._bounded(out, process)
                reader.join()
        finally:
            deadline.forget(key)
            _kill(process)
        if deadline.is_over:
            raise deadline.error(self.place)
        return bytes(output), bytes(errors), process.returncode

    def _bounded(self, out: IO[bytes], process: subprocess.Popen[bytes]) -> bytearray:
        output = bytearray()
        while piece := out.read(_PIECE_BYTES):
            output += piece
            if len(output) > self._most_bytes:
                _kill(process)
                what = f"answers with more than {in_words(self._most_bytes)}"
                raise DamagedAnswerError(self.place, what, "run the collector by itself")
        return output


def windows_powershell() -> str | None:
    """Find the 64-bit Windows PowerShell; a 32-bit Python sees it under another name."""
    root = os.environ.get("SystemRoot")  # noqa: SIM112  that is how Windows writes it
    for folder in ("Sysnative", "System32") if root else ():
        file = Path(str(root)) / folder / "WindowsPowerShell/v1.0/powershell.exe"
        if file.is_file():
            return str(file)
    return shutil.which("powershell.exe")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process was started without a pipe")
    return pipe


def _keep(pipe: IO[bytes], kept: bytearray) -> None:
    while piece := pipe.read(_PIECE_BYTES):
        if len(kept) < _KEPT_BYTES:
            kept += piece


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    with suppress(OSError):
        if sys.platform == "win32":
            if process.poll() is None:
                # What it started holds the pipes open too, and would be waited for.
                command = ["taskkill.exe", "/F", "/T", "/PID", str(process.pid)]
                subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        else:
            os.killpg(process.pid, signal.SIGKILL)
