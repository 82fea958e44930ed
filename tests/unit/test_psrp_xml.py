"""What is true of putting a session's objects into one CLIXML document."""

from __future__ import annotations

import pytest

from changelog_tracker.catalogue.reading import queries
from changelog_tracker.catalogue.rights import read_rights, rights
from changelog_tracker.catalogue.shapes import VERSIONS
from changelog_tracker.collect.psrp_xml import document, properties, read_object
from changelog_tracker.errors import CatalogueError, DamagedAnswerError
from changelog_tracker.parse.clixml import parse_clixml
from changelog_tracker.parse.xml import read_xml

TWICE = (
    '<Obj RefId="0"><TN RefId="0"><T>A</T></TN><MS><Obj N="x" RefId="1"><TN RefId="1"><T>L</T></TN>'
    '<LST><S>one_x000D__x000A_</S></LST></Obj><Ref N="y" RefId="1" />'
    '<Obj N="z" RefId="2"><TNRef RefId="1" /><LST /></Obj></MS></Obj>'
)


def test_references_go_on_from_one_object_to_the_next():
    data = document([TWICE, "<S>text</S>", TWICE], "EX01")
    assert data.decode() == (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">\n'
        f"{TWICE}\n<S>text</S>\n"
        '<Obj RefId="3"><TN RefId="2"><T>A</T></TN><MS><Obj N="x" RefId="4"><TN RefId="3"><T>L</T>'
        '</TN><LST><S>one_x000D__x000A_</S></LST></Obj><Ref N="y" RefId="4" />'
        '<Obj N="z" RefId="5"><TNRef RefId="3" /><LST /></Obj></MS></Obj>\n</Objs>'
    )
    first, _, last = parse_clixml(read_xml(data, "EX01"), "EX01")
    assert [one.members["y"] is one.members["x"] for one in (first, last)] == [True, True]
    assert [one.members["z"].types for one in (first, last)] == [("L",), ("L",)]


def test_no_object_is_a_document_too():
    assert parse_clixml(read_xml(document([], "EX01"), "EX01"), "EX01") == []


@pytest.mark.parametrize(
    "text", ["</Objs>", "<S>cut", "", "<!DOCTYPE S [<!ENTITY a 'a'>]><S>&a;</S>", "<S/><S/>"]
)
def test_what_is_no_object_is_a_damaged_answer(text):
    with pytest.raises(DamagedAnswerError):
        document([text], "EX01")


def test_objects_without_end_are_a_damaged_answer():
    deep = '<Obj RefId="0">' * 50_000 + "</Obj>" * 50_000
    with pytest.raises(DamagedAnswerError):
        document([deep], "EX01")


def test_properties_are_told_by_name():
    text = (
        '<Obj RefId="0"><Props><S N="Name">n</S><Nil N="None" /><B N="On">true</B></Props><MS>'
        '<Obj N="Kind" RefId="1"><ToString>Verbose</ToString><I32>1</I32></Obj>'
        '<Obj N="List" RefId="2"><LST><S>a</S><S>b</S></LST></Obj></MS></Obj>'
    )
    told = properties(read_object(text, "EX01"))
    assert told == {"Name": "n", "On": "true", "Kind": "Verbose", "List": ["a", "b"]}


def test_every_cmdlet_that_is_called_has_a_right():
    called = {one.cmdlet for version in VERSIONS for one in queries(version, "EX01")}
    assert called | {"Search-AdminAuditLog"} == set(rights())


def test_a_right_with_an_unknown_key_is_refused(tmp_path):
    file = tmp_path / "rights.toml"
    file.write_text('[[right]]\nrole = "x"\nwho = "me"\n', "utf-8")
    with pytest.raises(CatalogueError, match="missing or unknown keys"):
        read_rights(file)
