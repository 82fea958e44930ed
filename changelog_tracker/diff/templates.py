"""
What is a server's own inside its values: its names, certificates, sites, paths and build.

A value with these parts told apart is its *template*. Two values are the same to a farm where
their templates are; a value of one server becomes the other's by its template. A name is only
found where nothing else can stand: as a whole host, before a backslash, after `CN=`, or alone. So
EX1 is never found in EX10, nor a server MAIL in mail.contoso.com.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from changelog_tracker.diff.compare import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from changelog_tracker.model import Value


class Part(NamedTuple):
    """One part of a value that is a server's own: what it is, and which one of several."""

    what: str
    which: str = ""


# Parts of a text in their order: what is said as it is, and what is a server's own.
Template: TypeAlias = "tuple[str | Part, ...]"


@dataclass(frozen=True, slots=True)
class Own:
    """
    What is one server's own.

    Args:
        short: Its short name.
        fqdn: Its full name; None where it is not known.
        namespace: Whether clients use the full name as an address of the farm, so that in a URL
            it means that and not this server.
        install: Where Exchange is installed, with either slash.
        build: Its build.
        certificates: What each certificate is called on both servers, by thumbprint in capitals.
        sites: The names of its web sites, by number.
    """

    short: str
    fqdn: str | None = None
    namespace: bool = False
    install: str | None = None
    build: str | None = None
    certificates: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)


class Templates:
    """
    Finds in values what is a server's own, and puts there what is another's.

    Args:
        own: What is the server's own.
    """

    def __init__(self, own: Own) -> None:
        self.own = own
        self._pattern = re.compile("|".join(_patterns(own)), re.IGNORECASE)

    def of(self, text: str) -> Template:
        """Give the template of a text."""
        parts: list[str | Part] = []
        at = 0
        for match in self._pattern.finditer(text):
            part = self._part(match)
            if part is None:
                continue
            parts += [text[at : match.start()], part]
            at = match.end()
        return tuple(part for part in (*parts, text[at:]) if part != "")

    def comparable(self, value: Value) -> Value:
        """Give what compares a value: itself, with its texts as templates where they have parts."""
        if isinstance(value, str):
            template = self.of(value)
            if not any(isinstance(part, Part) for part in template):
                return value
            return [[*part] if isinstance(part, Part) else part for part in template]
        if isinstance(value, list):
            return [self.comparable(one) for one in value]
        if isinstance(value, dict) and not is_secret(value):
            return {name: self.comparable(one) for name, one in value.items()}
        return value

    def untranslatable(self, value: Value, other: Own) -> str | None:
        """Say why a value cannot be written with what is another server's own, or None."""
        for text in _texts(value):
            for part in self.of(text):
                if isinstance(part, Part) and _render(part, other) is None:
                    return f"{_WORDS[part.what]} has no counterpart on {other.short}"
        return None

    def translated(self, value: Value, other: Own) -> Value:
        """Write a value with what is another server's own; what has no counterpart stays."""
        if isinstance(value, str):
            return self._text(value, other)
        if isinstance(value, list):
            return [self.translated(one, other) for one in value]
        if isinstance(value, dict) and not is_secret(value):
            return {self._text(n, other): self.translated(v, other) for n, v in value.items()}
        return value

    def _text(self, text: str, other: Own) -> str:
        def written(match: re.Match[str]) -> str:
            part = self._part(match)
            new = _render(part, other) if part else None
            return match[0] if new is None else _in_the_case_of(match[0], new)

        return self._pattern.sub(written, text)

    def _part(self, match: re.Match[str]) -> Part | None:
        what = match.lastgroup or ""
        if what == "certificate":
            return Part(what, self.own.certificates[match[0].upper()])
        if what == "site":
            name = self.own.sites.get(match[0])
            return Part(what, name) if name is not None else None
        if what == "install":
            return Part(what, "/" if "/" in match[0] else "\\")
        return Part({"metabase": "fqdn"}.get(what, what))


_WORDS = {
    "fqdn": "the server's full name",
    "short": "the server's name",
    "certificate": "a certificate",
    "site": "a web site",
    "install": "the folder of Exchange",
    "build": "the build",
    "machine": "the first name of Windows",
}


def _patterns(own: Own) -> Iterator[str]:
    """Give what finds each kind of part; the longer name stands before the shorter."""
    short = re.escape(own.short)
    if own.fqdn:
        fqdn = re.escape(own.fqdn)
        yield rf"(?P<metabase>(?<=IIS://)(?:{fqdn}|{short})(?=/))"
        not_in_url = "(?<!//)" if own.namespace else ""
        yield rf"(?P<fqdn>(?<![\w.-]){not_in_url}{fqdn}(?![\w-]|\.\w))"
    if own.certificates:
        any_of = "|".join(map(re.escape, own.certificates))
        yield rf"(?P<certificate>(?<![0-9A-F])(?:{any_of})(?![0-9A-F]))"
    # A drive by itself is no folder that anybody installs to.
    if own.install and len(own.install.strip("\\/")) > 3:
        root = r"[\\/]".join(map(re.escape, re.split(r"[\\/]+", own.install.rstrip("\\/"))))
        yield rf"(?P<install>(?<!\w){root}(?![^\\/\"';,|)\s]))"
    if own.build:
        yield rf"(?P<build>(?<![\d.]){re.escape(own.build)}(?![\d.]))"
    # Windows names the certificate of its management service after the name that it had first.
    yield r"(?P<machine>(?<=CN=WMSvc-)[\w-]+)"
    yield r"(?P<site>(?<=W3SVC/)\d+(?=/|$))"
    yield (
        rf"(?P<short>(?<![\w.-]){short}(?=\\)|(?<=CN=){short}(?=[,/+]|$)"
        rf"|(?<=//){short}(?=[:/]|$)|(?<=['\"]){short}(?=['\"])|^{short}$)"
    )


def _render(part: Part, own: Own) -> str | None:
    """Give what a part is on a server, or None where it has none."""
    if part.what == "certificate":
        return _named(own.certificates, part.which)
    if part.what == "site":
        return _named(own.sites, part.which)
    if part.what == "install":
        return re.sub(r"[\\/]+", lambda _: part.which, own.install) if own.install else None
    known = {"fqdn": own.fqdn, "short": own.short, "build": own.build}
    return known.get(part.what)


def _named(names: Mapping[str, str], name: str) -> str | None:
    return next((one for one, called in names.items() if called == name), None)


def _in_the_case_of(old: str, new: str) -> str:
    """Write a name in small letters, or in capitals, where the other was."""
    if old.islower():
        return new.lower()
    return new.upper() if old.isupper() else new


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict) and not is_secret(value):
        for name, one in value.items():
            yield name
            yield from _texts(one)
