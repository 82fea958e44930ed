"""What is true of asking an Exchange endpoint: the lab's, with a real PowerShell behind it."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from exchange_endpoint import CONFIGURATION, PATH, ExchangeEndpoint
from lab import PWSH, Lab
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from winrm_faults import BEFORE, Faults, Trouble
from winrm_server import WinRmServer
from winrm_tls import Authority

from changelog_tracker.catalogue import queries
from changelog_tracker.collect import endpoint as there
from changelog_tracker.collect.credentials import Secret
from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.psrp import Query, exchange_session, read_exchange
from changelog_tracker.errors import CollectError, DeadlineError, RefusedError, UnreachableError
from changelog_tracker.parse.clixml import ClixObject, parse_clixml
from changelog_tracker.parse.xml import read_xml

pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH to run the lab's endpoint with"),
]
USER, PASSWORD = r"CONTOSO\anna", "Xk7-quarz-Laube"
OWA = Query("OwaVirtualDirectory", "Get-OwaVirtualDirectory", {"Server": "EX01"})
TROUBLES = [*BEFORE, "reset-after", "close-after", "half", "not-xml", "relates-to"]
VERBS = ["Create", "Command", "Receive", "Signal", "Delete"]
# Of each kind one, and each operation with several.
SOME = [
    pytest.param(kind, at, marks=[] if (place + number) % 5 == 0 else [pytest.mark.long])
    for place, kind in enumerate(TROUBLES)
    for number, at in enumerate(VERBS)
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("psrp"))


@contextmanager
def serving(lab, faults=None, *, longest_s=60.0, **more):
    """Put the lab's endpoint on the wire, and see that no shell is left."""
    with WinRmServer({USER: PASSWORD}, faults=faults, **more) as server:
        server.mount(PATH, ExchangeEndpoint(lab, longest_s), uri=CONFIGURATION, blank=True)
        yield server
        assert server.failures == []


def endpoint(server, auth="ntlm", **more):
    about = {"user": USER, "password": Secret(PASSWORD), "auth": auth} | more
    return there.ExchangeEndpoint(server.url_of(PATH), **about)


def as_told(data, place="answer"):
    """Give all that a CLIXML document tells, as plain values."""
    return [plain(one) for one in parse_clixml(read_xml(data, place), place)]


def plain(raw):
    if isinstance(raw, ClixObject):
        members = {name: plain(one) for name, one in raw.members.items()}
        return (raw.tag, raw.types, raw.text, plain(raw.value), members)
    if isinstance(raw, list):
        return [plain(one) for one in raw]
    if isinstance(raw, dict):
        return {name: plain(one) for name, one in raw.items()}
    return raw


# ---- the lab, by a client that nobody here wrote


def test_pypsrp_itself_is_answered_and_refused_as_by_exchange(lab):
    with serving(lab) as server:
        connection = WSMan(
            "127.0.0.1", port=server.port, ssl=False, path="powershell", auth="ntlm",
            username=USER, password=PASSWORD, encryption="always",
        )  # fmt: skip
        pool = RunspacePool(connection, configuration_name="Microsoft.Exchange")
        pool.open()
        said = {}
        for name, parameters in (
            ("Get-OwaVirtualDirectory", {"Server": "EX01"}),
            ("Get-OwaVirtualDirectory", {"Nonsense": "1"}),
            ("Get-ChildItem", {}),
            ("1+1", None),
        ):
            shell = PowerShell(pool)
            if parameters is None:
                shell.add_script(name)
            else:
                shell.add_cmdlet(name).add_parameters(parameters)
            output = shell.invoke()
            told = [str(one).splitlines()[0] for one in shell.streams.error]
            said[name, *(parameters or {})] = (len(output), told)
            shell.close()
        pool.close()
        connection.close()
        syntax = "The syntax is not supported by this runspace"
        missing = "The term 'Get-ChildItem' is not recognized as a name of a cmdlet, function, "
        assert said == {
            ("Get-OwaVirtualDirectory", "Server"): (1, []),
            ("Get-OwaVirtualDirectory", "Nonsense"): (
                0,
                ["A parameter cannot be found that matches parameter name 'Nonsense'."],
            ),
            ("Get-ChildItem",): (0, [f"{missing}script file, or executable program."]),
            ("1+1",): (
                0,
                [f"{syntax}. This can occur if the runspace is in no-language mode."],
            ),
        }
        assert server.counters.still_open == set()


