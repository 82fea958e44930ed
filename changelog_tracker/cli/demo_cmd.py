"""`demo`: the whole story on bundled sample servers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Leave bundles and store in DIR.")
    ] = None,
) -> None:
    """Show the whole story on sample servers: log, undocumented change, outage, drift, commands."""
    from changelog_tracker.cli.demo_story import tell

    tell(keep)
