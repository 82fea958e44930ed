"""What goes wrong on purpose looks to pywinrm and pypsrp as it was measured to look."""

from __future__ import annotations

import contextlib
import time
from xml.etree.ElementTree import ParseError

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMError
from pypsrp.exceptions import WinRMTransportError as PsrpTransportError
from pypsrp.exceptions import WSManFaultError as PsrpFaultError
from pypsrp.shell import Process, WinRS
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm_clients import ACCOUNTS, let_go, pypsrp, pywinrm, run
from winrm_faults import KINDS, Faults, Trouble
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrs import Canned

OUTPUT = b"0123456789" * 20_000
LOST = requests.exceptions.ConnectionError
SHORT = {"operation_timeout_sec": 1, "read_timeout_sec": 2}
# At the first Receive: what pywinrm raises by Basic and by NTLM, and pypsrp.
LOOKS = {
    "reset": (LOST, LOST, LOST),
    "reset-after": (LOST, LOST, LOST),
    "close": (LOST, LOST, LOST),
    "close-after": (LOST, LOST, LOST),
    "401": (InvalidCredentialsError, WinRMTransportError, None),
    "500": (WinRMTransportError, WinRMTransportError, PsrpTransportError),
    "503": (WinRMTransportError, WinRMTransportError, PsrpTransportError),
    "500-page": (WinRMTransportError, WinRMTransportError, PsrpFaultError),
    "half": (requests.exceptions.ChunkedEncodingError,) * 3,
    "html-200": (ParseError, ParseError, ParseError),
    "html-502": (UnicodeDecodeError, UnicodeDecodeError, None),
    "not-xml": (ParseError, IndexError, IndexError),
    "relates-to": (None, None, WinRMError),
    "quota": (WSManFaultError, WSManFaultError, PsrpFaultError),
    "too-many-operations": (WSManFaultError, WSManFaultError, PsrpFaultError),
    "access-denied": (WSManFaultError, WSManFaultError, PsrpFaultError),
    "shell-gone": (WSManFaultError, WSManFaultError, PsrpFaultError),
}
CODES = {
    "quota": 2150859173,
    "too-many-operations": 2150859174,
    "access-denied": 5,
    "shell-gone": 2150858843,
}


pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("clean"),
]


@pytest.fixture(scope="module")
def clean():
    yield
    let_go()


@pytest.fixture
def serve():
    """Start servers that do wrong; none of them fails otherwise."""
    servers = []

    def start(*troubles, faults=None, **more):
        server = WinRmServer(
            ACCOUNTS, allow_unencrypted=True, faults=faults or Faults(*troubles, **more)
        )
        server.mount("/wsman", WinRsShells(Canned(lambda *_: (OUTPUT, b"", 0))))
        servers.append(server.__enter__())
        return server

    yield start
    for one in servers:
        one.stop()
        assert one.failures == []


def close_rest(server, way="ntlm"):
    """Close by a fresh client what is left, as a careful collector does."""
    server.faults.troubles.clear()
    for shell in server.counters.still_open:
        with pywinrm(server.url, way) as protocol:
            protocol.close_shell(shell)
    assert server.counters.still_open == set()


@pytest.mark.parametrize("kind", LOOKS)
@pytest.mark.parametrize("way", ["basic", "ntlm"])
def test_pywinrm_sees_it_at_a_receive(serve, kind, way):
    server = serve(Trouble(kind))
    expected = LOOKS[kind][way == "ntlm"]
    with pywinrm(server.url, way, **SHORT) as protocol:
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        if expected is None:
            assert protocol.get_command_output(shell, command)[2] == 0
        else:
            with pytest.raises(expected) as failed:
                protocol.get_command_output_raw(shell, command)
            code = getattr(failed.value, "wsman_fault_code", None)
            assert code == CODES.get(kind)
    assert server.faults.fired == [(kind, "Receive")]
    close_rest(server, way)


@pytest.mark.parametrize("kind", [one for one in LOOKS if LOOKS[one][2]])
def test_pypsrp_sees_it_at_a_receive(serve, kind):
    server = serve(Trouble(kind))
    with pypsrp(server.url, "ntlm", reconnection_backoff=0.1) as wsman:
        shell = WinRS(wsman)
        shell.open()
        with pytest.raises(LOOKS[kind][2]) as failed:
            Process(shell, "tool").invoke()
        if kind in CODES:
            assert failed.value.code == CODES[kind]
    close_rest(server)


