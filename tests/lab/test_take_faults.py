"""
Collections while the network, the server or something between does its worst.

Each of many servers was taken once. Then it is taken again, and one thing goes wrong, which a
number decides: what, at which message, how often. Nothing on the server has changed.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from canned_frames import CannedFrames
from winrm_faults import Faults
from winrm_server import WinRmServer
from winrm_shells import WinRsShells
from winrm_tls import Authority
from winrs import Canned

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from bundles import Program, bundle, iis, manifest, vdir, web

from changelog_tracker.errors import CollectError
from changelog_tracker.normalise.secrets import Fingerprints
from changelog_tracker.pipeline.inventory import ServerEntry
from changelog_tracker.pipeline.take import Options, take
from changelog_tracker.store import Store

USER, PASSWORD = r"CONTOSO\anna", "Xk7-quarz-Laube"
AT_ONCE = 20
DEADLINE_S = 4.0
# A connection that is cut notices at once; the rest is this machine's.
SLACK_S = 6.0
FILES = {
    "exchange/OwaVirtualDirectory.clixml": vdir("OwaVirtualDirectory"),
    "files/C/Windows/System32/inetsrv/config/applicationHost.config": iis(),
    "files/C/Exchange/owa/web.config": web(one="1", two="2"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize(
    "count", [pytest.param(60, id="60"), pytest.param(2000, id="2000", marks=pytest.mark.long)]
)
def test_each_collection_ends_as_a_snapshot_or_an_error_in_time(
    count, tmp_path, authority, monkeypatch
):
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)
    program = Program(tmp_path)
    names = [f"EX{n:02}" for n in range(1, AT_ONCE + 1)]
    for name in names:
        listed = bundle(tmp_path / name, "2026-01-01T10:00:00Z", FILES, server=name)
        assert program.run("import", listed).code == 0
    store = Store(str(program.store), program.store.with_name("changelog.key"))
    results = []
    for start in range(0, count, AT_ONCE):
        seeds = range(start, start + AT_ONCE)
        results += round_of(store, dict(zip(names, seeds, strict=True)), authority)
    store.close()
    assert len(results) == count
    ended = {kind: sum(1 for one in results if one == kind) for kind in set(results)}
    assert program.log() == [], ended
    # Some faults are met by trying on; most are not.
    assert ended.get("snapshot", 0) > count // 20, ended
    assert len(ended) > 3, ended


def round_of(store, seeds, authority):
    """Take every server once, each with the fault of its number; give how each ended."""
    with ExitStack() as life:
        servers = {
            name: life.enter_context(served(name, seed, authority)) for name, seed in seeds.items()
        }
        entries = [entry(name, server, authority) for name, server in servers.items()]
        fingerprints = Fingerprints(store.key)
        found = []
        options = Options(workers=AT_ONCE, deadline_s=DEADLINE_S, full=True)
        for took in take(store, fingerprints, entries, options):
            about = (took.server, seeds[took.server], took.error)
            assert took.seconds < DEADLINE_S + SLACK_S, about
            assert (took.outcome is None) != (took.error is None), about
            assert took.error is None or isinstance(took.error, CollectError), about
            if took.outcome is not None:
                assert not took.outcome.changes, about
            found.append("snapshot" if took.error is None else type(took.error).__name__)
        for name, server in servers.items():
            assert server.failures == [], (name, seeds[name])
            left = server.counters.still_open - server.counters.unheard
            fired = server.faults.fired
            assert not left or cannot_be_closed(server.faults), (name, seeds[name], fired)
    return found


def cannot_be_closed(faults):
    """Where closing fails for ever, or is met by silence again and again, its time runs out."""
    one = faults.troubles[0]
    silent = [at for kind, at in faults.fired if kind in {"silence", "drip"}]
    return one.times is None or silent.count("Delete") > 1


def served(name, seed, authority):
    """Make a server whose one trouble a number decides, over TLS or encrypted by NTLM."""
    tls = authority.server() if seed % 2 else None
    faults = Faults.seeded(seed, drip_s=0.2, silence_s=DEADLINE_S + 2)
    frames = CannedFrames(manifest("2026-01-02T10:00:00Z", FILES, server=name), FILES)
    server = WinRmServer({USER: PASSWORD}, tls=tls, faults=faults, life_s=120)
    server.mount("/wsman", WinRsShells(Canned(frames.answer)))
    return server


def entry(name, server, authority):
    open_line = server.url.startswith("https")
    return ServerEntry(
        name=name,
        host="127.0.0.1",
        scheme="https" if open_line else "http",
        port=server.port,
        auth="basic" if open_line else "ntlm",
        user=USER,
        password="env:LAB_PASSWORD",
        ca=authority.file if open_line else None,
        exchange_url=None,
    )
