"""
`take`: a snapshot of each of some servers, collected at once and stored one after the other.

The paragraph: look up what is known of a server, let it list what it has, fetch what is new in
that, ask Exchange, and give all of it to the same import that a bundle on a stick goes through.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.from_server import Collection, version_of, with_exchange
from changelog_tracker.errors import CollectError, DeadlineError, TrackerError
from changelog_tracker.model import Known
from changelog_tracker.pipeline.files import FileReader
from changelog_tracker.pipeline.importing import import_gathered
from changelog_tracker.pipeline.outcome import Wish
from changelog_tracker.pipeline.transports import ask_exchange, runner_of
from changelog_tracker.store.journal import find_server
from changelog_tracker.store.states import load_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from changelog_tracker.collect.gathered import Gathered
    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.inventory import ServerEntry
    from changelog_tracker.pipeline.outcome import Outcome
    from changelog_tracker.store import Store

# How long a connection that was cut at its deadline may need to notice.
_GRACE_S = 10.0
_REPORT = "report it, with what changelog-tracker doctor prints"


@dataclass(frozen=True, slots=True)
class Options:
    """
    How servers are collected.

    Args:
        workers: How many at once.
        deadline_s: How long one may take, from its first connection on.
        full: Whether every file is fetched, also those whose bytes are known.
    """

    workers: int = 8
    deadline_s: float = 300
    full: bool = False


@dataclass(frozen=True, slots=True)
class Took:
    """
    What became of one server: a snapshot, or why there is none.

    Args:
        server: Its name.
        outcome: Its snapshot.
        error: Why there is none.
        seconds: How long it took.
    """

    server: str
    outcome: Outcome | None
    error: TrackerError | None
    seconds: float


def take(
    store: Store, fingerprints: Fingerprints, entries: Sequence[ServerEntry], options: Options
) -> Iterator[Took]:
    """
    Collect servers, and give what became of each as soon as it is stored.

    A server that fails, hangs or answers nonsense costs only itself. When the reader of this stops
    early, what runs is cut off and not stored.
    """
    waiting = list(reversed(entries))
    running: dict[Future[Gathered], _Task] = {}
    pool = ThreadPoolExecutor(options.workers, thread_name_prefix="take")
    try:
        while waiting or running:
            while waiting and len(running) < options.workers:
                task = _task(store, fingerprints, waiting.pop(), options)
                running[pool.submit(task.gather)] = task
            done, _ = wait(running, timeout=_left_s(running.values()), return_when=FIRST_COMPLETED)
            for future in [*done, *_hung(running, done)]:
                yield _stored(store, fingerprints, running.pop(future), future)
    finally:
        for task in running.values():
            task.deadline.expire()
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Task:
    """One server while it is collected; `known` was looked up before, as threads read no store."""

    entry: ServerEntry
    options: Options
    known: Known
    fingerprints: Fingerprints
    deadline: Deadline
    started: float

    def gather(self) -> Gathered:
        """
        Bring all that the server has to tell.

        Raises:
            TrackerError: There is nothing that could be stored.
        """
        entry, known = self.entry, self.known
        runner = runner_of(entry, self.deadline)
        collection = Collection(
            entry.name, runner, self.deadline, known.at, shell=entry.exchange_url is None
        )
        gathered = collection.listed()
        none: Known = Known()
        reader = FileReader(
            gathered, self.fingerprints, none if self.options.full else known, lambda _: None
        )
        gathered = collection.fetched(gathered, reader.unknown())
        if entry.exchange_url is None:
            return gathered
        answers, evidence = ask_exchange(entry, version_of(gathered), known.at, self.deadline)
        return with_exchange(gathered, answers, evidence)


def _task(store: Store, fingerprints: Fingerprints, entry: ServerEntry, options: Options) -> _Task:
    known = Known()
    with store.reading() as connection:
        row = find_server(connection, entry.name)
        if row is not None:
            known = load_known(connection, row[0])
    deadline = Deadline(options.deadline_s)
    return _Task(entry, options, known, fingerprints, deadline, time.monotonic())


def _left_s(tasks: Iterable[_Task]) -> float:
    return max(0.0, min(task.deadline.left_s() for task in tasks) + _GRACE_S)


def _hung(
    running: dict[Future[Gathered], _Task], done: set[Future[Gathered]]
) -> list[Future[Gathered]]:
    """Give what does not even notice that it was cut off, such as a name that is looked up."""
    return [
        future
        for future, task in running.items()
        if future not in done and task.deadline.left_s() <= -_GRACE_S
    ]


def _stored(
    store: Store, fingerprints: Fingerprints, task: _Task, future: Future[Gathered]
) -> Took:
    outcome: Outcome | None = None
    failed: TrackerError | None = None
    name = task.entry.name
    try:
        if not future.done():
            what = f"no answer within {task.options.deadline_s:g} s, nor any since"
            raise DeadlineError(name, what)
        outcome = import_gathered(store, fingerprints, future.result(), Wish(server=name))
    except TrackerError as error:
        failed = error
    except Exception as error:  # noqa: BLE001  a fault of ours in one server must not cost the others
        what = f"this program failed: {type(error).__name__}"
        failed = CollectError(name, what, _REPORT)
        failed.__cause__ = error
    return Took(name, outcome, failed, time.monotonic() - task.started)
