"""
A simulated Exchange server that runs PowerShell scripts for real.

`Lab` holds a folder that is C:, the directory's objects, registry and services, and runs the very
file that a user gets in the PowerShell on PATH. It knows nothing of the program that is tested.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from binder import functions
from breaks import BREAKS
from factory import Machine
from installation import (
    APPHOST,
    ENCODING,
    PWSH,
    environment,
    fresh_state,
    make_files,
    make_programs,
)
from lab_bundle import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).resolve().parent
ORGANISATION = ("OfflineAddressBook", "ClientAccessArray")


class Answer(NamedTuple):
    """What a script said: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class Write(NamedTuple):
    """One write on the server: a cmdlet, an appcmd, or `(file)` for a file that a run changed."""

    cmdlet: str
    identity: str
    parameters: dict[str, Any]


class Lab:
    """
    One simulated server.

    Args:
        folder: Where it lives; made.
        version: Of Exchange, "2010" to "SE".
        server: Its name.
        session: `remote` where the Exchange cmdlets appear by RemoteExchange.ps1, `there` where an
            imported session has brought them, `missing` where nothing brings them.
    """

    def __init__(
        self, folder: Path, version: str = "2019", server: str = "EX01", session: str = "remote"
    ) -> None:
        self.folder = folder.resolve() / "lab"
        self.version, self.session = version, session
        self.hidden: list[tuple[str, str | None]] = []
        self._installed(server, "2026-01-05T08:00:00Z")

    # ---- the server

    @property
    def c(self) -> Path:
        """The folder that is C:."""
        return self.folder / "C"

    @property
    def apphost(self) -> Path:
        """applicationHost.config."""
        return self.folder / APPHOST

    @property
    def state(self) -> dict[str, Any]:
        """The directory, registry and services as they are; `edit` changes them."""
        return json.loads((self.folder / "state.json").read_text("utf-8"))

    def edit(self, **more: Any) -> None:
        """Set top entries of the state."""
        (self.folder / "state.json").write_text(json.dumps(self.state | more), **ENCODING)

    def file(self, path: str) -> Path:
        """Find a file by its path below the folder of Exchange."""
        return self.c / self.machine.install[3:].replace("\\", "/") / path

    def _installed(self, server: str, created: str) -> None:
        sid = "S-1-5-21-" + "-".join(
            str(int(part, 16)) for part in str(uuid.uuid4()).split("-")[:3]
        )
        self.machine = Machine(server, self.version, sid, created)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("log.jsonl", "calls.txt", "restarts.txt"):
            (self.folder / name).touch()
        make_files(self.folder, self.machine, self.session)
        make_programs(self.folder)
        state = fresh_state(self.machine, self.session)
        (self.folder / "state.json").write_text(json.dumps(state), **ENCODING)

    # ---- running

    def run(
        self,
        script: Path,
        *arguments: str | Sequence[str],
        stdin: str | None = None,
        timeout_s: float = 120,
        kill_after_writes: int | None = None,
    ) -> Answer:
        """
        Run a script file as `powershell.exe -File` does.

        Args:
            script: The file that a user gets; it runs where it lies.
            arguments: As on the command line: a text with a leading hyphen is a parameter, any
                other a value. A list or tuple of texts is one array value.
            stdin: What a person types; None is a shell that cannot ask.
            timeout_s: After this it is killed, and `subprocess.TimeoutExpired` is raised.
            kill_after_writes: Kill it without warning once so many writes are in the log.
        """
        words = " ".join(_argument(one) for one in arguments)
        text = f"& {quoted(str(script.resolve()))} {words}"
        before = self.files()
        answer = self._pwsh(text, script.resolve().parent, stdin, timeout_s, kill_after_writes)
        self._log_files(before)
        return answer

    def powershell(self, text: str, *, may_fail: bool = False) -> Answer:
        """
        Do what an administrator types into the Exchange Management Shell of this server.

        Raises:
            AssertionError: Something was refused, unless it may be.
        """
        before = self.files()
        shell = "Import-Module WebAdministration -ErrorAction SilentlyContinue\n. Connect-Lab\n"
        answer = self._pwsh(f"{shell}& {{\n{text}\n}}", self.folder, None, 120, None)
        self._log_files(before)
        assert may_fail or (answer.code == 0 and not answer.err), answer
        return answer

    def _pwsh(
        self, text: str, cwd: Path, stdin: str | None, timeout_s: float, kill_after: int | None
    ) -> Answer:
        assert PWSH is not None, "no pwsh on PATH"
        (self.folder / "functions.ps1").write_text(functions(self.version, self.hidden), **ENCODING)
        start = quoted(str(HERE / "start.ps1"))
        ending = (
            "$LabOk = $?\nif ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }\n"
            "exit [int](-not $LabOk)"
        )
        run = self.folder / "run.ps1"
        run.write_text(f". {start}\n$global:LASTEXITCODE = $null\n{text}\n{ending}\n", **ENCODING)
        command = [
            PWSH,
            "-NoProfile",
            *(["-NonInteractive"] if stdin is None else []),
            "-File",
            str(run),
        ]
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(self.folder, self.machine, self.state["environment"]),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        if kill_after is not None:
            wanted = len(self.writes()) + kill_after
            while process.poll() is None and len(self.writes()) < wanted:
                time.sleep(0.01)
            process.kill()
        try:
            out, err = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Answer(process.returncode, out, err)

    # ---- what happened

    def writes(self) -> list[Write]:
        """Give every write since `clear_log`, administrators' and scripts', in order."""
        lines = (self.folder / "log.jsonl").read_text("utf-8").splitlines()
        return [Write(**json.loads(line)) for line in lines]

    def restarts(self) -> list[tuple[str, str]]:
        """Give what was recycled or restarted: by what, and its name."""
        lines = (self.folder / "restarts.txt").read_text("utf-8").splitlines()
        return [(what, name) for what, _, name in (line.partition("\t") for line in lines)]

    def domain_controllers(self) -> set[str | None]:
        """Give each -DomainController that Exchange cmdlets were called with; None for without."""
        lines = (self.folder / "calls.txt").read_text("utf-8").splitlines()
        return {line.partition("\t")[2] or None for line in lines}

    def clear_log(self) -> None:
        """Forget writes, restarts and calls."""
        for name in ("log.jsonl", "calls.txt", "restarts.txt"):
            (self.folder / name).write_text("", **ENCODING)

    def files(self) -> dict[Path, bytes]:
        """Give every configuration file but applicationHost.config."""
        found = self.c.rglob("*.config")
        return {
            file: file.read_bytes()
            for file in found
            if file.is_file() and file != self.apphost and "system32" not in file.parts
        }

    def _log_files(self, before: dict[Path, bytes]) -> None:
        after = self.files()
        changed = [f for f in sorted(before | after) if before.get(f) != after.get(f)]
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            for file in changed:
                name = "C:\\" + str(file.relative_to(self.c)).replace("/", "\\")
                log.write(
                    json.dumps({"cmdlet": "(file)", "identity": name, "parameters": {}}) + "\n"
                )

    def break_(self, what: str, *values: Any) -> None:
        """Make one of `breaks.BREAKS` fail, until the next `recover`: `break_("name", "EX09")`."""
        BREAKS[what.replace("_", "-")](self, *values)

    # ---- the server is lost, and looked at

    def recover(self, *, keep_directory: bool = False, orphans: bool = False) -> None:
        """
        Rebuild it by Setup /m:RecoverServer: defaults, other Guids, another Windows.

        Args:
            keep_directory: What Active Directory holds of each default object comes back as it
                was; only IIS, files and registry are lost.
            orphans: Objects of virtual directories that Setup does not make stay in the directory.
        """
        before = self.state
        self.hidden.clear()
        self._installed(self.machine.server, "2026-09-20T09:00:00Z")
        state = self.state
        for noun, held in before["objects"].items():
            if noun in ORGANISATION:
                state["objects"][noun] = held
            for name, one in held.items() if noun != "ExchangeCertificate" else ():
                fresh = state["objects"].get(noun, {})
                if name in fresh and keep_directory:
                    fresh[name]["values"] = one["values"]
                elif name not in fresh and orphans:
                    fresh[name] = one
        self.edit(objects=state["objects"])

    def snapshot(
        self, folder: Path, at: str, *, back_end: bool = False, ad_only: bool = False
    ) -> Path:
        """
        Take a bundle of the server.

        Args:
            folder: The bundle; made.
            at: When it was taken, ISO 8601.
            back_end: Also the virtual directories of Exchange Back End.
            ad_only: With -ADPropertiesOnly.
        """
        return snapshot(self, folder, at, back_end=back_end, ad_only=ad_only)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _argument(one: str | Sequence[str]) -> str:
    if not isinstance(one, str):
        return "@(" + ", ".join(map(quoted, one)) + ")"
    return one if one[:1] == "-" and one[1:2].isalpha() else quoted(one)
