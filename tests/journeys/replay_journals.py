"""Writes journals as a replay script does, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

OWA_VDIR = ("OwaVirtualDirectory", "owa (Default Web Site)")
ACCESS = ("IisSection", "Default Web Site/owa : system.webServer/security/access")


def text(value: str) -> str:
    """Write a text as the script does: XML, and `\\uXXXX` for what is no printable ASCII."""
    units = value.encode("utf-16-be", "surrogatepass")
    chars = [units[n] * 256 + units[n + 1] for n in range(0, len(units), 2)]
    return "".join(
        escape(chr(c)) if 0x20 <= c <= 0x7E and c != 0x5C else f"\\u{c:04X}" for c in chars
    )


def value(name: str, found: Any, wanted: Any) -> str:
    """Write one value; a list has an element for each of its items."""
    kinds = [_kind(side) for side in (found, wanted)]
    line = f'<value name="{text(name)}" type="{kinds[0]}"'
    if kinds[0] != kinds[1]:
        line += f' wantedtype="{kinds[1]}"'
    inside = ""
    for tag, side in (("found", found), ("wanted", wanted)):
        if isinstance(side, list):
            inside += "".join(f"<{tag}>{text(item)}</{tag}>" for item in side)
        elif side is not None:
            said = str(side).lower() if isinstance(side, bool) else str(side)
            line += f' {tag}="{text(said)}"'
    return f"{line}>{inside}</value>"


def _kind(side: Any) -> str:
    kinds = {bool: "bool", int: "int", str: "text", list: "list", type(None): "null"}
    return kinds[type(side)]


@dataclass
class Journal:
    """A journal of one run; steps are a second apart."""

    started: str = "2026-11-02T09:00:00Z"
    plan: str = "4f2a"
    server: str = "EX01"
    target: str = "EX01"
    mode: str = "replay"
    operator: str = "CONTOSO\\anna"
    host: str = "EX01"
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = ("plan", "server", "target", "mode", "operator", "host", "started")
        said = "".join(f' {name}="{text(getattr(self, name))}"' for name in names)
        self.lines.insert(0, f'<run format="1"{said} program="changelog_tracker 0" dc="DC01"/>')

    def step(
        self,
        about: tuple[str, str, str | None],
        *values: str,
        at: str = "",
        state: str = "set",
        op: str = "set",
        killed: bool = False,
    ) -> Journal:
        """Add the line before a write and the one after it."""
        number = f"s{sum('kind=' in line for line in self.lines) + 1:03}"
        when = at or self.started
        names = zip(("kind", "resource", "setting"), about, strict=True)
        said = "".join(f' {name}="{text(part)}"' for name, part in names if part is not None)
        head = f'<step id="{number}" at="{when}"'
        self.lines.append(f'{head} state="setting" op="{op}"{said}>{"".join(values)}</step>')
        if not killed:
            self.lines.append(f'{head} state="{state}"/>')
        return self

    def end(self, code: int = 0) -> Journal:
        """Add the last line."""
        self.lines.append(f'<end at="{self.started}" code="{code}"/>')
        return self

    def data(self) -> bytes:
        """Give its bytes."""
        return "".join(f"{line}\r\n" for line in self.lines).encode("ascii")

    def write(self, file: Path) -> Path:
        """Write it."""
        file.write_bytes(self.data())
        return file
