"""What `verify` says behind the differences: signs, sums, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from changelog_tracker.report import columns, compose, escape, words
from changelog_tracker.report.document import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from changelog_tracker.report.document import About, Document
    from changelog_tracker.report.look import Look
    from changelog_tracker.report.phrases import Line

_SIGNS = (
    columns.of("server", "Server", width=12),
    columns.of("place", "Place", "name", 48),
    columns.of("sign", "Sign", width=48),
    columns.of("advice", "What to do", width=48),
)
_NOTE = (
    "What stands here was restored from before a rebuild, or is left from it. It is not put right "
    "by patching it."
)


@dataclass(frozen=True, slots=True)
class Sums:
    """
    What was verified.

    Args:
        server: Its name.
        snapshot: The id of the snapshot that was taken as wanted.
        against: What was taken as wanted, in words.
        newest: What was held against it, in words.
        compared: How many wanted settings were compared.
        as_wanted: How many of them are as wanted.
        encrypted: How many values nobody can compare, since each machine encrypts its own.
        renewed: How many self-signed certificates stand for older ones.
        same: Whether it is the server of the wanted state, in words.
    """

    server: str
    snapshot: int
    against: str
    newest: str
    compared: int
    as_wanted: int
    encrypted: int
    renewed: int
    same: str


@dataclass(frozen=True, slots=True)
class Found:
    """The lines of `verify --json`, by what they are: differences, kinds not read, signs."""

    lines: Sequence[Line]
    unread: Sequence[Line]
    signs: Sequence[Line]


def told(sums: Sums, found: Found) -> dict[str, str]:
    """Word what was verified, the result and the next step, label to words, in this order."""
    builds = [
        f"wanted {one['wanted']}, found {one['found']}: {one['why_not']}"
        for one in found.lines
        if one.get("class") == "product-update" and one.get("setting") == "Build"
    ]
    result = _result(found)
    return {
        "verified": f"{sums.newest} against {sums.against}",
        "as wanted": f"{sums.as_wanted:,} of {sums.compared:,} settings compared{_left_out(sums)}",
        "server": sums.same,
        **({"build": "; ".join(builds)} if builds else {}),
        "result": f"not as wanted: {result}" if result else "all is as wanted",
        "next": _next(sums, found),
    }


def _left_out(sums: Sums) -> str:
    parts = []
    if sums.encrypted:
        values = words.count(sums.encrypted, "encrypted value")
        parts.append(f"{values} not compared, for each machine encrypts with its own key")
    if sums.renewed:
        certificates = words.count(sums.renewed, "self-signed certificate")
        parts.append(f"{certificates} renewed under the same subject")
    return "".join(f"; {part}" for part in parts)


def _result(found: Found) -> str:
    parts = (
        (found.lines, "difference", ""),
        (found.unread, "kind", " not read, so not verified"),
        (found.signs, "sign", " of a restored configuration"),
    )
    return ", ".join(f"{words.count(len(many), noun)}{end}" for many, noun, end in parts if many)


def _next(sums: Sums, found: Found) -> str:
    if found.signs:
        return "do what stands at the signs, import a new snapshot, and verify again"
    if found.unread:
        return "import a snapshot that reads what was not read, and verify again"
    if found.lines:
        return (
            f"changelog-tracker replay {sums.server} --to {sums.snapshot} -o DIR writes what sets "
            "it back; then import a new snapshot, and verify again"
        )
    return (
        "check what no tool checks (logons, the certificates on 443 and 444, component states), "
        f"then accept it: changelog-tracker baseline set {sums.server}"
    )


def write(sums: Sums, found: Found, out: TextIO, look: Look) -> None:
    """Write behind the differences the signs, one a line, and the sums."""
    for one in found.signs:
        place, what, advice = (
            escape.terminal(str(one[key])) for key in ("place", "sign", "advice")
        )
        out.write(f"{look.sign('!')} sign: {place}  {what}; {advice}\n")
    out.writelines(f"{escape.terminal(line)}\n" for line in lines(sums, found))


def lines(sums: Sums, found: Found) -> list[str]:
    """Give what was verified, the result and the next step as lines."""
    return [f"{label}: {said}" for label, said in told(sums, found).items()]


def document(found: Found, about: About, against: str) -> Document:
    """Make the report that is handed on; the head of `about` says what `told` does."""
    made = compose.drift(found.lines, about, against)
    result = _result(found)
    return replace(
        made,
        title="Verification",
        total=f"compared with {against}: {result or 'all is as wanted'}",
        pages=[made.pages[0], Table("Signs", _SIGNS, found.signs, note=_NOTE), *made.pages[1:]],
        sheets=[made.sheets[0], Table("Signs", _SIGNS, found.signs, note=_NOTE), *made.sheets[1:]],
    )
