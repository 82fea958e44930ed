"""What is true of the simulated WinRM server, as pywinrm and pypsrp see it."""

from __future__ import annotations

import base64
import time
import warnings

import pytest
import requests
from pypsrp.exceptions import AuthenticationError
from pypsrp.exceptions import WSManFaultError as PsrpFaultError
from pypsrp.shell import Process, WinRS
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm_clients import ACCOUNTS, PASSWORD, Relay, let_go, pypsrp, pywinrm, run, session
from winrm_process import WinRmProcess
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrm_soap import CMD, SHELL, RefusedError, envelope, read_request
from winrm_tls import Authority
from winrs import Canned

WAYS = ["basic", "ntlm", "credssp"]
MARK = b"a word that nobody else says"


pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("clean"),
]


@pytest.fixture(scope="module")
def clean():
    yield
    let_go()


def echo(line, stdin):
    """Say the command line, and what came on stdin."""
    return line.encode() + b"|" + stdin, b"err", 3


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serve():
    """Start servers; afterwards none of them has failed itself."""
    servers = []

    def start(runner=None, max_shells=30, **more):
        server = WinRmServer(more.pop("passwords", ACCOUNTS), **more)
        server.mount("/wsman", WinRsShells(runner or Canned(echo), max_shells))
        servers.append(server.__enter__())
        return server

    yield start
    for one in servers:
        one.stop()
        assert one.failures == []


def all_closed(server):
    return server.counters.still_open == set() and len(server.counters.opened) > 0


# ---- clients that nobody here wrote


@pytest.mark.parametrize(
    ("way", "secure"),
    [("basic", True), ("ntlm", True), ("ntlm", False), ("credssp", True), ("credssp", False)],
)
def test_pywinrm_runs_a_command(serve, authority, way, secure):
    server = serve(
        tls=authority.server() if secure else None, schemes=("negotiate", "basic", "credssp")
    )
    with pywinrm(server.url, way, authority.file) as protocol:
        said = run(protocol, "tool.exe /a", b"one ", b"two")
    assert said == (b"tool.exe /a|one two", b"err", 3)
    assert all_closed(server)


@pytest.mark.parametrize(
    ("way", "secure"),
    [
        ("basic", True),
        ("ntlm", True),
        ("ntlm", False),
        ("negotiate", True),
        ("negotiate", False),
        ("credssp", False),
    ],
)
def test_pypsrp_runs_a_command(serve, authority, way, secure):
    server = serve(
        tls=authority.server() if secure else None, schemes=("negotiate", "basic", "credssp")
    )
    with pypsrp(server.url, way, authority.file) as wsman, WinRS(wsman, codepage=65001) as shell:
        process = Process(shell, "tool.exe", ["/a", "b"])
        process.begin_invoke()
        process.send(b"one ", end=False)
        process.send(b"two", end=True)
        process.end_invoke()
        process.signal(f"{SHELL}/signal/ctrl_c")
    assert (process.stdout, process.stderr, process.rc) == (b"tool.exe /a b|one two", b"err", 3)
    assert all_closed(server)


@pytest.mark.parametrize("way", ["basic", "ntlm"])
def test_pywinrms_session_runs_cmd_and_powershell(serve, authority, way):
    server = serve(tls=authority.server())
    client = session(server.url, way, authority.file)
    cmd, script = client.run_cmd("ipconfig", ["/all"]), client.run_ps("Get-Date")
    encoded = base64.b64encode("Get-Date".encode("utf-16-le"))
    assert (cmd.std_out, cmd.status_code) == (b"ipconfig /all|", 3)
    assert script.std_out == b"powershell -encodedcommand " + encoded + b"|"
    assert all_closed(server)


def test_a_client_certificate_signs_in(serve, authority):
    server = serve(
        tls=authority.server(), clients=authority.file, schemes=("certificate",), passwords={}
    )
    anna = authority.person("anna@contoso.com")
    more = {"cert_pem": str(anna.certificate), "cert_key_pem": str(anna.key)}
    with pywinrm(server.url, "certificate", authority.file, **more) as protocol:
        shell = protocol.open_shell()
        owners = {one.owner for one in _shells(server).values()}
        protocol.close_shell(shell)
    assert owners == {"anna@contoso.com"}


