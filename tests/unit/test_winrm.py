"""Where a server listens, what is refused before anything is sent, and how failures are told."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import requests
from winrm.exceptions import WinRMError

from changelog_tracker.collect import winrm
from changelog_tracker.collect.credentials import Secret
from changelog_tracker.collect.cutting import Connections
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.endpoint import Endpoint
from changelog_tracker.collect.winrm import WinRm
from changelog_tracker.collect.winrm_errors import translated
from changelog_tracker.collect.winrm_said import decoded, plain
from changelog_tracker.errors import (
    CollectError,
    DamagedAnswerError,
    DeadlineError,
    RefusedError,
    UnreachableError,
    UsageError,
)

HOST = "ex01.contoso.com"
URL = f"https://{HOST}:5986/wsman"
USER = {"user": r"CONTOSO\anna", "password": Secret("Xk7-quarz")}


# ---- where


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (Endpoint(HOST), URL),
        (Endpoint(HOST, "http"), f"http://{HOST}:5985/wsman"),
        (Endpoint(HOST, "http", 80), f"http://{HOST}:80/wsman"),
        (Endpoint("10.0.0.7"), "https://10.0.0.7:5986/wsman"),
        (Endpoint("fd00::7"), "https://[fd00::7]:5986/wsman"),
    ],
)
def test_an_address_is_built_of_its_parts(endpoint, url):
    assert endpoint.url == url


def test_a_password_is_shown_by_nothing_that_holds_it():
    endpoint = Endpoint(HOST, **USER)
    assert "quarz" not in repr(endpoint) + repr(WinRm(endpoint)) + str(endpoint)


# ---- what is refused before anything is sent


@pytest.mark.parametrize("auth", ["basic", "certificate"])
def test_what_would_travel_in_the_clear_is_refused(auth):
    with pytest.raises(UsageError) as raised:
        WinRm(Endpoint(HOST, "http", auth=auth, **USER))
    told = f"http://{HOST}:5985/wsman: {auth} over HTTP would send everything in the clear"
    hint = "take --scheme https; over HTTP, kerberos, negotiate, ntlm and credssp encrypt"
    assert (str(raised.value), raised.value.hint) == (told, hint)


@pytest.mark.parametrize("auth", ["ntlm", "credssp", "basic"])
@pytest.mark.parametrize("missing", ["user", "password"])
def test_a_way_that_needs_user_and_password_is_refused_without(auth, missing):
    with pytest.raises(UsageError) as raised:
        WinRm(Endpoint(HOST, auth=auth, **USER | {missing: None}))
    told = f"{URL}: signing in by {auth} needs a user and a password"
    hint = "give --user and --password by reference"
    assert (str(raised.value), raised.value.hint) == (told, hint)


def test_negotiate_without_kerberos_and_password_is_refused(monkeypatch):
    monkeypatch.setattr(winrm.winrm_transport, "HAVE_KERBEROS", False)
    with pytest.raises(UsageError) as raised:
        WinRm(Endpoint(HOST))
    assert raised.value.hint == (
        "give --user and --password by reference;"
        ' or a ticket, with pip install "changelog-tracker[kerberos]"'
    )


def test_negotiate_is_kerberos_with_a_ticket_and_ntlm_with_a_password(monkeypatch):
    monkeypatch.setattr(winrm.winrm_transport, "HAVE_KERBEROS", True)
    assert winrm._method(Endpoint(HOST)) == "kerberos"
    assert winrm._method(Endpoint(HOST, **USER)) == "ntlm"
    assert winrm._method(Endpoint(HOST, auth="kerberos", **USER)) == "kerberos"


def test_a_certificate_without_its_key_is_refused():
    with pytest.raises(UsageError, match="signing in by certificate needs one, and its key"):
        WinRm(Endpoint(HOST, auth="certificate", certificate=Path("a.pem")))


def test_a_certificate_that_is_none_is_told(tmp_path):
    file = tmp_path / "anna.pem"
    file.write_text("no certificate\n")
    endpoint = Endpoint(HOST, auth="certificate", certificate=file, certificate_key=file)
    with pytest.raises(CollectError) as raised:
        WinRm(endpoint).run("", {"Frame": "0" * 32}, Deadline(5))
    told = f"{file}: is no certificate with its key; expected PEM, the key without a password"
    assert str(raised.value) == told


def test_kerberos_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr("winrm.transport.HAVE_KERBEROS", False)
    with pytest.raises(CollectError) as raised:
        WinRm(Endpoint(HOST, auth="kerberos")).run("", {"Frame": "0" * 32}, Deadline(5))
    told = f"{URL}: signing in by kerberos needs a library that is not installed here"
    assert str(raised.value) == told
    assert raised.value.hint == 'pip install "changelog-tracker[kerberos]"'


# ---- what a library says, in our words


class KerberosExchangeError(requests.RequestException):
    """As pywinrm's own, which needs a library that is not everywhere."""


