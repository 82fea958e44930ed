"""A password of the machine's keyring; the one place that knows the library `keyring`."""

from __future__ import annotations

import threading

from changelog_tracker.errors import CollectError, DeadlineError

_INSTALL = "install it with: pip install 'changelog-tracker[keyring]'"


def password_of(service: str, user: str, place: str, allowed_s: float) -> str:
    """
    Ask the keyring; one that waits for somebody to unlock it is given up in time.

    Raises:
        CollectError: There is none, it refuses, or it holds no such password.
    """
    try:
        import keyring  # noqa: PLC0415  an extra, slow to load
    except ImportError as error:
        what = "the keyring cannot be asked: keyring is not installed"
        raise CollectError(place, what, _INSTALL) from error
    found: list[str | None] = []
    failed: list[str] = []

    def ask() -> None:
        try:
            found.append(keyring.get_password(service, user))
        except Exception as error:  # noqa: BLE001  a backend raises what its system does
            # By its type alone: nobody knows what its text holds.
            failed.append(type(error).__name__)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(0.0, allowed_s))
    if asking.is_alive():
        what = f"the keyring did not answer within {allowed_s:.0f} s"
        raise DeadlineError(place, what, "unlock it; it may wait for somebody to do so")
    if failed:
        hint = "see which one is used with: keyring --list-backends"
        raise CollectError(place, f"the keyring cannot be read: {failed[0]}", hint)
    if not found or not found[0]:
        what = f"the keyring has no password of {user} for {service}"
        raise CollectError(place, what, f"store it with: keyring set {service} {user}")
    return found[0]
