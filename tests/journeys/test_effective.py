"""`show --effective`: what applies at a place in the end, from which file, line and step."""

from __future__ import annotations

import pytest
from bundles import ABSENT, IIS, INSTALL, OWA, Program, vdir

AT, LATER = "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z"
SITE_WEB = "files/C/inetpub/wwwroot/web.config"
OWA_WEB = f"{INSTALL}/FrontEnd/HttpProxy/owa/web.config"
AUTH_WEB = f"{INSTALL}/FrontEnd/HttpProxy/owa/auth/web.config"
HOST_NAME = "%windir%/System32/inetsrv/config/applicationHost.config"
SITE_NAME = "C:/inetpub/wwwroot/web.config"
OWA_NAME = "%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/web.config"
AUTH_NAME = "%ExchangeInstallPath%/FrontEnd/HttpProxy/owa/auth/web.config"
NEVER = "no such file was given; where there is one, it counts too"
PLACE = "Default Web Site/owa"
ACCESS = "system.webServer/security/access"
REDIRECT = "system.webServer/httpRedirect"
HANDLERS = "system.webServer/handlers"
HEADERS = "system.webServer/httpProtocol"
MODULES = "system.webServer/modules"

HOST = """<configuration>
<configSections><sectionGroup name="system.webServer">
<section name="handlers" overrideModeDefault="Deny" />
<section name="httpRedirect" overrideModeDefault="Allow" />
<section name="httpProtocol" overrideModeDefault="Allow" />
<section name="modules" allowDefinition="MachineToApplication" overrideModeDefault="Allow" />
<section name="globalModules" allowDefinition="AppHostOnly" overrideModeDefault="Allow" />
<sectionGroup name="security"><section name="access" overrideModeDefault="Deny" /></sectionGroup>
</sectionGroup></configSections>
<system.applicationHost><sites>
<site name="Default Web Site" id="1">
<application path="/"><virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\wwwroot" />
<virtualDirectory path="/Public" physicalPath="%OWA%" /></application>
<application path="/owa"><virtualDirectory path="/" physicalPath="%OWA%" /></application>
<application path="/owa/Calendar"><virtualDirectory path="/" physicalPath="%OWA%" /></application>
</site></sites></system.applicationHost>
%ROOT%
</configuration>
"""
OWA_FOLDER = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\owa"


def host(*blocks: str) -> bytes:
    """Write an applicationHost.config, one block a line, from line 17 on."""
    return HOST.replace("%OWA%", OWA_FOLDER).replace("%ROOT%", "\n".join(blocks)).encode()


def web(*blocks: str) -> bytes:
    """Write a web.config, one block a line, from line 2 on."""
    return "\n".join(["<configuration>", *blocks, "</configuration>"]).encode()


def server(section: str, inside: str = "") -> str:
    """Write a section of IIS on one line: `server("httpErrors", "<httpErrors>...")`."""
    *groups, name = section.split("/")
    groups = ["system.webServer", *groups]
    text = inside or f"<{name} />"
    return "".join(f"<{g}>" for g in groups) + text + "".join(f"</{g}>" for g in groups[::-1])


def location(path: str, block: str, **attributes: str) -> str:
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<location path="{path}"{said}>{block}</location>'


def access(flags: str) -> str:
    return server("security/access", f'<access sslFlags="{flags}" />')


def redirect(attributes: str) -> str:
    return server("httpRedirect", f"<httpRedirect {attributes} />")


def headers(inside: str) -> str:
    return server(
        "httpProtocol", f"<httpProtocol><customHeaders>{inside}</customHeaders></httpProtocol>"
    )


class Server(Program):
    """A server of which files were imported."""

    def has(self, files: dict[str, bytes | str], at: str = AT) -> Server:
        """Import them; what is not named is said to be absent."""
        absent = dict.fromkeys((SITE_WEB, OWA_WEB, AUTH_WEB), ABSENT)
        answer = self.take(at, {**absent, **files})
        assert answer.code in {0, 4}, answer.err
        return self

    def lines(self, pattern: str, *more: str):
        answer = self.run("show", "EX01", pattern, "--effective", "--json", *more)
        assert answer.code == 0, answer.err
        return answer.lines

    def applies(self, place: str, section: str, setting: str = "*"):
        """Give setting, value, file with line and step; with why it does not count."""
        found = self.lines(f"IisSection[{place} : {section}].{setting}")
        keys = ("setting", "value", "origin", "step", "refused")
        return [
            tuple(line[key] for key in keys if key in line)
            for line in found
            if "unread" not in line
        ]

    def unread(self, pattern: str):
        found = self.lines(pattern)
        return [(line["resource"], line["unread"]) for line in found if "unread" in line]


