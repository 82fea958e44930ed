"""What a bundle says and what it does not: unread, absent, new, half told, rebuilt, secret."""

from __future__ import annotations

import json
import re

import pytest
from bundles import (
    ABSENT,
    ECP,
    IIS,
    OTHER_WEB,
    OWA,
    WEB,
    WEB_NAME,
    WINDOWS,
    Program,
    Sealed,
    ad_only,
    bundle,
    clixml,
    iis,
    path_of,
    rows,
    stored,
    vdir,
    web,
    write,
)

URL = "https://mail.contoso.com/owa"
OWA_NAME = "OwaVirtualDirectory[owa (Default Web Site)]"
ECP_NAME = "EcpVirtualDirectory[ecp (Default Web Site)]"
SETTINGS = f"ConfigFile[{WEB_NAME} : appSettings]"
FIRST, SECOND, THIRD, FOURTH = (f"2026-11-0{day}T10:00:00Z" for day in (1, 2, 3, 4))
NEW_GUID = "00000000-0000-0000-0000-0000000000ff"
OLD_GUID = "00000000-0000-0000-0000-000000000003"
SECRET = "S3cret-Contoso!"

# The keys of design 4.1, and those that a line has only where they apply.
LOG_KEYS = [
    "id", "server", "seen", "not_before", "action", "kind", "resource", "setting", "before",
    "after", "class", "who", "documented", "reason", "ticket", "by", "approved_by", "rejected",
    "expires", "superseded_by", "redo", "undo",
]  # fmt: skip
SOMETIMES = {"why_not", "also", "folded"}


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "store")


def given_but_unread(program: Program, *arguments: str) -> list[tuple[str, str, str]]:
    """Kind, reason and since of what `show` says was not read, though it once was given."""
    lines = program.run("show", "EX01", "--json", *arguments).lines
    return [
        (line["kind"], line["unread"], line["since"])
        for line in lines
        if line.get("since") and "unread" in line and "resource" not in line
    ]


def test_unread_is_not_removed(program):
    """A kind that could not be read makes no change; the next answer meets the last known."""
    program.take(FIRST, {OWA: vdir("Owa"), WEB: web(a="1")})
    answer = program.take(SECOND, {OWA: "access denied", WEB: web(a="1")})
    assert (answer.code, answer.err) == (
        4,
        "error: OwaVirtualDirectory: not read: access denied\n",
    )
    assert program.changes() == []
    assert given_but_unread(program) == [("OwaVirtualDirectory", "access denied", FIRST)]
    program.take(THIRD, {OWA: vdir("Owa", ExternalUrl=URL), WEB: web(a="1")})
    assert given_but_unread(program) == []
    assert program.changes() == [(f"{OWA_NAME}.ExternalUrl", None, URL)]
    assert [(line["seen"], line["not_before"]) for line in program.log()] == [(THIRD, FIRST)]


def test_a_file_that_cannot_be_parsed_is_not_removed(program):
    """A broken applicationHost.config makes every IIS kind unread and removes nothing."""
    program.take(FIRST, {IIS: iis(), OWA: vdir("Owa")})
    assert program.take(SECOND, {IIS: iis()[:500], OWA: vdir("Owa")}).code == 4
    assert program.changes() == []
    assert [kind for kind, _, since in given_but_unread(program) if since == FIRST] == [
        "IisSite",
        "IisApplication",
        "IisVirtualDirectory",
        "IisBinding",
        "IisAppPool",
        "IisSection",
    ]
    program.take(THIRD, {IIS: iis("None"), OWA: vdir("Owa")})
    assert [(line["setting"], line["not_before"]) for line in program.log()] == [
        ("sslFlags", FIRST)
    ]


