"""What was watched of a server, when, and what was not: `log --coverage`."""

from __future__ import annotations

from datetime import datetime

import pytest
from bundles import (
    ABSENT,
    ECP,
    IIS,
    OTHER_WEB,
    OWA,
    WEB,
    WEB_NAME,
    Program,
    ad_only,
    bundle,
    iis,
    vdir,
    web,
    write,
)

from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.coverage import coverage_lines
from changelog_tracker.pipeline.state import IIS_KINDS
from changelog_tracker.store import Store

HOUR_S = 3600
OWA_KIND = "OwaVirtualDirectory"
NO_SNAPSHOT = "no snapshot was taken"
WAITING = "waiting for the next snapshot"
NOT_READ_YET = "not read yet"
NO_EXPORT = "no export of it was given"
OTHER_NAME = "%ExchangeInstallPath%/ClientAccess/sync/web.config"
BROKEN = b"<html></html>"
WHY_BROKEN = "its root is not <configuration>"
WHY_AD_ONLY = "exported with -ADPropertiesOnly, which does not tell what IIS holds"


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


def at(hour: float) -> str:
    """Give a time of the first of November."""
    return f"2026-11-01T{int(hour):02}:{int(hour % 1 * 60):02}:00Z"


def lines(program: Program, now: float, since=None, until=None, server=None) -> list[dict]:
    """Give the lines of coverage, as of an hour."""
    store = Store(str(program.store), program.folder / "changelog.key")
    times = [None if hour is None else datetime.fromisoformat(at(hour)) for hour in (since, until)]
    try:
        with store.reading() as connection:
            return coverage_lines(connection, server, *times, now=datetime.fromisoformat(at(now)))
    finally:
        store.close()


def line_of(found: list[dict], kind: str, server: str = "EX01") -> dict:
    """Give the one line of a server's kind."""
    (line,) = [one for one in found if (one["server"], one["kind"]) == (server, kind)]
    return line


def brief(found: list[dict], kind: str, server: str = "EX01") -> tuple:
    """Give the line of a kind in short: hours watched, snapshots that read it, gaps."""
    line = line_of(found, kind, server)
    gaps = [(gap["from"], gap["until"], gap["reason"]) for gap in line["gaps"]]
    return line["watched_s"] / HOUR_S, line["snapshots"], gaps


def take_hourly(program: Program, *hours: int, files=None, **other) -> None:
    """Take snapshots of the same files at some hours."""
    for hour in hours:
        answer = program.take(at(hour), files or {OWA: vdir("Owa"), IIS: iis()}, **other)
        assert answer.code in {0, 4}, answer.err


def test_a_server_that_is_watched_every_hour(program):
    """All of the time between first and last snapshot was watched, and one line says all of it."""
    take_hourly(program, 1, 2, 3, 4)
    assert line_of(lines(program, now=4), OWA_KIND) == {
        "server": "EX01",
        "kind": OWA_KIND,
        "from": at(1),
        "until": at(4),
        "watched_s": 3 * HOUR_S,
        "share": 1.0,
        "interval_s": HOUR_S,
        "snapshots": 4,
        "expected": 4,
        "gaps": [],
        "held_back": {},
    }


def test_a_hole_in_the_snapshots(program):
    """Where snapshots lie further apart than usual nobody watched, and each missing one counts."""
    take_hourly(program, 0, 1, 2, 6, 7)
    assert line_of(lines(program, now=7), OWA_KIND) == {
        "server": "EX01",
        "kind": OWA_KIND,
        "from": at(0),
        "until": at(7),
        "watched_s": 3 * HOUR_S,
        "share": 0.4285,
        "interval_s": HOUR_S,
        "snapshots": 5,
        "expected": 8,
        "gaps": [{"from": at(2), "until": at(6), "reason": NO_SNAPSHOT, "expected": 3}],
        "held_back": {},
    }


def test_the_time_since_the_newest_snapshot(program):
    """It is not watched yet; from one and a half intervals on, a snapshot is missing."""
    take_hourly(program, 0, 1, 2)
    soon = [{"from": at(2), "until": at(3.5), "reason": WAITING}]
    late = [{"from": at(2), "until": at(4.25), "reason": NO_SNAPSHOT, "expected": 2}]
    for now, gaps, expected in ((3.5, soon, 3), (4.25, late, 5)):
        line = line_of(lines(program, now=now), OWA_KIND)
        assert (line["until"], line["gaps"], line["expected"]) == (at(now), gaps, expected)
        assert line["watched_s"] == 2 * HOUR_S


def test_the_six_kinds_of_iis_have_a_line_each(program):
    """What applicationHost.config tells is six kinds; a kind that nobody gave has a line too."""
    take_hourly(program, 0, 1, 2)
    found = lines(program, now=2)
    assert {kind: brief(found, kind) for kind in IIS_KINDS} == dict.fromkeys(
        IIS_KINDS, (2.0, 3, [])
    )
    assert brief(found, "ConfigFile") == (0.0, 0, [(at(0), at(2), NO_EXPORT)])
    assert brief(found, "EcpVirtualDirectory") == (0.0, 0, [(at(0), at(2), NO_EXPORT)])
    later = lines(program, now=9)
    assert brief(later, "EcpVirtualDirectory") == (0.0, 0, [(at(0), at(9), NO_EXPORT)])
    names = [line["kind"] for line in found]
    assert names == sorted(names)
    assert {"IisConfig", "Collector", "NotUsed", "ClientAccessArray"} & set(names) == set()


