"""What people say: reasons, verdicts and the baseline. Each is a new entry of the journal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from changelog_tracker.errors import UsageError
from changelog_tracker.pipeline.lines import is_documented, known_server, utc, who_made
from changelog_tracker.pipeline.moments import find_snapshot
from changelog_tracker.store.changes import find_change
from changelog_tracker.store.journal import append, who_runs
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import (
    baseline_of,
    server_names,
    set_baseline,
    snapshots_of,
)
from changelog_tracker.store.words import add_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.store.changes import Recorded
    from changelog_tracker.store.database import Connection


# Of words: that who approved made or documented the change too.
SELF = "self_approved"


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Why changes were made.

    Args:
        text: The reason.
        ticket: The ticket it belongs to.
        by: The name of who says so; None for the account.
        expires: Until when the exception holds; None for always.
    """

    text: str
    ticket: str | None = None
    by: str | None = None
    expires: datetime | None = None


def document_changes(
    connection: Connection, ids: list[str], why: Reason, required: tuple[str, ...] = ()
) -> list[str]:
    """
    Give changes a reason; an approval of an earlier one does not cover it.

    Args:
        connection: The transaction.
        ids: The changes.
        why: The reason.
        required: What must be said besides: `ticket`, `by`, `expires`.

    Returns:
        The ids that were documented, each once.

    Raises:
        UsageError: An id is none, the reason is empty, something required is missing, or the
            exception has expired already; nothing was documented.
    """
    if not why.text.strip():
        raise UsageError("--reason", "is empty; say why the change was made")
    for name in required:
        said = getattr(why, name)
        if said is None or not str(said).strip():
            raise UsageError(f"--{name}", "is missing; the setting `require` asks for it")
    if why.expires is not None and why.expires <= datetime.now(tz=UTC):
        what = f"{utc(micros(why.expires))} lies in the past; expected a time to come"
        raise UsageError("--expires", what, "write a date, such as 2027-06-30")
    found = _changes(connection, ids)
    body = {
        "reason": why.text.strip(),
        "ticket": why.ticket,
        **_name_and_account("by", "account", why.by),
    }
    if why.expires is not None:
        body["expires"] = utc(micros(why.expires))
    _say(connection, "document", found, body)
    return list(found)


def approve_changes(
    connection: Connection, ids: list[str], by: str | None, *, own: bool = False
) -> list[str]:
    """
    Approve the reasons that stand.

    Args:
        connection: The transaction.
        ids: The changes.
        by: The name of who approves; None for the account.
        own: Whether who made or documented a change may approve it; the log shows that.

    Returns:
        The ids that were approved, each once.

    Raises:
        UsageError: An id is none, no reason stands, or somebody would approve what is their own;
            nothing was approved.
    """
    found = _changes(connection, ids)
    approver = _name_and_account("approved_by", "approved_account", by)
    verdicts = {
        name: _verdict(name, one.folded(k) if k else one, approver, own=own)
        for name, (one, k) in found.items()
    }
    for name, verdict in verdicts.items():
        _say(connection, "approve", {name: found[name]}, verdict)
    return list(found)


def reject_changes(
    connection: Connection, ids: list[str], reason: str, by: str | None
) -> list[str]:
    """
    Say that changes must not stay; they are undocumented then, whatever was said before.

    Returns:
        The ids that were rejected, each once.

    Raises:
        UsageError: An id is none, or the reason is empty; nothing was rejected.
    """
    if not reason.strip():
        raise UsageError("--reason", "is empty; say why the change must not stay")
    found = _changes(connection, ids)
    body = {"reason": reason.strip(), **_name_and_account("by", "account", by), "rejected": True}
    _say(connection, "reject", found, body)
    return list(found)