def test_absent_is_a_removal(program):
    """An answer that there is none removes the whole resource; it comes back as a whole."""
    program.take(FIRST, {OWA: vdir("Owa"), ECP: vdir("Ecp"), WEB: web(a="1", b="2")})
    program.take(SECOND, {OWA: vdir("Owa"), ECP: ABSENT, WEB: ABSENT})
    values = {"[key='a'].value": "1", "[key='b'].value": "2"}
    lines = {path_of(line): line for line in program.log()}
    assert {path: (line["action"], line["setting"]) for path, line in lines.items()} == {
        ECP_NAME: ("removed", None),
        SETTINGS: ("removed", None),
    }
    assert (lines[SETTINGS]["before"], lines[SETTINGS]["after"]) == (values, None)
    shown = program.run("show", "EX01", "EcpVirtualDirectory[*].*", "--json").lines
    assert [line["value"] for line in shown if "value" in line] == []
    program.take(THIRD, {OWA: vdir("Owa"), ECP: vdir("Ecp"), WEB: web(a="1", b="2")})
    back = {path_of(line): line for line in program.log("--since", THIRD)}
    assert (back[SETTINGS]["action"], back[SETTINGS]["before"], back[SETTINGS]["after"]) == (
        "added",
        None,
        values,
    )
    assert back[ECP_NAME]["after"]["BasicAuthentication"] is True


def test_a_whole_object_is_told_whole(program):
    """The value of an object that came or went has every setting, wherever it is kept."""
    program.take(FIRST, {OWA: vdir("Owa"), ECP: ABSENT})
    program.take(SECOND, {OWA: vdir("Owa"), ECP: vdir("Ecp")})
    program.take(THIRD, {OWA: vdir("Owa"), ECP: ABSENT})
    added, removed = program.log()
    assert added["after"] == removed["before"]
    assert added["after"]["BasicAuthentication"] is True


def test_what_appears_under_the_same_collector_is_an_addition(program):
    """A collector lists every file it looked for, so what it lists for the first time is new."""
    program.take(FIRST, {OTHER_WEB: web(b="1")})
    program.take(SECOND, {OTHER_WEB: web(b="1"), WEB: web(a="1")})
    assert program.changes() == [(SETTINGS, None, {"[key='a'].value": "1"})]


def test_the_first_answer_of_a_kind_is_no_change(program):
    """Nobody knows how it was before: a kind that was not asked for, or did not answer."""
    program.take(FIRST, {OWA: vdir("Owa")})
    program.take(SECOND, {OWA: vdir("Owa"), ECP: vdir("Ecp"), WEB: web(a="1")})
    assert program.changes() == []


def test_what_was_unread_first_is_no_addition(program):
    """A time-out on the first day makes no changes on the second."""
    timeout = "timeout"
    program.take(FIRST, {OTHER_WEB: web(b="1"), ECP: timeout, WEB: timeout})
    program.take(SECOND, {OTHER_WEB: web(b="1"), ECP: vdir("Ecp"), WEB: web(a="1")})
    assert program.changes() == []


def test_what_another_collector_lists_first_is_no_change(program):
    """Another version of the collector may look for more; that says nothing of the server."""
    program.take(FIRST, {OWA: vdir("Owa")})
    newer = {"name": "collect.ps1", "version": "2.0"}
    program.take(SECOND, {OWA: vdir("Owa"), WEB: web(a="1")}, collector=newer)
    assert program.changes() == []
    program.take(THIRD, {OWA: vdir("Owa"), WEB: web(a="2")}, collector=newer)
    assert program.changes() == [(f"{SETTINGS}.[key='a'].value", "1", "2")]


def test_modes_are_never_mixed(program):
    """AD-only tells nothing of what IIS holds; a full answer meets the last full one."""
    program.take(FIRST, {OWA: vdir("Owa")})
    assert program.take(SECOND, {OWA: ad_only("Owa", ExternalUrl=URL)}).code == 0
    assert program.changes() == [(f"{OWA_NAME}.ExternalUrl", None, URL)]
    program.take(THIRD, {OWA: vdir("Owa", ExternalUrl=URL, BasicAuthentication=False)})
    lines = [(path_of(line), line["before"], line["not_before"]) for line in program.log()]
    assert lines == [
        (f"{OWA_NAME}.ExternalUrl", None, FIRST),
        (f"{OWA_NAME}.BasicAuthentication", True, FIRST),
    ]


def test_the_first_full_answer_makes_no_change(program):
    """What only a full answer tells was not known before it."""
    program.take(FIRST, {OWA: ad_only("Owa")})
    program.take(SECOND, {OWA: vdir("Owa", ExternalUrl=URL)})
    assert program.changes() == [(f"{OWA_NAME}.ExternalUrl", None, URL)]


