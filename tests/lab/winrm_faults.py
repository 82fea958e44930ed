"""What goes wrong on purpose: at which request, how, how often; and how an answer is spoiled."""

from __future__ import annotations

import base64
import random
import re
import threading
from dataclasses import dataclass

from winrm_http import HttpAnswer
from winrm_soap import FAULTS, VERBS

# The server does nothing but this.
BEFORE = (
    "reset", "close", "silence", "401", "500", "503", "500-page", "html-200", "xhtml-200",
    "html-502", *FAULTS,
)  # fmt: skip
# The server does what is asked, and spoils the answer on its way.
AFTER = ("reset-after", "close-after", "half", "drip", "not-xml", "relates-to")
# The same, and only output can be spoiled so.
OUTPUT = ("cut", "changed", "doubled")
KINDS = BEFORE + AFTER + OUTPUT
_HTML = b"<!DOCTYPE html><html><head><title>Zugang</title></head><body>Bitte anmelden<br>"
_XHTML = b"<html><head><title>Proxy</title></head><body><p>Please sign in.</p></body></html>"
_HTML_502 = "<html><body>Gateway f\u00fcr EX01 gest\u00f6rt<br>".encode("cp1252")
_PAGES = {
    "500": (500, "", b""),
    "503": (503, "", b""),
    "500-page": (500, "text/html", _XHTML),
    "html-200": (200, "text/html; charset=utf-8", _HTML),
    "xhtml-200": (200, "text/html; charset=utf-8", _XHTML),
    "html-502": (502, "text/html; charset=windows-1252", _HTML_502),
}
_STREAM = re.compile(r'(<rsp:Stream Name="stdout"[^>]*>)([^<]+)(</rsp:Stream>)')


@dataclass(frozen=True)
class Trouble:
    """
    One thing that goes wrong.

    Args:
        kind: One of `KINDS`.
        at: Create, Command, Send, Receive, Signal, Delete; `*` for each of them; `sign-in` for a
            request that still has to say who sends it; `connect` for a fresh connection.
        nth: At the how manieth of these.
        times: How often from there on; None is for ever.
        path: Only below this path, as `/powershell`.
    """

    kind: str
    at: str = "Receive"
    nth: int = 1
    times: int | None = 1
    path: str = "/"


class Faults:
    """
    Decides of each request what goes wrong with it.

    Args:
        troubles: In order; the first that applies is taken.
        seed: For what is chosen within an answer, as the byte that is changed.
        drip_s: Between two bytes of a slow drip.
        silence_s: How long silence lasts, then the connection is closed.
    """

    def __init__(
        self, *troubles: Trouble, seed: int = 0, drip_s: float = 0.05, silence_s: float = 60
    ) -> None:
        self.troubles = list(troubles)
        self.random = random.Random(seed)
        self.drip_s, self.silence_s = drip_s, silence_s
        self.fired: list[tuple[str, str]] = []
        self._seen = [0] * len(troubles)
        self._lock = threading.Lock()

    @classmethod
    def seeded(cls, seed: int, kinds: tuple[str, ...] = KINDS, **more: float) -> Faults:
        """Choose one trouble, where it happens and how often, by a number."""
        chance = random.Random(seed)
        kind = chance.choice(kinds)
        at = "Receive" if kind in OUTPUT else chance.choice(VERBS[:2] + VERBS[3:])
        if kind == "401" and chance.random() < 0.5:
            at = "sign-in"
        times = chance.choice((1, 1, 2, None))
        return cls(Trouble(kind, at, chance.choice((1, 1, 2, 3)), times), seed=seed, **more)

    def decide(self, at: str, path: str = "/") -> Trouble | None:
        """Say what goes wrong with this request; counts it."""
        if not self.troubles:
            return None
        found = None
        with self._lock:
            for number, one in enumerate(self.troubles):
                if not path.startswith(one.path) or not _meant(one.at, at):
                    continue
                self._seen[number] += 1
                last = float("inf") if one.times is None else one.nth + one.times
                if found is None and one.nth <= self._seen[number] < last:
                    found = one
            if found:
                self.fired.append((found.kind, at))
        return found


def page(trouble: Trouble) -> HttpAnswer:
    """Give what a proxy or a broken service answers."""
    status, kind, body = _PAGES[trouble.kind]
    return HttpAnswer(status, (("Content-Type", kind),) if kind else (), body)


def spoilt(trouble: Trouble, text: str, chance: random.Random) -> str:
    """Spoil an answer before it is encrypted: its RelatesTo, or its output."""
    if trouble.kind == "relates-to":
        other = "uuid:00000000-0000-0000-0000-000000000000"
        return re.sub("(<a:RelatesTo>)[^<]*", rf"\g<1>{other}", text, count=1)
    found = list(_STREAM.finditer(text))
    if trouble.kind not in OUTPUT or not found:
        return text
    if trouble.kind == "doubled":
        return _STREAM.sub(r"\1\2\3\1\2\3", text)
    cut = trouble.kind == "cut"
    one = found[-1] if cut else chance.choice(found)
    new = _cut(one[2]) if cut else _changed(one[2], chance)
    return text[: one.start(2)] + new + text[one.end(2) :]


def spoilt_bytes(trouble: Trouble, data: bytes, head: int) -> bytes:
    """Spoil an answer on the wire; its first `head` bytes are the HTTP header."""
    if trouble.kind == "not-xml":
        return data[:head] + b"\x01" * (len(data) - head)
    if trouble.kind == "half":
        return data[: head + (len(data) - head) // 2]
    return data


def _meant(wanted: str, at: str) -> bool:
    return wanted == at or (wanted == "*" and at not in {"sign-in", "connect"})


def _cut(text: str) -> str:
    raw = base64.b64decode(text)
    return base64.b64encode(raw[: len(raw) // 2]).decode("ascii")


def _changed(text: str, chance: random.Random) -> str:
    raw = bytearray(base64.b64decode(text))
    at = chance.randrange(len(raw))
    raw[at] = ord("B") if raw[at] == ord("A") else ord("A")
    return base64.b64encode(bytes(raw)).decode("ascii")
