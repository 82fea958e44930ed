"""Dangerous strings, every way in which this program writes one, and what must be read there."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from changelog_tracker.model import Change
from changelog_tracker.replay import powershell
from changelog_tracker.replay.commands import Context, redo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTEXT = Context("EX01", "2019")
ANY = Context("EX01")
OWA = ("OwaVirtualDirectory", "owa (Default Web Site)")
PLACE = "Default Web Site/owa"
STATIC = f"{PLACE} : system.webServer/staticContent"

# The test's own list; the program's is what is tested.
FIVE = ("\u0027", "\u2018", "\u2019", "\u201a", "\u201b")
DANGEROUS = (
    *FIVE,
    *FIVE,
    *("\u201c", "\u201d", "\u201e", '"', "`", "``", "$", "$(calc)", "$env:windir", "@(", "@{", "}"),
    *(
        ")",
        "(",
        "]",
        ";",
        "; calc; ",
        "|",
        "&",
        "#",
        "<#",
        "#>",
        ",",
        " + ",
        "--%",
        "--",
        "-",
        "-Force",
        "-Force:",
        "%",
    ),
    *("@'\r\n", "\r\n'@", "\r", "\n", "\r\n", "\t", "\0", "\x07", "\x1b", "\x7f", "\x85", "\xa0"),
    *("\u2013", "\u2014", "\u2015", "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\ufeff"),
    *("\ufffe", "\uffff", "\ud800", "\udbff", "\udc00", "\udfff", "\U0001f600", "\U0010ffff"),
    *("[char]0x41", "[char]", "0x27", "a", "abc", " ", "", "\\", "\\ ", "/", "é", "ß", "日本"),
)


def hostile_strings(count: int, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(chance.choices(DANGEROUS, k=chance.randint(1, 7)))


def owa(setting: str, after: object) -> str | None:
    return redo(Change(*OWA, setting, "changed", None, after), CONTEXT).text


def iis(kind: str, resource: str, setting: str, after: object) -> str | None:
    return redo(Change(kind, resource, setting, "changed", None, after), CONTEXT).text


SET_OWA = ["bSet-OwaVirtualDirectory", "pIdentity", "sEX01\\owa (Default Web Site)"]
APPCMD = "e$env:windir\\system32\\inetsrv\\appcmd.exe"
SET_CONFIG = [APPCMD, "bset", "bconfig"]
MIME = "s/section:system.webServer/staticContent"
COMMIT = "s/commit:apphost"

# Every renderer: the text it writes for a string, and what PowerShell must read in it. None is a
# refusal, which is always safe.
RENDERERS: dict[str, tuple[Callable[[str], str | None], Callable[[str], list[str]]]] = {
    "constant as it is": (
        lambda text: f"x {powershell.quoted(text)}",
        lambda text: ["bx", f"s{text}"],
    ),
    "parameter": (
        lambda text: owa("DefaultDomain", text),
        lambda text: [*SET_OWA, "pDefaultDomain", f"s{text}"],
    ),
    "value of appcmd": (
        lambda text: iis("IisSection", STATIC, "defaultDocFooter", text),
        lambda text: [*SET_CONFIG, f"s{PLACE}", MIME, f"s/defaultDocFooter:{text}", COMMIT],
    ),
}
# These use the same two ways to write a text; strings take turns in them.
MORE_RENDERERS: dict[str, tuple[Callable[[str], str | None], Callable[[str], list[str]]]] = {
    "list": (
        lambda text: owa("BlockedFileTypes", [text, ".exe"]),
        lambda text: [*SET_OWA, "pBlockedFileTypes", "a", f"s{text}", "s.exe", "z"],
    ),
    "table": (
        lambda text: f"x {powershell.literal({'Add': [text, 'b'], 'Remove': text})}",
        lambda text: ["bx", "h", "bAdd", "a", f"s{text}", "sb", "z", "bRemove", f"s{text}", "z"],
    ),
    "identity": (
        lambda text: (
            redo(Change("ClientAccessArray", text, "Name", "changed", None, "a"), ANY).text
        ),
        lambda text: ["bSet-ClientAccessArray", "pIdentity", f"s{text}", "pName", "sa"],
    ),
    "server": (
        lambda text: (
            redo(Change("PopSettings", "1", "Banner", "changed", None, text), Context(text)).text
        ),
        lambda text: ["bSet-PopSettings", "pServer", f"s{text}", "pBanner", f"s{text}"],
    ),
    "place": (
        lambda text: iis("IisSection", f"{text}x : system.webServer/staticContent", "a", 1),
        lambda text: [*SET_CONFIG, f"s{text}x", MIME, "s/a:1", COMMIT],
    ),
    "pool": (
        lambda text: iis("IisAppPool", text, "queueLength", 10),
        lambda text: [APPCMD, "bset", "bapppool", f"s/apppool.name:{text}", "s/queueLength:10"],
    ),
    "key of an element": (
        lambda text: iis("IisSection", STATIC, f"[fileExtension='{doubled(text)}'].a", "b"),
        lambda text: [*SET_CONFIG, f"s{PLACE}", MIME, f"s/[fileExtension='{text}'].a:b", COMMIT],
    ),
    "new element": (
        lambda text: iis("IisSection", STATIC, "[fileExtension='.abc']", {"mimeType": text}),
        lambda text: [
            *SET_CONFIG,
            f"s{PLACE}",
            MIME,
            f"s/+[fileExtension='.abc',mimeType='{text}']",
            COMMIT,
        ],
    ),
}


def doubled(text: str) -> str:
    return text.replace("'", "''")


def rendered(count: int, seed: int = 1) -> tuple[list[str], list[list[str]], dict[str, int]]:
    """The commands, what must be read in each, and how many each renderer wrote."""
    commands: list[str] = []
    expected: list[list[str]] = []
    written = dict.fromkeys([*RENDERERS, *MORE_RENDERERS], 0)
    more = list(MORE_RENDERERS.items())
    for number, text in enumerate(hostile_strings(count, seed)):
        for name, (write, read) in (*RENDERERS.items(), more[number % len(more)]):
            command = write(text)
            if command is not None:
                written[name] += 1
                commands.append(command)
                expected.append(read(text))
    return commands, expected, written
