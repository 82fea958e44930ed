"""`verify`: whether a recovered server is as it was."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from changelog_tracker.cli.options import (
    ForceOption,
    FormatOption,
    JsonOption,
    OneServer,
    OutputOption,
    UnfoldOption,
)
from changelog_tracker.cli.session import local_zone, look, output, reading
from changelog_tracker.cli.target import reader, target, write_document

if TYPE_CHECKING:
    from changelog_tracker.cli.target import Target
    from changelog_tracker.pipeline.verify import Verified
    from changelog_tracker.report.verified import Found, Sums


def verify(
    ctx: typer.Context,
    server: OneServer,
    against: Annotated[
        str | None, typer.Option("--against", help="baseline, a snapshot id or TIME.")
    ] = None,
    commands: Annotated[
        bool, typer.Option("--commands", help="Also the command that sets the wanted value.")
    ] = False,
    unfold: UnfoldOption = False,
    format_: FormatOption = None,
    json: JsonOption = False,
    file: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Tell whether a recovered server is as it was: the baseline, or before the rebuild."""
    from changelog_tracker.pipeline.heads import Asked, about
    from changelog_tracker.pipeline.lines import with_inside
    from changelog_tracker.pipeline.verify import verify as verified_
    from changelog_tracker.report import verified
    from changelog_tracker.report.times import both_inside

    to = target(format_, json, file, force)
    with reading(ctx) as (connection, say_lost):
        done = verified_(connection, server, against, unfold=unfold)
        found = verified.Found(list(with_inside(done.lines)), done.unread, done.signs)
        document = None
        if to.is_document:
            said = {
                label.capitalize(): both_inside(words, local_zone())
                for label, words in verified.told(_sums(done), found).items()
            }
            against_ = both_inside(done.words, local_zone())
            query = f"newest snapshot of {done.name} against {against_}"
            head = about(
                connection,
                Asked(query, done.name, also=said),
                reader(),
                unread=done.unread,
                commands=commands,
            )
            document = verified.document(found, head, against_)
    if document:
        write_document(document, to)
    else:
        _write(done, found, to, commands=commands)
    sys.stdout.flush()
    say_lost()
    if not done.is_as_wanted:
        raise typer.Exit(3)


def _sums(done: Verified) -> Sums:
    from changelog_tracker.report.verified import Sums

    return Sums(
        server=done.name,
        snapshot=done.wanted,
        against=done.words,
        newest=done.newest,
        compared=done.differing.compared,
        as_wanted=done.differing.as_wanted,
        encrypted=len(done.differing.encrypted),
        renewed=len(done.differing.renewed),
        same=done.same,
    )


def _write(done: Verified, found: Found, to: Target, *, commands: bool) -> None:
    from changelog_tracker.report import json_lines, text, verified
    from changelog_tracker.report.look import Look

    sums = _sums(done)
    with output(to.file, force=to.force) as out:
        if to.form == "json":
            json_lines.write(done.objects, out)
            for line in verified.lines(sums, found):
                typer.echo(line, err=True)
        else:
            options = look(out, commands=commands)
            text.drift(found.lines, out, against=done.words, unread=done.unread, **options)
            verified.write(sums, found, out, Look(**options))
