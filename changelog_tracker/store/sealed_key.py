"""
A key under a passphrase: what `key export` writes and `key import` reads.

One JSON object. scrypt makes a key of the passphrase, AES-256-GCM seals the store's key with it,
and covers every other field too, so that none can be altered.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from changelog_tracker.errors import InputError
from changelog_tracker.store.journal import PROGRAM
from changelog_tracker.store.packing import canonical_json

FORMAT = 1
MOST_BYTES = 16 * 1024
_WHAT = "key of all fingerprints of changelog_tracker, under a passphrase"
_CIPHER = "AES-256-GCM"
_CIPHER_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16
_SALT_BYTES = 16
# A file that names more would hold the machine for minutes: 1 GiB takes some five seconds.
_MOST_N, _MOST_R, _MOST_P, _MOST_MEMORY = 2**20, 32, 16, 2**30
_MOST_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class _Scrypt:
    """The cost of one guess, and the salt as hexadecimal digits."""

    n: int
    r: int
    p: int
    salt: str

    def derive(self, passphrase: str) -> bytes:
        """Give the key that a passphrase makes."""
        kdf = Scrypt(
            salt=bytes.fromhex(self.salt), length=_CIPHER_KEY_BYTES, n=self.n, r=self.r, p=self.p
        )
        return kdf.derive(passphrase.encode())

    def is_bearable(self) -> bool:
        """Tell whether scrypt takes these numbers, and ends soon with them."""
        return (
            2 <= self.n <= _MOST_N
            and self.n & (self.n - 1) == 0
            and 1 <= self.r <= _MOST_R
            and 1 <= self.p <= _MOST_P
            and 128 * self.n * self.r * self.p <= _MOST_MEMORY
        )


def seal(key: bytes, key_id: str, passphrase: str, made: str) -> str:
    """
    Seal a key under a passphrase.

    Args:
        key: The store's key.
        key_id: By which one knows it; stands there in clear.
        passphrase: Of any length; how long it must be is the caller's business.
        made: When, ISO 8601.

    Returns:
        The file's text, ASCII.
    """
    cost = _Scrypt(n=2**17, r=8, p=1, salt=os.urandom(_SALT_BYTES).hex())
    nonce = os.urandom(_NONCE_BYTES)
    head: dict[str, Any] = {
        "format": FORMAT,
        "what": _WHAT,
        "program": PROGRAM,
        "made": made,
        "key": key_id,
        "kdf": {"name": "scrypt", **asdict(cost)},
        "cipher": {"name": _CIPHER, "nonce": nonce.hex()},
    }
    sealed = AESGCM(cost.derive(passphrase)).encrypt(nonce, key, canonical_json(head))
    return json.dumps({**head, "sealed": sealed.hex()}, indent=2) + "\n"


def is_sealed(text: str) -> bool:
    """Tell whether a text is, or was, what `seal` writes."""
    found = _object(text)
    return found is not None and found.get("what") == _WHAT


def unseal(text: str, place: str, passphrase: str) -> tuple[bytes, str]:
    """
    Open what `seal` wrote.

    Returns:
        The key, and the key id that the file names.

    Raises:
        InputError: It is nothing that `seal` wrote, it was altered, or the passphrase is wrong.
    """
    cost, nonce, sealed, head = _parts(text, place)
    try:
        key = AESGCM(cost.derive(passphrase)).decrypt(nonce, sealed, canonical_json(head))
    except InvalidTag as error:
        raise InputError(
            place, "cannot be opened: the passphrase is wrong, or the file was altered"
        ) from error
    except MemoryError as error:
        raise InputError(place, "cannot be opened: this machine has too little memory") from error
    return key, str(head["key"])


def _parts(text: str, place: str) -> tuple[_Scrypt, bytes, bytes, dict[str, Any]]:
    """Take a file apart; no number in it is used before it is held against its bounds."""
    head = _object(text)
    if head is None or head.get("what") != _WHAT:
        raise InputError(place, "is no exported key", "make one with: changelog-tracker key export")
    if head.get("format") != FORMAT:
        raise InputError(
            place,
            f"has format {head.get('format')!r}; this program knows {FORMAT}",
            "import it with the changelog_tracker that made it, or a newer one",
        )
    try:
        kdf, cipher = head["kdf"], head["cipher"]
        n, r, p = (_whole(kdf[name]) for name in ("n", "r", "p"))
        cost = _Scrypt(n, r, p, kdf["salt"])
        salt, nonce = bytes.fromhex(kdf["salt"]), bytes.fromhex(cipher["nonce"])
        sealed = bytes.fromhex(head.pop("sealed"))
        known = (kdf["name"], cipher["name"]) == ("scrypt", _CIPHER)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(place, "is no whole exported key: a field is missing or wrong") from error
    sizes = len(salt) >= _SALT_BYTES and len(nonce) == _NONCE_BYTES
    if not (known and sizes and _TAG_BYTES < len(sealed) <= _MOST_KEY_BYTES):
        raise InputError(place, "is no whole exported key: a field is missing or wrong")
    if not cost.is_bearable():
        raise InputError(place, "asks for more work than an exported key ever needs")
    return cost, nonce, sealed, head


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
