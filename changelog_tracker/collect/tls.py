"""What checks a server's certificate, and what shows one to it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from changelog_tracker.errors import CollectError


def shared(ca: str | None) -> ssl.SSLContext:
    """
    Give what checks certificates; kept, for reading the machine's store takes long.

    Args:
        ca: A file of authorities; None for the machine's.

    Raises:
        CollectError: The file holds none.
    """
    changed_ns = 0
    if ca is not None:
        with suppress(OSError):
            changed_ns = Path(ca).stat().st_mtime_ns
    return _kept(ca, changed_ns)


@lru_cache(maxsize=64)
def _kept(ca: str | None, changed_ns: int) -> ssl.SSLContext:  # noqa: ARG001  new when the file is
    return trusting(ca)


def trusting(ca: str | None) -> ssl.SSLContext:
    """
    Make what trusts the authorities of a file alone, or the machine's.

    Raises:
        CollectError: The file holds none.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        what = "holds no certificate of an authority; expected PEM"
        raise CollectError(str(ca), what, "give the right file with --ca FILE") from error


def with_certificate(context: ssl.SSLContext, certificate: str, key: str) -> ssl.SSLContext:
    """
    Have a client's certificate shown to servers.

    Raises:
        CollectError: Certificate and key are none, or do not belong together.
    """
    try:
        # Without a password given, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password=bytes)
    except (OSError, ssl.SSLError, ValueError) as error:
        what = "is no certificate with its key; expected PEM, the key without a password"
        raise CollectError(certificate, what, "see --certificate and --certificate-key") from error
    return context
