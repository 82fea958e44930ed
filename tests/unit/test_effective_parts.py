"""What `show --effective` is made of: names of files, places, the turns of one element."""

from __future__ import annotations

import pytest

from changelog_tracker.model import Node
from changelog_tracker.parse.xml import node, read_xml
from changelog_tracker.pipeline.effective.locks import Lock
from changelog_tracker.pipeline.effective.pieces import in_turn
from changelog_tracker.pipeline.effective.places import Places, file_names, nodes

EXCHANGE = "C:/Program Files/Microsoft/Exchange Server/V15"


@pytest.mark.parametrize(
    ("path", "install_path", "name"),
    [
        (f"{EXCHANGE}/FrontEnd/x", EXCHANGE, "%ExchangeInstallPath%/FrontEnd/x"),
        (f"{EXCHANGE.upper()}/FrontEnd/x", EXCHANGE, "%ExchangeInstallPath%/FrontEnd/x"),
        ("%ExchangeInstallPath%/FrontEnd/x", None, "%ExchangeInstallPath%/FrontEnd/x"),
        ("%exchangeinstallpath%FrontEnd/x", "D:/E", "%ExchangeInstallPath%/FrontEnd/x"),
        ("D:/Exchange/ClientAccess/x", None, "%ExchangeInstallPath%/ClientAccess/x"),
        ("%ProgramFiles%/Microsoft/x", EXCHANGE, "C:/Program Files/Microsoft/x"),
        ("%SystemDrive%/inetpub/x", EXCHANGE, "C:/inetpub/x"),
        ("%windir%/System32/x", EXCHANGE, "%windir%/System32/x"),
        ("%SystemRoot%/System32/x", EXCHANGE, "%windir%/System32/x"),
        ("C:/Windows/System32/x", EXCHANGE, "%windir%/System32/x"),
        ("C:/a/D/x", None, "C:/a/D/x"),
        ("//share/folder/x", EXCHANGE, "//share/folder/x"),
    ],
)
def test_a_folder_is_named_as_its_file_is(path, install_path, name):
    """However applicationHost.config writes a folder, it is the file that was read from it."""
    assert next(file_names(path, install_path, [])) == name


def test_a_drive_that_is_known_is_tried_too():
    """%SystemDrive% is C, or a drive of which files were read."""
    names = list(file_names("%SystemDrive%/x", None, ["E", "C"]))
    assert names == ["C:/x", "E:/x"]


def test_a_place_inherits_from_its_site_down():
    """The steps of a path; the server level has none of its own."""
    assert nodes("Site/a/b") == ["Site", "Site/a", "Site/a/b"]
    assert nodes("MACHINE/WEBROOT/APPHOST") == nodes("") == []


def test_a_path_without_end_has_few_steps():
    """A path of a hostile file costs no more than its length."""
    found = nodes("Site" + "/a" * 200_000)
    assert (len(found), len(found[-1])) == (101, 400_004)


def test_a_folder_is_that_of_the_nearest_directory():
    """A path below a virtual directory lies in its folder; without a directory there is none."""
    places = Places()
    for name, path in (("Site/", "C:\\root\\"), ("Site/a/", "D:\\a")):
        directory = Node("virtualDirectory", {"physicalPath": path}, [], "", 0)
        places.add("IisVirtualDirectory", name, directory, [])
    assert [places.folder(place) for place in ("Site", "site/A/b/c", "Site/x", "Other")] == [
        "C:/root",
        "D:/a/b/c",
        "C:/root/x",
        None,
    ]


def test_an_application_is_the_nearest_one():
    """A place belongs to the application with the longest path; the server to none."""
    places = Places()
    for name in ("Site/", "Site/owa"):
        places.add("IisApplication", name, Node("application", {}, [], "", 0), [])
    found = [places.application_of(place) for place in ("", "site", "Site/x", "SITE/owa/auth")]
    assert found == ["", "site", "site", "site/owa"]


@pytest.mark.parametrize(
    ("defaults", "own", "folder"),
    [
        ({}, {}, "C:/root/x"),
        ({"allowSubDirConfig": "false"}, {}, None),
        ({"allowSubDirConfig": "false"}, {"allowSubDirConfig": "true"}, "C:/root/x"),
    ],
)
def test_defaults_of_directories_count_where_one_says_nothing(defaults, own, folder):
    """<virtualDirectoryDefaults> says whether files of folders below count."""
    places = Places()
    above = Node("site", {}, [Node("virtualDirectoryDefaults", defaults, [], "", 0)], "", 0)
    directory = Node("virtualDirectory", {"physicalPath": "C:\\root", **own}, [], "", 0)
    places.add("IisVirtualDirectory", "Site/", directory, [above])
    assert places.folder("Site/x") == folder


def turns(text, facts=None):
    return [
        [child.attributes.get("n", child.tag) for child in one.children]
        for one in in_turn(node(read_xml(text, "test")), facts)
    ]


def test_each_directive_is_a_turn_of_its_own():
    """What stands before and behind <clear> and <remove> is told before and behind."""
    text = b'<s><add n="1"/><add n="2"/><clear/><add n="3"/><remove n="r"/></s>'
    assert turns(text) == [["1", "2"], ["clear"], ["3"], ["r"]]


def test_an_element_that_stands_once_is_split_with_its_directives():
    """Only elements that stand once are split: one of a collection is taken as a whole."""
    text = b'<s><files><clear/><add n="1"/></files><rule n="x"><clear/></rule></s>'
    facts = {"elements": {"files": {}}, "collections": [{"add": "rule", "item": {}}]}
    assert turns(text, facts) == [["files"], ["files"], ["files", "x"]]


def test_attributes_are_told_in_the_first_turn():
    """The element's own attributes and text belong to its first turn, with its own line."""
    first, second = in_turn(node(read_xml(b'<s a="1">\n<clear/></s>', "test")), None)
    assert (first.attributes, first.line, second.attributes, second.line) == ({"a": "1"}, 1, {}, 2)


@pytest.mark.parametrize(
    ("names", "is_except", "held"),
    [
        ({"a", "b"}, False, ["a", "b"]),
        ({"*"}, False, ["a", "b", "c"]),
        ({"a"}, True, ["b", "c"]),
        (set(), True, ["a", "b", "c"]),
    ],
)
def test_a_lock_holds_what_it_names_or_all_others(names, is_except, held):
    """lockAttributes names what is locked, lockAllAttributesExcept what is not."""
    lock = Lock("", "file:1", "attributes", frozenset(names), is_except)
    assert [name for name in "abc" if lock.holds("attributes", name)] == held
    assert not lock.holds("elements", "a")
