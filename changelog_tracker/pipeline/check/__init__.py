"""
`check`: whether a store is what was written to it, what is damaged, and what is still good.

Nothing is written. Each check stands by itself: where one meets what it cannot read, it says so,
and the others follow.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from changelog_tracker.errors import StoreDamagedError
from changelog_tracker.pipeline.check.finding import Finding
from changelog_tracker.pipeline.check.good import DO, GOOD, last_words
from changelog_tracker.pipeline.check.key import CHECK as KEY
from changelog_tracker.pipeline.check.look import Look
from changelog_tracker.store.damage import FIND_ALL
from changelog_tracker.store.database import no_store_yet
from changelog_tracker.store.glance import Glance
from changelog_tracker.store.integrity import said_plainly, take_as_it_is
from changelog_tracker.store.scratch import scratch_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from changelog_tracker.config import Config

__all__ = ["DO", "GOOD", "Finding", "check_store", "refuse_damaged"]


def check_store(config: Config, *, read_data: bool) -> Iterator[Finding]:
    """
    Check a store.

    Args:
        config: Where store and key are.
        read_data: Also read every value, and hold it against its hash or the journal.

    Raises:
        StoreError: There is no store, it is of another schema, or it cannot be opened at all.
    """
    glance = Glance(config.store)
    with ExitStack() as stack:
        stack.enter_context(closing(glance))
        stack.enter_context(said_plainly(glance.place))
        if not glance.is_made():
            raise no_store_yet(glance.place)
        connection = stack.enter_context(glance.reading(checked=False))
        scratch = stack.enter_context(scratch_store())
        take_as_it_is(connection)
        look = Look(connection, scratch, glance.place, config.key)
        found: list[Finding] = []
        for one in look.run(read_data=read_data):
            found.append(one)
            yield one
        yield from last_words(found, look, read_data=read_data)


def refuse_damaged(config: Config, error: Exception) -> None:
    """
    Tell whether damage is behind an error that a sound store does not make.

    Raises:
        StoreDamagedError: It is.
    """
    if any(one.state == "bad" and one.check != KEY for one in check_store(config, read_data=True)):
        what = "is damaged: a row is not what this program writes"
        raise StoreDamagedError(Glance(config.store).place, what, FIND_ALL) from error
