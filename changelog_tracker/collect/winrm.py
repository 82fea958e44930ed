"""
Runs the script on a server over WinRM, by pywinrm's Protocol: the one door to that library.

A short text starts on the command line, the script follows over standard input, one frame comes
back. Shells are closed whatever happens; nothing waits beyond the deadline.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from winrm import transport as winrm_transport
from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol
from winrm.transport import Transport

from changelog_tracker.collect import bootstrap
from changelog_tracker.collect.cutting import Connections
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.frame import has_ended
from changelog_tracker.collect.limits import DEFAULT_LIMITS, in_words
from changelog_tracker.collect.winrm_errors import no_answer, not_ours, translated
from changelog_tracker.collect.winrm_said import said_instead
from changelog_tracker.collect.wsman import Shells
from changelog_tracker.errors import DamagedAnswerError, TrackerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

    from changelog_tracker.collect.endpoint import Endpoint

Method = Literal["basic", "certificate", "ntlm", "kerberos", "credssp"]
UTF_8 = 65001
OPERATION_S = 20
# The server answers after OPERATION_S at the latest; this much longer may it take to come.
_ON_THE_WAY_S = 10
# How long closing may take, of a shell whose own time is over.
_CLOSE_S = 5.0
# Of one try, and before each.
_TRY_S = 2
_PAUSES_S = (0.0, 0.2, 0.8)
# Base64 of it fits an envelope of 150 KiB, the most that Windows 7 and 2008 R2 take.
_PIECE_BYTES = 90_000
_MOST_STDERR_BYTES = 64 * 1024
_UNPROTECTED = ("basic", "certificate")
_SENT = re.compile(r"<a:MessageID>([^<]+)</a:MessageID>")
_RELATES = re.compile(rb"RelatesTo[^>]*>\s*([^<\s]+)\s*<")


class WinRm:
    """
    A server's WinRM listener, as what runs a script.

    Args:
        endpoint: Where it is, and how to sign in.
        most_bytes: How much output is taken.

    Raises:
        UsageError: A password would go over the line as it is, or what signs in is not given.
    """

    def __init__(
        self, endpoint: Endpoint, most_bytes: int = DEFAULT_LIMITS.zip_total_bytes
    ) -> None:
        _refuse_impossible(endpoint)
        self._endpoint = endpoint
        self._most_bytes = most_bytes

    @property
    def place(self) -> str:
        """Its address."""
        return self._endpoint.url

    def run(self, script: str, arguments: Mapping[str, str], deadline: Deadline) -> bytes:
        """
        Run the script, and give what it printed.

        Raises:
            CollectError: It could not be run, did not end in time, or never began its answer.
        """
        deadline.check(self.place)
        payload = bootstrap.payload(script, arguments)
        with self._talk(deadline) as protocol, self._shell(protocol) as shell:
            output = self._command(protocol, shell, payload)
        if not has_ended(output.stdout, arguments["Frame"]):
            raise said_instead(self.place, bytes(output.stdout), bytes(output.stderr), output.code)
        return bytes(output.stdout)

    @contextmanager
    def _talk(self, deadline: Deadline) -> Iterator[_Checked]:
        """Open a conversation; its connections end with it."""
        with Connections(deadline) as held, translated(self._endpoint, held):
            protocol = _Checked(self._endpoint, held)
            try:
                yield protocol
            finally:
                protocol.transport.close_session()

    @contextmanager
    def _shell(self, protocol: _Checked) -> Iterator[str]:
        """
        Open a shell, and close it whatever happens.

        After a failure it is closed over a new connection: under NTLM, one that was lost took the
        keys with it. That closing fails too never hides why the first thing failed.
        """
        shell = protocol.shells.create(UTF_8)
        try:
            yield shell
        except BaseException as error:
            self._close_anew(shell, error)
            raise
        try:
            protocol.shells.delete(shell)
        # The answer is whole; only the shell is left to be closed.
        except Exception as error:  # noqa: BLE001
            self._close_anew(shell, error)

    def _close_anew(self, shell: str, first: BaseException) -> None:
        """Close a shell, and what runs in it, within a short time of its own; some tries."""
        deadline, told = Deadline(_CLOSE_S), None
        for pause_s in _PAUSES_S:
            time.sleep(min(pause_s, max(0.0, deadline.left_s())))
            try:
                with self._talk(Deadline(min(_TRY_S, deadline.left_s()))) as another:
                    another.shells.delete(shell)
            except TrackerError as error:
                told = error
            else:
                return
            if deadline.is_over:
                break
        if told is not None:
            first.add_note(f"its shell was not closed: {told.what}")

    def _command(self, protocol: _Checked, shell: str, payload: bytes) -> _Output:
        program, *arguments = bootstrap.command_line()
        protocol.held.doing = "sending the script"
        # A pipe, no console: a console edits what comes, and ends lines at 8,191 characters.
        command = protocol.shells.command(shell, program, arguments)
        for start in range(0, len(payload), _PIECE_BYTES):
            piece = payload[start : start + _PIECE_BYTES]
            end = start + _PIECE_BYTES >= len(payload)
            protocol.shells.send(shell, command, piece, end=end)
        output = self._received(protocol, shell, command)
        protocol.transport.read_timeout_sec = _TRY_S
        try:
            protocol.shells.terminate(shell, command)
        # It has ended by itself; what is left of it goes with its shell.
        except Exception:  # noqa: BLE001
            return output
        return output

    def _received(self, protocol: _Checked, shell: str, command: str) -> _Output:
        """Receive until the command has ended; a time-out of one operation only means: not yet."""
        output = _Output()
        while output.code is None:
            protocol.held.doing = f"the script was running, {len(output.stdout):,} bytes had come"
            protocol.held.check(self.place)
            try:
                out, err, output.code = protocol.shells.receive(shell, command)
            except WinRMOperationTimeoutError:
                continue
            output.stdout += out
            if len(output.stderr) < _MOST_STDERR_BYTES:
                output.stderr += err
            if len(output.stdout) > self._most_bytes:
                what = f"answers with more than {in_words(self._most_bytes)}"
                hint = "make a bundle on the server, and import that"
                raise DamagedAnswerError(self.place, what, hint)
        return output


def _refuse_impossible(endpoint: Endpoint) -> None:
    place, auth = endpoint.url, endpoint.auth
    if endpoint.scheme == "http" and auth in _UNPROTECTED:
        hint = "take --scheme https; over HTTP, kerberos, negotiate, ntlm and credssp encrypt"
        raise UsageError(place, f"{auth} over HTTP would send everything in the clear", hint)
    if auth == "certificate":
        if endpoint.certificate is None or endpoint.certificate_key is None:
            raise UsageError(place, "signing in by certificate needs one, and its key")
    elif _method(endpoint) != "kerberos" and (not endpoint.user or endpoint.password is None):
        hint = "give --user and --password by reference"
        if auth == "negotiate":
            hint += '; or a ticket, with pip install "changelog-tracker[kerberos]"'
        raise UsageError(place, f"signing in by {auth} needs a user and a password", hint)


class _Output:
    """What a command printed so far."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.code: int | None = None


