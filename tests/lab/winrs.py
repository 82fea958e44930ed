"""Runs the command lines that arrive in a WinRS shell: canned, or in the engine with the lab."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import signal
import subprocess
import threading
import uuid
from typing import TYPE_CHECKING

from binder import functions
from installation import ENCODING, HERE, PWSH, environment
from winrs_line import BadCommandLineError, CommandLine, powershell, quoted, reads_stdin, words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab import Lab
    from winrm_shells import Command

LONGEST_RUN_S = 180
CLIXML = "#< CLIXML\r\n"
_OBJS = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
# What Windows PowerShell writes when it is started for the first time with redirected output.
_PROGRESS = (
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T>'
    "<T>System.Object</T></TN><MS>"
    '<I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV><AI>0</AI>'
    "<Nil /><PI>-1</PI><PC>-1</PC><T>Completed</T><SR>-1</SR><SD> </SD></PR></MS></Obj>"
)


class Canned:
    """
    Answers without any engine.

    Args:
        answer: Of the command line and all of stdin: stdout, stderr, exit code.
    """

    def __init__(self, answer: Callable[[str, bytes], tuple[bytes, bytes, int]]) -> None:
        self._answer = answer

    def ready(self, command: Command, *, asked: bool) -> bool:
        """Start once stdin has ended, or where nobody ever sent any."""
        return command.stdin_ended or (asked and not command.fed)

    def run(self, command: Command) -> None:
        """Answer at once."""
        out, err, code = self._answer(command.line, bytes(command.stdin))
        command.write("stdout", out)
        command.write("stderr", err)
        command.end(code)

    def kill(self, command: Command) -> None:
        """Nothing runs."""


class LabCommands:
    """
    Runs command lines in the real engine, with the lab's functions and its C: drive.

    Args:
        lab: The server.
        clixml: Errors leave as Windows PowerShell writes them to a pipe; False: as plain text.
        before, after: What else is on stdout around the output: banners, a profile's greetings.
        prelude: Script text that runs first, as `$ExecutionContext.SessionState.LanguageMode =
            'ConstrainedLanguage'`.
        pumps_input: As PowerShell 2.0 is said to, wait for the end of stdin whatever is run.
        edit: Changes the text that is run, as to take away a variable that PowerShell 1.0 lacks.
    """

    def __init__(
        self,
        lab: Lab,
        *,
        clixml: bool = True,
        before: bytes = b"",
        after: bytes = b"",
        prelude: str = "",
        pumps_input: bool = False,
        edit: Callable[[str], str] = str,
    ) -> None:
        self._lab, self._clixml, self._before, self._after = lab, clixml, before, after
        self._prelude, self._pumps, self._edit = prelude, pumps_input, edit
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._killed: set[str] = set()
        self._lock = threading.Lock()

    def ready(self, command: Command, *, asked: bool) -> bool:  # noqa: ARG002
        """Start at once, but for what reads stdin: that waits for its end."""
        if command.stdin_ended:
            return True
        return not (self._pumps or reads_stdin(command.line))

    def run(self, command: Command) -> None:
        """Start in a thread of its own."""
        threading.Thread(target=self._run, args=(command,), daemon=True).start()

    def kill(self, command: Command) -> None:
        """End the engine and what it started."""
        with self._lock:
            self._killed.add(command.id)
            process = self._running.get(command.id)
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    # ---- one run

    def _run(self, command: Command) -> None:
        try:
            self._run_line(command)
        finally:
            # Whatever happened, nobody waits for ever.
            command.end(1)
            with self._lock:
                self._running.pop(command.id, None)

    def _run_line(self, command: Command) -> None:
        try:
            arguments = words(command.line)
            name = re.split(r"[\\/]", arguments[0])[-1].lower() if arguments else ""
            if name.removesuffix(".exe") != "powershell":
                self._builtin(command, arguments)
                return
            line = powershell(arguments[1:])
        except BadCommandLineError as error:
            command.write("stderr", f"{error}\r\n".encode("ascii"))
            command.end(1)
            return
        command.write("stdout", self._before)
        self._engine(command, line)

    def _builtin(self, command: Command, arguments: list[str]) -> None:
        name, rest = (arguments or [""])[0].lower(), " ".join(arguments[1:])
        said = {"echo": rest, "hostname": self._lab.machine.server, "exit": ""}.get(name)
        if said is None:
            text = (
                f"'{name}' is not recognized as an internal or external command,\r\n"
                "operable program or batch file.\r\n"
            )
            command.write("stderr", text.encode("ascii", "replace"))
            command.end(1)
            return
        command.write("stdout", _console(f"{said}\r\n" if said else "", command.shell.codepage))
        command.end(int(rest or 0) if name == "exit" else 0)

    def _engine(self, command: Command, line: CommandLine) -> None:
        run = self._lab.folder / f"winrs-{uuid.uuid4().hex}"
        run.mkdir()
        self._write(run, command, line)
        assert PWSH is not None, "no pwsh on PATH"
        process = subprocess.Popen(
            [PWSH, "-NoProfile", "-NonInteractive", "-File", str(run / "run.ps1")],
            cwd=run,
            env=self._environment(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with self._lock:
            self._running[command.id] = process
            killed = command.id in self._killed
        late = threading.Timer(LONGEST_RUN_S, self.kill, (command,))
        late.daemon = True
        late.start()
        if killed:
            self.kill(command)
        assert process.stdout is not None
        assert process.stderr is not None
        errors: list[bytes] = []
        reading = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        reading.start()
        console = Console(command.shell.codepage)
        while piece := process.stdout.read1(LONGEST_PIECE):
            command.write("stdout", console.take(piece))
        reading.join()
        code = process.wait()
        late.cancel()
        process.stdout.close()
        process.stderr.close()
        shutil.rmtree(run)
        command.write("stdout", self._after)
        command.write("stderr", self._said(errors[0], command, line))
        command.end(code if code >= 0 else 1)

    def _write(self, run: Path, command: Command, line: CommandLine) -> None:
        """Write the files of one run: what is run, its input, and what brings the lab."""
        lab = self._lab
        made = run / "functions.ps1"
        made.write_text(functions(lab.version, lab.hidden), **ENCODING)
        made.replace(lab.folder / "functions.ps1")
        stdin = bytes(command.stdin).decode(_codec(command.shell.codepage), "replace")
        text = self._edit(stdin if line.from_stdin else line.text)
        (run / "text.ps1").write_text(f"{text}\n$global:LabOk = $?\n", **ENCODING)
        (run / "input.txt").write_text("" if line.from_stdin else stdin, **ENCODING)
        # A file takes the session's language mode; a block that exists keeps that of its maker.
        block = "[scriptblock]::Create([IO.File]::ReadAllText($LabText))"
        (run / "run.ps1").write_text(
            f". {quoted(str(HERE / 'start.ps1'))}\n"
            f"$LabText = {quoted(str(run / 'text.ps1'))}\n"
            f"$LabInput = [IO.File]::ReadAllLines({quoted(str(run / 'input.txt'))})\n"
            f"$LabRun = {'$LabText' if self._prelude else block}\n"
            "$global:LASTEXITCODE, $global:LabOk = $null, $false\n"
            f"{self._prelude}\n"
            "$LabInput | & $LabRun\n"
            "if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }\n"
            "exit [int](-not $LabOk)\n",
            **ENCODING,
        )

    def _environment(self, command: Command) -> dict[str, str]:
        lab = self._lab
        own = lab.state["environment"] | command.shell.environment
        return environment(lab.folder, lab.machine, own)

    def _said(self, errors: bytes, command: Command, line: CommandLine) -> bytes:
        text = errors.decode("utf-8", "replace")
        if not (self._clixml and line.encoded and not line.text_output):
            return _console(
                text.replace("\r\n", "\n").replace("\n", "\r\n"), command.shell.codepage
            )
        return clixml(text).encode("ascii", "xmlcharrefreplace")


LONGEST_PIECE = 65536


def clixml(errors: str) -> str:
    """Write error lines as Windows PowerShell does to a pipe, after its progress record."""
    lines = errors.replace("\r\n", "\n").splitlines()
    shown = "".join(f'<S S="Error">{_escaped(one)}_x000D__x000A_</S>' for one in lines)
    return f"{CLIXML}{_OBJS}{_PROGRESS}{shown}</Objs>"


def _escaped(text: str) -> str:
    text = re.sub(r"[\x00-\x1f]", lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _codec(codepage: int) -> str:
    return "utf-8" if codepage == 65001 else f"cp{codepage}"


def _console(text: str, codepage: int) -> bytes:
    return text.encode(_codec(codepage), "replace")


class Console:
    """Gives output as the console's code page has it, line ends as Windows has them."""

    def __init__(self, codepage: int) -> None:
        self._codec = _codec(codepage)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._last = b""

    def take(self, piece: bytes) -> bytes:
        """Take what the engine wrote, in pieces of any length."""
        if self._codec != "utf-8":
            piece = self._decode.decode(piece).encode(self._codec, "replace")
        before = len(self._last)
        made = re.sub(rb"(?<!\r)\n", b"\r\n", self._last + piece)[before:]
        self._last = piece[-1:] if piece[-1:] == b"\r" else b""
        return made
