"""What WinRS answers: the inside of SOAP bodies, element for element as Windows writes them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from winrm_soap import CMD, SHELL, text_of, value

if TYPE_CHECKING:
    from winrm_shells import Shell
    from winrm_soap import Request


def received(command: str, taken: list[tuple[str, bytes]], code: int | None) -> str:
    """Answer a Receive; `code` is None while the command runs."""
    parts = ["<rsp:ReceiveResponse>"]
    for stream, data in taken:
        text = base64.b64encode(data).decode("ascii")
        parts.append(f'<rsp:Stream Name="{stream}" CommandId="{command}">{text}</rsp:Stream>')
    state = f'<rsp:CommandState CommandId="{command}" State="{SHELL}/CommandState'
    if code is None:
        parts.append(f'{state}/Running"></rsp:CommandState>')
    else:
        parts += [
            f'<rsp:Stream Name="{stream}" CommandId="{command}" End="true"></rsp:Stream>'
            for stream in ("stdout", "stderr")
        ]
        parts.append(f'{state}/Done"><rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>')
    return "".join([*parts, "</rsp:ReceiveResponse>"])


def created(request: Request, shell: Shell) -> str:
    """Answer a Create."""
    return (
        f"<x:ResourceCreated><a:Address>{text_of(request.url)}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated>{described(request, shell)}"
    )


def described(request: Request, shell: Shell) -> str:
    """Describe a shell."""
    body = request.body
    variables = "".join(
        f'<rsp:Variable Name="{_echoed(name)}">{text_of(text)}</rsp:Variable>'
        for name, text in shell.environment.items()
    )
    folder = f"<rsp:WorkingDirectory>{text_of(shell.folder)}" if shell.folder else ""
    return (
        f'<rsp:Shell xmlns:rsp="{SHELL}"><rsp:ShellId>{shell.id}</rsp:ShellId>'
        f"<rsp:ResourceUri>{CMD}</rsp:ResourceUri><rsp:Owner>{text_of(shell.owner)}</rsp:Owner>"
        f"<rsp:ClientIP>{request.client}</rsp:ClientIP>"
        + (f"{folder}</rsp:WorkingDirectory>" if folder else "")
        + (f"<rsp:Environment>{variables}</rsp:Environment>" if variables else "")
        + f"<rsp:IdleTimeOut>{_idle(body)}</rsp:IdleTimeOut>"
        f"<rsp:InputStreams>{value(body, 'InputStreams') or 'stdin'}</rsp:InputStreams>"
        f"<rsp:OutputStreams>{value(body, 'OutputStreams') or 'stdout stderr'}"
        "</rsp:OutputStreams><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>"
        "<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>"
    )


def _idle(body: str) -> str:
    asked = re.fullmatch(r"PT(\d+)(?:\.\d+)?S", value(body, "IdleTimeOut") or "")
    return f"PT{asked[1] if asked else 7200}.000S"


def _echoed(name: str) -> str:
    """Windows gives the command a name's backslash, and leaves it out of the answer."""
    return text_of(name.replace("\\", ""))