class _Checked(Protocol):
    """
    Pywinrm's Protocol over connections of ours, each answer held against its question.

    Args:
        endpoint: Where it is, and how to sign in.
        held: What opens the connections.
    """

    def __init__(self, endpoint: Endpoint, held: Connections) -> None:
        self.held = held
        operation = max(1, min(OPERATION_S, int(held.deadline.left_s())))
        super().__init__(
            endpoint.url,
            # What is built from it is replaced below; this one only must not complain.
            transport="kerberos",
            read_timeout_sec=operation + _ON_THE_WAY_S,
            operation_timeout_sec=operation,
        )
        self.transport = _Transport(held, endpoint, operation + _ON_THE_WAY_S)
        self.shells = Shells(self.send_message, operation)

    def send_message(self, message: str) -> bytes:
        """Send one message; what answers another one is not taken."""
        answer: bytes = super().send_message(message)
        sent, told = _SENT.search(message), _RELATES.search(answer)
        if told is None or b"<!DOCTYPE" in answer:
            raise not_ours(self.transport.endpoint)
        if sent is None or told[1].decode("ascii", "replace") != sent[1]:
            raise no_answer(self.transport.endpoint)
        return answer


class _Transport(Transport):
    """Pywinrm's Transport, whose sessions open connections of ours before they send anything."""

    def __init__(self, held: Connections, endpoint: Endpoint, read_timeout_s: int) -> None:
        self._held = held
        named: dict[str, Any] = {
            "endpoint": endpoint.url,
            "username": endpoint.user,
            "password": endpoint.password.reveal() if endpoint.password else None,
            "service": "HTTP",
            # Not what they are by default, REQUESTS_CA_BUNDLE and HTTPS_PROXY: who sets a variable
            # would choose whom to trust with a password, and the machine's store would not count.
            "ca_trust_path": str(endpoint.ca) if endpoint.ca else None,
            "proxy": endpoint.proxy,
            "cert_pem": str(endpoint.certificate) if endpoint.certificate else None,
            "cert_key_pem": str(endpoint.certificate_key) if endpoint.certificate_key else None,
            "read_timeout_sec": read_timeout_s,
            "server_cert_validation": "validate",
            "auth_method": _method(endpoint),
            "message_encryption": "always" if endpoint.scheme == "http" else "auto",
        }
        super().__init__(**named)

    def build_session(self) -> requests.Session:
        """Make the session, or give the one that there is."""
        is_new = self.session is None
        session = super().build_session()
        if is_new and self.encryption is None:
            self._held.mount(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        """Sign in; the first thing that is sent where messages are encrypted by this connection."""
        self._held.mount(session)
        super().setup_encryption(session)


def _method(endpoint: Endpoint) -> Method:
    """
    Give pywinrm's name for the way of signing in.

    Its Kerberos takes a ticket that is there, and no password: so negotiate is NTLM with one.
    """
    if endpoint.auth != "negotiate":
        return endpoint.auth
    by_ticket = winrm_transport.HAVE_KERBEROS and endpoint.password is None
    return "kerberos" if by_ticket else "ntlm"
