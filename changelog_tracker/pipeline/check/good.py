"""What `check` says at the end: what is still good, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from changelog_tracker.pipeline.check.finding import NOT_ALL, Finding
from changelog_tracker.pipeline.check.key import CHECK as KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from changelog_tracker.pipeline.check.look import Look

GOOD, DO = "still good", "do"
SCHEMA = "schema"
_BRING_BACK = "changelog-tracker key import FILE --force brings back a copy of the key"
_COMMANDS = "log, show, diff, drift and snapshots give what is whole, and name what is not"
_RESTORE = (
    "keep this store as it is, restore the newest copy that check --read-data calls sound, and "
    "import what came since again"
)
_MORE = "see what else is damaged with: changelog-tracker check --read-data"


def last_words(found: Sequence[Finding], look: Look, *, read_data: bool) -> Iterator[Finding]:
    """Say what is still good where something is not, and what to do."""
    bad = {one.check for one in found if one.state == "bad"}
    if not bad:
        return
    if bad != {KEY}:
        yield from (Finding(GOOD, "ok", what) for what in _good(bad, look))
        torn = any(one.what.startswith(NOT_ALL) for one in found)
        if look.walk.chain.rows and SCHEMA not in bad and not torn:
            yield Finding(GOOD, "ok", _COMMANDS)
    if KEY in bad:
        yield Finding(DO, "note", _BRING_BACK)
    if bad != {KEY}:
        yield Finding(DO, "note", _RESTORE)
        if not read_data:
            yield Finding(DO, "note", _MORE)


def _good(bad: set[str], look: Look) -> Iterator[str]:
    chain, contents, servers = look.walk.chain, look.contents, look.scratch.servers
    if chain.rows and "journal" not in bad:
        yield f"the whole journal, {chain.rows:,} rows, and with it every change and reason"
    elif chain.breaks and chain.breaks[0].first > 1:
        last = chain.breaks[0].first - 1
        yield f"rows 1 to {last:,} of the journal" if last > 1 else "row 1 of the journal"
    hit = {one.server_id for one in chain.breaks}
    missing = any(one.missing for one in chain.breaks)
    whole = sorted(name for number, name in servers.items() if number not in hit)
    if chain.breaks and not missing and whole:
        yield f"all rows of {len(whole):,} of {len(servers):,} servers: {', '.join(whole)}"
    if contents is not None and contents.whole and contents.lost:
        total = len(contents.whole) + len(contents.lost)
        yield f"{len(contents.whole):,} of {total:,} contents"
