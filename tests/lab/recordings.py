"""SOAP exchanges that somebody recorded with Windows: read, played back, compared in shape."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from winrm_soap import Answer, value

if TYPE_CHECKING:
    from pathlib import Path

    from winrm_soap import Request

_LINE = re.compile(r"^(- request|  response|    code): (.*)$")
_STREAM = re.compile(r'<rsp:Stream Name="(\w+)" CommandId="[^"]*">([^<]+)</rsp:Stream>')
# What is the same whoever asks: these texts and attributes belong to the shape.
_FIXED = {"Action", "ResourceURI", "ResourceUri", "Value", "FaultDetail", "ExitCode", "To"}
_FIXED |= {"Text", "Message", "ProviderFault", "IdleTimeOut", "WorkingDirectory", "Variable"}
# Some of the recorded servers trace each call by it, others do not.
_SOMETIMES = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}ActivityId"
_FIXED_ATTRIBUTES = {"State", "Code", "End", "Name", "provider", "path"}


@dataclass(frozen=True)
class Message:
    """One request, and what Windows answered with which HTTP status."""

    request: str
    response: str
    status: int = 200

    @property
    def verb(self) -> str:
        """What was asked."""
        return (value(self.request, "Action") or "").rpartition("/")[2]


def read(file: Path) -> list[Message]:
    """Read a recording: of YAML, the little that such a file uses."""
    found: list[dict[str, str]] = []
    for line in file.read_text("utf-8").splitlines():
        key = _LINE.match(line)
        if not key:
            continue
        name, text = key[1].strip(" -"), key[2]
        if text.startswith("'"):
            text = text[1:-1].replace("''", "'")
        if name == "request":
            found.append({})
        found[-1][name] = text
    return [Message(m["request"], m["response"], int(m.get("code", 200))) for m in found]


def output(messages: list[Message]) -> tuple[bytes, bytes, int]:
    """Give what the recorded command wrote: stdout, stderr, exit code."""
    text = "".join(one.response for one in messages)
    streams = {"stdout": b"", "stderr": b""}
    for name, data in _STREAM.findall(text):
        streams[name] += base64.b64decode(data)
    return streams["stdout"], streams["stderr"], int(value(text, "ExitCode") or 0)


class Played:
    """
    A resource that answers with what Windows once answered, in that order.

    Only RelatesTo is made to fit. A request that is not the one recorded next, or that names
    another shell or command than Windows gave, is an AssertionError: the server's failure.
    """

    def __init__(self, messages: list[Message]) -> None:
        self.left = list(messages)

    def answer(self, request: Request) -> Answer:
        """Give the next answer."""
        assert self.left, f"nothing is recorded after {request.verb}"
        now = self.left.pop(0)
        assert now.verb == request.verb, (now.verb, request.verb)
        assert request.shell_id == selector(now.request), request
        assert command(request.body) == command(now.request), request
        related = re.sub(
            "(<a:RelatesTo>)[^<]*", rf"\g<1>{request.message_id}", now.response, count=1
        )
        return Answer("", whole=related, status=now.status)

    def close(self) -> None:
        """Nothing runs."""


def selector(text: str) -> str | None:
    """Give the ShellId that a request names."""
    found = re.search(r'Selector Name="ShellId">([^<]*)', text)
    return found[1] if found else None


def command(text: str) -> str | None:
    """Give the CommandId that a request names."""
    found = re.search(r'CommandId="([^"]*)"', text)
    return found[1] if found else None


def shape(text: str) -> list[str]:
    """
    Give an envelope without what changes from call to call: one line an element.

    Qualified names in order with their depth, attribute names, and the fixed texts; output that
    came in several pieces counts as one.
    """
    lines: list[str] = []
    _shape(ET.fromstring(text), 0, lines)
    return [one for at, one in enumerate(lines) if at == 0 or one != lines[at - 1]]


def _shape(element: ET.Element, depth: int, lines: list[str]) -> None:
    local = element.tag.rpartition("}")[2]
    attributes = [
        f"{name}={text}" if name in _FIXED_ATTRIBUTES else name
        for name, text in sorted(element.attrib.items())
    ]
    fixed = (element.text or "").strip() if local in _FIXED else ""
    lines.append(f"{depth} {element.tag} {attributes} {fixed}")
    for child in [one for one in element if one.tag != _SOMETIMES]:
        _shape(child, depth + 1, lines)
