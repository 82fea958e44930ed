"""
Asks a server's own Exchange endpoint, as an administrator's remote session does.

No second hop, and what the account may not do is invisible to it: its roles are respected. One
session, one runspace, one cmdlet at a time; the endpoint has no language, so nothing else runs.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from pypsrp.complex_objects import CommandType, PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell

from changelog_tracker.collect.deadline import Deadline
from changelog_tracker.collect.psrp_errors import never_arrived, refusal, translated
from changelog_tracker.collect.psrp_wire import Connection, delete_shell, new_pool
from changelog_tracker.collect.psrp_xml import document
from changelog_tracker.errors import CollectError, DamagedAnswerError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypsrp.powershell import RunspacePool

    from changelog_tracker.collect.endpoint import ExchangeEndpoint
    from changelog_tracker.collect.psrp_wire import Output

Parameter: TypeAlias = str | bool | int | datetime
# How long closing a session may take where it has to go its own way.
_CLOSING_S = 5
_NAME = re.compile(r"[A-Za-z]+-[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Query:
    """
    One call of a cmdlet.

    Args:
        noun: What it reads, as `OwaVirtualDirectory`.
        cmdlet: `Get-OwaVirtualDirectory`.
        parameters: By name, without hyphen; True for a switch.
    """

    noun: str
    cmdlet: str
    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a call gave: either data or a reason.

    Args:
        query: The call.
        data: One CLIXML document of its objects, also where there is none; None where it failed.
        reason: Why it failed, in one line.
    """

    query: Query
    data: bytes | None
    reason: str | None = None


class CmdletError(Exception):
    """A cmdlet was refused, or gave an error; the session goes on. Holds the reason."""


class ExchangeSession:
    """
    An open session; made by `exchange_session`.

    Args:
        endpoint: Where.
        deadline: When every wait ends.
        pool: The runspace behind it.
        output: What came of it.
    """

    def __init__(
        self, endpoint: ExchangeEndpoint, deadline: Deadline, pool: RunspacePool, output: Output
    ) -> None:
        self.place = endpoint.url
        self._endpoint, self._deadline = endpoint, deadline
        self._pool, self._output = pool, output

    def call(self, cmdlet: str, parameters: Mapping[str, Parameter]) -> list[str]:
        """
        Run one cmdlet.

        Returns:
            Its objects, each as the XML that came.

        Raises:
            CmdletError: It was refused or gave an error, also if it gave objects too: half of the
                objects would look as if the others were gone.
            CollectError: The session cannot go on.
        """
        with translated(self._endpoint, self._deadline):
            self._output.begin()
            shell = PowerShell(self._pool)
            shell.add_cmdlet(cmdlet)
            shell.add_parameters({name: _sent(value) for name, value in parameters.items()})
            shell.invoke()
            # It has ended; that this is heard, too, is not worth losing its answer.
            with suppress(WSManFaultError):
                shell.close()
        # had_errors is False after an error that did not end the pipeline.
        errors = shell.streams.error
        if errors:
            secret = self._endpoint.password.reveal() if self._endpoint.password else None
            reason = refusal(errors[0], cmdlet, parameters, secret)
            more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
            raise CmdletError(reason + more)
        if shell.state != PSInvocationState.COMPLETED:
            raise CmdletError(f"{cmdlet} was stopped by the server")
        return list(shell.output)

    def read(self, queries: Sequence[Query]) -> list[Answer]:
        """
        Ask one query after the other; what fails is a reason, and so is what a lost session left.

        Raises:
            DeadlineError: The time is over.
        """
        answers: list[Answer] = []
        lost: str | None = None
        for query in queries:
            if lost is not None:
                answers.append(Answer(query, None, lost))
                continue
            try:
                found = self.call(query.cmdlet, query.parameters)
            except CmdletError as error:
                answers.append(Answer(query, None, str(error)))
                continue
            except DeadlineError:
                raise
            except CollectError as error:
                lost = f"the Exchange session was lost: {error.what}"
                answers.append(Answer(query, None, lost))
                continue
            answers.append(self._answer(query, found))
        return answers

    def _answer(self, query: Query, found: Sequence[str]) -> Answer:
        try:
            return Answer(query, document(found, self.place))
        except DamagedAnswerError as error:
            return Answer(query, None, error.what)

    def offered(self, cmdlets: Sequence[str]) -> dict[str, frozenset[str]]:
        """
        Ask which of some cmdlets the account's roles bring, each with its parameters.

        Raises:
            CollectError: The session cannot go on.
        """
        names = [name for name in cmdlets if _NAME.fullmatch(name)]
        if not names:
            return {}
        with translated(self._endpoint, self._deadline):
            self._output.begin(as_it_came=False)
            kinds = CommandType.FUNCTION | CommandType.CMDLET
            found = self._pool.get_command_metadata(names, kinds)
        return {str(one.name): frozenset(one.parameters or ()) for one in found}


@contextmanager
def exchange_session(endpoint: ExchangeEndpoint, deadline: Deadline) -> Iterator[ExchangeSession]:
    """
    Open a session, and close it whatever happens.

    Raises:
        CollectError: It cannot be opened; no shell is left on the server.
    """
    with translated(endpoint, deadline):
        connection = Connection(endpoint, deadline)
    pool, output = new_pool(connection, endpoint.url)
    try:
        with translated(endpoint, deadline):
            pool.open()
    except BaseException as error:
        # The answer may be lost, and the shell be there.
        if connection.asked and not never_arrived(error):
            _close(pool, connection, endpoint)
        connection.close()
        raise
    try:
        yield ExchangeSession(endpoint, deadline, pool, output)
    finally:
        _close(pool, connection, endpoint)
        connection.close()


def _close(pool: RunspacePool, connection: Connection, endpoint: ExchangeEndpoint) -> None:
    """
    Delete the shell on the server, and never hide the error that led here.

    After a lost answer the old connection is of no use: its encryption is out of step.
    """
    if not connection.broken and not connection.deadline.is_over:
        with suppress(CollectError), translated(endpoint, connection.deadline):
            delete_shell(pool, connection)
            return
    deadline = Deadline(_CLOSING_S)
    with suppress(CollectError), translated(endpoint, deadline):
        other = Connection(endpoint, deadline)
        try:
            delete_shell(pool, other)
        finally:
            other.close()


def read_exchange(
    endpoint: ExchangeEndpoint, queries: Sequence[Query], deadline: Deadline
) -> list[Answer]:
    """
    Ask a server's Exchange endpoint, in a session of its own.

    Raises:
        CollectError: There is no session, or the time is over.
    """
    with exchange_session(endpoint, deadline) as session:
        return session.read(queries)


def _sent(value: Parameter) -> object:
    """Give a parameter's value as pypsrp serialises it."""
    if isinstance(value, datetime):
        # Text would be read by the server's date format; pypsrp itself cannot write a DT.
        element = ET.Element("DT")
        element.text = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
        return element
    return value
