"""One connection of the simulated server: from a request's bytes to its answer's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from winrm_auth import MESSAGES, Door
from winrm_encryption import BOUNDARY, EXCHANGE_BOUNDARY, NotEncryptedError, seal, unseal
from winrm_faults import AFTER, OUTPUT, Trouble, page, spoilt, spoilt_bytes
from winrm_http import BadHttpError, HttpAnswer, HttpRequest, Wire
from winrm_soap import (
    FAULTS,
    NotSoapError,
    RefusedError,
    Request,
    envelope,
    fault_envelope,
    no_resource,
    read_request,
    value,
)

if TYPE_CHECKING:
    from winrm_server import Mount, WinRmServer

SOAP = "application/soap+xml;charset=UTF-8"
_IDENTIFY = re.compile(rb"<[\w.-]+:Identify\b")
_IDENTITY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    "<wsmid:IdentifyResponse"
    ' xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
    "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
    "<wsmid:ProductVersion>OS: 10.0.17763 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
    "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
)


class Connection:
    """Speaks with one client until either side ends it."""

    def __init__(self, server: WinRmServer, wire: Wire, client: str, certified: str | None) -> None:
        self._server, self._wire, self._client = server, wire, client
        self._door = Door(server.accounts, certified)
        self._sealed = False
        self._user: str | None = None
        self._more: tuple[tuple[str, str], ...] = ()

    def serve(self) -> None:
        """Answer requests until the connection ends."""
        trouble = self._server.faults.decide("connect")
        if trouble:
            self._break(trouble)
            return
        try:
            while not self._server.stopping.is_set():
                request = self._wire.read()
                if request is None or not self._one(request):
                    return
        except (BadHttpError, OSError, ValueError):
            return
        finally:
            self._wire.close()

    def _one(self, request: HttpRequest) -> bool:
        self._server.counters.came(request.size)
        mounts = self._server.mounts.get(request.path.partition("?")[0].lower())
        if not mounts or len(request.body) > self._server.max_envelope:
            return self._send(HttpAnswer(413 if mounts else 404)) and not mounts
        if _IDENTIFY.search(request.body) and "wsmanidentify" in request.headers:
            return self._send(_soap(_IDENTITY))
        refused = self._signed_in(request)
        if refused is not None:
            return refused
        if not request.body:
            return self._send(HttpAnswer(200, self._more))
        return self._read(request, mounts)

    def _read(self, request: HttpRequest, mounts: list[Mount]) -> bool:
        """Read and do what somebody who is signed in asks for."""
        try:
            operation = self._operation(request)
        except (NotEncryptedError, NotSoapError, UnicodeDecodeError):
            self._send(HttpAnswer(400))
            return False
        if operation is None:
            self._send(HttpAnswer(500))
            return False
        return self._operate(operation, mounts)

    # ---- sign-in

    def _signed_in(self, request: HttpRequest) -> bool | None:
        """Sign in; None where the client may go on, else whether the connection stays."""
        if not self._door.user or "authorization" in request.headers:
            trouble = self._server.faults.decide("sign-in", request.path)
            if trouble:
                return self._break(trouble)
        verdict = self._door.check(request)
        self._more, self._user = verdict.headers, verdict.user
        if verdict.user is None:
            return self._send(HttpAnswer(401, verdict.headers))
        return None

    def _operation(self, request: HttpRequest) -> Request | None:
        """Decrypt and read; None is a message that should have been encrypted."""
        kind = request.headers.get("content-type", "")
        self._sealed = kind.startswith("multipart/")
        if self._sealed:
            if self._door.context is None:
                raise NotEncryptedError("no context")
            body = unseal(self._door.context, request.body)
        elif self._server.open_messages:
            body = request.body
        else:
            return None
        return read_request(
            body.decode("utf-8"),
            user=self._user or "",
            client=self._client,
            url=self._server.url_of(request.path),
            machine=self._server.machine,
        )

    # ---- operations

    def _operate(self, request: Request, mounts: list[Mount]) -> bool:
        counters = self._server.counters
        counters.asked(request.verb)
        mount = next((m for m in mounts if request.resource.startswith(m.uri)), None)
        trouble = self._server.faults.decide(request.verb, mounts[0].path)
        if trouble and trouble.kind not in AFTER + OUTPUT and trouble.kind not in FAULTS:
            return self._break(trouble)
        status = 200
        try:
            if trouble and trouble.kind in FAULTS:
                if trouble.kind == "operation-timeout":
                    self._server.stopping.wait(min(request.operation_timeout_s, 60))
                raise RefusedError(FAULTS[trouble.kind])
            if mount is None:
                raise RefusedError(no_resource(request.resource))
            answer = mount.resource.answer(request)
            status, text = answer.status, envelope(request, answer)
            shell = value(answer.body, "ShellId") if request.verb == "Create" else request.shell_id
            counters.did(request.verb, shell or "")
        except RefusedError as refused:
            status, text, shell = 500, fault_envelope(request, refused.fault), None
        opened = {shell} if request.verb == "Create" and shell else set()
        if trouble and trouble.kind in AFTER:
            counters.unheard |= opened
        stays = self._answer(status, text, trouble, blank=bool(mount and mount.blank))
        if not stays:
            counters.unheard |= opened
        return stays

    def _answer(self, status: int, text: str, trouble: Trouble | None, *, blank: bool) -> bool:
        """Encrypt and send, spoilt where it shall be; whether the connection stays."""
        if trouble:
            text = spoilt(trouble, text, self._server.faults.random)
        body, kind = text.encode("utf-8"), SOAP
        if self._sealed:
            protocol = MESSAGES[self._door.scheme]
            boundary = EXCHANGE_BOUNDARY if blank else BOUNDARY
            kind, body = seal(self._door.context, protocol, body, boundary)
        data = HttpAnswer(status, (*self._more, ("Content-Type", kind)), body).render()
        if trouble is None or trouble.kind not in AFTER:
            return self._write(data)
        if trouble.kind == "reset-after":
            self._wire.reset()
            return False
        if trouble.kind == "drip":
            return self._drip(data)
        if trouble.kind != "close-after":
            self._write(spoilt_bytes(trouble, data, len(data) - len(body)))
        if trouble.kind in {"half", "close-after"}:
            self._wire.close()
            return False
        return True

    # ---- what goes wrong

    def _break(self, trouble: Trouble) -> bool:
        """Do nothing but harm; whether the connection stays."""
        if trouble.kind == "reset":
            self._wire.reset()
        elif trouble.kind == "silence":
            self._server.stopping.wait(self._server.faults.silence_s)
            self._wire.close()
        elif trouble.kind == "401":
            return self._send(HttpAnswer(401, self._door.refuse().headers))
        elif trouble.kind == "close" or trouble.kind in AFTER + OUTPUT or trouble.kind in FAULTS:
            self._wire.close()
        else:
            return self._send(page(trouble))
        return False

    def _drip(self, data: bytes) -> bool:
        for at in range(len(data)):
            self._write(data[at : at + 1])
            if self._server.stopping.wait(self._server.faults.drip_s):
                return False
        return True

    # ---- sending

    def _send(self, answer: HttpAnswer) -> bool:
        return self._write(answer.render())

    def _write(self, data: bytes) -> bool:
        self._server.counters.went(len(data))
        try:
            self._wire.write(data)
        except OSError:
            return False
        return True


def _soap(text: str) -> HttpAnswer:
    return HttpAnswer(200, (("Content-Type", SOAP),), text.encode("utf-8"))