@pytest.fixture
def ex01(tmp_path) -> Server:
    return Server(tmp_path)


# --- where a setting comes from ------------------------------------------------------------------


def test_what_the_root_says_applies_everywhere(ex01):
    """A place inherits from the root of applicationHost.config."""
    ex01.has({IIS: host(access("Ssl"))})
    assert ex01.applies(PLACE, ACCESS) == [
        ("sslFlags", ["Ssl"], f"{HOST_NAME}:17", "applicationHost.config")
    ]


def test_a_line_holds_what_it_overrode_and_whether_it_is_inherited(ex01):
    """The whole line: the nearest step counts, and what it overrode stands in `over`."""
    files = {
        IIS: host(
            redirect('enabled="false"'),
            location("Default Web Site", redirect('enabled="true" destination="/owa"')),
            location(PLACE, redirect('enabled="false"')),
        )
    }
    ex01.has(files)
    enabled, destination = ex01.lines(f"IisSection[{PLACE} : {REDIRECT}*]")
    assert enabled == {
        "server": "EX01",
        "at": AT,
        "kind": "IisSection",
        "resource": f"{PLACE} : {REDIRECT}",
        "setting": "enabled",
        "value": False,
        "since": None,
        "origin": f"{HOST_NAME}:19",
        "step": f"location {PLACE} in applicationHost.config",
        "inherited": False,
        "over": [
            {"value": False, "origin": f"{HOST_NAME}:17", "step": "applicationHost.config"},
            {
                "value": True,
                "origin": f"{HOST_NAME}:18",
                "step": "location Default Web Site in applicationHost.config",
            },
        ],
    }
    assert (destination["value"], destination["inherited"]) == ("/owa", True)
    assert "over" not in destination


def test_a_web_config_counts_for_its_folder_and_what_is_below(ex01):
    """The web.config of a folder overrides what applicationHost.config says of its place."""
    ex01.has(
        {
            IIS: host(location(PLACE, redirect('enabled="false"'))),
            OWA_WEB: web(redirect('enabled="true"')),
        }
    )
    said = ("enabled", True, f"{OWA_NAME}:2", f"web.config of {PLACE}")
    assert ex01.applies(PLACE, REDIRECT, "enabled") == [said]
    assert ex01.applies(f"{PLACE}/auth", REDIRECT, "enabled") == [said]
    assert ex01.applies("Default Web Site", REDIRECT, "enabled")[0][1:3] == (False, "default")


def test_what_is_said_of_the_place_beats_a_file_above_it(ex01):
    """A <location> of a place in applicationHost.config beats the web.config of the site above."""
    ex01.has(
        {
            IIS: host(location(PLACE, redirect('enabled="false"'))),
            SITE_WEB: web(redirect('enabled="true"')),
        }
    )
    step = f"location {PLACE} in applicationHost.config"
    assert ex01.applies(PLACE, REDIRECT, "enabled") == [("enabled", False, f"{HOST_NAME}:17", step)]


def test_a_location_in_a_web_config_counts_below_its_folder(ex01):
    """A <location> of a web.config speaks of a path below its own place, before the file there."""
    ex01.has(
        {
            IIS: host(),
            OWA_WEB: web(location("auth", redirect('enabled="true" destination="/a"'))),
            AUTH_WEB: web(redirect('destination="/b"')),
        }
    )
    assert ex01.applies(f"{PLACE}/auth", REDIRECT, "enabled") == [
        ("enabled", True, f"{OWA_NAME}:2", f"location auth in web.config of {PLACE}")
    ]
    assert ex01.applies(f"{PLACE}/auth", REDIRECT, "destination") == [
        ("destination", "/b", f"{AUTH_NAME}:2", f"web.config of {PLACE}/auth")
    ]
    assert ex01.applies(PLACE, REDIRECT, "enabled")[0][1:3] == (False, "default")


