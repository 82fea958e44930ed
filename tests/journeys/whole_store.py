"""A small store in which every table has rows, blocks too; and all that is recorded in it."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING, Any

from bundles import ABSENT, ECP, IIS, OTHER_WEB, OWA, WEB, Program, iis, unpacked, vdir, web

from changelog_tracker.store import Store
from changelog_tracker.store.journal import append, find_server

if TYPE_CHECKING:
    from pathlib import Path

FIND_ALL = "hint: find all that is damaged with: changelog-tracker check --read-data\n"
HOUR = 3_600_000_000
# 2026-11-05T10:00:00Z, after every import.
AFTER = 1_793_872_800_000_000


OWA_CONTENT = (
    "(SELECT v.content_id FROM version v JOIN resource r ON r.id = v.resource_id"
    " JOIN content c ON c.id = v.content_id WHERE r.kind = 'OwaVirtualDirectory' AND r.aspect = ''"
    " AND r.server_id = 1 ORDER BY c.base_id IS NULL, v.from_at LIMIT 1)"
)
OWA_NAME = "OwaVirtualDirectory[owa (Default Web Site)]"


def whole_store(folder: Path, hours: int = 300) -> Program:
    """
    Write the store: two servers, a late snapshot, reasons, a baseline, quiet hours, an inventory.

    Args:
        folder: Where to.
        hours: How many snapshots of EX01 find nothing new after all that.
    """
    program = Program(folder)
    owa = {"ExternalUrl": "https://mail.contoso.com/owa"}
    long = {f"setting{n}": f"value {n} of many" for n in range(40)}
    quiet = {WEB: web(a="1", **long), OTHER_WEB: web(c="1")}
    _done(program.take("2026-11-01T10:00:00Z", {OWA: vdir("Owa"), IIS: iis(), **quiet}))
    _done(
        program.take("2026-11-02T10:00:00Z", {OWA: vdir("Owa", **owa), IIS: iis("None"), **quiet})
    )
    _done(
        program.take(
            "2026-11-04T10:00:00Z",
            {OWA: vdir("Owa", **owa), IIS: iis("None"), WEB: web(a="2", **long), OTHER_WEB: ABSENT},
        )
    )
    _done(
        program.take("2026-11-03T10:00:00Z", {OWA: vdir("Owa"), ECP: vdir("Ecp"), WEB: web(a="2")})
    )
    other = {"server": "EX02"}
    _done(program.take("2026-11-01T11:00:00Z", {OWA: vdir("Owa", server="EX02"), **quiet}, **other))
    changed = {WEB: web(a="3", **long), OTHER_WEB: web(c="1")}
    _done(
        program.take("2026-11-02T11:00:00Z", {OWA: vdir("Owa", server="EX02"), **changed}, **other)
    )
    ids = [line["id"] for line in program.log()]
    _done(program.run("document", *ids[:2], "--reason", "asked for", "--ticket", "CHG-1"))
    _done(program.run("document", ids[0], "--reason", "asked for twice"))
    _done(program.run("baseline", "set", "EX01", "2"))
    add_quiet_hours(program, hours)
    _done(program.run("server", "add", "EX01", "--host", "ex01.contoso.com", "--group", "farm"))
    _done(program.run("document", ids[2], "--reason", "the last word"))
    return program


def add_quiet_hours(program: Program, hours: int, after: int = AFTER) -> None:
    """Write snapshots of EX01 that found nothing new, in one transaction."""
    store = Store(str(program.store), program.folder / "changelog.key")
    with store.changing() as connection:
        server = find_server(connection, "EX01")
        for n in range(hours):
            at = after + n * HOUR
            append(
                connection,
                "snapshot",
                server=server,
                at=at,
                received=at + 1_000_000,
                source=f"bundle{n % 7}",
                body=None if n % 5 else {"clock": [60, n]},
                nothing_new=True,
            )
    store.close()


def _done(answer: Any) -> None:
    assert (answer.code, answer.err) == (0, ""), answer.err


def damage(program: Program, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(program.store)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def plain(text: str) -> str:
    """The output without what differs from store to store."""
    for pattern, word in (
        (r"head [0-9a-f]{64}", "head HEAD"),
        (r"key: [0-9a-f]{8}", "key: KEY"),
        (r"SQLite [\d.]+", "SQLite"),
        (r"content [0-9a-f]{12}", "content X"),
        (r"contents: [\d,]+, [\d,]+ bytes", "contents: N, N bytes"),
        (r"derived rows: [\d,]+( compared)?,", r"derived rows: N\1,"),
        (r"[\d,]+ of [\d,]+ are not what", "N of N are not what"),
        (r"[\d,]+ of [\d,]+ contents", "N of N contents"),
        (r"1 of [\d,]+ cannot be read", "1 of N cannot be read"),
    ):
        text = re.sub(pattern, word, text)
    return text


def recorded(store: Path) -> dict[str, list[tuple[Any, ...]]] | None:
    """Give every value of every table, as it reads unpacked; None where the file cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(store)) as connection:
            connection.text_factory = bytes
            return _recorded(connection)
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def _recorded(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    connection.row_factory = sqlite3.Row
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {
        name.decode(): [dict(row) for row in connection.execute(f"SELECT * FROM {name.decode()}")]
        for (name,) in names
        if not name.startswith(b"sqlite_")
    }
    dictionary = b"".join(row["data"] for row in found["dictionary"] if row["id"] == 1)
    bases = {row["id"]: _plain(row["data"]) for row in found["content"] if row["base_id"] is None}
    for table, rows in found.items():
        for row in rows:
            for name in ("body", "data"):
                if name in row and table != "dictionary":
                    against = bases.get(row.get("base_id"), b"")
                    row[name] = _plain(row[name], against if table == "content" else dictionary)
    return {
        table: sorted((tuple(row.values()) for row in rows), key=repr)
        for table, rows in found.items()
    }


def _plain(data: Any, against: bytes = b"") -> Any:
    try:
        return unpacked(data, against)
    except Exception:  # noqa: BLE001  whatever a damaged frame raises, it is not what was written
        return data