def test_a_recreated_directory_is_one_line(program):
    """A new Guid says that somebody removed the directory and made it again."""
    others = {ECP: vdir("Ecp"), "exchange/OabVirtualDirectory.clixml": vdir("Oab")}
    program.take(FIRST, {OWA: vdir("Owa", WhenCreated="1"), **others})
    program.take(SECOND, {OWA: vdir("Owa", Guid=NEW_GUID, WhenCreated="2"), **others})
    assert program.changes() == [(f"{OWA_NAME}.Guid", OLD_GUID, NEW_GUID)]


@pytest.mark.parametrize(
    "sign", [{"machine_sid": "S-1-5-21-9-9-9"}, {"install_date": "2026-11-02T00:00:00Z"}]
)
def test_a_rebuilt_server_is_one_line(program, sign):
    """RecoverServer gives the defaults back: one recovery, with what it undid folded into it."""
    program.take(FIRST, {OWA: vdir("Owa", ExternalUrl=URL), WEB: web(a="1")})
    back = {OWA: vdir("Owa", Guid=NEW_GUID), WEB: web(a="2")}
    program.take(SECOND, back, windows={**WINDOWS, **sign})
    (line,) = program.log()
    assert (line["kind"], line["resource"], line["class"]) == (
        "ExchangeServer",
        "(server)",
        "recovery",
    )
    head, *folded = program.log("--unfold")
    assert (head, line["folded"]) == (line, len(folded))
    unfolded = {path_of(one): (one["before"], one["after"]) for one in folded}
    assert (
        unfolded
        | {
            f"{OWA_NAME}.ExternalUrl": (URL, None),
            f"{OWA_NAME}.Guid": (OLD_GUID, NEW_GUID),
            f"{SETTINGS}.[key='a'].value": ("1", "2"),
        }
        == unfolded
    )
    assert (line["redo"], line["undo"]) == (None, None)
    assert program.run("log", "--undocumented").code == 3


def test_a_rebuilt_server_is_told_by_its_directories(program):
    """Most directories new at once are a rebuilt server, where nothing else says so."""
    owa, ecp = vdir("Owa", Guid=NEW_GUID), vdir("Ecp", Guid=NEW_GUID[:-1] + "e")
    program.take(FIRST, {OWA: vdir("Owa", ExternalUrl=URL), ECP: vdir("Ecp")})
    program.take(SECOND, {OWA: owa, ECP: ecp})
    assert [(line["class"], line["folded"]) for line in program.log()] == [("recovery", 3)]


def test_an_update_is_one_line(program):
    """A new build is one product-update; what has nothing to do with it stays beside it."""
    old = {IIS: iis(folder="15.2.922.7"), WEB: web(v="15.2.922.7", a="1")}
    new = {IIS: iis(folder="15.2.1118.7"), WEB: web(v="15.2.1118.7", a="2")}
    program.take(FIRST, old, build="15.2.922.7")
    program.take(SECOND, new, build="15.2.1118.7")
    lines = [
        (path_of(line), line["before"], line["after"], line["class"]) for line in program.log()
    ]
    assert lines == [
        ("ExchangeServer[(server)].Build", "15.2.922.7", "15.2.1118.7", "product-update"),
        (f"{SETTINGS}.[key='a'].value", "1", "2", "customisation"),
    ]
    assert f"{SETTINGS}.[key='v'].value" in {path_of(line) for line in program.log("--unfold")}


@pytest.mark.parametrize("other", [{}, {ECP: ABSENT}, {ECP: "access denied"}])
def test_the_same_bundle_again_is_already_known(program, tmp_path, other):
    """The same server, time and content: exit 0, said so, nothing stored."""
    path = bundle(tmp_path / "one", FIRST, {OWA: vdir("Owa"), WEB: web(a="1"), **other})
    program.run("import", path)
    program.take(SECOND, {OWA: vdir("Owa"), WEB: web(a="2")})
    before = rows(program.store)
    answer = program.run("import", path)
    assert answer.code == 0
    assert answer.out.endswith(" is already known\n")
    assert rows(program.store) == before


# --- secrets ------------------------------------------------------------------------------------


