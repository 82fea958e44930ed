"""What is a server's own inside a value, and what only looks like it."""

from __future__ import annotations

import pytest

from changelog_tracker.diff.compare import compare
from changelog_tracker.diff.sisters import Sisters
from changelog_tracker.diff.templates import Own, Part, Templates
from changelog_tracker.model import Tree

ONE = Own(
    short="EX1",
    fqdn="ex1.contoso.com",
    install="C:/Program Files/Microsoft/Exchange Server/V15",
    build="15.2.1118.7",
    certificates={"A" * 40: "web", "C" * 40: "only here"},
    sites={"1": "default web site"},
)
TWO = Own(
    short="EX10",
    fqdn="ex10.contoso.com",
    install=r"D:\Exchange\V15",
    build="15.2.986.5",
    certificates={"B" * 40: "web"},
    sites={"3": "default web site"},
)
FQDN, SHORT = Part("fqdn"), Part("short")


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("https://EX1.contoso.com/owa", ("https://", FQDN, "/owa")),
        ("ex1.contoso.com:995:SSL", (FQDN, ":995:SSL")),
        ("EX1", (SHORT,)),
        (r"EX1\owa (Default Web Site)", (SHORT, r"\owa (Default Web Site)")),
        (r"\\EX1\logs", ("\\\\", SHORT, r"\logs")),
        ("CN=EX1,CN=Servers,DC=contoso", ("CN=", SHORT, ",CN=Servers,DC=contoso")),
        ("http://ex1/powershell", ("http://", SHORT, "/powershell")),
        ("[name='EX1'].value", ("[name='", SHORT, "'].value")),
        ("IIS://ex1.contoso.com/W3SVC/1/ROOT", None),
        ("a" * 40, (Part("certificate", "web"),)),
        (r"C:\Program Files\Microsoft\Exchange Server\V15\bin", (Part("install", "\\"), r"\bin")),
        ("/owa/15.2.1118.7/x", ("/owa/", Part("build"), "/x")),
        # What only holds the letters of a name is no name.
        ("EX10", ("EX10",)),
        ("https://ex10.contoso.com/", ("https://ex10.contoso.com/",)),
        ("https://ex1.contoso.com.evil.net/", ("https://ex1.contoso.com.evil.net/",)),
        ("https://my-ex1.contoso.com/", ("https://my-ex1.contoso.com/",)),
        ("https://ex1.fabrikam.com/", ("https://ex1.fabrikam.com/",)),
        ("CN=EX1-Old", ("CN=EX1-Old",)),
        ("the EX1 server", ("the EX1 server",)),
        ("15.2.1118.70", ("15.2.1118.70",)),
        ("W3SVC/12/ROOT", ("W3SVC/12/ROOT",)),
        (r"C:\Program Files\Microsoft\Exchange Server\V150", None),
    ],
)
def test_a_name_is_found_where_nothing_else_can_stand(text, template):
    """A name is a whole host, before a backslash, after CN=, or the whole value."""
    if template is None:
        whole = {
            "I": ("IIS://", FQDN, "/W3SVC/", Part("site", "default web site"), "/ROOT"),
            "C": (text,),
        }
        template = whole[text[0]]
    assert Templates(ONE).of(text) == template


def test_a_server_mail_is_not_found_in_a_public_name():
    """mail.contoso.com in a URL is the farm's where other servers send clients there."""
    shared = Templates(Own("MAIL", "mail.contoso.com", namespace=True))
    assert shared.of("https://mail.contoso.com/owa") == ("https://mail.contoso.com/owa",)
    assert shared.of("mail.contoso.com:995") == (FQDN, ":995")
    unnamed = Templates(Own("MAIL", "mail.corp.contoso.com"))
    assert unnamed.of("https://mail.contoso.com/owa") == ("https://mail.contoso.com/owa",)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://ex1.contoso.com/owa", "https://ex10.contoso.com/owa"),
        ("EX1.CONTOSO.COM", "EX10.CONTOSO.COM"),
        (
            ["ex1.contoso.com:995:SSL", "127.0.0.1:995"],
            ["ex10.contoso.com:995:SSL", "127.0.0.1:995"],
        ),
        (
            {"path": r"C:\Program Files\Microsoft\Exchange Server\V15\x"},
            {"path": r"D:\Exchange\V15\x"},
        ),
        ("C:/Program Files/Microsoft/Exchange Server/V15/x", "D:/Exchange/V15/x"),
        ("A" * 40, "B" * 40),
        ("LM/W3SVC/1/ROOT", "LM/W3SVC/3/ROOT"),
        ("owa/15.2.1118.7", "owa/15.2.986.5"),
        ({"secret": "0123:EX1"}, {"secret": "0123:EX1"}),
        (True, True),
    ],
)
def test_a_value_becomes_the_other_servers(value, expected):
    """What is one server's own is written as the other's, and the rest stays."""
    templates = Templates(ONE)
    assert templates.untranslatable(value, TWO) is None
    assert templates.translated(value, TWO) == expected


@pytest.mark.parametrize(
    ("value", "other", "why"),
    [
        ("C" * 40, TWO, "a certificate has no counterpart on EX10"),
        (
            "https://ex1.contoso.com/",
            Own("EX10"),
            "the server's full name has no counterpart on EX10",
        ),
        ("LM/W3SVC/1/", Own("EX10"), "a web site has no counterpart on EX10"),
    ],
)
def test_what_has_no_counterpart_cannot_be_written(value, other, why):
    """A part that the other server does not have is named, and stays as it is."""
    assert Templates(ONE).untranslatable(value, other) == why
    assert Templates(ONE).translated(value, other) == value


def test_names_are_no_patterns():
    """A name with characters of a regular expression is itself."""
    templates = Templates(Own("EX(1", r"ex(1.contoso.com", install="C:/a+b (x86)"))
    assert templates.of(r"C:\a+b (x86)\bin") == (Part("install", "\\"), r"\bin")
    assert templates.of("ex(1xcontoso.com") == ("ex(1xcontoso.com",)


def test_trees_keep_their_real_values():
    """Two trees that differ in names only are equal, and hold what stands on each server."""
    both = Sisters(Templates(ONE), Templates(TWO), frozenset({"Hosts"}))
    first, second = (
        Tree(
            values={"Hosts": [f"{name}.contoso.com", "zz"], "Same": 1},
            parts={"log": Tree(values={"path": rf"\\{name}\logs"})},
            items={f"[name='{name}']": Tree(label=f"[name='{name}']", values={"n": name})},
            sequence=[Tree(values={"at": f"https://{name}.contoso.com/"})],
        )
        for name in ("ex1", "ex10")
    )
    wanted, found = both.comparable(first, second)
    assert compare(wanted, found) == []
    assert (wanted.values, found.values) == (first.values, second.values)
    second.parts["log"].values["path"] = r"\\ex10\other"
    (one,) = compare(*both.comparable(first, second))
    assert one == ("log.path", "changed", r"\\ex1\logs", r"\\ex10\other")
