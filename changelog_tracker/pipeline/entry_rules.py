"""What an entry of the inventory may hold: each rule with the option that it is about."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from changelog_tracker.collect.credentials import check_reference, is_reference
from changelog_tracker.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from changelog_tracker.pipeline.inventory import ServerEntry

# A NetBIOS name, which is what Exchange calls a server.
_NAME = re.compile(r"(?!\d+$)[^\W_][\w-]{0,14}")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_MOST_HOST_CHARS = 253
_MOST_GROUP_CHARS = 64
_MOST_PORT = 65_535
_WITH_PASSWORD = frozenset({"basic", "ntlm", "credssp"})
_TLS_ONLY = frozenset({"basic", "certificate"})


def check(entry: ServerEntry) -> None:
    """
    Refuse an entry that cannot work.

    Raises:
        UsageError: What of it cannot be, by its option.
    """
    _check_names(entry)
    if entry.port is not None and not 1 <= entry.port <= _MOST_PORT:
        raise UsageError("--port", f"{entry.port} is no port; expected 1 to {_MOST_PORT}")
    if entry.proxy is not None:
        _url("--proxy", entry.proxy)
    if entry.transport == "winrm" and entry.scheme == "http" and entry.auth in _TLS_ONLY:
        what = f"{entry.auth} over http is refused: it would not be encrypted"
        raise UsageError("--auth", what, "take --scheme https, or --auth kerberos")
    if entry.exchange_url is not None:
        scheme = _url("--exchange-url", entry.exchange_url).scheme
        if scheme == "http" and entry.exchange_auth in _TLS_ONLY:
            what = f"{entry.exchange_auth} over http is refused: it would not be encrypted"
            raise UsageError("--exchange-url", what, "give it as https://HOST/powershell")
    _check_credentials(entry)
    _check_files(entry)


def _check_names(entry: ServerEntry) -> None:
    if not _NAME.fullmatch(entry.name):
        hint = "as EX01; its address in the network goes to --host"
        raise UsageError(entry.name, "is no name of a computer; expected the short name", hint)
    _check_host(entry.host)
    for group in entry.groups:
        if not group or len(group) > _MOST_GROUP_CHARS or not group.isprintable():
            what = f"{group!r} is no name; expected 1 to {_MOST_GROUP_CHARS} printable characters"
            raise UsageError("--group", what)


def _check_host(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        if "%" in host:
            raise UsageError("--host", "expected an address without a zone")
        return
    if "/" in host or "@" in host:
        hint = "as ex01.contoso.com, with --scheme and --port apart"
        raise UsageError("--host", "is a URL or a path; expected a name or address alone", hint)
    if host.count(":") == 1:
        raise UsageError("--host", "holds a port; expected a name or address alone", "use --port")
    labels = host.removesuffix(".").split(".")
    if len(host) > _MOST_HOST_CHARS or not all(map(_LABEL.fullmatch, labels)):
        raise UsageError("--host", f"{host!r} is no name of a host and no address")


def _check_credentials(entry: ServerEntry) -> None:
    user, password = entry.user, entry.password
    signs = {entry.auth} if entry.transport == "winrm" else set()
    signs |= {entry.exchange_auth} if entry.exchange_url is not None else set()
    if password is not None:
        check_reference(password, "--password")
        _check_path(password, "--password")
    if user is not None:
        if is_reference(user):
            check_reference(user, "--user")
            _check_path(user, "--user")
        elif not user.strip() or not user.isprintable():
            raise UsageError("--user", "is no name of an account")
    if password is not None and user is None:
        raise UsageError("--user", "is missing; a password needs its user")
    if user is not None and password is None and not signs <= {"kerberos"}:
        what = "is missing; only kerberos signs in without one, by its ticket"
        raise UsageError("--password", what, "as --password env:NAME, or --auth kerberos")
    needing = sorted(signs & _WITH_PASSWORD)
    if needing and user is None:
        what = f"is missing; signing in by {needing[0]} needs user and password"
        raise UsageError("--user", what, r"as --user CONTOSO\svc --password env:NAME")


def _check_path(reference: str, option: str) -> None:
    """Refuse a file that is another one in another folder."""
    form, _, path = reference.partition(":")
    if form == "file" and not (path.startswith(("~", "/", "\\")) or re.match(r"[A-Za-z]:", path)):
        raise UsageError(option, "file: expected the whole path of a file")


def _check_files(entry: ServerEntry) -> None:
    files = {
        "--ca": entry.ca,
        "--certificate": entry.certificate,
        "--certificate-key": entry.certificate_key,
    }
    for option, file in files.items():
        if file is not None and not _is_file(file):
            raise UsageError(option, f"there is no file {file}")
    used = (entry.transport == "winrm" and entry.auth == "certificate") or (
        entry.exchange_url is not None and entry.exchange_auth == "certificate"
    )
    for option in ("--certificate", "--certificate-key"):
        if used and files[option] is None:
            what = "is missing; signing in by certificate needs it and its key"
            raise UsageError(option, what, "both in PEM: --certificate FILE --certificate-key FILE")
        if not used and files[option] is not None:
            raise UsageError(option, "is for --auth certificate alone")


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):
        return False


def _url(option: str, url: str) -> SplitResult:
    """Take a URL apart; where it may hold a password it is not repeated."""
    try:
        found = urlsplit(url)
        port = found.port
        host = found.hostname
    except ValueError:
        raise UsageError(option, "is no URL") from None
    if "@" in found.netloc:
        raise UsageError(option, "holds a user or password; expected a URL without them")
    odd = not url.isprintable() or " " in url
    if found.scheme not in {"http", "https"} or not host or port == 0 or odd:
        raise UsageError(option, "is no URL; expected http://HOST/... or https://HOST/...")
    try:
        _check_host(host)
    except UsageError:
        raise UsageError(option, "names no host") from None
    return found