def with_secret(secret: str) -> dict[str, bytes]:
    """A bundle that holds a secret in every place where one may stand."""
    configuration = f"""<configuration>
<!-- <add key="SmtpPassword" value="{secret}" /> -->
<!-- password={secret} -->
<appSettings><add key="SmtpPassword" value="{secret}" /></appSettings>
<connectionStrings><add name="X" connectionString="Server=sql;Password={secret}" />
</connectionStrings>
<system.web><machineKey validationKey="{secret}" decryptionKey="{secret}" />
<identity impersonate="true" userName="x" password="{secret}" /></system.web>
<other><password>{secret}</password><password><![CDATA[{secret}]]></password></other>
</configuration>"""
    pool = f'<processModel userName="u" password="{secret}" />'
    return {
        WEB: configuration.encode(),
        IIS: iis().replace(b' managedRuntimeVersion="v4.0" />', f">{pool}</add>".encode()),
        OWA: vdir("Owa", Something=Sealed(secret)),
        "exchange/ClientAccessService.clixml": clixml(
            "Microsoft.Exchange.Data.Directory.Management.ClientAccessService",
            {
                "Identity": "EX01",
                "Name": "EX01",
                "AlternateServiceAccountCredential": Sealed(secret),
            },
        ),
    }


CHANGED_SECRETS = [
    "ClientAccessService[(server)].AlternateServiceAccountCredential",
    f"{OWA_NAME}.Something",
    f"{SETTINGS}.[key='SmtpPassword'].value",
    f"ConfigFile[{WEB_NAME} : connectionStrings].[name='X'].connectionString",
    f"ConfigFile[{WEB_NAME} : other].[1].(text)",
    f"ConfigFile[{WEB_NAME} : other].[2].(text)",
    f"ConfigFile[{WEB_NAME} : system.web/identity].password",
    f"ConfigFile[{WEB_NAME} : system.web/machineKey].decryptionKey",
    f"ConfigFile[{WEB_NAME} : system.web/machineKey].validationKey",
    "IisAppPool[MSExchangeOWAAppPool].processModel.password",
]


def test_secrets_are_never_kept(program):
    """No secret is in the store or in anything that is said; that one changed is."""
    said = [
        program.take(FIRST, with_secret(SECRET)),
        program.take(SECOND, with_secret(f"{SECRET}2")),
        program.run("log", "--commands"),
        program.run("log", "--format", "md", "--unfold"),
        program.run("log", "--json"),
        program.run("show", "EX01"),
        program.run("show", "EX01", "--json"),
        program.run("show", "EX01", "--json", "--ignored"),
        program.run("diff", "EX01", "1", "2", "--json"),
        program.run("drift", "EX01"),
    ]
    assert sorted(path_of(line) for line in program.log()) == sorted(CHANGED_SECRETS)
    for line in program.log():
        before, after = line["before"]["secret"], line["after"]["secret"]
        assert re.fullmatch(r"[0-9a-f]{8}:[0-9a-f]{32}", before)
        assert before.partition(":")[0] == after.partition(":")[0]
        assert before != after
    assert SECRET.encode() not in stored(program)
    assert SECRET not in "".join(answer.out + answer.err for answer in said)


def test_no_error_tells_a_secret(program, tmp_path):
    """A file that breaks inside a secret is an error without it."""
    for number, bad in enumerate(
        (
            f'<configuration><add password="{SECRET}',
            f'<configuration><add password="{SECRET}<"/></configuration>',
            f"<configuration><password>{SECRET}</passwordd></configuration>",
        )
    ):
        path = bundle(tmp_path / str(number), FIRST, {OWA: vdir("Owa"), WEB: bad.encode()})
        answer = program.run("import", path, "--at", f"2026-10-0{number + 1}")
        assert answer.code == 4
        shown = program.run("show", "EX01").out + program.run("show", "EX01", "--json").out
        assert SECRET not in answer.out + answer.err + shown
    assert SECRET.encode() not in stored(program)


def test_fingerprints_of_another_key_are_not_compared(program):
    """Without the key no secret can be compared: no changes from it, everything else works."""
    program.take(FIRST, with_secret(SECRET) | {ECP: ABSENT})
    (program.folder / "changelog.key").unlink()
    other = with_secret(SECRET) | {ECP: vdir("Ecp", ExternalUrl=URL)}
    assert program.take(SECOND, other).code == 0
    assert [path for path, *_ in program.changes()] == [ECP_NAME]


