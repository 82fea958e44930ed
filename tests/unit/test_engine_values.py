"""The fixed text of replay.ps1: when two values are the same, and what its journal gives back."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from importlib import resources
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PWSH = shutil.which("pwsh")
pytestmark = [
    pytest.mark.pwsh,
    pytest.mark.skipif(PWSH is None, reason="no pwsh on PATH"),
]

PARTS = ("05-session", "10-values", "20-journal", "25-journal-read", "50-iis-read")

# What Get- shows, what is wanted, and whether that is the same: of properties of Exchange.
SHELL = [
    ("bool", True, True, True),
    ("bool", "True", True, True),
    ("bool", "false", False, True),
    ("bool", None, False, False),
    ("bool", False, True, False),
    ("whole", "5000", 5000, True),
    ("whole", " 5000 ", 5000, True),
    ("whole", "Unlimited", "unlimited", True),
    ("whole", 1, 10, False),
    ("whole", None, None, True),
    ("text", "", None, True),
    ("text", "a", "A", False),
    ("text", " a", "a", False),
    ("text", "a\u200bb", "ab", False),
    ("text", "a\u0301", "\u00e1", False),
    ("text", ["a", "b"], ["a", "b"], True),
    ("uri", "https://mail.contoso.com/owa", "https://mail.contoso.com/owa ", True),
    ("uri", None, "", True),
    ("uri", "https://mail.contoso.com/owa", "https://mail.contoso.com/OWA", False),
    ("enum", "fulldomain", "FullDomain", True),
    ("enum", None, "", True),
    ("enum", "UserName", "FullDomain", False),
    ("set", ["Ntlm", "BASIC"], ["Basic", "Ntlm"], True),
    ("set", None, [], True),
    ("set", [], None, True),
    ("set", ["a", "a"], ["a"], True),
    ("set", ["a"], ["a", "b"], False),
    ("set", "a", ["a"], True),
    ("set", "None", [], True),
    ("set", "Proxy, AllowDotlessSPN", ["AllowDotlessSPN", "Proxy"], True),
    ("set", ["CN=a,DC=b"], ["CN=a", "DC=b"], False),
    ("list", ["a", "b"], ["a", "b"], True),
    ("list", ["b", "a"], ["a", "b"], False),
    ("list", None, [], True),
    ("size", "10 MB (10,485,760 bytes)", 10_485_760, True),
    ("size", "10 MB (10.485.760 Bytes)", 10_485_760, True),
    ("size", "10 MB (10\u202f485\u202f760 bytes)", 10_485_760, True),
    ("size", "10MB", 10_485_760, True),
    ("size", "10 MB", 10_485_761, False),
    ("size", "Unlimited", "Unlimited", True),
    ("size", "0 B (0 bytes)", 0, True),
    ("duration", "1.00:00:00", "1.00:00:00", True),
    ("duration", "24:00:00", "1.00:00:00", False),
    ("duration", "00:30:00", "00:30:00.0000000", True),
    ("duration", "00:30:00", "00:30:01", False),
    ("object", "a", "a", True),
    ("object", None, "", True),
]
# The same of attributes in a file, where nothing there is not the same as nothing in it.
FILE = [
    ("flags", "Ssl, Ssl128", "Ssl128,Ssl", True),
    ("flags", "None", "", True),
    ("flags", None, "None", False),
    ("flags", "Ssl", "Ssl,Ssl128", False),
    ("bool", "True", "true", True),
    ("bool", None, "false", False),
    ("int", "030", "30", True),
    ("int", "30", "31", False),
    ("int", "4294967295", "4294967295", True),
    ("timeSpan", "01:00:00", "1:00:00", True),
    ("timeSpan", "01:00:00", "01:00:01", False),
    ("enum", "require", "Require", True),
    ("text", "a", "A", False),
    ("text", "", None, False),
    ("text", None, None, True),
    ("text", "a\u00adb", "ab", False),
]
# Exchange writes an address in its own way, so what was set may read back otherwise.
NEAR = [
    ("uri", "https://mail.contoso.com/", "https://mail.contoso.com", True),
    ("uri", "https://mail.contoso.com/owa", "https://MAIL.contoso.com/owa", True),
    ("uri", "https://mail.contoso.com/owa", "https://mail.contoso.com/ecp", False),
    ("uri", "not an address", "https://mail.contoso.com/ecp", False),
    ("text", "https://mail.contoso.com/", "https://mail.contoso.com", False),
]
HOSTILE = [
    "",
    " ",
    "  two  ",
    "</value><value name='x'>",
    "\\u0041",
    "\\\\server\\share",
    "a\r\nb\tc\0d",
    "\u2018quote\u2019 \u201cdouble\u201d",
    "\"&'<>]]>",
    "\u202e\ufeff\u2028",
    "\U0001f600",
    "$(calc) `n %windir%",
    "Z\u00fcrich",
]
SCRIPT = r"""
$job = [IO.File]::ReadAllText($args[0]) | ConvertFrom-Json
$Plan = @{ Id = 'p'; Server = 'EX01'; Target = 'EX01'; Mode = 'replay'; Program = 'x' }
$answers = @{ same = @(); values = @(); shown = @() }
foreach ($case in $job.cases) {
    $step = @{ Owner = $case.owner }
    $goal = @{ Kind = $case.kind }
    if ($case.near) { $answers.same += Test-Near $step $goal $case.found $case.wanted }
    else { $answers.same += Test-Same $step $goal $case.found $case.wanted }
}
Open-Journal $args[1]
foreach ($one in $job.values) {
    $step = @{ Id = 's' + $one.at; Op = 'set'; Owner = 'iis'; Setting = $one.text }
    $step['ResourceKind'] = $step['Resource'] = $one.text
    # Numbers of JSON may come as fractions.
    foreach ($side in 'found', 'wanted') {
        if ($one.$side -is [double]) { $one.$side = [long]$one.$side }
    }
    $step['Goals'] = @(@{ Name = 'N'; Kind = 'text'; Wanted = $one.wanted })
    Add-JournalSetting $step @{ N = $one.found } $one.text
}
Close-Journal 0
$read = Read-Journal $args[1]
foreach ($one in $job.values) {
    $back = $read['Records']['s' + $one.at]['Values']['N']
    $answers.values += @{ found = $back['Found']; wanted = $back['Wanted'] }
}
foreach ($one in $job.values) { $answers.shown += Get-Visible $one.text }
[IO.File]::WriteAllText($args[2], (ConvertTo-Json $answers -Depth 5))
"""


def hostile_texts() -> list[str]:
    """Give HOSTILE and, always the same, two hundred texts of what has a meaning somewhere."""
    chance = random.Random(1)
    alphabet = "\\u0041<>&'\"\r\n\t\0 \u2019\u202e\u0301\U0001f600az"
    made = ["".join(chance.choices(alphabet, k=chance.randrange(1, 30))) for _ in range(200)]
    return [*HOSTILE, *made]


def cases() -> list[dict[str, object]]:
    tables = ((SHELL, "shell", False), (FILE, "iis", False), (NEAR, "shell", True))
    return [
        {"owner": owner, "kind": kind, "found": found, "wanted": wanted, "near": near}
        for table, owner, near in tables
        for kind, found, wanted, _ in table
    ]


def values() -> list[dict[str, object]]:
    texts = hostile_texts()
    pairs: list[tuple[object, object]] = [(text, text[::-1]) for text in texts]
    pairs += [(None, "a"), (True, None), (False, True), (7, -1), (2**40, "Unlimited")]
    pairs += [([], ["a"]), ([""], []), ([" ", "a"], None), (None, texts[:12]), (texts[:12], "a")]
    return [
        {"at": at, "text": texts[at % len(texts)], "found": found, "wanted": wanted}
        for at, (found, wanted) in enumerate(pairs)
    ]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[object]], bytes]:
    """Run the engine's own functions once over everything; what they say, and the journal."""
    folder: Path = tmp_path_factory.mktemp("engine")
    engine = resources.files("changelog_tracker.replay") / "scripts"
    text = "\n".join((engine / f"{part}.ps1").read_text("ascii") for part in PARTS)
    (folder / "run.ps1").write_text(text + SCRIPT, "ascii")
    job = {"cases": cases(), "values": values()}
    (folder / "job.json").write_text(json.dumps(job), "ascii")
    names = ("run.ps1", "job.json", "a.journal", "out.json")
    paths = [str(folder / name) for name in names]
    command = [str(PWSH), "-NoProfile", "-NonInteractive", "-File", *paths]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=120, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    answers = json.loads((folder / "out.json").read_text("utf-8"))
    return answers, (folder / "a.journal").read_bytes()