# ---- answers


@pytest.mark.parametrize("version", ["2010", "2019", "SE"])
def test_every_noun_is_told_as_export_clixml_tells_it(tmp_path, version):
    lab = Lab(tmp_path, version)
    asked = [Query(one.noun, one.cmdlet, one.parameters) for one in queries(version, "EX01")]
    lines = []
    for one in asked:
        words = " ".join(
            f"-{name}" if value is True else f"-{name} '{value}'"
            for name, value in one.parameters.items()
        )
        lines.append(
            f"{one.cmdlet} {words} | Export-Clixml '{tmp_path}/{one.noun}.clixml' -Depth 4"
        )
    with serving(lab) as server:
        answers = read_exchange(endpoint(server), asked, Deadline(120))
        assert server.counters.still_open == set()
    lab.powershell("\n".join(lines))
    exported = {one.noun: as_told((tmp_path / f"{one.noun}.clixml").read_bytes()) for one in asked}
    assert {one.query.noun: as_told(one.data) for one in answers} == exported


def test_what_no_role_brings_is_named(tmp_path):
    lab = Lab(tmp_path)
    lab.hidden += [
        ("Get-EcpVirtualDirectory", None),
        ("Get-OabVirtualDirectory", "ShowMailboxVirtualDirectories"),
    ]
    both = {"Server": "EX01", "ShowMailboxVirtualDirectories": True}
    asked = [
        Query("EcpVirtualDirectory", "Get-EcpVirtualDirectory", both),
        Query("OabVirtualDirectory", "Get-OabVirtualDirectory", both),
        Query("OwaVirtualDirectory", "Get-OwaVirtualDirectory", {"Server": "EX99"}),
        Query("OwaVirtualDirectory", "Get-OwaVirtualDirectory -Server EX01", {}),
        Query("ClientAccessArray", "Get-ClientAccessArray", {}),
    ]
    with serving(lab) as server:
        answers = read_exchange(endpoint(server), asked, Deadline(60))
        with exchange_session(endpoint(server), Deadline(60)) as session:
            names = ["Get-EcpVirtualDirectory", "Get-OabVirtualDirectory", "Search-AdminAuditLog"]
            offered = session.offered(names)
        assert server.counters.still_open == set()
    gone = "The operation couldn't be performed because object 'EX99'"
    assert [(one.data is not None, one.reason) for one in answers] == [
        (False, "no role of yours brings Get-EcpVirtualDirectory"),
        (False, "no role of yours brings Get-OabVirtualDirectory -ShowMailboxVirtualDirectories"),
        (False, f"{gone} couldn't be found on 'DC01.contoso.com'."),
        (False, "no role of yours brings Get-OwaVirtualDirectory -Server EX01"),
        (True, None),
    ]
    assert sorted(offered) == ["Get-OabVirtualDirectory", "Search-AdminAuditLog"]
    assert "ShowMailboxVirtualDirectories" not in offered["Get-OabVirtualDirectory"]


def test_an_answer_with_an_error_beside_its_objects_is_no_answer(tmp_path):
    lab = Lab(tmp_path)
    lab.edit(failing={"Get-OwaVirtualDirectory": "An IIS directory entry couldn't be created."})
    with serving(lab) as server:
        answers = read_exchange(endpoint(server), [OWA], Deadline(60))
    assert [(one.data, one.reason) for one in answers] == [
        (None, "An IIS directory entry couldn't be created.")
    ]


# ---- signing in