def accept_baseline(
    connection: Connection, server: str, snapshot: str, by: str | None
) -> tuple[str, int, str | None]:
    """
    Accept a snapshot as what is wanted.

    Returns:
        The server, the snapshot and its time.
    """
    number, name = known_server(connection, server)
    found = find_snapshot(connection, number, name, snapshot)
    body = {"snapshot": found.seq, "by": by or who_runs()["account"]}
    set_baseline(
        connection, _append(connection, "baseline", (number, name), body), number, found.seq
    )
    return name, found.seq, utc(found.at)


def baseline_lines(connection: Connection, server: str | None) -> Iterator[dict[str, Any]]:
    """Give the baseline of one server or of all."""
    names = [server] if server else server_names(connection)
    for one in names:
        number, name = known_server(connection, one)
        seq = baseline_of(connection, number)
        at = next((s.at for s in snapshots_of(connection, number) if s.seq == seq), None)
        yield {"server": name, "snapshot": str(seq) if seq else None, "at": utc(at)}


def _changes(connection: Connection, ids: list[str]) -> dict[str, tuple[Recorded, int]]:
    """Find changes by their ids, each once."""
    return {
        f"{one.id}.{k}" if k else one.id: (one, k)
        for one, k in (_change(connection, text) for text in ids)
    }


def _name_and_account(name_key: str, account_key: str, name: str | None) -> dict[str, Any]:
    """Give who speaks: the name that was given, and the account, which nobody can choose."""
    if name is not None and not name.strip():
        raise UsageError("--by", "is empty; give a name, or leave it out for the account")
    account = who_runs()["account"]
    return {name_key: name.strip() if name else account, account_key: account}


def _verdict(name: str, one: Recorded, approver: dict[str, Any], *, own: bool) -> dict[str, Any]:
    """Give the words that stand, approved."""
    words = one.words[-1] if one.words else {}
    if not is_documented(words):
        what = "has no reason that stands; nothing was approved"
        raise UsageError(name, what, f"changelog-tracker document {name} --reason TEXT")
    whose = _own(one, words, approver)
    if whose and not own:
        hint = "have somebody else approve it, or say --self, which the log shows"
        raise UsageError(name, f"{whose}; nothing was approved", hint)
    # What a run of a replay script says of its step is no person's word.
    kept = {key: what for key, what in words.items() if key not in {"replay", SELF}}
    return {**kept, **approver, **({SELF: True} if whose else {})}


def _own(one: Recorded, words: dict[str, Any], approver: dict[str, Any]) -> str | None:
    """Say why a change is the approver's own; None where it is somebody else's."""
    name, account = approver["approved_by"], approver["approved_account"]
    sides = {name.casefold(), account.casefold()}
    if str(words.get("by", "")).casefold() in sides or words.get("account") == account:
        return f"was documented by {words.get('by')}, account {words.get('account', 'unknown')}"
    made = [str(who["name"]) for who in who_made(one)]
    mine = [who for who in made if who.casefold() in sides]
    return f"was made by {mine[0]}, as the evidence says" if mine else None


def _say(
    connection: Connection,
    action: str,
    changes: dict[str, tuple[Recorded, int]],
    body: dict[str, Any],
) -> None:
    """Write what somebody says of changes."""
    seq = _append(connection, action, None, {"changes": list(changes), **body})
    add_words(connection, seq, list(changes.values()), body)


def _change(connection: Connection, text: str) -> tuple[Recorded, int]:
    """Find a change by its id; `14.1.5` is the fifth of those folded into 14.1."""
    numbers = re.fullmatch(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", text.strip())
    found = find_change(connection, int(numbers[1]), int(numbers[2])) if numbers else None
    k = int(numbers[3]) if numbers and numbers[3] else 0
    if found is None or k > len(found.change.folded):
        raise UsageError(
            text,
            "is the id of no change; nothing was done",
            "find it with: changelog-tracker log",
        )
    return found, k


def _append(
    connection: Connection, action: str, server: tuple[int, str] | None, body: dict[str, Any]
) -> int:
    return append(
        connection,
        action,
        server=server,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body=body,
    )
