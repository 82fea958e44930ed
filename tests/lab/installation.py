"""Installs the lab's server: the folder that is C:, its programs, and the state beside it."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import factory_files
from factory import DIRECTORIES, OLD_VERSION, Machine, objects, registry, services, values
from windows_state import with_windows

HERE = Path(__file__).resolve().parent
PWSH = shutil.which("pwsh")
SYSTEM = "C/Windows/System32"
APPHOST = f"{SYSTEM}/inetsrv/config/applicationHost.config"
ENCODING = {"encoding": "utf-8", "newline": ""}


def fresh_state(machine: Machine, session: str) -> dict[str, Any]:
    """Give the directory, registry and services of a fresh server."""
    old = machine.version == OLD_VERSION
    major, minor, *rest = machine.build.split(".")
    state = {
        "server": machine.server,
        "fqdn": machine.fqdn,
        "sid": machine.sid,
        "displayVersion": f"Version {major}.{minor} (Build {'.'.join(rest)})",
        "dcs": ["DC01.contoso.com", "DC02.contoso.com"],
        "endpoints": [machine.fqdn, "ex02.contoso.com"],
        "snapins": [f"Microsoft.Exchange.Management.PowerShell.{'E2010' if old else 'SnapIn'}"],
        "powershell": {
            "version": "2.0" if old else "5.1",
            "clr": "2.0.50727" if old else "4.0.30319",
        },
        "session": session,
        "elevated": True,
        "objects": objects(machine),
        "templates": {noun: template(noun, machine) for noun in DIRECTORIES},
        "registry": registry(machine) | windows(machine),
        "services": services(machine),
        "processes": ["w3wp", "lsass", "Microsoft.Exchange.ServiceHost"],
        "failing": {},
        "late": {},
        "lag_s": 0,
        "environment": {},
    }
    return with_windows(state, machine)


def windows(machine: Machine) -> dict[str, dict[str, Any]]:
    """Give what the registry says of Windows itself."""
    installed = int(datetime.fromisoformat(machine.created).timestamp())
    return {
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion": {
            "CurrentBuildNumber": "17763",
            "CurrentMajorVersionNumber": 10,
            "CurrentMinorVersionNumber": 0,
            "CurrentVersion": "6.3",
            "InstallDate": installed,
        },
        r"SYSTEM\CurrentControlSet\Control\TimeZoneInformation": {
            "TimeZoneKeyName": "W. Europe Standard Time"
        },
    }


def template(noun: str, machine: Machine) -> dict[str, Any]:
    """Give what New- makes of a noun."""
    application, pool, *_ = DIRECTORIES[noun]
    methods, ssl = factory_files.PLACES[f"{factory_files.FRONT}/{application}"]
    authentication = "system.webServer/security/authentication"
    place = {"op": "set", "psPath": "MACHINE/WEBROOT/APPHOST"}
    steps = [
        place
        | {
            "filter": f"{authentication}/{name}Authentication",
            "name": "enabled",
            "value": str(name[0].upper() in (methods or "")).lower(),
        }
        for name in factory_files.AUTHENTICATIONS
    ]
    protection = f"{authentication}/windowsAuthentication/extendedProtection"
    steps.append(place | {"filter": protection, "name": "tokenChecking", "value": "None"})
    if ssl:
        access = "system.webServer/security/access"
        steps.append(place | {"filter": access, "name": "sslFlags", "value": ssl})
    return {
        "application": application,
        "pool": f"MSExchange{pool}AppPool",
        "folder": factory_files.folder_below(machine, application),
        "values": values(noun, machine),
        "iis": steps,
    }


def make_files(folder: Path, machine: Machine, session: str) -> None:
    """Write C: as Setup leaves it."""
    drive = folder / "C"
    shutil.rmtree(drive, ignore_errors=True)
    made = factory_files.files(machine)
    made[APPHOST.removeprefix("C/")] = factory_files.application_host(machine)
    made[f"{SYSTEM}/inetsrv/config/schema/rewrite_schema.xml".removeprefix("C/")] = "<x />"
    root = machine.install[3:].replace("\\", "/")
    made[f"{root}bin/ExSetup.exe"] = ""
    if session != "missing":
        made[f"{root}bin/RemoteExchange.ps1"] = (HERE / "RemoteExchange.ps1").read_text("utf-8")
    for path, text in made.items():
        file = drive / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, **ENCODING)
    for noun in DIRECTORIES:
        path = factory_files.folder_below(machine, DIRECTORIES[noun][0])
        (drive / path[3:].replace("\\", "/")).mkdir(parents=True, exist_ok=True)
    for path in ("inetpub/wwwroot", "inetpub/logs/LogFiles", "Temp"):
        (drive / path).mkdir(parents=True, exist_ok=True)
    (drive / "Windows/system32").symlink_to("System32")


def make_programs(folder: Path) -> None:
    """Write the programs that scripts call by their Windows paths, and the module."""
    for path, program in (
        ("inetsrv/appcmd.exe", f"{HERE / 'appcmd.py'}"),
        ("whoami.exe", f"{HERE / 'machine_tools.py'}' 'whoami"),
        ("iisreset.exe", f"{HERE / 'machine_tools.py'}' 'iisreset"),
    ):
        file = folder / SYSTEM / path
        file.write_text(f"#!/bin/sh\nexec '{sys.executable}' -IS '{program}' \"$@\"\n", **ENCODING)
        file.chmod(0o755)
    (folder / SYSTEM / "whoami").symlink_to("whoami.exe")
    modules = folder / "Modules/WebAdministration"
    modules.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "WebAdministration.psm1", modules)


def environment(folder: Path, machine: Machine, own: dict[str, str]) -> dict[str, str]:
    """Give the environment of a shell on the server; `own` is what is odd on this one."""
    windows = {
        "COMPUTERNAME": machine.server,
        "ExchangeInstallPath": machine.install,
        "LOGONSERVER": r"\\DC01",
        "PROCESSOR_ARCHITECTURE": "AMD64",
        "ProgramData": r"C:\ProgramData",
        "ProgramFiles": r"C:\Program Files",
        "SystemDrive": "C:",
        "SystemRoot": r"C:\Windows",
        "TEMP": r"C:\Temp",
        "USERDNSDOMAIN": "CONTOSO.COM",
        "USERDOMAIN": "CONTOSO",
        "USERNAME": "anna",
        "windir": r"C:\Windows",
    } | own
    # Windows does not mind the case of a name, and Linux does.
    both = windows | {name.upper(): v for name, v in windows.items()}
    both |= {name.lower(): value for name, value in windows.items()}
    engine = str(Path(PWSH or "").parent)
    return both | {
        "HOME": str(folder),
        "LAB_FOLDER": str(folder),
        "LAB_SOURCE": str(HERE),
        "LAB_PYTHON": sys.executable,
        "PATH": f"{folder / SYSTEM}:{engine}:/usr/bin:/bin",
        "PSModulePath": f"{folder / 'Modules'}:{engine}/Modules",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAB_DEBUG": os.environ.get("LAB_DEBUG", ""),
        "TZ": os.environ.get("TZ", "UTC"),
        "path": "",
    }
