"""WinRS: the shells of WS-Management, their commands, and what goes in and comes out."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from html import unescape
from typing import TYPE_CHECKING, Protocol

from winrm_shell_answers import created, described, received
from winrm_soap import (
    NO_COMMAND,
    NO_FILE,
    NO_SHELL,
    TIMED_OUT,
    TOO_MANY_SHELLS,
    WRONG_PARAMETER,
    Answer,
    RefusedError,
    attribute,
    new_id,
    value,
    values,
)

if TYPE_CHECKING:
    from winrm_soap import Request

# cmd.exe takes no longer line; CreateProcess without it takes 32,767.
LONGEST_LINE = 8191
# Of an answer's envelope, what is not output.
OVERHEAD = 3000
LONGEST_STREAM = 32768
# STATUS_CONTROL_C_EXIT
INTERRUPTED = 0xC000013A
_STREAM = re.compile(r"<(?:[\w.-]+:)?Stream\b([^>]*?)(?:/>|>([^<]*)<)")
_VARIABLE = re.compile(r'<(?:[\w.-]+:)?Variable\b[^>]*?\bName="([^"]*)"[^>]*?(?:/>|>([^<]*)<)')


class Runner(Protocol):
    """What runs command lines."""

    def ready(self, command: Command, *, asked: bool) -> bool:
        """Say whether to start; `asked` is whether somebody waits for output."""

    def run(self, command: Command) -> None:
        """Start it; called once. It may last, or go on in a thread of its own."""

    def kill(self, command: Command) -> None:
        """End it now; called also for what has ended."""


@dataclass
class Shell:
    """An open shell: `codepage` is the console's, `profile` whether the user's is loaded."""

    id: str
    owner: str
    codepage: int
    profile: bool
    folder: str | None
    environment: dict[str, str]
    commands: dict[str, Command] = field(default_factory=dict)


class Command:
    """
    One command of a shell.

    Args:
        shell: Whose it is.
        id: Its own.
        line: Executable and arguments as one line.
        skip_cmd: Whether it runs without cmd.exe.
    """

    def __init__(self, shell: Shell, id: str, line: str, *, skip_cmd: bool) -> None:  # noqa: A002
        self.shell, self.id, self.line, self.skip_cmd = shell, id, line, skip_cmd
        self.stdin = bytearray()
        self.stdin_ended = self.fed = self.started = self.told = False
        self.code: int | None = None
        self.last: tuple[str, Answer] | None = None
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._changed = threading.Condition()

    def write(self, stream: str, data: bytes) -> None:
        """Take output: stream is `stdout` or `stderr`."""
        if data:
            with self._changed:
                self._waiting.append((stream, data))
                self._changed.notify_all()

    def end(self, code: int) -> None:
        """Take the exit code; nothing comes after it."""
        with self._changed:
            if self.code is None:
                self.code = code
            self._changed.notify_all()

    def take(self, limit: int, timeout_s: float) -> tuple[list[tuple[str, bytes]], int | None]:
        """
        Wait for output and take it, at most `limit` bytes; the exit code with the last of it.

        Raises:
            RefusedError: Nothing came in time.
        """
        until = time.monotonic() + timeout_s
        with self._changed:
            while not self._waiting and self.code is None:
                left = until - time.monotonic()
                if left <= 0:
                    raise RefusedError(TIMED_OUT)
                self._changed.wait(left)
            taken: list[tuple[str, bytes]] = []
            while self._waiting and limit > 0:
                stream, data = self._waiting.popleft()
                size = min(limit, LONGEST_STREAM)
                if len(data) > size:
                    self._waiting.appendleft((stream, data[size:]))
                taken.append((stream, data[:size]))
                limit -= len(taken[-1][1])
            return taken, None if self._waiting else self.code


class WinRsShells:
    """
    The resource `.../windows/shell/cmd`.

    Args:
        runner: Runs the command lines.
        max_shells: Of one user at once; Windows' default is 30.
    """

    def __init__(self, runner: Runner, max_shells: int = 30) -> None:
        self._runner, self._max_shells = runner, max_shells
        self.shells: dict[str, Shell] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """Do one operation."""
        if request.verb == "Create":
            return self._create(request)
        shell = self.shells.get(request.shell_id or "")
        if shell is None:
            raise RefusedError(NO_SHELL)
        does = getattr(self, f"_{request.verb.lower()}", None)
        if does is None:
            raise RefusedError(WRONG_PARAMETER)
        return does(request, shell)

    def close(self) -> None:
        """End what still runs."""
        for shell in list(self.shells.values()):
            self._end(shell)

    # ---- shells

    def _create(self, request: Request) -> Answer:
        body = request.body
        shell = Shell(
            (attribute(body, "ShellId") or new_id()).upper(),
            request.user,
            int(request.options.get("WINRS_CODEPAGE") or 437),
            request.options.get("WINRS_NOPROFILE", "").upper() != "TRUE",
            value(body, "WorkingDirectory"),
            {unescape(name): unescape(text) for name, text in _VARIABLE.findall(body)},
        )
        with self._lock:
            mine = [one for one in self.shells.values() if one.owner == request.user]
            if len(mine) >= self._max_shells:
                text = TOO_MANY_SHELLS.text.replace("30", str(self._max_shells))
                raise RefusedError(replace(TOO_MANY_SHELLS, text=text))
            self.shells[shell.id] = shell
        return Answer(created(request, shell))

    def _delete(self, request: Request, shell: Shell) -> Answer:  # noqa: ARG002
        with self._lock:
            self.shells.pop(shell.id, None)
        self._end(shell)
        return Answer("")

    def _get(self, request: Request, shell: Shell) -> Answer:
        return Answer(described(request, shell))

    def _end(self, shell: Shell) -> None:
        for command in list(shell.commands.values()):
            self._runner.kill(command)
            command.end(INTERRUPTED)

    # ---- commands

    def _command(self, request: Request, shell: Shell) -> Answer:
        skip = request.options.get("WINRS_SKIP_CMD_SHELL", "").upper() == "TRUE"
        executable = value(request.body, "Command") or ""
        if skip and not re.search(r"[\\/]", executable):
            raise RefusedError(NO_FILE)
        line = " ".join([executable, *values(request.body, "Arguments")])
        given = re.search(r'CommandLine\b[^>]*\bCommandId="([^"]+)"', request.body)
        command = Command(shell, given[1] if given else new_id(), line, skip_cmd=skip)
        shell.commands[command.id] = command
        if not skip and len(line) > LONGEST_LINE:
            command.started = True
            command.write("stderr", b"The command line is too long.\r\n")
            command.end(1)
        self._poke(command, asked=False)
        return Answer(
            f"<rsp:CommandResponse><rsp:CommandId>{command.id}</rsp:CommandId>"
            "</rsp:CommandResponse>"
        )

    def _send(self, request: Request, shell: Shell) -> Answer:
        for head, text in _STREAM.findall(request.body):
            command = self._find(shell, attribute(head, "CommandId"))
            command.fed = True
            command.stdin += base64.b64decode(text)
            if (attribute(head, "End") or "").lower() == "true":
                command.stdin_ended = True
            self._poke(command, asked=False)
        return Answer("<rsp:SendResponse/>")

    def _receive(self, request: Request, shell: Shell) -> Answer:
        command = self._find(shell, attribute(request.body, "CommandId"))
        if command.last and command.last[0] == request.message_id:
            return command.last[1]
        if command.told:
            raise RefusedError(NO_COMMAND)
        self._poke(command, asked=True)
        limit = (min(request.max_envelope, 512_000) - OVERHEAD) // 4 * 3
        # A stream's element costs about 130 bytes of the envelope.
        taken, code = command.take(
            limit - limit // LONGEST_STREAM * 130, request.operation_timeout_s
        )
        answer = Answer(received(command.id, taken, code))
        command.last, command.told = (request.message_id, answer), code is not None
        return answer

    def _signal(self, request: Request, shell: Shell) -> Answer:
        command = self._find(shell, attribute(request.body, "CommandId"))
        code = (value(request.body, "Code") or "").rpartition("/")[2]
        self._runner.kill(command)
        command.end(INTERRUPTED)
        if code == "terminate":
            shell.commands.pop(command.id, None)
        return Answer("<rsp:SignalResponse/>")

    def _find(self, shell: Shell, command_id: str | None) -> Command:
        if command_id is None:
            raise RefusedError(WRONG_PARAMETER)
        command = shell.commands.get(command_id)
        if command is None:
            raise RefusedError(NO_COMMAND)
        return command

    def _poke(self, command: Command, *, asked: bool) -> None:
        with self._lock:
            if command.started or not self._runner.ready(command, asked=asked):
                return
            command.started = True
        self._runner.run(command)