def test_a_certificate_of_another_authority_does_not(serve, authority, tmp_path):
    server = serve(
        tls=authority.server(), clients=authority.file, schemes=("certificate",), passwords={}
    )
    other = Authority(tmp_path, "Fabrikam Root CA").person("anna@contoso.com")
    more = {"cert_pem": str(other.certificate), "cert_key_pem": str(other.key)}
    with (
        pywinrm(server.url, "certificate", authority.file, **more) as protocol,
        pytest.raises(requests.exceptions.RequestException),
    ):
        protocol.open_shell()


# ---- sign-in and encryption


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_refused(serve, authority, way):
    server = serve(tls=authority.server(), schemes=("negotiate", "basic", "credssp"))
    with (
        pywinrm(server.url, way, authority.file, password="wrong") as protocol,
        pytest.raises(Exception) as refused,  # noqa: PT011
    ):
        protocol.open_shell()
    expected = "NTStatusException" if way == "credssp" else "InvalidCredentialsError"
    assert type(refused.value).__name__ == expected
    with (
        pypsrp(server.url, "negotiate", authority.file, password="wrong") as wsman,
        pytest.raises(AuthenticationError),
    ):
        WinRS(wsman).open()
    assert server.counters.opened == set()


@pytest.mark.parametrize("way", ["ntlm", "credssp"])
def test_over_http_no_word_of_it_can_be_read(serve, way):
    server = serve(Canned(lambda *_: (MARK, b"", 0)), schemes=("negotiate", "credssp"))
    with Relay(server.url) as relay, pywinrm(relay.url, way) as protocol:
        said = run(protocol, "tool", MARK)
    assert said[0] == MARK
    assert b"session-encrypted" in relay.heard
    for hidden in (MARK, base64.b64encode(MARK), b"Envelope", PASSWORD.encode()):
        assert hidden not in relay.heard


def test_over_http_messages_that_are_not_encrypted_are_refused(serve):
    server = serve(schemes=("negotiate", "basic"))
    for way in ("basic", "ntlm"):
        with (
            pywinrm(server.url, way, message_encryption="never") as protocol,
            pytest.raises(WinRMTransportError, match="Code 500"),
        ):
            protocol.open_shell()


def test_strict_channel_bindings_refuse_a_client_without_them(serve, authority):
    server = serve(tls=authority.server(), strict_bindings=True)
    with pywinrm(server.url, "ntlm", authority.file) as protocol:
        assert run(protocol, "tool")[2] == 3
    with (
        pywinrm(server.url, "ntlm", authority.file, send_cbt=False) as protocol,
        pytest.raises(InvalidCredentialsError),
    ):
        protocol.open_shell()


def test_exchanges_boundary_is_read_by_pypsrp_and_not_by_pywinrm():
    with WinRmServer(ACCOUNTS) as server:
        server.mount("/powershell", WinRsShells(Canned(echo)), blank=True)
        url = server.url_of("/powershell")
        with pypsrp(url, "ntlm") as wsman, WinRS(wsman) as shell:
            assert shell.opened
        with pywinrm(url, "ntlm") as protocol, pytest.raises(IndexError):
            protocol.open_shell()


@pytest.mark.parametrize(
    ("names", "expired", "known"),
    [(("127.0.0.1",), True, True), (("other.contoso.com",), False, True), ((), False, False)],
    ids=["expired", "another name", "unknown authority"],
)
def test_a_bad_certificate_is_an_ssl_error(serve, authority, tmp_path, names, expired, known):
    ca = authority.file if known else Authority(tmp_path, "Fabrikam Root CA").file
    server = serve(tls=authority.server(*names, expired=expired))
    with (
        pywinrm(server.url, "basic", ca) as protocol,
        pytest.raises(requests.exceptions.SSLError),
    ):
        protocol.open_shell()


# ---- shells


