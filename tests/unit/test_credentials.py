"""Passwords by reference: where each form leads, what is refused, and that none of it shows."""

from __future__ import annotations

import copy
import dataclasses
import os
import shlex
import sys
import time
import traceback

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

from changelog_tracker.collect.credentials import Secret, check_reference, is_reference, resolve
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.endpoint import Endpoint
from changelog_tracker.errors import CollectError, DeadlineError, TrackerError, UsageError

PASSWORD = "P4ss wörd's"
PLACE = "EX01: --password"
PYTHON = shlex.quote(sys.executable)


def resolved(reference: str, seconds: float = 20) -> str:
    return resolve(reference, PLACE, Deadline(seconds)).reveal()


def refusal(reference: str, seconds: float = 20) -> TrackerError:
    """The error of a reference; neither it nor its traceback shows what was kept."""
    with pytest.raises(TrackerError) as caught:
        resolve(reference, PLACE, Deadline(seconds))
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert PASSWORD not in told
    assert "\n" not in str(caught.value)
    assert caught.value.place == PLACE
    return caught.value


def command(code: str) -> str:
    return f"cmd:{PYTHON} -c {shlex.quote(code)}"


def private(file, data: bytes):
    file.write_bytes(data)
    file.chmod(0o600)
    return f"file:{file}"


def test_a_secret_shows_itself_only_when_asked():
    """No way of printing it or what holds it gives it away."""
    secret = Secret(PASSWORD)
    endpoint = Endpoint("ex01.contoso.com", user="svc", password=secret)
    shown = f"{secret} {secret!r} {secret:>20} {endpoint} {[secret]} {dataclasses.asdict(endpoint)}"
    shown += "%s %r" % (secret, secret)  # noqa: UP031
    assert PASSWORD not in shown
    assert str(secret) == repr(secret) == f"{secret:x}" == "***"
    assert secret.reveal() == copy.deepcopy(secret).reveal() == PASSWORD
    assert (secret, hash(secret)) == (Secret(PASSWORD), hash(Secret(PASSWORD)))
    assert secret != PASSWORD
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("text", ["env:A", "file:/a", "keyring:a/b", "cmd:pass show a", "cmd:"])
def test_a_reference_is_known_by_its_form(text):
    """The word before the colon tells; whether the rest can be is another question."""
    assert is_reference(text)