def told(error, endpoint=None):
    endpoint = endpoint or Endpoint(HOST, auth="kerberos")
    with (
        pytest.raises(CollectError) as raised,
        Connections(Deadline(60)) as held,
        translated(endpoint, held),
    ):
        raise error
    assert raised.value.__suppress_context__
    return type(raised.value), raised.value.what, raised.value.hint


@pytest.mark.parametrize(
    ("said", "what", "hint"),
    [
        (
            (
                "authGSSClientStep() failed: (('Unspecified GSS failure.', 851968),"
                " ('Clock skew too great', -1765328347))"
            ),
            "the clocks are more than 5 minutes apart",
            "set both: w32tm /resync there",
        ),
        (
            (
                "authGSSClientStep() failed: (('Unspecified GSS failure.', 851968),"
                " ('Ticket expired', -1765328352))"
            ),
            "the Kerberos ticket has expired",
            "get a new one: kinit USER@CONTOSO.COM",
        ),
        (
            (
                "(('Unspecified GSS failure.', 851968),"
                " ('Server HTTP/10.0.0.7@CONTOSO.COM not found in Kerberos database', -1765328377))"
            ),
            "the domain knows no server of this name",
            "give --host as the domain names the server, in full: no address, no alias",
        ),
        (
            (
                "(('Unspecified GSS failure.', 851968),"
                " ('Cannot contact any KDC for realm CONTOSO.COM', -1765328228))"
            ),
            "no domain controller answers",
            "does krb5.conf, or DNS, name the domain's controllers, and can they be reached?",
        ),
        (
            (
                "(('Unspecified GSS failure.', 851968),"
                " ('No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)', -1))"
            ),
            "there is no Kerberos ticket",
            "get one: kinit USER@CONTOSO.COM",
        ),
        (
            "authGSSClientStep() failed, result: -1",
            "does not let in by kerberos, with the ticket that is there",
            "is it the right one? klist shows it, kinit USER@CONTOSO.COM gets another",
        ),
    ],
)
def test_what_kerberos_says_is_told_with_what_to_do(said, what, hint):
    assert told(KerberosExchangeError(said)) == (RefusedError, what, hint)


