"""What stands over an exported report: period, servers, coverage, versions, head of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from changelog_tracker import __version__, catalogue
from changelog_tracker.pipeline.lines import known_server, utc
from changelog_tracker.store.packing import micros
from changelog_tracker.store.snapshots import head_hash, server_names, snapshots_of

if TYPE_CHECKING:
    from changelog_tracker.pipeline.change_log import LogWish
    from changelog_tracker.store.database import Connection


def log_head(connection: Connection, wish: LogWish) -> dict[str, Any]:
    """Give the head of a change log."""
    head = server_head(connection, wish.server)
    head["since"] = utc(micros(wish.since)) if wish.since else "the first snapshot"
    head["until"] = utc(micros(wish.until)) if wish.until else "now"
    shown = ["undocumented only"] if wish.undocumented else []
    shown += [f"class {name}" for name in wish.classes]
    shown += ["with superseded changes"] if wish.all else []
    head["shown"] = ", ".join(shown) or "every change"
    return head


def server_head(connection: Connection, server: str | None) -> dict[str, Any]:
    """Give the part of a head that every report has."""
    names = [known_server(connection, server)[1]] if server else server_names(connection)
    coverage = []
    for name in names:
        found = snapshots_of(connection, known_server(connection, name)[0])
        if found:
            coverage.append(
                f"{name}: {len(found)} snapshots, {utc(found[0].at)} to {utc(found[-1].at)}"
            )
    return {
        "servers": ", ".join(names),
        "coverage": "; ".join(coverage),
        "program": f"changelog-tracker {__version__}",
        "catalogue": f"{catalogue.CATALOGUE_VERSION}, rules {catalogue.RULE_VERSION}",
        "journal head": head_hash(connection),
    }
