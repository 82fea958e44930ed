"""PowerShell text: single quotes, [char] codes, and names from the catalogue alone."""

from __future__ import annotations

import pytest

from changelog_tracker.errors import TrackerError
from changelog_tracker.replay import powershell
from changelog_tracker.replay.powershell import UnwritableError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "$null"),
        (True, "$true"),
        (False, "$false"),
        (0, "0"),
        (10_485_760, "10485760"),
        (-1, "(-1)"),
        ("", "''"),
        ("owa", "'owa'"),
        ('$(calc) `n "x"', "'$(calc) `n \"x\"'"),
        ("it's", "'it''s'"),
        ("a\u2019b", "('a' + [char]0x2019 + 'b')"),
        ("\u2018", "('' + [char]0x2018)"),
        ("\u201a\u201b", "('' + [char]0x201a + [char]0x201b)"),
        ("Zürich", "('Z' + [char]0x00fc + 'rich')"),
        ("a\r\nb", "('a' + [char]0x000d + [char]0x000a + 'b')"),
        ("\0", "('' + [char]0x0000)"),
        (
            "\x7f\x85\u2028\u2029",
            "('' + [char]0x007f + [char]0x0085 + [char]0x2028 + [char]0x2029)",
        ),
        ("\u202e\ufeff", "('' + [char]0x202e + [char]0xfeff)"),
        ("\U0001f600", "('' + [char]0xd83d + [char]0xde00)"),
        ("a\ud800", "('a' + [char]0xd800)"),
        ("[char]0x41", "'[char]0x41'"),
        ("--%", "('--' + '%')"),
        ([], "$null"),
        (["a"], "'a'"),
        (["a", "b'", 3], "'a','b''',3"),
        ({"Add": ["a", "b"], "Remove": "c"}, "@{Add='a','b'; Remove='c'}"),
    ],
    ids=ascii,
)
def test_a_value_is_one_constant(value, text):
    """Quotes are doubled, what is not printable ASCII is [char], and the first part a string."""
    assert powershell.literal(value) == text


@pytest.mark.parametrize(
    "value", [1.5, {}, {"Add; calc": "a"}, {"secret": "k:f"}, [["a"]], [None], [True]], ids=ascii
)
def test_what_is_no_constant_is_refused(value):
    """A fraction, a list in a list and a table with other keys have no text."""
    with pytest.raises(UnwritableError):
        powershell.literal(value)


@pytest.mark.parametrize("quote", ["'", "\u2018", "\u2019", "\u201a", "\u201b"], ids=ascii)
def test_each_quote_character_is_doubled(quote):
    """PowerShell knows five, whichever of them opened the string."""
    assert powershell.quoted(f"a{quote}b") == f"'a{quote}{quote}b'"
    assert powershell.quoted(f"a{quote}b", "") == f"'a{quote}b'"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/sslFlags:Ssl,Ssl128", "'/sslFlags:Ssl,Ssl128'"),
        ("/+[fileExtension='.abc']", "'/+[fileExtension=''.abc'']'"),
        ("/path:C:\\a b", "'/path:C:\\a b'"),
        ("/path:C:\\a\\", "'/path:C:\\a\\'"),
        ("/name:Zürich", "('/name:Z' + [char]0x00fc + 'rich')"),
    ],
)
def test_an_argument_of_appcmd_is_one_constant(text, written):
    """As a constant of PowerShell, whatever appcmd's own quotes in it."""
    assert powershell.argument(text) == written


@pytest.mark.parametrize(
    "text", ['a"b', "a\nb", "a\tb", "a\0", "a\x85", "a\ud800", "C:\\a b\\"], ids=ascii
)
def test_what_does_not_reach_appcmd_is_refused(text):
    """A double quote, a control character, and a last backslash where there is a blank too."""
    with pytest.raises(UnwritableError, match="appcmd cannot take"):
        powershell.argument(text)


@pytest.mark.parametrize(
    "name", ["Remove-Item", "Set-OwaVirtualDirectory; calc", "", "\u2013Force"]
)
def test_other_names_than_the_catalogues_are_refused(name):
    """No captured text becomes a cmdlet or a parameter."""
    with pytest.raises(TrackerError, match="catalogue knows"):
        powershell.cmdlet(name)
    with pytest.raises(TrackerError, match="catalogue knows"):
        powershell.parameter(name)
    with pytest.raises(TrackerError, match="none of set config"):
        powershell.appcmd(name, [])


def test_a_call_has_its_names_bare_and_its_values_quoted():
    """A cmdlet, -Parameter value, in the order given."""
    got = powershell.call(
        "Set-OwaVirtualDirectory",
        [("Identity", "EX01\\owa (Default Web Site)"), ("FormsAuthentication", False)],
    )
    assert got == (
        "Set-OwaVirtualDirectory -Identity 'EX01\\owa (Default Web Site)'"
        " -FormsAuthentication $false"
    )
