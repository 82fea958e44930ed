"""The demo: what it tells at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def tell(keep: Path | None) -> None:
    """Tell the story."""
    del keep