def test_two_values_are_the_same_as_the_tables_say(ran):
    """Each kind compares as Exchange or IIS means it, and nothing invisible is overlooked."""
    expected = [case[3] for table in (SHELL, FILE, NEAR) for case in table]
    told = ran[0]["same"]
    wrong = [
        (case, got) for case, got, want in zip(cases(), told, expected, strict=True) if got != want
    ]
    assert wrong == []


def test_the_journal_gives_back_every_value_that_it_took(ran):
    """Nothing, truths, numbers, hostile texts and lists come back as they were, both sides."""
    expected = [{"found": one["found"], "wanted": one["wanted"]} for one in values()]
    assert ran[0]["values"] == expected


def test_the_journal_is_printable_ascii_with_one_element_a_line(ran):
    """Whatever was captured, no line of the journal breaks and none holds another character."""
    lines = ran[1].decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert [line for line in lines if not line.isprintable()] == []
    assert [line[:5] for line in lines] == ["<run ", *["<step"] * len(values()), "<end "]


def test_what_is_shown_cannot_steer_a_console(ran):
    """Control, format and separator characters are shown by number, letters as they are."""
    shown = [str(one) for one in ran[0]["shown"]]
    assert [one for one in shown if not one.isprintable()] == []
    assert shown[HOSTILE.index("Z\u00fcrich")] == "Z\u00fcrich"
    assert shown[HOSTILE.index("\u202e\ufeff\u2028")] == "\\u202e\\ufeff\\u2028"
