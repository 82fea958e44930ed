"""The WinRM client against the simulated server: what it takes, and how each fault ends."""

from __future__ import annotations

import base64
import contextlib
import gzip
import os
import socket
import ssl
import threading
import time

import pytest
from canned_frames import entry, framed
from winrm_faults import Faults, Trouble
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrm_tls import Authority
from winrs import Canned

from changelog_tracker.collect import winrm
from changelog_tracker.collect.bootstrap import command_line, payload
from changelog_tracker.collect.credentials import Secret
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.endpoint import Endpoint
from changelog_tracker.collect.winrm import WinRm
from changelog_tracker.errors import (
    CollectError,
    DamagedAnswerError,
    DeadlineError,
    RefusedError,
    TrackerError,
    UnreachableError,
)

USER, PASSWORD = r"CONTOSO\anna", "Xk7-quarz-Laube"
MARKER = "0123456789abcdef" * 2
SCRIPT = "# 0123456789\r\n" * 30_000
ARGUMENTS = {"Mode": "list", "Frame": MARKER}
OUTPUT = framed(MARKER, gzip.compress(entry("bundle.json", os.urandom(200_000)), mtime=0))
AGAIN = "try again; see server test"
BETWEEN = "is something between that answers in its place? --port and --proxy say where to"
MORE = "give it more with --deadline, or see server test"
RIGHTS = "let the account be an administrator there, or a member of Remote Management Users"
QUOTA = "wait until older sessions of the account have ended, or raise its quota (winrm/config)"
FIREWALL = "is the server up, and does every firewall between let this port through?"
CLOSED = (UnreachableError, "no connection: it was closed", AGAIN)
RESET = (UnreachableError, "no connection: it was reset", AGAIN)
FOREIGN = (DamagedAnswerError, "its answer is none of a WinRM listener", BETWEEN)
LOST = (
    UnreachableError,
    "does not understand what was sent (HTTP 400): the session was lost",
    AGAIN,
)
FAULTS = {
    "reset": RESET,
    "close": CLOSED,
    "401": LOST,
    "500": (UnreachableError, "answered HTTP 500", BETWEEN),
    "503": (
        UnreachableError,
        "is not ready (HTTP 503)",
        "is the service WinRM running there? try again later",
    ),
    "500-page": (UnreachableError, "answered HTTP 500", BETWEEN),
    "html-200": FOREIGN,
    "xhtml-200": FOREIGN,
    "html-502": (UnreachableError, "answered HTTP 502", BETWEEN),
    "quota": (RefusedError, "has too many shells of this account open", QUOTA),
    "too-many-operations": (RefusedError, "has too many operations of this account open", QUOTA),
    "access-denied": (RefusedError, "refuses this account: access is denied", RIGHTS),
    "shell-gone": (CollectError, "lost the session in the middle", "try again"),
    "reset-after": RESET,
    "close-after": CLOSED,
    "half": (UnreachableError, "no connection: it was closed in the middle of an answer", AGAIN),
    "not-xml": FOREIGN,
    "relates-to": (DamagedAnswerError, "answers to another question than was asked", BETWEEN),
}
# What only a deadline ends.
ENDLESS = ("silence", "drip", "operation-timeout")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def serving(*troubles, answer=None, **named):
    """Serve shells; at the end nothing may have gone wrong there, and no shell be left open."""
    heard = []

    def canned(line, stdin):
        heard.append((line, stdin))
        return answer or (OUTPUT, b"", 0)

    faults = Faults(*troubles, drip_s=0.02, silence_s=20)
    with WinRmServer({USER: PASSWORD}, faults=faults, **named) as server:
        server.mount("/wsman", WinRsShells(Canned(canned)))
        server.heard = heard
        yield server
    assert server.failures == []
    assert server.counters.still_open <= server.counters.unheard


def at(server, **named):
    given = {"host": "127.0.0.1", "scheme": "http", "auth": "ntlm", "port": server.port}
    given |= {"user": USER, "password": Secret(PASSWORD)}
    return Endpoint(**given | named)


def ours():
    """Give the threads that the client makes, but for the one that all deadlines share."""
    made = threading.enumerate()
    return {one for one in made if isinstance(one, threading.Timer) or "look_up" in one.name}


def settled(before):
    """Give them once those that were told to end have ended."""
    until = time.monotonic() + 2
    while not ours() <= before and time.monotonic() < until:
        time.sleep(0.01)
    return ours()