OTHERS = (PASSWORD, "", "env", "ENV:A", "http://a", r"CONTOSO\svc", "svc@contoso.com", " env:A")
ALL_FORMS = "env:NAME, file:PATH, keyring:SERVICE/USER or cmd:COMMAND LINE"
REFUSED = {
    **dict.fromkeys(OTHERS, "is no reference; a password itself is never kept"),
    "env:": f"env: leads nowhere; expected {ALL_FORMS}",
    "cmd:  ": f"cmd: leads nowhere; expected {ALL_FORMS}",
    "env:A=hunter2": "env: expected the name of a variable alone",
    "file:a\nhunter2": "file: holds a line end or what else cannot be seen",
    "cmd:a\0hunter2": "cmd: holds a line end or what else cannot be seen",
    "keyring:hunter2": "keyring: expected SERVICE/USER",
    "keyring:/hunter2": "keyring: expected SERVICE/USER",
    "keyring:hunter2/": "keyring: expected SERVICE/USER",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_reference_is_refused_and_not_repeated(text):
    """It may be the password itself, so the message says what was expected, and no more."""
    with pytest.raises(UsageError) as caught:
        check_reference(text, PLACE)
    assert (caught.value.what, caught.value.exit_code) == (REFUSED[text], 2)
    assert caught.value.hint in {None, f"expected {ALL_FORMS}"}
    with pytest.raises(UsageError):
        resolve(text, PLACE, Deadline(5))


def test_env_leads_to_a_variable(monkeypatch):
    """All of it counts; one that is not set or empty is named."""
    monkeypatch.setenv("EX_PASSWORD", PASSWORD)
    assert resolved("env:EX_PASSWORD") == PASSWORD
    monkeypatch.setenv("EX_PASSWORD", "")
    assert refusal("env:EX_PASSWORD").what == "the environment variable EX_PASSWORD is empty"
    monkeypatch.delenv("EX_PASSWORD")
    assert refusal("env:EX_PASSWORD").what == "the environment variable EX_PASSWORD is not set"


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nanother line\n\xff"[:-1]])
def test_file_leads_to_the_first_line_of_a_file(tmp_path, end):
    """As editors write it: with or without a line end, and a byte order mark."""
    data = PASSWORD.encode() + end
    assert resolved(private(tmp_path / "a", data)) == PASSWORD
    assert resolved(private(tmp_path / "b", b"\xef\xbb\xbf" + data)) == PASSWORD


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty, or its first line is"),
        (b"\nP4ss", "is empty, or its first line is"),
        (PASSWORD.encode("utf-16"), "is no text in UTF-8"),
        (PASSWORD.encode("utf-16-le"), "is no text in UTF-8"),
        (b"a" * (64 * 1024 + 1), "is larger than 64 KiB; expected one line"),
    ],
)
def test_a_file_that_holds_no_password_is_refused(tmp_path, data, what):
    """What it is, not what it holds."""
    assert refusal(private(tmp_path / "a", data)).what == f"{tmp_path / 'a'} {what}"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_is_open_to_others_is_refused(tmp_path, mode):
    """The hint is the command that closes it, and then it is taken."""
    reference = private(tmp_path / "a", PASSWORD.encode())
    (tmp_path / "a").chmod(mode)
    error = refusal(reference)
    assert error.what == f"{tmp_path / 'a'} is open to others than its owner"
    assert error.hint == f"run: chmod 600 {tmp_path / 'a'}"
    (tmp_path / "a").chmod(0o400)
    assert resolved(reference) == PASSWORD


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such pipes")
def test_what_is_no_file_is_refused_at_once(tmp_path):
    """Neither a folder nor a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refusal(f"file:{tmp_path / 'pipe'}").what == f"{tmp_path / 'pipe'} is no file"
    assert f"{tmp_path} " in refusal(f"file:{tmp_path}").what
    assert "cannot be read: No such file" in refusal(f"file:{tmp_path / 'none'}").what


class InMemory(keyring.backend.KeyringBackend):
    """A keyring that holds one password, and fails in the ways of its kind."""

    priority = 1

    def get_password(self, service, username):
        if service == "locked":
            raise keyring.errors.KeyringLocked(PASSWORD)
        if service == "broken":
            raise RuntimeError(PASSWORD)
        if service == "asks":
            time.sleep(5)
        return PASSWORD if (service, username) == ("exchange/farm", "svc") else None

    def set_password(self, service, username, password):
        raise NotImplementedError


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("ring")
def test_keyring_leads_to_the_machines_keyring():
    """The service may hold slashes; what is not there or cannot be read is told by its names."""
    assert resolved("keyring:exchange/farm/svc") == PASSWORD
    error = refusal("keyring:exchange/other")
    assert error.what == "the keyring has no password of other for exchange"
    assert error.hint == "store it with: keyring set exchange other"
    assert refusal("keyring:locked/a").what == "the keyring cannot be read: KeyringLocked"
    assert refusal("keyring:broken/a").what == "the keyring cannot be read: RuntimeError"


@pytest.mark.usefixtures("ring")
def test_a_keyring_that_asks_somebody_is_given_up_in_time():
    """Where nobody sits it would wait for ever."""
    began = time.monotonic()
    assert isinstance(refusal("keyring:asks/a", seconds=0.3), DeadlineError)
    assert time.monotonic() - began < 3


def test_without_a_keyring_it_says_so():
    """The backend of a machine that has none refuses."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        assert refusal("keyring:a/b").what == "the keyring cannot be read: NoKeyringError"
    finally:
        keyring.set_keyring(before)


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
    """As an import of a package that is not there fails."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    error = refusal("keyring:a/b")
    assert error.what == "the keyring cannot be asked: keyring is not installed"
    assert error.hint == "install it with: pip install 'changelog-tracker[keyring]'"


def test_cmd_leads_to_the_first_line_of_what_a_command_prints(tmp_path):
    """As `pass show` prints it, with notes below; quotes hold words together; UTF-8 both ways."""
    script = tmp_path / "a program.py"
    script.write_text(
        "import sys\nsys.stdout.buffer.write(sys.argv[1].encode() + b'\\r\\nnotes\\n')\n"
    )
    line = shlex.join([sys.executable, str(script), PASSWORD])
    assert resolved(f"cmd:{line}") == PASSWORD


def test_no_shell_reads_a_command(tmp_path):
    """What a shell would run is an argument."""
    marker = tmp_path / "marker"
    assert resolved(f"cmd:echo $(touch {marker}) ; touch {marker}") == (
        f"$(touch {marker}) ; touch {marker}"
    )
    assert not marker.exists()


def test_a_command_has_no_input():
    """What asks is at its end at once, and does not take the terminal."""
    assert resolved(command("import sys; print(repr(sys.stdin.read()))")) == "''"


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        (
            command(
                f"import sys; print({PASSWORD!r}); sys.stderr.write({PASSWORD!r}); sys.exit(3)"
            ),
            "its command ended with exit code 3",
        ),
        (command("import os; os.kill(os.getpid(), 9)"), "its command ended with exit code -9"),
        (command(""), "its command's output is empty, or its first line is"),
        (command("print('a' * 70000)"), "its command printed more than 64 KiB; expected one line"),
        (
            command("import sys; sys.stdout.buffer.write(b'P4ss\\xff')"),
            "its command's output is no text in UTF-8",
        ),
        (
            "cmd:/nowhere/program --secret x",
            "its command cannot be run: No such file or directory",
        ),
        ("cmd:pass 'show", "cmd: a quote in the command line is not closed"),
    ],
)
def test_a_command_that_fails_is_told_without_its_output(reference, what):
    """By its exit code, or by what is wrong with what it printed."""
    assert refusal(reference).what == what


def test_a_command_that_prints_for_ever_is_ended():
    """It is cut at the first byte too many, long before its time is over."""
    began = time.monotonic()
    assert "more than 64 KiB" in refusal(command("while True: print('a' * 4096)")).what
    assert time.monotonic() - began < 10


@pytest.mark.skipif(os.name != "posix", reason="Windows has no process groups")
def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path):
    """Also where its child holds its output open; the deadline of the server counts."""
    child = tmp_path / "child"
    code = (
        "import os, subprocess, sys, time; "
        f"print({PASSWORD!r}, flush=True); "
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(child)!r}, 'w').write(str(one.pid)); "
        "time.sleep({wait})"
    )
    for wait in ("60", "0"):
        child.unlink(missing_ok=True)
        began = time.monotonic()
        error = refusal(command(code.replace("{wait}", wait)), seconds=1.5)
        assert isinstance(error, DeadlineError)
        assert time.monotonic() - began < 8
        assert gone(int(child.read_text()))


def gone(pid: int) -> bool:
    """Tell whether a process ends within a few seconds."""
    for _ in range(50):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_after_the_deadline_nothing_is_asked():
    """A server whose time is over has no use for a password."""
    with pytest.raises(DeadlineError):
        resolve("env:PATH", PLACE, Deadline(-1))


def test_each_error_is_one_of_collecting():
    """So one server's lost password never costs another server."""
    assert isinstance(refusal("env:NOT_THERE_AT_ALL"), CollectError)
    assert isinstance(refusal(command("raise SystemExit(1)")), CollectError)