def test_large_input_and_output_pass_in_pieces_of_an_envelope(serve):
    server = serve()
    sent = bytes(range(256)) * 4096
    pieces = [sent[at : at + 100_000] for at in range(0, len(sent), 100_000)]
    with pywinrm(server.url) as protocol:
        said = run(protocol, "tool", *pieces)
    assert said == (b"tool|" + sent, b"err", 3)
    assert server.counters.verbs["Receive"] > len(sent) * 4 / 3 / 153_600


@pytest.mark.parametrize("size", [8192, 153_600, 512_000])
def test_no_answer_is_larger_than_the_client_takes(size):
    shells = WinRsShells(Canned(lambda *_: (b"x" * 2_000_000, b"e" * 500_000, 0)))
    shell = _soap(shells, "Create", "")
    command = _soap(shells, "Command", "<r:Command>tool</r:Command>", shell)
    body, sizes = f'<r:DesiredStream CommandId="{command}">stdout</r:DesiredStream>', []
    while not sizes or not sizes[-1][1]:
        request = _request("Receive", body, shell, size)
        text = envelope(request, shells.answer(request))
        sizes.append((len(text.encode()), "ExitCode" in text))
    assert max(sizes)[0] <= size
    assert max(sizes)[0] > size - 6000


def test_a_request_above_the_servers_envelope_is_413(serve):
    server = serve()
    with pywinrm(server.url) as protocol:
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        protocol.send_command_input(shell, command, b"x" * 250_000)
        with pytest.raises(WinRMTransportError, match="Code 413"):
            protocol.send_command_input(shell, command, b"x" * 400_000)
    with pywinrm(server.url) as protocol:
        protocol.close_shell(shell)
    assert all_closed(server)


def test_a_receive_without_output_ends_with_the_operation_time_out(serve):
    server = serve(Canned(echo))
    more = {"operation_timeout_sec": 1, "read_timeout_sec": 5}
    with pywinrm(server.url, **more) as protocol:
        shell = protocol.open_shell()
        command = protocol.run_command(shell, "tool")
        protocol.send_command_input(shell, command, b"not the end")
        begun = time.monotonic()
        with pytest.raises(WinRMOperationTimeoutError):
            protocol.get_command_output_raw(shell, command)
        took = time.monotonic() - begun
        protocol.send_command_input(shell, command, b"", end=True)
        assert protocol.get_command_output(shell, command)[0] == b"tool|not the end"
        protocol.close_shell(shell)
    assert 0.9 < took < 2


def test_the_same_receive_again_brings_the_same_data_again():
    shells = WinRsShells(Canned(echo))
    shell = _soap(shells, "Create", "")
    command = _soap(shells, "Command", "<r:Command>tool</r:Command>", shell)
    body = f'<r:DesiredStream CommandId="{command}">stdout</r:DesiredStream>'
    first = _request("Receive", body, shell)
    assert shells.answer(first) == shells.answer(first)
    with pytest.raises(RefusedError) as refused:
        shells.answer(_request("Receive", body, shell))
    assert refused.value.fault.code == 2150858843


def test_a_shell_too_many_is_over_the_quota(serve):
    server = serve(max_shells=2)
    with pywinrm(server.url) as protocol:
        shells = [protocol.open_shell() for _ in range(2)]
        with pytest.raises(WSManFaultError, match="maximum number of 2 concurrent") as refused:
            protocol.open_shell()
        for shell in shells:
            protocol.close_shell(shell, close_session=False)
    assert refused.value.wsman_fault_code == 2150859173
    assert all_closed(server)


def test_what_is_not_there_is_refused_as_windows_does(serve):
    server = serve()
    none = "00000000-0000-0000-0000-000000000000"
    with pywinrm(server.url) as protocol:
        shell = protocol.open_shell()
        for asked in (
            lambda: protocol.run_command(none, "tool"),
            lambda: protocol.get_command_output_raw(shell, none),
            lambda: protocol.cleanup_command(shell, none),
            lambda: protocol.close_shell(none, close_session=False),
        ):
            with pytest.raises(WSManFaultError) as refused:
                asked()
            assert refused.value.wsman_fault_code == 2150858843
        protocol.close_shell(shell)
    with pypsrp(server.url_of("/nowhere")) as wsman, pytest.raises(Exception, match="404"):
        WinRS(wsman).open()


