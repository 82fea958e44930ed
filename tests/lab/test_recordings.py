"""What Windows once answered: pywinrm understands it, and the lab's server answers alike."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import requests
from recordings import Played, output, read, shape
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError
from winrm_clients import ACCOUNTS, PASSWORD, USER, pywinrm, run
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrm_soap import value
from winrs import Canned

FOLDER = Path(__file__).resolve().parents[3] / "shared/data/winrs-recordings"
FILES = sorted(FOLDER.glob("*.yml"))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FILES, reason="no recordings of Windows at ../shared/data"),
]
# pywinrm's own way is open, command, send, receive until done, signal, delete.
PLAIN = {
    "environment": None,
    "extra_opts": (b"C:\\Windows\r\n", b"", 0),
    "noprofile": None,
    "operation_timeout": (b"hi\nhi again\n", b"", 0),
    "standard": (b"hi\r\n", b"", 0),
    "stderr_rc": (b"out \r\n", b"err \r\n", 1),
    "unicode": ("\u3053\u3093\u306b\u3061\u306f\n".encode(), b"", 0),
}


@pytest.fixture
def played():
    """Play a recording; afterwards all of it must have been asked for, in order."""
    servers = []

    def play(name):
        resource = Played(read(FOLDER / f"test_winrs_{name}.yml"))
        server = WinRmServer(ACCOUNTS)
        server.mount("/wsman", resource)
        servers.append((server.__enter__(), resource))
        return server.url

    yield play
    for server, resource in servers:
        server.stop()
        assert (server.failures, resource.left) == ([], [])


@pytest.mark.parametrize("name", PLAIN)
def test_pywinrm_understands_a_command_that_windows_ran(played, name):
    expected = PLAIN[name] or output(read(FOLDER / f"test_winrs_{name}.yml"))
    with pywinrm(played(name)) as protocol:
        assert run(protocol, "cmd.exe") == expected


def test_pywinrm_understands_input_that_windows_took(played):
    with pywinrm(played("send")) as protocol:
        shell = protocol.open_shell()
        command_id = protocol.run_command(shell, "powershell.exe", ["-"])
        protocol.send_command_input(shell, command_id, b'Write-Host "output 1";')
        protocol.send_command_input(shell, command_id, b'Write-Host "output 2";', end=True)
        said = protocol.get_command_output(shell, command_id)
        protocol.cleanup_command(shell, command_id)
        protocol.close_shell(shell)
    assert said == (b"output 1\noutput 2\n", b"", 0)


def test_pywinrm_understands_an_operation_time_out_of_windows(played):
    with pywinrm(played("operation_timeout")) as protocol:
        shell = protocol.open_shell()
        command_id = protocol.run_command(shell, "powershell.exe")
        first = protocol.get_command_output_raw(shell, command_id)
        for _ in range(2):
            with pytest.raises(WinRMOperationTimeoutError):
                protocol.get_command_output_raw(shell, command_id)
        last = protocol.get_command_output_raw(shell, command_id)
        protocol.cleanup_command(shell, command_id)
        protocol.close_shell(shell)
    assert (first, last) == ((b"hi\n", b"", -1, False), (b"hi again\n", b"", 0, True))


@pytest.mark.parametrize(
    ("name", "code"),
    [("bad_cmd_id", 2150858843), ("fail_poll_process", 87), ("no_cmd_shell", 2147942402)],
)
def test_pywinrm_understands_a_fault_of_windows(played, name, code):
    codes = []
    with pywinrm(played(name)) as protocol:
        for one in read(FOLDER / f"test_winrs_{name}.yml"):
            try:
                protocol.send_message(one.request)
            except WSManFaultError as error:
                codes.append(error.wsman_fault_code)
    assert codes == [code]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem.removeprefix("test_winrs_"))
def test_the_server_answers_in_the_shape_that_windows_does(file):
    messages = read(file)
    resource = WinRsShells(Recited(messages))
    with WinRmServer(ACCOUNTS, allow_unencrypted=True) as server, requests.Session() as session:
        server.mount("/wsman", resource)
        session.trust_env = False
        session.auth = (USER.encode(), PASSWORD.encode())
        ids: dict[str, str] = {}
        for one in messages:
            asked = one.request.replace("PT10S", "PT0.4S")
            for theirs, ours in ids.items():
                asked = asked.replace(theirs, ours)
            said = session.post(server.url, asked.encode(), headers={"Content-Type": "soap"})
            said.encoding = "utf-8"
            assert said.status_code == one.status
            assert "\n".join(shape(said.text)) == "\n".join(shape(one.response))
            related = value(said.text, "RelatesTo")
            assert related == value(one.request, "MessageID")
            for name in ("ShellId", "CommandId"):
                theirs, ours = value(one.response, name), value(said.text, name)
                if theirs and ours:
                    ids[theirs] = ours
        assert (server.failures, server.counters.still_open) == ([], set())


class Recited(Canned):
    """Says what the recorded command said; where Windows was waited for, the rest comes late."""

    def __init__(self, messages):
        out, err, code = output(messages)
        super().__init__(lambda *_: (out, err, code))
        self._late = any("w:TimedOut" in one.response for one in messages)
        self._parts = (b"hi\n", out.removeprefix(b"hi\n"), code)

    def run(self, command):
        if not self._late:
            super().run(command)
            return
        first, rest, code = self._parts
        command.write("stdout", first)

        def end():
            command.write("stdout", rest)
            command.end(code)

        timer = threading.Timer(1.0, end)
        timer.daemon = True
        timer.start()
