"""From an entry of the inventory to connections: references become secrets only here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from changelog_tracker import catalogue
from changelog_tracker.catalogue.rights import right_for
from changelog_tracker.collect.credentials import Secret, is_reference, resolve
from changelog_tracker.collect.endpoint import Endpoint, ExchangeEndpoint
from changelog_tracker.collect.gathered import ManifestEvidence
from changelog_tracker.errors import CollectError, DeadlineError

if TYPE_CHECKING:
    from changelog_tracker.collect.deadline import Deadline
    from changelog_tracker.collect.psrp import Answer
    from changelog_tracker.collect.runner import Runner
    from changelog_tracker.pipeline.inventory import ServerEntry

# Where a server did not say its version, it is asked for all that the newest knows.
_NEWEST = catalogue.VERSIONS[-1]


def runner_of(entry: ServerEntry, deadline: Deadline) -> Runner:
    """
    Give what runs the script on a server.

    Raises:
        CollectError: A reference leads nowhere.
    """
    if entry.transport == "local":
        from changelog_tracker.collect.local import Local  # noqa: PLC0415  not both are needed

        return Local()
    from changelog_tracker.collect.winrm import WinRm  # noqa: PLC0415  requests is slow to load

    user, password = _credentials(entry, deadline)
    return WinRm(
        Endpoint(
            host=entry.host,
            scheme=entry.scheme,
            port=entry.port,
            auth=entry.auth,
            user=user,
            password=password,
            ca=entry.ca,
            proxy=entry.proxy,
            certificate=entry.certificate,
            certificate_key=entry.certificate_key,
        )
    )


def exchange_endpoint(entry: ServerEntry, deadline: Deadline) -> ExchangeEndpoint | None:
    """Give a server's own Exchange endpoint; None where the script asks Exchange itself."""
    if entry.exchange_url is None:
        return None
    user, password = _credentials(entry, deadline)
    return ExchangeEndpoint(
        url=entry.exchange_url,
        auth=entry.exchange_auth,
        user=user,
        password=password,
        ca=entry.ca,
        proxy=entry.proxy,
        certificate=entry.certificate,
        certificate_key=entry.certificate_key,
    )


def ask_exchange(
    entry: ServerEntry, version: str | None, since: datetime | None, deadline: Deadline
) -> tuple[list[Answer], list[tuple[ManifestEvidence, bytes]]]:
    """
    Ask a server's Exchange endpoint for every noun of its version, and for its audit log.

    An endpoint that cannot be asked leaves each noun without an answer, and costs nothing else.

    Raises:
        DeadlineError: The time is over.
    """
    from changelog_tracker.collect.audit_log import search_audit_log  # noqa: PLC0415  slow to load
    from changelog_tracker.collect.psrp import Answer, Query, exchange_session  # noqa: PLC0415

    endpoint = exchange_endpoint(entry, deadline)
    asked = catalogue.queries(version or _NEWEST, entry.name)
    queries = [Query(one.noun, one.cmdlet, one.parameters) for one in asked]
    if endpoint is None:
        return [], []
    try:
        with exchange_session(endpoint, deadline) as session:
            answers = session.read(queries)
            found = search_audit_log(session, since, datetime.now(tz=UTC))
    except DeadlineError:
        raise
    except CollectError as error:
        reason = str(error)
        lost = ManifestEvidence("admin-audit-log", settings={"reason": reason})
        return [Answer(one, None, reason) for one in queries], [(lost, b"")]
    return answers, [found]


def look_at_exchange(
    entry: ServerEntry, version: str | None, deadline: Deadline
) -> tuple[dict[str, str], ManifestEvidence]:
    """
    See what a server's Exchange endpoint offers the account.

    Returns:
        The cmdlets that its roles do not bring, each with the role that would; and whether the
        admin audit log is on, and how far back it reaches.

    Raises:
        CollectError: The endpoint cannot be asked.
    """
    from changelog_tracker.collect.audit_log import audit_log_state  # noqa: PLC0415  slow to load
    from changelog_tracker.collect.psrp import exchange_session  # noqa: PLC0415

    endpoint = exchange_endpoint(entry, deadline)
    if endpoint is None:
        raise CollectError(entry.name, "has no Exchange endpoint", "give --exchange-url URL")
    asked = catalogue.queries(version or _NEWEST, entry.name)
    cmdlets = [one.cmdlet for one in asked] + ["Search-AdminAuditLog"]
    with exchange_session(endpoint, deadline) as session:
        offered = session.offered(cmdlets)
        audit = audit_log_state(session, datetime.now(tz=UTC))
    missing = [name for name in cmdlets if name not in offered]
    return {name: str(right_for(name) or "not known here") for name in missing}, audit


def _credentials(entry: ServerEntry, deadline: Deadline) -> tuple[str | None, Secret | None]:
    user, password = entry.user, None
    if user is not None and is_reference(user):
        user = resolve(user, f"{entry.name}: --user", deadline).reveal()
    if entry.password is not None:
        password = resolve(entry.password, f"{entry.name}: --password", deadline)
    return user, password
