"""What arrives in a WinRS shell runs in the real engine on the lab's server, as on Windows."""

from __future__ import annotations

import base64
import time

import pytest
import winrm
from installation import PWSH
from lab import Lab
from winrm_clients import ACCOUNTS, pywinrm, run, session
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrs import Console, LabCommands
from winrs_line import BadCommandLineError, CommandLine, powershell, reads_stdin, words

needs_pwsh = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run command lines in the lab with"),
]


def encoded(text):
    return base64.b64encode(text.encode("utf-16-le")).decode()


def call(text):
    return f"powershell.exe -NoProfile -NonInteractive -EncodedCommand {encoded(text)}"


# ---- the command line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a b  c", ["a", "b", "c"]),
        (r'"C:\Program Files\x.exe" -a', [r"C:\Program Files\x.exe", "-a"]),
        (r"C:\a\ b", ["C:\\a\\", "b"]),
        (r'"a\"b" "c\\" d', ['a"b', "c\\", "d"]),
        ('""', [""]),
        ("", []),
    ],
)
def test_a_line_is_split_as_windows_programs_do(line, expected):
    assert words(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"-NoP -enc {encoded('Get-Date')}", CommandLine("Get-Date", encoded=True)),
        (
            f"-NonI -Ex Bypass -OutputFormat Text -e {encoded('1')}",
            CommandLine("1", encoded=True, text_output=True),
        ),
        ("Write-Host hi", CommandLine("Write-Host hi")),
        ("-Command Get-Date -Format s", CommandLine("Get-Date -Format s")),
        ("-", CommandLine("", from_stdin=True)),
        (
            "-File C:\\x.ps1 -Out 'a b'",
            CommandLine("& 'C:\\x.ps1' -Out '''a' 'b'''", text_output=True),
        ),
    ],
)
def test_arguments_are_read_as_powershell_does(line, expected):
    assert powershell(words(line)) == expected


@pytest.mark.parametrize("line", ["-NoSuch", "-EncodedCommand", "-EncodedCommand ###"])
def test_arguments_that_powershell_refuses_are_refused(line):
    with pytest.raises(BadCommandLineError):
        powershell(words(line))


def test_only_what_names_the_input_reads_it():
    assert reads_stdin(call("@($Input).Count"))
    assert reads_stdin("powershell -Command -")
    assert not reads_stdin(call("Get-Date"))
    assert not reads_stdin("ipconfig /all")


def test_output_is_in_the_code_page_whatever_its_pieces():
    text = "\u00e4\r\nb\nc\n".encode()
    for codepage, expected in ((65001, text.replace(b"b\n", b"b\r\n")), (1252, b"\xe4\r\nb\r\nc")):
        console = Console(codepage)
        said = b"".join(console.take(text[at : at + 1]) for at in range(len(text)))
        assert said.startswith(expected.rstrip())
        assert said.count(b"\r\n") == 3


# ---- the engine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("winrs"))


@pytest.fixture
def serve(lab):
    """Serve the lab's server; afterwards every shell is closed and nothing runs."""
    servers = []

    def start(**more):
        server = WinRmServer(ACCOUNTS)
        server.mount("/wsman", WinRsShells(LabCommands(lab, **more)))
        servers.append(server.__enter__())
        return server

    yield start
    for one in servers:
        one.stop()
        assert (one.failures, one.counters.still_open) == ([], set())


