"""What WS-Management says: requests taken apart, answers and faults as Windows puts them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from html import escape, unescape

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = f"{SHELL}/cmd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail"
VERBS = ("Create", "Delete", "Get", "Command", "Receive", "Send", "Signal")
_OPEN = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    f' xmlns:x="{TRANSFER}" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    f' xmlns:rsp="{SHELL}" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">'
    "<s:Header><a:Action>"
)
_FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_BODY = re.compile(r"<(?:[\w.-]+:)?Body\b[^>]*?(?:/>|>(.*)</(?:[\w.-]+:)?Body>)", re.DOTALL)
_OPTION = re.compile(r'<(?:[\w.-]+:)?Option\b[^>]*?\bName="([^"]*)"[^>]*?(?:/>|>([^<]*)<)')
_SELECTOR = re.compile(r'<(?:[\w.-]+:)?Selector\b[^>]*?\bName="ShellId"[^>]*>([^<]*)<')
_SECONDS = re.compile(r"P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")


class NotSoapError(Exception):
    """What came is no WS-Management request."""


@dataclass(frozen=True)
class Fault:
    """
    Why Windows refuses an operation.

    Args:
        code: Of the WSManFault, as 5 or 2150858843.
        text: What Windows says.
        subcode: Of SOAP, as `w:InvalidSelectors`.
        sender: Whether the client is to blame.
        detail: Last part of wsman's faultDetail URI.
        provider: Whether the shell itself refuses, not the service before it.
        reason: What SOAP's Reason says, where it is something else.
    """

    code: int
    text: str
    subcode: str = "w:InternalError"
    sender: bool = False
    detail: str | None = None
    provider: bool = False
    reason: str | None = None


class RefusedError(Exception):
    """An operation that is answered with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code, fault.text)
        self.fault = fault


@dataclass(frozen=True)
class Answer:
    """
    What a resource answers.

    Args:
        body: The inside of the SOAP body.
        action: Where it is not the request's with `Response`.
        whole: A whole envelope instead, as somebody recorded it.
        status: Of HTTP.
    """

    body: str
    action: str | None = None
    whole: str | None = None
    status: int = 200


@dataclass(frozen=True)
class Request:
    """
    One operation that a client asks for.

    Args:
        verb: Last part of the action: Create, Command, Send, Receive, Signal, Delete, Get, ...
        body: What stands inside the SOAP body, as text.
        options: Of the OptionSet, names in upper case.
        shell_id: Of the SelectorSet.
        operation_timeout_s: After this without output, Receive is answered with `TIMED_OUT`.
        max_envelope: The largest answer that the client takes, in bytes.
        user: Who signed in.
        client: Address.
        url: Of the endpoint, as clients see it.
    """

    verb: str
    action: str
    resource: str
    message_id: str
    body: str
    options: dict[str, str]
    shell_id: str | None
    operation_timeout_s: float
    max_envelope: int
    user: str = ""
    client: str = "127.0.0.1"
    url: str = ""
    machine: str = ""


TIMED_OUT = Fault(
    2150858793,
    "The WS-Management service cannot complete the operation within the time specified in"
    " OperationTimeout.  ",
    "w:TimedOut",
)
_SELECTORS = (
    "The WS-Management service cannot process the request because the request contained invalid"
    " selectors for the resource. "
)
NO_COMMAND = Fault(
    2150858843,
    "The Windows Remote Shell received a request to perform an operation on a command identifier"
    " that does not exist. Either the command has completed execution or the client specified an"
    " invalid command identifier. ",
    "w:InvalidSelectors",
    sender=True,
    detail="UnexpectedSelectors",
    reason=_SELECTORS,
)
NO_SHELL = Fault(
    2150858843,
    "The request for the Windows Remote Shell failed because the shell was not found on the"
    " server. Possible causes are: the specified ShellId is incorrect or the shell no longer"
    " exists on the server. Provide the correct ShellId or create a new shell and retry the"
    " operation. ",
    "w:InvalidSelectors",
    sender=True,
    detail="UnexpectedSelectors",
    reason=_SELECTORS,
)
TOO_MANY_SHELLS = Fault(
    2150859173,
    "The WS-Management service cannot process the request. This user is allowed a maximum number"
    " of 30 concurrent shells, which has been exceeded. Close existing shells or raise the quota"
    " for this user. ",
    "w:QuotaLimit",
)
TOO_MANY_OPERATIONS = Fault(
    2150859174,
    "The WS-Management service cannot process the request. This user is allowed a maximum number"
    " of 1500 concurrent operations, which has been exceeded. Close existing operations for this"
    " user, or raise the quota for this user. ",
    "w:QuotaLimit",
)
ACCESS_DENIED = Fault(5, "Access is denied. ", "w:AccessDenied", sender=True)
WRONG_PARAMETER = Fault(
    87,
    "The parameter is incorrect. ",
    "w:InvalidParameter",
    sender=True,
    detail="InvalidValue",
    provider=True,
)
NO_FILE = Fault(2147942402, "The system cannot find the file specified. ", provider=True)
FAULTS = {
    "operation-timeout": TIMED_OUT,
    "quota": TOO_MANY_SHELLS,
    "too-many-operations": TOO_MANY_OPERATIONS,
    "access-denied": ACCESS_DENIED,
    "shell-gone": NO_SHELL,
}


