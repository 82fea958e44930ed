r"""
The journal that a replay script writes: one XML element a line, ASCII.

The script adds a line before each write and one after it, so a run that is killed leaves a journal
that is whole but for its last line. The next run may go on in the same file, behind that. Texts
have `\uXXXX` for a backslash and for what is not printable ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from changelog_tracker.errors import FileError
from changelog_tracker.parse.journal_line import HINT, JournalLine

if TYPE_CHECKING:
    from changelog_tracker.parse.xml import Element

RunMode = Literal["replay", "undo"]
State = Literal[
    "setting", "set", "would-set", "right", "stopped", "blocked", "failed", "declined",
    "not-permitted", "left-out",
]  # fmt: skip
# What stood or stands somewhere, as it is written there; None where nothing is.
Told: TypeAlias = "str | list[str] | None"

Op = Literal["set", "new", "drop", "attribute", "clear", "add", "remove"]

FORMAT = "1"
MOST_BYTES = 16 * 1024 * 1024
_BEGIN = b"<run "
_TYPES = ("null", "bool", "int", "text", "list")


@dataclass(frozen=True, slots=True)
class StepValue:
    """One value of a step: what was found before, and what was to stand there."""

    name: str
    found: Told
    wanted: Told


@dataclass(frozen=True, slots=True)
class StepLine:
    """
    What a line says of a step.

    Args:
        id: The step in its plan, `s001`.
        at: When, UTC.
        state: What became of it; `setting` is said before a write.
        op: How it is written; on the line that is said before a write.
        about: Kind, resource and setting (None for a whole resource); None where it is not said.
        values: What is written; on the line that is said before a write.
        reason: Why it did not become right, or why it is set again.
    """

    id: str
    at: datetime
    state: State
    op: Op | None = None
    about: tuple[str, str, str | None] | None = None
    values: tuple[StepValue, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """
    A run of a replay script, or of its undo.

    Args:
        plan: The id of its plan.
        server: Whose state is wanted.
        target: On which server it ran.
        mode: Whether it was undone.
        operator: The account that ran it.
        host: The computer on which it ran.
        started: When, UTC.
        program: What rendered the script.
        dc: The domain controller that it used.
        lines: What it said of its steps, in order.
        ended: When it ended; None where it was killed or goes on.
        code: With which exit code.
        cut_off: Whether a last line, written in part, was left out.
    """

    plan: str
    server: str
    target: str
    mode: RunMode
    operator: str
    host: str
    started: datetime
    program: str | None
    dc: str | None
    lines: tuple[StepLine, ...] = ()
    ended: datetime | None = None
    code: int | None = None
    cut_off: bool = False


def is_replay_journal(data: bytes) -> bool:
    """Tell a replay journal by its first bytes, whatever its name."""
    return data.startswith(_BEGIN)


def parse_replay_journal(data: bytes, place: str) -> list[Run]:
    """
    Read a replay journal.

    Args:
        data: Its bytes.
        place: Its name, for messages.

    Returns:
        Its runs, in order; one at least.

    Raises:
        FileError: Something in it is not what a script writes; its place is file and line.
    """
    if len(data) > MOST_BYTES:
        raise FileError(place, f"{len(data):,} bytes of a journal; at most {MOST_BYTES:,} are read")
    runs: list[list[JournalLine]] = []
    cut_off: set[int] = set()
    lines = data.split(b"\n")
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = JournalLine.of(text.removesuffix(b"\r"), place, number)
        except FileError:
            if not _is_cut_off(lines[number:]):
                raise
            cut_off.add(len(runs) - 1)
            continue
        if line.tag == "run" or not runs:
            runs.append([])
        runs[-1].append(line)
    if not runs:
        raise FileError(f"{place}, line 1", "is cut off; expected a whole line <run .../>", HINT)
    return [_run(parts, cut_off=n in cut_off) for n, parts in enumerate(runs)]


def _is_cut_off(following: list[bytes]) -> bool:
    """Tell whether a run was killed in a line: nothing follows, or the next run in the file."""
    return not following or following[0].startswith(_BEGIN)


def _run(parts: list[JournalLine], *, cut_off: bool) -> Run:
    first, *others = parts
    head = first.of_tag("run")
    if head.text("format") != FORMAT:
        what = f"journal format {head.text('format')!r}; this program reads {FORMAT}"
        raise head.wrong(what, "import it with the changelog_tracker that wrote the script")
    end = others.pop().of_tag("end") if others and others[-1].tag == "end" else None
    steps = tuple(_step(part.of_tag("step")) for part in others)
    _refuse_contradictions(steps, others)
    return Run(
        plan=head.text("plan"),
        server=head.text("server"),
        target=head.text("target"),
        mode=cast("RunMode", head.one_of("mode", get_args(RunMode))),
        operator=head.text("operator"),
        host=head.text("host"),
        started=head.time("started"),
        program=head.maybe("program"),
        dc=head.maybe("dc"),
        lines=steps,
        ended=end.time("at") if end else None,
        code=int(end.text("code")) if end else None,
        cut_off=cut_off,
    )


def _step(line: JournalLine) -> StepLine:
    kind, resource = line.maybe("kind"), line.maybe("resource")
    if (kind is None) != (resource is None):
        raise line.wrong("has a kind or a resource, expected both or none")
    about = None
    if kind is not None and resource is not None:
        about = (kind, resource, line.maybe("setting") or None)
    return StepLine(
        id=line.text("id"),
        at=line.time("at"),
        state=cast("State", line.one_of("state", get_args(State))),
        op=cast("Op", line.one_of("op", get_args(Op))) if line.maybe("op") else None,
        about=about,
        values=tuple(_value(child, line) for child in line.element),
        reason=line.maybe("reason"),
    )


def _value(element: Element, line: JournalLine) -> StepValue:
    inner = line.inner(element, "value")
    kinds = {"found": inner.one_of("type", _TYPES)}
    # It stands there where it is another.
    other = inner.maybe("wantedtype") is not None
    kinds["wanted"] = inner.one_of("wantedtype", _TYPES) if other else kinds["found"]
    name = inner.text("name")
    items: dict[str, list[str]] = {"found": [], "wanted": []}
    for child in element:
        tag = str(child.tag)
        if kinds.get(tag) != "list" or len(child) or child.attrib or child.tail:
            raise line.wrong(f"the value {name!r} holds <{tag}>, which does not belong there")
        items[tag].append(line.unescaped(child.text or ""))

    def side(which: str) -> Told:
        said = inner.maybe(which)
        if (kinds[which] in {"list", "null"}) and said:
            raise line.wrong(f"the value {name!r} has a text that does not fit its type")
        return items[which] if kinds[which] == "list" else said if kinds[which] != "null" else None

    return StepValue(name, side("found"), side("wanted"))


def _refuse_contradictions(steps: tuple[StepLine, ...], parts: list[JournalLine]) -> None:
    """Refuse a step that is about two things, or was done and is about nothing."""
    about: dict[str, tuple[str, str, str | None]] = {}
    for step, part in zip(steps, parts, strict=True):
        if step.about is not None and about.setdefault(step.id, step.about) != step.about:
            raise part.wrong(f"step {step.id} is about another setting than on an earlier line")
        if step.state in {"setting", "set"} and step.id not in about:
            raise part.wrong(f"step {step.id} was done, but no line says what it is about")
