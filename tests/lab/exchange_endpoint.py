"""
The lab's Exchange endpoint: what stands behind the path /powershell of a server's web site.

    with WinRmServer({"anna": "secret"}) as server:
        endpoint = ExchangeEndpoint(lab)
        server.mount(PATH, endpoint, uri=CONFIGURATION, blank=True)

Each shell is a PowerShell of its own (`ExchangePipe`), which has the lab's cmdlets as the server
has them when the shell is opened, and nothing else.
"""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING

from exchange_pipe import POOL, ExchangePipe, PipeError
from winrm_soap import (
    NO_SHELL,
    SHELL,
    TIMED_OUT,
    Answer,
    RefusedError,
    attribute,
    new_id,
    text_of,
    value,
)

if TYPE_CHECKING:
    from lab import Lab
    from winrm_soap import Request

PATH = "/powershell"
CONFIGURATION = "http://schemas.microsoft.com/powershell/Microsoft.Exchange"
LONGEST_S = 60.0


class ExchangeEndpoint:
    """
    Every shell of one server's Exchange endpoint.

    Args:
        lab: The server.
        longest_s: A Receive that waits longer is told so, whatever it asked for.
    """

    def __init__(self, lab: Lab, longest_s: float = LONGEST_S) -> None:
        self.lab, self.longest_s = lab, longest_s
        self._shells: dict[str, ExchangePipe] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """End every shell that nobody closed."""
        with self._lock:
            left, self._shells = list(self._shells.values()), {}
        for pipe in left:
            pipe.close()

    def answer(self, request: Request) -> Answer:
        """Do one operation."""
        try:
            if request.verb == "Create":
                return self._create(request)
            pipe = self._shells.get(request.shell_id or "")
            if pipe is None:
                raise RefusedError(NO_SHELL)
            if request.verb == "Delete":
                with self._lock:
                    del self._shells[request.shell_id or ""]
                pipe.close()
                return Answer("")
            return getattr(self, f"_{request.verb.lower()}")(pipe, request)
        except PipeError as error:
            raise RefusedError(NO_SHELL) from error

    def _create(self, request: Request) -> Answer:
        name = attribute(request.body, "ShellId") or new_id()
        pipe = ExchangePipe(self.lab)
        with self._lock:
            self._shells[name] = pipe
        pipe.data(_bytes(value(request.body, "creationXml")))
        url, selector = text_of(request.url), f'<w:Selector Name="ShellId">{name}</w:Selector>'
        return Answer(
            f"<x:ResourceCreated><a:Address>{url}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{CONFIGURATION}</w:ResourceURI><w:SelectorSet>{selector}"
            "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated><rsp:Shell>"
            f"<rsp:ShellId>{name}</rsp:ShellId><rsp:ResourceUri>{CONFIGURATION}</rsp:ResourceUri>"
            "<rsp:InputStreams>stdin pr</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout</rsp:OutputStreams></rsp:Shell>"
        )

    def _command(self, pipe: ExchangePipe, request: Request) -> Answer:
        name = attribute(request.body, "CommandId") or new_id()
        pipe.command(name.lower(), _bytes(value(request.body, "Arguments")))
        return Answer(
            f"<rsp:CommandResponse><rsp:CommandId>{name}</rsp:CommandId></rsp:CommandResponse>"
        )

    def _send(self, pipe: ExchangePipe, request: Request) -> Answer:
        of = (attribute(request.body, "CommandId") or POOL).lower()
        pipe.data(_bytes(value(request.body, "Stream")), of)
        return Answer("<rsp:SendResponse/>")

    def _receive(self, pipe: ExchangePipe, request: Request) -> Answer:
        name = attribute(request.body, "CommandId")
        longest_s = min(request.operation_timeout_s, self.longest_s)
        data = pipe.receive((name or POOL).lower(), longest_s)
        if data is None:
            raise RefusedError(TIMED_OUT)
        of = f' CommandId="{text_of(name)}"' if name else ""
        text = base64.b64encode(data).decode("ascii")
        return Answer(
            f'<rsp:ReceiveResponse><rsp:Stream Name="stdout"{of}>{text}</rsp:Stream>'
            f'<rsp:CommandState{of} State="{SHELL}/CommandState/Running"/></rsp:ReceiveResponse>'
        )

    def _signal(self, pipe: ExchangePipe, request: Request) -> Answer:
        of = (attribute(request.body, "CommandId") or POOL).lower()
        if (value(request.body, "Code") or "").lower().endswith("/terminate"):
            pipe.end(of)
        else:
            pipe.stop(of)
        return Answer("<rsp:SignalResponse/>")


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")
