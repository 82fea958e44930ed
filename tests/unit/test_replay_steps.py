"""Which step of a replay script made a change, as the values of both say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from changelog_tracker.model import Change
from changelog_tracker.pipeline.replayed.steps import done_steps, maker
from changelog_tracker.pipeline.replayed.told import says
from changelog_tracker.store.packing import micros

BEGIN = datetime(2026, 11, 2, 8, tzinfo=UTC)
SEEN = micros(datetime(2026, 11, 2, 10, tzinfo=UTC))
ACCESS = ("IisSection", "Default Web Site/owa : system.webServer/security/access")
HEADERS = ("IisSection", "Default Web Site : system.webServer/httpProtocol")
RULES = ("IisSection", "Default Web Site : system.webServer/rewrite/rules")
OWA = ("OwaVirtualDirectory", "owa (Default Web Site)")
ANYWHERE = ("OutlookAnywhere", "Rpc (Default Web Site)")


@pytest.mark.parametrize(
    ("told", "value", "kind", "setting", "expected"),
    [
        ("True", True, "OwaVirtualDirectory", "BasicAuthentication", True),
        ("False", True, "OwaVirtualDirectory", "BasicAuthentication", False),
        ("", None, "OwaVirtualDirectory", "ExternalUrl", True),
        (None, [], "OwaVirtualDirectory", "ExternalAuthenticationMethods", True),
        ("https://a", "https://b", "OwaVirtualDirectory", "ExternalUrl", False),
        ("username", "UserName", "OwaVirtualDirectory", "LogonFormat", True),
        (["Ntlm", "basic"], ["Basic", "Ntlm"], "OutlookAnywhere", "IISAuthenticationMethods", True),
        (["Ntlm"], ["Basic", "Ntlm"], "OutlookAnywhere", "IISAuthenticationMethods", False),
        ("20 KB (20,480 bytes)", 20480, "ImapSettings", "ProxyTargetPort", True),
        ("00:30:00", "00:30:00", "PopSettings", "AuthenticatedConnectionTimeout", True),
        ("true", True, "IisSection", "enabled", True),
        ("true", "true", "ConfigFile", "[key='a'].value", True),
        ("Ssl128, ssl", ["Ssl", "Ssl128"], "IisSection", "sslFlags", True),
        ("None", [], "IisSection", "sslFlags", True),
        ("Ssl", ["Ssl", "Ssl128"], "IisSection", "sslFlags", False),
        ("30000000", 30000000, "IisSection", "requestLimits.maxAllowedContentLength", True),
        ("30000000.0", 30000000, "IisSection", "requestLimits.maxAllowedContentLength", False),
        ("", None, "IisSection", "sslFlags", False),
        (None, "", "IisSection", "mode", False),
        ("1", True, "IisSection", "enabled", False),
        ({"secret": "k1:aa"}, {"secret": "k2:bb"}, "ConfigFile", "[key='a'].value", False),
    ],
)
def test_a_text_is_held_against_a_typed_value(told, value, kind, setting, expected):
    """As the shell or IIS writes it; what is nothing is the empty text to the shell alone."""
    assert says(told, value, kind, setting) is expected


def body(*steps, **other):
    """A run whose steps were set, each about a setting with its values."""
    lines = []
    for number, (op, kind, resource, setting, values) in enumerate(steps, 1):
        at = f"2026-11-02T09:00:{number:02}Z"
        said = [{"name": name, "found": None, "wanted": wanted} for name, wanted in values.items()]
        named = {"kind": kind, "resource": resource, "setting": setting, "values": said}
        lines += [
            {"id": f"s{number:03}", "at": at, "state": "setting", "op": op, **named},
            {"id": f"s{number:03}", "at": at, "state": "set"},
        ]
    run = {"plan": "4f2a", "host": "EX01", "started": "2026-11-02T09:00:00Z", "mode": "replay"}
    return {**run, "operator": "anna", "steps": lines, **other}


def made_by(place, setting, after, *bodies, before=None):
    """The step that made a change."""
    action = "removed" if after is None else "added" if before is None else "changed"
    change = Change(*place, setting, action, before, after, not_before=BEGIN)
    found = maker(change, SEEN, done_steps(bodies))
    return found.id if found else None


def test_each_parameter_of_one_call_is_a_change_of_its_own():
    """A call that takes several parameters together is the step of each of them."""
    values = {"ExternalHostname": "mail.contoso.com", "SSLOffloading": "False"}
    run = body(("set", *ANYWHERE, "ExternalHostname, SSLOffloading", values))
    assert made_by(ANYWHERE, "SSLOffloading", False, run, before=True) == "s001"
    assert made_by(ANYWHERE, "ExternalHostname", "mail.contoso.com", run) == "s001"
    assert made_by(ANYWHERE, "ExternalHostname", "evil.contoso.com", run) is None
    assert made_by(ANYWHERE, "InternalHostname", "mail.contoso.com", run) is None


def test_a_directory_that_was_made_anew_is_its_steps():
    """Of what New- and Set- named all must be so; what nobody named came along."""
    run = body(
        ("new", *OWA, None, {"Path": "C:\\owa"}), ("set", *OWA, "ExternalUrl", {"ExternalUrl": "u"})
    )
    whole = {"Path": "C:\\owa", "ExternalUrl": "u", "LogonFormat": "FullDomain"}
    assert made_by(OWA, None, whole, run) == "s002"
    assert made_by(OWA, None, {**whole, "ExternalUrl": "x"}, run) is None
    only_set = body(("set", *OWA, "ExternalUrl", {"ExternalUrl": "u"}))
    assert made_by(OWA, None, whole, only_set) is None


def test_a_section_that_came_is_the_steps_of_its_attributes():
    """All that stands in it was set, and nothing besides."""
    run = body(("attribute", *ACCESS, "sslFlags", {"sslFlags": "Ssl"}))
    assert made_by(ACCESS, None, {"sslFlags": ["Ssl"]}, run) == "s001"
    assert made_by(ACCESS, None, {"sslFlags": ["Ssl"], "x": True}, run) is None


def test_an_element_that_came_is_the_steps_that_added_it():
    """With its keys, its attributes and the elements below it."""
    header = "customHeaders.[name='X-Frame-Options']"
    after = {"name": "X-Frame-Options", "value": "DENY"}
    run = body(("add", *HEADERS, header, {"value": "DENY"}))
    assert made_by(HEADERS, header, after, run) == "s001"
    assert made_by(HEADERS, None, {f"{header}.value": "DENY"}, run) == "s001"
    assert made_by(HEADERS, header, {**after, "value": "ALLOW"}, run) is None
    assert made_by(HEADERS, header, {**after, "more": "x"}, run) is None
    other = header.replace("Frame", "Powered")
    assert made_by(HEADERS, None, {f"{other}.value": "DENY"}, run) is None
    rule = body(
        ("add", *RULES, "[name='Q']", {}), ("attribute", *RULES, "[name='Q']", {"url": "z"})
    )
    assert made_by(RULES, "[name='Q']", {"name": "Q", "match": {"url": "z"}}, rule) == "s002"
    assert made_by(RULES, "[name='Q']", {"name": "Q", "match": {"url": "evil"}}, rule) is None


def test_an_element_with_no_more_than_its_key_is_the_step_that_added_it():
    """The setting's name says all of it."""
    provider = "providers.[value='NTLM']"
    run = body(("add", *ACCESS, provider, {}))
    assert made_by(ACCESS, provider, {"value": "NTLM"}, run) == "s001"
    assert made_by(ACCESS, None, {provider: {"value": "NTLM"}}, run) == "s001"
    gone = body(("remove", *ACCESS, provider, {}))
    assert made_by(ACCESS, provider, {"value": "NTLM"}, gone) is None
    assert made_by(ACCESS, provider, None, gone, before={"value": "NTLM"}) == "s001"
    basic = "providers.[value='Basic']"
    assert made_by(ACCESS, None, {basic: {"value": "Basic"}}, run) is None


