"""The sample server of the demo: bundles that the program itself can read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from changelog_tracker.collect.bundle import gather
from changelog_tracker.demo import story
from changelog_tracker.demo.sample import installed
from changelog_tracker.demo.story import chapters, write_bundle
from changelog_tracker.normalise.exchange import exchange_objects
from changelog_tracker.parse.clixml import parse_clixml
from changelog_tracker.parse.iis_config import application_host_records, web_config_records
from changelog_tracker.parse.recognise import kind_of
from changelog_tracker.parse.xml import read_xml

SECRET = b"S3cret-Contoso!"
IIS = "files/C/Windows/System32/inetsrv/config/applicationHost.config"
V15 = "files/C/Program Files/Microsoft/Exchange Server/V15"
FRONT_OWA = f"{V15}/FrontEnd/HttpProxy/owa/web.config"
FRONT_EWS = f"{V15}/FrontEnd/HttpProxy/EWS/web.config"
BACK_EWS = f"{V15}/ClientAccess/exchweb/EWS/web.config"
NOUNS = [
    "ActiveSyncVirtualDirectory", "AutodiscoverVirtualDirectory", "ClientAccessService",
    "EcpVirtualDirectory", "ExchangeCertificate", "ExchangeServer", "ImapSettings",
    "MapiVirtualDirectory", "OabVirtualDirectory", "OutlookAnywhere", "OwaVirtualDirectory",
    "PopSettings", "PowerShellVirtualDirectory", "WebServicesVirtualDirectory",
]  # fmt: skip
STORY = {chapter.name: chapter for chapter in chapters()}
NAMES = list(STORY)
MAIL, PHONES = "https://mail.contoso.com", "Microsoft-Server-ActiveSync"


def _objects(chapter, noun):
    path = f"exchange/{noun}.clixml"
    root = read_xml(chapter.files[path], path)
    return exchange_objects(parse_clixml(root, path), path, lambda text: {"secret": text})


def _exchange(chapter):
    """All settings of all objects: {(noun, resource): {setting: value}}."""
    return {
        (noun, found.name): found.settings for noun in NOUNS for found in _objects(chapter, noun)
    }


def _iis(chapter):
    """Every resource of applicationHost.config with its content."""
    records = application_host_records(read_xml(chapter.files[IIS], IIS))
    return {str(record.resource): record.content for record in records}


def _exchange_changes(before, after):
    """What a person would see differ: [(noun, resource, setting, after)]."""
    old, new = _exchange(before), _exchange(after)
    return [
        (noun, name, setting, value)
        for (noun, name), settings in new.items()
        for setting, value in settings.items()
        if old.get((noun, name), {}).get(setting) != value
    ]


def _changed_files(before, after):
    return [
        path
        for path, data in after.files.items()
        if path.startswith("files/") and before.files[path] != data
    ]


def _paths(before, after):
    """The paths of all changes, of IIS and files those of the resources that changed."""
    exchange = [
        f"{noun}[{name}].{setting}" for noun, name, setting, _ in _exchange_changes(before, after)
    ]
    old, new = _iis(before), _iis(after)
    files = [
        _sections(chapter, path) for path in (FRONT_EWS, BACK_EWS) for chapter in (before, after)
    ]
    for was, now in [(old, new), (files[0], files[1]), (files[2], files[3])]:
        exchange += [key for key in now if was.get(key) != now[key]]
    return exchange


def _sections(chapter, path):
    """Every section of a web.config with its content."""
    records = web_config_records(read_xml(chapter.files[path], path), path)
    return {str(record.resource): record.content for record in records}


def _matches(pattern, path):
    """In patterns only * and ? are special, and case does not matter (design 4.1)."""
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(regex, path, re.IGNORECASE) is not None


def _pairs():
    return {after: (STORY[before], STORY[after]) for before, after in pairwise(NAMES)}


def test_the_story_lies_in_the_past_in_order():
    """Six chapters, each later than the one before, under the day of its snapshot."""
    times = [chapter.taken_at for chapter in STORY.values()]
    assert [name[:10] for name in NAMES] == [time.date().isoformat() for time in times]
    assert times == sorted(set(times))
    assert (len(times), times[-1]) == (6, datetime(2026, 9, 15, 6, 40, tzinfo=UTC))


def test_the_story_is_told_the_same_each_time():
    """The same bytes come out, so that a bundle imported twice is already known."""
    assert chapters() == list(STORY.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_is_a_bundle(name, tmp_path):
    """The collector's list is accepted, its hashes fit, and nothing is unread."""
    chapter = STORY[name]
    gathered = gather(write_bundle(chapter, tmp_path / "bundles"))
    assert gathered.unread == ()
    assert {f.path: f.data for f in gathered.files if f.path != "bundle.json"} == chapter.files
    manifest = gathered.manifest
    assert (manifest.server, manifest.taken_at) == ("EX01", chapter.taken_at)
    assert (manifest.exchange.build, manifest.windows.build) == ("15.2.1118.7", "10.0.17763")
    assert [(r.kind, r.file) for r in manifest.readings if r.status != "read"] == [
        ("ConfigFile", "files/C/inetpub/wwwroot/web.config")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_export_is_recognised(name):
    """Each CLIXML file holds objects of its noun, of EX01, read in full."""
    chapter = STORY[name]
    # ClientAccessServer and ClientAccessService share a type; bundle.json tells which it is.
    same = {"ClientAccessServer": "ClientAccessService"}
    found = {
        noun: {(same.get(o.noun, o.noun), o.server, o.mode) for o in _objects(chapter, noun)}
        for noun in NOUNS
    }
    assert found == {noun: {(noun, "EX01", "full")} for noun in NOUNS}
    told = {r["kind"] for r in chapter.manifest["readings"] if r["file"].startswith("exchange/")}
    assert told == set(NOUNS)


@pytest.mark.parametrize("name", NAMES)
def test_configuration_files_are_read(name):
    """applicationHost.config and each web.config are configuration files without a DOCTYPE."""
    chapter = STORY[name]
    files = {path: data for path, data in chapter.files.items() if path.startswith("files/")}
    assert {kind_of(data) for data in files.values()} == {"configuration"}
    assert [path for path, data in files.items() if b"<!DOCTYPE" in data] == []
    kinds = {key.partition("[")[0] for key in _iis(chapter)}
    parts = ("Site", "Binding", "Application", "VirtualDirectory", "AppPool", "Section")
    assert kinds == {f"Iis{part}" for part in parts}
    assert all(web_config_records(read_xml(files[path], path), path) for path in files)


@pytest.mark.parametrize("name", NAMES)
def test_one_secret_lies_in_every_chapter(name):
    """Exactly one file holds the made-up password that no output may show."""
    chapter = STORY[name]
    assert [path for path, data in chapter.files.items() if SECRET in data] == [FRONT_OWA]


def test_sessions_and_timestamps_are_noise():
    """Every export differs in each chapter, though hardly a setting does."""
    first, second = STORY[NAMES[0]], STORY[NAMES[1]]
    same = {path for path in first.files if first.files[path] == second.files[path]}
    assert [path for path in same if path.startswith("exchange/")] == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "2026-09-08-names",
            [
                ("Ecp", "ecp", "ExternalUrl", f"{MAIL}/ecp"),
                ("Owa", "owa", "InternalUrl", f"{MAIL}/owa"),
                ("Owa", "owa", "ExternalUrl", f"{MAIL}/owa"),
                ("WebServices", "EWS", "ExternalUrl", f"{MAIL}/EWS/Exchange.asmx"),
            ],
        ),
        (
            "2026-09-09-sign-in",
            [
                ("ActiveSync", PHONES, "ExternalUrl", f"{MAIL}/{PHONES}"),
                ("Owa", "owa", "LogonFormat", "UserName"),
                ("Owa", "owa", "DefaultDomain", "CONTOSO"),
            ],
        ),
    ],
)
def test_exchange_alone_changes_on_the_first_days(name, changes):
    """Names and signing in are set on virtual directories, and nothing else changes."""
    before, after = _pairs()[name]
    assert _exchange_changes(before, after) == [
        (f"{noun}VirtualDirectory", f"{directory} (Default Web Site)", setting, value)
        for noun, directory, setting, value in changes
    ]
    assert _changed_files(before, after) == []


