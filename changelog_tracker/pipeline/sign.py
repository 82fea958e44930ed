"""One sign that something was restored which belongs to an installation that is gone."""

from __future__ import annotations

from dataclasses import dataclass

AGAIN = "do not patch it: run Setup /m:RecoverServer again"


@dataclass(frozen=True, slots=True)
class Sign:
    """
    What stands where, and what to do.

    Args:
        what: What was found, one line.
        place: The path of the resource or setting.
        advice: What to do in place of patching it, one line.
    """

    what: str
    place: str
    advice: str

    @property
    def line(self) -> dict[str, str]:
        """What `--json` prints of it."""
        return {"sign": self.what, "place": self.place, "advice": self.advice}
