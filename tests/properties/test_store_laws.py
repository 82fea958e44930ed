"""
Laws of the store: the journal only grows, its chain holds, and what is derived can be built again.

The chain is computed here anew from the raw rows. The hash of a row is SHA-256 over the hash of
the row before (nothing for the first), followed by the row as JSON in ASCII, keys sorted, no white
space: action, at, body, origin (account, host, program, source), received, seq, server (its name).
A body longer than 200 bytes lies in the row packed by zstd.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import sqlite3
import tempfile
from datetime import UTC
from functools import cache
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from changelog_tracker import cli
from changelog_tracker.demo.story import chapters, write_bundle
from changelog_tracker.store import Store
from changelog_tracker.store.journal import append, server_id
from changelog_tracker.store.packing import canonical_json, micros, moment, pack, unpack

RECORDED = ("journal", "unchanged", "content", "origin", "server", "documentation", "baseline")
DERIVED = {
    "reading_state": "SELECT r.kind, r.folded, from_at, until_at, status, mode, reason"
    " FROM reading_state s JOIN reading r ON r.id = s.reading_id ORDER BY 1, 2, 3",
    "version": "SELECT r.kind, r.folded, r.aspect, from_at, until_at, c.hash FROM version v"
    " JOIN resource r ON r.id = v.resource_id JOIN content c ON c.id = v.content_id"
    " ORDER BY 1, 2, 3, 4",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def run(store: Path, *arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = cli.run(["--store", str(store), *arguments])
    return code, out.getvalue()


def query(store: Path, statement: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        return connection.execute(statement).fetchall()


def recorded(store: Path) -> dict[str, list[tuple]]:
    return {table: query(store, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in RECORDED}


def derived(store: Path) -> dict[str, list[tuple]]:
    """The interval rows; which of two exports that differ by noise alone is kept does not count."""
    found = {name: query(store, statement) for name, statement in DERIVED.items()}
    merged: list[tuple] = []
    for row in found["reading_state"]:
        last = merged[-1] if merged else ("", "", 0, 0)
        if (*last[:2], *last[3:]) == (*row[:2], row[2], *row[4:]):
            merged[-1] = (*last[:3], *row[3:])
        else:
            merged.append(row)
    return {**found, "reading_state": merged}


def unpacked(data: bytes, against: bytes = b"") -> bytes:
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        raw = zstandard.ZstdCompressionDict(against, zstandard.DICT_TYPE_RAWCONTENT)
        dictionary = {"dict_data": raw} if against else {}
        unpacker = zstandard.ZstdDecompressor(**dictionary)
        return unpacker.decompress(data, max_output_size=100_000_000)
    return data


def body_of(store: Path, data: bytes | None) -> dict | list | None:
    [(dictionary,)] = query(store, "SELECT data FROM dictionary")
    return None if data is None else json.loads(unpacked(data, dictionary))


def journal_rows(store: Path) -> list[tuple]:
    """seq, action, server, at, received, origin, source, body, hash; of all three tables."""
    rows = [
        (*row[:7], body_of(store, row[7]), row[8])
        for table, action in (("journal", "action"), ("unchanged", "'snapshot'"))
        for row in query(
            store,
            f"SELECT seq, {action}, server_id, at, received, origin_id, source, body, hash"
            f" FROM {table}",
        )
    ]
    for server, data, digest in query(store, "SELECT server_id, data, hash FROM unchanged_block"):
        seq = at = received = 0
        steps = body_of(store, data)
        for place, step in enumerate(steps, 1):
            seq, at, received = seq + step[0], at + step[1], received + step[2]
            last = digest if place == len(steps) else None
            rows.append((seq, "snapshot", server, at, received, *step[3:], last))
    return sorted(rows, key=lambda row: row[0])


def broken_links(store: Path) -> list[int]:
    """The numbers of the journal's rows whose place or hash is not what it should be."""
    names = dict(query(store, "SELECT id, name FROM server"))
    origins = {
        row[0]: dict(zip(("account", "host", "program"), row[1:], strict=True))
        for row in query(store, "SELECT id, account, host, program FROM origin")
    }
    broken, before = [], b""
    for place, row in enumerate(journal_rows(store), 1):
        seq, action, server, at, received, origin, source, body, digest = row
        told = {
            "seq": seq,
            "action": action,
            "server": names.get(server),
            "at": at,
            "received": received,
            "origin": {**origins[origin], "source": source},
            "body": body,
        }
        covered = json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
        found = hashlib.sha256(before + covered).digest()
        if seq != place or digest not in {found, None}:
            broken.append(seq)
        before = digest or found
    return broken


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="changelog-laws-")


@cache
def bundles() -> list[Path]:
    return [write_bundle(chapter, Path(_folder().name)) for chapter in chapters()]


def after(store: Path, order: list[int]) -> None:
    for number in order:
        assert run(store, "import", str(bundles()[number]))[0] == 0


def lines(store: Path) -> list[dict]:
    return [json.loads(line) for line in run(store, "log", "--json", "--unfold")[1].splitlines()]


