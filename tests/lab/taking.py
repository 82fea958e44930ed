"""A server on the wire, and a person at the command line who takes it, or asks why it cannot be."""

from __future__ import annotations

import re
from contextlib import contextmanager

from exchange_endpoint import CONFIGURATION, PATH, ExchangeEndpoint
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrs import Canned

USER, PASSWORD, WRONG = r"CONTOSO\svc-changelog", "Xk7-quarz-Laube", "Rf3-dorn-Kessel"


@contextmanager
def serving(runner, faults=None, lab=None, **named):
    """Serve shells, and an Exchange endpoint where there is a lab; no shell is left open."""
    with WinRmServer({USER: PASSWORD}, faults=faults, **named) as server:
        server.mount("/wsman", WinRsShells(runner))
        if lab is not None:
            server.mount(PATH, ExchangeEndpoint(lab), uri=CONFIGURATION, blank=True)
        yield server
        assert server.failures == []
        assert server.counters.still_open == set()


def printing(stdout=b"", stderr=b"", code=1):
    return Canned(lambda _line, _stdin: (stdout, stderr, code))


def add(
    program, port, *more, host="127.0.0.1", scheme="http", auth="ntlm", password="LAB_PASSWORD"
):
    reference = password if ":" in password else f"env:{password}"
    answer = program.run(
        *("server", "add", "EX01", "--host", host, "--port", port, "--scheme", scheme),
        *("--auth", auth, "--user", USER, "--password", reference),
        *(() if "--exchange-url" in more else ("--exchange-url", "none")),
        *more,
    )
    assert (answer.code, answer.err) == (0, "")


def said(program, *arguments):
    """Run a command: what it says is plain lines, without a secret, and numbers of ports."""
    answer = program.run(*arguments)
    both = answer.out + answer.err
    assert "Traceback" not in both
    assert PASSWORD not in both
    assert WRONG not in both
    assert all(line.isprintable() for line in both.splitlines())
    return answer.code, _plain(answer.out).splitlines(), _plain(answer.err).splitlines()


def _plain(text):
    return re.sub(r"(127\.0\.0\.1:|answers on )\d+", r"\g<1>PORT", text)
