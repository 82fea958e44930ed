"""
Writes small bundles of EX01 (design 4.2), and runs the program on them.

Everything in them is made up: contoso.com, EX01, and no more settings than a journey needs.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

from changelog_tracker import cli

if TYPE_CHECKING:
    from collections.abc import Sequence

OWA = "exchange/OwaVirtualDirectory.clixml"
ECP = "exchange/EcpVirtualDirectory.clixml"
IIS = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
INSTALL = "files/C/Program Files/Microsoft/Exchange Server/V15"
WEB = f"{INSTALL}/ClientAccess/owa/web.config"
OTHER_WEB = f"{INSTALL}/ClientAccess/sync/web.config"
WEB_NAME = "%ExchangeInstallPath%/ClientAccess/owa/web.config"
COLLECTOR = {"name": "collect.ps1", "version": "1.0"}
WINDOWS = {
    "build": "10.0.17763",
    "system_root": "C:\\Windows",
    "install_date": "2026-01-05T08:00:00Z",
    "machine_sid": "S-1-5-21-1-2-3",
}
# In place of a file's bytes: bundle.json says that there is none, or why it was not read.
ABSENT = "absent"

Content = bytes | str


class Sealed(str):
    """A SecureString's text in an export."""

    __slots__ = ()


def clixml(type_name: str, *objects: dict[str, Any]) -> bytes:
    """Write objects as Export-Clixml does; a text that is sealed becomes a SecureString."""
    parts = []
    for number, one in enumerate(objects):
        types = f'<TN RefId="{number}"><T>{type_name}</T><T>System.Object</T></TN>'
        named = "".join(_property(name, value) for name, value in one.items())
        parts.append(f'<Obj RefId="{number}">{types}<Props>{named}</Props></Obj>')
    namespace = "http://schemas.microsoft.com/powershell/2004/04"
    text = f'<Objs Version="1.1.0.1" xmlns="{namespace}">{"".join(parts)}</Objs>'
    return text.encode("utf-8-sig")


def _property(name: str, value: Any) -> str:
    if value is None:
        return f'<Nil N="{name}" />'
    if isinstance(value, bool):
        return f'<B N="{name}">{str(value).lower()}</B>'
    tag = "SS" if isinstance(value, Sealed) else "G" if name == "Guid" else "S"
    return f'<{tag} N="{name}">{escape(str(value), quote=False)}</{tag}>'


def vdir(noun: str, **settings: Any) -> bytes:
    """Write the export of one virtual directory of EX01: `vdir("Owa", ExternalUrl=...)`."""
    name = noun.casefold()
    server = settings.pop("server", "EX01")
    found = {
        "Identity": f"{server}\\{name} (Default Web Site)",
        "Name": f"{name} (Default Web Site)",
        "Server": server,
        "Path": f"C:\\Exchange\\{name}",
        "WebSite": "Default Web Site",
        "BasicAuthentication": True,
        "ExternalUrl": None,
        "Guid": f"00000000-0000-0000-0000-{len(noun):012}",
        **settings,
    }
    kind = "Microsoft.Exchange.Data.Directory.SystemConfiguration.AD"
    return clixml(f"{kind}{noun}VirtualDirectory", found)


def ad_only(noun: str, **settings: Any) -> bytes:
    """Write the same as -ADPropertiesOnly gives it: neutral values for what lives in IIS."""
    return vdir(noun, **{"Path": "", "WebSite": "", "BasicAuthentication": False, **settings})


def iis(ssl: str = "Ssl", folder: str | None = None, extra: str = "") -> bytes:
    """Write an applicationHost.config; `folder` is the build in the name of a version folder."""
    versions = f'<location path="Default Web Site/owa/{folder}" />' if folder else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <applicationPools><add name="MSExchangeOWAAppPool" managedRuntimeVersion="v4.0" /></applicationPools>
    <sites>
      <site name="Default Web Site" id="1">
        <application path="/"><virtualDirectory path="/" physicalPath="C:\\inetpub\\wwwroot" /></application>
        <application path="/owa"><virtualDirectory path="/" physicalPath="C:\\Exchange\\owa" /></application>
        <bindings><binding protocol="https" bindingInformation="*:443:" sslFlags="0" /></bindings>
      </site>
    </sites>
  </system.applicationHost>
  {versions}{extra}
  <location path="Default Web Site/owa">
    <system.webServer><security><access sslFlags="{ssl}" /></security></system.webServer>
  </location>
