"""Two states of one resource: what differs, typed, setting by setting."""

from __future__ import annotations

import pytest

from changelog_tracker.diff.compare import Difference, comparable_secrets, compare, same, whole
from changelog_tracker.diff.flatten import element_value, flatten, ignored
from changelog_tracker.model import Node, Tree
from changelog_tracker.normalise.iis import iis_tree

APART = [None, "", [], {}, False, 0, "0", "False", "None", ["a"], "a"]
HANDLERS = "system.webServer/handlers"


def section(name, tag, *children, **attributes):
    node = Node(tag, attributes, list(children), "", 0)
    return iis_tree("IisSection", f"Default Web Site/owa : {name}", node)


def add(tag="add", **attributes):
    return Node(tag, attributes, [], "", 0)


def handlers(*names):
    return section(HANDLERS, "handlers", *(add(name=name, path="*") for name in names))


@pytest.mark.parametrize("left", range(len(APART)))
def test_values_of_different_kinds_are_kept_apart(left):
    """Null, the empty string, the empty list, False and 0 are five different values."""
    found = [i for i, value in enumerate(APART) if same(APART[left], value)]
    assert found == [left]


def test_a_value_that_changed_came_or_went():
    """Each attribute is one change; what stands there is told, null where nothing does."""
    before = section("system.webServer/security/access", "access", sslFlags="Ssl", a="1", b="2")
    after = section(
        "system.webServer/security/access", "access", sslFlags="Ssl128,Ssl", a="2", c="3"
    )
    assert compare(before, after) == [
        Difference("sslFlags", "changed", ["Ssl"], ["Ssl", "Ssl128"]),
        Difference("a", "changed", "1", "2"),
        Difference("b", "removed", "2", None),
        Difference("c", "added", None, "3"),
    ]


def test_the_spelling_of_flags_is_no_difference():
    """Flags are a set, names have no case, and a number is its name."""
    name = "system.webServer/security/access"
    spellings = ["Ssl, Ssl128", "ssl128,SSL", "264"]
    trees = [section(name, "access", sslFlags=text) for text in spellings]
    assert [compare(trees[0], tree) for tree in trees] == [[], [], []]


def test_an_element_that_came_is_one_difference():
    """An element is told as one object, with its key."""
    assert compare(handlers("a"), handlers("a", "b")) == [
        Difference("[name='b']", "added", None, {"name": "b", "path": "*"})
    ]
    assert compare(handlers("a", "b"), handlers("a")) == [
        Difference("[name='b']", "removed", {"name": "b", "path": "*"}, None)
    ]


def test_an_order_that_means_something_is_a_difference():
    """Handlers that changed places are one difference, with both orders."""
    assert compare(handlers("a", "b"), handlers("b", "a")) == [
        Difference("(order)", "changed", ["[name='a']", "[name='b']"], ["[name='b']", "[name='a']"])
    ]


def test_an_element_put_in_front_tells_its_place():
    """What is added stands at the end, as appcmd does it; elsewhere the order says where."""
    got = [(d.setting, d.after) for d in compare(handlers("a"), handlers("b", "a"))]
    assert got == [
        ("[name='b']", {"name": "b", "path": "*"}),
        ("(order)", ["[name='b']", "[name='a']"]),
    ]


def test_an_order_that_means_nothing_is_no_difference():
    """Application settings are a set."""
    items = [add(key="a", value="1"), add(key="b", value="2")]
    before = section("appSettings", "appSettings", *items)
    assert compare(before, section("appSettings", "appSettings", *items[::-1])) == []


def test_a_generated_name_is_no_difference():
    """The number in AboMapperCustom-5782 was chosen by nobody; the rest of the handler counts."""
    before, after = handlers("AboMapperCustom-5782"), handlers("AboMapperCustom-17")
    assert compare(before, after) == []
    changed = section(HANDLERS, "handlers", add(name="AboMapperCustom-17", path="*.x"))
    assert compare(before, changed) == [
        Difference("[name='AboMapperCustom-17'].path", "changed", "*", "*.x")
    ]


