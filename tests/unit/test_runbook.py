"""manual.md and the runbook of a small plan, as files that a person has read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from changelog_tracker.replay.plan import ByHand, Cmdlet, Element, Goal, Hop, Plan, PlanStep
from changelog_tracker.report.replay.manual import manual
from changelog_tracker.report.replay.runbook import runbook_html, runbook_markdown

CASES = Path(__file__).parents[1] / "cases" / "replay"
OWA = "owa (Default Web Site)"
ABOUT = {"plan": "4f2a9c", "program": "changelog_tracker 0.6.0"}
SETUP = r"E:\Setup.exe /IAcceptExchangeServerLicenseTerms"
SCRIPT = '<script>alert("x")</script>'
EVIL = f"http://evil.example/{SCRIPT}|`$(calc)`\x1b[31m"

EXTERNAL_URL = PlanStep(
    "s001", "exchange", "set", "shell", "OwaVirtualDirectory", OWA, "ExternalUrl",
    Cmdlet("OwaVirtualDirectory", "Identity", rf"EX01\{OWA}"),
    (Goal("ExternalUrl", "uri", "https://mail.contoso.com/owa", None),),
    recycles=("MSExchangeOWAAppPool",),
    undo="clear ExternalUrl", log=("2.3",),
)  # fmt: skip
SSL = PlanStep(
    "s002", "iis", "attribute", "iis", "IisSection",
    "Default Web Site/owa : system.webServer/security/access", "sslFlags",
    Element(None, "Default Web Site/owa", "system.webServer/security/access"),
    (Goal("sslFlags", "flags", "Ssl", "Ssl,Ssl128"),),
    needs=("s001",), weaker="128 bit are no longer required", documented=False,
    undo="set sslFlags to Ssl,Ssl128",
)  # fmt: skip
APPLICATION = PlanStep(
    "s003", "iis-objects", "add", "iis", "IisApplication", "Default Web Site/portal", None,
    Element(
        None, "", "system.applicationHost/sites",
        (Hop("site", (("name", "Default Web Site"),)), Hop("application", (("path", "/portal"),))),
    ),
    (
        Goal("applicationPool", "text", "Portal", None),
        Goal("virtualDirectory.physicalPath", "text", r"D:\Web\portal", None),
    ),
    undo="remove the application",
)  # fmt: skip
KEY = PlanStep(
    "s004", "files", "attribute", "file", "ConfigFile",
    "%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/web.config : appSettings",
    "[key='LogonSettings'].value",
    Element(
        r"C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\web.config",
        "", "appSettings", (Hop("add", (("key", "LogonSettings"),)),),
    ),
    (Goal("value", "text", "Public", "Private"),),
    by_itself=True, undo="set it to Private",
)  # fmt: skip

BY_HAND = (
    ByHand(
        "ExchangeCertificate", "5D0C2E7A91B348F6A0D3C4E5F60718293A4B5C6D", None,
        "A private key never leaves the machine.", "Import the .pfx file.", "certificate",
        {"Subject": "CN=mail.contoso.com", "Services": ["IIS"]}, None, ("1.2",),
    ),
    ByHand(
        "OabVirtualDirectory", "OAB (Default Web Site)", "ExternalUrl",
        "possible compromise: a URL with a script or with characters that no URL has",
        "Show it to whoever handles security incidents.", "compromise", EVIL, None, ("9.1",),
    ),
    ByHand(
        "ClientAccessService", "(server)", "AlternateServiceAccountCredential",
        "A credential is never kept.", "Type it in, with the cmdlet for it alone.", "secret",
        {"secret": "k1:9f3c"}, None,
    ),
    ByHand(
        "ConfigFile", "%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/auth/logon.aspx", None,
        "Not a .config file.", "Copy it from the backup.", "file", "sha256 0a1b", None,
    ),
    ByHand(
        "IisSection", "Default Web Site : system.webServer/isapiFilters", "[name='x'].path",
        "owned by Setup: users should not configure it", "", "setup", "a", "b",
    ),
    ByHand(
        "IisSection", "Default Web Site : system.webServer/handlers", "(order)",
        "owned by Setup: users should not configure it", "", "setup", ["a", "b"], ["b", "a"],
    ),
    ByHand(
        "PopSettings", "1", "Banner", "A person rejected this change.", "Leave it.", "rejected",
        "hello", "bye",
    ),
    ByHand("Odd", "1", "Odd", "A reason of tomorrow.", "", "of tomorrow", 1, 2),
)  # fmt: skip

PLAN = Plan(
    "EX01", "EX01", "2019", "15.2.1118.7", "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\",
    "baseline, snapshot 7 of 2026-09-10T15:30:00Z", datetime(2026, 9, 10, 15, 30, tzinfo=UTC),
    "snapshot 14 of 2026-09-15T06:40:00Z", assumed=False,
    unread=(
        {"kind": "MapiVirtualDirectory", "unread": "no export of it was given", "since": None,
         "side": "wanted"},
        {"kind": "PopSettings", "unread": "access denied", "since": "2026-09-08T15:30:00Z",
         "side": "found"},
    ),
    modes=(("OwaVirtualDirectory", "full"), ("EcpVirtualDirectory", "ad-only")),
    steps=(APPLICATION, EXTERNAL_URL, SSL, KEY), by_hand=BY_HAND,
)  # fmt: skip
FACTS = {
    "Build": "15.2.1118.7",
    "InstallPath": "C:/Program Files/Microsoft/Exchange Server/V15",
    "Fqdn": "EX01.contoso.com",
    "WindowsBuild": "10.0.17763",
    "TimeZone": "W. Europe Standard Time",
    "Dag": "DAG01",
    "Certificates": [
        {
            "Thumbprint": "5D0C2E7A91B348F6A0D3C4E5F60718293A4B5C6D",
            "Subject": "CN=mail.contoso.com",
            "Services": ["IIS", "SMTP"],
            "NotAfter": "2027-03-01T00:00:00Z",
        }
    ],
    "Rewrite": True,
    "addresses": ["192.0.2.10"],
    "script_sha256": "0A" * 32,
    "undo_sha256": "1b" * 32,
    **ABOUT,
}
BARE = replace(
    PLAN, build="", install_path="", found="factory defaults of 15.2.1118.7", assumed=True,
    unread=(), modes=(), steps=(), by_hand=(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("manual", lambda: manual(PLAN, ABOUT)),
        ("manual_empty", lambda: manual(BARE, ABOUT)),
        ("runbook", lambda: runbook_markdown(PLAN, FACTS)),
        ("runbook_of_nothing_known", lambda: runbook_markdown(BARE, {})),
        ("runbook_of_a_new_member", lambda: runbook_markdown(replace(PLAN, target="EX03"), FACTS)),
    ],
)
def test_page_is_as_a_person_read_it(name, written, request):
    """Each page in Markdown is the very file that a person has read."""
    file = CASES / f"{name}.md"
    got = written()
    if request.config.getoption("--update-golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(got, encoding="utf-8", newline="\n")
    assert got == file.read_text(encoding="utf-8")


class Seen(HTMLParser):
    """What a browser would take a page for: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


