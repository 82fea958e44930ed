"""
The simulated server in a process of its own, for benchmarks and campaigns: canned answers only.

    with WinRmProcess({"CONTOSO\\anna": "secret"}, "bench_answers:answer", tls=pair) as server:
        ...  # a client talks to server.url
        print(server.numbers()["requests"])

`answer` is named `module:function`; the module is looked up in `folder`, then as everything else.
In place of a function it may name a `winrm_shells.Runner`, which also sees who signed in.
The process ends with its standard input, at the latest.
"""

from __future__ import annotations

import importlib
import json
import ssl
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winrm_faults import Faults, Trouble
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrm_tls import Pair
from winrs import Canned

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDS_IN_S = 10


class WinRmProcess:
    """
    A server in another process; a context manager.

    Args:
        passwords: By user name.
        answer: `module:function`, as `winrs.Canned` takes it.
        folder: Where that module lies.
        tls: For HTTPS.
        troubles: What goes wrong, seeded by `seed`.
        more: Plain values for `WinRmServer`: allow_unencrypted, schemes, life_s, ...
    """

    def __init__(
        self,
        passwords: dict[str, str],
        answer: str,
        *,
        folder: Path | None = None,
        tls: Pair | None = None,
        troubles: Sequence[Trouble] = (),
        seed: int = 0,
        max_shells: int = 1000,
        **more: Any,
    ) -> None:
        self._config = json.dumps(
            {
                "passwords": passwords,
                "answer": answer,
                "folder": str(folder) if folder else None,
                "tls": [str(tls.certificate), str(tls.key)] if tls else None,
                "troubles": [asdict(one) for one in troubles],
                "seed": seed,
                "max_shells": max_shells,
                "more": more,
            }
        )

    def __enter__(self) -> WinRmProcess:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.url = str(self._ask(self._config)["url"])
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(ENDS_IN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def numbers(self) -> dict[str, Any]:
        """Give the counters, and how many failures of its own the server saw."""
        return self._ask("numbers")

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert isinstance(found, dict)
        return found


def _pair(paths: list[str] | None) -> Pair | None:
    if paths is None:
        return None
    certificate, key = map(Path, paths)
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text("ascii"))
    return Pair(certificate, key, der)


def _say(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def _serve() -> None:
    config = json.loads(sys.stdin.readline())
    if config["folder"]:
        sys.path.insert(0, config["folder"])
    module, _, name = config["answer"].partition(":")
    answer = getattr(importlib.import_module(module), name)
    troubles = [Trouble(**one) for one in config["troubles"]]
    more = config["more"]
    if "schemes" in more:
        more["schemes"] = tuple(more["schemes"])
    faults = Faults(*troubles, seed=config["seed"])
    server = WinRmServer(config["passwords"], tls=_pair(config["tls"]), faults=faults, **more)
    runner = answer if hasattr(answer, "run") else Canned(answer)
    server.mount("/wsman", WinRsShells(runner, config["max_shells"]))
    with server:
        _say({"url": server.url})
        for _ in sys.stdin:
            numbers = server.counters.numbers() | {"failures": len(server.failures)}
            _say(numbers)


if __name__ == "__main__":
    _serve()
