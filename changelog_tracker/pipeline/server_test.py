"""
`server test`: what works between this machine and a server, and what to do about the rest.

The paragraph: the port, the certificate, signing in, what the script finds it may read, what the
Exchange endpoint offers, and each source of who and when. Nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from changelog_tracker import catalogue
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.from_server import Collection
from changelog_tracker.collect.probe import look_at_certificate, open_port
from changelog_tracker.errors import CollectError, DeadlineError, TrackerError
from changelog_tracker.pipeline.transports import look_at_exchange, runner_of

if TYPE_CHECKING:
    from changelog_tracker.pipeline.inventory import ServerEntry

Verdict = Literal["ok", "note", "fail"]
DEADLINE_S = 60.0
_DAY = len("2026-11-22")
_ADMINISTRATOR = "let the account be a local administrator of the server"
# Kerberos refuses above this; evidence and snapshots drift apart from here on.
_MOST_SKEW_S = 300
# How hints end that send people here.
_THIS = ("; see server test", ", or see server test")


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing that was looked at.

    Args:
        name: What.
        verdict: `note` is no fault, but worth knowing.
        told: What was found, in one line.
        do: What to do about it.
    """

    name: str
    verdict: Verdict
    told: str
    do: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """
    One source of who and when.

    Args:
        name: As bundle.json names it.
        enabled: Whether it is on; None where that cannot be told.
        oldest: How far back it goes, ISO 8601.
        turn_on: The one command that turns it on, or makes it reach further.
        reason: Why it cannot be read.
    """

    name: str
    enabled: bool | None
    oldest: str | None
    turn_on: str | None
    reason: str | None


@dataclass(slots=True)
class Tested:
    """All that was found of one server."""

    server: str
    checks: list[Check] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    @property
    def works(self) -> bool:
        """Tell whether a snapshot would be whole."""
        return all(check.verdict != "fail" for check in self.checks)

    def add(self, name: str, verdict: Verdict, told: str, do: str | None = None) -> None:
        """Take down one check."""
        self.checks.append(Check(name, verdict, told, do))

    def failed(self, name: str, error: TrackerError) -> None:
        """Take down a check that failed with an error."""
        hint = error.hint
        for this in _THIS:
            hint = hint.removesuffix(this) if hint else None
        self.add(name, "fail", error.what, hint)


def look_at(entry: ServerEntry, deadline_s: float = DEADLINE_S) -> Tested:
    """Look at everything that a snapshot of one server needs, in the order in which it fails."""
    found = Tested(entry.name)
    deadline = Deadline(deadline_s)
    if entry.transport == "winrm" and not _port(entry, found, deadline):
        return found
    told = _signed_in(entry, found, deadline)
    if told is None:
        return found
    try:
        _read_test(entry, told, found)
    except (AttributeError, TypeError):
        found.add("script", "fail", "its answer has another form", "is that server what it seems?")
        return found
    _exchange(entry, told, found, deadline)
    return found


def _port(entry: ServerEntry, found: Tested, deadline: Deadline) -> bool:
    port = entry.port or (5986 if entry.scheme == "https" else 5985)
    if entry.proxy:
        found.add("port", "note", f"not looked at: the way leads through {entry.proxy}")
        return True
    try:
        open_port(entry.host, port, deadline)
    except TrackerError as error:
        found.failed("port", error)
        return False
    found.add("port", "ok", f"{entry.host} answers on {port}")
    if entry.scheme == "http":
        found.add("certificate", "note", "none: HTTP, each message encrypted by the sign-in")
        return True
    return _certificate(entry, port, found, deadline)


def _certificate(entry: ServerEntry, port: int, found: Tested, deadline: Deadline) -> bool:
    try:
        seen = look_at_certificate(entry.host, port, entry.ca, deadline)
    except TrackerError as error:
        found.failed("certificate", error)
        return False
    names = ", ".join(seen.names) or "no name"
    until = f", until {seen.until:%Y-%m-%d}" if seen.until else ""
    found.add("certificate", "ok", f"trusted, for {names}{until}")
    return True


def _signed_in(entry: ServerEntry, found: Tested, deadline: Deadline) -> dict[str, Any] | None:
    """Run the script in its quick mode; None where that failed, and it is said why."""
    name = "WinRM" if entry.transport == "winrm" else "PowerShell"
    started = datetime.now(tz=UTC)
    place = ""
    try:
        runner = runner_of(entry, deadline)
        place = runner.place
        shell = entry.exchange_url is None
        told = Collection(entry.name, runner, deadline, shell=shell).tested()
    except TrackerError as error:
        # What the script itself says, or the frame that it wrote, is about the server.
        if error.place == entry.name and not isinstance(error, DeadlineError):
            found.add(name, "ok", f"{entry.auth} at {place}" if name == "WinRM" else "runs here")
            name = "script"
        found.failed(name, error)
        return None
    if name == "WinRM":
        found.add(name, "ok", f"{entry.auth} at {place}")
    _clock(told, found, started)
    return told