@pytest.mark.parametrize(
    ("way", "error"), [("basic", InvalidCredentialsError), ("ntlm", PermissionError)]
)
def test_401_for_ever_is_a_builtin_error_by_ntlm(serve, way, error):
    server = serve(Trouble("401", "sign-in", times=None))
    with pywinrm(server.url, way) as protocol, pytest.raises(error):
        protocol.open_shell()
    with pypsrp(server.url, "ntlm") as wsman, pytest.raises(AuthenticationError):
        WinRS(wsman).open()
    assert server.counters.opened == set()


def test_silence_at_a_receive_ends_with_the_read_time_out(serve):
    server = serve(Trouble("silence"))
    with pywinrm(server.url, **SHORT) as protocol:
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        with pytest.raises(requests.exceptions.ReadTimeout):
            protocol.get_command_output(shell, command)
    close_rest(server)


def test_a_slow_drip_has_no_total_limit(serve):
    server = serve(Trouble("drip", "Command"), drip_s=0.002)
    with pywinrm(server.url, **SHORT) as protocol:
        shell = protocol.open_shell()
        begun = time.monotonic()
        protocol.run_command(shell, "tool")
        took = time.monotonic() - begun
        protocol.close_shell(shell)
    assert took > SHORT["read_timeout_sec"]


def test_operation_time_outs_come_as_often_as_asked(serve):
    server = serve(Trouble("operation-timeout", times=None))
    with pywinrm(server.url, **SHORT) as protocol:
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        for _ in range(2):
            with pytest.raises(WinRMOperationTimeoutError):
                protocol.get_command_output_raw(shell, command)
        protocol.close_shell(shell)
    assert server.faults.fired == [("operation-timeout", "Receive")] * 2


@pytest.mark.parametrize("kind", ["cut", "changed", "doubled"])
def test_damaged_output_ends_with_exit_code_0(serve, kind):
    server = serve(Trouble(kind), seed=5)
    with pywinrm(server.url) as protocol:
        out, _, code = run(protocol, "tool")
    longer = {"cut": -1, "changed": 0, "doubled": 1}[kind]
    assert code == 0
    assert out != OUTPUT
    assert (len(out) > len(OUTPUT)) - (len(out) < len(OUTPUT)) == longer


def test_a_well_formed_page_instead_of_an_answer_is_no_error_of_pywinrms_own(serve):
    server = serve(Trouble("xhtml-200", "Create"), Trouble("xhtml-200", "Receive"))
    with pywinrm(server.url, "basic") as protocol:
        with pytest.raises(StopIteration):
            protocol.open_shell()
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        assert protocol.get_command_output_raw(shell, command) == (b"", b"", -1, False)
        protocol.close_shell(shell)


def test_a_connection_can_break_before_anything_is_said(serve):
    server = serve(Trouble("reset", "connect"))
    with pywinrm(server.url, "basic") as protocol:
        with pytest.raises(LOST):
            protocol.open_shell()
        protocol.close_shell(protocol.open_shell())


def test_a_shell_whose_answer_was_lost_is_counted_as_unheard(serve):
    server = serve(Trouble("reset-after", "Create"))
    with pywinrm(server.url, "basic") as protocol, pytest.raises(LOST):
        protocol.open_shell()
    assert server.counters.unheard == server.counters.still_open
    assert len(server.counters.unheard) == 1


def test_a_trouble_comes_at_its_time_and_so_often(serve):
    server = serve(Trouble("500", "Create", nth=2, times=2))
    seen = []
    with pywinrm(server.url, "basic") as protocol:
        for _ in range(5):
            try:
                protocol.close_shell(protocol.open_shell(), close_session=False)
                seen.append("ok")
            except WinRMTransportError:
                seen.append("500")
    assert seen == ["ok", "500", "500", "ok", "ok"]


def test_a_seed_gives_the_same_trouble_again_and_all_kinds_come():
    found = [Faults.seeded(seed).troubles for seed in range(400)]
    assert found == [Faults.seeded(seed).troubles for seed in range(400)]
    assert {one.kind for (one,) in found} == set(KINDS)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_goes_wrong_the_server_itself_does_not(serve, seed):
    way = ("basic", "ntlm")[seed % 2]
    faults = Faults.seeded(seed, drip_s=0.0005, silence_s=3)
    server = serve(faults=faults)
    with contextlib.suppress(Exception), pywinrm(server.url, way, **SHORT) as protocol:
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        for _ in range(5):
            with contextlib.suppress(WinRMOperationTimeoutError):
                if protocol.get_command_output_raw(shell, command)[3]:
                    break
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)
    close_rest(server, way)