def test_the_journal_only_grows(tmp_path):
    """After late imports, words and baselines every earlier row is as it was, and in chain."""
    store = tmp_path / "changelog.db"
    steps = [
        ["import", str(bundles()[0])],
        ["import", str(bundles()[4])],
        ["baseline", "set", "EX01"],
        ["import", str(bundles()[2])],
        ["import", str(bundles()[2]), "--at", "2026-09-09T20:00:00Z"],
        ["import", str(bundles()[1])],
        ["import", str(bundles()[5])],
        ["import", str(bundles()[3])],
        ["baseline", "set", "EX01", "previous"],
    ]
    earlier: dict[str, set] = {table: set() for table in RECORDED}
    for step in steps:
        assert run(store, *step)[0] == 0
        some = [line["id"] for line in lines(store) if line["id"].count(".") == 1][:3]
        if some:
            assert run(store, "document", *some, "--reason", f"after {step[-1]}")[0] == 0
        now = {table: set(found) for table, found in recorded(store).items()}
        assert {table: earlier[table] - now[table] for table in RECORDED} == {
            table: set() for table in RECORDED
        }
        assert broken_links(store) == []
        earlier = now


def test_the_chain_finds_what_was_altered(tmp_path):
    """A row that was altered, taken out or put in breaks the chain where it happened."""
    store = tmp_path / "changelog.db"
    after(store, [0, 1, 2])
    whole = store.read_bytes()
    assert broken_links(store) == []
    for statement, where in (
        ("UPDATE journal SET at = at + 1 WHERE seq = 2", [2]),
        ("UPDATE journal SET body = NULL WHERE seq = 1", [1]),
        ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 2", [2, 3]),
        ("UPDATE origin SET account = 'nobody' WHERE id = 1", [1]),
        ("DELETE FROM journal WHERE seq = 2", [3]),
    ):
        store.write_bytes(whole)
        with contextlib.closing(sqlite3.connect(store)) as connection, connection:
            connection.execute(statement)
        assert broken_links(store)[: len(where)] == where


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_imports_does_not_matter(tmp_path, seed):
    """Whatever order snapshots come in, in the end the log and every state are the same."""
    usual, mixed = tmp_path / "usual.db", tmp_path / "mixed.db"
    order = list(range(len(bundles())))
    after(usual, order)
    random.Random(seed).shuffle(order)
    after(mixed, order)
    assert broken_links(mixed) == []
    told = (
        "kind",
        "resource",
        "setting",
        "before",
        "after",
        "class",
        "seen",
        "not_before",
        "action",
    )

    def log(store: Path) -> list[str]:
        return sorted(json.dumps([line[key] for key in told]) for line in lines(store))

    assert log(mixed) == log(usual)
    assert derived(mixed) == derived(usual)


def test_what_is_derived_can_be_built_again(tmp_path):
    """A late snapshot that read what was known anyway tells the history again, to the same rows."""
    store = tmp_path / "changelog.db"
    after(store, [0, 1, 2, 3])
    before, log = derived(store), lines(store)
    assert run(store, "import", str(bundles()[1]), "--at", "2026-09-08T20:00:00Z")[0] == 0
    assert derived(store) == before
    # What came after it is now known more exactly.
    exact = {line["id"]: line["not_before"] for line in lines(store)}
    assert lines(store) == [{**line, "not_before": exact[line["id"]]} for line in log]
    assert {exact[line["id"]] for line in log if line["id"].startswith("3.")} == {
        "2026-09-08T20:00:00Z"
    }


def test_contents_are_named_by_what_they_hold(tmp_path):
    """Every content unpacks to bytes whose SHA-256 is its name, and every journal row's exist."""
    store = tmp_path / "changelog.db"
    after(store, list(range(len(bundles()))))
    contents = {
        number: (name, base, data)
        for number, name, base, data in query(store, "SELECT id, hash, base_id, data FROM content")
    }
    whole = {number: unpacked(data) for number, (_, base, data) in contents.items() if not base}
    whole |= {n: unpacked(data, whole[base]) for n, (_, base, data) in contents.items() if base}
    assert {n: hashlib.sha256(data).digest() for n, data in whole.items()} == {
        number: name for number, (name, *_) in contents.items()
    }
    named = {name.hex() for name, *_ in contents.values()}
    for row in journal_rows(store):
        told = {"opened": [], "readings": [], **(row[7] or {})}
        assert {one[-1] for one in told["opened"]} <= named
        assert {one[-1] for one in told["readings"] if one[-1]} <= named


@given(st.binary(max_size=2000) | st.binary(max_size=50).map(lambda b: b"\x28\xb5\x2f\xfd" + b))
def test_unpack_gives_back_what_pack_was_given(data):
    """Packing loses nothing, also of what looks packed already."""
    assert unpack(pack(data)) == data


@given(JSON)
def test_canonical_json_is_one_spelling(value):
    """Canonical JSON reads back the same, is ASCII, and does not know the order of keys."""
    spelt = canonical_json(value)
    assert spelt.isascii()
    assert canonical_json(json.loads(spelt)) == spelt
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(value.items()))) == spelt


@given(st.datetimes(timezones=st.timezones()))
@settings(max_examples=50)
def test_a_time_survives_the_store(when):
    """A time comes back as the same moment."""
    assert moment(micros(when)) == when.astimezone(UTC)


@settings(max_examples=20, deadline=None)
@given(st.lists(JSON, max_size=6))
def test_any_body_keeps_the_chain(bodies):
    """Whatever a journal row holds, the chain over it can be computed from the raw rows."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/changelog.db", Path(folder, "changelog.key"))
        with store.writing() as connection:
            for number, body in enumerate(bodies):
                whose = (server_id(connection, "EX01"), "EX01") if number % 2 else None
                append(connection, "x", server=whose, at=1, received=1, source="", body=body)
        store.close()
        assert broken_links(Path(folder, "changelog.db")) == []
