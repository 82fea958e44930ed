"""`key`: a copy of the key of all fingerprints under a passphrase, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.session import open_store

if TYPE_CHECKING:
    from changelog_tracker.store import Store

app = typer.Typer(help="Keep a copy of the key of all fingerprints, or bring it back.")
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="PATH",
        help="Holds the passphrase; else asked for. [env: CHANGELOG_TRACKER_PASSPHRASE]",
    ),
]


@app.command("export")
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    passphrase_file: PassphraseFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also over an older export of that name.")
    ] = False,
) -> None:
    """Write the key to FILE under a passphrase of 12 characters or more."""
    from changelog_tracker.cli.passphrase import passphrase_from
    from changelog_tracker.pipeline.keys import export_key, key_to_export

    with open_store(ctx) as store:
        key = key_to_export(store, file, force=force)
        passphrase = passphrase_from(passphrase_file, new=True)
        done = export_key(store, key, file, passphrase, force=force)
    typer.echo(f"{_shown(file)}: key {done.key_id} under the passphrase; keep them apart")
    if done.not_noted is not None:
        _note(f"the store took no note of it: {done.not_noted}")


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What export wrote, or a copy of the key file.")
    ],
    passphrase_file: PassphraseFile = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also in the place of another key, which is kept.")
    ] = False,
) -> None:
    """Put the key in FILE where the store's key belongs."""
    from changelog_tracker.cli.passphrase import passphrase_from
    from changelog_tracker.pipeline.keys import import_key

    with open_store(ctx) as store:
        done = import_key(
            store, file, lambda: passphrase_from(passphrase_file, new=False), force=force
        )
        place = _shown(store.key_file)
        typer.echo(
            f"{place}: key {done.key_id} {'was already there' if done.already else 'is back'}"
        )
        if done.kept is not None:
            typer.echo(f"{_shown(done.kept)}: the key that was there before")
        _say_whose(store, done.key_id)


def _say_whose(store: Store, key_id: str) -> None:
    """Say which key the snapshots have, and whether it is this one."""
    from changelog_tracker.errors import StoreError
    from changelog_tracker.pipeline.keys import key_ids_of

    try:
        found = key_ids_of(store)
    except StoreError as error:
        _note(f"the store does not tell which key its snapshots have: {error}")
        return
    for one in sorted(set(found.values())):
        servers = ", ".join(_shown(name) for name in found if found[name] == one)
        if one == key_id:
            typer.echo(f"{servers}: newest snapshots have this key")
        else:
            _note(f"{servers}: newest snapshots have key {one}, not this one")


def _note(text: str) -> None:
    from changelog_tracker.report.escape import terminal

    typer.echo(f"note: {terminal(text)}", err=True)


def _shown(what: object) -> str:
    from changelog_tracker.report.escape import terminal

    return terminal(str(what))