def ended(endpoint, seconds=10.0):
    """Run; give class, text and hint of the error. No thread, and no password, is left behind."""
    before = ours()
    with pytest.raises(TrackerError) as raised:
        WinRm(endpoint).run(SCRIPT, ARGUMENTS, Deadline(seconds))
    assert settled(before) <= before
    told = raised.value
    assert told.place == endpoint.url
    assert PASSWORD not in f"{told} {told.hint}"
    return type(told), told.what, told.hint


# ---- what works


def test_the_script_goes_over_a_pipe_and_its_output_comes_back_whole():
    with serving() as server:
        assert WinRm(at(server)).run(SCRIPT, ARGUMENTS, Deadline(10)) == OUTPUT
    assert server.heard == [(" ".join(command_line()), payload(SCRIPT, ARGUMENTS))]
    verbs = server.counters.verbs
    assert (verbs["Create"], verbs["Command"], verbs["Signal"], verbs["Delete"]) == (1, 1, 1, 1)


def test_a_long_script_goes_in_pieces_that_fit_every_envelope():
    long = os.urandom(300_000).hex()
    with serving(max_envelope=153_600) as server:
        assert WinRm(at(server)).run(long, ARGUMENTS, Deadline(10)) == OUTPUT
    assert server.heard == [(" ".join(command_line()), payload(long, ARGUMENTS))]
    assert server.counters.verbs["Send"] > 3


@pytest.mark.parametrize("auth", ["negotiate", "ntlm", "credssp"])
def test_messages_are_encrypted_over_http(auth):
    with serving(schemes=("negotiate", "credssp")) as server:
        assert WinRm(at(server, auth=auth)).run(SCRIPT, ARGUMENTS, Deadline(20)) == OUTPUT


@pytest.mark.parametrize("auth", ["negotiate", "ntlm", "credssp", "basic"])
def test_https_takes_every_way_of_signing_in(auth, authority):
    pair = authority.server()
    schemes = ("negotiate", "credssp", "basic")
    with serving(tls=pair, schemes=schemes, strict_bindings=auth != "basic") as server:
        endpoint = at(server, scheme="https", auth=auth, ca=authority.file)
        assert WinRm(endpoint).run(SCRIPT, ARGUMENTS, Deadline(20)) == OUTPUT


def test_a_certificate_signs_in_and_is_shown_to_no_other_server(authority):
    person = authority.person("anna@contoso.com")
    named = {"tls": authority.server(), "clients": authority.file, "schemes": ("certificate",)}
    with serving(**named) as server:
        endpoint = at(server, scheme="https", auth="certificate", ca=authority.file)
        asked = Endpoint(
            **{name: getattr(endpoint, name) for name in ("host", "scheme", "port", "auth", "ca")},
            certificate=person.certificate,
            certificate_key=person.key,
        )
        assert WinRm(asked).run(SCRIPT, ARGUMENTS, Deadline(20)) == OUTPUT
        refused = at(server, scheme="https", auth="basic", ca=authority.file)
        assert ended(refused)[0] is RefusedError


def test_many_run_at_once_and_leave_no_thread_behind():
    before = ours()
    with serving() as server:
        deadline, outputs = Deadline(30), []
        runner = WinRm(at(server))
        threads = [
            threading.Thread(
                target=lambda: outputs.append(runner.run(SCRIPT, ARGUMENTS, deadline) == OUTPUT)
            )
            for _ in range(8)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert outputs == [True] * 8
    assert settled(before) <= before


def test_a_name_with_a_dead_address_before_the_right_one_is_reached():
    # Listens on 127.0.0.1 alone; localhost is ::1 first, where there is IPv6.
    with serving() as server:
        endpoint = at(server, host="localhost")
        assert WinRm(endpoint).run(SCRIPT, ARGUMENTS, Deadline(10)) == OUTPUT


def test_nothing_is_taken_from_the_environment(authority, monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    other = Authority(tmp_path / "other", "Another CA")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority.file))
    with serving() as server:
        assert WinRm(at(server)).run(SCRIPT, ARGUMENTS, Deadline(10)) == OUTPUT
    with serving(tls=authority.server()) as server:
        for ca in (None, other.file):
            endpoint = at(server, scheme="https", ca=ca)
            assert ended(endpoint) == (
                UnreachableError,
                "its certificate is from an authority that is not trusted here",
                "give that authority with --ca FILE",
            )


# ---- each fault, one error


