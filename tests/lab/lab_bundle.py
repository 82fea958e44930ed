"""Takes a bundle of the lab's server, as a collector on it would."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import factory_files
from factory import DIRECTORIES, parameters

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

CONFIG = "C/Windows/System32/inetsrv/config"
APPHOST, REDIRECTION = f"{CONFIG}/applicationHost.config", f"{CONFIG}/redirection.config"
NOUNS = (
    *DIRECTORIES, "OutlookAnywhere", "ClientAccessServer", "ClientAccessService", "RpcClientAccess",
    "PopSettings", "ImapSettings", "OfflineAddressBook", "ExchangeServer", "ExchangeCertificate",
)  # fmt: skip


def snapshot(lab: Lab, folder: Path, at: str, *, back_end: bool, ad_only: bool) -> Path:
    """Write exports, files and bundle.json into a new folder."""
    exports = folder.resolve() / "exchange"
    exports.mkdir(parents=True)
    switches = {"ShowMailboxVirtualDirectories": back_end, "ADPropertiesOnly": ad_only}
    asked = [name for name, on in switches.items() if on]
    nouns = [noun for noun in NOUNS if is_read(noun, lab.version)]
    calls = (lab.folder / "calls.txt").read_bytes()
    lab.powershell(
        "\n".join(
            f"Get-{noun} {' '.join(_known(noun, asked, lab.version))} 3>$null"
            f" | Export-Clixml -LiteralPath '{exports}/{noun}.clixml' -Depth 4"
            for noun in nouns
        )
    )
    (lab.folder / "calls.txt").write_bytes(calls)
    readings = [
        reading(folder, noun, f"exchange/{noun}.clixml", ad_only=ad_only and noun in DIRECTORIES)
        for noun in nouns
    ]
    for path, kind in looked_for(lab).items():
        source = lab.folder / path
        if source.is_file():
            target = folder / "files" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        readings.append(reading(folder, kind, f"files/{path}"))
    text = json.dumps(manifest(lab, at, readings), indent=1)
    (folder / "bundle.json").write_text(text, encoding="utf-8", newline="")
    return folder


def _known(noun: str, switches: list[str], version: str) -> list[str]:
    there = parameters(f"Get-{noun}", version)
    return [f"-{name}" for name in switches if name in there]


def is_read(noun: str, version: str) -> bool:
    """Say whether a version has it, and no newer noun tells of the same."""
    newer = parameters("Get-ClientAccessService", version)
    return bool(parameters(f"Get-{noun}", version)) and not (newer and noun == "ClientAccessServer")


def looked_for(lab: Lab) -> dict[str, str]:
    """Give each configuration file that is or was there, with its kind."""
    made = [f"C/{path}" for path in factory_files.files(lab.machine)]
    made += [str(file.relative_to(lab.folder)) for file in lab.files()]
    kinds = {path: "ConfigFile" for path in made if path != REDIRECTION}
    return kinds | {APPHOST: "IisConfig", REDIRECTION: "IisConfig"}


def reading(folder: Path, kind: str, path: str, *, ad_only: bool = False) -> dict[str, Any]:
    file = folder / path
    there = file.is_file()
    return {
        "kind": kind,
        "file": path,
        "mode": "ad-only" if ad_only else "full",
        "status": "read" if there else "absent",
        "reason": None,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest() if there else None,
    }


def manifest(lab: Lab, at: str, readings: list[dict[str, Any]]) -> dict[str, Any]:
    machine = lab.machine
    return {
        "format": 1,
        "server": machine.server,
        "taken_at": at,
        "utc_offset_min": 60,
        "time_zone": "W. Europe Standard Time",
        "collector": {"name": "lab", "version": "1.0"},
        "exchange": {
            "version": lab.version,
            "build": machine.build,
            "exsetup": machine.build,
            "admin_display_version": lab.state["displayVersion"],
            "install_path": machine.install,
        },
        "windows": {
            "build": "10.0.17763",
            "system_root": "C:\\Windows",
            "install_date": machine.created,
            "machine_sid": machine.sid,
        },
        "readings": readings,
        "evidence": [],
    }