def test_exchanges_resource_is_not_at_wsman():
    with WinRmServer(ACCOUNTS) as server:
        server.mount("/wsman", WinRsShells(Canned(echo)), uri=CMD)
        uri = "http://schemas.microsoft.com/powershell/Microsoft.Exchange"
        with pypsrp(server.url) as wsman, pytest.raises(PsrpFaultError) as refused:
            WinRS(wsman, resource_uri=uri).open()
    assert refused.value.code == 2150858811


def test_cmd_takes_8191_characters_and_no_more(serve):
    server = serve()
    with pywinrm(server.url) as protocol:
        assert run(protocol, "x" * 8191)[2] == 3
        assert run(protocol, "x" * 8192) == (b"", b"The command line is too long.\r\n", 1)


def test_an_executable_without_cmd_needs_its_path(serve):
    server = serve()
    with pywinrm(server.url) as protocol:
        shell = protocol.open_shell()
        with pytest.raises(WSManFaultError) as refused:
            protocol.run_command(shell, "powershell.exe", skip_cmd_shell=True)
        path = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
        command = protocol.run_command(shell, path, ["-x"], skip_cmd_shell=True)
        assert protocol.get_command_output(shell, command)[0] == f"{path} -x|".encode()
        protocol.close_shell(shell)
    assert refused.value.wsman_fault_code == 2147942402


# ---- life


def test_it_stops_by_itself():
    with WinRmServer(ACCOUNTS, life_s=0.3) as server:
        assert server.stopping.wait(5)
        time.sleep(0.1)
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.post(server.url, timeout=5)


def test_it_serves_many_at_once_and_counts_them(serve):
    server = serve(allow_unencrypted=True, max_shells=100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clients = [pywinrm(server.url, "basic") for _ in range(40)]
        protocols = [one.__enter__() for one in clients]
        shells = [protocol.open_shell() for protocol in protocols]
        assert len(server.counters.still_open) == 40
        for protocol, shell in zip(protocols, shells, strict=True):
            protocol.close_shell(shell)
    numbers = server.counters.numbers()
    assert (numbers["connections"], numbers["requests"], numbers["still_open"]) == (40, 80, 0)


def test_it_runs_in_a_process_of_its_own(authority, tmp_path):
    (tmp_path / "my_answers.py").write_text("def one(line, stdin):\n    return stdin * 2, b'', 7\n")
    with (
        WinRmProcess(ACCOUNTS, "my_answers:one", folder=tmp_path, tls=authority.server()) as server,
        pywinrm(server.url, "basic", authority.file) as protocol,
    ):
        assert run(protocol, "tool", b"ab") == (b"abab", b"", 7)
        numbers = server.numbers()
    assert (numbers["opened"], numbers["still_open"], numbers["failures"]) == (1, 0, 0)


def test_it_says_what_it_is_to_who_does_not_sign_in(serve):
    server = serve()
    asked = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
    )
    said = requests.post(
        server.url,
        asked,
        headers={"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml"},
        timeout=5,
    )
    assert "<wsmid:ProductVendor>Microsoft Corporation<" in said.text


def _shells(server):
    return server.mounts["/wsman"][0].resource.shells


def _request(verb, body, shell="", size=153_600):
    action = f"{SHELL}/{verb}"
    return read_request(
        "<s:Envelope><s:Header>"
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:{time.monotonic_ns()}</a:MessageID>"
        f"<w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize><w:ResourceURI>{CMD}</w:ResourceURI>"
        f'<w:Selector Name="ShellId">{shell}</w:Selector></s:Header><s:Body>{body}</s:Body>'
        "</s:Envelope>"
    )


def _soap(shells, verb, body, shell=""):
    """Do one operation without any wire; the id that it gives."""
    answer = shells.answer(_request(verb, body, shell)).body
    name = {"Create": "ShellId", "Command": "CommandId"}[verb]
    return answer.partition(f"<rsp:{name}>")[2].partition("<")[0]