def test_iis_and_files_change_on_thursday():
    """The redirect, SSL, one header and the limits of EWS; Exchange's own settings stay."""
    before, after = _pairs()["2026-09-10-redirect"]
    old, new = _iis(before), _iis(after)
    redirect, access = "system.webServer/httpRedirect", "system.webServer/security/access"
    root = "Default Web Site"
    inheriting = ["Autodiscover", "EWS", "ecp", "owa"]
    below = [*inheriting, "API", "Microsoft-Server-ActiveSync", "OAB", "PowerShell", "Rpc", "mapi"]
    changed = {key for key in new if old.get(key) != new[key]}
    assert _exchange_changes(before, after) == []
    assert old.keys() - new.keys() == set()
    assert changed == {
        f"IisSection[{root} : {redirect}]",
        f"IisSection[{root} : {access}]",
        f"IisSection[{root}/owa : system.webServer/httpProtocol]",
        *(f"IisSection[{root}/{place} : {redirect}]" for place in below),
        *(
            f"IisSection[{root}/{place} : {access}]"
            for place in ["owa", "ecp", "EWS", "Autodiscover"]
        ),
    }
    assert set(_changed_files(before, after)) == {IIS, FRONT_EWS, BACK_EWS}


def test_somebody_weakens_one_thing_at_night():
    """One fact, which the directory and IIS both show, and no words for it."""
    before, after = _pairs()["2026-09-11-night"]
    old, new = _iis(before), _iis(after)
    assert _exchange_changes(before, after) == [
        ("OabVirtualDirectory", "OAB (Default Web Site)", "RequireSSL", False)
    ]
    assert {key: new[key] for key in new if old[key] != new[key]} == {
        "IisSection[Default Web Site/OAB : system.webServer/security/access]": (
            b'<access sslFlags="None"/>'
        )
    }
    assert _changed_files(before, after) == [IIS]
    assert after.document == ()