@pytest.mark.parametrize("verb", ["Create", "Command", "Send", "Receive"])
@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_one_error_and_the_shell_is_closed(kind, verb):
    with serving(Trouble(kind, verb)) as server:
        started = time.monotonic()
        assert ended(at(server)) == FAULTS[kind]
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_is_cut_at_the_deadline_and_the_shell_is_closed(kind):
    with serving(Trouble(kind, "Receive", times=None)) as server:
        started = time.monotonic()
        kinds = ended(at(server), 1.5)
        assert time.monotonic() - started < 4
    what = "did not end within 1.5 s (the script was running, 0 bytes had come)"
    assert kinds == (DeadlineError, what, MORE)


@pytest.mark.parametrize(("kind", "place"), [("silence", "sign-in"), ("drip", "Create")])
def test_a_sign_in_that_never_ends_is_cut_at_the_deadline(kind, place):
    with serving(Trouble(kind, place, times=None)) as server:
        assert ended(at(server), 1) == (DeadlineError, "did not end within 1 s (signing in)", MORE)


def test_a_handshake_that_never_ends_is_cut_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = Endpoint(
            "127.0.0.1", port=silent.getsockname()[1], user="a", password=Secret("b"), auth="ntlm"
        )
        started = time.monotonic()
        found = ended(endpoint, 1)
        assert time.monotonic() - started < 3
    assert found == (DeadlineError, "did not end within 1 s (signing in)", MORE)


