"""`collector`: the script that makes a bundle on a server without this program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from changelog_tracker.cli.options import ForceOption
from changelog_tracker.cli.session import binary_output


def collector(
    file: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it: collect.ps1.")
    ],
    force: ForceOption = False,
) -> None:
    """Write the script that makes a bundle on a server without this program."""
    from changelog_tracker.collect.script import collector as script
    from changelog_tracker.report.escape import terminal

    with binary_output(file, force=force) as out:
        out.write(script().encode("ascii"))
    typer.echo(f"wrote {terminal(str(file))}; it only reads, and needs Windows PowerShell 2.0")
    typer.echo("On the Exchange server, in an elevated 64-bit PowerShell:")
    typer.echo(f"  powershell.exe -NoProfile -ExecutionPolicy Bypass -File {file.name}")
    typer.echo("Then bring the bundle here:")
    typer.echo("  changelog-tracker import BUNDLE")
