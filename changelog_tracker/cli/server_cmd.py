"""`server`: the inventory: which servers are collected, and how each is reached."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from changelog_tracker.cli.options import JsonOption, OneServer
from changelog_tracker.cli.server_test_cmd import server_test
from changelog_tracker.cli.session import local_zone, open_store, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(help="Keep the inventory: which servers are collected, and how.")
# As collect/endpoint.py has them, which is too slow to load for --help.
Transport = Literal["winrm", "local"]
Scheme = Literal["https", "http"]
Auth = Literal["kerberos", "negotiate", "ntlm", "credssp", "certificate", "basic"]
Group = Annotated[
    str | None, typer.Option("--group", metavar="NAME", help="Only the servers of a group.")
]
_LOCALHOST = "localhost"


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SERVER", help="Its short name, as EX01.")],
    host: Annotated[
        str | None, typer.Option("--host", help="Its name as DNS and its certificate know it.")
    ] = None,
    transport: Annotated[
        Transport, typer.Option("--transport", help="By the network, or on this machine.")
    ] = "winrm",
    scheme: Annotated[Scheme, typer.Option("--scheme", help="What WinRM listens for.")] = "https",
    port: Annotated[int | None, typer.Option("--port", help="[5986; for http 5985]")] = None,
    auth: Annotated[Auth, typer.Option("--auth", help="How to sign in.")] = "negotiate",
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME|REF", help="The account.")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            metavar="REF",
            help="Where its password lies: env:NAME, file:PATH, keyring:SERVICE/USER, cmd:COMMAND.",
        ),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="The authorities to trust; PEM.")
    ] = None,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="A proxy on the way.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="The client's certificate; PEM."),
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", metavar="FILE", help="Its key; PEM.")
    ] = None,
    exchange_url: Annotated[
        str | None,
        typer.Option("--exchange-url", metavar="URL|none", help="[http://HOST/powershell]"),
    ] = None,
    exchange_auth: Annotated[
        Auth | None, typer.Option("--exchange-auth", help="How to sign in there. [as --auth]")
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--group", metavar="NAME", help="A group; several times.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="In place of another entry.")] = False,
) -> None:
    """Take a server into the inventory, with its credentials by reference."""
    from changelog_tracker.pipeline import inventory

    entry = inventory.ServerEntry(
        name=name,
        host=_host(host, transport),
        transport=transport,
        scheme=scheme,
        port=port,
        auth=auth,
        user=user,
        password=password,
        ca=_whole(ca),
        proxy=proxy,
        certificate=_whole(certificate),
        certificate_key=_whole(certificate_key),
        groups=tuple(sorted({one.strip() for one in groups or ()}, key=str.casefold)),
    )
    entry = inventory.with_exchange(entry, exchange_url, exchange_auth)
    with open_store(ctx) as store:
        is_new = inventory.add(store, entry, force=force)
        with store.reading() as connection:
            line = inventory.inventory_line(connection, entry)
    typer.echo(f"{name}: " + ("kept as" if is_new else "is in the inventory already, as"))
    _write(line)
    typer.echo(f"next: changelog-tracker server test {name}")


@app.command("list")
def list_(ctx: typer.Context, group: Group = None, json: JsonOption = False) -> None:
    """List the servers of the inventory, by name."""
    from changelog_tracker.pipeline import inventory
    from changelog_tracker.report import words
    from changelog_tracker.report.tables import write_table

    with open_store(ctx) as store, store.reading() as connection:
        found = inventory.entries(connection, group)
        lines = [inventory.inventory_line(connection, one) for one in found]
    if json:
        write_json(lines)
        return
    write_table([_row(line) for line in lines], sys.stdout)
    typer.echo(words.total(len(lines), 0, 0, "server"))


@app.command("show")
def show(ctx: typer.Context, server: OneServer, json: JsonOption = False) -> None:
    """Show how a server is reached."""
    from changelog_tracker.pipeline import inventory

    with open_store(ctx) as store, store.reading() as connection:
        line = inventory.inventory_line(connection, inventory.entry(connection, server))
    if json:
        write_json([line])
        return
    typer.echo(line["name"])
    _write(line)


@app.command("remove")
def remove(ctx: typer.Context, server: OneServer) -> None:
    """Take a server out of the inventory; its snapshots stay."""
    from changelog_tracker.pipeline import inventory
    from changelog_tracker.report import words

    with open_store(ctx) as store:
        found = inventory.remove(store, server)
        with store.reading() as connection:
            count = inventory.inventory_line(connection, found)["snapshots"]
    stay = "stays" if count == 1 else "stay"
    said = f"; {words.count(count, 'snapshot')} of it {stay} in the store" if count else ""
    typer.echo(f"{found.name}: removed from the inventory{said}")


app.command("test")(server_test)


def _host(said: str | None, transport: Transport) -> str:
    from changelog_tracker.errors import UsageError

    if said is None and transport == "winrm":
        raise UsageError("--host", "is missing", "as --host ex01.contoso.com, or --transport local")
    return _LOCALHOST if said is None else said


def _whole(file: Path | None) -> Path | None:
    """Give a path that is the same in every folder."""
    return None if file is None else file.expanduser().absolute()


def _write(line: Mapping[str, Any]) -> None:
    """Write what is kept of a server, and how many snapshots there are."""
    from changelog_tracker.report.escape import terminal

    for name, value in _told(line).items():
        typer.echo(f"  {name + ':':<17} {terminal(value)}")


def _told(line: Mapping[str, Any]) -> dict[str, str]:
    """Give what is worth telling of an entry: all that is set and counts."""
    if line["transport"] == "local":
        found = {"transport": "local", "host": str(line["host"])}
    else:
        port = line["port"] or {"https": 5986, "http": 5985}[line["scheme"]]
        found = {
            "transport": f"winrm, {line['scheme']}, port {port}",
            "host": str(line["host"]),
            "auth": str(line["auth"]),
        }
    for name in ("user", "password", "ca", "proxy", "certificate", "certificate_key"):
        if line[name] is not None:
            found[name.replace("_", " ")] = str(line[name])
    if line["exchange_url"] is None:
        found["exchange"] = "asked by the script on the server"
    else:
        found["exchange"] = f"{line['exchange_url']}, {line['exchange_auth']}"
    if line["groups"]:
        found["groups"] = ", ".join(line["groups"])
    if line["snapshots"]:
        found["snapshots"] = f"{line['snapshots']}, the last one at {_moment(line)}"
    return found


def _row(line: Mapping[str, Any]) -> dict[str, str]:
    from changelog_tracker.report.escape import terminal

    return {
        "SERVER": terminal(line["name"]),
        "HOST": terminal(line["host"]),
        "TRANSPORT": line["transport"],
        "AUTH": line["auth"] if line["transport"] == "winrm" else "",
        "GROUPS": terminal(", ".join(line["groups"])),
        "LAST SNAPSHOT": _moment(line),
    }


def _moment(line: Mapping[str, Any]) -> str:
    from changelog_tracker.report import words

    at = line["last_snapshot"]
    return words.moment(at, local_zone()) if at else ""
