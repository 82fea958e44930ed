"""
Collects one server: the script's list, then the files that the store does not know, then Exchange.

What comes back has the shape of a bundle that was carried on a stick, so that all of it goes the
same way from here on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from changelog_tracker import catalogue
from changelog_tracker.collect.frame import read_frame
from changelog_tracker.collect.gathered import Contents, FoundFile, Gathered, ManifestReading
from changelog_tracker.collect.limits import DEFAULT_LIMITS
from changelog_tracker.collect.manifest import NAME, read_manifest
from changelog_tracker.collect.names import shown
from changelog_tracker.collect.script import collector
from changelog_tracker.collect.trust import held_against
from changelog_tracker.errors import CollectError, DamagedAnswerError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from changelog_tracker.collect.deadline import Deadline
    from changelog_tracker.collect.gathered import Manifest, ManifestEvidence
    from changelog_tracker.collect.limits import Limits
    from changelog_tracker.collect.psrp import Answer
    from changelog_tracker.collect.runner import Runner

REFUSED, TEST = "refused.json", "test.json"
MARKER_BYTES = 16
# Listed by their digest alone; their bytes come when they are asked for.
FETCHED_LATER = ("files/", "windows/FileEntry.jsonl")
_LONGEST_REASON = 500
_AGAIN = "try again; if it stays so, run the collector on the server itself"


@dataclass(frozen=True, slots=True)
class Collection:
    """
    One server that is being collected.

    Args:
        server: Its short name, as the inventory has it.
        runner: Runs the script there.
        deadline: When it has to be over.
        since: Evidence from then on is brought; None for all that there is.
        shell: Whether the script asks the Exchange cmdlets itself.
        limits: What is too much.
    """

    server: str
    runner: Runner
    deadline: Deadline
    since: datetime | None = None
    shell: bool = False
    limits: Limits = DEFAULT_LIMITS

    def listed(self) -> Gathered:
        """
        Run the script, and give what it lists; most files by their digest alone.

        Raises:
            CollectError: The server cannot be reached, refuses, or is another one.
        """
        arguments = {"Mode": "list"}
        if self.since is not None:
            arguments["Since"] = f"{self.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if not self.shell:
            arguments["NoExchange"] = "true"
        before = datetime.now(tz=UTC)
        entries = self._run(arguments)
        manifest = self._manifest(entries)
        if manifest.server.casefold() != self.server.casefold():
            raise CollectError(
                self.server,
                f"{self.runner.place} is {shown(manifest.server)}, not {self.server}",
                "set its address right with: changelog-tracker server add "
                f"{self.server} --host HOST --force",
            )
        manifest = _on_our_clock(manifest, before, datetime.now(tz=UTC))
        return self._gathered(manifest, entries)

    def tested(self) -> dict[str, Any]:
        """
        Run the script in its quick mode, and give what it finds that it may read.

        Raises:
            CollectError: The server cannot be reached, refuses, or answers nonsense.
        """
        entries = self._run({"Mode": "test"} | ({} if self.shell else {"NoExchange": "true"}))
        try:
            told = json.loads(entries[TEST])
        except (ValueError, KeyError, RecursionError) as error:
            raise DamagedAnswerError(self.server, f"its {TEST} cannot be read", _AGAIN) from error
        if not isinstance(told, dict):
            raise DamagedAnswerError(self.server, f"its {TEST} is no object", _AGAIN)
        return told

    def fetched(self, gathered: Gathered, paths: Sequence[str]) -> Gathered:
        """
        Bring the bytes of files that were listed by their digest alone.

        A file that is another one by now is taken as it is now.

        Raises:
            CollectError: As for `listed`.
        """
        if not paths or gathered.manifest is None:
            return gathered
        wanted = base64.b64encode("\n".join(paths).encode()).decode("ascii")
        entries = self._run({"Mode": "fetch", "Fetch": wanted})
        asked = {path.casefold() for path in paths}
        now = {
            reading.file.casefold(): reading
            for reading in self._manifest(entries).readings
            if reading.file is not None and reading.file.casefold() in asked
        }
        if left := sorted(asked - set(now)):
            what = f"did not answer for {len(left)} files that were asked for"
            raise DamagedAnswerError(self.server, f"{what}, the first {shown(left[0])}")
        readings = tuple(
            replace(now[reading.file.casefold()], kind=reading.kind, file=reading.file)
            if reading.file is not None and reading.file.casefold() in now
            else reading
            for reading in gathered.manifest.readings
        )
        there = {path.casefold(): data for path, data in entries.items()}
        there |= {file.path.casefold(): file.data for file in gathered.files if file.fetched}
        return self._gathered(replace(gathered.manifest, readings=readings), there)

    def _run(self, arguments: Mapping[str, str]) -> dict[str, bytes]:
        """Run the script once, and give the entries of its frame."""
        marker = secrets.token_hex(MARKER_BYTES)
        self.deadline.check(self.server)
        output = self.runner.run(collector(), {**arguments, "Frame": marker}, self.deadline)
        entries = read_frame(output, marker, self.server, self.limits)
        if REFUSED in entries:
            raise _refusal(self.server, entries[REFUSED])
        return entries

    def _manifest(self, entries: Mapping[str, bytes]) -> Manifest:
        if NAME not in entries:
            raise DamagedAnswerError(self.server, f"its answer holds no {NAME}", _AGAIN)
        try:
            return read_manifest(self.server, entries[NAME])
        except InputError as error:
            raise DamagedAnswerError(error.place, error.what, error.hint) from error

    def _gathered(self, manifest: Manifest, entries: Mapping[str, bytes]) -> Gathered:
        """Put list and bytes together; each held against the other as in a bundle."""
        by_key = {path.casefold(): data for path, data in entries.items()}
        files = [
            _file(reading.file, reading.sha256, by_key.get(reading.file.casefold()))
            for reading in manifest.readings
            if reading.status == "read" and reading.file is not None
            # What was to come at once, and did not, is missed when list and bytes are compared.
            if reading.file.casefold() in by_key or reading.file.startswith(FETCHED_LATER)
        ]
        listed = {file.path.casefold() for file in files}
        files += [
            _file(path, None, data)
            for path, data in entries.items()
            if path.casefold() not in listed
        ]
        contents = Contents(tuple(sorted(files, key=lambda file: file.path)))
        try:
            manifest, contents = held_against(manifest, contents, self.server)
        except InputError as error:
            raise DamagedAnswerError(error.place, error.what, error.hint) from error
        return Gathered(self.runner.place, contents.files, contents.unread, manifest, single=False)


def with_exchange(
    gathered: Gathered,
    answers: Sequence[Answer],
    evidence: Sequence[tuple[ManifestEvidence, bytes]],
) -> Gathered:
    """
    Add what the Exchange endpoint answered to what the script brought.

    Args:
        gathered: The rest of the server.
        answers: One for each noun that was asked for.
        evidence: Sources of who and when, with their bytes; these stand in for the script's word.
    """
    manifest = gathered.manifest
    if manifest is None:
        return gathered
    readings, files = [], []
    for one in answers:
        noun = one.query.noun
        path = f"exchange/{noun}.clixml"
        if one.data is None:
            reason = one.reason or "no answer"
            readings.append(ManifestReading(noun, path, "full", "unread", reason))
            continue
        files.append(_file(path, None, one.data))
        digest = files[-1].sha256
        readings.append(ManifestReading(noun, path, "full", "read", None, digest))
    files += [_file(source.file, None, data) for source, data in evidence if source.file]
    told = {source.source for source, _ in evidence}
    manifest = replace(
        manifest,
        readings=(*manifest.readings, *readings),
        evidence=(
            *(source for source in manifest.evidence if source.source not in told),
            *(source for source, _ in evidence),
        ),
    )
    everything = sorted((*gathered.files, *files), key=lambda file: file.path)
    return replace(gathered, manifest=manifest, files=tuple(everything))


def version_of(gathered: Gathered) -> str | None:
    """Give the version of Exchange that a server said it has; None where it said none."""
    exchange = gathered.manifest.exchange if gathered.manifest else None
    for build in (
        (exchange.exsetup, exchange.build, exchange.admin_display_version) if exchange else ()
    ):
        if build is not None and (version := catalogue.version_of_build(build)):
            return version
    return None


def _file(path: str, listed: bytes | None, data: bytes | None) -> FoundFile:
    if data is None:
        return FoundFile(path, b"", listed or b"", fetched=False)
    return FoundFile(path, data, hashlib.sha256(data).digest())


def _on_our_clock(manifest: Manifest, before: datetime, after: datetime) -> Manifest:
    """
    Give the snapshot our time, so that all servers lie on one line, and keep how far theirs is off.

    Args:
        manifest: With the time of the server's clock.
        before: Our time before the script ran.
        after: Our time after it.
    """
    told = manifest.taken_at
    off = min(told - before, timedelta(0)) or max(told - after, timedelta(0))
    return replace(manifest, taken_at=before, skew_ms=off // timedelta(milliseconds=1))


def _refusal(server: str, data: bytes) -> CollectError:
    """Read why the script would not start."""
    try:
        told = json.loads(data)
        reason, hint = str(told["reason"]), told.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedAnswerError(server, f"its {REFUSED} cannot be read", _AGAIN) from error
    line = " ".join(shown(reason).split())[:_LONGEST_REASON]
    return CollectError(server, f"refused: {line}", shown(str(hint)) if hint else None)