def test_a_file_that_is_broken_for_two_snapshots(program):
    """From the last good reading to the next one its kind is not watched; the others are."""
    good = {WEB: web(a="1"), OTHER_WEB: web(a="1"), OWA: vdir("Owa")}
    take_hourly(program, 0, 1, files=good)
    take_hourly(program, 2, 3, files={**good, WEB: BROKEN})
    take_hourly(program, 4, 5, files=good)
    found = lines(program, now=5)
    gap = (at(1), at(4), f"not read: {WEB_NAME}: {WHY_BROKEN}")
    assert brief(found, "ConfigFile") == (2.0, 4, [gap])
    assert brief(found, OWA_KIND) == (5.0, 6, [])


def test_several_files_that_are_not_read(program):
    """Several are counted, with the reason if it is one; gaps part where the reason does."""
    good = {WEB: web(a="1"), OTHER_WEB: web(a="1")}
    take_hourly(program, 0, files=good)
    take_hourly(program, 1, files=dict.fromkeys(good, "access denied"))
    take_hourly(program, 2, files={WEB: "access denied", OTHER_WEB: "in use"})
    take_hourly(program, 3, files={WEB: web(a="1"), OTHER_WEB: "in use"})
    take_hourly(program, 4, files=good)
    gaps = [
        (at(0), at(2), "not read: 2 of 2 files: access denied"),
        (at(2), at(3), "not read: 2 of 2 files"),
        (at(3), at(4), f"not read: {OTHER_NAME}: in use"),
    ]
    assert brief(lines(program, now=4), "ConfigFile") == (0.0, 2, gaps)


def test_a_kind_that_is_exported_only_later(program):
    """Before its first reading it was not watched."""
    take_hourly(program, 0, 1, 2)
    take_hourly(program, 3, 4, files={OWA: vdir("Owa"), ECP: vdir("Ecp"), IIS: iis()})
    found = lines(program, now=4)
    assert brief(found, "EcpVirtualDirectory") == (1.0, 2, [(at(0), at(3), NOT_READ_YET)])
    before = lines(program, now=4, until=2)
    assert brief(before, "EcpVirtualDirectory") == (0.0, 0, [(at(0), at(2), NOT_READ_YET)])


def test_a_kind_that_is_no_longer_exported(program, tmp_path):
    """What an import does not hold is not watched from the reading before on."""
    for hour, files in ((0, (OWA, ECP)), (1, (OWA, ECP)), (2, (OWA,))):
        nouns = {OWA: vdir("Owa", ExternalUrl=f"https://{hour}/"), ECP: vdir("Ecp")}
        folder = write(tmp_path / str(hour), {path: nouns[path] for path in files})
        assert program.run("import", folder, "--at", at(hour)).code == 0
    found = lines(program, now=2)
    gap = (at(1), at(2), "not read: not in this import")
    assert brief(found, "EcpVirtualDirectory") == (1.0, 2, [gap])
    assert brief(found, OWA_KIND) == (2.0, 3, [])


def test_an_export_that_only_asked_active_directory(program):
    """What IIS holds of the object is not read, so the kind is not watched as a whole."""
    take_hourly(program, 0, 1, 4)
    take_hourly(program, 2, 3, files={OWA: ad_only("Owa"), IIS: iis()})
    found = lines(program, now=4)
    gap = (at(1), at(4), f"not read: owa (Default Web Site): {WHY_AD_ONLY}")
    assert brief(found, OWA_KIND) == (1.0, 3, [gap])
    assert brief(found, "IisSite") == (4.0, 5, [])


def test_a_kind_that_is_absent_is_watched(program):
    """That there is none is an answer; that the export failed is not."""
    take_hourly(program, 0)
    take_hourly(program, 1, 2, files={OWA: ABSENT, IIS: iis()})
    take_hourly(program, 3, files={OWA: "access denied", IIS: iis()})
    gap = (at(2), at(3), "not read: access denied")
    assert brief(lines(program, now=3), OWA_KIND) == (2.0, 3, [gap])


def test_two_servers_with_their_own_rhythm(program):
    """Each server is measured by its own usual interval; one can be asked for alone."""
    take_hourly(program, 0, 1, 2, 3, 4, 5, 6)
    other = {OWA: vdir("Owa", server="EX02")}
    take_hourly(program, 0, 3, 6, files=other, server="EX02")
    found = lines(program, now=6)
    assert [line["server"] for line in found] == sorted(line["server"] for line in found)
    assert brief(found, OWA_KIND) == (6.0, 7, [])
    assert brief(found, OWA_KIND, "EX02") == (6.0, 3, [])
    intervals = {line["server"]: line["interval_s"] for line in found}
    assert intervals == {"EX01": HOUR_S, "EX02": 3 * HOUR_S}
    assert {line["server"] for line in lines(program, now=6, server="ex02")} == {"EX02"}


