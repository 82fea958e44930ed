"""Text: drift, diff, settings, snapshots and the catalogue; colour, width, and empty reports."""

from __future__ import annotations

from datetime import timedelta, timezone
from io import StringIO

from changelog_tracker.report import text

PLAIN = {"zone": timezone(timedelta(hours=1)), "colour": False, "width": None}
OWA = {"server": "EX01", "kind": "OwaVirtualDirectory", "resource": "owa (Default Web Site)"}
FORMAT = {
    **OWA,
    "id": "7",
    "seen": "2026-11-20T13:05:00Z",
    "action": "changed",
    "setting": "LogonFormat",
    "class": "customisation",
    "documented": False,
}
UNREAD = {"server": "EX01", "kind": "ImapSettings", "unread": "access denied", "since": None}


def written(write, *given, **options):
    out = StringIO()
    write(*given, out, **options)
    return out.getvalue()


def test_drift_labels_both_sides_and_ends_with_what_it_was_compared_with():
    """Drift says what is wanted and what was found, and what was taken as wanted."""
    line = {**FORMAT, "wanted": "FullDomain", "found": None}
    got = written(text.drift, [line], against="baseline 3", unread=[UNREAD], **PLAIN)
    assert got == (
        "EX01\n"
        "! ~ OwaVirtualDirectory[owa (Default Web Site)].LogonFormat"
        "  wanted FullDomain, found (nothing)  [7] undocumented\n"
        "  ? ImapSettings  never read: access denied\n"
        "compared with baseline 3: 1 difference (1 undocumented), 1 kind not read\n"
    )


def test_no_drift_still_says_what_it_was_compared_with():
    """Silence about what was compared would look like a check that was never made."""
    got = written(text.drift, [], against="factory defaults of 15.2.1544.4", **PLAIN)
    assert got == "compared with factory defaults of 15.2.1544.4: no differences\n"


def test_diff_has_the_older_on_the_left():
    """A diff names both moments and shows before, then after."""
    line = {key: FORMAT[key] for key in FORMAT if key not in ("id", "documented")}
    line |= {"before": "FullDomain", "after": "UserName"}
    got = written(text.diff, [line], between=("snapshot 3", "snapshot 4"), **PLAIN)
    assert got == (
        "before: snapshot 3\n"
        "after:  snapshot 4\n"
        "EX01\n"
        "  ~ OwaVirtualDirectory[owa (Default Web Site)].LogonFormat  FullDomain -> UserName\n"
        "1 difference\n"
    )


def test_show_is_one_line_a_setting():
    """A setting is shown with its value, since when it is so, and where it was read."""
    at = {"at": "2026-11-20T13:05:00Z"}
    lines = [
        {**OWA, **at, "setting": "LogonFormat", "value": "UserName", "since": None, "origin": "a"},
        {**OWA, **at, "setting": "X", "value": [], "since": at["at"], "rule": "timestamps"},
        UNREAD,
    ]
    assert written(text.show, lines, **PLAIN) == (
        "2026-11-20 14:05 +01:00  EX01\n"
        "OwaVirtualDirectory[owa (Default Web Site)].LogonFormat = UserName  from a\n"
        "OwaVirtualDirectory[owa (Default Web Site)].X = (empty list)"
        "  since 2026-11-20 14:05 +01:00  ignored by timestamps\n"
        "  ? ImapSettings  never read: access denied\n"
        "2 settings, 1 kind not read\n"
    )


def test_snapshots_are_a_table():
    """Snapshots stand in columns, numbers to the right, kinds as numbers or as names."""
    line = {"id": "1", "server": "EX01", "at": "2026-11-20T13:05:00Z", "source": "b.zip"}
    lines = [
        {**line, "kinds_read": 44, "kinds_unread": 0, "changes": 0},
        {**line, "id": "12", "kinds_read": ["A"], "kinds_unread": ["B", "C"], "changes": 310},
    ]
    assert written(text.snapshots, lines, **PLAIN) == (
        "ID  AT                       SERVER  READ  NOT READ  CHANGES  SOURCE\n"
        "1   2026-11-20 14:05 +01:00  EX01      44         0        0  b.zip\n"
        "12  2026-11-20 14:05 +01:00  EX01       1         2      310  b.zip\n"
        "2 snapshots\n"
    )


def test_the_catalogue_counts_what_it_covers():
    """The catalogue ends with how many documented writable parameters are tracked."""
    line = {"kind": "OwaVirtualDirectory", "setting": "LogonFormat", "writable": True}
    line |= {"documented": True, "tracked": True, "managed_by": "shell", "kept_in": "directory"}
    assert written(text.catalogue, [{**line, "versions": ["2019"], "default": None}]) == (
        "SETTING                          TRACKED  WRITABLE  MANAGED BY  KEPT IN    DEFAULT    "
        "VERSIONS\n"
        "OwaVirtualDirectory.LogonFormat  true     true      shell       directory  (nothing)  "
        "2019\n"
        "1 setting; 1 of 1 documented writable parameters tracked\n"
    )


def test_an_empty_log_says_so():
    """No changes is an answer."""
    assert written(lambda out, **look: text.log([], [], out, **look), **PLAIN) == "no changes\n"


def test_colour_repeats_the_sign():
    """Without its colours a coloured report is the plain one."""
    line = {**FORMAT, "before": "a", "after": "b"}
    plain = written(text.log, [line], [UNREAD], **PLAIN)
    coloured = written(text.log, [line], [UNREAD], **{**PLAIN, "colour": True})
    assert "\x1b[33m~\x1b[0m" in coloured
    for code in ("31", "33", "35", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_a_narrow_terminal_shortens_values_and_never_paths():
    """A path can be pasted whatever the width is; of the values the difference is left."""
    line = {**FORMAT, "before": "x" * 300 + "old", "after": "x" * 300 + "new"}
    got = written(text.log, [line], [], **{**PLAIN, "width": 80}).split("\n")[1]
    assert got == (
        "! ~ OwaVirtualDirectory[owa (Default Web Site)].LogonFormat"
        "  xxxx[...303 chars...]xxxxxxold -> xxxx[...303 chars...]xxxxxxnew  [7] undocumented"
    )
