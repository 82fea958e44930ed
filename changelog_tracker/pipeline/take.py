"""
`take`: a snapshot of each of some servers, collected at once and stored one after the other.

The paragraph: look up what is known of a server, let it list what it has, fetch what is new in
that, ask Exchange, and give all of it to the same import that a bundle on a stick goes through.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.from_server import Collection, version_of, with_exchange
from changelog_tracker.errors import CollectError, DeadlineError, TrackerError
from changelog_tracker.model import Known
from changelog_tracker.pipeline.files import FileReader
from changelog_tracker.pipeline.identity import Prior
from changelog_tracker.pipeline.importing import Brought, import_several
from changelog_tracker.pipeline.outcome import Wish
from changelog_tracker.pipeline.transports import ask_exchange, runner_of
from changelog_tracker.store.journal import last_row
from changelog_tracker.store.known_servers import known_servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from changelog_tracker.normalise.secrets import Fingerprints
    from changelog_tracker.pipeline.inventory import ServerEntry
    from changelog_tracker.pipeline.outcome import Outcome
    from changelog_tracker.store import Store

# How long a connection that was cut at its deadline may need to notice.
_GRACE_S = 10.0
# So many servers more are in line or wait to be stored: what is stored together costs less.
_IN_LINE = 32
_TOGETHER = 16
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
    waiting = deque(entries)
    running: dict[Future[Brought], _Task] = {}
    ended: list[tuple[_Task, Future[Brought]]] = []
    pool = ThreadPoolExecutor(options.workers, thread_name_prefix="take")
    try:
        while waiting or running or ended:
            free = options.workers + _line(running.values(), options) - len(running)
            upcoming = [waiting.popleft() for _ in range(min(free, len(waiting)))]
            for task in _tasks(store, fingerprints, upcoming, options):
                running[pool.submit(task.gather)] = task
            # Who has ended is stored while the next are collected.
            yield from _stored(store, fingerprints, ended)
            ended = []
            done, _ = wait(running, timeout=_left_s(running.values()), return_when=FIRST_COMPLETED)
            ended = [(running.pop(one), one) for one in [*done, *_hung(running, done)][:_TOGETHER]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for task in running.values():
            task.give_up()


@dataclass(slots=True)
class _Task:
    """
    One server while it is collected.

    Args:
        entry: Which one.
        prior: What the store knows of it; looked up before, as threads read no store.
        ends: When it has to have begun and ended, by the monotonic clock.
    """

    entry: ServerEntry
    options: Options
    prior: Prior | None
    fingerprints: Fingerprints
    ends: float
    started: float | None = None
    deadline: Deadline | None = None
    is_given_up: bool = False

    def gather(self) -> Brought:
        """
        Bring all that the server has to tell.

        Raises:
            TrackerError: There is nothing that could be stored.
        """
        self.started, self.deadline = time.monotonic(), Deadline(self.options.deadline_s)
        self.ends = self.started + self.options.deadline_s + _GRACE_S
        if self.is_given_up:
            self.deadline.expire()
        return self._brought(self.deadline)

    def _brought(self, deadline: Deadline) -> Brought:
        entry, known = self.entry, self.prior.known if self.prior else Known()
        runner = runner_of(entry, deadline)
        shell = entry.exchange_url is None
        collection = Collection(entry.name, runner, deadline, known.at, shell=shell)
        listed = collection.listed()
        none: Known = Known()
        reader = FileReader(
            listed, self.fingerprints, none if self.options.full else known, lambda _: None
        )
        gathered = collection.fetched(listed, reader.unknown())
        if not shell:
            answers, evidence = ask_exchange(entry, version_of(gathered), known.at, deadline)
            gathered = with_exchange(gathered, answers, evidence)
        is_same = gathered is listed and not self.options.full
        wish = Wish(server=entry.name)
        return Brought(gathered, wish, self.prior, reader if is_same else None)

    def give_up(self) -> None:
        """Cut it off, also where it only begins now."""
        self.is_given_up = True
        if self.deadline is not None:
            self.deadline.expire()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return 0.0 if self.started is None else time.monotonic() - self.started


def _tasks(
    store: Store, fingerprints: Fingerprints, entries: Sequence[ServerEntry], options: Options
) -> Iterator[_Task]:
    """Look up what is known of some servers."""
    if not entries:
        return
    # Those before it in line end in time too.
    ends = time.monotonic() + 2 * (options.deadline_s + _GRACE_S)
    with store.reading() as connection:
        head, _ = last_row(connection)
        found = known_servers(connection, [entry.name for entry in entries])
    for entry in entries:
        one = found.get(entry.name.casefold())
        prior = Prior(head, *one) if one is not None else None
        yield _Task(entry, options, prior, fingerprints, ends)


def _line(tasks: Iterable[_Task], options: Options) -> int:
    """Give how many servers may be in line; none while some bring all of their files."""
    bring_all = options.full or any(task.prior is None for task in tasks)
    return 0 if bring_all else _IN_LINE


def _left_s(tasks: Iterable[_Task]) -> float:
    return max(0.0, min((task.ends for task in tasks), default=0.0) - time.monotonic())


def _hung(
    running: dict[Future[Brought], _Task], done: set[Future[Brought]]
) -> list[Future[Brought]]:
    """Give what does not even notice that it was cut off, such as a name that is looked up."""
    now = time.monotonic()
    return [future for future, task in running.items() if future not in done and task.ends <= now]


def _stored(
    store: Store, fingerprints: Fingerprints, ended: Sequence[tuple[_Task, Future[Brought]]]
) -> Iterator[Took]:
    """Store what was brought, all of it at once, and give what became of each."""
    brought: list[tuple[_Task, Brought]] = []
    for task, future in ended:
        try:
            brought.append((task, _brought(task, future)))
        except Exception as error:  # noqa: BLE001  a fault of ours in one server must not cost the others
            yield _failed(task, error)
    done = import_several(store, fingerprints, [one for _, one in brought])
    for (task, _), one in zip(brought, done, strict=True):
        if isinstance(one, Exception):
            yield _failed(task, one)
        else:
            yield Took(task.entry.name, one, None, task.seconds)


def _brought(task: _Task, future: Future[Brought]) -> Brought:
    if future.done():
        return future.result()
    task.give_up()
    what = f"no answer within {task.options.deadline_s:g} s, nor any since"
    raise DeadlineError(task.entry.name, what)


def _failed(task: _Task, error: Exception) -> Took:
    failed = error
    if not isinstance(failed, TrackerError):
        what = f"this program failed: {type(error).__name__}"
        failed = CollectError(task.entry.name, what, _REPORT)
        failed.__cause__ = error
    return Took(task.entry.name, None, failed, task.seconds)