def words(markdown: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{3,}", markdown))


def test_both_forms_say_the_same():
    """HTML holds every word that Markdown holds, in elements that close."""
    seen = Seen(runbook_html(PLAN, FACTS))
    assert seen.open == []
    missing = words(runbook_markdown(PLAN, FACTS)) - words(" ".join(seen.said))
    assert missing == {"Done"}


def test_page_fetches_and_runs_nothing():
    """The page has no script, link, picture, form or handler, and its policy forbids all."""
    seen = Seen(runbook_html(PLAN, FACTS))
    assert seen.tags == {
        "html", "head", "meta", "title", "style", "body", "header", "main", "h1", "h2", "h3", "p",
        "table", "caption", "thead", "tbody", "tr", "th", "td", "col", "ul", "ol", "li", "dl",
        "dt", "dd", "span", "code", "strong", "sup", "pre",
    }  # fmt: skip
    assert seen.attributes == {
        "lang", "charset", "http-equiv", "content", "name", "class", "role", "aria-label", "style",
        "scope", "colspan",
    }  # fmt: skip
    assert "content=\"default-src 'none'; style-src" in runbook_html(PLAN, FACTS)


HOSTILE = replace(
    PLAN,
    server=f"EX01{SCRIPT}",
    target=f"EX01{SCRIPT}",
    install_path=f'C:\\x" & {EVIL}',
    wanted=EVIL,
    found=EVIL,
    unread=({"kind": EVIL, "unread": EVIL, "since": EVIL, "side": EVIL},),
    modes=((EVIL, EVIL),),
    steps=(
        replace(
            EXTERNAL_URL, kind=EVIL, resource=EVIL, setting=EVIL, needs=(EVIL,), recycles=(EVIL,),
            undo=EVIL, weaker=EVIL, log=(EVIL,), goals=(Goal(EVIL, "text", EVIL, EVIL),),
            target=Cmdlet(EVIL, EVIL, EVIL),
        ),
        replace(
            SSL, target=Element(EVIL, EVIL, EVIL, (Hop(EVIL),)), op="add",
            goals=(Goal(f"{EVIL}.physicalPath", "text", EVIL, EVIL),),
        ),
    ),
    by_hand=tuple(
        ByHand(EVIL, EVIL, EVIL, EVIL, EVIL, reason, wanted, [EVIL], (EVIL,))
        for reason in ("compromise", "secret", EVIL)
        for wanted in (EVIL, {EVIL: EVIL}, [EVIL, {EVIL: [EVIL]}])
    ),
)  # fmt: skip
HOSTILE_FACTS = {
    **dict.fromkeys(FACTS, EVIL),
    "Certificates": [dict.fromkeys(("Thumbprint", "Subject", "Services", "NotAfter"), EVIL)],
    "addresses": [EVIL],
}


def test_hostile_values_are_text_in_html():
    """Whatever a value holds, the page has the same elements, and every character is seen."""
    page = runbook_html(HOSTILE, HOSTILE_FACTS)
    seen = Seen(page)
    assert seen.open == []
    assert seen.tags <= Seen(runbook_html(PLAN, FACTS)).tags
    assert "<script" not in page
    assert "\x1b" not in page
    assert SCRIPT in " ".join(seen.said)


@pytest.mark.parametrize(
    "page",
    [
        manual(HOSTILE, dict.fromkeys(ABOUT, EVIL)),
        runbook_markdown(HOSTILE, HOSTILE_FACTS),
    ],
    ids=["manual", "runbook"],
)
def test_hostile_values_are_text_in_markdown(page):
    """No tag, pipe, backtick, link or control character of a value is left as it was."""
    assert "<script" not in page
    assert "http://evil" not in page
    assert "`$(calc)" not in page
    assert re.findall(r"[\x00-\x09\x0b-\x1f]", page) == []
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {3, 4, 5, 6, 12}
    assert {line for line in page.splitlines() if not line.isprintable()} == set()


def test_no_captured_value_gets_into_a_command():
    """What cannot stand in a command line is a placeholder there."""
    page = runbook_markdown(HOSTILE, HOSTILE_FACTS)
    commands = "".join(re.findall(r"```\n(.*?)```", page, re.DOTALL))
    assert "evil" not in commands
    assert "script>" not in commands
    assert '/TargetDir:"<INSTALLATION FOLDER>"' in commands
    assert "-Identity <DAG> -MailboxServer <SERVER>" in commands


def test_a_possible_compromise_is_named_and_never_shown_whole():
    """manual.md begins with it; its value is cut, escaped and cannot be followed."""
    page = manual(PLAN, ABOUT)
    heads = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert heads[0] == "Possible compromise (1)"
    part = page.split("## ")[1].partition("- [ ] ")[2]
    assert part.startswith("`OabVirtualDirectory[OAB (Default Web Site)].ExternalUrl`\n")
    part = part.partition("\n")[2]
    assert "shortened; not to be copied" in part
    for trace in ("<", "evil.example/<", "://", "`"):
        assert trace not in part


@pytest.mark.parametrize(
    ("version", "build", "begin"),
    [
        ("2010", "14.3.513.0", r"E:\Setup.com /m:RecoverServer"),
        ("2013", "15.0.1497.48", f"{SETUP} /Mode:RecoverServer"),
        ("2019", "15.2.922.27", f"{SETUP} /Mode:RecoverServer"),
        ("2016", "15.1.2375.7", f"{SETUP}_DiagnosticDataOFF /Mode:RecoverServer"),
        ("SE", "15.2.2562.17", f"{SETUP}_DiagnosticDataOFF /Mode:RecoverServer"),
    ],
)
def test_line_for_setup_is_that_of_the_build(version, build, begin):
    """The licence switch changed in September 2021; no backslash stands before the last quote."""
    plan = replace(PLAN, version=version, build=build, install_path="D:\\Exchange\\")
    lines = [one.strip() for one in runbook_markdown(plan, {}).splitlines()]
    assert [one for one in lines if one.startswith("E:")] == [f'{begin} /TargetDir:"D:\\Exchange"']


def test_a_folder_is_named_once_and_only_where_setup_does_not_make_it():
    """What the plan leaves to hands already, and what lies below Exchange, is not listed again."""
    listed = ByHand("IisVirtualDirectory", "x", "physicalPath", "", "", "file", r"D:\Web\portal")
    ours = replace(APPLICATION, goals=(Goal("physicalPath", "text", r"D:\Web\other", None),))
    setups = replace(
        APPLICATION, goals=(Goal("physicalPath", "text", f"{PLAN.install_path}owa", None),)
    )
    plan = replace(PLAN, steps=(APPLICATION, ours, setups), by_hand=(listed,))
    part = manual(plan, {}).split("## Folders of new or moved IIS objects ")[1]
    assert re.findall(r"^- \[ \] (.*)$", part, re.MULTILINE) == [r"`D:\Web\other`"]
