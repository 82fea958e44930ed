"""
What is said to a shell of Windows, as pywinrm says it: its messages, written without a detour.

Pywinrm builds each message as a tree of dicts and has that written and read element by element,
which is half of what a light call to a server costs. What talks stays pywinrm's.
"""

from __future__ import annotations

import base64
import uuid
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_MUST = 'mustUnderstand="true"'
_ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_BEGIN = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
    f' xmlns:rsp="{_SHELL}"><env:Header><a:To>http://windows-host:5985/wsman</a:To>'
    f"<a:ReplyTo><a:Address {_MUST}>{_ANONYMOUS}</a:Address></a:ReplyTo>"
    f"<w:MaxEnvelopeSize {_MUST}>153600</w:MaxEnvelopeSize>"
    '<w:Locale mustUnderstand="false" xml:lang="en-US"></w:Locale>'
    '<p:DataLocale mustUnderstand="false" xml:lang="en-US"></p:DataLocale>'
    f"<w:ResourceURI {_MUST}>{_SHELL}/cmd</w:ResourceURI>"
)


class Received(NamedTuple):
    """What one message brought of a command's output; `code` is its exit code once it is done."""

    stdout: bytes
    stderr: bytes
    code: int | None


class Shells:
    """
    The shells of one server.

    Args:
        talk: Sends a message, and gives what answers it.
        operation_s: How long the server may wait before it answers that there is nothing yet.
    """

    def __init__(self, talk: Callable[[str], bytes], operation_s: int) -> None:
        self._talk, self._operation_s = talk, operation_s

    def create(self, codepage: int) -> str:
        """Open a shell without a profile, and give its id."""
        options = f"{_option('WINRS_NOPROFILE', 'TRUE')}{_option('WINRS_CODEPAGE', str(codepage))}"
        body = (
            "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        )
        answer = self._ask(f"{_TRANSFER}/Create", body, options=options)
        return next(node.text or "" for node in answer.iter() if node.get("Name") == "ShellId")

    def command(self, shell: str, program: str, arguments: Sequence[str]) -> str:
        """Start a program whose standard input is a pipe, and give the command's id."""
        options = _option("WINRS_CONSOLEMODE_STDIN", "FALSE")
        options += _option("WINRS_SKIP_CMD_SHELL", "FALSE")
        body = (
            f"<rsp:CommandLine><rsp:Command>{escape(program)}</rsp:Command>"
            f"<rsp:Arguments>{escape(' '.join(arguments))}</rsp:Arguments></rsp:CommandLine>"
        )
        answer = self._ask(f"{_SHELL}/Command", body, shell, options)
        return next(node.text or "" for node in answer.iter(f"{{{_SHELL}}}CommandId"))

    def send(self, shell: str, command: str, data: bytes, *, end: bool) -> None:
        """Give a command standard input."""
        text = base64.b64encode(data).decode("ascii")
        body = (
            f'<rsp:Send><rsp:Stream CommandId="{command}" Name="stdin"'
            f' End="{str(end).lower()}">{text}</rsp:Stream></rsp:Send>'
        )
        self._say(f"{_SHELL}/Send", body, shell)

    def receive(self, shell: str, command: str) -> Received:
        """Wait for output."""
        body = (
            f'<rsp:Receive><rsp:DesiredStream CommandId="{command}">stdout stderr'
            "</rsp:DesiredStream></rsp:Receive>"
        )
        streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        code, is_done = -1, False
        for node in self._ask(f"{_SHELL}/Receive", body, shell).iter():
            if node.tag == f"{{{_SHELL}}}Stream":
                streams.get(node.get("Name", ""), []).append(base64.b64decode(node.text or ""))
            elif node.tag == f"{{{_SHELL}}}CommandState":
                is_done = node.get("State", "").endswith("CommandState/Done")
            elif node.tag == f"{{{_SHELL}}}ExitCode":
                code = int(node.text or -1)
        out, err = (b"".join(pieces) for pieces in streams.values())
        return Received(out, err, code if is_done else None)

    def terminate(self, shell: str, command: str) -> None:
        """End a command, or what is left of it."""
        code = f"<rsp:Code>{_SHELL}/signal/terminate</rsp:Code>"
        body = f'<rsp:Signal CommandId="{command}">{code}</rsp:Signal>'
        self._say(f"{_SHELL}/Signal", body, shell)

    def delete(self, shell: str) -> None:
        """Close a shell, and what runs in it."""
        self._say(f"{_TRANSFER}/Delete", "", shell)

    def _say(self, action: str, body: str, shell: str = "", options: str = "") -> bytes:
        selector = f'<w:Selector Name="ShellId">{escape(shell)}</w:Selector>'
        return self._talk(
            f"{_BEGIN}<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
            f"<w:OperationTimeout>PT{self._operation_s}S</w:OperationTimeout>"
            f"<a:Action {_MUST}>{action}</a:Action>"
            + (f"<w:SelectorSet>{selector}</w:SelectorSet>" if shell else "")
            + (f"<w:OptionSet>{options}</w:OptionSet>" if options else "")
            + f"</env:Header><env:Body>{body}</env:Body></env:Envelope>"
        )

    def _ask(self, action: str, body: str, shell: str = "", options: str = "") -> ET.Element:
        return ET.fromstring(self._say(action, body, shell, options))  # noqa: S314  as pywinrm does


def _option(name: str, value: str) -> str:
    return f'<w:Option Name="{name}">{value}</w:Option>'