def test_case_does_not_matter(ex01):
    """Places, paths and folders have no case; the place is spelt as the server spells it."""
    ex01.has({IIS: host(location("default web site/OWA", redirect('enabled="true"')))})
    found = ex01.lines(f"IisSection[DEFAULT WEB SITE/owa/ : {REDIRECT.lower()}].enabled")
    assert [(line["resource"], line["value"]) for line in found] == [
        ("default web site/OWA : system.webServer/httpRedirect", True)
    ]


def test_a_place_without_a_section_of_its_own_is_told_too(ex01):
    """Any path below a site may be asked for, also a folder of which nothing speaks."""
    ex01.has({IIS: host(location("Default Web Site", access("Ssl")))})
    assert ex01.applies(f"{PLACE}/auth", ACCESS) == [
        (
            "sslFlags",
            ["Ssl"],
            f"{HOST_NAME}:17",
            "location Default Web Site in applicationHost.config",
        )
    ]


def test_two_places_with_one_folder_read_the_same_file(ex01):
    """Of two applications in one folder each reads its web.config, also the one below the other."""
    ex01.has({IIS: host(), OWA_WEB: web('<appSettings><add key="A" value="1" /></appSettings>')})
    for place in (PLACE, f"{PLACE}/Calendar", "Default Web Site/Public"):
        assert ex01.applies(place, "appSettings") == [
            ("[key='A'].value", "1", f"{OWA_NAME}:2", f"web.config of {place}")
        ]


def test_a_folder_whose_files_do_not_count_is_left_out(ex01):
    """With allowSubDirConfig="false" no web.config below the directory's root counts."""
    closed = host().replace(
        b'<application path="/owa"><virtualDirectory path="/"',
        b'<application path="/owa"><virtualDirectory path="/" allowSubDirConfig="false"',
    )
    ex01.has({IIS: closed, AUTH_WEB: web(redirect('enabled="true"'))})
    assert ex01.applies(f"{PLACE}/auth", REDIRECT, "enabled")[0][1:3] == (False, "default")


def test_the_server_level_is_a_place(ex01):
    """MACHINE/WEBROOT/APPHOST tells what the server says for all."""
    ex01.has({IIS: host(access("Ssl"), location(PLACE, access("None")))})
    assert ex01.applies("MACHINE/WEBROOT/APPHOST", ACCESS) == [
        ("sslFlags", ["Ssl"], f"{HOST_NAME}:17", "applicationHost.config")
    ]


def test_the_schema_says_what_nobody_says(ex01):
    """A section named exactly has its defaults; with * there is only what somebody says."""
    ex01.has({IIS: host(redirect('enabled="true"'))})
    found = ex01.applies(PLACE, REDIRECT)
    assert found[0][:2] == ("enabled", True)
    default = ("default", "default of the schema")
    assert {row[:2] for row in found if row[2:] == default} == {
        ("exactDestination", False),
        ("childOnly", False),
        ("httpResponseStatus", "Found"),
    }
    starred = ex01.lines(f"IisSection[{PLACE} : *]")
    assert [line["setting"] for line in starred if "unread" not in line] == ["enabled"]


def test_an_older_moment_is_told_as_it_was(ex01):
    """--at tells what applied then."""
    ex01.has({IIS: host(access("Ssl"))})
    ex01.has({IIS: host(access("None"))}, LATER)
    pattern = f"IisSection[{PLACE} : {ACCESS}].sslFlags"
    assert [line["value"] for line in ex01.lines(pattern)] == [[]]
    assert [line["value"] for line in ex01.lines(pattern, "--at", AT)] == [["Ssl"]]


# --- collections ---------------------------------------------------------------------------------