def test_a_name_that_is_looked_up_for_ever_is_left_at_the_deadline(monkeypatch):
    # The resolver is the one thing that has no loopback: it is held here, and let go at the end.
    release = threading.Event()
    asked = socket.getaddrinfo

    def slow(host, *arguments, **named):
        if host == "ex01.contoso.com":
            release.wait(20)
        return asked("127.0.0.1", *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    endpoint = Endpoint("ex01.contoso.com", user="a", password=Secret("b"), auth="ntlm")
    started = time.monotonic()
    with pytest.raises(DeadlineError, match="did not end within 1 s"):
        WinRm(endpoint).run(SCRIPT, ARGUMENTS, Deadline(1))
    assert time.monotonic() - started < 3
    release.set()


def test_a_deadline_that_is_over_asks_nothing():
    with serving() as server:
        deadline = Deadline(60)
        deadline.expire()
        with pytest.raises(DeadlineError):
            WinRm(at(server)).run(SCRIPT, ARGUMENTS, deadline)
    assert server.counters.connections == 0


def test_who_gives_up_ends_a_run_at_once():
    with serving(Trouble("silence", "Receive", times=None)) as server:
        before, deadline = ours(), Deadline(60)
        threading.Timer(0.5, deadline.expire).start()
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            WinRm(at(server)).run(SCRIPT, ARGUMENTS, deadline)
        assert time.monotonic() - started < 5
        assert settled(before) <= before


@pytest.mark.parametrize("verb", ["Signal", "Delete"])
def test_what_fails_after_the_whole_answer_does_not_cost_it(verb):
    with serving(Trouble("reset", verb)) as server:
        assert WinRm(at(server)).run(SCRIPT, ARGUMENTS, Deadline(10)) == OUTPUT


def test_a_server_that_falls_silent_after_the_whole_answer_is_not_waited_for():
    with serving(Trouble("silence", "Delete", times=2)) as server:
        started = time.monotonic()
        assert WinRm(at(server)).run(SCRIPT, ARGUMENTS, Deadline(60)) == OUTPUT
        assert time.monotonic() - started < 8


def test_a_shell_that_cannot_be_closed_hides_no_error_and_is_noted():
    with serving(Trouble("reset"), Trouble("access-denied", "Delete", times=None)) as server:
        with pytest.raises(UnreachableError) as raised:
            WinRm(at(server)).run(SCRIPT, ARGUMENTS, Deadline(10))
        server.counters.unheard |= server.counters.opened
    assert str(raised.value) == f"{at(server).url}: no connection: it was reset"
    assert raised.value.__notes__ == [
        "its shell was not closed: refuses this account: access is denied"
    ]


def test_an_operation_that_is_late_is_an_error_but_at_receive(monkeypatch):
    with serving(Trouble("operation-timeout", "Create", times=None)) as server:
        assert ended(at(server), 3) == (
            UnreachableError,
            "could not do what was asked in its time",
            "is the server very busy? try again",
        )
    monkeypatch.setattr(winrm, "OPERATION_S", 1)
    with serving(Trouble("operation-timeout", times=2)) as server:
        assert WinRm(at(server)).run(SCRIPT, ARGUMENTS, Deadline(20)) == OUTPUT


# ---- signing in


def test_a_wrong_password_is_told_from_a_way_that_is_not_offered(authority):
    account = (
        "are user (CONTOSO\\name or name@contoso.com) and password right, the account not locked?"
    )
    with serving() as server:
        for auth in ("ntlm", "negotiate"):
            told = ended(at(server, auth=auth, password=Secret("wrong")))
            assert told == (RefusedError, f"does not let in by {auth} as {USER}", account)
        told = ended(at(server, auth="credssp"))
        turn_on = 'winrm set winrm/config/service/auth @{CredSSP="true"}'
        assert told == (
            RefusedError,
            "offers no sign-in by credssp, only by negotiate",
            f"take one of these with --auth, or turn it on there: {turn_on}",
        )
    with serving(tls=authority.server(), schemes=("negotiate", "basic", "credssp")) as server:
        for auth in ("basic", "credssp"):
            wrong = at(server, auth=auth, password=Secret("x"), scheme="https", ca=authority.file)
            assert ended(wrong) == (
                RefusedError,
                f"does not let in by {auth} as {USER}",
                account,
            )
    with serving(tls=authority.server(), schemes=("basic",)) as server:
        told = ended(at(server, scheme="https", ca=authority.file))
        turn_on = 'winrm set winrm/config/service/auth @{Negotiate="true"}'
        assert told == (
            RefusedError,
            "offers no sign-in by ntlm, only by basic",
            f"take one of these with --auth, or turn it on there: {turn_on}",
        )


def test_a_certificate_that_belongs_to_nobody_is_told(authority):
    person = authority.person("anna@contoso.com")
    with serving(tls=authority.server(), clients=authority.file) as server:
        endpoint = Endpoint(
            "127.0.0.1",
            port=server.port,
            auth="certificate",
            ca=authority.file,
            certificate=person.certificate,
            certificate_key=person.key,
        )
        assert ended(endpoint) == (
            RefusedError,
            "knows no account for the certificate",
            "map it to an account there: New-Item WSMan:\\localhost\\ClientCertificate",
        )


# ---- TLS, and what listens there


@pytest.mark.parametrize(
    ("names", "more", "what", "hint"),
    [
        (
            ("127.0.0.1",),
            {"expired": True},
            "its certificate has expired",
            "renew it, and give the new one to the WinRM listener",
        ),
        (
            ("ex02.contoso.com",),
            {},
            "its certificate is for another name",
            "give --host as the certificate names it",
        ),
    ],
)
def test_a_certificate_that_is_not_right_is_told(names, more, what, hint, authority):
    with serving(tls=authority.server(*names, **more)) as server:
        endpoint = at(server, scheme="https", ca=authority.file)
        assert ended(endpoint) == (UnreachableError, what, hint)
    assert server.counters.requests == 0


def test_a_file_that_holds_no_authority_is_told(tmp_path, authority):
    with serving(tls=authority.server()) as server:
        for file in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
            (tmp_path / "empty.pem").write_text("no certificate\n")
            with pytest.raises(CollectError) as raised:
                WinRm(at(server, scheme="https", ca=file)).run(SCRIPT, ARGUMENTS, Deadline(5))
            told = f"{file}: holds no certificate of an authority; expected PEM"
            assert (str(raised.value), raised.value.hint) == (
                told,
                "give the right file with --ca FILE",
            )


def test_http_and_https_mixed_up_are_told(authority):
    def no_request(sock):
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with answering(no_request) as port:
        endpoint = Endpoint(**_fields(plain(port)) | {"scheme": "https"})
        assert ended(endpoint) == (
            UnreachableError,
            "speaks no TLS there",
            "does it speak TLS there? 5986 does by default, 5985 takes --scheme http",
        )
    with serving(tls=authority.server()) as server:
        assert ended(at(server))[0] is UnreachableError


def test_a_server_that_only_speaks_old_tls_is_told(authority):
    pair = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with answering(lambda sock: context.wrap_socket(sock, server_side=True)) as port:
        endpoint = Endpoint("127.0.0.1", port=port, ca=authority.file, user="a", auth="ntlm")
        told = ended(Endpoint(**_fields(endpoint) | {"password": Secret("b")}))
    assert told == (
        UnreachableError,
        "speaks no TLS later than 1.1",
        "turn TLS 1.2 on there (Windows 2008 R2 needs an update for it), or take --scheme http",
    )


def test_nobody_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    endpoint = Endpoint("127.0.0.1", port=port, user="a", password=Secret("b"), auth="ntlm")
    assert ended(endpoint) == (
        UnreachableError,
        "no connection: nothing listens there",
        "is the WinRM listener on? winrm enumerate winrm/config/listener tells, on the server",
    )


@pytest.mark.parametrize("host", ["nosuch.invalid", "a" * 300, "a..b"])
def test_a_host_that_is_not_known_is_told(host):
    endpoint = Endpoint(host, user="a", password=Secret("b"), auth="ntlm")
    assert ended(endpoint)[0] is UnreachableError


def test_a_name_that_is_not_known_is_told():
    endpoint = Endpoint("nosuch.invalid", user="a", password=Secret("b"), auth="ntlm")
    told = (UnreachableError, "no connection: no such host", "give --host as DNS knows it")
    assert ended(endpoint, 30) == told


def test_a_path_without_a_listener_is_told():
    with WinRmServer({USER: PASSWORD}) as server:
        assert ended(at(server)) == (
            UnreachableError,
            "has no WinRM listener there (HTTP 404)",
            "WinRM listens on 5985 or 5986; the Exchange endpoint is given by --exchange-url",
        )


def test_an_exchange_endpoint_is_told_from_a_listener():
    with WinRmServer({USER: PASSWORD}) as server:
        server.mount("/wsman", WinRsShells(Canned(lambda *_: (b"", b"", 0))), uri="http://none")
        assert ended(at(server)) == (
            UnreachableError,
            "has no WinRM listener there",
            "WinRM listens on 5985 or 5986; the Exchange endpoint is given by --exchange-url",
        )


# ---- what answers in its place


@contextlib.contextmanager
def answering(answer):
    """Let a function answer each connection; what it raises is the client's doing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), sock:
                    answer(sock)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _fields(endpoint):
    return {name: getattr(endpoint, name) for name in endpoint.__slots__}


def plain(port, **named):
    return Endpoint(
        "127.0.0.1", "http", port, "ntlm", user=USER, password=Secret(PASSWORD), **named
    )


def test_a_redirection_is_not_followed_and_sees_no_sign_in():
    seen = []
    with serving() as elsewhere:
        target = f"Location: http://127.0.0.1:{elsewhere.port}/wsman\r\n"

        def redirect(sock):
            seen.append(sock.recv(65536))
            sock.sendall(f"HTTP/1.1 307 x\r\n{target}Content-Length: 0\r\n\r\n".encode())

        with answering(redirect) as port:
            told = ended(plain(port))
        assert elsewhere.counters.connections == 0
    assert told == (
        UnreachableError,
        "answers with a redirection, which is not followed",
        "give the server's own address",
    )
    assert len(seen) == 1


@pytest.mark.parametrize("length", ["Content-Length: 9999999999", "Connection: close"])
def test_an_answer_without_end_is_not_read(length):
    def pour(sock):
        sock.recv(65536)
        sock.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        for _ in range(1000):
            sock.sendall(b"x" * 65536)

    with answering(pour) as port:
        told = ended(plain(port))
    hint = "is something between that answers in its place?"
    assert told == (DamagedAnswerError, "its answer is longer than any message", hint)


def test_a_small_answer_that_unpacks_without_end_is_not_read():
    bomb = gzip.compress(b"\0" * 100_000_000)

    def pour(sock):
        sock.recv(65536)
        head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        sock.sendall(f"HTTP/1.1 200 OK\r\n{head}".encode() + bomb)

    with answering(pour) as port:
        assert ended(plain(port))[:2] == (
            DamagedAnswerError,
            "its answer is longer than any message",
        )


def test_a_proxy_is_taken_where_one_is_named():
    asked = []

    def proxy(sock):
        asked.append(sock.recv(65536).split(b"\r\n")[0].decode())
        sock.sendall(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n")

    with answering(proxy) as port:
        endpoint = plain(5985, proxy=f"http://127.0.0.1:{port}")
        assert ended(endpoint) == (
            RefusedError,
            "the proxy asks for a sign-in (HTTP 407)",
            "see --proxy",
        )
        secure = Endpoint(**_fields(endpoint) | {"scheme": "https", "port": 5986})
        told = ended(secure)
        assert told == (UnreachableError, "the proxy does not lead there", "see --proxy")
    assert asked == ["POST http://127.0.0.1:5985/wsman HTTP/1.1", "CONNECT 127.0.0.1:5986 HTTP/1.0"]


def test_more_output_than_is_taken_ends_the_run():
    with (
        serving(answer=(b"x" * 2_000_000, b"", 0)) as server,
        pytest.raises(DamagedAnswerError) as raised,
    ):
        WinRm(at(server), 1024 * 1024).run(SCRIPT, ARGUMENTS, Deadline(10))
    told = f"{at(server).url}: answers with more than 1 MiB"
    hint = "make a bundle on the server, and import that"
    assert (str(raised.value), raised.value.hint) == (told, hint)


# ---- what the shell says instead

_BY_HAND = "run the collector on the server itself, and look at what it says"
_RECORD = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<S S="Error">Die Benennung "collect" wurde nicht erkannt &amp; fehlt._x000D__x000A_</S>'
    '<S S="Error">In Zeile:1 Zeichen:1_x000D__x000A_</S>'
    '<S S="Error">+ collect_x000D__x000A_</S></Objs>'
)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            (b"[changelog-error powershell-1]\r\n", b"", 3),
            (
                RefusedError,
                "its shell is PowerShell 1.0, expected 2.0 or later",
                (
                    "install Windows Management Framework 2.0 there,"
                    " or run the collector on the server"
                ),
            ),
        ),
        (
            (b"hallo\r\n[changelog-error language-mode ConstrainedLanguage]\r\n", b"", 3),
            (
                RefusedError,
                "its shell is in the language mode ConstrainedLanguage, expected FullLanguage",
                (
                    "allow the user FullLanguage there (AppLocker, Device Guard,"
                    " the session's configuration)"
                ),
            ),
        ),
        (
            (b"[changelog-error damaged-input]\r\n", b"", 3),
            (
                RefusedError,
                "the script came there damaged",
                "try again; look at what is between",
            ),
        ),
        (
            (b"", _RECORD.encode(), 1),
            (
                CollectError,
                (
                    "its shell could not run the script (exit code 1):"
                    ' Die Benennung "collect" wurde nicht erkannt & fehlt.'
                ),
                _BY_HAND,
            ),
        ),
        (
            (b"", "Der Befehl ist ung\u00fcltig.\r\n".encode("cp1252"), 1),
            (
                CollectError,
                "its shell could not run the script (exit code 1): Der Befehl ist ung\u00fcltig.",
                _BY_HAND,
            ),
        ),
        (
            (
                b"",
                "\u30b3\u30de\u30f3\u30c9\u304c\u3042\u308a\u307e\u305b\u3093".encode("cp932"),
                9,
            ),
            (
                CollectError,
                (
                    "its shell could not run the script (exit code 9):"
                    " \u30b3\u30de\u30f3\u30c9\u304c\u3042\u308a\u307e\u305b\u3093"
                ),
                _BY_HAND,
            ),
        ),
        (
            (b"", b"", 5),
            (
                DamagedAnswerError,
                "its shell ended without a word (exit code 5)",
                "try again",
            ),
        ),
        (
            (OUTPUT[:50_000], b"System.OutOfMemoryException\r\n", 1),
            (
                DamagedAnswerError,
                "its answer broke off (exit code 1): System.OutOfMemoryException",
                _BY_HAND,
            ),
        ),
    ],
)
def test_a_shell_that_does_not_answer_says_why(answer, told):
    with serving(answer=answer) as server:
        assert ended(at(server)) == told


def test_no_output_of_a_shell_reaches_the_terminal_or_the_next_line():
    shown = b"\x1b[31mred\x1b[0m\r\nerror: next line\x00" + b"x" * 5000
    with serving(answer=(b"", shown, 1)) as server:
        _, what, _ = ended(at(server))
    assert what.isprintable()
    assert len(what) < 600


def test_the_command_line_holds_neither_script_nor_arguments():
    with serving() as server:
        WinRm(at(server)).run(SCRIPT, ARGUMENTS | {"Fetch": "c2VjcmV0"}, Deadline(10))
    line, _ = server.heard[0]
    encoded = base64.b64decode(line.split()[-1]).decode("utf-16-le")
    assert "c2VjcmV0" not in line + encoded
    assert len(line) < 8191
    assert winrm.UTF_8 == 65001