@pytest.mark.parametrize(
    ("error", "kind", "what"),
    [
        (
            requests.ConnectionError("[Errno 113] No route to host"),
            UnreachableError,
            "no connection: no route to it",
        ),
        (
            requests.ConnectTimeout("timed out"),
            UnreachableError,
            "no connection: no answer in time",
        ),
        (
            requests.exceptions.SSLError("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] x"),
            UnreachableError,
            "the TLS handshake failed (sslv3 alert handshake failure)",
        ),
        (
            requests.exceptions.SSLError("certificate verify failed: self-signed certificate"),
            UnreachableError,
            "its certificate is signed by nobody that is trusted here",
        ),
        (BrokenPipeError(32, "Broken pipe"), UnreachableError, "no connection: it was lost"),
        (
            WinRMError("Encrypted length does not match, message has been tampered with"),
            DamagedAnswerError,
            "its answer cannot be decrypted: it was changed on its way",
        ),
        (ValueError("x"), DamagedAnswerError, "its answer is none of a WinRM listener"),
        (AssertionError(), DamagedAnswerError, "its answer is none of a WinRM listener"),
        (WinRMError("said\nXk7-quarz\x1b[0m"), CollectError, "said *** [0m"),
    ],
)
def test_what_a_library_raises_is_told_in_one_line_without_the_password(error, kind, what):
    found = told(error, Endpoint(HOST, auth="ntlm", **USER))
    assert found[0] is kind
    assert found[1] == what.replace("*** [0m", "***\\x1b[0m")


# ---- what a shell says


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("Ung\u00fcltig \u00e4\u00df\u20ac".encode(), "Ung\u00fcltig \u00e4\u00df\u20ac"),
        ("Ung\u00fcltig \u00e4\u00df\u20ac".encode("cp1252"), "Ung\u00fcltig \u00e4\u00df\u20ac"),
        ("Ung\u00fcltig".encode("cp850"), "Ung\u00fcltig"),
        ("\u30a2\u30af\u30bb\u30b9".encode("cp932"), "\u30a2\u30af\u30bb\u30b9"),
        (bytes(range(256)), bytes(range(256)).decode("cp850")),
    ],
)  # fmt: skip
def test_text_of_any_code_page_is_read(data, text):
    assert decoded(data) == text


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (b"", ""),
        (b"#< CLIXML\r\n<Objs><Obj S=\"progress\"><MS/></Obj></Objs>", ""),
        (
            (b'#< CLIXML\r\n<Objs><S S="Error">Access to C:\\a_x005F_b &lt;x&gt; denied.'
            b'_x000D__x000A_</S>'
            b'<S S="Error">At line:1 char:5_x000D__x000A_</S><S S="Error">+ x</S></Objs>'),
            "Access to C:\\a_b <x> denied.",
        ),
        # The beginning was too long ago.
        (b'<S S="Error">It failed.</S></Objs>', "It failed."),
        (b'#< CLIXML\r\n<Objs><S S="Error">It br', ""),
        (b"one\r\ntwo\x1b[2J\x00", "one two\\x1b[2J\\x00"),
    ],
)  # fmt: skip
def test_what_a_shell_says_becomes_one_line(said, line):
    assert plain(said) == line


# ---- the deadline


def clocks():
    """Give the threads that strike when a deadline is over."""
    return [one for one in threading.enumerate() if one.name == "deadlines"]


def test_a_deadline_cuts_what_is_watched_once():
    cut = []
    deadline = Deadline(0.1)
    deadline.watch(lambda: cut.append("first"))
    forgotten = deadline.watch(lambda: cut.append("forgotten"))
    deadline.forget(forgotten)
    time.sleep(0.4)
    assert cut == ["first"]
    deadline.watch(lambda: cut.append("late"))
    assert cut == ["first", "late"]


def test_one_thread_strikes_for_all_deadlines_the_nearest_first():
    cut = []
    for seconds in (0.3, 60, 0.1, 0.2):
        Deadline(seconds).watch(lambda seconds=seconds: cut.append(seconds))
    assert len(clocks()) == 1
    time.sleep(0.6)
    assert cut == [0.1, 0.2, 0.3]


def test_giving_up_cuts_at_once():
    cut = []
    deadline = Deadline(60)
    deadline.watch(lambda: cut.append(1))
    deadline.expire()
    assert cut == [1]
    with pytest.raises(DeadlineError) as raised:
        deadline.check("EX01")
    hint = "give it more with --deadline, or see server test"
    assert (str(raised.value), raised.value.hint) == ("EX01: did not end within 60 s", hint)