def _clock(told: dict[str, Any], found: Tested, started: datetime) -> None:
    try:
        theirs = datetime.fromisoformat(str(told["time"])).astimezone(UTC)
    except (KeyError, ValueError):
        found.add("clock", "note", "it did not say what time it is there")
        return
    ended = datetime.now(tz=UTC)
    off_s = 0.0
    if theirs < started:
        off_s = (theirs - started).total_seconds()
    elif theirs > ended:
        off_s = (theirs - ended).total_seconds()
    if abs(off_s) > _MOST_SKEW_S:
        way = "ahead of" if off_s > 0 else "behind"
        do = "set both clocks by the domain: w32tm /resync"
        found.add("clock", "fail", f"{abs(off_s):.0f} s {way} this machine", do)
    else:
        found.add("clock", "ok", f"{abs(off_s):.0f} s apart")


def _read_test(entry: ServerEntry, told: dict[str, Any], found: Tested) -> None:
    """Take down what the script says of the machine it ran on."""
    version, mode = told.get("powershell"), told.get("language_mode")
    found.add("PowerShell", "ok", f"{version}, {mode}, {told.get('bits')} bit")
    name = str(told.get("server") or "")
    if name.casefold() != entry.name.casefold():
        do = f"changelog-tracker server add {entry.name} --host HOST --force"
        found.add("server", "fail", f"{entry.host} is {name or 'nameless'}, not {entry.name}", do)
    exchange = told.get("exchange") or {}
    build = exchange.get("exsetup") or exchange.get("build") if isinstance(exchange, dict) else None
    if build:
        found.add("Exchange", "ok", f"{exchange.get('version') or ''} {build}".strip())
    else:
        found.add(
            "Exchange", "fail", "is not installed there", "give the name of an Exchange server"
        )
    _reads(told, found)
    for source in told.get("evidence") or ():
        settings = source.get("settings") or {}
        oldest = source.get("oldest")
        found.sources.append(
            Source(
                str(source.get("source")),
                source.get("enabled"),
                str(oldest)[:_DAY] if oldest else None,
                source.get("turn_on"),
                settings.get("reason"),
            )
        )


def _reads(told: dict[str, Any], found: Tested) -> None:
    """Take down what the account may read there; who may read all of it needs no more rights."""
    tries = told.get("reads") or ()
    failed = [one for one in tries if not one.get("ok")]
    readable = [str(one.get("what")) for one in tries if one.get("ok")]
    for one in failed:
        do = None if one is not failed[-1] else _ADMINISTRATOR
        found.add(str(one.get("what")), "fail", str(one.get("reason") or "cannot be read"), do)
    if not told.get("elevated") and not failed:
        found.add("administrator", "note", "the account is none there; what was tried can be read")
    if readable:
        found.add("reads", "ok", ", ".join(readable))


def _exchange(entry: ServerEntry, told: dict[str, Any], found: Tested, deadline: Deadline) -> None:
    """See whether the Exchange cmdlets answer, and which are missing for want of a role."""
    if entry.exchange_url is None:
        shell = told.get("shell") or {}
        if shell.get("ok"):
            found.add("Exchange shell", "ok", str(shell.get("how")))
            return
        do = "give --exchange-url http://HOST/powershell, or --auth credssp for the second hop"
        found.add("Exchange shell", "fail", str(shell.get("reason") or "none"), do)
        return
    found.add("second hop", "ok", "not needed: the Exchange endpoint is asked directly")
    try:
        missing, audit = look_at_exchange(entry, _version(told), deadline)
    except CollectError as error:
        found.failed("Exchange shell", error)
        found.sources.insert(0, Source("admin-audit-log", None, None, None, "see Exchange shell"))
        return
    reason = (audit.settings or {}).get("reason")
    found.sources.insert(
        0,
        Source(
            audit.source,
            audit.enabled,
            f"{audit.oldest:%Y-%m-%d}" if audit.oldest else None,
            "Set-AdminAuditLogConfig -AdminAuditLogEnabled $true -LogLevel Verbose",
            str(reason) if reason else None,
        ),
    )
    if not missing:
        found.add("Exchange shell", "ok", f"{entry.exchange_url}, every cmdlet is there")
    for role in dict.fromkeys(missing.values()):
        cmdlets = ", ".join(cmdlet for cmdlet, brings in missing.items() if brings == role)
        told_of = f"no role of the account brings {cmdlets}"
        found.add("Exchange role", "fail", told_of, f"give it the role {role}")


def _version(told: dict[str, Any]) -> str | None:
    exchange = told.get("exchange")
    build = exchange.get("exsetup") if isinstance(exchange, dict) else None
    return catalogue.version_of_build(build) if isinstance(build, str) else None
