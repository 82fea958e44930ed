"""
The inventory: which servers there are, how each is reached, and where its credentials lie.

Each entry that came or went is a row of the journal. An entry alone is no server of the store yet:
that is made by its first snapshot.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from changelog_tracker.collect.endpoint import Auth, Scheme
from changelog_tracker.errors import StoreDamagedError, UsageError
from changelog_tracker.pipeline.entry_rules import check
from changelog_tracker.store import inventory as kept
from changelog_tracker.store.journal import append, find_server
from changelog_tracker.store.packing import micros, moment
from changelog_tracker.store.snapshots import snapshots_of

if TYPE_CHECKING:
    from changelog_tracker.store import Store
    from changelog_tracker.store.database import Connection

Transport = Literal["winrm", "local"]
NONE = "none"
_ADD_HINT = "add one with: changelog-tracker server add EX01 --host ex01.contoso.com"
_FIND_ALL = "find all that is damaged with: changelog-tracker check --read-data"
_PATHS = ("ca", "certificate", "certificate_key")
_TEXTS = ("user", "password", "proxy", "exchange_url")
_CHOICES = {
    "transport": get_args(Transport),
    "scheme": get_args(Scheme),
    "auth": get_args(Auth),
    "exchange_auth": get_args(Auth),
}


@dataclass(frozen=True, slots=True)
class ServerEntry:
    r"""
    One server of the inventory.

    Args:
        name: Its short name, as its snapshots have it.
        host: Its name as DNS and its certificate know it, or an address.
        transport: By the network, or on this machine.
        scheme: As for `Endpoint`, like all that follows.
        port: None for the usual one.
        auth: How to sign in.
        user: Who, as `CONTOSO\svc`, or a reference to that.
        password: A reference to it, never itself.
        ca: The authorities that are trusted; PEM.
        proxy: A proxy's URL, without credentials.
        certificate: The client's certificate; PEM.
        certificate_key: Its key; PEM.
        exchange_url: Its Exchange endpoint; None where the script asks Exchange itself.
        exchange_auth: How to sign in there.
        groups: The groups that it is in, sorted.
    """

    name: str
    host: str
    transport: Transport = "winrm"
    scheme: Scheme = "https"
    port: int | None = None
    auth: Auth = "negotiate"
    user: str | None = None
    password: str | None = None
    ca: Path | None = None
    proxy: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    exchange_url: str | None = None
    exchange_auth: Auth = "kerberos"
    groups: tuple[str, ...] = ()


def with_exchange(entry: ServerEntry, url: str | None, auth: Auth | None) -> ServerEntry:
    """
    Give an entry the Exchange endpoint that was told, else the usual one of its transport.

    Args:
        entry: All else of it.
        url: Its URL, or `none`; None where nothing was told.
        auth: How to sign in there; None where nothing was told.

    Raises:
        UsageError: The way to sign in must be told.
    """
    if url is None and (entry.transport == "local" or entry.auth == "credssp"):
        url = NONE
    if url is None:
        host = f"[{entry.host}]" if ":" in entry.host else entry.host
        url = f"{'https' if (auth or entry.auth) == 'basic' else 'http'}://{host}/powershell"
    if url.casefold() == NONE:
        return dataclasses.replace(entry, exchange_url=None, exchange_auth=auth or entry.auth)
    if auth is None and entry.auth == "certificate":
        what = "must be told where --auth is certificate"
        hint = "as --exchange-auth kerberos, or --exchange-url none"
        raise UsageError("--exchange-auth", what, hint)
    return dataclasses.replace(entry, exchange_url=url, exchange_auth=auth or entry.auth)


def checked(entry: ServerEntry) -> ServerEntry:
    """
    Refuse an entry that cannot work.

    Raises:
        UsageError: What of it cannot be; no text that may be a password is repeated.
    """
    check(entry)
    return entry


def entries(connection: Connection, group: str | None = None) -> tuple[ServerEntry, ...]:
    """
    Give the servers, of one group where one is named; sorted by name, case apart.

    Raises:
        StoreDamagedError: One of them cannot be read.
    """
    found = [_from_json(folded, body) for folded, body in kept.bodies(connection)]
    return tuple(
        one
        for one in found
        if group is None or group.casefold() in {name.casefold() for name in one.groups}
    )


def entry(connection: Connection, name: str) -> ServerEntry:
    """
    Find a server of the inventory; case does not matter.

    Raises:
        UsageError: There is none of that name.
    """
    known = entries(connection)
    for one in known:
        if one.name.casefold() == name.casefold():
            return one
    names = ", ".join(one.name for one in known)
    hint = f"known are: {names}" if names else _ADD_HINT
    raise UsageError(name, "is no server of the inventory", hint)


def add(store: Store, entry: ServerEntry, *, force: bool = False) -> bool:
    """
    Take a server into the inventory.

    Args:
        store: Made where there is none yet.
        entry: The server.
        force: Whether another entry of that name is replaced.

    Returns:
        False where the very same entry was there.

    Raises:
        UsageError: The entry cannot be, or another is there.
    """
    body = _to_json(checked(entry))
    with store.writing() as connection:
        before = next((o for o in entries(connection) if _same_name(o, entry)), None)
        if before == entry:
            return False
        if before is not None and not force:
            differs = ", ".join(
                k.replace("_", "-") for k, v in _to_json(before).items() if v != body[k]
            )
            what = f"is in the inventory already, with another {differs}; nothing was changed"
            raise UsageError(entry.name, what, "--force replaces it")
        _append(connection, kept.ADD, body)
        kept.put(connection, entry.name, body)
    return True


def remove(store: Store, name: str) -> ServerEntry:
    """
    Take a server out of the inventory; its snapshots stay.

    Raises:
        UsageError: There is none of that name.
    """
    with store.changing() as connection:
        found = entry(connection, name)
        _append(connection, kept.REMOVE, _to_json(found))
        kept.drop(connection, found.name)
    return found


def inventory_line(connection: Connection, one: ServerEntry) -> dict[str, Any]:
    """Give an entry as `server list --json` has it, with the time of its newest snapshot."""
    server = find_server(connection, one.name)
    found = snapshots_of(connection, server[0]) if server else []
    at = moment(found[-1].at).isoformat().replace("+00:00", "Z") if found else None
    return {**_to_json(one), "snapshots": len(found), "last_snapshot": at}


def _same_name(one: ServerEntry, other: ServerEntry) -> bool:
    return one.name.casefold() == other.name.casefold()


def _append(connection: Connection, action: str, body: dict[str, Any]) -> None:
    append(
        connection,
        action,
        server=None,
        at=None,
        received=micros(datetime.now(tz=UTC)),
        source="",
        body={"name": body["name"], "entry": body},
    )


def _to_json(one: ServerEntry) -> dict[str, Any]:
    found = dataclasses.asdict(one)
    for name in _PATHS:
        found[name] = None if found[name] is None else str(found[name])
    return {**found, "groups": list(one.groups)}


def _from_json(folded: str, body: Any) -> ServerEntry:  # noqa: ANN401  any JSON value
    try:
        found = {one.name: body[one.name] for one in dataclasses.fields(ServerEntry)}
        for name in _PATHS:
            found[name] = None if found[name] is None else Path(found[name])
        found["groups"] = tuple(found["groups"])
        one = ServerEntry(**found)
        right = (
            one.name.casefold() == folded
            and all(found[name] in choices for name, choices in _CHOICES.items())
            and all(isinstance(found[name], str | None) for name in _TEXTS)
            and all(isinstance(name, str) for name in (one.host, *one.groups))
            and isinstance(one.port, int | None)
        )
    except (TypeError, LookupError, AttributeError) as error:
        raise _damaged(folded) from error
    if not right:
        raise _damaged(folded)
    return one


def _damaged(folded: str) -> StoreDamagedError:
    what = f"the entry of {folded} is not what this program writes"
    return StoreDamagedError("inventory", what, _FIND_ALL)