def test_names_have_no_case_but_where_the_schema_says_so():
    """Keys of application settings are the same in any case; names of handlers are not."""
    settings = [section("appSettings", "appSettings", add(key=k, value="1")) for k in ("a", "A")]
    assert compare(*settings) == []
    got = {(d.setting, d.action) for d in compare(handlers("x"), handlers("X"))}
    assert got == {("[name='x']", "removed"), ("[name='X']", "added")}


def test_what_has_no_key_is_a_sequence():
    """One rule put between two others is one difference, and nothing else moved."""
    name = "system.web/authorization"
    rules = [add("allow", users="a"), add("deny", users="*")]
    before = section(name, "authorization", *rules)
    after = section(name, "authorization", rules[0], add("deny", users="b"), rules[1])
    assert compare(before, after) == [
        Difference("[2]", "added", None, {"users": "b", "(element)": "deny"})
    ]
    changed = section(name, "authorization", rules[0], add("deny", users="?"))
    assert compare(before, changed) == [Difference("[2].users", "changed", "*", "?")]


def test_a_part_that_came_is_told_by_its_settings():
    """An element that stands once has no line of its own."""
    name = "system.webServer/security/authentication/windowsAuthentication"
    before = section(name, "windowsAuthentication", enabled="true")
    protection = add("extendedProtection", tokenChecking="Require", flags="None")
    after = section(name, "windowsAuthentication", protection, enabled="true")
    assert compare(before, after) == [
        Difference("extendedProtection.tokenChecking", "added", None, "Require"),
        Difference("extendedProtection.flags", "added", None, []),
    ]


def test_secrets_of_another_key_are_not_compared():
    """Fingerprints under two keys say nothing of each other; under one they do."""
    old, new, other = ({"secret": text} for text in ("k1:aa", "k1:bb", "k2:aa"))
    trees = [Tree(values={"password": value}) for value in (old, new, other)]
    assert compare(trees[0], trees[1]) == [Difference("password", "changed", old, new)]
    assert compare(trees[0], trees[2]) == []
    assert comparable_secrets(old, new)
    assert not comparable_secrets(old, other)
    assert comparable_secrets(old, "plain")


def test_what_a_rule_ignores_is_not_compared():
    """A setting that a rule names differs without a change, and is listed with its rule."""
    before = Tree(values={"sessionKey": "a", "type": "x"}, ignored={"sessionKey": "session-key"})
    after = Tree(values={"sessionKey": "b", "type": "x"}, ignored={"sessionKey": "session-key"})
    assert compare(before, after) == []
    assert list(flatten(before)) == [("type", "x")]
    assert list(ignored(before)) == [("sessionKey", "a", "session-key")]


def test_what_stands_for_a_value_is_compared_in_its_place():
    """A host name has no case; what is told is as it is written."""
    before = Tree(values={"Host": "EX01"}, compared={"Host": "ex01"})
    after = Tree(values={"Host": "ex01"}, compared={"Host": "ex01"})
    assert compare(before, after) == []


def test_a_resource_that_came_or_went_is_one_difference():
    """The whole resource is one object of its settings."""
    tree = Tree(values={"path": "/owa"}, parts={"limits": Tree(values={"max": 1})})
    settings = {"path": "/owa", "limits.max": 1}
    assert whole(None, tree) == [Difference(None, "added", None, settings)]
    assert whole(tree, None) == [Difference(None, "removed", settings, None)]
    assert whole(None, None) == []


def test_an_element_named_as_an_attribute_is_not_lost():
    """Where both stand, the object of the element tells both."""
    tree = Tree(values={"limit": "1"}, parts={"limit": Tree(values={"max": 2})})
    assert element_value(tree) == {"limit": "1", "(limit)": {"max": 2}}


def test_a_long_list_without_keys_is_compared_in_time():
    """Thousands of equal elements are no reason to look for the best way through them."""
    same, other = Tree(values={"a": "1"}), Tree(values={"a": "2"})
    before = Tree(sequence=[same] * 20_000)
    after = Tree(sequence=[same] * 5 + [other] + [same] * 19_994)
    assert [tuple(one) for one in compare(before, after)] == [("[6].a", "changed", "1", "2")]
    mixed = Tree(sequence=[other, same] * 10_000)
    assert len(compare(before, mixed)) == 10_000