def test_one_snapshot_only(program):
    """Nothing is usual yet, and nothing was watched."""
    take_hourly(program, 0)
    line = line_of(lines(program, now=5), OWA_KIND)
    assert line == {
        "server": "EX01",
        "kind": OWA_KIND,
        "from": at(0),
        "until": at(5),
        "watched_s": 0,
        "share": 0.0,
        "interval_s": None,
        "snapshots": 1,
        "expected": None,
        "gaps": [{"from": at(0), "until": at(5), "reason": NO_SNAPSHOT}],
        "held_back": {},
    }


def test_a_clock_that_is_behind_the_newest_snapshot(program):
    """The period ends with the newest snapshot then, be it of no length."""
    take_hourly(program, 3)
    line = line_of(lines(program, now=0), OWA_KIND)
    said = [line[key] for key in ("from", "until", "watched_s", "share", "snapshots", "gaps")]
    assert said == [at(3), at(3), 0, 0.0, 1, []]


def test_two_snapshots_make_no_interval(program):
    """With fewer than three snapshots no distance is too long."""
    take_hourly(program, 0, 9)
    line = line_of(lines(program, now=9), OWA_KIND)
    said = [line[key] for key in ("watched_s", "share", "interval_s", "expected", "gaps")]
    assert said == [9 * HOUR_S, 1.0, None, None, []]


def test_a_period_inside(program):
    """A period is cut where it is asked for; a pair of snapshots around its end still counts."""
    take_hourly(program, 0, 1, 2, 3, 7, 8, 9)
    line = line_of(lines(program, now=12, since=1.5, until=5.5), OWA_KIND)
    assert line == {
        "server": "EX01",
        "kind": OWA_KIND,
        "from": at(1.5),
        "until": at(5.5),
        "watched_s": 1.5 * HOUR_S,
        "share": 0.375,
        "interval_s": HOUR_S,
        "snapshots": 2,
        "expected": 4,
        "gaps": [{"from": at(3), "until": at(5.5), "reason": NO_SNAPSHOT, "expected": 2}],
        "held_back": {},
    }


def test_a_period_after_the_newest_snapshot(program):
    """Nothing in it was watched; the interval is that of all snapshots."""
    take_hourly(program, 0, 1, 2)
    line = line_of(lines(program, now=7, since=4), OWA_KIND)
    said = [line[key] for key in ("from", "until", "share", "interval_s", "snapshots", "expected")]
    assert said == [at(4), at(7), 0.0, HOUR_S, 0, 4]
    assert line["gaps"] == [{"from": at(4), "until": at(7), "reason": NO_SNAPSHOT, "expected": 4}]


def test_a_period_without_time(program):
    """Before the first snapshot, and where the end lies before the begin, there is no line."""
    take_hourly(program, 2, 3, 4)
    assert lines(program, now=4, until=1) == []
    assert lines(program, now=4, since=3.5, until=3) == []
    assert lines(program, now=4, since=9) == []


def test_a_late_snapshot_closes_its_hole(program):
    """A snapshot that comes in late was taken all the same."""
    take_hourly(program, 0, 1, 3, 4)
    gap = (at(1), at(3), NO_SNAPSHOT)
    assert brief(lines(program, now=4), OWA_KIND) == (2.0, 4, [gap])
    take_hourly(program, 2)
    assert brief(lines(program, now=4), OWA_KIND) == (4.0, 5, [])


def test_a_hole_among_snapshots_that_do_not_read_it(program):
    """Where both sides did not read it that is the reason; on the edge it is the hole."""
    take_hourly(program, 0, 1, 9, 10)
    failed = {OWA: "access denied", IIS: iis()}
    take_hourly(program, 4, 5, 7, files=failed)
    reason = "not read: access denied"
    found = lines(program, now=10)
    assert brief(found, OWA_KIND) == (
        2.0,
        4,
        [(at(1), at(4), NO_SNAPSHOT), (at(4), at(7), reason), (at(7), at(9), NO_SNAPSHOT)],
    )
    line = line_of(found, OWA_KIND)
    assert (line["interval_s"], line["expected"]) == (HOUR_S, 11)


def test_a_server_that_is_not_known(program):
    """It is a mistake of who asks."""
    take_hourly(program, 0)
    with pytest.raises(UsageError, match="is no server of this store"):
        lines(program, now=1, server="EX09")


def test_every_second_is_watched_or_in_a_gap(program, tmp_path):
    """Over each line, what was watched and the gaps make the period."""
    take_hourly(program, 0, 1, 2, 6)
    take_hourly(program, 3, files={OWA: ad_only("Owa"), WEB: BROKEN})
    program.run("import", bundle(tmp_path / "b", at(8), {ECP: vdir("Ecp"), WEB: web(a="1")}))
    for line in lines(program, now=11, since=0.5):
        gaps_s = sum(seconds(gap["from"], gap["until"]) for gap in line["gaps"])
        assert line["watched_s"] + gaps_s == seconds(line["from"], line["until"]), line


def seconds(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