def test_basic_goes_over_https_alone(lab, tmp_path):
    authority = Authority(tmp_path)
    with serving(lab, tls=authority.server()) as server:
        told = read_exchange(endpoint(server, "basic", ca=authority.file), [OWA], Deadline(60))
        assert [one.reason for one in told] == [None]
        with pytest.raises(UnreachableError, match=r"its certificate is .*not trusted"):
            read_exchange(endpoint(server, "basic"), [OWA], Deadline(60))
        assert server.counters.still_open == set()
    with serving(lab, allow_unencrypted=True) as server:
        with pytest.raises(CollectError, match="basic over http would not be encrypted"):
            read_exchange(endpoint(server, "basic"), [OWA], Deadline(60))
        assert server.counters.requests == 0


def test_ntlm_over_https_brings_the_channels_binding(lab, tmp_path):
    authority = Authority(tmp_path)
    with serving(lab, tls=authority.server(), strict_bindings=True) as server:
        told = read_exchange(endpoint(server, ca=authority.file), [OWA], Deadline(60))
        assert [one.reason for one in told] == [None]
        assert server.counters.still_open == set()


def test_a_wrong_password_is_one_line_without_it(lab):
    with serving(lab) as server:
        wrong = endpoint(server, password=Secret("Falsch-9-Falsch"))
        with pytest.raises(RefusedError) as caught:
            read_exchange(wrong, [OWA], Deadline(60))
        assert server.counters.opened == set()
    text = f"{caught.value} {caught.value.hint}"
    assert "signing in by ntlm failed" in text
    assert "\n" not in text
    assert "Falsch-9-Falsch" not in text


# ---- what goes wrong


@pytest.mark.parametrize(("kind", "at"), SOME)
def test_a_fault_ends_in_an_answer_or_an_error_and_in_no_shell(lab, kind, at):
    faults = Faults(Trouble(kind, at, nth=1 if at != "Receive" else 2), silence_s=3, drip_s=0.01)
    deadline = 8.0
    started = time.monotonic()
    with serving(lab, faults, longest_s=1) as server:
        told = []
        try:
            answers = read_exchange(endpoint(server), [OWA, OWA], Deadline(deadline))
            told += [one.reason for one in answers if one.data is None]
        except CollectError as error:
            told.append(f"{error} {error.hint}")
        assert None not in told
        assert "\n" not in "".join(told)
        assert PASSWORD not in "".join(told)
        assert time.monotonic() - started < deadline + 7
        assert faults.fired
        assert server.counters.still_open == set(), server.counters.verbs


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble("silence", "Create"),
        Trouble("silence", "Receive", 3),
        Trouble("drip", "Receive", 3),
        Trouble("operation-timeout", "Receive", 3, None),
    ],
)
def test_no_server_holds_it_longer_than_its_deadline(lab, trouble):
    faults = Faults(trouble, silence_s=60, drip_s=0.2)
    started = time.monotonic()
    with serving(lab, faults, longest_s=1) as server:
        with pytest.raises(DeadlineError):
            read_exchange(endpoint(server), [OWA, OWA], Deadline(4))
        assert time.monotonic() - started < 12
        assert server.counters.still_open == set()


def test_a_lost_session_leaves_what_it_told_and_names_the_rest(lab):
    faults = Faults(Trouble("reset", "Command", 2, None))
    with serving(lab, faults) as server:
        first, *rest = read_exchange(endpoint(server), [OWA, OWA, OWA], Deadline(60))
        assert server.counters.still_open == set()
    assert first.reason is None
    lost = "the Exchange session was lost: no connection: it was reset"
    assert [one.reason for one in rest] == [lost, lost]


def test_time_outs_of_an_operation_are_borne(tmp_path):
    lab = Lab(tmp_path)
    with serving(lab, longest_s=0.05) as server:
        told = read_exchange(endpoint(server), [OWA], Deadline(60))
        assert [one.reason for one in told] == [None]
        assert server.counters.still_open == set()
