"""A wrong catalogue file is an error that says file, field and what is expected."""

from __future__ import annotations

import pytest

from changelog_tracker import catalogue
from changelog_tracker.catalogue.noise import read_rules
from changelog_tracker.errors import CatalogueError

HEAD = """\
source = "a page"
scope = "server"
read = "Get-PopSettings"
write = "Set-PopSettings"
[fields]
"""


def write_noun(folder, text, name="PopSettings"):
    (folder / "resources").mkdir(exist_ok=True)
    (folder / "resources" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + 'LoginType = { kind = "txt" }',
            (
                "PopSettings.toml: field LoginType has kind 'txt'; expected one of bool, whole, "
                "text, enum, uri, set, list, size, duration, secret, object"
            ),
        ),
        (
            HEAD + 'LoginType = { kind = "text", kept_in = "cloud" }',
            (
                "PopSettings.toml: field LoginType has kept_in 'cloud'; expected one of directory, "
                "metabase, file"
            ),
        ),
        (
            HEAD + "LoginType = { }",
            "PopSettings.toml: field LoginType has no kind; expected a text",
        ),
        (
            HEAD + 'LoginType = { kind = "text", versions = ["2003"] }',
            (
                "PopSettings.toml: field LoginType has versions '2003'; expected one of 2010, "
                "2013, 2016, 2019, SE"
            ),
        ),
        (
            HEAD + 'LoginType = { kind = "text", mirrors = "sslFlags" }',
            (
                "PopSettings.toml: field LoginType has mirrors 'sslFlags'; "
                "expected 'SECTION : ATTRIBUTE'"
            ),
        ),
        (
            HEAD + 'LoginType = "text"',
            "PopSettings.toml: fields.LoginType 'text'; expected a table in braces",
        ),
        (
            HEAD + 'LoginType = { kind = "text", unset = 1 }',
            "PopSettings.toml: field LoginType has unset 1; expected true or false",
        ),
        (
            HEAD.replace('"Get-PopSettings"', "1"),
            "PopSettings.toml: read 1; expected a text",
        ),
        (HEAD.replace('scope = "server"\n', ""), "PopSettings.toml: no scope; expected a text"),
        ('secrets = "x"\n' + HEAD, "PopSettings.toml: secrets 'x'; expected a list of texts"),
    ],
)
def test_a_wrong_noun_is_named(tmp_path, text, message):
    """An error of a resource file says file, field and what is expected."""
    with pytest.raises(CatalogueError) as caught:
        catalogue.read_nouns(write_noun(tmp_path, text))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1\n" + HEAD, "PopSettings.toml: there is the key 'colour'; expected one of"),
        (
            HEAD + 'LoginType = { kind = "text", defualt = 1 }',
            "PopSettings.toml: field LoginType has the key 'defualt'; expected one of kind,",
        ),
        ("scope = [", "PopSettings.toml: no TOML: "),
    ],
)
def test_a_key_that_nobody_reads_is_named(tmp_path, text, message):
    """A misspelt key and what is no TOML are errors too."""
    with pytest.raises(CatalogueError) as caught:
        catalogue.read_nouns(write_noun(tmp_path, text))
    assert str(caught.value).startswith(message)


def test_a_wrong_rule_of_noise_is_named(tmp_path):
    """An error of noise.toml says which rule."""
    path = tmp_path / "noise.toml"
    path.write_text('[[rule]]\nname = "a"\nwhy = "b"\npattern = "("\n', encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"noise\.toml: rule 1 has pattern '\('"):
        read_rules(path)