def test_what_went_is_the_step_that_took_it_away():
    """An attribute, an element, or all of a resource."""
    cleared = body(("attribute", *ACCESS, "sslFlags", {"sslFlags": None}))
    assert made_by(ACCESS, "sslFlags", None, cleared, before=["Ssl"]) == "s001"
    assert made_by(ACCESS, None, None, cleared, before={"sslFlags": ["Ssl"]}) == "s001"
    more = {"sslFlags": ["Ssl"], "x": True}
    assert made_by(ACCESS, None, None, cleared, before=more) is None
    taken = body(("remove", *ACCESS, None, {"sslFlags": None}))
    assert made_by(ACCESS, None, None, taken, before={"sslFlags": ["Ssl"]}) == "s001"
    kept = body(("attribute", *ACCESS, "sslFlags", {"sslFlags": "Ssl"}))
    assert made_by(ACCESS, "sslFlags", None, kept, before=["Ssl"]) is None


def test_the_case_of_a_resource_does_not_count():
    """Exchange, IIS and Windows have none."""
    run = body(("attribute", ACCESS[0], ACCESS[1].upper(), "sslFlags", {"sslFlags": "Ssl"}))
    assert made_by(ACCESS, "sslFlags", ["Ssl"], run, before=[]) == "s001"


def test_of_several_runs_the_last_counts():
    """Whatever an earlier one set."""
    first = body(("attribute", *ACCESS, "sslFlags", {"sslFlags": "Ssl"}))
    second = body(
        ("attribute", *ACCESS, "sslFlags", {"sslFlags": "None"}), started="2026-11-02T09:00:30Z"
    )
    for line in second["steps"]:
        line["at"] = "2026-11-02T09:00:31Z"
    assert made_by(ACCESS, "sslFlags", ["Ssl"], first, second, before=[]) is None
    assert made_by(ACCESS, "sslFlags", [], second, first, before=["Ssl"]) == "s001"
