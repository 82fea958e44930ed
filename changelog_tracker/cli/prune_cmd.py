"""`prune`: take old raw files out of the store, and leave a tombstone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.session import local_zone, open_store

if TYPE_CHECKING:
    from datetime import datetime

    from changelog_tracker.pipeline.pruning import Pruned, Wish
    from changelog_tracker.store import Store


def prune(
    ctx: typer.Context,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than", metavar="TIME", help="Only what no snapshot since then needs: 365d."
        ),
    ],
    server: Annotated[
        str | None, typer.Option("--server", metavar="NAME", help="Only of this server.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who wants it; else the account.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would go.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go, as without --yes.")
    ] = False,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact", help="Also give back to the disk what is free in the store's file."
        ),
    ] = False,
) -> None:
    """Take old raw files out of the store. Settings, changes and the journal stay as they are."""
    from changelog_tracker.errors import UsageError
    from changelog_tracker.pipeline import pruning
    from changelog_tracker.pipeline.health.check import size

    if yes and dry_run:
        raise UsageError("--dry-run", "cannot go with --yes")
    wish = pruning.Wish(pruning.read_before(older_than), server, by)
    with open_store(ctx) as store:
        if compact:
            pruning.refuse_compacting(store)
        if not yes:
            with store.reading() as connection:
                _tell(pruning.would_go(connection, wish), wish, done=False)
            typer.echo("nothing was changed: --yes does it")
            return
        with store.changing() as connection:
            pruned = pruning.prune(connection, wish)
        _tell(pruned, wish, done=True)
        if compact:
            before, after = pruning.compact_store(store)
            typer.echo(f"the store's file: {size(before)} -> {size(after)}")
        elif pruned.tombstone is not None:
            _tell_room(store)


def _tell(what: Pruned, wish: Wish, *, done: bool) -> None:
    from changelog_tracker.pipeline.health.check import size
    from changelog_tracker.report.escape import terminal
    from changelog_tracker.report.words import count

    since = _shown(wish.before)
    if what.start is None or what.end is None:
        whose = f" of {terminal(wish.server)}" if wish.server else ""
        newest = "or is the newest of its kind or name"
        typer.echo(f"nothing to prune: each raw file{whose} was needed since {since}, {newest}")
        return
    files = count(what.count, "raw file")
    servers = ", ".join(f"{terminal(name)} {number}" for name, number in what.servers.items())
    freed = f"{size(what.freed)} fewer" if what.freed > 0 else "no fewer bytes"
    typer.echo(f"{f'pruned {files}' if done else f'{files} would go'}: {servers}")
    typer.echo(f"needed from {_shown(what.start)} to {_shown(what.end)}, and not since {since}")
    typer.echo(f"{freed} in the store; line numbers and --ignored of that time go too")
    if what.tombstone is not None:
        typer.echo(f"their tombstone is row {what.tombstone} of the journal")


def _tell_room(store: Store) -> None:
    from changelog_tracker.pipeline.health.check import size
    from changelog_tracker.pipeline.pruning import room_in

    found = room_in(store)
    if found is not None:
        whole, free = found
        typer.echo(
            f"the store's file stays at {size(whole)}, of which {size(free)} are free for what "
            "comes; --compact gives them back to the disk"
        )


def _shown(moment: datetime) -> str:
    from changelog_tracker.report.words import moment as worded

    return worded(moment.isoformat(), local_zone())