def test_elements_are_added_and_taken_away_by_their_key(ex01):
    """What is removed is told with the step that took it; what is added has its own origin."""
    ex01.has(
        {
            IIS: host(headers('<add name="X-One" value="1" /><add name="X-Two" value="2" />')),
            OWA_WEB: web(
                "<system.webServer><httpProtocol><customHeaders>",
                '<remove name="x-one" />',
                '<add name="X-Three" value="3" />',
                "</customHeaders></httpProtocol></system.webServer>",
            ),
        }
    )
    step = f"web.config of {PLACE}"
    assert ex01.applies(PLACE, HEADERS, "customHeaders*") == [
        ("customHeaders.[name='X-Two'].value", "2", f"{HOST_NAME}:17", "applicationHost.config"),
        ("customHeaders.[name='X-Three'].value", "3", f"{OWA_NAME}:4", step),
        ("customHeaders.[name='X-One']", None, f"{OWA_NAME}:3", f"removed by {step}"),
    ]


def test_clear_takes_away_all_that_stood_before_it(ex01):
    """<clear/> ends the inheritance of a collection, and is told for each element."""
    ex01.has(
        {
            IIS: host(headers('<add name="X-One" value="1" />')),
            OWA_WEB: web(headers('<clear /><add name="X-One" value="9" />')),
        }
    )
    (line,) = ex01.lines(f"IisSection[{PLACE} : {HEADERS}].customHeaders*")
    assert (line["setting"], line["value"]) == ("customHeaders.[name='X-One'].value", "9")
    assert [(over["value"], over["step"]) for over in line["over"]] == [
        ("1", "applicationHost.config"),
        (None, f"removed by web.config of {PLACE}"),
    ]


def test_a_file_is_read_from_its_first_line_to_its_last(ex01):
    """<clear/> behind <add/> leaves nothing of it."""
    inside = '<add name="X-One" value="1" /><clear /><add name="X-Two" value="2" />'
    ex01.has({IIS: host(headers(inside))})
    found = ex01.applies(PLACE, HEADERS, "customHeaders*")
    assert [row[:2] for row in found] == [
        ("customHeaders.[name='X-Two'].value", "2"),
        ("customHeaders.[name='X-One']", None),
    ]


def test_handlers_of_the_inner_file_come_first(ex01):
    """Where the schema says so (mergeAppend), the inner elements stand before the inherited."""
    handler = '<add name="{}" path="*" verb="*" modules="StaticFileModule" />'
    ex01.has(
        {
            IIS: host(
                location(
                    "",
                    server(
                        "handlers",
                        f"<handlers>{handler.format('A')}{handler.format('B')}</handlers>",
                    ),
                    overrideMode="Allow",
                )
            ),
            OWA_WEB: web(
                server(
                    "handlers",
                    "<handlers>"
                    f'{handler.format("C")}<remove name="B" />{handler.format("D")}'
                    "</handlers>",
                )
            ),
        }
    )
    (order,) = ex01.applies(PLACE, HANDLERS, "(order)")
    assert order[1] == ["[name='C']", "[name='D']", "[name='A']"]


def test_a_setting_of_the_application_is_replaced_by_the_inner_file(ex01):
    """.NET takes a key again: the inner value counts."""
    setting = '<appSettings><add key="A" value="{}" /></appSettings>'
    ex01.has({IIS: host(), SITE_WEB: web(setting.format(1)), OWA_WEB: web(setting.format(2))})
    (line,) = (one for one in ex01.lines(f"IisSection[{PLACE} : appSettings].*") if "value" in one)
    assert (line["value"], line["over"][0]["value"]) == ("2", "1")


def test_iis_takes_no_key_twice(ex01):
    """A second element of one key makes IIS answer 500.19; the first is told as what applies."""
    ex01.has(
        {
            IIS: host(headers('<add name="X-One" value="1" />')),
            OWA_WEB: web(headers('<add name="X-One" value="2" />')),
        }
    )
    assert [row[1:] for row in ex01.applies(PLACE, HEADERS, "customHeaders*")] == [
        ("1", f"{HOST_NAME}:17", "applicationHost.config"),
        (
            "2",
            f"{OWA_NAME}:2",
            f"web.config of {PLACE}",
            f"its key stands already at {HOST_NAME}:17; IIS answers 500.19",
        ),
    ]


# --- what does not count -------------------------------------------------------------------------


def test_a_locked_section_keeps_web_configs_out(ex01):
    """What stands in a section that is locked by overrideModeDefault does not count."""
    ex01.has({IIS: host(access("Ssl")), OWA_WEB: web(access("None"))})
    assert ex01.applies(PLACE, ACCESS) == [
        ("sslFlags", ["Ssl"], f"{HOST_NAME}:17", "applicationHost.config"),
        (
            "sslFlags",
            [],
            f"{OWA_NAME}:2",
            f"web.config of {PLACE}",
            f"locked by {HOST_NAME}:8; IIS answers 500.19",
        ),
    ]


def test_a_lock_binds_other_files_alone(ex01):
    """applicationHost.config itself may set at a deeper place what it locks."""
    ex01.has({IIS: host(access("Ssl"), location(PLACE, access("None")))})
    assert [row[1] for row in ex01.applies(PLACE, ACCESS)] == [[]]


def test_a_location_unlocks_a_section_for_its_place(ex01):
    """overrideMode="Allow" lets the web.config of that place have its say, and no other."""
    ex01.has(
        {
            IIS: host(access("Ssl"), location(PLACE, access("Ssl"), overrideMode="Allow")),
            SITE_WEB: web(access("None")),
            OWA_WEB: web(access("None")),
        }
    )
    assert [row[1] for row in ex01.applies(PLACE, ACCESS) if len(row) == 4] == [[]]
    site = ex01.applies("Default Web Site", ACCESS)
    assert [(row[1], len(row)) for row in site] == [(["Ssl"], 4), ([], 5)]


@pytest.mark.parametrize("lock", [{"overrideMode": "Deny"}, {"allowOverride": "false"}])
def test_a_location_locks_a_section(ex01, lock):
    """overrideMode="Deny", and allowOverride="false" of old, lock what is open by default."""
    ex01.has(
        {
            IIS: host(location("Default Web Site", redirect('enabled="true"'), **lock)),
            OWA_WEB: web(redirect('enabled="false"')),
        }
    )
    why = f"locked by {HOST_NAME}:17; IIS answers 500.19"
    found = ex01.applies(PLACE, REDIRECT, "enabled")
    assert [(row[1], row[4:]) for row in found] == [(True, ()), (False, (why,))]


@pytest.mark.parametrize(
    "lock",
    ['lockAttributes="a, destination"', 'lockAllAttributesExcept="enabled"', 'lockAttributes="*"'],
)
def test_an_attribute_is_locked_by_name(ex01, lock):
    """lockAttributes and lockAllAttributesExcept hold back single attributes."""
    ex01.has(
        {
            IIS: host(redirect(f'enabled="true" destination="/a" {lock}')),
            OWA_WEB: web(redirect('destination="/b"')),
        }
    )
    why = f"locked by {HOST_NAME}:17; IIS answers 500.19"
    found = ex01.applies(PLACE, REDIRECT, "*estination")
    assert [(row[0], row[1], row[4:]) for row in found] == [
        ("destination", "/a", ()),
        ("exactDestination", False, ()),
        ("destination", "/b", (why,)),
    ]


@pytest.mark.parametrize(
    ("lock", "inside", "refused"),
    [
        ('lockElements="remove, clear"', '<remove name="X-One" />', "[name='X-One']"),
        ('lockElements="clear"', "<clear />", "(clear)"),
        ('lockElements="add"', '<add name="X-Two" value="2" />', "[name='X-Two'].value"),
        ('lockAllElementsExcept="add"', '<remove name="X-One" />', "[name='X-One']"),
    ],
)
def test_a_directive_is_locked_by_name(ex01, lock, inside, refused):
    """lockElements and lockAllElementsExcept hold back add, remove and clear of a collection."""
    one = '<add name="X-One" value="1" />'
    outer = f"<httpProtocol><customHeaders {lock}>{one}</customHeaders></httpProtocol>"
    ex01.has({IIS: host(server("httpProtocol", outer)), OWA_WEB: web(headers(inside))})
    found = ex01.applies(PLACE, HEADERS, "customHeaders*")
    assert [row[0] for row in found if len(row) == 4] == ["customHeaders.[name='X-One'].value"]
    assert [(row[0], row[4]) for row in found if len(row) == 5] == [
        (f"customHeaders.{refused}", f"locked by {HOST_NAME}:17; IIS answers 500.19")
    ]


def test_an_element_is_locked_by_name(ex01):
    """lockElements of a section holds back all of an element in it."""
    outer = '<httpProtocol lockElements="customHeaders" />'
    inner = headers('<add name="X-Two" value="2" />')
    ex01.has({IIS: host(server("httpProtocol", outer)), OWA_WEB: web(inner)})
    found = ex01.applies(PLACE, HEADERS, "customHeaders*")
    assert [(row[0], len(row)) for row in found] == [("customHeaders.[name='X-Two'].value", 5)]


@pytest.mark.parametrize("inside", ['<remove name="X-One" />', "<clear />"])
def test_a_locked_element_of_a_collection_stays(ex01, inside):
    """lockItem="true" keeps one element from being removed, and so the collection from clear."""
    ex01.has(
        {
            IIS: host(headers('<add name="X-One" value="1" lockItem="true" />')),
            OWA_WEB: web(headers(inside)),
        }
    )
    found = ex01.applies(PLACE, HEADERS, "customHeaders*")
    assert found[0][:2] == ("customHeaders.[name='X-One'].value", "1")
    assert [row[4] for row in found[1:]] == [f"locked by {HOST_NAME}:17; IIS answers 500.19"]


def test_lock_item_locks_a_whole_section(ex01):
    """lockItem="true" of a section itself keeps all of it from the files below."""
    ex01.has(
        {
            IIS: host(redirect('enabled="true" lockItem="true"')),
            OWA_WEB: web(redirect('enabled="false"')),
        }
    )
    found = ex01.applies(PLACE, REDIRECT, "enabled")
    assert [(row[1], len(row)) for row in found] == [(True, 4), (False, 5)]


def test_a_location_may_stop_at_applications(ex01):
    """inheritInChildApplications="false" does not reach an application below, but a folder does."""
    block = location(".", redirect('enabled="true"'), inheritInChildApplications="false")
    ex01.has({IIS: host(), OWA_WEB: web(block)})
    assert ex01.applies(f"{PLACE}/auth", REDIRECT, "enabled")[0][1:] == (
        True,
        f"{OWA_NAME}:2",
        f'location "" in web.config of {PLACE}',
    )
    # The application below has the same folder, so the file speaks once more, for itself.
    (line,) = ex01.lines(f"IisSection[{PLACE}/Calendar : {REDIRECT}].enabled")
    assert (line["step"], line["inherited"]) == (
        f'location "" in web.config of {PLACE}/Calendar',
        False,
    )
    assert "over" not in line


def test_a_section_of_applications_may_not_stand_deeper(ex01):
    """MachineToApplication ends at the root of an application, AppHostOnly before web.config."""
    module = '<modules><add name="Own" /></modules>'
    ex01.has(
        {
            IIS: host(),
            OWA_WEB: web(server("modules", module), server("globalModules")),
            AUTH_WEB: web(server("modules", module.replace("Own", "Other"))),
        }
    )
    found = ex01.applies(f"{PLACE}/auth", MODULES)
    why = f"not allowed below an application's root, by {HOST_NAME}:6"
    assert [(row[0], row[4:]) for row in found if row[0].startswith("[")] == [
        ("[name='Own']", ()),
        ("[name='Other']", (why,)),
    ]
    public = ex01.applies("Default Web Site/Public", MODULES)
    assert [row[4:] for row in public if row[0].startswith("[")] == [(why,)]


def test_a_lock_of_the_site_binds_the_outer_file_at_places_below(ex01):
    """A lock binds whatever counts after it, also what applicationHost.config says of a folder."""
    ex01.has(
        {
            IIS: host(location(PLACE, redirect('enabled="true"'))),
            SITE_WEB: web(location("", redirect('enabled="false"'), overrideMode="Deny")),
        }
    )
    why = f"locked by {SITE_NAME}:2; IIS answers 500.19"
    found = ex01.applies(PLACE, REDIRECT, "enabled")
    assert [(row[1], row[4:]) for row in found] == [(False, ()), (True, (why,))]


# --- what is not known ---------------------------------------------------------------------------


def test_a_file_that_was_never_given_is_named(ex01):
    """Unread is not absent: the file that may change the answer is named."""
    ex01.take(AT, {IIS: host(access("Ssl")), SITE_WEB: ABSENT})
    assert ex01.unread(f"IisSection[{PLACE}/auth : {ACCESS}]") == [
        (AUTH_NAME, NEVER),
        (OWA_NAME, NEVER),
    ]


def test_a_file_that_is_absent_changes_nothing(ex01):
    """Absence is an answer: there is nothing to name."""
    ex01.has({IIS: host(access("Ssl"))})
    assert ex01.unread(f"IisSection[{PLACE}/auth : {ACCESS}]") == []


def test_a_file_that_could_not_be_read_is_told_as_it_was(ex01):
    """Its last known settings count, and the reason is told."""
    ex01.has({IIS: host(), OWA_WEB: web(redirect('enabled="true"'))})
    ex01.has({IIS: host(), OWA_WEB: "access denied"}, LATER)
    *settings, unread = ex01.lines(f"IisSection[{PLACE} : {REDIRECT}].enabled")
    assert [(line["value"], line["origin"]) for line in settings] == [(True, OWA_NAME)]
    assert unread == {
        "server": "EX01",
        "kind": "ConfigFile",
        "resource": OWA_NAME,
        "unread": "access denied",
        "since": AT,
    }


def test_an_application_host_config_that_could_not_be_read_is_told_as_it_was(ex01):
    """Its last known settings count, with locks, and that it was not read is told."""
    ex01.has({IIS: host(access("Ssl")), OWA_WEB: web(access("None"))})
    ex01.has({IIS: "access denied", OWA_WEB: web(access("None"))}, LATER)
    applies, refused, unread = ex01.lines(f"IisSection[{PLACE} : {ACCESS}].sslFlags")
    assert (applies["value"], applies["origin"]) == (["Ssl"], HOST_NAME)
    assert refused["refused"] == f"locked by {HOST_NAME}; IIS answers 500.19"
    assert (unread["kind"], unread["unread"]) == ("IisSection", "access denied")


def test_what_a_section_takes_from_another_file_is_named(ex01):
    """configSource, and file of appSettings, point to files that are not read."""
    ex01.has(
        {
            IIS: host(),
            OWA_WEB: web(
                '<appSettings file="own.config" />',
                '<connectionStrings configSource="c\\d.config" />',
            ),
        }
    )
    found = dict(ex01.unread(f"IisSection[{PLACE} : *]"))
    folder = OWA_NAME.rpartition("/")[0]
    assert found[f"{folder}/own.config"] == (
        f"file of appSettings in {OWA_NAME}; such files are not read"
    )
    assert found[f"{folder}/c/d.config"] == (
        f"configSource of connectionStrings in {OWA_NAME}; such files are not read"
    )


def test_what_dot_net_says_for_all_is_named_as_not_collected(ex01):
    """Sections that are not IIS's own begin in files of .NET, which nobody collects."""
    ex01.has({IIS: host(), OWA_WEB: web('<appSettings><add key="A" value="1" /></appSettings>')})
    (unread,) = ex01.unread(f"IisSection[{PLACE} : appSettings]")
    assert unread[0] == "machine.config and web.config of .NET"
    assert ex01.unread(f"IisSection[{PLACE} : {ACCESS}]") == []


def test_a_linked_file_is_followed_where_its_section_is_named(ex01):
    """<linkedConfiguration> brings the runtime section of another file; with * it does not."""
    shared = f"{INSTALL}/FrontEnd/HttpProxy/SharedWebConfig.config"
    href = "file://" + OWA_FOLDER.replace("owa", "SharedWebConfig.config")
    namespace = "urn:schemas-microsoft-com:asm.v1"
    linked = f'<linkedConfiguration href="{href}" />'
    link = f'<assemblyBinding xmlns="{namespace}">{linked}</assemblyBinding>'
    bound = '<runtime><gcServer enabled="true" /></runtime>'
    ex01.has({IIS: host(), OWA_WEB: web(link), shared: web(bound)})
    assert ex01.applies(PLACE, "runtime") == [
        (
            "gcServer.enabled",
            "true",
            "%ExchangeInstallPath%/FrontEnd/HttpProxy/SharedWebConfig.config:2",
            f"SharedWebConfig.config, linked by web.config of {PLACE}",
        )
    ]
    settings = [line.get("setting") for line in ex01.lines(f"IisSection[{PLACE} : *]")]
    assert settings[:-1] == ["linkedConfiguration.href"]


def test_a_guess_is_called_one(ex01):
    """Where the schema of a section is not known and two steps speak, the line says so."""
    own = '<ownSection a="{}"><add name="X" b="1" /></ownSection>'
    ex01.has({IIS: host(), SITE_WEB: web(own.format(1)), OWA_WEB: web(own.format(2))})
    site = ex01.lines("IisSection[Default Web Site : ownSection]")
    assert not any("unsure" in line for line in site)
    found = [one for one in ex01.lines(f"IisSection[{PLACE} : ownSection]") if "value" in one]
    assert [(line["setting"], line["value"], "unsure" in line) for line in found] == [
        ("a", "2", True),
        ("[name='X'].b", "1", True),
    ]


# --- the command line ----------------------------------------------------------------------------


def test_without_a_pattern_all_places_that_are_known_are_told(ex01):
    """Sites, applications, directories and every <location> are places."""
    ex01.has({IIS: host(access("Ssl"), location(f"{PLACE}/own", access("None")))})
    answer = ex01.run("show", "EX01", "--effective", "--json")
    found = {line["resource"].partition(" : ")[0] for line in answer.lines if "value" in line}
    assert found == {
        "MACHINE/WEBROOT/APPHOST",
        "Default Web Site",
        "Default Web Site/Public",
        PLACE,
        f"{PLACE}/Calendar",
        f"{PLACE}/own",
    }


def test_text_says_the_step_and_why_something_does_not_count(ex01):
    """A line of text: value, origin, step, and what holds it back."""
    ex01.has({IIS: host(access("Ssl")), OWA_WEB: web(access("None"))})
    answer = ex01.run("show", "EX01", f"IisSection[{PLACE}]", "--effective")
    name = f"IisSection[{PLACE} : {ACCESS}].sslFlags"
    refused = f"does not count: locked by {HOST_NAME}:8; IIS answers 500.19"
    assert answer.out.splitlines()[1:] == [
        f"{name} = Ssl  from {HOST_NAME}:17  (applicationHost.config)",
        f"{name} = (empty list)  from {OWA_NAME}:2  (web.config of {PLACE})  {refused}",
        "2 settings",
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["OwaVirtualDirectory[*]"], "--effective tells what applies at a place of IIS"),
        (["Default Web Site/owa"], "--effective tells what applies at a place of IIS"),
        (["IisSection[Other/owa : *]"], "is at no site that is known: Default Web Site"),
        ([f"IisSection[{PLACE} : no/section]"], "names no section of IIS that is known there"),
        ([f"IisSection[{PLACE} : *]", "--ignored"], "cannot go with --ignored"),
    ],
)
def test_what_cannot_be_asked_is_one_line(ex01, arguments, error):
    """A pattern for other kinds, an unknown site or section, or two questions: exit code 2."""
    ex01.has({IIS: host(access("Ssl"))})
    answer = ex01.run("show", "EX01", *arguments, "--effective")
    assert (answer.code, answer.out) == (2, "")
    assert error in answer.err.splitlines()[0]


def test_a_server_without_application_host_config_has_no_places(ex01):
    """Exchange exports alone say nothing of places."""
    ex01.take(AT, {OWA: vdir("Owa")})
    answer = ex01.run("show", "EX01", "--effective")
    assert (answer.code, answer.err.splitlines()[0]) == (
        2,
        "error: EX01: no applicationHost.config of it was read by then",
    )


def test_every_format_says_what_does_not_count(ex01, tmp_path):
    """A report in a file has the step and the reason too."""
    ex01.has({IIS: host(access("Ssl")), OWA_WEB: web(access("None"))})
    for form in ("md", "csv", "html"):
        file = tmp_path / f"report.{form}"
        answer = ex01.run("show", "EX01", f"IisSection[{PLACE}]", "--effective", "-o", file)
        assert answer.code == 0, answer.err
        text = "".join(path.read_text("utf-8-sig") for path in tmp_path.glob(f"report*.{form}"))
        assert "500.19" in text
        assert "web.config of" in text