def no_resource(uri: str) -> Fault:
    """Refuse a resource URI that nothing here answers for."""
    text = (
        f"The WS-Management service cannot process the request. The resource URI ({uri}) was not"
        " found in the WS-Management catalog. The catalog contains the metadata that describes"
        " resources, or logical endpoints. "
    )
    return Fault(
        2150858811, text, "a:DestinationUnreachable", sender=True, detail="InvalidResourceURI"
    )


def read_request(text: str, **more: str) -> Request:
    """
    Take a request apart.

    Raises:
        NotSoapError: No action or message id, or it does not end.
    """
    if not text.rstrip().endswith("Envelope>"):
        raise NotSoapError(text[:200])
    cut = re.search(r"<(?:[\w.-]+:)?Body\b", text)
    head = text[: cut.start()] if cut else text
    action, message_id = value(head, "Action"), value(head, "MessageID")
    if not action or not message_id:
        raise NotSoapError(text[:200])
    body = _BODY.search(text, cut.start() if cut else 0)
    shell = _SELECTOR.search(head)
    return Request(
        verb=action.rpartition("/")[2],
        action=action,
        resource=value(head, "ResourceURI") or "",
        message_id=message_id,
        body=(body[1] or "") if body else "",
        options={unescape(name).upper(): unescape(v or "") for name, v in _OPTION.findall(head)},
        shell_id=shell[1].strip() if shell else None,
        operation_timeout_s=seconds(value(head, "OperationTimeout") or "PT60S"),
        max_envelope=int(value(head, "MaxEnvelopeSize") or 153600),
        **more,
    )


_VALUES: dict[str, re.Pattern[str]] = {}


def value(text: str, name: str) -> str | None:
    """Give the text of the first element of this local name; None where there is none."""
    pattern = _VALUES.get(name)
    if pattern is None:
        pattern = re.compile(rf"<(?:[\w.-]+:)?{name}\b[^>]*?(?:/>|>([^<]*)<)")
        _VALUES[name] = pattern
    found = pattern.search(text)
    return unescape(found[1] or "").strip() if found else None


def values(text: str, name: str) -> list[str]:
    """Give the text of each element of this local name, blanks kept."""
    found = re.findall(rf"<(?:[\w.-]+:)?{name}\b[^>]*?(?:/>|>([^<]*)<)", text)
    return [unescape(one) for one in found]


def attribute(text: str, name: str) -> str | None:
    """Give the first attribute of this name."""
    found = re.search(rf'\s{name}="([^"]*)"', text)
    return unescape(found[1]) if found else None


def seconds(duration: str) -> float:
    """Read an ISO 8601 duration as WS-Management uses it: PT20S, PT1M."""
    found = _SECONDS.fullmatch(duration)
    if not found:
        return 60.0
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def text_of(content: str) -> str:
    """Escape a value for an element."""
    return escape(content, quote=True)


def new_id() -> str:
    """Give an id as Windows writes it."""
    return str(uuid.uuid4()).upper()


def envelope(request: Request, answer: Answer) -> str:
    """Put an answer in its envelope."""
    if answer.whole is not None:
        return answer.whole
    action = answer.action or f"{request.action}Response"
    return _envelope(action, request.message_id, answer.body)


def fault_envelope(request: Request, fault: Fault) -> str:
    """Put a fault in its envelope."""
    text = text_of(fault.text)
    message, reason = text, text_of(fault.reason or fault.text)
    if fault.provider:
        path = r"%systemroot%\system32\winrscmd.dll"
        message = (
            f'<f:ProviderFault provider="Shell cmd plugin" path="{path}">{text}</f:ProviderFault>'
        )
    detail = f"<w:FaultDetail>{DETAIL}/{fault.detail}</w:FaultDetail>" if fault.detail else ""
    body = (
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if fault.sender else 'Receiver'}</s:Value>"
        f"<s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}'
        f'<f:WSManFault xmlns:f="{_FAULT}" Code="{fault.code}" Machine="{request.machine}">'
        f"<f:Message>{message}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope(_FAULT_ACTION, request.message_id, body)


def _envelope(action: str, relates_to: str, body: str) -> str:
    return (
        f"{_OPEN}{action}</a:Action><a:MessageID>uuid:{new_id()}</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To><a:RelatesTo>{text_of(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )
