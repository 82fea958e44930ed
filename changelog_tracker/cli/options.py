"""Options that several commands have, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Format = Literal["text", "json", "md", "html", "csv", "xlsx"]

FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How to write it; else as FILE ends, else text."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to FILE.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a FILE that exists.")]
UnfoldOption = Annotated[bool, typer.Option("--unfold", help="Also what is folded into one line.")]
OneServer = Annotated[str, typer.Argument(help="The server.")]
AnyServer = Annotated[str | None, typer.Argument(help="One server; else all.")]
ChangeIds = Annotated[list[str], typer.Argument(metavar="CHANGE...", help="Ids, as log shows.")]
Speaker = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who says so; else the account.")
]