def test_fingerprints_of_a_new_key_are_compared_from_then_on(program):
    """After one snapshot under the new key, a secret that changes is a change again."""
    program.take(FIRST, {WEB: web(password="a" + SECRET)})
    (program.folder / "changelog.key").unlink()
    program.take(SECOND, {WEB: web(password="a" + SECRET)})
    assert program.changes() == []
    program.take(THIRD, {WEB: web(password="b" + SECRET)})
    assert [path for path, *_ in program.changes()] == [f"{SETTINGS}.[key='password'].value"]


def test_another_key_is_said_in_one_line(program):
    """That fingerprints cannot be compared is said once."""
    program.take(FIRST, with_secret(SECRET))
    (program.folder / "changelog.key").unlink()
    answer = program.take(SECOND, with_secret(SECRET))
    assert answer.err.count("not comparable") == 1


# --- what other programs read -------------------------------------------------------------------


def test_json_lines_have_the_keys_of_the_contract(program):
    """Every --json line has the keys of the contract, in their order."""
    program.take(FIRST, {OWA: vdir("Owa"), WEB: web(a="1"), IIS: iis(), ECP: vdir("Ecp")})
    changed = {OWA: vdir("Owa", ExternalUrl=URL), WEB: web(a="2"), IIS: iis("None")}
    program.take(SECOND, {**changed, ECP: "access denied"})
    for line in (*program.log(), *program.run("diff", "EX01", "1", "2", "--json").lines):
        assert [key for key in line if key not in SOMETIMES] == LOG_KEYS
    drift = program.run("drift", "EX01", "--json").lines
    turned = {"before": "wanted", "after": "found"}
    for line in drift:
        assert [key for key in line if key not in SOMETIMES] == [
            turned.get(key, key) for key in LOG_KEYS
        ]
    assert len(drift) == len(program.log()) == 3
    for line in program.run("snapshots", "--json").lines:
        assert list(line) == [
            "id", "server", "at", "received", "utc_offset_min", "skew_ms", "source", "kinds_read",
            "kinds_unread", "changes",
        ]  # fmt: skip
    for line in program.run("show", "EX01", "--json").lines:
        assert [key for key in line if key != "resource" or "value" in line] == (
            ["server", "at", "kind", "resource", "setting", "value", "since", "origin"]
            if "value" in line
            else ["server", "kind", "unread", "since"]
        )
    for line in program.run("show", "EX01", "--json", "--ignored").lines:
        assert "rule" in line or "unread" in line
    for line in program.run("catalogue", "--json").lines:
        assert list(line) == [
            "kind", "setting", "writable", "documented", "tracked", "managed_by", "kept_in",
            "versions", "default", "source",
        ]  # fmt: skip


def test_json_lines_are_one_object_a_line(program):
    """--json and --format json print the same; each line is one object."""
    program.take(FIRST, {OWA: vdir("Owa")})
    program.take(SECOND, {OWA: vdir("Owa", ExternalUrl=URL)})
    out = program.run("log", "--json").out
    assert program.run("log", "--format", "json").out == out
    assert [type(json.loads(line)) for line in out.splitlines()] == [dict]


def test_exit_codes_say_what_was_found(program):
    """3 belongs to drift and log --undocumented; log and diff end with 0 whatever they found."""
    program.take(FIRST, {OWA: vdir("Owa")})
    program.take(SECOND, {OWA: vdir("Owa", ExternalUrl=URL)})
    codes = {
        "log": 0,
        "log --json": 0,
        "log --undocumented": 3,
        "log --undocumented --since 2026-11-03": 0,
        "diff EX01 1 2": 0,
        "diff EX01 1 1": 0,
        "drift EX01": 3,
        "drift EX01 --against latest": 0,
        "drift EX01 --against previous --json": 3,
        "show EX01": 0,
        "snapshots": 0,
        "baseline set EX01": 0,
        "drift EX01 --json": 0,
        "document 2.1 --reason why --ticket CHG1": 0,
        "log --undocumented --json": 0,
    }
    assert {line: program.run(*line.split()).code for line in codes} == codes