class TestEngine:
    pytestmark = needs_pwsh

    def test_a_script_sees_the_labs_server(self, serve):
        text = (
            "$env:COMPUTERNAME; $PSVersionTable.PSVersion.ToString(); (Get-Service W3SVC).Name;"
            r"Test-Path C:\Windows\System32\inetsrv\config\applicationHost.config; $env:EXTRA"
        )
        with pywinrm(serve().url) as protocol:
            shell = protocol.open_shell(codepage=65001, env_vars={"EXTRA": "a&<b>"})
            command = protocol.run_command(shell, call(text))
            out, _, code = protocol.get_command_output(shell, command)
            protocol.close_shell(shell)
        assert (out, code) == (b"EX01\r\n5.1\r\nW3SVC\r\nTrue\r\na&<b>\r\n", 0)

    def test_standard_input_is_the_scripts_input_by_lines(self, serve):
        with pywinrm(serve().url) as protocol:
            sent = ["a\r\n", "\u00e4 b\n", "c"]
            said = run(protocol, call('$input | % { "<$_>" }'), *[one.encode() for one in sent])
        assert said[0].decode() == "<a>\r\n<\u00e4 b>\r\n<c>\r\n"

    def test_the_shells_code_page_is_the_consoles(self, serve):
        with pywinrm(serve().url) as protocol:
            said = run(
                protocol, call("@($input)[0]"), "\u00e4\u20ac".encode("cp1252"), codepage=1252
            )
        assert said[0] == b"\xe4\x80\r\n"

    def test_the_exit_code_is_what_windows_would_give(self, serve):
        codes = {}
        with pywinrm(serve().url) as protocol:
            for text in ("exit 7", "1", "throw 'x'", "Get-NoSuchThing", "Get-NoSuchThing; 1"):
                codes[text] = run(protocol, call(text))[2]
        assert list(codes.values()) == [7, 0, 1, 1, 0]

    def test_errors_leave_as_clixml_and_pywinrm_reads_them(self, serve):
        client = session(serve().url)
        said = client.run_ps("Write-Error 'no <good>'; exit 3")
        assert (said.std_err, said.status_code) == (b"Write-Error: no <good>", 3)
        with pywinrm(serve().url) as protocol:
            raw = run(protocol, call("Write-Error 'no <good>'"))[1]
        assert raw.startswith(b'#< CLIXML\r\n<Objs Version="1.1.0.1"')
        assert b'<S S="Error">Write-Error: no &lt;good&gt;_x000D__x000A_</S></Objs>' in raw

    def test_errors_leave_as_text_where_it_is_asked_for(self, serve):
        line = call("Write-Error 'bad'").replace("-NoProfile", "-OutputFormat Text")
        with pywinrm(serve().url) as protocol:
            assert run(protocol, line)[1].strip() == b"Write-Error: bad"

    def test_what_a_server_says_around_the_output_is_kept(self, serve):
        server = serve(before="Willkommen auf EX01, T\u00e4glich\r\n".encode("cp1252"), after=b"!")
        with pywinrm(server.url) as protocol:
            said = run(protocol, call("'x'"), codepage=1252)[0]
        assert said == b"Willkommen auf EX01, T\xe4glich\r\nx\r\n!"

    def test_a_language_mode_and_a_missing_variable_can_be_had(self, serve):
        mode = "$ExecutionContext.SessionState.LanguageMode"
        server = serve(prelude=f"{mode} = 'ConstrainedLanguage'")
        with pywinrm(server.url) as protocol:
            assert run(protocol, call(f'"$({mode})"'))[0] == (b"ConstrainedLanguage\r\n")
        old = serve(edit=lambda text: text.replace("$PSVersionTable", "$NoSuchTable"))
        with pywinrm(old.url) as protocol:
            assert run(protocol, call("$null -eq $PSVersionTable"))[0] == b"True\r\n"

    def test_a_command_that_is_signalled_ends(self, serve):
        server = serve()
        with pywinrm(server.url) as protocol:
            shell = protocol.open_shell()
            command = protocol.run_command(shell, call("'begun'; Start-Sleep 60"))
            out = protocol.get_command_output_raw(shell, command)[0]
            begun = time.monotonic()
            protocol.cleanup_command(shell, command)
            protocol.close_shell(shell)
        assert out == b"begun\r\n"
        assert time.monotonic() - begun < 5

    def test_what_reads_input_waits_for_its_end(self, serve):
        more = {"operation_timeout_sec": 1, "read_timeout_sec": 5}
        with pywinrm(serve().url, **more) as protocol:
            shell = protocol.open_shell()
            command = protocol.run_command(shell, call("@($input).Count"))
            with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
                protocol.get_command_output_raw(shell, command)
            protocol.send_command_input(shell, command, b"a\nb", end=True)
            assert protocol.get_command_output(shell, command)[0] == b"2\r\n"
            protocol.close_shell(shell)

    def test_cmd_knows_a_few_words_and_refuses_others(self, serve):
        client = session(serve().url)
        echo, none = client.run_cmd("echo", ["hi"]), client.run_cmd("nosuch", ["x"])
        assert (echo.std_out, echo.status_code) == (b"hi\r\n", 0)
        assert none.std_err.startswith(b"'nosuch' is not recognized as an internal or external")
        assert none.status_code == 1

    def test_pywinrms_run_ps_holds_3061_characters(self, serve):
        client = session(serve().url)
        fits, long = "'ok'#".ljust(3061, "x"), "'ok'#".ljust(3062, "x")
        assert client.run_ps(fits).std_out == b"ok\r\n"
        assert client.run_ps(long).std_err.strip() == b"The command line is too long."