</configuration>
""".encode()  # noqa: E501  as IIS writes it


def web(**settings: str) -> bytes:
    """Write a web.config with these appSettings."""
    pairs = "".join(f'<add key="{key}" value="{escape(v)}" />' for key, v in settings.items())
    return f"<configuration><appSettings>{pairs}</appSettings></configuration>".encode()


def lines(**settings: dict[str, Any] | str) -> bytes:
    """Write windows/KIND.jsonl by name; a text in place of settings is why it was not read."""
    told = {
        name: {"unread": held} if isinstance(held, str) else {"settings": held}
        for name, held in settings.items()
    }
    names = sorted(told, key=str.lower)
    return "".join(f"{json.dumps({'name': name, **told[name]})}\n" for name in names).encode()


def content(text: str, version: str | None = None) -> dict[str, Any]:
    """Give the settings of a FileEntry that holds a text."""
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    return {"Content": {"sha256": digest, "size": len(data), "version": version}}


def kind_of(path: str) -> str:
    """Give the kind that bundle.json names for a file."""
    if path.startswith(("exchange/", "windows/")):
        return Path(path).stem
    return "IisConfig" if path.endswith("applicationHost.config") else "ConfigFile"


def manifest(at: str, files: dict[str, Content], **other: Any) -> dict[str, Any]:
    """Give bundle.json as data; a text in place of bytes is the reason for an unread file."""
    readings = []
    for path, data in files.items():
        status = "read" if isinstance(data, bytes) else "absent" if data == ABSENT else "unread"
        readings.append(
            {
                "kind": kind_of(path),
                "file": path,
                "mode": "full",
                "status": status,
                "reason": data if status == "unread" else None,
                "sha256": hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else None,
            }
        )
    build = other.pop("build", "15.2.1118.7")
    return {
        "format": 1,
        "server": "EX01",
        "taken_at": at,
        "utc_offset_min": 60,
        "time_zone": "W. Europe Standard Time",
        "collector": COLLECTOR,
        "exchange": {
            "version": "2019",
            "build": build,
            "install_path": "C:\\Program Files\\Microsoft\\Exchange Server\\V15",
        },
        "windows": WINDOWS,
        "readings": readings,
        "evidence": [],
        **other,
    }


def bundle(folder: Path, at: str, files: dict[str, Content], **other: Any) -> Path:
    """Write a bundle; `other` is what bundle.json holds instead."""
    write(folder, {path: data for path, data in files.items() if isinstance(data, bytes)})
    listed = json.dumps(manifest(at, files, **other))
    (folder / "bundle.json").write_text(listed, encoding="utf-8")
    return folder


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def zipped(file: Path, files: dict[str, bytes]) -> Path:
    """Write a zip with entries of any name."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file


@dataclass(frozen=True)
class Answer:
    """What a command said: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The objects that --json printed."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Program:
    """The command line with one store."""

    folder: Path
    store: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = self.folder / "changelog.db"

    def run(self, *arguments: object) -> Answer:
        """Run one command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(["--store", str(self.store), *map(str, arguments)])
        return Answer(code, out.getvalue(), err.getvalue())

    def take(self, at: str, files: dict[str, Content], **other: Any) -> Answer:
        """Write a bundle and import it."""
        number = len(list(self.folder.glob("bundle*")))
        return self.run("import", bundle(self.folder / f"bundle{number}", at, files, **other))

    def log(self, *arguments: str) -> list[dict[str, Any]]:
        """Give the lines of the change log."""
        return self.run("log", "--json", *arguments).lines

    def changes(self, *arguments: str) -> list[tuple[Any, ...]]:
        """Give the change log in short: path, before, after."""
        return [(path_of(line), line["before"], line["after"]) for line in self.log(*arguments)]


def path_of(line: dict[str, Any]) -> str:
    """Give the path of a JSON line: `Kind[resource].setting`."""
    place = f"{line['kind']}[{line['resource']}]"
    return place if line["setting"] is None else f"{place}.{line['setting']}"


def rows(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table; nothing where there is no store or nothing in it."""
    if not store.exists():
        return {}
    with contextlib.closing(sqlite3.connect(store)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = sorted(name for (name,) in tables.fetchall())
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            if name != "alembic_version"
            else connection.execute("SELECT * FROM alembic_version").fetchall()
            for name in names
        }


def stored(program: Program) -> bytes:
    """Everything in the store, unpacked: bodies by its dictionary, contents by their bases."""
    found = rows(program.store)
    dictionary = found["dictionary"][0][1] if found.get("dictionary") else b""
    bases = {number: unpacked(data) for number, _, data, base in found["content"] if base is None}
    parts = [unpacked(data, bases.get(base, b"")) for _, _, data, base in found.pop("content")]
    parts += [
        unpacked(cell, dictionary) if isinstance(cell, bytes) else str(cell).encode()
        for cell in itertools.chain.from_iterable(itertools.chain(*found.values()))
    ]
    return b"\n".join(parts)


def unpacked(data: bytes, against: bytes = b"") -> bytes:
    """Unpack what the store packed against other bytes, or by itself."""
    if not data.startswith(b"\x28\xb5\x2f\xfd"):
        return data
    raw = zstandard.ZstdCompressionDict(against, zstandard.DICT_TYPE_RAWCONTENT)
    unpacker = zstandard.ZstdDecompressor(**({"dict_data": raw} if against else {}))
    return unpacker.decompress(data, max_output_size=10_000_000)


# Runs commands one after the other; says of each its answer and seconds, and the peak in MB.
_CHILD = """
import contextlib, io, json, sys, time
from changelog_tracker import cli
answers = []
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    began = time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run(arguments)
    answers.append([code, out.getvalue(), err.getvalue(), time.monotonic() - began])
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
json.dump([answers, peak], sys.stdout)
"""


def in_a_child(
    commands: Sequence[Sequence[object]], timeout_s: float
) -> tuple[list[tuple[Answer, float]], int]:
    """Run commands in a process of their own: answers with seconds, and the peak of memory, MB."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps([[str(part) for part in command] for command in commands]),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=True,
    )
    answers, peak_mb = json.loads(done.stdout)
    return [(Answer(*answer[:3]), answer[3]) for answer in answers], peak_mb