def test_since_is_that_of_the_setting(program):
    """`since` is when this setting came to be so: null where it was so at the first snapshot."""
    program.take(FIRST, {OWA: vdir("Owa")})
    program.take(SECOND, {OWA: vdir("Owa", ExternalUrl=URL)})
    lines = program.run("show", "EX01", f"{OWA_NAME}.*", "--json").lines
    since = {line["setting"]: line["since"] for line in lines}
    assert (since["ExternalUrl"], since["Guid"], since["Server"]) == (SECOND, None, None)


def test_what_goes_is_not_unread_for_ever(program):
    """An object that only the directory told of goes with all that was not read of it."""
    program.take(FIRST, {OWA: ad_only("Owa"), WEB: web(a="1")})
    program.take(SECOND, {OWA: ABSENT, WEB: web(a="1")})
    assert [path_of(line) for line in program.log()] == [
        "OwaVirtualDirectory[owa (Default Web Site)]"
    ]
    told = program.run("show", "EX01", "OwaVirtualDirectory*", "--json")
    assert [line for line in told.lines if line["kind"] == "OwaVirtualDirectory"] == []


def test_the_clock_of_the_server_is_kept(program):
    """Its offset and how far it was off are with each snapshot, and in the head of a report."""
    program.take(FIRST, {WEB: web(a="1")}, skew_ms=2500)
    program.take(SECOND, {WEB: web(a="1")}, utc_offset_min=-210, skew_ms=-40)
    clocks = [
        (line["utc_offset_min"], line["skew_ms"])
        for line in program.run("snapshots", "--json").lines
    ]
    assert clocks == [(60, 2500), (-210, -40)]
    table = program.run("snapshots").out.splitlines()
    assert ["+01:00, 2.5 s ahead" in table[1], "-03:30, 0.04 s behind" in table[2]] == [True] * 2
    head = program.run("log", "EX01", "--format", "md").out
    assert "UTC -03:30 and UTC +01:00; at most 2.5 s ahead in 2 measurements" in head.replace(
        "\\", ""
    )


def test_two_files_may_tell_one_noun(program, tmp_path):
    """A second export of a noun, new beside one that is known, is read; neither is lost."""

    def take(day: int, url: str | None) -> None:
        files = {"a.clixml": vdir("Owa")}
        if url:
            name = "owa (Second)"
            files["b.clixml"] = vdir(
                "Owa", Identity=f"EX01\\{name}", Name=name, ExternalUrl=url, WebSite="Second"
            )
        folder = write(tmp_path / str(day), files)
        assert program.run("import", folder, "--at", f"2026-11-0{day}T10:00:00Z").code == 0

    take(1, None)
    take(2, "https://a.contoso.com/owa")
    take(3, "https://b.contoso.com/owa")
    take(4, "https://b.contoso.com/owa")
    assert [(path_of(line), line["action"], line["seen"][:10]) for line in program.log()] == [
        ("OwaVirtualDirectory[owa (Second)]", "added", "2026-11-02"),
        ("OwaVirtualDirectory[owa (Second)].ExternalUrl", "changed", "2026-11-03"),
    ]


def test_the_same_bundle_under_another_key_is_already_known(program, tmp_path):
    """A key that was lost makes no second snapshot of the same files."""
    path = bundle(tmp_path / "one", FIRST, {OWA: vdir("Owa"), WEB: web(a="1")})
    program.run("import", path)
    (program.folder / "changelog.key").unlink()
    answer = program.run("import", path)
    assert (answer.code, answer.out.endswith(" is already known\n")) == (0, True)


def test_a_reason_stays_with_the_folded_change_it_was_given_to(program):
    """A late snapshot that tells an update more exactly leaves each reason where it belongs."""
    old, new = {IIS: iis(folder="15.2.922.7")}, {IIS: iis(folder="15.2.1118.7")}
    program.take(FIRST, old, build="15.2.922.7")
    program.take("2026-11-05T10:00:00Z", new, build="15.2.1118.7")
    folded = [line["id"] for line in program.log("--unfold") if line["id"].count(".") == 2]
    for one in folded:
        assert program.run("document", one, "--reason", f"for {one}").code == 0
    before = {path_of(line): line["reason"] for line in program.log("--unfold")}
    program.take("2026-11-03T10:00:00Z", old, build="15.2.922.7")
    assert len(folded) > 1
    assert {path_of(line): line["reason"] for line in program.log("--unfold")} == before