def test_a_rebuilt_server_differs_only_in_what_is_new():
    """Windows, certificate and directories are new; every setting is what Setup makes."""
    first, last = STORY[NAMES[0]], STORY[NAMES[-1]]
    changed = _exchange_changes(first, last)
    directories = {noun for noun, kept in installed().nouns.items() if kept.life == "setup"}
    certificates = [found.name for found in _objects(last, "ExchangeCertificate")]
    assert _changed_files(first, last) == []
    assert {(noun, setting) for noun, _, setting, _ in changed if noun in directories} == {
        (noun, setting) for noun in directories for setting in ("Guid", "WhenCreated")
    }
    assert {noun for noun, *_ in changed} == {*directories, "ExchangeCertificate"}
    assert certificates == ["E81B90A4C2D7536F0E1D2C3B4A5968778695A4B3"]
    differ = {key for key in first.manifest if first.manifest[key] != last.manifest[key]}
    assert differ == {"taken_at", "windows", "readings"}
    windows = dict(first.manifest["windows"].items() ^ last.manifest["windows"].items())
    assert set(windows) == {"install_date", "machine_sid"}


def test_words_are_said_where_somebody_stands_to_a_change():
    """The three working days are documented under their tickets, the rest is not."""
    tickets = {name: {words.ticket for words in STORY[name].document} for name in NAMES}
    said = {"CHG0101"}, {"CHG0102"}, {"CHG0103"}
    assert tickets == dict(zip(NAMES, [set(), *said, set(), set()], strict=True))


@pytest.mark.parametrize("name", NAMES[1:4])
def test_words_cover_every_change_once(name):
    """Each change of a working day is meant by exactly one of the day's patterns."""
    before, after = _pairs()[name]
    counts = {
        path: sum(_matches(words.changes, path) for words in after.document)
        for path in _paths(before, after)
    }
    assert counts == dict.fromkeys(counts, 1)
    assert len(counts) == {"2026-09-08-names": 4, "2026-09-09-sign-in": 3}.get(name, 20)


def test_a_story_that_does_not_fit_its_server_is_refused():
    """An edit that meets nothing, or more than one place, is a mistake in a chapter."""
    kiosk = {"exchange": {"OwaVirtualDirectory": {"EX01 kiosk": {"ExternalUrl": ""}}}}
    everywhere = {"file": [{"path": IIS, "find": "<security>", "put": ""}]}
    with pytest.raises(ValueError, match="OwaVirtualDirectory EX01 kiosk: there is no such object"):
        installed().edit(kiosk)
    with pytest.raises(ValueError, match="the file: expected once: <security>"):
        installed().edit(everywhere)


def test_the_sample_stays_small():
    """A person can read it, and a wheel can carry it."""
    files = [f for f in Path(story.__file__).parent.rglob("*.*") if f.suffix != ".pyc"]
    assert sum(file.stat().st_size for file in files if file.is_file()) < 150_000
