"""What breaks its kind: named as a possible compromise, and never put back."""

from __future__ import annotations

import dataclasses

import pytest

from changelog_tracker.model import Change
from changelog_tracker.replay import hostile
from changelog_tracker.replay.commands import Context, redo, undo

EX01 = Context("EX01", "2019")


@pytest.mark.parametrize(
    ("kind", "setting", "value", "field_kind"),
    [
        ("OabVirtualDirectory", "ExternalUrl", "http://f/<script runat=server>", "uri"),
        ("OabVirtualDirectory", "ExternalUrl", "http://f/%3Cscript%3E", "uri"),
        ("OabVirtualDirectory", "ExternalUrl", "javascript:alert(1)", "uri"),
        ("OabVirtualDirectory", "ExternalUrl", "file://mail.contoso.com/x", "uri"),
        ("OabVirtualDirectory", "ExternalUrl", "https://mail.contoso.com/o'ab", "uri"),
        ("OabVirtualDirectory", "ExternalUrl", "https://mail.contoso.com/o\u2019ab", "uri"),
        ("OabVirtualDirectory", "ExternalUrl", "https://mail.contoso.com/o ab", "uri"),
        ("PopSettings", "Banner", "<SCRIPT src=x>", "text"),
        ("OwaVirtualDirectory", "LogonFormat", "Full\nDomain", "enum"),
        ("IisVirtualDirectory", "physicalPath", "\\\\evil\\share", None),
        ("IisVirtualDirectory", None, {"physicalPath": "//evil/share"}, None),
        ("IisSection", "[name='x'].image", "C:\\inetpub\\x.dll", None),
        ("IisSection", "[name='x']", {"scriptProcessor": "%windir%\\Temp\\x.dll"}, None),
        ("IisSection", "[name='x'].image", "%windir%\\System32\\..\\Temp\\x.dll", None),
        ("IisSection", "[name='x\u202e'].enabled", True, None),
        ("IisSection", "destination", "javascript:alert(1)", None),
    ],
)  # fmt: skip
def test_what_breaks_its_kind_is_named_as_a_possible_compromise(kind, setting, value, field_kind):
    """The traces of attacks are never put back, and the sentence does not repeat them."""
    why = hostile.breaks_kind(kind, setting, value, field_kind)
    assert why is not None
    assert why.startswith("possible compromise: ")
    of = Change(kind, "owa (Default Web Site)", setting, "added", None, value)
    assert redo(of, EX01).text is None


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("[path='C:\\Temp\\x.dll'].allowed", True, "system.webServer/security/isapiCgiRestriction"),
        ("[name='x'].path", "D:\\x.dll", "system.webServer/isapiFilters"),
        ("[name='x'].type", "Evil.Handler", "system.webServer/handlers"),
        ("[name='x']", {"type": "Evil.Module, App_Code"}, "system.webServer/modules"),
    ],
)
def test_foreign_code_in_iis_is_known_by_its_section(setting, value, name):
    """A path or a type that loads code counts where the section says that it does."""
    of = Change("IisSection", f"Default Web Site : {name}", setting, "added", None, value)
    why = redo(of, EX01).why_not
    assert why is not None
    assert why.startswith("possible compromise: ")


@pytest.mark.parametrize(
    ("kind", "setting", "value", "field_kind", "name"),
    [
        ("OwaVirtualDirectory", "ExternalUrl", "https://mail.contoso.com:8443/?a=b", "uri", None),
        ("OwaVirtualDirectory", "ExternalUrl", "", "uri", None),
        ("OwaVirtualDirectory", "ExternalUrl", None, "uri", None),
        ("PopSettings", "Banner", "Ready;\r\n<b>go</b>", "text", None),
        ("IisVirtualDirectory", "physicalPath", "%SystemDrive%\\inetpub\\wwwroot", None, None),
        ("IisSection", "destination", "https://mail.contoso.com/owa$S$Q", None, None),
        ("IisSection", "[name='h'].path", "*.dll", None, "system.webServer/handlers"),
        ("IisSection", "[name='m']", {"image": "%SystemRoot%\\system32\\inetsrv\\rewrite.dll"},
         None, "system.webServer/globalModules"),
        ("IisSection", "[name='m'].image",
         "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\FrontEnd\\HttpProxy\\bin\\exppw.dll",
         None, "system.webServer/globalModules"),
        ("IisSection", "denyStrings.[string='<script']", {}, None,
         "system.webServer/security/requestFiltering"),
    ],
)  # fmt: skip
def test_what_is_of_its_kind_is_no_compromise(kind, setting, value, field_kind, name):
    """An alarm without a cause would be read once."""
    assert hostile.breaks_kind(kind, setting, value, field_kind, name) is None


def test_a_hostile_value_can_be_taken_away():
    """The undo of an attack is a line; only its redo is refused."""
    resource = "OAB (Default Web Site)"
    of = Change("OabVirtualDirectory", resource, "ExternalUrl", "added", None, "http://f/<")
    assert redo(of, EX01).why_not == (
        "possible compromise: a URL with a script or with characters that no URL has;"
        " it is never put back by a command"
    )
    assert undo(of, EX01).text == (
        "Set-OabVirtualDirectory -Identity 'EX01\\OAB (Default Web Site)' -ExternalUrl $null"
    )


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "<script>", "a\0"], ids=ascii)
def test_a_hostile_name_of_a_server_or_resource_has_no_command(name):
    """What cannot be seen in a name could be read as another name."""
    of = Change("OwaVirtualDirectory", "owa", "DefaultDomain", "changed", "a", "b")
    why = "possible compromise: a control character or a tag in a name"
    for got in (redo(of, Context(name)), redo(dataclasses.replace(of, resource=name), EX01)):
        assert got.text is None
        assert got.why_not.startswith(why)
